"""File → pages: how many there are, what each looks like, drawn in a process that can be killed."""

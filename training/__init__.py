"""What learned parts of the program are trained with. Nothing here is shipped, and ``pipeline`` never imports it."""

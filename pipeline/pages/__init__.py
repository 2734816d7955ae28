"""File → pages: their number and their images. This runs in a worker process that can be killed."""

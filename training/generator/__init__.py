"""Makes documents of any number and structure, with their exact truth."""

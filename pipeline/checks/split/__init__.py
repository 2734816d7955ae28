"""Which pages of a file are one document: where a file is cut, in which order its pages belong, which of them are copies."""

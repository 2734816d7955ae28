"""The web application and the static review: files in, progress, results, corrections, questions."""

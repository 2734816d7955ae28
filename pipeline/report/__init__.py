"""Parts that HTML reports share: page images, and a page in one file that can load and run nothing else."""

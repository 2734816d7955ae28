"""The loop over documents: admit → read → ask → check → commit → publish (``loop.py``), and the steps it calls."""

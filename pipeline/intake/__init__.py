"""What lies in the inbox: finding files, waiting until they are fully written, unpacking archives, putting them away."""

"""What HTML reports share: pages as pictures, and a page that can load and run nothing but itself."""

"""A power cut: what a program wrote is recorded below it, and replayed with a disk that keeps only what was synced."""

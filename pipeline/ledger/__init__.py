"""SQLite: what is done, by which recipe, what it cost, what failed and why."""

"""What corrections teach: a lesson about one sender's documents, used only where a replay over confirmed documents speaks for it."""

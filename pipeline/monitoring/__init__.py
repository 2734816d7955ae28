"""What a run reports while it works: events, progress, logs and metrics."""

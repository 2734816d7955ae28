"""Object stores as inbox and outbox."""

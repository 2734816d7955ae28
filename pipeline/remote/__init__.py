"""Object stores as inbox and outbox: S3, Google Cloud Storage, Azure. A mailbox as inbox: IMAP."""

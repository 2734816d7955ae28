"""Object stores: listing, fetching and putting objects, the lease on an outbox, and its ledger as an object. Knows no other room."""

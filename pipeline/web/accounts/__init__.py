"""People who use one server: their accounts, invitations and sessions, and what each of them may do."""

"""Identity tokens of CI services, and their exchange for upload tokens."""

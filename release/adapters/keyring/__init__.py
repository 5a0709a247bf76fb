"""The keyring, asked in a process of its own."""

"""The keyring, which is used in a child process."""

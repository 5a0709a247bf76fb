"""Upload with twine, and ask it about files, each in a child process."""

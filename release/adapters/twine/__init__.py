"""Upload with twine, in a child process."""

"""Scan files, directories and git repositories for secrets."""

"""Rotates a token: replaces it everywhere it is stored, then confirms that the old one is revoked."""

"""Finds, verifies, stores and repairs credentials."""

"""Uploads through twine, in processes of their own."""

"""Doors: the only I/O. They import errors and model alone: a door has no opinion."""

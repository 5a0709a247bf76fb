"""Adapters: all I/O. They depend on errors and models only."""

"""Shared values, frozen. Pure."""

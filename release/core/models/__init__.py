"""Shared models: frozen dataclasses without input or output."""

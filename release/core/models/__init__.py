"""Shared models: frozen Structs without input or output."""

"""Nouns: frozen values that every other room speaks in. Pure; no I/O."""

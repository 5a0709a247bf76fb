"""Find a credential, verify it, store it, and say how to repair it."""

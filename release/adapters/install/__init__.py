"""Install a released file into a clean environment, and smoke-test it."""

"""API tokens: what is in one, what it allows, how it is damaged. Pure."""

"""Release sets: projects that are released together."""

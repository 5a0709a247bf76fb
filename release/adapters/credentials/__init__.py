"""What is left here moves to other packages: release/adapters/credentials."""

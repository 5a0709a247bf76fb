"""A release run: build, upload, verify, promote, confirm."""

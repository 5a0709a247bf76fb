"""Upload the files: workers, state, progress, waiting."""

"""Where a credential is kept."""

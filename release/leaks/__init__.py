"""Search files, archives and history for secrets."""

"""HTTP: one client, its errors, its rate limit."""

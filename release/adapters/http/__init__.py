"""The HTTP client, its errors and its rate limit."""

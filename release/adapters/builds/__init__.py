"""Build distributions, and run third-party checkers on them."""

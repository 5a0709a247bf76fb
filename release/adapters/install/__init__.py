"""Install the files into an environment of their own, and try them."""

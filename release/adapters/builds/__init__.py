"""Build the files, and what other checkers say of them."""

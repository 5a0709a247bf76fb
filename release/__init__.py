"""Release Python packages: green means PyPI accepts the upload, red names the cause."""

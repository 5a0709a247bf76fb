"""Release Python packages: green means PyPI accepts the upload, red names the cause."""

__version__ = "0.1.0"

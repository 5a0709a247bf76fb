"""Release Python packages: green means PyPI accepts the upload, red names the cause."""

__version__ = "0.1.0"

#: directories of the project that this process imports nothing from, absolute and resolved; set by the entry point
ignored_directories: tuple[str, ...] = ()

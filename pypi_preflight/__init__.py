"""What a project imports: `from pypi_preflight import sessions, tasks`; and `python -m pypi_preflight`.

Thousands of projects have a module `release` of their own. The modules of this package find the package `release`
next to it, not by that name.
"""

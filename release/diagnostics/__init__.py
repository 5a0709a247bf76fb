"""Known failures of releases: `catalog` lists them, `matcher` recognises them in the output of servers and tools.

Import `catalog` and `matcher` inside functions: most runs succeed and need neither.
"""

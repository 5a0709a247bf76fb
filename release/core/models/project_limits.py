"""PyPI's quotas: the size of a file and of a project, and how many new projects it accepts in a time.

The numbers stand only here. A limit that an answer of the index states precedes them. There is no limit on the number
of uploads to a project.

Sources: the sizes: warehouse 6b62157, `constants.py`; PyPI can raise both for a project. New projects: the account's is
what the `RateLimit-Policy` header of PyPI said through 2026 (pypi/support#11827, `"project.create.user";q=4;w=86400`);
the address's is the code's default (warehouse 6b62157, `config.py`: 40 an hour, where the account's is 20 an hour).
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

#: bytes
FILE_SIZE = 100 * 1024**2
#: bytes; of all files of a project in total
PROJECT_SIZE = 10 * 1024**3


class ProjectLimit(Struct, frozen=True, kw_only=True):
    """One limit of new projects, in a moving window."""

    #: what is counted by: the IP address or the account
    kind: Literal["ip", "user"]
    #: new projects in a window
    limit: int
    #: the window
    seconds: int


PER_ADDRESS = ProjectLimit(kind="ip", limit=40, seconds=3600)
PER_ACCOUNT = ProjectLimit(kind="user", limit=4, seconds=86_400)
#: in the order of PyPI's headers
NEW_PROJECT_LIMITS = (PER_ADDRESS, PER_ACCOUNT)

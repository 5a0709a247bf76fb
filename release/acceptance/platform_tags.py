"""The platform tags of wheels that the index takes.

Source: warehouse, `forklift/legacy.py`; PEP 513, 571, 599, 600, 656, 730, 738, 783.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

_PLAIN = frozenset(
    {
        "any",
        "linux_armv6l",
        "linux_armv7l",
        "manylinux1_i686",
        "manylinux1_x86_64",
        "manylinux2010_i686",
        "manylinux2010_x86_64",
        "manylinux2014_aarch64",
        "manylinux2014_armv7l",
        "manylinux2014_i686",
        "manylinux2014_ppc64",
        "manylinux2014_ppc64le",
        "manylinux2014_s390x",
        "manylinux2014_x86_64",
        "win32",
        "win_amd64",
        "win_arm64",
        "win_ia64",
    }
)
_MAC = frozenset(
    {"arm64", "fat", "fat3", "fat64", "i386", "intel", "ppc", "ppc64", "universal", "universal2", "x86_64"}
)
_LINUX = frozenset({"aarch64", "armv7l", "i686", "ppc64le", "riscv64", "s390x", "x86_64"})

#: pattern → the architectures that may stand in it
_PATTERNS: tuple[tuple[re.Pattern[str], AbstractSet[str]], ...] = (
    (re.compile(r"macosx_10_\d+_(.*)"), _MAC),
    (re.compile(r"macosx_(?:11|12|13|14|15|26)_0_(.*)"), _MAC),
    (re.compile(r"manylinux_\d+_\d+_(.*)"), _LINUX | {"ppc64"}),
    (re.compile(r"musllinux_\d+_\d+_(.*)"), _LINUX),
    (re.compile(r"ios_\d+_\d+_(.*)_(?:iphoneos|iphonesimulator)"), frozenset({"arm64", "x86_64"})),
    (re.compile(r"android_\d+_(.*)"), frozenset({"arm64_v8a", "armeabi_v7a", "x86", "x86_64"})),
    (re.compile(r"pyemscripten_\d+_\d+_(.*)"), frozenset({"wasm32"})),
)


def is_taken(tag: str) -> bool:
    """Whether the index takes wheels for a platform; `tag` in lower case."""
    if tag in _PLAIN:
        return True
    return any((found := pattern.match(tag)) and found[1] in machines for pattern, machines in _PATTERNS)

"""How to correct a platform tag that the index refuses."""

from __future__ import annotations

from release.core.lazy_pattern import lazy_pattern
from release.core.shell import quote_word

#: the newest macOS that the index knows, and the one that follows 15 there. Source: warehouse, `utils/wheel.py`
_NEWEST_MAC, _LAST_NUMBERED = 26, 15
_FIRST_WITHOUT_MINOR = 11
_MAC = lazy_pattern(r"macosx_(?P<major>\d+)_(?P<minor>\d+)_(?P<machine>\w+)")
_LINUX_MACHINES = ("aarch64", "armv7l", "i686", "ppc64le", "riscv64", "s390x", "x86_64")
#: names of machines in other systems → their names in tags of macOS, and of Windows
_MAC_MACHINES = {"aarch64": "arm64", "amd64": "x86_64", "x64": "x86_64"}
_WINDOWS = {"win64": "win_amd64", "win_x86_64": "win_amd64", "win_x64": "win_amd64", "windows_x86_64": "win_amd64",
            "win_x86": "win32", "win_32": "win32", "win_i686": "win32", "win_aarch64": "win_arm64"}  # fmt: skip


def platform_remedy(tag: str, filename: str) -> str | None:
    """The remedy for a lower-case tag that the index refuses; None where no tag would do."""
    if found := _MAC.fullmatch(tag):
        return _mac_remedy(int(found["major"]), int(found["minor"]), found["machine"], filename)
    if tag in _WINDOWS:
        return f"rename the platform: {_rename(_WINDOWS[tag], filename)}"
    if tag.startswith(("linux_", "manylinux", "musllinux")) and tag.endswith(_LINUX_MACHINES):
        return f"build with cibuildwheel, or repair the wheel on Linux: auditwheel repair {filename}"
    if tag.startswith("emscripten_"):
        return "build with cibuildwheel --platform pyodide, which writes tags of pyemscripten (PEP 783)"
    if tag.startswith(("mingw", "cygwin", "msys")):
        return "build with the CPython of python.org, whose wheels are tagged win_amd64 or win32; upload only the sdist"
    return None


def _mac_remedy(major: int, minor: int, machine: str, filename: str) -> str:
    """Tags of macOS from 11 on have whole versions only, and none between 15 and 26."""
    known = _MAC_MACHINES.get(machine, machine)
    if major < _FIRST_WITHOUT_MINOR:
        return f"rename the platform: {_rename(f'macosx_{major}_{minor}_{known}', filename)}"
    newest = min(major, _NEWEST_MAC)
    usable = newest if newest == _NEWEST_MAC or newest <= _LAST_NUMBERED else _LAST_NUMBERED
    remedy = f"set MACOSX_DEPLOYMENT_TARGET={usable}.0 for the build, or, if the wheel works on macOS {usable}.0, "
    return f"{remedy}write that tag: {_rename(f'macosx_{usable}_0_{known}', filename)}"


def _rename(platform: str, filename: str) -> str:
    return f"python -m wheel tags --remove --platform-tag {quote_word(platform)} {quote_word(filename)}"

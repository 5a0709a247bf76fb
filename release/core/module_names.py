"""The modules of a distribution, and the distributions that provide a module: by names alone."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterable, Iterator

from release.core.lazy_pattern import lazy_pattern

#: usually shipped by mistake; importing a setup.py would even run it
NOT_API = frozenset({
    "test", "tests", "testing", "doc", "docs", "example", "examples", "benchmarks", "scripts", "setup", "conftest",
})  # fmt: skip
#: for development: users do not install them, so they excuse nothing
_DEVELOPMENT = (
    r"(?i)(?:dev|devel|develop|development|tests?|testing|docs?|documentation|lint|linting|types?|typing|mypy|ci|qa|check"
    r"|checks|cov|coverage|build|release|format|style|pre-commit|tox|nox|maintainer|contrib|cover|quality|enabler|doctest"
    r"|benchmarks?|examples?)(?:[-_](?:all|dev|deps|tools|dependencies|requirements))*"
)
_SOURCE = lazy_pattern(r"\.(?:py|pyc|[\w.-]*so|[\w.-]*pyd)$")
#: modules that older Pythons had. Source: PEP 594, PEP 632, "What's New In Python 3.12"
REMOVED = frozenset({
    "aifc", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "crypt", "distutils", "imghdr", "imp",
    "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes", "smtpd", "sndhdr", "spwd", "sunau",
    "telnetlib", "uu", "xdrlib",
})  # fmt: skip
#: import name → the requirement that provides it, where the names differ. Observed: the files of each project's newest
#: release, 2026-11; setuptools 81 is the last one with pkg_resources, and installs a module distutils by its .pth file
_PROVIDERS = {
    "attr": "attrs", "bs4": "beautifulsoup4", "Crypto": "pycryptodome", "cv2": "opencv-python", "dateutil":
    "python-dateutil", "distutils": "setuptools", "docx": "python-docx", "dotenv": "python-dotenv", "fitz": "PyMuPDF",
    "git": "GitPython", "github": "PyGithub", "google.protobuf": "protobuf", "jose": "python-jose", "jwt": "PyJWT",
    "magic": "python-magic", "markdown": "Markdown", "multipart": "python-multipart",
    "MySQLdb": "mysqlclient", "nacl": "PyNaCl", "OpenSSL": "pyOpenSSL", "PIL": "Pillow",
    "pkg_resources": "setuptools<82", "psycopg2": "psycopg2-binary", "pptx": "python-pptx", "serial": "pyserial",
    "setuptools": "setuptools", "skimage": "scikit-image", "sklearn": "scikit-learn", "slugify": "python-slugify",
    "socks": "PySocks", "telegram": "python-telegram-bot", "usb": "pyusb", "win32api": "pywin32", "win32con": "pywin32",
    "wx": "wxPython", "yaml": "PyYAML", "zmq": "pyzmq", "ruamel.yaml": "ruamel.yaml", "gi": "PyGObject",
    "Xlib": "python-xlib", "lxml": "lxml", "numpy": "numpy", "pandas": "pandas", "pytest": "pytest",
    "requests": "requests",
}  # fmt: skip


def import_roots(names: Iterable[str]) -> tuple[str, ...]:
    """The top-level modules, dotted; of a namespace package, the topmost regular modules.

    `names` are the members of a wheel or the files of an installed distribution, with forward slashes.
    """
    paths = {parts for name in names if (parts := _parts(name))}
    return tuple(dict.fromkeys(_roots(paths, ())))


def console_scripts(entry_points: str, group: str = "console_scripts") -> dict[str, str]:
    """The scripts of a group and their targets, "package.module:function"; `entry_points`: of entry_points.txt."""
    import configparser

    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names are case-sensitive; a documented way
    try:
        parser.read_string(entry_points)
    except configparser.Error:
        return {}  # another check reports the broken file
    found = dict(parser.items(group)) if parser.has_section(group) else {}
    return {name: target.partition("[")[0].replace(" ", "") for name, target in found.items()}


def _parts(name: str) -> tuple[str, ...] | None:
    """The dotted parts of an importable module, from its path below site-packages; else None."""
    parts = name.split("/")
    if re.fullmatch(r".+\.data", parts[0]) and parts[1:2] in (["purelib"], ["platlib"]):
        parts = parts[2:]
    if not parts or not _SOURCE.search(parts[-1]) or "__pycache__" in parts:
        return None
    parts = [*parts[:-1], parts[-1].partition(".")[0]]
    good = all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    return tuple(parts) if good and parts[0] not in NOT_API and "__main__" not in parts else None


def _roots(paths: set[tuple[str, ...]], at: tuple[str, ...]) -> Iterator[str]:
    below = sorted(path for path in paths if path[: len(at)] == at)
    for child in sorted({path[: len(at) + 1] for path in below}):
        if child in paths or (*child, "__init__") in paths:
            yield ".".join(child)
        else:
            yield from _roots(paths, child)


def is_part_of(module: str, roots: Iterable[str]) -> bool:
    """Whether a module is one of these, is below one of them, or contains one."""
    return any(f"{module}.".startswith(f"{root}.") or f"{root}.".startswith(f"{module}.") for root in roots)


def in_standard_library(module: str) -> bool:
    """Whether a module is in the standard library of some Python, on some system."""
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or top in REMOVED


def provider_of(module: str) -> str | None:
    """The requirement that is known to provide a module; None where only its name could be guessed."""
    parts = module.split(".")
    return next((_PROVIDERS[at] for n in (2, 1) if (at := ".".join(parts[:n])) in _PROVIDERS), None)


# -- extras ------------------------------------------------------------------------------------------


def extras_by_requirement(requires: Iterable[str]) -> dict[str, list[str]]:
    """Extra → the names of the projects that it requires, from "Requires-Dist" lines."""
    found: dict[str, list[str]] = {}
    for line in requires:
        requirement, _, marker = line.partition(";")
        name = re.match(r"\s*([\w.-]+)", requirement)
        for extra in re.findall(r"\bextra\s*==\s*[\"']([^\"']+)", marker):
            found.setdefault(extra, []).extend([name[1]] if name else [])
    return found


def is_for_development(extra: str) -> bool:
    """Whether an extra is for those who work on the project, not for those who use it."""
    return re.fullmatch(_DEVELOPMENT, extra) is not None


def extras_with(module: str, requires: Iterable[str]) -> list[str]:
    """The extras that require the project of a module's name."""
    from packaging.utils import canonicalize_name

    parts = module.split(".")
    names: set[str] = {canonicalize_name("-".join(parts[:n])) for n in range(1, len(parts) + 1)}
    names |= (
        {f"python-{name}" for name in names} | {f"py{name}" for name in names} | {f"{name}-python" for name in names}
    )
    if known := provider_of(module):
        names.add(canonicalize_name(known.partition("<")[0]))
    by_extra = extras_by_requirement(requires)
    return [extra for extra, found in by_extra.items() if names & {canonicalize_name(one) for one in found}]


def rank_extras(modules: Iterable[str], output: str, requires: Iterable[str]) -> list[str]:
    """The extras for users, those first that are likely to provide one of the missing modules.

    An extra that the output names, as in "pip install acme[cli]", comes before those that only remain.
    """
    requires = tuple(requires)
    extras = [extra for extra in extras_by_requirement(requires) if not is_for_development(extra)]
    likely = [extra for module in modules for extra in extras_with(module, requires)]
    named = [extra for extra in extras if re.search(rf"\[[\w, -]*\b{re.escape(extra)}\b[\w, -]*\]", output)]
    return [extra for extra in dict.fromkeys([*likely, *named, *extras]) if extra in extras]

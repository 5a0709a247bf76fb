"""What the source of a project has, as far as it is compared with the built files."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

#: the command that checks out every submodule, also those in submodules
CHECK_OUT_SUBMODULES = "git submodule update --init --recursive"


class Submodule(Struct, frozen=True, kw_only=True):
    """A submodule of the repository that holds the project."""

    #: relative to the repository
    path: str
    #: whether its directory has files
    checked_out: bool
    #: why the project's files include it, as after "because": "it is in the package 'acme'"; None if they may not
    used_because: str | None = None
    #: whether .gitmodules has its URL
    named: bool = True


class BackendSettings(Struct, frozen=True, kw_only=True):
    """The build backend of a project, and what its configuration declares and leaves out."""

    #: the project that provides it: "setuptools", "hatchling", …; empty if it is none of those known here
    name: str = ""
    #: the file with its settings: "pyproject.toml", "setup.cfg" or "setup.py"
    file: str = "pyproject.toml"
    #: whether setuptools gets a list of packages, and does not search for them
    lists_packages: bool = False
    #: patterns of paths that the configuration leaves out; one of packages starts with "package:"
    excluded: tuple[str, ...] = ()
    #: patterns of paths that it leaves out of the sdist only
    excluded_from_sdist: tuple[str, ...] = ()
    #: setting, pattern of paths relative to a package (its dotted name, "*" for all) or to the project (empty name)
    declared: tuple[tuple[str, str, str], ...] = ()


class DeclaredFile(Struct, frozen=True, kw_only=True):
    """A file on this machine that the configuration declares, but that git does not track."""

    #: relative to the project
    path: str
    #: "package-data in pyproject.toml", "MANIFEST.in", …
    setting: str


class SourceTree(Struct, frozen=True, kw_only=True):
    """The files of a project in its repository, relative to the project's directory."""

    #: what git tracks, in submodules too
    tracked: frozenset[str]
    #: what git neither tracks nor ignores
    untracked: frozenset[str] = frozenset()
    backend: BackendSettings = BackendSettings()
    #: declared, but not tracked
    declared: tuple[DeclaredFile, ...] = ()
    #: top-level modules of the other projects of the repository, dotted → the project; empty where nothing asked for it
    siblings: Mapping[str, str] = field(default_factory=dict)

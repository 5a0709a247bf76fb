"""What a distribution gives its users: modules and data files, by names that two releases share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from release.core.models.check_result import NotApplicable
from release.core.models.distribution import InspectedFile

# Patterns are compiled when they are first used: every inspection imports this module, and few compare releases.

#: suffixes of modules: sources, and compiled ones with or without the tag of an interpreter
_MODULE = r"(?P<name>[^/.]+)(?:\.py|(?:\.[\w-]+)?\.(?:so|pyd))$"
#: what the previous release is where the index was asked and has none before this one
NO_EARLIER_RELEASE = NotApplicable(reason="the index has no release to compare with")
#: what no user misses: tests, documentation, examples, vendored and private code, bundled libraries
_UNNOTICED = (
    r"(?i)(?:.*/)?(?:tests?|docs?|examples?|benchmarks?|vendor(?:ed)?|extern|externals|node_modules|third_party|[^/]+\.libs|"
    r"\.[^/]+|_(?!_init__\.|_main__\.)[^/]*)(?:/.*)?|(?:.*/)?(?:test_[^/]*|[^/]*_test\.py|conftest\.py|[^/]*__mypyc[^/]*)"
)
#: files that are renamed, moved or built anew without anybody's loss
_UNIMPORTANT = (
    r"(?i)(?:.*/)?(?:licen[cs]es?|copying|notice|authors|readme|changelog|changes|history|news|thanks|contributing)(?:[.\-_/].*)?|"
    r".*\.(?:map|pyc|pyo|c|cc|cpp|cxx|pyx|rs|orig|md|rst)"
)
#: a name with a digest in it, as bundlers of JavaScript give: `main.3f2a9c1e.js`, `index-BQ2tXz8_.css`
_HASHED = r"[.\-_~](?=[^/]*\d)[0-9A-Za-z_\-]{8,}\.(?:chunk\.|min\.)?[\w]+(?:\.\w+)?$|(?:^|/)[0-9a-f]{8,}\."


class ReleaseContents(Struct, frozen=True, kw_only=True):
    """The modules and data files of one distribution."""

    #: dotted name → path; public modules only
    modules: Mapping[str, str]
    #: path → bytes
    data: Mapping[str, int]
    #: every path
    paths: frozenset[str]

    @property
    def basenames(self) -> frozenset[str]:
        return frozenset(path.rpartition("/")[2] for path in self.paths)


def release_contents(file: InspectedFile) -> ReleaseContents:
    """The contents of a wheel or an sdist. What stands below a directory that has the version in its name is moved."""
    members = dict(map(_common, _members(file)))
    modules, data = {}, {}
    for path, size in members.items():
        if re.fullmatch(_UNNOTICED, path):
            continue
        if found := re.search(_MODULE, path):
            directory = path[: found.start()].rstrip("/").replace("/", ".")
            names = [one for one in (directory, found["name"]) if one and one != "__init__"]
            modules[".".join(names)] = path
        elif not re.fullmatch(_UNIMPORTANT, path) and not re.search(_HASHED, path):
            data[path] = size
    return ReleaseContents(modules=modules, data=data, paths=frozenset(members))


def _members(file: InspectedFile) -> Iterable[tuple[str, int]]:
    """Path and bytes, without the metadata. Of an sdist, only what stands below a package counts."""
    if file.is_wheel:
        return [(path, size) for path, size in file.members if not re.search(r"^[^/]+\.dist-info(?:/|$)", path)]
    inside = [(re.sub(r"^[^/]+/(?:src/|lib/|python/)?", "", path), size) for path, size in file.members]
    packages = {path.partition("/")[0] for path, _ in inside if re.fullmatch(r"[^/]+/__init__\.py", path)}
    return [(path, size) for path, size in inside if path.partition("/")[0] in packages]


def _common(member: tuple[str, int]) -> tuple[str, int]:
    """`acme-1.0.data/purelib/acme/x.py` is `acme/x.py`; `acme-1.0.data/scripts/x` keeps its scheme. PEP 427."""
    path, size = member
    path = re.sub(r"^[^/]+\.data/(?:purelib|platlib)/", "", path)
    return re.sub(r"^[^/]+\.data/", "*.data/", path), size

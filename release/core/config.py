"""The configuration in `[tool.release]`. Every key is optional."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from release.core import tables
from release.core.errors import ConfigError
from release.core.models.index import WELL_KNOWN, Index, host_of, is_loopback
from release.core.models.token_health import TokenPolicy
from release.core.similar_words import did_you_mean
from release.core.tables import KeyPath, Reader

if TYPE_CHECKING:
    from release.core.models.release_set import SetSettings


class SmokeTestSettings(Struct, frozen=True, kw_only=True):
    """The smoke tests of the installed wheel. None: the default list, derived from the wheel itself."""

    imports: tuple[str, ...] | None = None
    #: command lines, split as a POSIX shell splits words; no shell runs them
    commands: tuple[str, ...] | None = None


class UploadSettings(Struct, frozen=True, kw_only=True):
    """Parallelism and retries of uploads: `[tool.release.upload]`."""

    #: number of files that are uploaded at the same time, after the first one
    concurrency: int = 4
    #: maximum number of attempts per file
    attempts: int = 5
    #: seconds from a file's first unclear response until no further attempt starts
    deadline: float = 900
    #: seconds; the longest Retry-After that is followed
    longest_wait: float = 300
    #: seconds; the upper bound of the first random pause, which doubles with each one
    pause: float = 1
    #: seconds; the maximum of that bound
    longest_pause: float = 60
    #: seconds until an index must list uploaded files; None: the default for its kind
    visible_within: float | None = None

    def back_off(self, times: int, chance: float) -> float:
        """The pause after this many failures (at least 1): exponential, with full jitter; `chance` is in [0, 1)."""
        return chance * min(self.longest_pause, self.pause * 2.0 ** min(times - 1, 30))


#: the index of a dry run
DryRunIndex = Literal["testpypi", "sandbox", "none"]
DRY_RUN_INDEXES: tuple[DryRunIndex, ...] = get_args(DryRunIndex)


class Config(Struct, frozen=True, kw_only=True):
    """The validated table, with defaults."""

    #: the only branch to release from; None: any
    branch: str | None = None
    #: patterns of branches that release earlier series, such as "1.x" or "release/*"
    maintenance_branches: tuple[str, ...] = ()
    #: the release tag; `{version}` and `{name}` are filled in; None: like the tags that are there
    tag_format: str | None = None
    #: a file that must mention the version, relative to the project; None: not checked
    changelog: str | None = None
    #: name → index; `pypi` and `testpypi` always exist
    indexes: Mapping[str, Index] = field(default_factory=lambda: dict(WELL_KNOWN))
    smoke: SmokeTestSettings = SmokeTestSettings()
    #: check name → the reason why its failure is accepted
    waive: Mapping[str, str] = field(default_factory=dict)
    #: names of checks whose warnings stop the run
    block: frozenset[str] = frozenset()
    #: whether the files are built twice and compared
    reproducible: bool = False
    #: whether the wheel is also built from the tree and compared with the one from the sdist
    wheel_from_tree: bool = False
    #: whether uploads use a copy of the token that is limited to this project and half an hour
    attenuate: bool = True
    #: whether files for PyPI get attestations: "auto" if possible, "must" or fail, "never"
    attest: Literal["auto", "must", "never"] = "auto"
    #: whether the identity of a CI job is exchanged before the build, which proves its trusted publisher: "auto" in
    #: runs and in `verify --exchange`; "always" in `verify` too; "never" before the upload
    exchange: Literal["auto", "always", "never"] = "auto"
    #: the file that the requirements of the build are held to, relative to the project; None: none
    build_constraints: str | None = None
    #: whether a build from requirements that it does not pin with a hash is refused; None: as the root of the set
    require_pinned_build: bool | None = None
    #: patterns of the files that a release must have: of the tags of wheels, and "sdist"; empty: not checked
    expected: tuple[str, ...] = ()
    #: where the same files must have passed before they are uploaded to PyPI: "testpypi", "sandbox", "none"; None:
    #: TestPyPI for files that are built here, and nowhere for files that were built elsewhere
    dry_run_on: DryRunIndex | None = None
    #: variables that builds, smoke tests and other code of the project get, though they may be secrets: names, or
    #: beginnings with `*`
    pass_environment: tuple[str, ...] = ()
    #: whether the release tag is pushed once the release is confirmed
    push_tag: bool = True
    #: whether a release with the files is then created on GitHub
    github_release: bool = False
    upload: UploadSettings = field(default_factory=UploadSettings)
    #: `[tool.release.fleet]`, not validated: an error in it must not stop a release
    fleet: Mapping[str, Any] = field(default_factory=dict)
    #: `[tool.release.set]`: the projects that are released together from here; None without that table
    release_set: SetSettings | None = None

    def index(self, name: str) -> Index:
        """The index called `name`. Raises `ConfigError` if there is none."""
        if name in self.indexes:
            return self.indexes[name]
        # a URL is not a key of a table
        key = name if re.fullmatch(r"[\w-]+", name, re.ASCII) else "NAME"
        raise ConfigError(
            f"no index is called {name!r}{did_you_mean(name, self.indexes)}",
            remedy=f"use one of {', '.join(sorted(self.indexes))}, or add a table [tool.release.indexes.{key}]",
        )

    @property
    def pinned_build(self) -> tuple[str | None, bool] | None:
        """`build-constraints` and `require-pinned-build`; None if neither is set."""
        wanted = self.build_constraints, bool(self.require_pinned_build)
        return wanted if any(wanted) else None

    @property
    def warn_before(self) -> timedelta:
        """How long before its expiration a token is reported; the default where the fleet's value has an error."""
        try:
            return tables.duration(self.fleet["warn-before"], _AT / "fleet" / "warn-before")
        except (KeyError, ConfigError):
            return TokenPolicy().warn_before


#: where `[tool.release]` stands
_AT = KeyPath(file="pyproject.toml", path="tool.release")


#: returns the names of all checks; it is called where a file names checks, which most files do not
CheckNames = Callable[[], Collection[str]]


def parse_config(data: Mapping[str, Any], check_names: CheckNames | None = None) -> Config:
    """A `Config` from the `[tool.release]` table. Raises `ConfigError`, which names the key.

    Without `check_names`, any name of a check is accepted.
    """
    read = tables.read_table(data, _AT, _READERS)
    if check_names is not None:
        for key in ("waive", "checks"):
            require_checks(read.get(key, {}), _AT / key, check_names)
    if "checks" in read:
        levels = read.pop("checks")
        read["block"] = frozenset(name for name, level in levels.items() if level == "block")
    if "set" in read:
        read["release_set"] = read.pop("set")
    return Config(**read)


def read_indexes(value: Any, at: KeyPath) -> dict[str, Index]:
    """The indexes that a file declares, and the well-known ones."""
    declared = tables.table(value, at)
    for name in declared:
        if not name.isprintable():  # it stands in lines, in commands and in names of sections
            raise ConfigError(f"{at}: the name {name!r} has control characters", remedy=f"rename it in {at.file}")
    return WELL_KNOWN | {name: _index(name, one, at / name) for name, one in declared.items()}


def read_waivers(value: Any, at: KeyPath) -> dict[str, str]:
    """Names of checks, each with the reason why its failure is accepted."""
    return tables.read_mapping(value, at, _reason)


def require_checks(named: Collection[str], at: KeyPath, check_names: CheckNames) -> None:
    """Raise `ConfigError` for a name that no check has: what it was to accept or to block would stay as it is."""
    known = check_names() if named else ()
    for name in named:
        if name not in known:
            raise ConfigError(
                f"{at}: no check is called {name!r}{did_you_mean(name, known)}",
                remedy=f"correct the name in {at.file}; all names: pypi-preflight explain --checks",
            )


def _index(name: str, value: Any, at: KeyPath) -> Index:
    default = WELL_KNOWN.get(name)
    read = tables.read_table(value, at, _INDEX, () if default else ("upload-url", "simple-url"))
    return replace(default, **read) if default else Index(name=name, **{"kind": "other"} | read)


def parse_index_url(value: Any, at: KeyPath) -> str:
    """An address of an index, with a slash at its end. Raises `ConfigError`, also where it would expose a password."""
    try:
        parts = urlsplit(tables.string(value, at))
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise at.wrong("a URL", value) from None
    if parts.username or parts.password:
        raise ConfigError(
            f"{at} contains a user name or password",
            remedy="remove it from the URL; see: pypi-preflight explain cred.missing",
        )
    if parts.scheme not in {"http", "https"} or not host:
        raise at.wrong("an http(s) URL", value)
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(
            f"{at} is plain http: {value!r}",
            remedy="use https; http is accepted for loopback addresses only, because it would expose the token",
        )
    return f"{value.removesuffix('/')}/"


def _stages_url(value: Any, at: KeyPath) -> str:
    url = parse_index_url(value, at)
    if is_loopback(host_of(url)):
        return url
    raise ConfigError(
        f"{at} is not on this machine: {value!r}",
        remedy="remove it; only the sandbox has staged releases so far: pypi-preflight sandbox --staged",
    )


def _tag_format(value: Any, at: KeyPath) -> str:
    text = tables.string(value, at)
    try:
        example = text.format(name="name", version="1.0")
    except (KeyError, IndexError, ValueError, AttributeError):
        example = ""
    if "1.0" not in example or text.format(name="", version="") == example:
        raise at.wrong("a string with {version}, and optionally {name}", value)
    return text


def _attest(value: Any, at: KeyPath) -> Literal["auto", "must", "never"]:
    match value:
        case True:
            return "must"
        case False:
            return "never"
        case "auto":
            return "auto"
        case _:
            raise at.wrong('true, false or "auto"', value)


def read_pass_environment(value: Any, at: KeyPath) -> tuple[str, ...]:
    """Names of variables, or beginnings of names with `*`. Raises `ConfigError`, also for an upload credential."""
    from release.core.child_environment import can_publish

    names = tables.strings(value, at)
    for name in names:
        if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*\*?|\*", name) is None:
            raise at.wrong("a list of names of variables, such as HF_TOKEN or ACME_*", name)
        if credential := can_publish(name):
            what = f"{name!r}" if name == credential else f"{name!r}, which includes {credential},"
            raise ConfigError(
                f"{at}: {what} is an upload credential, which no build, test or hook needs",
                remedy=f"remove {name!r} from {at}; name each variable that the project's own code needs",
            )
    return names


def _set(value: Any, at: KeyPath) -> SetSettings:
    from release.core.set_settings import read_set_settings

    return read_set_settings(value, at)


def _reason(value: Any, at: KeyPath) -> str:
    if isinstance(value, str) and value.strip():
        return " ".join(value.split())
    raise at.wrong("the reason, as a string", value)


_SECONDS = tables.number(0, 86_400, unit="seconds,")
_UPLOAD: Mapping[str, Reader] = {
    "concurrency": tables.number(1, 16, whole=True),
    "attempts": tables.number(1, 100, whole=True),
    "deadline": _SECONDS,
    "longest-wait": _SECONDS,
    "visible-within": _SECONDS,
}
_SMOKE: Mapping[str, Reader] = {"imports": tables.strings, "commands": tables.strings}
_INDEX: Mapping[str, Reader] = {
    "upload-url": parse_index_url,
    "simple-url": parse_index_url,
    "stages-url": _stages_url,
    "kind": tables.one_of("warehouse", "other"),
}
_READERS: Mapping[str, Reader] = {
    "branch": tables.string,
    "maintenance-branches": tables.strings,
    "tag-format": _tag_format,
    "changelog": tables.string,
    "indexes": read_indexes,
    "smoke": lambda value, at: SmokeTestSettings(**tables.read_table(value, at, _SMOKE)),
    "waive": read_waivers,
    "checks": lambda value, at: tables.read_mapping(value, at, tables.one_of("block", "warn")),
    "attenuate": tables.boolean,
    "reproducible": tables.boolean,
    "wheel-from-tree": tables.boolean,
    "build-constraints": tables.string,
    "require-pinned-build": tables.boolean,
    "upload": lambda value, at: UploadSettings(**tables.read_table(value, at, _UPLOAD)),
    "attest": _attest,
    "exchange": tables.one_of("auto", "always", "never"),
    "fleet": tables.table,
    "set": _set,
    "expected": tables.strings,
    "dry-run-on": tables.one_of(*DRY_RUN_INDEXES),
    "pass-environment": read_pass_environment,
    "push-tag": tables.boolean,
    "github-release": tables.boolean,
}

"""[tool.release]: what the maintainer wants. Every key is optional."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from release.core.errors import ConfigError
from release.core.models.index import WELL_KNOWN, Index, is_loopback
from release.core.models.upload_settings import UploadSettings
from release.core.toml_tables import did_you_mean as _did_you_mean
from release.core.toml_tables import known as _known
from release.core.toml_tables import subtable as _table
from release.core.toml_tables import switch as _switch
from release.core.toml_tables import text as _text
from release.core.toml_tables import wrong as _wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTestSettings:
    """What is tried on the installed wheel. None: the default list, made from the wheel itself."""

    imports: tuple[str, ...] | None = None
    #: command lines, split as a POSIX shell splits words; no shell runs them
    commands: tuple[str, ...] | None = None


#: a dry run's index
DryRunIndex = Literal["testpypi", "sandbox", "none"]
DRY_RUN_INDEXES: tuple[DryRunIndex, ...] = get_args(DryRunIndex)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The validated table, defaults filled in."""

    #: the only branch that may be released from; None: any
    branch: str | None = None
    #: the release tag; `{version}` and `{name}` are filled in
    tag_format: str = "v{version}"
    #: a file that must mention the version, relative to the project; None: not looked at
    changelog: str | None = None
    #: name → index; `pypi` and `testpypi` are always there
    indexes: Mapping[str, Index] = field(default_factory=lambda: dict(WELL_KNOWN))
    smoke: SmokeTestSettings = SmokeTestSettings()
    #: check name → the reason why its failure is accepted
    waive: Mapping[str, str] = field(default_factory=dict)
    #: names of checks whose warnings stop the run
    block: frozenset[str] = frozenset()
    #: whether the files are built twice and compared
    reproducible: bool = False
    #: whether the wheel is built from the tree too, and compared with the one from the sdist
    wheel_from_tree: bool = False
    #: whether uploads go with a copy of the token that is for this project and half an hour alone
    attenuate: bool = True
    #: whether files get attestations on their way to PyPI: "auto" where they can, "must" or not at all, "never"
    attest: Literal["auto", "must", "never"] = "auto"
    #: where the very files must have passed before PyPI gets them: "testpypi", "sandbox", "none"; None: TestPyPI
    #: for what is built here, and nothing for files that were built elsewhere
    proving: DryRunIndex | None = None
    #: whether the release tag is pushed once the release is confirmed
    push_tag: bool = True
    #: whether a release with the files is made on GitHub then
    github_release: bool = False
    #: how hard uploads try
    upload: UploadSettings = field(default_factory=UploadSettings)
    #: [tool.release.fleet] as it stands, for `release.token_health.fleet.parse`: a mistake in it stops no release
    fleet: Mapping[str, Any] = field(default_factory=dict)

    def index(self, name: str) -> Index:
        """The index called `name`. Raises `ConfigError` where there is none."""
        if name in self.indexes:
            return self.indexes[name]
        raise ConfigError(
            f"no index is called {name!r}{_did_you_mean(name, self.indexes)}",
            remedy=f"use one of {', '.join(sorted(self.indexes))}, or add a table [tool.release.indexes.{name}]",
        )

    def tag(self, name: str, version: str) -> str:
        return self.tag_format.format(name=name, version=version)


_KEYS = (
    "branch", "tag-format", "changelog", "indexes", "smoke", "waive", "checks", "attenuate", "reproducible",
    "wheel-from-tree", "upload", "attest", "fleet", "dry-run-on", "push-tag", "github-release",
)  # fmt: skip
_INDEX_KEYS = ("upload-url", "simple-url", "kind")
_SMOKE_KEYS = ("imports", "commands")
#: key → its smallest and its largest value; what is counted is whole, what is in seconds need not be
_UPLOAD_COUNTS = {"concurrency": (1, 16), "attempts": (1, 100)}
_UPLOAD_SECONDS = {"deadline": (0, 86_400), "longest-wait": (0, 86_400), "visible-within": (0, 86_400)}


def parse_config(table: Mapping[str, Any]) -> Config:
    """A `Config` from the `[tool.release]` table. Raises `ConfigError`, which names the key."""
    _known(table, _KEYS, "tool.release")
    return Config(
        branch=_text(table, "branch", "tool.release"),
        tag_format=_tag_format(_text(table, "tag-format", "tool.release") or "v{version}"),
        changelog=_text(table, "changelog", "tool.release"),
        indexes=dict(WELL_KNOWN) | {n: _index(n, t) for n, t in _table(table, "indexes", "tool.release").items()},
        smoke=_smoke(_table(table, "smoke", "tool.release")),
        waive=_waive(_table(table, "waive", "tool.release")),
        block=_block(_table(table, "checks", "tool.release")),
        attenuate=_switch(table, "attenuate", "tool.release", default=True),
        attest=_attest(table.get("attest", "auto")),
        proving=_proving(table),
        push_tag=_switch(table, "push-tag", "tool.release", default=True),
        github_release=_switch(table, "github-release", "tool.release", default=False),
        upload=_upload(_table(table, "upload", "tool.release")),
        fleet=_table(table, "fleet", "tool.release"),
        reproducible=_switch(table, "reproducible", "tool.release", default=False),
        wheel_from_tree=_switch(table, "wheel-from-tree", "tool.release", default=False),
    )


def _index(name: str, table: Any) -> Index:
    where = f"tool.release.indexes.{name}"
    if not isinstance(table, dict):
        raise _wrong(where, "a table", table)
    _known(table, _INDEX_KEYS, where)
    default = WELL_KNOWN.get(name)
    urls = {}
    for key in ("upload-url", "simple-url"):
        value = _text(table, key, where) or (default and getattr(default, key.replace("-", "_")))
        if not value:
            raise ConfigError(f"{where}.{key} is missing", remedy=f'add {key} = "https://…" to [{where}]')
        urls[key] = _url(value, f"{where}.{key}")
    return Index(
        name=name, upload_url=urls["upload-url"], simple_url=urls["simple-url"], kind=_kind(table, where, default)
    )


def _kind(table: Mapping[str, Any], where: str, default: Index | None) -> Literal["warehouse", "other"]:
    match table.get("kind", default.kind if default else "other"):
        case "warehouse":
            return "warehouse"
        case "other":
            return "other"
        case value:
            raise _wrong(f"{where}.kind", '"warehouse" or "other"', value)


def _url(value: str, where: str) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong(where, "a URL", value) from None
    if parts.username or parts.password:
        raise ConfigError(
            f"{where} holds a user name or password",
            remedy="take it out of the URL; see `release explain cred.missing`",
        )
    if parts.scheme not in {"http", "https"} or not host:
        raise _wrong(where, "an http(s) URL", value)
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(
            f"{where} is plain http: {value!r}",
            remedy="use https; http is accepted for this machine alone, since it would show the token to the network",
        )
    return value if value.endswith("/") else value + "/"


def _tag_format(value: str) -> str:
    try:
        shown = value.format(name="name", version="1.0")
    except (KeyError, IndexError, ValueError, AttributeError):
        shown = ""
    if "1.0" not in shown or value.format(name="", version="") == shown:
        raise _wrong("tool.release.tag-format", "a text with {version}, and {name} if wanted", value)
    return value


def _attest(value: object) -> Literal["auto", "must", "never"]:
    match value:
        case True:
            return "must"
        case False:
            return "never"
        case "auto":
            return "auto"
        case _:
            raise _wrong("tool.release.attest", 'true, false or "auto"', value)


def _proving(table: Mapping[str, Any]) -> DryRunIndex | None:
    value = _text(table, "dry-run-on", "tool.release")
    found = next((one for one in DRY_RUN_INDEXES if one == value), None)
    if value is not None and found is None:
        raise _wrong("tool.release.dry-run-on", f"one of {', '.join(map(repr, DRY_RUN_INDEXES))}", value)
    return found


def _smoke(table: Mapping[str, Any]) -> SmokeTestSettings:
    _known(table, _SMOKE_KEYS, "tool.release.smoke")
    return SmokeTestSettings(imports=_texts(table, "imports"), commands=_texts(table, "commands"))


def _upload(table: Mapping[str, Any]) -> UploadSettings:
    where = "tool.release.upload"
    _known(table, (*_UPLOAD_COUNTS, *_UPLOAD_SECONDS), where)
    values: dict[str, Any] = {}
    for key, value in table.items():
        least, most = (_UPLOAD_COUNTS | _UPLOAD_SECONDS)[key]
        kinds, word = ((int,), "a number") if key in _UPLOAD_COUNTS else ((int, float), "seconds,")
        if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
            raise _wrong(f"{where}.{key}", f"{word} from {least} to {most}", value)
        values[key.replace("-", "_")] = value
    return UploadSettings(**values)


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise _wrong(f"tool.release.smoke.{key}", "a list of texts", value)
    return tuple(value)


def _waive(table: Mapping[str, Any]) -> dict[str, str]:
    for name, reason in table.items():
        if not isinstance(reason, str) or not reason.strip():
            raise _wrong(f"tool.release.waive.{name}", "the reason, as text", reason)
    return dict(table)


def _block(table: Mapping[str, Any]) -> frozenset[str]:
    for name, value in table.items():
        if value not in {"block", "warn"}:
            raise _wrong(f"tool.release.checks.{name}", '"block" or "warn"', value)
    return frozenset(name for name, value in table.items() if value == "block")

"""The inputs of the GitHub action and of the GitLab component: from variables of a job to a command of this program.

Their names and defaults are those that users of the publishing action know. Source: pypa/gh-action-pypi-publish,
`action.yml` at v1.14.2. Both services pass each input as a variable, `packages-dir` as INPUT_PACKAGES_DIR. The
password is none of them: it stays in the environment, where twine reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import fields, replace

from release.core.config import parse_index_url
from release.core.errors import UsageError, os_error_reason
from release.core.models.index import well_known
from release.core.similar_words import did_you_mean
from release.core.tables import KeyPath

if TYPE_CHECKING:
    from release.core.models.index import Index

_PREFIX = "INPUT_"
#: command → the inputs that mean something for it, besides those of all commands
COMMANDS: Mapping[str, frozenset[str]] = {
    "publish": frozenset({"index", "files", "yes", "dry-run-on", "new-project", "require-complete"}),
    "testpypi": frozenset({"index", "files", "yes", "new-project", "require-complete"}),
    "release": frozenset({"index", "yes", "dry-run-on", "new-project"}),
    "check": frozenset({"index", "new-project"}),
    "verify": frozenset({"index"}),
    "inspect": frozenset({"index", "files"}),
    "build": frozenset(),
    "rehearse": frozenset(),
}
_WORDS = {"": None, "true": True, "yes": True, "on": True, "1": True,
          "false": False, "no": False, "off": False, "0": False}  # fmt: skip
_ENDINGS = (".whl", ".tar.gz", ".zip")


class JobInputs(Struct, frozen=True, kw_only=True):
    """The inputs, each named as in the action, with underscores. An empty text stands for an input that is not set."""

    command: str = "publish"
    directory: str = "."
    packages_dir: str = "dist"
    repository_url: str = ""
    simple_url: str = ""
    dry_run_on: str = ""
    require_complete: str = ""
    new_project: str = ""
    attestations: bool = True
    skip_existing: bool = False
    verify_metadata: bool = True
    print_hash: bool = False
    verbose: bool = False


def take_inputs(env: MutableMapping[str, str]) -> JobInputs:
    """The inputs in the variables INPUT_…, which are removed. Raises `ReleaseError` for one that is not valid.

    A password becomes TWINE_PASSWORD, with the username next to it, and the variables that it came from are removed: no
    other program is to have it. An empty one leaves the variables of the job alone.
    """
    given = {name: env.pop(name) for name in tuple(env) if name.startswith(_PREFIX)}
    user, password = given.pop("INPUT_USER", ""), given.pop("INPUT_PASSWORD", "")
    if password:
        for name in [name for name, value in env.items() if value == password]:
            del env[name]
        env["TWINE_USERNAME"], env["TWINE_PASSWORD"] = user or "__token__", password
    elif user not in {"", "__token__"}:
        env["TWINE_USERNAME"] = user
    found: dict[str, Any] = {}
    for field in fields(JobInputs):
        text = given.get(_PREFIX + field.name.upper(), "").strip()
        value = _read_switch(field.name, text) if isinstance(field.default, bool) else text or None
        if value is not None:
            found[field.name] = value
    inputs = JobInputs(**found)
    _require_fitting(inputs)
    return inputs


def _read_switch(name: str, text: str) -> bool | None:
    if text.lower() not in _WORDS:
        raise UsageError(f"{_title(name)} is {text!r}", remedy=f"set {_title(name)} to true or false")
    return _WORDS[text.lower()]


def _require_fitting(inputs: JobInputs) -> None:
    """Raise `UsageError` for an unknown command, and for an input that it does not have: it would be ignored.

    Raises `ConfigError` for an address that is not valid.
    """
    if inputs.command not in COMMANDS:
        raise UsageError(
            f"command is {inputs.command!r}{did_you_mean(inputs.command, COMMANDS)}",
            remedy=f"set it to one of {', '.join(COMMANDS)}",
        )
    needed = {
        "repository_url": "index", "dry_run_on": "dry-run-on", "require_complete": "require-complete",
        "new_project": "new-project",
    }  # fmt: skip
    for name, option in needed.items():
        if getattr(inputs, name) and option not in COMMANDS[inputs.command]:
            raise UsageError(f"{inputs.command!r} has no {_title(name)}", remedy=f"remove the input {_title(name)}")
    for name in ("repository_url", "simple_url"):
        if value := getattr(inputs, name):
            parse_index_url(value, KeyPath(file="the inputs of the job", path=_title(name)))
    if inputs.simple_url and not inputs.repository_url:
        raise UsageError("simple-url is set without repository-url", remedy="set both, or remove simple-url")


def _title(field: str) -> str:
    return field.replace("_", "-")


def find_target(inputs: JobInputs, indexes: Mapping[str, Index]) -> str | None:
    """The name of the index at `repository-url`; None without that input, which leaves the choice to the command.

    An address that is neither configured nor PyPI's nor TestPyPI's has its host name as the name of its index.
    """
    url = inputs.repository_url
    if not url:
        return None
    configured = next((name for name, one in indexes.items() if one.upload_url == f"{url.removesuffix('/')}/"), None)
    known = well_known(url)
    return configured or (known.name if known else urlsplit(url).netloc)


def adapted_table(inputs: JobInputs, table: Mapping[str, Any], target: str | None) -> dict[str, Any] | None:
    """`[tool.release]` with what the inputs change; None where they change nothing.

    `table` is the project's own; `target` the name of an index that is in neither it nor the defaults, if there is one.
    """
    changed: dict[str, Any] = {}
    if not inputs.attestations:
        changed["attest"] = False
    if target is not None:
        url = inputs.repository_url
        index = {"upload-url": url, "simple-url": inputs.simple_url or guess_simple_url(url)}
        changed["indexes"] = {**table.get("indexes", {}), target: index}
    return {**table, **changed} if changed else None


def guess_simple_url(upload_url: str) -> str:
    """The address that installers use, by the usual shape: `legacy` or `upload` becomes `simple`, or it is added.

    Sources: the documentation of PyPI and TestPyPI, Azure Artifacts (`upload`), pypiserver, GitLab, Gitea, Nexus,
    Artifactory, CodeArtifact and Google Artifact Registry (`simple/` below the address for uploads).
    """
    url = upload_url.removesuffix("/")
    for ending in ("/legacy", "/upload"):
        url = url.removesuffix(ending)
    return f"{url}/simple/"


def rehearsal_words(inputs: JobInputs, *, config: Path | None) -> list[str] | None:
    """The command that makes the dry run, where that is on the sandbox: it is gone with the job; None otherwise."""
    if inputs.dry_run_on != "sandbox" or "files" not in COMMANDS[inputs.command]:
        return None
    made = replace(inputs, command="rehearse", dry_run_on="", new_project="", repository_url="")
    return [*command_words(made, index=None, config=config), "--files", inputs.packages_dir]


def command_words(inputs: JobInputs, *, index: str | None, config: Path | None) -> list[str]:
    """The command line, without the name of the program. Raises `UsageError` where there is no file to inspect."""
    command = inputs.command
    if (command, index, inputs.dry_run_on) == ("publish", "testpypi", ""):
        command, index = "testpypi", None  # a dry run by its nature, which may create the project
    options = COMMANDS[command]
    words = [command]
    words += ["--directory", inputs.directory] if inputs.directory != "." else []
    words += ["--config", str(config)] if config else []
    words += ["--verbose"] if inputs.verbose else []
    words += ["--exchange"] if command == "verify" else []  # which proves the publisher; a token is verified as ever
    words += ["--yes"] if "yes" in options else []
    words += ["--index", index] if index else []
    for option in ("dry-run-on", "new-project", "require-complete"):
        value = getattr(inputs, option.replace("-", "_"))
        words += [f"--{option}", value] if value else []
    if command == "inspect":
        return [*words, *map(str, list_distributions(inputs.packages_dir))]
    return [*words, "--files", inputs.packages_dir] if "files" in options else words


def list_distributions(directory: str) -> list[Path]:
    """The wheels and sdists in a directory, sorted. Raises `UsageError` where there is none."""
    try:
        found = sorted(one for one in Path(directory).iterdir() if one.name.endswith(_ENDINGS))
    except OSError as error:
        reason = os_error_reason(error)
        raise UsageError(f"cannot read {directory!r}: {reason}", remedy=_DOWNLOAD) from None
    if not found:
        raise UsageError(f"{directory!r} has no wheel or sdist", remedy=_DOWNLOAD)
    return found


_DOWNLOAD = "build the files, or download them as an artifact, in an earlier step; set packages-dir to their directory"


def notes_on(inputs: JobInputs, target: str | None, *, password: bool) -> Iterator[str]:
    """What an input of the publishing action means here, where that differs; `target` as in `adapted_table`.

    `password`: whether the environment has one.
    """
    if not password and "index" in COMMANDS[inputs.command]:
        yield "no password, or its secret is empty: trusted publishing is used unless the job configures another one"
    if inputs.skip_existing:
        yield (
            "skip-existing: files that the index has already are always skipped, by SHA-256; a file of the same name "
            "with other contents is refused"
        )
    if not inputs.verify_metadata:
        yield "verify-metadata: the files are always checked before anything is uploaded; false changes nothing"
    if target is not None and not inputs.simple_url:
        simple = guess_simple_url(inputs.repository_url)
        yield f"the release is confirmed at {simple}; if {target} has another address for installers, set simple-url"


def hash_lines(paths: Sequence[Path]) -> Iterator[str]:
    """SHA-256, MD5 and BLAKE2b-256 of each file, in hex digits, as the publishing action names them."""
    for path in paths:
        data = path.read_bytes()
        yield path.name
        yield f"  SHA256: {hashlib.sha256(data).hexdigest()}"
        yield f"  MD5: {hashlib.md5(data, usedforsecurity=False).hexdigest()}"
        yield f"  BLAKE2-256: {hashlib.blake2b(data, digest_size=32).hexdigest()}"

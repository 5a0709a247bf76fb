"""Answers to commands and options of other tools: the command that does the same here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from release.adapters.members import has_project
from release.cli.commands import COMMANDS
from release.core import next_version, shell
from release.core.errors import UsageError
from release.core.similar_words import did_you_mean

_BUMPS = (*next_version.WORDS, "premajor", "preminor", "prepatch")
#: programs that people name before their words, with the command for what they do without any
_PROGRAMS: Mapping[str, str] = {
    **dict.fromkeys(("np", "semantic-release", "python-semantic-release", "cz", "zest.releaser"), "prepare --release"),
    **dict.fromkeys(("bumpver", "bump2version", "tbump"), "prepare minor"),
    **dict.fromkeys(("twine", "uv", "poetry", "hatch", "flit", "pdm"), "publish"),
    **dict.fromkeys(("nox", "invoke", "inv", "make", "jreleaser", "goreleaser"), "release"),
}
#: endings of distribution files
_FILES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".egg")
_LIST = "list all commands: pypi-preflight --help"


class _Answer(NamedTuple):
    """The answer to a word of another tool."""

    #: whose word it is, and what it does there
    meaning: str
    #: in the imperative
    remedy: str


_COMMANDS: Mapping[str, _Answer] = {
    "fullrelease": _Answer(
        "zest.releaser's command for a whole release",
        "bump the version, then release: pypi-preflight prepare --release",
    ),
    "prerelease": _Answer("zest.releaser's and np's word for a version bump", "run: pypi-preflight prepare"),
    "postrelease": _Answer(
        "zest.releaser's command after a release, which needs no step here",
        "bump the version when the next release is due: pypi-preflight prepare",
    ),
    "longtest": _Answer("zest.releaser's check of a long description", "run: pypi-preflight check"),
    "addchangelogentry": _Answer("zest.releaser's command for the changelog", "write it into the changelog"),
    "version": _Answer(
        "the version bump of hatch, poetry, uv and python-semantic-release",
        "bump the version: pypi-preflight prepare minor; show the version of this program: pypi-preflight --version",
    ),
    "bump": _Answer("the version bump of other tools", "run: pypi-preflight prepare minor"),
    "bumpversion": _Answer("the version bump of other tools", "run: pypi-preflight prepare minor"),
    "bump-my-version": _Answer("the version bump of other tools", "run: pypi-preflight prepare minor"),
    "changelog": _Answer("a command of python-semantic-release", "date its entry: pypi-preflight prepare"),
    **dict.fromkeys(
        ("lasttagdiff", "lasttaglog"),
        _Answer("zest.releaser's command for what is new", "run: pypi-preflight prepare --plan"),
    ),
    "commit": _Answer("a step of `prepare` here", "run: pypi-preflight prepare"),
    **dict.fromkeys(
        ("sdist", "wheel", "bdist_wheel", "package", "dist"),
        _Answer("not a command", "build sdist and wheel: pypi-preflight build --output dist"),
    ),
    "deploy": _Answer("not a command", "run: pypi-preflight release"),
    "metadata": _Answer("not a command", "check it: pypi-preflight inspect pyproject.toml"),
    "tag": _Answer("a step of a release here", "the tag is created once the release is live: pypi-preflight release"),
    "push": _Answer("a step of a release here", "the tag is pushed once the release is live: pypi-preflight release"),
    "register": _Answer(
        "an old command of twine and setuptools: an index creates a project with its first upload",
        "run: pypi-preflight release --new-project NAME",
    ),
    "login": _Answer("the command of other tools that stores a credential", "run: pypi-preflight store --index pypi"),
    "auth": _Answer("the command of other tools that stores a credential", "run: pypi-preflight store --index pypi"),
    "token": _Answer("not a command", "show tokens: pypi-preflight tokens; check one: pypi-preflight verify"),
    "token-health": _Answer("the old name of a command", "run: pypi-preflight tokens"),
    "whoami": _Answer("the command of other tools that shows a credential", "run: pypi-preflight verify"),
    "doctor": _Answer("the command of other tools that finds problems", "run: pypi-preflight diagnose"),
    "init": _Answer("not needed: every setting has a default", "run: pypi-preflight rehearse"),
    "test": _Answer("not a command", "rehearse the release: pypi-preflight rehearse"),
    "dry-run": _Answer("not a command", "run: pypi-preflight rehearse; show a plan: pypi-preflight release --plan"),
    "lint": _Answer("not a command", "check the source: pypi-preflight check; or files: pypi-preflight inspect dist/*"),
    "validate": _Answer("not a command", "check files: pypi-preflight inspect dist/*"),
    "scan": _Answer("not a command", "search for secrets: pypi-preflight leaks"),
    "yank": _Answer("possible only on the index's website", "open the project's page there: Manage, Releases, Options"),
    "delete": _Answer("possible only on the index's website", "yank the release there: others may need its files"),
    "unpublish": _Answer("possible only on the index's website", "yank the release there: Manage, Releases, Options"),
}  # fmt: skip

_SECRET = "a secret on the command line can be read by every program on this machine"  # noqa: S105 - a sentence
_STORE = "store it: pypi-preflight store --index pypi; or set TWINE_PASSWORD or UV_PUBLISH_TOKEN"
_DECLARE = "add [tool.release.indexes.NAME] with upload-url to pyproject.toml, and pass --index NAME"
_USER = "it is read from the environment, .pypirc or the keyring, and is __token__ with a token"
_NEVER_TWICE = "what the index has is never sent again, by hash"


class _Option(NamedTuple):
    """The answer to an option of another tool."""

    #: why it is not needed, or how it is called here
    meaning: str
    #: in the imperative; empty: run the command without the option
    remedy: str = ""
    #: how many words it has after it
    values: int = 0
    #: what stands in its place
    instead: str = ""


_OPTIONS: Mapping[str, _Option] = {
    "-r": _Option("it is --index here", values=1, instead="--index"),
    "--repository": _Option("it is --index here", values=1, instead="--index"),
    "--repository-url": _Option("indexes have names here", _DECLARE),
    "--publish-url": _Option("indexes have names here", _DECLARE),
    "--check-url": _Option(_NEVER_TWICE, values=1),
    "--skip-existing": _Option(_NEVER_TWICE),
    "-u": _Option(_USER, values=1),
    "--username": _Option(_USER, values=1),
    "-p": _Option(_SECRET, _STORE),
    "--password": _Option(_SECRET, _STORE),
    "-t": _Option(_SECRET, _STORE),
    "--token": _Option(_SECRET, _STORE),
    "--non-interactive": _Option("it is --yes here", instead="--yes"),
    "--no-input": _Option("it is --yes here", instead="--yes"),
    "--strict": _Option("which warnings block is a setting: [tool.release.checks]"),
    "--sign": _Option("indexes accept no PGP signatures; attestations are a setting: attest"),
    "-s": _Option("indexes accept no PGP signatures; attestations are a setting: attest"),
    "--attestations": _Option("attestations are a setting: attest"),
    "--trusted-publishing": _Option("it is used in a CI job with an identity and no password", values=1),
    "--disable-progress-bar": _Option("it is --quiet here", instead="--quiet"),
    "--build": _Option("a release builds", "run: pypi-preflight release"),
    "--any-branch": _Option("the branches are a setting", "add the branch to maintenance-branches in [tool.release]"),
    "--no-tests": _Option("the project's tests are not run"),
    "--no-publish": _Option("publishing is a command of its own", "run: pypi-preflight rehearse"),
    "--no-draft": _Option("a GitHub release is a setting: github-release"),
    "--preview": _Option("it is --plan here", instead="--plan"),
    "--force": _Option("a failed check is accepted by name", "add it with the reason to [tool.release.waive]"),
}  # fmt: skip


#: options whose value must not be repeated
_SECRETS = frozenset(name for name, option in _OPTIONS.items() if option.meaning == _SECRET)


def unknown_command(word: str, words: Sequence[str]) -> UsageError:
    """The error for a word that is no command; `words` are all others of the command line."""
    if word == "upload":
        files = " ".join(_directories(words)) or "dist"
        dry_run = f"pypi-preflight testpypi {files}"
        if any(one.removeprefix("--repository=") == "testpypi" for one in words):
            return UsageError("'upload' is twine's command: it is 'testpypi' here", remedy=f"run: {dry_run}")
        return UsageError(
            "'upload' is twine's command: it is 'publish' here, after a dry run with the same files",
            remedy=f"run: {dry_run} && pypi-preflight publish {files}",
        )
    if word.lower() in _PROGRAMS:
        return _another_program(word.lower(), words)
    if word.lower() in _BUMPS or _is_version(word):
        bump = word.lower().removeprefix("pre") or "pre"
        return UsageError(
            f"{word!r} is no command: 'prepare' bumps the version", remedy=f"run: pypi-preflight prepare {bump}"
        )
    if word.lower() in _COMMANDS:
        answer = _COMMANDS[word.lower()]
        return UsageError(f"{word!r} is {answer.meaning}", remedy=answer.remedy)
    if word.endswith(_FILES) or Path(word).exists():
        found = shell.quote_argument("posix", word)
        return UsageError(f"{word!r} is no command, but a file", remedy=f"check it: pypi-preflight inspect {found}")
    return UsageError(f"there is no command {word!r}{did_you_mean(word, COMMANDS)}", remedy=_LIST)


def _another_program(name: str, words: Sequence[str]) -> UsageError:
    """The error for the name of another program; `words` are those after it, of which a value may be a password."""
    sessions = words[1:] if words and words[0] in {"-s", "-e", "--session", "--sessions"} else words
    first = sessions[0] if sessions and not sessions[0].startswith("-") else None
    if name == "uv" and first in {"run", "tool", "x"}:
        return UsageError("'uv' runs this program, not the other way round", remedy="run: uvx pypi-preflight --help")
    if first is not None and first not in COMMANDS:
        return unknown_command(first, sessions[1:])
    return UsageError(f"{name!r} is another program", remedy=f"run: pypi-preflight {first or _PROGRAMS[name]}")


def answer_argument(command: str, word: str) -> UsageError | None:
    """The error for an argument that is none of the command's, if another tool has it; else None."""
    if command == "config" and (word in {"set", "get", "unset", "list"} or "." in word):
        return UsageError(
            f"'config' has no {word!r}: settings are in [tool.release] of pyproject.toml",
            remedy="show them: pypi-preflight config show; store a token: pypi-preflight store --index pypi",
        )
    return None


def answer_option(command: str, word: str, words: Sequence[str]) -> UsageError | None:
    """The error for an option or argument that the command does not have, if another tool has it; else None.

    `words` are those after the command.
    """
    if command == "check" and (files := _files_to_inspect(word, words)):
        return UsageError(
            "'check' checks the source: files are checked by 'inspect'", remedy=f"run: pypi-preflight inspect {files}"
        )
    if command == "release" and (word in _BUMPS or _is_version(word)):
        return UsageError(
            f"'release' has no argument {word!r}: the version is bumped before",
            remedy=f"run: pypi-preflight prepare {word} --release",
        )
    if any(map(_is_secret, words)):
        word = next(option_name(one) for one in words if _is_secret(one))
        option = _OPTIONS["--password"]
    elif (habit := _answer_habit(command, word)) is not None:
        return habit
    elif word in _OPTIONS:
        option = _OPTIONS[word]
    else:
        return None
    remedy = option.remedy or f"run: {_without(command, word, option, words)}"
    return UsageError(f"{command!r} has no option {word!r}: {option.meaning}", remedy=remedy)


def option_name(word: str) -> str:
    """The option of a word, without its value: `--index` of `--index=pypi`, `-p` of `-pVALUE`."""
    return word[:2] if word[:2] in _OPTIONS else word.partition("=")[0]


def _is_secret(word: str) -> bool:
    """Whether a word is the option of other tools for a password or token, which they accept abbreviated, too."""
    name = option_name(word)
    return name in _SECRETS or (len(name) >= len("--to") and any(one.startswith(name) for one in _SECRETS))


def _answer_habit(command: str, word: str) -> UsageError | None:
    """The error for a word that is right elsewhere: a version as an option, a directory as an argument."""
    bump = word.removeprefix("--")
    if command in {"prepare", "release"} and bump in _BUMPS:
        release = " --release" if command == "release" else ""
        return UsageError(
            f"{command!r} has no option {word!r}: it is an argument of 'prepare'",
            remedy=f"run: pypi-preflight prepare {bump}{release}",
        )
    if not word.startswith("-") and has_project(Path(word)):
        directory = "" if Path(word).resolve() == Path.cwd() else f" -C {shell.quote_argument('posix', word)}"
        return UsageError(
            f"{command!r} has no argument {word!r}: the directory is an option",
            remedy=f"run: pypi-preflight {command}{directory}",
        )
    return None


def _without(command: str, word: str, option: _Option, words: Sequence[str]) -> str:
    """The command line without the option, or with what stands in its place; files are shortened to `dist/*`."""
    left: list[str] = []
    rest = iter(words)
    for one in rest:
        name, equals, value = one.partition("=")
        if name != word:
            left += [] if one.endswith(_FILES) else [one]
            continue
        values = [value] if equals else [value for _, value in zip(range(option.values), rest, strict=False)]
        left += [option.instead, *values] if option.instead and len(values) == option.values else []
    quoted = [shell.quote_argument("posix", one) for one in ("pypi-preflight", command, *left)]
    return " ".join([*quoted, *_directories(words, "/*")])


def _files_to_inspect(word: str, words: Sequence[str]) -> str:
    """The files that were given to `check`, as a shell takes them; empty if there are none."""
    if files := _directories(words, "/*"):
        return " ".join(files)
    directory = PurePath(word).as_posix().removesuffix("/*")
    return f"{shell.quote_argument('posix', directory)}/*" if "*" in word or PurePath(word).name == "dist" else ""


def _directories(words: Sequence[str], end: str = "") -> list[str]:
    """The directories of distribution files among the words: a shell replaces `dist/*` by each of them."""
    parents = (PurePath(word).parent.as_posix() for word in words if word.endswith(_FILES))
    return [f"{shell.quote_argument('posix', parent)}{end}" for parent in dict.fromkeys(parents)]


def _is_version(word: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return bool(Version(word)) and "." in word
    except InvalidVersion:
        return False

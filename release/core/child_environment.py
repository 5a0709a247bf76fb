"""The environment variables of child processes: which are secret, and which program gets one of them nevertheless.

A child gets no credential of an index, of another registry, of a cloud or of any other service, under any name, unless
`CHILDREN` lists it with the reason, or the project passes it to its own code: `pass-environment`.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Collection, Iterator, Mapping
from functools import cache, lru_cache
from typing import Literal, NamedTuple

#: Variables with permission to publish. Sources: the documentation of twine, uv, flit, poetry, hatch, pdm and maturin;
#: GitHub's, GitLab's and CircleCI's OIDC variables as `id` reads them.
_UPLOAD = r"""
        TWINE_ .* | UV_PUBLISH_ .* | FLIT_ .* | POETRY_PYPI_TOKEN_ .*
      | POETRY_HTTP_BASIC_ .* | HATCH_INDEX_ .* | PDM_PUBLISH_ .* | MATURIN_ (?:PYPI_TOKEN|PASSWORD|USERNAME)
      | ACTIONS_ID_TOKEN_ .* | ACTIONS_RUNTIME_ (?:TOKEN|URL) | (?:PYPI|TESTPYPI|SIGSTORE) _ID_TOKEN
      | CI_JOB_ .* _?JWT .* | CIRCLE_OIDC_TOKEN .* | INPUT_PASSWORD
      | .* PYPI .* (?:TOKEN|PASSWORD|PASSWD|PASS|SECRET|API_?KEY) .* | (?:TOKEN|PASSWORD|PASSWD|PASS|SECRET) .* PYPI .*
      | .* PYPI _ (?:CREDS|CREDENTIALS?|AUTH|KEY|PAT|PWD?)
"""
#: Variables that give access to where permission to publish is stored. Sources: the documentation of the services and
#: password managers.
_ACCESS = r"""
        UV_INDEX_ .* _(?:USERNAME|PASSWORD)
      | BUILDKITE_AGENT_ACCESS_TOKEN | GITHUB_TOKEN | GH_TOKEN | GITLAB_TOKEN | CI_JOB_TOKEN
      | CODEARTIFACT_AUTH_TOKEN | CLOUDSMITH_API_KEY | OP_SERVICE_ACCOUNT_TOKEN | OP_CONNECT_TOKEN
      | OP_SESSION_ .* | BW_SESSION | VAULT_TOKEN | GNOME_KEYRING_ .* | KEYRING_ .* | DBUS_SESSION_BUS_ADDRESS
"""
#: Names of other secrets: those of registries and clouds, those that end like one, and sockets of agents and daemons
#: that sign in, or act as root, for anyone who reaches them. Sources: the documentation of npm, Cargo, RubyGems, AWS,
#: Azure, Google Cloud, Docker, PostgreSQL, MySQL, Redis and sshpass.
_OTHER = r"""
        AWS_ .* | AZURE_ .* | GOOGLE_ .* | DOCKER_ .* | SSH_AUTH_SOCK | SSH_AGENT_PID | GPG_AGENT_INFO
      | CARGO_REGISTR .* _TOKEN | NPM_CONFIG_ .* (?:_AUTH|AUTHTOKEN|_PASSWORD) | PGPASSWORD | SSHPASS | LDAPBINDPW
      | (?:.*_)? (?:
            (?:AUTH|ACCESS|API|ID|REFRESH)?TOKENS? | PASSWORDS? | PASSWD | PASSPHRASE | PASS | SECRETS?
          | CREDENTIALS? | CREDS
          | (?:API|ACCESS|SECRET|PRIVATE|SIGNING|DEPLOY|ENCRYPTION|AUTH|ACCOUNT|MASTER|SSH|GPG|WEBHOOK|LICENSE)_?KEY
          | (?:ACCESS|SECRET)_?KEY_?ID | SECRET_KEY_BASE | (?:APP|DB|PG|MYSQL|REDIS|MAIL|SMTP|ADMIN|ROOT)PASSWORD
          | JWT | AUTH | COOKIE | CONNECTION_STRING | WEBHOOK (?:_URL)?
        ) (?:_? (?:V?\d+ | PROD(?:UCTION)? | STAGING | TEST(?:ING)? | DEV(?:ELOPMENT)? | OLD | NEW | B64 | BASE64))?
      | .+_ (?:PWD?|PAT) | .+ (?:TOKEN|PASSWORD|PASSWD|SECRET)
"""
#: what `_OTHER` would match, and which names a place, a format or a default, but opens nothing
_INNOCENT = r"""
        AWS_ (?:DEFAULT_)? (?:REGION|OUTPUT) | AWS_ (?:PAGER|CA_BUNDLE|EC2_METADATA_DISABLED) | AZURE_LOCATION
      | GOOGLE_CLOUD_ (?:PROJECT|REGION|ZONE) | DOCKER_ (?:BUILDKIT|DEFAULT_PLATFORM|API_VERSION|CLI_HINTS)
"""
#: the credentials of this program's own field, with `re.VERBOSE` and `re.IGNORECASE`
CREDENTIAL_PATTERN = f"^(?:{_UPLOAD} | {_ACCESS})$"
#: of each tool one, for patterns that would pass it
_UPLOAD_EXAMPLES = (
    "TWINE_PASSWORD", "TWINE_USERNAME", "UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD", "FLIT_PASSWORD",
    "POETRY_PYPI_TOKEN_PYPI", "POETRY_HTTP_BASIC_PYPI_PASSWORD", "HATCH_INDEX_AUTH", "PDM_PUBLISH_PASSWORD",
    "MATURIN_PYPI_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN", "PYPI_ID_TOKEN",
    "TESTPYPI_ID_TOKEN", "CIRCLE_OIDC_TOKEN", "PYPI_TOKEN", "PYPI_API_TOKEN", "TEST_PYPI_API_TOKEN",
)  # fmt: skip
#: names whose values are secrets; those of the others are user names, addresses and regions
_HOLDS_ONE = ".*(?:TOKEN|PASS|SECRET|KEY|PWD|CREDENTIAL|AUTH|JWT|SESSION|_PAT).*"
_HOLDS_NONE = ".*(?:USER|URL|SOCK|_BUS_|_FILE$|_PATH$|_DIR$|_CONTROL$)"
#: variables without which no program starts; they stay, also where a password is a part of them by chance
_ESSENTIAL = (
    "(?:PATH|HOME|PWD|OLDPWD|SHELL|USER|LOGNAME|LANG|LC_.*|TERM|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|WINDIR|COMSPEC|PATHEXT"
    "|USERPROFILE|USERNAME|HOMEDRIVE|HOMEPATH|APPDATA|LOCALAPPDATA|PROGRAMDATA|VIRTUAL_ENV|CI|GITHUB_ACTIONS)$"
)
#: characters from which on a value counts if it is equal to a secret, and if it contains one
_EQUAL, _CONTAINED = 8, 12


def _anywhere(text: str) -> Iterator[str]:
    """What each base64 of any bytes contains that has this text in it, wherever it begins."""
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        data = bytes(before) + text.encode("utf-8", "surrogateescape")
        yield b2a_base64(data, newline=False)[skipped : len(data) * 8 // 6].decode("ascii")


#: How the tokens of package indexes begin: as they are, without "pypi-", and in base64. Source: macaroons, version 2:
#: the bytes 2 and 1, a length, the host.
_TOKEN = (
    rf"pypi(?:-|%2[Dd]|\\u002[Dd])AgE | (?i:707970692d416745) | (?<![A-Za-z0-9_+/-])AgE[A-Za-z0-9_+/-]{{60,}}"
    rf" | {'|'.join(re.escape(one) for one in _anywhere('pypi-AgE'))} | (?<![A-Za-z0-9_+/-])QWdF[A-Za-z0-9_+/-]{{80,}}"
)
#: a URL with a password or a token, a password as .pypirc and .netrc have it, a key of another service, a JSON Web
#: Token, an authorization header. Source of the prefixes: as in `other_secrets`
_VALUES = r"""
        ://[^/?\#\s@:]*:(?P<password>[^/?\#\s@]+)@ | ://[A-Za-z0-9_-]{32,}@
      | \b password ["']? \s*[:=]\s* ["']? [^\s"'$]{6,} | \b login\s+\S+\s+password\s+\S
      | -----BEGIN\ [A-Z\ ]*PRIVATE\ KEY
      | \b (?:basic|bearer|token)\ +[A-Za-z0-9+/._~=-]{16,}
      | (?<![A-Za-z0-9_-]) (?:
            gh[pousr]_\w{16,} | github_pat_\w{16,} | glpat-[\w.-]{16,} | npm_[a-z0-9]{30,} | cio[a-z0-9]{32}\b
          | (?-i:AKIA|ASIA)[A-Z0-9]{16} | xox[a-z]-[\w-]{10,} | dckr_[op]at_[\w-]{16,} | AIza[\w-]{30,}
          | hv[sbr]\.[\w-]{20,} | rubygems_[0-9a-f]{40,}
          | sk-[A-Za-z0-9]{32,} | sk-(?:admin|ant|proj|svcacct)-[\w-]{20,} | [rs]k_(?:live|test)_\w{16,}
          | eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*
        )
"""

Child = Literal[
    "git at a remote", "git that signs", "gh", "keyring", "identity", "fleet command", "installer", "twine", "scheduler"
]


class ListedVariables(NamedTuple):
    """Secret variables that a child gets, because it cannot do its work without them.

    No `Struct`: the process that imports twine is started before msgspec is imported.
    """

    #: what is run
    program: str
    #: names, with `*` for any characters
    names: tuple[str, ...]
    reason: str


_GITHUB = ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
_SSH = ("SSH_AUTH_SOCK", "SSH_AGENT_PID")
_BUS = "DBUS_SESSION_BUS_ADDRESS"
#: a proxy may ask for a password
_PROXY = ("*_PROXY",)
_STORES = ("AWS_*", "AZURE_*", "GOOGLE_*", "OP_*", "BW_*")
#: every child that gets more than `without_credentials` leaves
CHILDREN: Mapping[Child, ListedVariables] = {
    "git at a remote": ListedVariables(
        program="`git ls-remote` and `git push`, with ssh and credential helpers",
        names=(*_SSH, *_GITHUB, "GITLAB_TOKEN", "CI_JOB_TOKEN", _BUS, "GIT_CONFIG_*", *_PROXY),
        reason="they log in at the remote: with the ssh agent, a helper such as `gh auth git-credential`, the keyring, "
        "or a header from the configuration",
    ),
    "git that signs": ListedVariables(
        program="`git tag`, `git commit` and the test signature, with gpg or ssh",
        names=(*_SSH, "GPG_AGENT_INFO", _BUS),
        reason="the agent signs, and asks for the passphrase on the desktop",
    ),
    "gh": ListedVariables(
        program="`gh`",
        names=(*_GITHUB, _BUS, *_PROXY),
        reason="it logs in at GitHub with them, or with what it stored in the keyring",
    ),
    "keyring": ListedVariables(
        program="the process that reads and writes the keyring",
        names=(_BUS, "KEYRING_*", "GNOME_KEYRING_*", *_STORES, "VSS_NUGET_EXTERNAL_FEED_ENDPOINTS", *_PROXY),
        reason="they unlock the keyring's backend, which may be a cloud's or a password manager's",
    ),
    "identity": ListedVariables(
        program="the process that requests the identity of a CI job",
        names=("ACTIONS_ID_TOKEN_*", "*_ID_TOKEN", "CIRCLE_OIDC_TOKEN*", "BUILDKITE_AGENT_ACCESS_TOKEN", "GOOGLE_*",
               *_PROXY),
        reason="the CI service issues the identity for them",
    ),
    "fleet command": ListedVariables(
        program="the `command` of a token in a fleet, or of a notification",
        names=(*_STORES, "VAULT_TOKEN", "DOPPLER_TOKEN", "INFISICAL_*", "CLOUDSDK_*", "GNOME_KEYRING_*", "KEYRING_*",
               "SSH_AUTH_SOCK", "GPG_AGENT_INFO", _BUS, *_PROXY),
        reason="it reads a token from a password manager or from a cloud's secret store",
    ),
    "installer": ListedVariables(
        program="pip and uv, and the build backends that they run",
        names=("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_PROXY", "UV_INDEX", "UV_INDEX_URL",
               "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX_*_USERNAME", "UV_INDEX_*_PASSWORD",
               "SSH_AUTH_SOCK", *_PROXY),
        reason="they install requirements from a private index, from a repository over ssh, or through a proxy",
    ),
    "twine": ListedVariables(
        program="the processes that upload",
        names=_PROXY,
        reason="the connection may go through a proxy; the token comes through a pipe",
    ),
    "scheduler": ListedVariables(
        program="`systemctl --user`, `crontab`, `launchctl` and `schtasks`",
        names=(_BUS,),
        reason="systemd's user instance is reached over the session's bus",
    ),
}  # fmt: skip


def without_credentials(
    env: Mapping[str, str], child: Child | None = None, *, passed: Collection[str] = ()
) -> dict[str, str]:
    """The environment for a child: without secrets, except those that `CHILDREN` lists for it.

    `passed`: names, or beginnings with `*`, that the project passes to its own code; a permission to publish stays out.
    A variable is secret by its name (`is_secret`), or by its value: a token of an index, also without its
    prefix or in base64, a URL with a password, another service's key, or a text with another variable's secret in it.
    """
    return dict(_without_credentials(tuple(env.items()), child, tuple(passed)))


@lru_cache(maxsize=64)
def _without_credentials(
    env: tuple[tuple[str, str], ...], child: Child | None, passed: tuple[str, ...]
) -> Mapping[str, str]:
    variables = dict(env)
    secrets = known_secrets(variables)
    uploads = known_secrets({name: value for name, value in env if _is(_UPLOAD, name)})
    listed = _pattern(CHILDREN[child].names if child else ())
    chosen = _pattern(passed)
    kept = {}
    for name, value in env:
        if listed.match(name):
            keep = child != "installer" or not _tokens().search(value)
        elif _is(_UPLOAD, name) or _tokens().search(value):
            keep = False
        elif chosen.match(name):
            keep = not _contains(value, uploads)
        elif is_secret(name) or _values().search(value):
            keep = False
        else:
            keep = not _contains(value, secrets) or _is(_ESSENTIAL, name)
        if keep:
            kept[name] = value
    return _with_whole_git_settings(variables, kept)


def is_credential(name: str) -> bool:
    """Whether a variable of this name is a credential for an index, or gives access to one."""
    return _is(_UPLOAD, name) or _is(_ACCESS, name)


def is_secret(name: str) -> bool:
    """Whether a variable of this name is a credential for an index, or a secret of another service."""
    return is_credential(name) or (_is(_OTHER, name) and not _is(_INNOCENT, name))


def known_secrets(env: Mapping[str, str]) -> tuple[str, ...]:
    """The values of these variables that are secrets, of 8 characters and more, as far as their names tell."""
    found = []
    for name, value in env.items():
        if is_secret(name) and _is(_HOLDS_ONE, name) and not _is(_HOLDS_NONE, name):
            found.append(value.strip())
        found += [match["password"] for match in _values().finditer(value) if match["password"]]
    return tuple(dict.fromkeys(one for one in found if len(one) >= _EQUAL and "://" not in one and one[0] != "/"))


def can_publish(pattern: str) -> str | None:
    """The upload credential that a pattern of `pass-environment` names; None if it names none."""
    named = _pattern((pattern,))
    if "*" not in pattern:
        return pattern if _is(_UPLOAD, pattern) else None
    return next((one for one in _UPLOAD_EXAMPLES if named.match(one)), None)


def how_to_pass(env: Mapping[str, str], output: str, *, passed: Collection[str] = ()) -> str | None:
    """The remedy for code of the project that failed, whose output names a variable that it did not get; else None."""
    withheld = env.keys() - without_credentials(env, passed=passed).keys()
    named = sorted(name for name in withheld & set(re.findall(r"\w+", output)) if can_publish(name) is None)
    if not named:
        return None
    listed = ", ".join(f'"{name}"' for name in (*passed, *named))
    return f"let the project's code have {' and '.join(named)}: pass-environment = [{listed}] in [tool.release]"


def _contains(value: str, secrets: tuple[str, ...]) -> bool:
    """Whether a value is one of these secrets, or has one in it, also without "pypi-" or encoded."""
    if len(value) < _EQUAL:
        return False
    return any(
        value.strip() == form or (len(form) >= _CONTAINED and form in value)
        for secret in secrets
        for form in _forms(secret)
    )


# Compiled when a child is started, since it takes some milliseconds.


@cache
def _names(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?:{pattern})$", re.VERBOSE | re.IGNORECASE | re.DOTALL)


def _is(pattern: str, name: str) -> bool:
    return _names(pattern).match(name) is not None


@cache
def _tokens() -> re.Pattern[str]:
    return re.compile(_TOKEN, re.VERBOSE)


@cache
def _values() -> re.Pattern[str]:
    return re.compile(_VALUES, re.VERBOSE | re.IGNORECASE)


@cache
def _forms(secret: str) -> frozenset[str]:
    from urllib.parse import quote

    core = secret.removeprefix("pypi-")
    encoded = [one for text in (secret, core) for one in _anywhere(text)]
    encoded += [one.translate(str.maketrans("+/", "-_")) for one in encoded]
    hexadecimal = secret.encode("utf-8", "surrogateescape").hex()
    return frozenset({secret, core, quote(secret, safe="", errors="surrogateescape"), hexadecimal, *encoded})


@cache
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern for these names, with `*` for any characters; on Windows case has no meaning, nor in `http_proxy`."""
    words = "|".join(re.escape(name).replace(r"\*", ".*") for name in names)
    return re.compile(f"(?:{words})$" if names else "(?!)", re.IGNORECASE)


def _with_whole_git_settings(env: Mapping[str, str], kept: dict[str, str]) -> dict[str, str]:
    """The same, where git finds each setting that `GIT_CONFIG_COUNT` announces: those with a secret are left out.

    Source: git-config(1), "GIT_CONFIG_COUNT": a missing pair is an error.
    """
    count = env.get("GIT_CONFIG_COUNT", "")
    if not count.isdecimal():
        return kept
    names = [(f"GIT_CONFIG_KEY_{number}", f"GIT_CONFIG_VALUE_{number}") for number in range(int(count[:4]))]
    whole = [(kept[key], kept[value]) for key, value in names if key in kept and value in kept]
    if len(whole) == len(names):
        return kept
    rest = {
        name: value for name, value in kept.items() if not name.startswith(("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"))
    }
    for number, (key, value) in enumerate(whole):
        rest |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return rest | {"GIT_CONFIG_COUNT": str(len(whole))}

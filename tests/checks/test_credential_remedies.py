"""The remedy for a credential: by where it is stored, for each shell, and in CI."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from release.checks import credential_remedies as remedies
from release.core.facts import Access
from release.core.models.check_result import Finding, Unknown
from release.core.models.credential import Credential, CredentialCandidate
from release.core.models.index import PYPI
from release.core.models.secret_location import (
    ConfigFileKey,
    EnvironmentVariable,
    KeyringEntry,
    NotStored,
    PrivateFile,
    SecretLocation,
    TrustedPublishing,
)
from release.core.models.user_environment import CiSecrets, UserEnvironment
from release.core.secret import Secret
from release.core.shell import ShellName
from tests.checks.test_token_checks import ACCOUNT, OTHER, access, findings, token

VARIABLE = EnvironmentVariable(name="TWINE_PASSWORD")
USERNAME = EnvironmentVariable(name="TWINE_USERNAME")
LINE = ConfigFileKey(path="~/.pypirc", section="pypi", key="password", line=3)
ENTRY = KeyringEntry(service=PYPI.upload_url, username="__token__")
STORE = "pypi-preflight store --index pypi"
CREATE = f"create a token at {PYPI.site}/manage/account/token/"
PAGE = "https://github.com/acme/widget/settings/secrets/actions"
CI = UserEnvironment(ci=CiSecrets(service="GitHub Actions", secrets_page=PAGE))


def facts(user: UserEnvironment, *stored: tuple[SecretLocation, str]) -> Access:
    """The first one that is stored is used, the others are behind it."""
    statuses = ("used", *["shadowed"] * len(stored))
    candidates = tuple(
        CredentialCandidate(origin=origin, password=Secret(text), status=status)  # type: ignore[arg-type] # as above
        for (origin, text), status in zip(stored, statuses, strict=False)
    )
    return access(user=user, candidates=candidates)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (VARIABLE, f"unset TWINE_PASSWORD && {STORE}"),
        (EnvironmentVariable(name="ACME_TOKEN"), "read -rs ACME_TOKEN && export ACME_TOKEN"),
        (LINE, "pypi-preflight diagnose"),
        (ENTRY, STORE),
        (KeyringEntry(service="https://acme.test/a b/", username="alice"),
         "python -m keyring set 'https://acme.test/a b/' alice"),
        (None, STORE),
        (NotStored(description="your input"), f"{CREATE}"),
        (PrivateFile(path="~/token"), f"{CREATE} and write it to file ~/token"),
        (TrustedPublishing(), "run the job again: each run gets a new token"),
    ],
)  # fmt: skip
def test_a_new_token_goes_where_the_old_one_is(origin: SecretLocation | None, expected: str) -> None:
    assert remedies.new_token(facts(UserEnvironment()), origin) == expected


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        (UserEnvironment(shell_name="powershell"), f"Remove-Item Env:TWINE_PASSWORD; {STORE}"),
        (UserEnvironment(shell_name="cmd"), f'set "TWINE_PASSWORD=" & {STORE}'),
        (UserEnvironment(can_store=False), "read -rs TWINE_PASSWORD && export TWINE_PASSWORD"),
        (UserEnvironment(options=("--directory", "my project")),
         f"unset TWINE_PASSWORD && {STORE} --directory 'my project'"),
        (UserEnvironment(shell_name="cmd", options=("--directory", "my project")),
         f'set "TWINE_PASSWORD=" & {STORE} --directory "my project"'),
        (CI, f"{CREATE} and set it as the secret behind TWINE_PASSWORD: {PAGE}"),
        (UserEnvironment(ci=CiSecrets(service="GitLab CI/CD")),
         f"{CREATE} and set it as the secret behind TWINE_PASSWORD in the settings of GitLab CI/CD"),
    ],
)  # fmt: skip
def test_it_is_written_for_the_users_shell_or_ci_service(user: UserEnvironment, expected: str) -> None:
    assert remedies.new_token(facts(user, (VARIABLE, "hunter2")), VARIABLE) == expected


def test_where_another_token_is_stored_that_works_the_variable_is_only_unset() -> None:
    for origin in (LINE, ENTRY):
        found = facts(UserEnvironment(), (VARIABLE, "hunter2"), (origin, token(ACCOUNT)))
        assert remedies.new_token(found, VARIABLE) == "unset TWINE_PASSWORD"


@pytest.mark.parametrize(
    "behind",
    [
        "hunter2", token(b'[1,["other"]]'), token(ACCOUNT, b"[0,1795000000,0]"),
        token(ACCOUNT, location="test.pypi.org"), token(ACCOUNT, b"[0,1999999999,1999999990]"),
    ],
    ids=["password", "other project", "expired", "other index", "not yet valid"],
)  # fmt: skip
def test_a_token_behind_it_that_does_not_work_is_replaced_too(behind: str) -> None:
    found = facts(UserEnvironment(), (VARIABLE, "hunter2"), (LINE, behind))
    assert remedies.new_token(found, VARIABLE) == "unset TWINE_PASSWORD && pypi-preflight diagnose"
    found = facts(UserEnvironment(), (VARIABLE, "hunter2"), (ENTRY, behind))
    assert remedies.new_token(found, VARIABLE) == f"unset TWINE_PASSWORD && {STORE}"


@pytest.mark.parametrize(
    ("origin", "user", "expected"),
    [
        (USERNAME, UserEnvironment(), "export TWINE_USERNAME=__token__"),
        (USERNAME, UserEnvironment(shell_name="powershell"), "$env:TWINE_USERNAME = '__token__'"),
        (USERNAME, UserEnvironment(shell_name="cmd"), 'set "TWINE_USERNAME=__token__"'),
        (USERNAME, CI, f"set TWINE_USERNAME to __token__ in the workflow, or as a secret: {PAGE}"),
        (replace(LINE, key="username"), UserEnvironment(), "pypi-preflight diagnose"),
        (KeyringEntry(service="https://acme.test/", username="alice"), UserEnvironment(),
         f"python -m keyring del https://acme.test/ alice && {STORE}"),
    ],
)  # fmt: skip
def test_a_username_is_corrected_where_it_is_set(origin: SecretLocation, user: UserEnvironment, expected: str) -> None:
    assert remedies.username_for_tokens(facts(user), origin) == expected


@pytest.mark.parametrize(
    ("value", "user", "expected"),
    [
        ("/run/secrets/token", UserEnvironment(), 'export TWINE_PASSWORD="$(cat /run/secrets/token)"'),
        ("@~/.pypi-token", UserEnvironment(), 'export TWINE_PASSWORD="$(cat ~/.pypi-token)"'),
        ("C:/token.txt", UserEnvironment(shell_name="powershell"),
         "$env:TWINE_PASSWORD = (Get-Content -Raw C:/token.txt).Trim()"),
        ("C:/token.txt", UserEnvironment(shell_name="cmd"), 'set /p "TWINE_PASSWORD=" < C:/token.txt'),
        ("~/token.txt", UserEnvironment(shell_name="cmd"), "store the content of that file, not its path"),
        ("/run/secrets/token", CI, "store the content of that file, not its path"),
    ],
)  # fmt: skip
def test_the_file_of_a_path_is_read_into_the_variable(value: str, user: UserEnvironment, expected: str) -> None:
    (only,) = findings(access(value, user=user))
    assert (only.cause, only.remedy) == ("cred.file-path", expected)


def test_a_variable_that_no_tool_reads_is_copied() -> None:
    assert (
        remedies.copied_variable(facts(UserEnvironment()), "PYPI_TOKEN")
        == 'export TWINE_USERNAME=__token__ TWINE_PASSWORD="$PYPI_TOKEN"'
    )
    assert (
        remedies.copied_variable(facts(UserEnvironment(shell_name="powershell")), "PYPI_TOKEN")
        == "$env:TWINE_USERNAME = '__token__'; $env:TWINE_PASSWORD = $env:PYPI_TOKEN"
    )
    assert "in the workflow" in remedies.copied_variable(facts(CI), "PYPI_TOKEN")


def test_an_empty_secret_in_ci_is_a_question_of_its_name() -> None:
    found = access("", user=CI)
    (only,) = findings(found)
    assert (only.cause, only.remedy) == (
        "cred.env-empty", f"compare the name and environment of the secret in the workflow with those: {PAGE}",
    )  # fmt: skip


def test_a_source_that_did_not_answer_is_done_without() -> None:
    silent = Unknown(reason="silent", remedy="unlock it", cause="keyring.hang")
    assert remedies.unanswered_source(facts(UserEnvironment()), silent).remedy == (
        "read -rs TWINE_PASSWORD && export TWINE_PASSWORD"
    )


def test_a_remark_of_a_source_gets_the_remedy_of_the_place_that_is_wrong() -> None:
    foreign = CredentialCandidate(origin=LINE, password=Secret("x"), status="other-index")
    found = access(candidates=(foreign,), credential=None, token=None)
    remark = Finding(message="m", remedy="r", where="~/.pypirc, line 3, [pypi] password", cause="cred.wrong-index")
    assert remedies.with_remedy(found, remark).remedy == "pypi-preflight diagnose"
    unknown = replace(remark, cause="pypirc.malformed")
    assert remedies.with_remedy(found, unknown) == unknown


@pytest.mark.parametrize("shell_name", ["posix", "powershell", "cmd"])
@pytest.mark.parametrize(
    "value", ["", "hunter2", "$PYPI_TOKEN", token(ACCOUNT)[:-9], f'"{token(ACCOUNT)}"'],
    ids=["empty", "password", "placeholder", "truncated", "quotes"],
)  # fmt: skip
@pytest.mark.parametrize("origin", [VARIABLE, LINE, ENTRY], ids=["variable", "pypirc", "keyring"])
def test_the_remedy_for_every_defect_is_one_command_without_a_remark(
    shell_name: ShellName, value: str, origin: SecretLocation
) -> None:
    secret = Secret(value)
    healthy = access(value, user=UserEnvironment(shell_name=shell_name))
    assert isinstance(healthy.credential, Credential)
    found = replace(
        healthy, credential=replace(healthy.credential, origin=origin),
        candidates=(CredentialCandidate(origin=origin, password=secret, status="used"),),
    )  # fmt: skip
    (only,) = findings(found)
    assert only.remedy.endswith(("pypi-preflight diagnose", STORE))
    assert ":" not in only.remedy.replace("Env:", "")


def test_an_index_without_api_tokens_has_no_page_for_them() -> None:
    found = access(credential=None, token=None, index=OTHER, user=CI)
    assert "manage/account" not in remedies.new_token(found)

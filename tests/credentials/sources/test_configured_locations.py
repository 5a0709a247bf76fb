"""Each place that somebody wrote down: what it has, that it has nothing, or that nobody knows."""

from __future__ import annotations

import json
import os
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from release.adapters.system.process import TimedOutError
from release.adapters.system.system import real_system
from release.core.errors import ReleaseError, ToolError
from release.core.models.check_result import Finding, Unknown
from release.core.models.credential import Credential, Resolution
from release.core.models.index import PYPI
from release.core.models.secret_location import (
    CommandOutput,
    ConfiguredLocation,
    EnvironmentVariable,
    KeyringEntry,
    PrivateFile,
    location_to_text,
)
from release.core.secret import Secret
from release.credentials.sources import configured_locations
from release.credentials.sources.base import StorageQuery
from release.credentials.sources.configured_locations import StoredCredential
from tests.credentials.sources.test_keyring import keyring
from tests.fake_tokens import token

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="who may read a file is not judged on Windows")
SECRET = token()


def take(place: ConfiguredLocation, directory: Path, **env: str) -> StoredCredential:
    system = replace(real_system(), env={"PATH": os.environ["PATH"], **env}, home=directory)
    return configured_locations.read_location(system, place, username="__token__", directory=directory)


def secret(taken: StoredCredential) -> str:
    credential = taken.resolution.credential
    assert isinstance(credential, Credential), taken
    return credential.password.reveal()


def missing(taken: StoredCredential) -> Finding:
    assert taken.resolution.credential is None
    (finding,) = taken.resolution.remarks
    assert finding.severity == "block"
    return finding


def unknown(taken: StoredCredential) -> Unknown:
    credential = taken.resolution.credential
    assert isinstance(credential, Unknown)
    return credential


def written(path: Path, text: str = SECRET + "\n", mode: int = 0o600) -> PrivateFile:
    path.write_text(text, encoding="utf-8", newline="")
    path.chmod(mode)
    return PrivateFile(path=path.name)


def test_a_variable(tmp_path: Path) -> None:
    place = EnvironmentVariable(name="ACME")
    assert secret(take(place, tmp_path, ACME=SECRET)) == SECRET
    assert "$ACME is not set" in missing(take(place, tmp_path)).message


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_file_has_the_token_and_says_since_when(tmp_path: Path, end: str) -> None:
    place = written(tmp_path / "token", SECRET + end)
    os.utime(tmp_path / "token", (1_700_000_000, 1_700_000_000))
    found = take(place, tmp_path)
    assert secret(found) == SECRET
    assert found.since == datetime.fromtimestamp(1_700_000_000, UTC)


def test_a_file_of_the_home_directory(tmp_path: Path) -> None:
    written(tmp_path / "token")
    assert secret(take(PrivateFile(path="~/token"), tmp_path)) == SECRET


@POSIX
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777, 0o610])
def test_a_file_that_others_may_touch_is_refused_with_the_command_that_mends_it(tmp_path: Path, mode: int) -> None:
    finding = missing(take(written(tmp_path / "my token", mode=mode), tmp_path))
    assert f"mode {mode:04o}" in finding.message
    assert os.system(finding.remedy) == 0  # noqa: S605 - the very line that is shown
    assert stat.S_IMODE((tmp_path / "my token").stat().st_mode) == 0o600
    assert secret(take(PrivateFile(path="my token"), tmp_path)) == SECRET


def test_a_file_that_is_not_there_or_is_no_token(tmp_path: Path) -> None:
    assert "there is no file" in missing(take(PrivateFile(path="nowhere"), tmp_path)).message
    assert "too long" in missing(take(written(tmp_path / "long", "x" * 70_000), tmp_path)).message
    assert "cannot be read" in unknown(take(PrivateFile(path="."), tmp_path)).reason


def python(code: str, limit: float = 30.0) -> CommandOutput:
    return CommandOutput(argv=(sys.executable, "-c", code), limit=limit)


def test_a_program_that_writes_the_token(tmp_path: Path) -> None:
    written(tmp_path / "kept")
    found = take(python("import sys; sys.stderr.write('a warning'); print(open('kept').read())"), tmp_path)
    assert secret(found) == SECRET


def test_a_program_gets_the_variables_of_its_password_manager_and_no_token(tmp_path: Path) -> None:
    place = python("import json, os; print(json.dumps(dict(os.environ)))")
    env = {"VAULT_TOKEN": "v", "TWINE_PASSWORD": SECRET, "KEPT": SECRET, "NPM_TOKEN": "n", "ACME_KEY_TOKEN": "a"}
    names = json.loads(secret(take(place, tmp_path, **env))).keys() & env.keys()
    assert names == {"VAULT_TOKEN"}
    passing = replace(place, passed=("ACME_*", "KEPT"))
    names = json.loads(secret(take(passing, tmp_path, **env))).keys() & env.keys()
    assert names == {"VAULT_TOKEN", "ACME_KEY_TOKEN"}


def test_no_shell_runs_it(tmp_path: Path) -> None:
    found = take(
        CommandOutput(argv=(sys.executable, "-c", "import sys; print(sys.argv[1])", "$HOME; echo x")), tmp_path
    )
    assert secret(found) == "$HOME; echo x"


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (python("import sys; print('pypi-AgE' + 'x' * 99); sys.exit(3)"), "exit status 3"),
        (python("import time; time.sleep(60)", limit=0.5), "did not answer within 0.5 s"),
        (CommandOutput(argv=("no-such-program-anywhere",)), "no program"),
    ],
)
def test_a_program_that_does_not_answer_leaves_it_unknown_and_is_not_quoted(
    tmp_path: Path, place: CommandOutput, why: str
) -> None:
    found = unknown(take(place, tmp_path))
    assert why in found.reason
    assert found.remedy
    assert "xxxx" not in found.reason


def test_a_program_that_gives_nothing_has_nothing(tmp_path: Path) -> None:
    assert "printed nothing" in missing(take(python("print()"), tmp_path)).message


def test_a_token_in_the_words_of_a_command_is_not_shown() -> None:
    assert SECRET not in location_to_text(CommandOutput(argv=("echo", SECRET)))


FIRST, SECOND, THIRD = (KeyringEntry(service=f"https://{n}.test/legacy/", username="__token__") for n in "abc")


def test_many_entries_are_asked_of_one_process(tmp_path: Path) -> None:
    env = keyring(tmp_path, (FIRST.service, "__token__", SECRET), (THIRD.service, "__token__", "another"))
    found = configured_locations.read_keyring_entries([FIRST, SECOND, THIRD], env)
    assert (secret(found[FIRST]), secret(found[THIRD])) == (SECRET, "another")
    assert missing(found[SECOND]).remedy == f"python -m keyring set {SECOND.service} __token__"


def test_a_keyring_that_is_silent_costs_its_time_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release.credentials.sources.keyring.TIMEOUT", 1)
    found = configured_locations.read_keyring_entries([FIRST, SECOND, THIRD], keyring(tmp_path, backend="Silent"))
    assert {unknown(one).cause for one in found.values()} == {"keyring.hang"}
    assert len(found) == 3


@pytest.mark.parametrize(
    ("backend", "why"),
    [("Locked", "is locked"), ("Broken", "failed"), ("keyring.backends.null.Keyring", "no keyring can be used")],
)
def test_a_keyring_that_can_not_be_asked_leaves_it_unknown(tmp_path: Path, backend: str, why: str) -> None:
    found = configured_locations.read_keyring_entries([FIRST, SECOND], keyring(tmp_path, backend=backend))
    for one in found.values():
        assert why in unknown(one).reason
        assert unknown(one).remedy


# -- the exact words, and the rotation's source ---------------------------------------------------------


def quick(place: ConfiguredLocation, directory: Path, answer: object = None, **env: str) -> StoredCredential:
    """Read a place; a command gives `answer` without being run, or raises it."""

    def run(words: tuple[str, ...], **options: object) -> object:
        assert (options["cwd"], options["apart"], options["timeout"]) == (directory, True, 30.0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    system = replace(real_system(), env=env, home=directory / "home", run=run)
    return configured_locations.read_location(system, place, username="alice", directory=directory)


@POSIX
def test_a_variable_that_is_not_set_is_read_or_given_to_the_job(tmp_path: Path) -> None:
    place = EnvironmentVariable(name="ACME")
    found = missing(quick(place, tmp_path))
    assert (found.message, found.remedy, found.where, found.cause) == (
        "$ACME is not set", "read -rs ACME && export ACME", "$ACME", "cred.missing",
    )  # fmt: skip
    page = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "a/b"}
    assert missing(quick(place, tmp_path, **page)).remedy == (
        "give this job the secret: https://github.com/a/b/settings/secrets/actions"
    )
    assert missing(quick(place, tmp_path, CI="1")).remedy == "give this job the secret: this CI service"
    stored = quick(place, tmp_path, ACME="x").resolution.credential
    assert isinstance(stored, Credential)
    assert (stored.username, location_to_text(stored.username_origin)) == ("alice", "the fleet's list")


def test_a_file_is_found_from_the_home_directory_and_without_its_mark(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    written(tmp_path / "home" / "t", "\ufeff\r\n" + SECRET + " \r\n\r\n")
    found = quick(PrivateFile(path="~/t"), tmp_path)
    assert secret(found) == SECRET + " "
    stored = found.resolution.credential
    assert isinstance(stored, Credential)
    assert stored.username == "alice"
    assert secret(quick(written(tmp_path / "short", "XwordX\n"), tmp_path)) == "XwordX"
    written(tmp_path / "long", "x" * 65_536)
    assert len(secret(quick(PrivateFile(path="long"), tmp_path))) == 65_536


def test_what_to_do_about_a_file(tmp_path: Path) -> None:
    absent = missing(quick(PrivateFile(path="nowhere"), tmp_path))
    assert absent.message == f"there is no file '{tmp_path / 'nowhere'}'"
    assert (absent.remedy, absent.where) == ("write the token to it, or correct its path", "file nowhere")
    long = missing(quick(written(tmp_path / "long", "x" * 65_537), tmp_path))
    assert long.message == f"'{tmp_path / 'long'}' is too long for a token"
    assert long.remedy == "write the token to it, and nothing else"


@pytest.mark.parametrize(
    ("answer", "words", "remedy"),
    [
        (ToolError("no such program", remedy="install it"), "no such program", "install it"),
        (TimedOutError("late", remedy="", output=""), "'pass' did not answer within 30 s; it may be waiting for input",
         "run it by hand and unlock what it reads: /bin/pass show 'a b'"),
        (SimpleNamespace(status=3, output="secret"), "'pass' failed with exit status 3",
         "run it by hand to see why: /bin/pass show 'a b'"),
        (SimpleNamespace(status=0, output="\r\n"), "'pass' printed nothing",
         "correct its arguments: /bin/pass show 'a b'"),
    ],
)  # fmt: skip
def test_what_to_do_about_a_command(answer: object, words: str, remedy: str, tmp_path: Path) -> None:
    found = quick(CommandOutput(argv=("/bin/pass", "show", "a b")), tmp_path, answer)
    if words.endswith("nothing"):
        gone = missing(found)
        assert (gone.message, gone.remedy) == (words, remedy)
    else:
        assert (unknown(found).reason, unknown(found).remedy) == (words, remedy)


def test_a_command_s_line_break_is_no_part_of_the_token(tmp_path: Path) -> None:
    place = CommandOutput(argv=("pass",))
    assert secret(quick(place, tmp_path, SimpleNamespace(status=0, output=f"{SECRET} \r\n"))) == f"{SECRET} "


def test_files_and_commands_are_listed_once_and_replaced(tmp_path: Path) -> None:
    written(tmp_path / "t")
    (tmp_path / "sub").mkdir()
    command = CommandOutput(argv=(sys.executable, "-c", f"print({SECRET!r})"))
    configured: dict[ConfiguredLocation, tuple[str, ...]] = {
        PrivateFile(path="t"): ("a", "b"), PrivateFile(path=str(tmp_path / "t")): ("b", "c"),
        EnvironmentVariable(name="X"): ("d",), PrivateFile(path="nowhere"): ("e",), command: ("f",),
    }  # fmt: skip
    system = replace(real_system(), env={"PATH": os.environ["PATH"]}, home=tmp_path)
    query = StorageQuery(
        system=system, index=PYPI, resolved=Resolution(credential=None), configured=configured, directory=tmp_path
    )
    file, other = configured_locations.locate(query)
    assert (file.location, file.projects, file.replaceable) == (PrivateFile(path="t"), ("a", "b", "c"), True)
    assert file.manual_change == f"write the new token to '{tmp_path / 't'}', or run the same command again"
    assert (other.location, other.projects, other.replaceable) == (command, ("f",), False)
    assert other.manual_change == f"store the new token where {sys.executable!r} reads it"
    assert {file.source, other.source} == {"configured"}
    assert (file.secret.reveal(), other.secret.reveal()) == (SECRET, SECRET)

    (tmp_path / "t").write_text(f"\r\n{SECRET}\n{SECRET}", encoding="utf-8")
    twice = replace(file, secret=Secret(f"{SECRET}\n{SECRET}"))
    configured_locations.replace(twice, Secret("new"), query)
    assert (tmp_path / "t").read_bytes() == b"\r\nnew"
    (tmp_path / "t").write_text("\n", encoding="utf-8", newline="")
    configured_locations.replace(replace(file, secret=Secret("")), Secret("new"), query)
    assert (tmp_path / "t").read_bytes() == b"new\n"
    with pytest.raises(ReleaseError, match="cannot be changed from here"):
        configured_locations.replace(other, Secret("new"), query)
    with pytest.raises(ReleaseError, match="has changed since it was read"):
        configured_locations.replace(file, Secret("new"), query)

"""The parts of a rotation: its order, its places, the watch over the old token, and what is remembered."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.system import safe_write
from release.adapters.system.system import real_system
from release.core.errors import Exit, ReleaseError
from release.core.facts import ProjectMetadata
from release.core.models.credential import Resolution, StoredSecret
from release.core.models.index import PYPI, TESTPYPI, Index
from release.core.models.secret_location import (
    CommandOutput,
    ConfigFileKey,
    ConfiguredLocation,
    EnvironmentVariable,
    PrivateFile,
)
from release.core.secret import Secret
from release.credentials import sources
from release.credentials.sources import tool_variables
from release.credentials.sources.base import StorageQuery
from release.sandbox.faults import CannedResponse, Fault
from release.token_health.rotation import rotation_plan
from release.token_health.rotation.new_token import creation_page
from release.token_health.rotation.perform import (
    PAUSE,
    NotReplaced,
    OldTokenState,
    RotationResult,
    query_old_token,
    wait_until_revoked,
)
from release.token_health.rotation.rotation_plan import (
    ObtainToken,
    ReplaceSecret,
    RevokeToken,
    RotationRequest,
    SetGitHubSecret,
    StoreInKeyring,
    UnfinishedRotation,
    delete_unfinished,
    load_unfinished,
    rotation_steps,
    save_unfinished,
    step_to_text,
)
from tests.fake_tokens import identifier, token
from tests.sandbox.sandbox_client import Clock
from tests.sandbox.sandbox_client import SandboxClient as Running
from tests.sandbox.sandbox_client import sandbox_client as running_index
from tests.token_health.fleet_in_sandbox import SEED_DATA

STORED = (
    StoredSecret(
        source="environment", location=EnvironmentVariable(name="TWINE_PASSWORD"), secret=Secret("x"),
        manual_change="", replaceable=False,
    ),
    StoredSecret(
        source="pypirc", location=ConfigFileKey(path="~/.pypirc", section="pypi", key="password"), secret=Secret("x"),
        manual_change="",
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("leaked", "resumed", "name", "wanted"),
    [
        (False, False, "id", [ObtainToken, ReplaceSecret, StoreInKeyring, SetGitHubSecret, RevokeToken]),
        (True, False, "id", [RevokeToken, ObtainToken, ReplaceSecret, StoreInKeyring, SetGitHubSecret, RevokeToken]),
        (False, True, "id", [ReplaceSecret, SetGitHubSecret, RevokeToken]),
        (False, False, "", [ObtainToken, ReplaceSecret, StoreInKeyring, SetGitHubSecret]),
    ],
)
def test_the_old_token_goes_last_and_first_where_others_have_seen_it(
    *, leaked: bool, resumed: bool, name: str, wanted: list[type]
) -> None:
    request = RotationRequest(
        system=real_system(), index=PYPI, project=ProjectMetadata(name="acme-widget", version=""), secrets=("TOKEN",),
        directory=Path(), fleet_directory=Path(), state=Path(),
    )  # fmt: skip
    made = rotation_steps(request, STORED, name, leaked=leaked, resumed=resumed)
    assert [type(one) for one in made] == wanted
    assert all(step_to_text(one) for one in made)


def test_the_page_has_the_project_chosen() -> None:
    assert creation_page(PYPI, "Acme.Widget") == f"{PYPI.site}/manage/account/token/?selected_project=acme-widget"
    assert creation_page(TESTPYPI, None) == f"{TESTPYPI.site}/manage/account/token/"


LEFT = (NotReplaced(where="a", reason="b", remedy="c"),)


@pytest.mark.parametrize(
    ("ended", "status"),
    [
        ({"old_state": "dead"}, Exit.DONE), ({"old_state": "none"}, Exit.DONE), ({"old_state": "alive"}, Exit.WARNED),
        ({"old_state": "unknown"}, Exit.WARNED), ({"old_state": "alive", "leaked": True}, Exit.REFUSED),
        ({"old_state": "dead", "left": LEFT}, Exit.REFUSED), ({"old_state": "dead", "replaced": ()}, Exit.REFUSED),
    ],
)  # fmt: skip
def test_the_exit_status(ended: dict[str, object], status: Exit) -> None:
    made = RotationResult(**{"replaced": ("a",), "left": (), "new": "0" * 8, "leaked": False, **ended})  # type: ignore[arg-type] # a table of cases
    assert made.status is status


@pytest.mark.parametrize(
    ("name", "index", "location_matches"),
    [
        ("PYPI_API_TOKEN", PYPI, True), ("TWINE_PASSWORD", PYPI, True), ("TEST_PYPI_TOKEN", PYPI, False),
        ("TEST_PYPI_TOKEN", TESTPYPI, True), ("CODECOV_TOKEN", PYPI, False), ("PYPI_TOKEN", TESTPYPI, False),
    ],
)  # fmt: skip
def test_a_secret_of_a_repository_is_known_by_its_name(name: str, index: Index, *, location_matches: bool) -> None:
    assert tool_variables.is_for(name, index) is location_matches


def storage(directory: Path, configured: Mapping[ConfiguredLocation, tuple[str, ...]] | None = None) -> StorageQuery:
    system = replace(real_system(), home=directory, env={"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"})
    return StorageQuery(
        system=system, index=PYPI, resolved=Resolution(credential=None), configured=configured or {},
        directory=directory,
    )  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="who may read a file is not judged on Windows")
def test_every_place_has_a_line_for_those_who_change_it_by_hand(tmp_path: Path) -> None:
    """Each kind of location is listed, with the instruction that names it."""
    for name in ("a.token", ".pypirc"):
        (tmp_path / name).write_text("x" if name == "a.token" else "[pypi]\npassword = x\n")
        (tmp_path / name).chmod(0o600)
    command = CommandOutput(argv=(sys.executable, "-c", "print('x')"))
    query = storage(tmp_path, {PrivateFile(path="a.token"): (), command: (), EnvironmentVariable(name="A"): ()})
    query = replace(query, system=replace(query.system, env={**query.system.env, "A": "x", "UV_PUBLISH_TOKEN": "x"}))
    instructions = {(type(one.location), one.replaceable, one.manual_change) for one in sources.locate_secrets(query)}
    for kind, replaceable, words in (
        (EnvironmentVariable, False, "export A"), (EnvironmentVariable, False, "export UV_PUBLISH_TOKEN"),
        (ConfigFileKey, True, "[pypi]"), (PrivateFile, True, "a.token"), (CommandOutput, False, repr(sys.executable)),
    ):  # fmt: skip
        assert [one for one in instructions if one[:2] == (kind, replaceable) and words in one[2]]
    for name, source in sources.SOURCES.items():  # a secret is replaced by the source that it names
        assert {one.source for one in source.locate(query)} <= {name}


# -- places ---------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_a_file_that_was_changed_meanwhile_is_left_and_a_mode_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.token"
    file.write_bytes(b"old\n")
    file.chmod(0o600)
    configured: dict[ConfiguredLocation, tuple[str, ...]] = {PrivateFile(path="a.token"): ("acme-widget",)}
    (stored,) = (one for one in sources.locate_secrets(storage(tmp_path, configured)) if one.source == "configured")
    assert (stored.secret, stored.projects, stored.replaceable) == (Secret("old"), ("acme-widget",), True)
    file.chmod(0o640)
    sources.SOURCES["configured"].replace(stored, Secret("new"), storage(tmp_path))
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new\n", 0o640)
    with pytest.raises(ReleaseError, match="has changed since it was read"):
        sources.SOURCES["configured"].replace(stored, Secret("newer"), storage(tmp_path))
    safe_write.replace_private_file(file, b"new\n", b"newer\n")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_token_in_the_projects_files_is_leaked_and_its_own_place_is_not(tmp_path: Path) -> None:
    name = identifier()
    text = token(name)
    for file in ("deploy.sh", "own.token"):
        (tmp_path / file).write_text(text)
    system = real_system()
    system.run(["git", "init", "-q"], cwd=tmp_path)
    request = RotationRequest(
        system=system, index=PYPI, project=ProjectMetadata(name="acme-widget", version=""), directory=tmp_path,
        fleet_directory=tmp_path, state=tmp_path,
    )  # fmt: skip
    location = PrivateFile(path="own.token")
    own = StoredSecret(source="configured", location=location, secret=Secret(text), manual_change="")
    assert rotation_plan._leaked_in(request, name, storage(tmp_path), [own]) == ("deploy.sh:1",)
    assert rotation_plan._leaked_in(request, identifier(), storage(tmp_path), [own]) == ()


def test_what_is_remembered_is_read_again_and_holds_no_secret(tmp_path: Path) -> None:
    state = tmp_path / "state"
    rotation = UnfinishedRotation(
        upload_url=PYPI.upload_url, old="0" * 8, new="1" * 8, identifier=identifier(), leaked=False
    )
    save_unfinished(state, rotation)
    (state / "rotation-broken.json").write_text("{")
    (state / "rotation-other.json").write_text('{"of": "a later version"}')
    assert list(load_unfinished(state, PYPI)) == [rotation]
    assert list(load_unfinished(state, TESTPYPI)) == []
    delete_unfinished(state, rotation)
    delete_unfinished(state, rotation)
    assert list(load_unfinished(state, PYPI)) == []


# -- the old one ----------------------------------------------------------------------------------


@pytest.fixture
def running() -> Iterator[Running]:
    with running_index(SEED_DATA) as made:
        yield made


@pytest.mark.parametrize(
    ("name", "life"),
    [
        ("account", "alive"), ("widget", "alive"), ("bob", "alive"), ("revoked", "dead"), ("expired", "dead"),
        ("erin", "dead"), ("elsewhere", "unknown"),
    ],
)  # fmt: skip
def test_whether_it_lives(running: Running, name: str, life: OldTokenState) -> None:
    """One whose account is disabled is known no more; one of another index is shown to nobody."""
    index = replace(running.sandbox.index("pypi"), ephemeral=False)
    assert query_old_token(real_system(), index, running.sandbox.tokens[name]) == life


@pytest.mark.parametrize(("dies_after", "limit", "life"), [(3, 600, "dead"), (None, 60, "alive")])
def test_it_is_watched_until_it_is_dead_or_the_time_is_over(
    running: Running, dies_after: int | None, limit: float, life: OldTokenState
) -> None:
    clock, naps = Clock(), []

    def sleep(seconds: float) -> None:
        clock.advance(seconds=seconds)
        naps.append(seconds)
        if len(naps) == dies_after:
            running.sandbox.revoke("widget")

    system = replace(real_system(), now=clock, sleep=sleep)
    index = replace(running.sandbox.index("pypi"), ephemeral=False)
    assert wait_until_revoked(system, index, running.sandbox.tokens["widget"], timeout=limit) == life
    assert naps == [PAUSE] * (dies_after or int(timedelta(seconds=limit).total_seconds() / PAUSE))


def test_ctrl_c_ends_the_waiting_and_a_server_that_fails_tells_nothing(running: Running) -> None:
    def sleep(_seconds: float) -> None:
        raise KeyboardInterrupt

    index = replace(running.sandbox.index("pypi"), ephemeral=False)
    system, old = replace(real_system(), sleep=sleep), running.sandbox.tokens["widget"]
    assert wait_until_revoked(system, index, old, timeout=600) == "alive"
    running.sandbox.inject(Fault(what=CannedResponse(status=503)))
    assert wait_until_revoked(system, index, old, timeout=600) == "unknown"

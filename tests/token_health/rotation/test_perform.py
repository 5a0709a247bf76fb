"""The parts of a rotation: its order, its places, the watch over the old token, and what is remembered."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from release.adapters.system import private_rewrite
from release.adapters.system.system import real_system
from release.core.errors import Exit, ReleaseError
from release.core.facts import ProjectMetadata
from release.core.models.index import PYPI, TESTPYPI, Index
from release.core.models.secret_location import Command, KeyringEntry, PrivateFile, Variable
from release.core.secret import Secret
from release.credentials.sources import environment
from release.sandbox.faults import Answer, Fault
from release.token_health.rotation import discovery, unfinished_rotation
from release.token_health.rotation import replace as replacing
from release.token_health.rotation.discovery import Asked
from release.token_health.rotation.perform import Ended, Left
from release.token_health.rotation.revocation import PAUSE, Life, Watch
from release.token_health.rotation.rotation_plan import (
    Holding,
    Keep,
    PypircLine,
    Receive,
    Replace,
    Retire,
    SetSecret,
    by_hand,
    page_to_make,
    steps,
    title,
)
from release.token_health.rotation.unfinished_rotation import Mark
from tests.fake_tokens import identifier, token
from tests.sandbox.sandbox_client import Clock
from tests.sandbox.sandbox_client import Index as Running
from tests.sandbox.sandbox_client import index as running_index
from tests.token_health.fleet_in_sandbox import WORLD

LINE = PypircLine(path="/home/alice/.pypirc", section="pypi", key="password")
HOLDINGS = (
    Holding(spot=Variable(name="TWINE_PASSWORD"), where="$TWINE_PASSWORD", secret=Secret("x")),
    Holding(spot=LINE, where="~/.pypirc", secret=Secret("x")),
)


@pytest.mark.parametrize(
    ("leaked", "received", "name", "wanted"),
    [
        (False, False, "id", [Receive, Replace, Keep, SetSecret, Retire]),
        (True, False, "id", [Retire, Receive, Replace, Keep, SetSecret, Retire]),
        (False, True, "id", [Replace, SetSecret, Retire]),
        (False, False, "", [Receive, Replace, Keep, SetSecret]),
    ],
)
def test_the_old_token_goes_last_and_first_where_others_have_seen_it(
    *, leaked: bool, received: bool, name: str, wanted: list[type]
) -> None:
    made = steps(PYPI, HOLDINGS, name, leaked=leaked, received=received, secrets=["TOKEN"])
    assert [type(one) for one in made] == wanted
    assert all(title(one) for one in made)


@pytest.mark.parametrize(
    ("spot", "words"),
    [
        (Variable(name="A"), "export A"), (Command(argv=("pass", "show", "x")), "'pass'"),
        (PrivateFile(path="a.token"), "'a.token'"), (LINE, "[pypi]"),
        (KeyringEntry(service="s", username="u"), "keyring set s u"),
    ],
)  # fmt: skip
def test_every_place_has_a_line_for_those_who_change_it_by_hand(
    spot: Variable | Command | PrivateFile | PypircLine | KeyringEntry, words: str
) -> None:
    assert words in by_hand(spot)


def test_the_page_has_the_project_chosen() -> None:
    assert page_to_make(PYPI, "Acme.Widget") == f"{PYPI.site}/manage/account/token/?selected_project=acme-widget"
    assert page_to_make(TESTPYPI, None) == f"{TESTPYPI.site}/manage/account/token/"


LEFT = (Left(where="a", why="b", remedy="c"),)


@pytest.mark.parametrize(
    ("ended", "status"),
    [
        ({"life": "dead"}, Exit.DONE), ({"life": "none"}, Exit.DONE), ({"life": "alive"}, Exit.WARNED),
        ({"life": "unknown"}, Exit.WARNED), ({"life": "alive", "leaked": True}, Exit.REFUSED),
        ({"life": "dead", "left": LEFT}, Exit.REFUSED), ({"life": "dead", "replaced": ()}, Exit.REFUSED),
    ],
)  # fmt: skip
def test_the_exit_status(ended: dict[str, object], status: Exit) -> None:
    made = Ended(**{"replaced": ("a",), "left": (), "new": "0" * 8, "leaked": False, **ended})  # type: ignore[arg-type] # a table of cases
    assert made.status is status


@pytest.mark.parametrize(
    ("name", "index", "fits"),
    [
        ("PYPI_API_TOKEN", PYPI, True), ("TWINE_PASSWORD", PYPI, True), ("TEST_PYPI_TOKEN", PYPI, False),
        ("TEST_PYPI_TOKEN", TESTPYPI, True), ("CODECOV_TOKEN", PYPI, False), ("PYPI_TOKEN", TESTPYPI, False),
    ],
)  # fmt: skip
def test_a_secret_of_a_repository_is_known_by_its_name(name: str, index: Index, *, fits: bool) -> None:
    assert environment.is_for(name, index) is fits


# -- places ---------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_a_file_that_was_changed_meanwhile_is_left_and_a_mode_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "a.token"
    file.write_bytes(b"old\n")
    file.chmod(0o640)
    holding = Holding(spot=PrivateFile(path=str(file)), where="file", secret=Secret("old"))
    replacing.replace(holding, Secret("new"), {})
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"new\n", 0o640)
    with pytest.raises(ReleaseError, match="changed meanwhile"):
        replacing.replace(holding, Secret("newer"), {})
    private_rewrite.replace_private_file(file, b"new\n", b"newer\n")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_token_in_the_projects_files_is_leaked_and_its_own_place_is_not(tmp_path: Path) -> None:
    name = identifier()
    text = token(name)
    for file in ("deploy.sh", "own.token"):
        (tmp_path / file).write_text(text)
    system = real_system()
    system.run(["git", "init", "-q"], cwd=tmp_path)
    asked = Asked(
        system=system, index=PYPI, project=ProjectMetadata(name="acme-widget", version=""), directory=tmp_path,
        fleet_directory=tmp_path, state=tmp_path,
    )  # fmt: skip
    own = Holding(spot=PrivateFile(path=str(tmp_path / "own.token")), where="file", secret=Secret(text))
    assert discovery._leaked_in(asked, name, [own]) == ("deploy.sh:1",)
    assert discovery._leaked_in(asked, identifier(), [own]) == ()


def test_what_is_remembered_is_read_again_and_holds_no_secret(tmp_path: Path) -> None:
    mark = Mark(upload_url=PYPI.upload_url, old="0" * 8, new="1" * 8, identifier=identifier(), leaked=False)
    unfinished_rotation.write(tmp_path / "state", mark)
    (tmp_path / "state" / "rotation-broken.json").write_text("{")
    (tmp_path / "state" / "rotation-other.json").write_text('{"of": "a later version"}')
    assert list(unfinished_rotation.read(tmp_path / "state", PYPI)) == [mark]
    assert list(unfinished_rotation.read(tmp_path / "state", TESTPYPI)) == []
    unfinished_rotation.forget(tmp_path / "state", mark)
    unfinished_rotation.forget(tmp_path / "state", mark)
    assert list(unfinished_rotation.read(tmp_path / "state", PYPI)) == []


# -- the old one ----------------------------------------------------------------------------------


@pytest.fixture
def running() -> Iterator[Running]:
    with running_index(WORLD) as made:
        yield made


@pytest.mark.parametrize(
    ("name", "life"),
    [
        ("account", "alive"), ("widget", "alive"), ("bob", "alive"), ("revoked", "dead"), ("expired", "dead"),
        ("erin", "dead"), ("elsewhere", "unknown"),
    ],
)  # fmt: skip
def test_whether_it_lives(running: Running, name: str, life: Life) -> None:
    """One whose account is disabled is known no more; one of another index is shown to nobody."""
    watch = Watch(system=real_system(), index=replace(running.sandbox.index("pypi"), ephemeral=False), limit=0)
    assert watch.life(running.sandbox.tokens[name]) == life


@pytest.mark.parametrize(("dies_after", "limit", "life"), [(3, 600, "dead"), (None, 60, "alive")])
def test_it_is_watched_until_it_is_dead_or_the_time_is_over(
    running: Running, dies_after: int | None, limit: float, life: Life
) -> None:
    clock, naps = Clock(), []

    def sleep(seconds: float) -> None:
        clock.advance(seconds=seconds)
        naps.append(seconds)
        if len(naps) == dies_after:
            running.sandbox.revoke("widget")

    system = replace(real_system(), now=clock, sleep=sleep)
    watch = Watch(system=system, index=replace(running.sandbox.index("pypi"), ephemeral=False), limit=limit)
    assert watch.until_dead(running.sandbox.tokens["widget"]) == life
    assert naps == [PAUSE] * (dies_after or int(timedelta(seconds=limit).total_seconds() / PAUSE))


def test_ctrl_c_ends_the_waiting_and_a_server_that_fails_tells_nothing(running: Running) -> None:
    def sleep(_seconds: float) -> None:
        raise KeyboardInterrupt

    index = replace(running.sandbox.index("pypi"), ephemeral=False)
    watch = Watch(system=replace(real_system(), sleep=sleep), index=index, limit=600)
    assert watch.until_dead(running.sandbox.tokens["widget"]) == "alive"
    running.sandbox.inject(Fault(what=Answer(status=503)))
    assert watch.until_dead(running.sandbox.tokens["widget"]) == "unknown"

"""The tools of one run: what is started, when, and how often."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.install import venv
from release.core.config import UploadSettings
from release.core.models.index import TESTPYPI
from release.core.plan import Build, Confirm, Plan, Upload
from release.core.secret import Secret
from release.publishing import run_tools
from release.publishing.run_tools import RunTools
from release.sandbox import seed, server
from tests.fake_system import LASTING, fake_system, sandbox_credential


class Client:
    """A twine process that never starts."""

    def __init__(self) -> None:
        self.closed = False

    def wake(self) -> None: ...
    def read(self, distributions: Any) -> None: ...
    def login(self, index: Any, credential: Any) -> None: ...
    def kill(self) -> None: ...
    def prepare(self, distribution: Any) -> None: ...
    def send(self, distribution: Any, *, on_progress: Any = None, upcoming: Any = None) -> Any: ...
    def close(self) -> None:
        self.closed = True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    paths: list[Path] = []

    def create(_system: object, path: Path) -> Path:
        paths.append(path)
        return path

    monkeypatch.setattr(venv, "create_environment", create)
    monkeypatch.setattr(venv, "prepare_install", lambda *_: None)
    return paths


def tools(clients: list[Client], *steps: Any, expected: int = 0, concurrency: int = 4) -> RunTools:
    def start() -> Client:
        clients.append(Client())
        return clients[-1]

    numbers: Iterator[int] = iter(range(99))
    plan = Plan(verb="publish", project="a", version="1", commit=None, strict=True, steps=steps)
    return RunTools(
        system=fake_system(), plan=plan, settings=UploadSettings(concurrency=concurrency), start=start,
        scratch=lambda name: Path(f"{name}-{next(numbers)}"), expected=expected,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "concurrency", "started"), [(0, 4, 1), (1, 4, 1), (2, 4, 1), (3, 4, 2), (97, 4, 4), (97, 1, 1)]
)
def test_as_many_workers_as_there_are_files_after_the_first(expected: int, concurrency: int, started: int) -> None:
    clients: list[Client] = []
    with tools(clients, Upload(index="acme"), expected=expected, concurrency=concurrency) as made:
        assert len(clients) == started
        with made.workers() as (_, settings):
            assert settings.concurrency == concurrency
    assert all(one.closed for one in clients)


def test_a_plan_without_an_upload_or_an_install_starts_nothing(made: list[Path]) -> None:
    clients: list[Client] = []
    with tools(clients, Build(origin="commit")):
        pass
    assert (clients, made) == ([], [])


def test_each_install_has_a_clean_environment_and_the_next_one_is_made_meanwhile(made: list[Path]) -> None:
    with tools([], Confirm(index="acme"), Confirm(index="other")) as one:
        first = one.take_environment(fake_system())
        while len(made) == 1:  # that of the second confirmation
            time.sleep(0.001)
        second = one.take_environment(fake_system())
        assert first != second
        assert [path.name for path in made] == ["environment-0", "environment-1"], "none that no step needs"
        one.take_environment(fake_system())
        assert [path.name for path in made[2:]] == ["environment-2"], "unless it is asked for, as by a stage"


def test_the_sandbox_is_started_once_and_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []

    def start(_stack: object, projects: Any) -> Any:
        started.append(projects)
        return LASTING, sandbox_credential("x")

    monkeypatch.setattr(run_tools, "start_run_sandbox", start)
    with tools([], Build(origin="commit")) as one:
        assert one.sandbox("acme.one") == one.sandbox("Acme-One")
        assert not one.shares_sandbox
        assert started == [["acme.one"]]
        one.sandbox("other")
    assert started[1:] == [["other"]], "it was started for another name than that of the built files"


def test_dependencies_come_from_testpypi_for_no_install_from_it() -> None:
    """On TestPyPI anyone may own the name of a dependency; another index may have the user's own ones."""
    extra = f"{TESTPYPI.simple_url} http://127.0.0.1:9/own/simple/"
    system = fake_system(env={"PIP_EXTRA_INDEX_URL": extra, "PIP_CONFIG_FILE": os.devnull})
    with tools([], Build(origin="commit")) as one:
        assert one.install_system(system, TESTPYPI).env["PIP_EXTRA_INDEX_URL"] == "http://127.0.0.1:9/own/simple/"
        assert one.install_system(system, LASTING) is system
        assert one.build_system(system) is system


@pytest.mark.parametrize(
    ("projects", "limits", "existing"),
    [
        (["acme"], seed.SeedData().new_projects, []),
        (["acme", "acme-core"], (), []),
        (["JSON"], seed.SeedData().new_projects, ["JSON"]),
        (["acme", "json"], (), ["json"]),
    ],
)
def test_the_embedded_index_lets_its_user_create_the_projects(
    monkeypatch: pytest.MonkeyPatch, projects: list[str], limits: object, existing: list[str]
) -> None:
    """A set may have more new projects than an index lets one account create in a day."""
    seeds: list[seed.SeedData] = []
    ended: list[str] = []

    class Running(ExitStack):
        tokens = {"account": Secret("of the account")}  # noqa: RUF012 - never changed

        def index(self) -> Any:
            return replace(LASTING, name="sandbox", ephemeral=True)

    def start(data: seed.SeedData) -> Running:
        seeds.append(data)
        running = Running()
        running.callback(ended.append, "ended")
        return running

    monkeypatch.setattr(server, "start_sandbox", start)
    with ExitStack() as stack:
        index, credential = run_tools.start_run_sandbox(stack, projects)
        assert ended == []
    assert ended == ["ended"]
    assert (index.name, credential.username, credential.password) == ("sandbox", "__token__", Secret("of the account"))
    (data,) = seeds
    assert data.new_projects == limits
    assert [one.name for one in data.projects] == existing
    assert all(one.owners == (seed.DEFAULT_USER,) for one in data.projects)

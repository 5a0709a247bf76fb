"""What the members of a set share: the parallel uploads, one embedded index, and pages of siblings."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from release.adapters.install import venv
from release.adapters.system.system import System
from release.core.config import UploadSettings
from release.core.models.index import TESTPYPI, Index
from release.core.models.release_set import Sibling
from release.publishing import run_tools
from release.publishing.sets import set_tools
from release.publishing.sets.set_tools import MemberTools, SetTools
from tests.fake_system import LASTING, fake_system, sandbox_credential


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Iterator[SetTools]:
    started: list[object] = []

    def start(_stack: object, projects: object) -> object:
        started.append(projects)
        return LASTING, sandbox_credential(f"number {len(started)}")

    monkeypatch.setattr(run_tools, "start_run_sandbox", start)
    unused: Any = None
    with SetTools(
        system=fake_system(), settings=UploadSettings(concurrency=4), projects=["a", "b"], start=lambda: unused
    ) as made:  # fmt: skip
        yield made


@pytest.mark.parametrize(("members", "each"), [(0, 4), (1, 4), (2, 2), (3, 1), (4, 1), (9, 1)])
def test_parallel_uploads_are_divided_and_never_more_than_allowed(tools: SetTools, members: int, each: int) -> None:
    tools.share_uploads(members)
    with tools.workers() as (_, settings):
        assert settings.concurrency == each


def test_workers_are_used_again_but_not_after_a_failure(tools: SetTools) -> None:
    """Something may still be under way there: its events would be taken for those of the next upload."""
    with tools.workers() as (first, _):
        pass
    with suppress(ZeroDivisionError), tools.workers() as (again, _):
        raise ZeroDivisionError
    assert again is first
    with tools.workers() as (other, _):
        assert other is not first


def test_a_member_waits_until_a_lane_is_free(tools: SetTools) -> None:
    tools.share_uploads(1)
    entered = threading.Event()

    def upload() -> None:
        with tools.workers():
            entered.set()

    with tools.workers():
        waiting = threading.Thread(target=upload)
        waiting.start()
        assert not entered.wait(0.05)
    waiting.join(60)
    assert entered.is_set()


def test_the_embedded_index_is_started_once_for_all(tools: SetTools) -> None:
    first = tools.sandbox()
    assert first[0] is LASTING
    assert tools.sandbox() == first
    member = MemberTools(shared=tools, siblings=lambda _: (), scratch=Path)
    assert member.sandbox("a") == tools.sandbox()
    assert member.shares_sandbox, "so that a stored verdict of it does not count"


def test_the_pages_of_a_member_are_requested_again_once_it_was_uploaded(tools: SetTools) -> None:
    one, other = (Sibling(name=name, version="1", page=f"http://127.0.0.1:9/{name}/") for name in ("A.b", "c"))
    known: Any = tools._constraints
    known.update({(one, "x"): "kept", (other, "x"): "kept"})
    tools.forget_sibling("a-b")
    assert [key[0] for key in known] == [other]


SIBLING = Sibling(name="b", version="1", page="http://127.0.0.1:9/b/")


def test_builds_take_siblings_from_the_embedded_index_and_installs_from_their_own(
    tools: SetTools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TestPyPI is no further index of its own installs: there, anyone may own the name of a dependency."""
    answers: list[dict[str, Any]] = []

    def with_siblings(system: System, siblings: Any, **given: Any) -> System:
        answers.append(given | {"env": dict(system.env), "siblings": siblings})
        given["known"][siblings[0], len(answers)] = "a constraint"
        return system

    monkeypatch.setattr(set_tools, "with_siblings", with_siblings)
    asked: list[Index | None] = []

    def siblings(index: Index | None) -> tuple[Sibling, ...]:
        asked.append(index)
        return (SIBLING,)

    member = MemberTools(shared=tools, siblings=siblings, scratch=Path)
    system = fake_system(env={"UV_INDEX": TESTPYPI.simple_url})
    assert member.build_system(system) is system
    assert member.install_system(system, LASTING) is system
    assert TESTPYPI.simple_url not in member.install_system(system, TESTPYPI).env.get("UV_INDEX", "")
    assert asked == [None, LASTING, TESTPYPI]
    assert [one["siblings"] for one in answers] == [(SIBLING,)] * 3
    assert answers[0]["scratch"] is Path
    assert answers[0]["known"] is answers[2]["known"], "the page of a sibling is requested once for all members"
    assert TESTPYPI.simple_url not in answers[2]["env"].get("UV_INDEX", "")


def test_a_member_has_the_shared_workers_and_an_environment_of_its_own(
    tools: SetTools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[System, Path]] = []
    monkeypatch.setattr(venv, "create_environment", lambda *given: made.append(given))
    member = MemberTools(shared=tools, siblings=lambda _: (), scratch=lambda name: tmp_path / name)
    with tools.workers() as (shared, limits):
        pass
    with member.workers() as leased:
        assert leased == (shared, limits)
    system = fake_system()
    member.prepare_environment(system)
    assert made == []
    member.take_environment(system)
    assert made == [(system, tmp_path / "environment")]

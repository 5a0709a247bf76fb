"""The release before this one is fetched beside the run, and never holds it up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from release.adapters import collect
from release.core.facts import PreviousRelease
from release.core.models.check_result import NotApplicable, Unknown
from release.publishing import compare, last_release
from release.publishing.last_release import LastRelease
from tests.fake_system import LASTING, WHEEL, listing_of
from tests.patience import PATIENCE

LISTING = listing_of(())


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    calls: list[tuple[str, dict[str, Any]]] = []

    def fetch(listing: object, version: str, **options: Any) -> PreviousRelease:
        assert listing is LISTING
        calls.append((version, options))
        return PreviousRelease(version=f"before {version}", files=(), filenames=(WHEEL,))

    monkeypatch.setattr(compare, "fetch_previous_release", fetch)
    return calls


def test_a_run_that_is_compared_with_nothing_asks_nobody(pool: ThreadPoolExecutor, fetched: list[Any]) -> None:
    assert LastRelease(pool=pool).result() is None
    assert fetched == []


def test_of_several_indexes_the_last_one_counts(pool: ThreadPoolExecutor, fetched: list[Any]) -> None:
    """A release to PyPI is compared with PyPI's files: all of them must have a successor."""
    last = LastRelease(pool=pool)
    last.fetch(LISTING, "1.0")
    last.fetch(LISTING, "2.0")
    found = last.result()
    assert isinstance(found, PreviousRelease)
    assert found.version == "before 2.0"
    assert fetched[-1] == ("2.0", {"complete": True})


def test_a_rehearsal_asks_once_and_without_retries(
    pool: ThreadPoolExecutor, fetched: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def collect_listing(index: object, name: str, **options: Any) -> object:
        assert (index, name) == (LASTING, "acme-widget")
        asked.append(options)
        return LISTING

    monkeypatch.setattr(collect, "collect_listing", collect_listing)
    last = LastRelease(pool=pool)
    last.fetch_if_reachable(LASTING, "acme-widget", "1.0")
    last.fetch_if_reachable(LASTING, "acme-widget", "1.0")
    found = last.result()
    assert isinstance(found, PreviousRelease)
    assert (asked, fetched) == ([{"retries": 0}], [("1.0", {})]), "files for this machine alone are no loss of others"


def test_an_index_that_is_not_reached_is_no_failure_of_a_rehearsal(
    pool: ThreadPoolExecutor, fetched: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = Unknown(reason="no address for 'acme'", remedy="check the network")
    monkeypatch.setattr(collect, "collect_listing", lambda *_, **__: unknown)
    last = LastRelease(pool=pool)
    last.fetch_if_reachable(LASTING, "acme-widget", "1.0")
    assert last.result() == NotApplicable(reason="acme was not reached: no address for 'acme'")
    assert fetched == []


def test_an_index_that_does_not_answer_is_not_waited_for(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    monkeypatch.setattr(last_release, "_PATIENCE", 0.01)
    monkeypatch.setattr(collect, "collect_listing", lambda *_, **__: done.wait(PATIENCE) and None)
    last = LastRelease(pool=pool)
    last.fetch_if_reachable(LASTING, "acme-widget", "1.0")
    try:
        assert last.result() == NotApplicable(reason="the index has not answered in time")
    finally:
        done.set()

"""A token that was requested and not revoked is reported by the next run, without the token."""

from __future__ import annotations

import json
import stat
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.oidc.exchange_records import EXCHANGED_LIFE, ExchangeRecord, unrevoked_tokens
from release.adapters.system.system import System
from tests.fake_system import LASTING, NOON, fake_system


@pytest.fixture
def system(tmp_path: Path) -> System:
    return fake_system(env={"PYPI_PREFLIGHT_STATE": str(tmp_path)})


def test_a_run_that_ended_without_revoking_is_reported_until_its_token_has_expired(system: System) -> None:
    ExchangeRecord(system, LASTING, "acme-widget").leave()
    for _ in range(2):
        (found,) = unrevoked_tokens(system, LASTING)
        assert (found.index, found.project, found.requested) == ("acme", "acme-widget", NOON)
        assert found.expires == NOON + EXCHANGED_LIFE
    later = replace(system, now=lambda: NOON + EXCHANGED_LIFE)
    assert len(unrevoked_tokens(later, LASTING)) == 1, "listed once more"
    assert unrevoked_tokens(later, LASTING) == ()


def test_a_token_that_was_revoked_or_is_in_use_is_not_reported(system: System) -> None:
    record = ExchangeRecord(system, LASTING, "acme-widget")
    assert unrevoked_tokens(system, LASTING) == (), "its run holds the lock"
    record.remove()
    record.remove()
    assert unrevoked_tokens(system, LASTING) == ()


def test_the_record_of_another_index_of_the_same_name_stays(system: System) -> None:
    ExchangeRecord(system, LASTING, "acme-widget").leave()
    assert unrevoked_tokens(system, replace(LASTING, upload_url="http://127.0.0.1:8/legacy/")) == ()
    assert len(unrevoked_tokens(system, LASTING)) == 1


def test_only_its_user_can_read_it_and_each_exchange_has_its_own(system: System, tmp_path: Path) -> None:
    records = [ExchangeRecord(system, LASTING, "acme-widget") for _ in range(2)]
    paths = list((tmp_path / "exchanges").glob("*.json"))
    assert len(paths) == 2
    if sys.platform != "win32":
        assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
        assert stat.S_IMODE((tmp_path / "exchanges").stat().st_mode) == 0o700
    for record in records:
        record.remove()
    assert list((tmp_path / "exchanges").iterdir()) == []


@pytest.mark.parametrize("change", ['{"expires": "never"}', '{"requested": 1}', "no JSON", "[]"])
def test_a_file_that_is_no_record_is_skipped(system: System, tmp_path: Path, change: str) -> None:
    ExchangeRecord(system, LASTING, "acme-widget").leave()
    (path,) = (tmp_path / "exchanges").glob("*.json")
    text = json.dumps(json.loads(path.read_text()) | json.loads(change)) if change.startswith("{") else change
    path.write_text(text)
    assert unrevoked_tokens(system, LASTING) == ()


def test_a_directory_that_cannot_be_written_does_not_prevent_the_exchange(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    system = fake_system(env={"PYPI_PREFLIGHT_STATE": str(tmp_path / "file")})
    ExchangeRecord(system, LASTING, "acme-widget").remove()
    assert unrevoked_tokens(system, LASTING) == ()


def test_the_lifetime_is_that_of_the_index() -> None:
    assert timedelta(minutes=15) == EXCHANGED_LIFE

"""The order of a rotation, and what is remembered of an unfinished one."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import asdict, replace

from release.core.models.credential import StoredSecret
from release.core.models.index import TESTPYPI
from release.core.models.secret_location import EnvironmentVariable
from release.core.secret import Secret
from release.token_health.rotation import rotation_plan
from release.token_health.rotation.rotation_plan import (
    ObtainToken,
    ReplaceSecret,
    RevokeToken,
    RotationRequest,
    SetGitHubSecret,
    StoreInKeyring,
    UnfinishedRotation,
)
from tests.fake_system import LASTING, PROJECT, fake_system


def stored(name: str, *, replaceable: bool = True) -> StoredSecret:
    return StoredSecret(
        source="environment", location=EnvironmentVariable(name=name), secret=Secret("x"), manual_change="set it",
        replaceable=replaceable,
    )  # fmt: skip


def steps(identifier: str = "id", *, leaked: bool = False, resumed: bool = False) -> list[type]:
    request = RotationRequest(
        system=fake_system(), index=LASTING, project=PROJECT, directory=Path(), fleet_directory=Path(), state=Path(),
        secrets=("PYPI_TOKEN",),
    )  # fmt: skip
    found = rotation_plan.rotation_steps(
        request, [stored("A"), stored("B", replaceable=False)], identifier, leaked=leaked, resumed=resumed
    )
    return [type(one) for one in found]


def test_the_old_token_is_revoked_once_the_new_one_is_everywhere() -> None:
    assert steps() == [ObtainToken, ReplaceSecret, StoreInKeyring, SetGitHubSecret, RevokeToken]


def test_one_that_has_leaked_is_revoked_first_and_checked_at_the_end() -> None:
    assert steps(leaked=True) == [
        RevokeToken, ObtainToken, ReplaceSecret, StoreInKeyring, SetGitHubSecret, RevokeToken,
    ]  # fmt: skip


def test_a_resumed_rotation_asks_for_no_second_token() -> None:
    assert steps(resumed=True) == [ReplaceSecret, SetGitHubSecret, RevokeToken]


def test_a_password_that_is_no_token_cannot_be_revoked() -> None:
    assert RevokeToken not in steps("", leaked=True)


UNFINISHED = UnfinishedRotation(upload_url=LASTING.upload_url, old="0" * 8, new="1" * 8, identifier="id", leaked=True)


def test_an_unfinished_rotation_is_remembered_for_its_index_only(tmp_path: Path) -> None:
    rotation_plan.save_unfinished(tmp_path, UNFINISHED)
    assert list(rotation_plan.load_unfinished(tmp_path, LASTING)) == [UNFINISHED]
    assert list(rotation_plan.load_unfinished(tmp_path, TESTPYPI)) == []
    other = replace(UNFINISHED, old="2" * 8)
    rotation_plan.save_unfinished(tmp_path, other)
    rotation_plan.delete_unfinished(tmp_path, UNFINISHED)
    rotation_plan.delete_unfinished(tmp_path, UNFINISHED)
    assert list(rotation_plan.load_unfinished(tmp_path, LASTING)) == [other]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"old": 1, "unknown": 2}'])
def test_a_file_that_is_none_is_skipped(tmp_path: Path, text: str) -> None:
    (tmp_path / "rotation-1.json").write_text(text)
    rotation_plan.save_unfinished(tmp_path, UNFINISHED)
    assert list(rotation_plan.load_unfinished(tmp_path, LASTING)) == [UNFINISHED]


def test_no_secret_is_remembered() -> None:
    assert set(asdict(UNFINISHED)) == {"upload_url", "old", "new", "identifier", "leaked"}

"""Other people's checkers: what they say is read, and one that is not there has not passed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.builds import external_checkers
from release.adapters.builds.external_checkers import CHECKERS
from release.adapters.system import system
from release.adapters.system.process import Completed
from release.core.errors import ToolError
from release.publishing import inspection
from release.sessions import _with_checks
from tests.acceptance.making import WHEEL, wheel

BY_NAME = {one.name: one for one in CHECKERS}


def there(monkeypatch: pytest.MonkeyPatch, output: str, status: int = 1) -> Any:
    """A system where every checker is installed and writes `output`."""
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/bin/{name}")
    return replace(system.real_system(), run=lambda *_a, **_k: Completed(status=status, output=output))


@pytest.mark.parametrize(
    ("name", "output", "said"),
    [
        ("check-wheel-contents", "a-1-py3-none-any.whl: OK\n", ()),
        ("check-wheel-contents", "a-1-py3-none-any.whl: W004: no module\n", ("W004: no module",)),
        (
            "validate-pyproject",
            "Invalid file: p\n[ERROR] `project` must contain\nTraceback\n",
            ("`project` must contain",),
        ),
        (
            "pydistcheck",
            "== run\n1. [too-many-files] Found 5\nerrors found while checking: 1\n",
            ("[too-many-files] Found 5",),
        ),
    ],
)
def test_what_a_checker_says_is_read(
    monkeypatch: pytest.MonkeyPatch, name: str, output: str, said: tuple[str, ...]
) -> None:
    """Each has a format of its own."""
    ready = there(monkeypatch, output, status=int(bool(said)))
    assert external_checkers.run_checker(ready, BY_NAME[name], Path(WHEEL)) == said


def test_a_checker_that_breaks_has_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolError, match="no such option"):
        external_checkers.run_checker(there(monkeypatch, "usage\nno such option\n", 2), CHECKERS[0], Path(WHEEL))


def test_a_checker_that_is_not_there_is_shown_as_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And decides nothing."""
    monkeypatch.setattr(shutil, "which", lambda *_a, **_k: None)
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / WHEEL).write_bytes(wheel())
    found = inspection.inspect_files(system.real_system(), [tmp_path / WHEEL], project=tmp_path)
    assert not found.refused
    assert [(one["check"], one["message"]) for one in found.document["release"]] == [
        (name, f"not run: {name} is not installed") for name in BY_NAME
    ]


@pytest.mark.parametrize(
    ("package", "with_extra"),
    [("pypi-preflight==1.0", "pypi-preflight[checks]==1.0"), ("/somewhere", "/somewhere[checks]")],
)
def test_the_session_asks_for_the_extra(package: str, with_extra: str) -> None:
    assert _with_checks(package) == with_extra

"""The installed twine reads files in a child process, and its objections are passed on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from release.adapters.twine.twine_reader import TwineReader
from release.core.models.check_result import Unknown
from release.core.models.distribution import TwineRefusal
from tests.acceptance.making import SDIST, WHEEL, metadata, sdist, tarred, wheel


@pytest.fixture(scope="module")
def twine() -> Iterator[TwineReader]:
    with TwineReader(env=os.environ) as reader:
        yield reader


@pytest.mark.parametrize(
    ("filename", "content", "expected"),
    [
        (WHEEL, wheel(), None),
        (SDIST, sdist(), None),
        (SDIST, tarred({"dist/a-1/PKG-INFO": metadata(), "dist/a-1/a": b""}), None),
        (SDIST, tarred({"a/x": b"", "a/y": b""}), "No PKG-INFO in archive or PKG-INFO missing 'Metadata-Version'"),
        (WHEEL, wheel(metadata(Frobnicate="x")),
         "Invalid distribution metadata: unrecognized or malformed field 'frobnicate'"),
        (WHEEL, b"nothing", "BadZipFile: File is not a zip file"),
        ("acme_widget-1.0.egg", b"", "Unknown distribution format: 'acme_widget-1.0.egg'"),
    ],
)  # fmt: skip
def test_its_objection_names_no_directory(
    tmp_path: Path, twine: TwineReader, filename: str, content: bytes, expected: str | None
) -> None:
    (tmp_path / filename).write_bytes(content)
    found = twine.objection(tmp_path / filename)
    if expected is None:
        assert found is None
    else:
        crashed = expected.startswith("BadZipFile")
        assert found == TwineRefusal(message=expected, crashed=crashed)


def test_a_child_that_ends_is_started_again(tmp_path: Path, twine: TwineReader) -> None:
    (tmp_path / WHEEL).write_bytes(wheel())
    assert twine.objection(tmp_path / WHEEL) is None
    assert twine._pipe is not None
    twine._pipe.kill()
    found = twine.objection(tmp_path / WHEEL)
    assert isinstance(found, Unknown)
    assert found.reason.startswith(f"cannot read {WHEEL!r} with twine: ")
    assert twine.objection(tmp_path / WHEEL) is None


def test_a_twine_in_the_current_directory_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "twine.py").write_text("raise SystemExit(9)")
    (tmp_path / WHEEL).write_bytes(wheel())
    monkeypatch.chdir(tmp_path)
    with TwineReader(env=os.environ) as reader:
        assert reader.objection(Path(WHEEL)) is None


def test_a_twine_that_cannot_be_imported_is_said(tmp_path: Path) -> None:
    """The project's environment may have a broken one."""
    (tmp_path / "twine").mkdir()
    (tmp_path / "twine" / "__init__.py").write_text("raise ImportError('no module named rich')")
    (tmp_path / WHEEL).write_bytes(wheel())
    with TwineReader(env={**os.environ, "PYTHONPATH": str(tmp_path)}) as reader:
        found = reader.objection(tmp_path / WHEEL)
    assert isinstance(found, Unknown)
    assert "no module named rich" in found.reason
    assert "twine" in found.remedy

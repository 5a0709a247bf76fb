"""Files without a project: their verdicts, what an index has of them, secrets in them, other checkers' words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from release.adapters import collect
from release.adapters.builds import external_checkers
from release.adapters.index import simple_api
from release.adapters.system.system import System, real_system
from release.core.errors import ConfigError, ToolError, UnreachableError, UsageError
from release.core.facts import BuiltFile
from release.core.models.check_result import Unknown
from release.core.models.index import PYPI, IndexFile, ProjectListing
from release.core.models.project_limits import FILE_SIZE
from release.leaks import scan_limit
from release.publishing import inspection
from tests.fake_tokens import token
from tests.sample_distributions import sdist_name, wheel, wheel_name

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ACME = canonicalize_name("acme-widget")


@pytest.fixture
def system(tmp_path: Path) -> System:
    return replace(real_system(), env={"PATH": os.environ["PATH"]}, home=tmp_path, now=lambda: NOW)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    sound, broken = tmp_path / wheel_name(), tmp_path / sdist_name()
    sound.write_bytes(wheel())
    broken.write_bytes(b"no archive")
    return [sound, broken]


def listing(*files: IndexFile) -> ProjectListing:
    return ProjectListing(name="Acme-Widget", files=files)


def test_each_file_has_its_verdict(system: System, files: list[Path]) -> None:
    found = inspection.inspect_files(system, files)
    assert [one["verdict"] for one in found.document["files"]] == ["accept", "refuse"]
    assert found.refused
    assert (found.index, found.built.on_index, found.built.now) == (None, None, NOW)
    assert "python" in found.built.installed
    assert [(one.filename, one.size, one.place) for one in found.built.files] == [
        (path.name, path.stat().st_size, str(path)) for path in files
    ]
    assert not inspection.inspect_files(system, files[:1]).refused


def test_the_index_is_asked_about_each_project_once(
    system: System, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    mine = IndexFile(filename=wheel_name(), url="", sha256="0" * 64, size=1)

    def collect_listing(*words: Any) -> ProjectListing:
        asked.append(words)
        return listing(mine)

    monkeypatch.setattr(collect, "collect_listing", collect_listing)
    found = inspection.inspect_files(system, files, index=PYPI)
    assert asked == [(PYPI, ACME)]
    assert found.index == PYPI
    assert list(found.built.on_index or ()) == [ACME]
    assert [one["verdict"] for one in found.document["files"]] == ["refuse", "refuse"]


def test_what_the_index_has_of_a_project(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    first, later = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2))
    large = FILE_SIZE + 1
    found = inspection.index_contents_of(
        listing(
            IndexFile(filename="acme-widget-1.0.tar.gz", url="", sha256="1" * 64, size=large, upload_time=later),
            IndexFile(filename="acme_widget-1.0.0-py3-none-any.whl", url="", sha256=None, upload_time=first),
            IndexFile(filename="acme-widget-2.0.zip", url="", sha256=None, size=3),
            IndexFile(filename="readme.txt", url="", sha256=None),
        ),
        system, ACME,
    )  # fmt: skip
    assert (found.now, found.names, found.file_limit) == (NOW, frozenset({ACME}), large)
    assert found.releases == {"1": first}
    assert [(one.filename, one.sha256, one.blake2_256, one.size, one.version, one.filetype) for one in found.files] == [
        ("acme-widget-1.0.tar.gz", "1" * 64, None, large, "1.0", "sdist"),
        ("acme_widget-1.0.0-py3-none-any.whl", "", None, 0, "1.0.0", "bdist_wheel"),
        ("acme-widget-2.0.zip", "", None, 3, "2.0", "sdist"),
        ("readme.txt", "", None, 0, "", "sdist"),
    ]
    assert inspection.index_contents_of(listing(), system, ACME).file_limit == FILE_SIZE

    silent = Unknown(reason="no answer", remedy="retry", cause="net.dns-offline")
    monkeypatch.setattr(collect, "collect_listing", lambda *_: silent)
    assert inspection.fetch_index_contents(system, PYPI, ACME) is silent
    monkeypatch.setattr(collect, "collect_listing", lambda *_: None)
    monkeypatch.setattr(simple_api, "fetch_project_names", lambda index: {PYPI: ["Other_Name"]}[index])
    new = inspection.fetch_index_contents(system, PYPI, ACME)
    assert not isinstance(new, Unknown)
    assert (new.now, set(new.names), new.files) == (NOW, {"other-name"}, ())

    def fail(_: object) -> None:
        raise UnreachableError("no answer", remedy="retry", cause="net.dns-offline")

    monkeypatch.setattr(simple_api, "fetch_project_names", fail)
    assert inspection.fetch_index_contents(system, PYPI, ACME) == silent


def test_secrets_are_searched_in_files_that_the_index_would_accept(
    system: System, tmp_path: Path, files: list[Path]
) -> None:
    leaking = tmp_path / "leaks" / wheel_name()
    leaking.parent.mkdir()
    leaking.write_bytes(wheel(files={"acme_widget/config.py": f"TOKEN = {token()!r}\n"}))
    document = inspection.inspect_files(system, [files[1], leaking]).document
    (leak,) = document["release"]
    assert "config.py" in str(leak)


def test_a_file_that_is_not_searched_to_its_end_is_no_success(
    monkeypatch: pytest.MonkeyPatch, system: System, tmp_path: Path
) -> None:
    path = tmp_path / wheel_name()
    path.write_bytes(wheel(files={"acme_widget/config.py": "AgE" * 100}))
    assert not inspection.inspect_files(system, [path]).refused
    monkeypatch.setattr(scan_limit, "_SECONDS", -1)
    found = inspection.inspect_files(system, [path])
    (unread,) = found.document["release"]
    assert (unread["check"], unread["severity"]) == ("everything-could-be-searched", "block")
    assert f"{path.name}: it was not searched to its end" in unread["message"]
    assert (found.refused, found.document["files"][0]["verdict"]) == (True, "accept")


@pytest.fixture
def checkers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Three checkers: one with remarks, one that fails, one that is not installed."""
    answers: dict[str, Any] = {
        "first": ["odd", "odder"],
        "second": ToolError("it failed", remedy="mend it"),
        "third": None,
    }
    suffixes = {"first": (".whl",), "second": (".toml", ".whl"), "third": (".whl", ".tar.gz")}
    asked: list[tuple[str, str]] = []

    def run_checker(_: System, checker: Any, path: Path) -> Any:
        asked.append((checker.name, path.name))
        if isinstance(answer := answers[checker.name], Exception):
            raise answer
        return answer

    known = [SimpleNamespace(name=name, suffixes=ends) for name, ends in suffixes.items()]
    monkeypatch.setattr(external_checkers, "CHECKERS", known)
    monkeypatch.setattr(external_checkers, "run_checker", run_checker)
    return {"asked": asked}


def test_other_checkers_never_change_a_verdict(
    system: System, files: list[Path], tmp_path: Path, checkers: dict[str, Any]
) -> None:
    tmp_path.joinpath("pyproject.toml").write_text("")
    found = inspection.inspect_files(system, files, project=tmp_path)
    name = wheel_name()
    assert checkers["asked"] == [("first", name), ("second", "pyproject.toml"), ("second", name), ("third", name)]
    remarks = [(one["message"], one["remedy"], one["severity"]) for one in found.document["release"][-5:]]
    assert remarks == [
        ("first: odd", "see the documentation of first", "warn"),
        ("first: odder", "see the documentation of first", "warn"),
        ("not run: it failed", "mend it", "warn"),
        ("not run: it failed", "mend it", "warn"),
        ("not run: third is not installed",
         "install it in this environment: pip install 'pypi-preflight[checks]', or third", "warn"),
    ]  # fmt: skip
    assert [one["verdict"] for one in found.document["files"]] == ["accept", "refuse"]


def test_a_path_that_is_no_readable_file(system: System, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        inspection.inspect_files(system, [tmp_path])
    assert (refused.value.message, refused.value.remedy) == (
        f"'{tmp_path}' is a directory", f"pass its files: {tmp_path}/*",
    )  # fmt: skip
    with pytest.raises(UsageError) as refused:
        inspection.inspect_files(system, [tmp_path / "nowhere"])
    assert refused.value.message == f"cannot read '{tmp_path / 'nowhere'}': no such file or directory"
    assert refused.value.remedy == "pass the path of a file"


def test_the_well_known_indexes_need_no_valid_configuration(tmp_path: Path) -> None:
    assert inspection.find_index("pypi", tmp_path) == PYPI
    tmp_path.joinpath("pyproject.toml").write_text("[tool.release]\nnonsense = 1\n")
    assert inspection.find_index("pypi", tmp_path) == PYPI
    for name, file in (("acme", None), ("pypi", tmp_path / "pyproject.toml")):
        with pytest.raises(ConfigError):
            inspection.find_index(name, tmp_path, file)


def names(*filenames: str) -> Iterator[str]:
    return inspection.named_projects(BuiltFile(filename=one, size=0, sha256=None, open=BytesIO) for one in filenames)


def test_the_projects_that_files_name() -> None:
    assert list(names("A_b-1.0.tar.gz", "nothing", "c-1-py3-none-any.whl")) == ["a-b", "c"]

"""The files of a release are built once; what an index may have of them is never built again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release.adapters.builds import builder, rehearsed_version
from release.adapters.builds.rehearsed_version import NextVersion
from release.adapters.git import repository
from release.core.errors import RefusedError
from release.core.events import Event, Message
from release.core.models.distribution import Distribution
from release.publishing import build
from release.publishing.build import BuildResult
from release.publishing.journal import Journal
from tests.fake_system import SDIST, WHEEL, as_built, fake_system, files_in

COMMIT = "c" * 40


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(directory=tmp_path / "state", commit=COMMIT, version="1.0")


class Backend:
    """In the place of the build frontend: writes files, and records what it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path | None = None) -> None:
        self.calls: list[dict[str, Any]] = []
        self.cloned: list[str] = []
        self.lines = ("* Building wheel...", "warning: no files found matching 'a.txt'", "copying a")
        monkeypatch.setattr(builder, "build_distributions", self._build)
        monkeypatch.setattr(builder, "copy_project", lambda _system, _from, into, **_: into)
        monkeypatch.setattr(repository, "find_root", lambda *_: root)
        monkeypatch.setattr(repository, "commit", lambda *_: "d" * 40)
        monkeypatch.setattr(
            repository,
            "commit_time",
            lambda system, found, commit: {"c": 3, "d": 4}[commit[0]] if (system.env, found) == ({}, root) else None,
        )
        monkeypatch.setattr(repository, "clone_commit", lambda _s, _r, commit, _i: self.cloned.append(commit))
        monkeypatch.setattr(
            rehearsed_version,
            "prepare_next_version",
            lambda *_: NextVersion(derived="1.1.dev0", version="1.1", variables={"V": "1.1"}),
        )

    def _build(self, _system: object, source: Path, out: Path, **options: Any) -> tuple[Distribution, ...]:
        call = {"source": source, **options}
        if ready := call.pop("ready", None):
            found = ready()
            call |= {"source": found.directory, "epoch": found.epoch, "variables": found.variables}
        self.calls.append(call)
        for line in (*self.lines, *self.lines):
            if "on_line" in options:
                options["on_line"](line)
        return files_in(out, WHEEL, SDIST, text="new ")


Build = Callable[..., BuildResult]


@pytest.fixture
def run(tmp_path: Path, journal: Journal) -> Build:
    def run(origin: str = "commit", told: list[Event] | None = None) -> BuildResult:
        return build.build_files(
            fake_system(), tmp_path, journal, origin=origin, scratch=lambda name: tmp_path / "scratch" / name,
            notify=(told if told is not None else []).append,
        )  # fmt: skip

    return run


def test_files_that_were_built_are_not_built_again(journal: Journal, run: Build) -> None:
    files = files_in(journal.dist, WHEEL, SDIST)
    journal.write("built", files=as_built(files))
    for origin in ("commit", "journal"):
        assert run(origin) == BuildResult(files=files, built=False)


def test_without_an_earlier_build_there_is_nothing_to_use(run: Build) -> None:
    with pytest.raises(RefusedError, match="nothing has been built") as refused:
        run("journal")
    assert refused.value.remedy == "run: pypi-preflight build"


def test_a_build_of_a_commit_is_recorded_with_hashes_and_each_warning_once(
    journal: Journal, run: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    backend, told = Backend(monkeypatch, root=tmp_path), list[Event]()
    files_in(journal.dist, "left_over-0.9.tar.gz")
    done = run("commit", told)
    assert done.built
    assert journal.built() == done.files
    assert {one.filename for one in done.files} == {WHEEL, SDIST} == {one.name for one in journal.dist.iterdir()}
    assert backend.cloned == [COMMIT]
    assert backend.calls[0]["epoch"] == 3, "the time of the commit, for a build that can be repeated"
    assert backend.calls[0]["source"] == tmp_path / "scratch" / "clone"
    assert not backend.calls[0]["variables"], "a release is built as the commit has it"
    assert len(journal.backend_warnings()) == len(set(journal.backend_warnings())) == 1
    shown = [one.text for one in told if isinstance(one, Message)]
    assert shown == ["* Building wheel..."] * 2


def test_a_build_of_the_tree_is_always_a_new_one_and_says_which_version_it_has(
    journal: Journal, run: Build, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    backend, told = Backend(monkeypatch, root=tmp_path), list[Event]()
    journal.write("built", files=as_built(files_in(journal.dist, WHEEL)))
    assert run("tree", told).built
    assert (backend.calls[0]["variables"], backend.calls[0]["epoch"], backend.cloned) == ({"V": "1.1"}, 4, [])
    assert (backend.calls[0]["source"], backend.calls[0]["copy_of"]) == (tmp_path / "scratch" / "tree", tmp_path)
    assert isinstance(told[0], Message)
    assert "rehearsing as 1.1" in told[0].text


def test_a_file_that_a_lasting_index_may_have_is_not_built_again(
    journal: Journal, run: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second build may have other bytes, which the index refuses under that name for ever."""
    backend = Backend(monkeypatch)
    wheel, sdist = files_in(journal.dist, WHEEL, SDIST)
    journal.write("built", files=as_built([wheel, sdist]))
    journal.write("accepted", index="pypi", file=wheel.filename, sha256=wheel.sha256)
    sdist.path.unlink()
    with pytest.raises(RefusedError, match=r"1\.0\.tar\.gz' is missing from .*, and pypi has files of this build"):
        run("commit")
    assert not backend.calls
    assert wheel.path.exists()


def test_what_only_the_sandbox_had_is_built_again(
    journal: Journal, run: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded index is gone with its run: its lines of the journal hold nothing back."""
    backend = Backend(monkeypatch)
    wheel, sdist = files_in(journal.dist, WHEEL, SDIST)
    journal.write("built", files=as_built([wheel, sdist]))
    for file in (wheel, sdist):
        journal.write("accepted", index="sandbox", file=file.filename, sha256=file.sha256)
    journal.write("sending", index="pypi", file=wheel.filename)
    sdist.path.unlink()
    assert run("commit").built
    assert len(backend.calls) == 1


def test_a_file_that_has_changed_since_it_was_built_is_refused(journal: Journal, run: Build) -> None:
    wheel, sdist = files_in(journal.dist, WHEEL, SDIST)
    journal.write("built", files=as_built([wheel, sdist]))
    assert build.known_hashes(journal, []) == {wheel.sha256, sdist.sha256}
    sdist.path.write_bytes(b"replaced")
    with pytest.raises(RefusedError, match="has changed since it was built"):
        run("commit")
    with pytest.raises(RefusedError, match="has changed since it was built"):
        build.known_hashes(journal, [])
    sdist.path.unlink()
    build.require_same_files(journal)  # a file that is gone is a case of its own


def test_a_second_build_for_a_comparison_leaves_the_first_alone(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    backend = Backend(monkeypatch, root=tmp_path)
    first = files_in(journal.dist, WHEEL)
    again = build.rebuild(fake_system(), tmp_path, COMMIT, scratch=lambda name: tmp_path / "scratch" / name)
    build.rebuild(fake_system(), tmp_path, None, scratch=lambda name: tmp_path / "scratch" / name, only_wheel=True)
    assert {one.path.parent for one in again} == {tmp_path / "scratch" / "again"}
    assert [(call["variables"], call["only_wheel"]) for call in backend.calls] == [(None, False), ({"V": "1.1"}, True)]
    assert [(call["source"].name, call["epoch"], call["copy_of"]) for call in backend.calls] == [
        ("clone", 3, tmp_path), ("tree", 4, tmp_path),
    ]  # fmt: skip
    assert builder.load_distribution(first[0].path) == first[0]


def test_copies_of_the_files_are_not_mixed_with_those_of_another_build(tmp_path: Path) -> None:
    files, into = files_in(tmp_path / "dist", WHEEL, SDIST), tmp_path / "out" / "files"
    build.copy_files(files, into)
    assert (into / ".gitignore").read_text() == "*\n"
    assert [builder.load_distribution(into / one.filename).sha256 for one in files] == [one.sha256 for one in files]
    (into / "notes.txt").write_text("mine")
    (into / ".gitignore").write_text("mine\n")
    (into / WHEEL).write_bytes(b"old")
    before = (into / SDIST).stat().st_mtime_ns
    build.copy_files(files, into)
    assert ((into / "notes.txt").read_text(), (into / ".gitignore").read_text()) == ("mine", "mine\n")
    assert (into / WHEEL).read_bytes() == files[0].path.read_bytes()
    assert (into / SDIST).stat().st_mtime_ns == before
    files_in(into, "acme_widget-0.9.tar.gz")
    with pytest.raises(RefusedError, match=r"has files of another build: 'acme_widget-0\.9\.tar\.gz'") as refused:
        build.copy_files(files, into)
    assert "--output" in refused.value.remedy


def test_a_directory_with_distributions(tmp_path: Path) -> None:
    files_in(tmp_path / "below", WHEEL)
    (tmp_path / f"{SDIST}").mkdir()
    (tmp_path / "readme.txt").write_text("")
    assert not build.has_distributions(tmp_path)
    files_in(tmp_path, WHEEL)
    assert build.has_distributions(tmp_path)

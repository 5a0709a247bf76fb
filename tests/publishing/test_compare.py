"""The last release is found, fetched once, and kept by its hash."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from packaging.version import Version

from release.adapters import collect
from release.adapters.git import projects, repository
from release.adapters.index import simple_api
from release.checks.reproducibility import no_index_has_other_bytes
from release.core.config import Config
from release.core.errors import RefusedError, ToolError
from release.core.facts import BuiltFiles, PreviousRelease, UploadedRelease
from release.core.models.check_result import Finding, NotApplicable, Unknown
from release.core.models.distribution import Distribution
from release.core.models.index import PYPI, TESTPYPI, IndexFile, ProjectListing
from release.core.models.results import StepResult
from release.core.models.smoke_test import ExceptionLink, SmokeTest, SmokeTestAttempt, SmokeTestResult
from release.core.models.source_tree import SourceTree
from release.publishing import compare
from release.publishing.journal import Journal
from tests.acceptance.making import NOW
from tests.fake_system import LASTING, PROJECT, SDIST, WHEEL, fake_system, files_in, listing_of
from tests.sandbox.sandbox_client import sandbox_client


def listing(*versions: str, yanked: str = "") -> ProjectListing:
    files = [
        IndexFile(
            filename=f"acme_widget-{v}.tar.gz",
            url="http://127.0.0.1:1/",
            sha256="0" * 64,
            yanked="" if v == yanked else None,
        )
        for v in versions
    ]
    return ProjectListing(name="acme-widget", files=tuple(files))


def test_the_last_release_is_the_highest_one_below() -> None:
    """Neither yanked ones nor pre-releases count, the latter only beside another."""

    def last(version: str, found: ProjectListing | None) -> str:
        before = compare.latest_before(found, Version(version))
        return str(before[0]) if before else ""

    assert last("2.0", listing("1.0", "1.9", "2.0", "3.0")) == "1.9"
    assert last("2.0", listing("1.0", "1.9", yanked="1.9")) == "1.0"
    assert last("2.0", listing("1.0", "2.0rc1")) == "1.0"
    assert last("2.0rc2", listing("1.0", "2.0rc1")) == "2.0rc1"
    assert last("1.0", listing("1.0")) == ""
    assert last("1.0", None) == ""


def test_its_files_are_fetched_once(tmp_path: Path) -> None:
    """The second time, nothing is asked; a file that was changed on the disk is fetched anew."""
    with sandbox_client() as pypi:
        assert pypi.upload(version="0.9").status == 200
        assert pypi.upload(version="0.9", source=True).status == 200
        found = simple_api.fetch_listing(pypi.sandbox.index(), "acme-widget")
        for _ in range(2):
            before = compare.fetch_previous_release(found, "1.0", cache=tmp_path)
            assert isinstance(before, PreviousRelease)
            assert before.version == "0.9"
            assert sorted(one.filename.rpartition(".")[2] for one in before.files) == ["gz", "whl"]
            for one in before.files:
                with one.open() as stream:
                    assert len(stream.read()) == one.size
        assert len([one for one in pypi.sandbox.log if one.path.endswith(".whl")]) == 1
        (kept,) = tmp_path.glob("*/*.whl")
        kept.write_bytes(b"changed")
        assert isinstance(compare.fetch_previous_release(found, "1.0", cache=tmp_path), PreviousRelease)
        assert kept.read_bytes() != b"changed"
    kept.write_bytes(b"changed")
    assert isinstance(compare.fetch_previous_release(found, "1.0", cache=tmp_path), Unknown)
    assert isinstance(compare.fetch_previous_release(None, "1.0", cache=tmp_path), NotApplicable)
    assert isinstance(compare.fetch_previous_release(found, "no version", cache=tmp_path), NotApplicable)


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    """What was used longest ago makes room."""
    for number in range(3):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "file").write_bytes(bytes(100))
    simple_api._evict(tmp_path, simple_api._CACHE_SIZE - 150)
    assert len(list(tmp_path.glob("*/*"))) == 1


def test_of_many_files_with_other_bytes_only_a_few_are_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(compare, "_fetch", lambda file: fetched.append(file.filename))
    names = [f"acme_widget-1.0-cp311-cp311-win{number}.whl" for number in range(20)]
    there = ProjectListing(
        name="acme-widget", files=tuple(IndexFile(filename=name, url="", sha256="1" * 64) for name in names)
    )
    ours = [Distribution(path=tmp_path / name, sha256="0" * 64, size=1) for name in names]
    assert len(list(compare.find_conflicts(ours, {"pypi": there}, Config()))) == 20
    assert len(fetched) == 5


def test_bytes_that_an_index_has_under_another_name(tmp_path: Path) -> None:
    """PyPI refuses them as it refuses another content under a name; an index of another kind may not."""
    ours = Distribution(path=tmp_path / "acme_widget-1.0-py3-none-any.whl", sha256="0" * 64, size=1)
    config = Config(indexes={"pypi": PYPI, "testpypi": TESTPYPI, "acme": replace(PYPI, name="acme", kind="other")})
    there = {name: listing("1.0") for name in ("pypi", "acme")}
    conflicts = tuple(compare.find_conflicts([ours], there, config))
    assert [(one.index.name, one.other_name) for one in conflicts] == [("pypi", "acme_widget-1.0.tar.gz")]
    built = BuiltFiles(project=None, files=(), now=NOW, conflicts=conflicts)
    (found,) = no_index_has_other_bytes.observe(built)
    assert isinstance(found, Finding)
    assert found.message == f"pypi has the bytes of {ours.filename!r} already, as 'acme_widget-1.0.tar.gz'"
    same = replace(ours, path=tmp_path / "acme_widget-1.0.tar.gz")
    assert list(compare.find_conflicts([same], there, config)) == [], "it is there already"
    other = replace(ours, sha256="1" * 64)
    assert list(compare.find_conflicts([other], there | {"testpypi": None}, config)) == []


# -- the dry run ---------------------------------------------------------------------------------------------


def proven(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    listed: Sequence[Distribution] | Unknown | None,
    *,
    index: bool = True,
) -> tuple[Callable[..., StepResult], tuple[Distribution, ...], Journal, list[dict[str, Any]]]:
    """A release of two files, its journal, and the dry run's index with `listed`."""
    files = files_in(directory / "state" / "dist", WHEEL, SDIST)
    book, asked = Journal(directory=directory / "state", commit=None, version="1.0"), list[dict[str, Any]]()

    def listing(*_: object, **options: Any) -> ProjectListing | Unknown | None:
        asked.append(options)
        return listed if listed is None or isinstance(listed, Unknown) else listing_of(listed)

    monkeypatch.setattr(collect, "collect_listing", listing)

    def run(waive: Collection[str] = ()) -> StepResult:
        return compare.compare_with_dry_run(files, LASTING if index else None, PROJECT.name, book, waive)

    return run, files, book, asked


def test_only_the_bytes_that_passed_the_dry_run_are_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = files_in(tmp_path / "there", WHEEL, SDIST)
    run, _, book, asked = proven(tmp_path, monkeypatch, there)
    assert run() == StepResult(changed=True, note="acme has the same 2 files")
    assert asked == [{"fresh": True}], "a page of a cache may show an earlier upload"
    assert book.last("proven", index="acme") is not None
    for others in ((WHEEL,), (SDIST,), (WHEEL, SDIST)):
        changed = {one.filename: one for one in (*there, *files_in(tmp_path / "other", *others, text="other "))}
        run, *_ = proven(tmp_path / others[0], monkeypatch, tuple(changed.values()))
        with pytest.raises(RefusedError, match="the content there differs") as refused:
            run()
        assert refused.value.cause == "file.exists-different"


@pytest.mark.parametrize("names", [(), (WHEEL,), (SDIST,)])
def test_a_file_that_the_dry_run_had_not_is_not_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    run, _, book, _ = proven(tmp_path, monkeypatch, files_in(tmp_path / "there", *names))
    with pytest.raises(RefusedError, match=r"these files have not passed a dry run: acme has no 'acme_widget-1\.0"):
        run()
    assert book.last("proven") is None


def test_an_unknown_dry_run_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, *_ = proven(tmp_path, monkeypatch, Unknown(reason="no answer", remedy="wait"))
    with pytest.raises(RefusedError, match="it is unknown whether a dry run passed: no answer"):
        run()
    run, *_ = proven(tmp_path, monkeypatch, None)
    with pytest.raises(RefusedError, match="have not passed a dry run"):
        run()


def test_files_that_changed_after_the_dry_run_are_not_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where the journal knows that files of these hashes passed."""
    run, files, book, _ = proven(tmp_path, monkeypatch, files_in(tmp_path / "there", WHEEL, SDIST))
    book.write("verified", index="acme", files=sorted(one.sha256 for one in files))
    assert run().note == "the same 2 files passed on acme"
    files[1].path.write_bytes(b"replaced")
    with pytest.raises(RefusedError, match="has changed since it was checked"):
        run()
    files[1].path.unlink()
    with pytest.raises(RefusedError, match="has changed since it was checked"):
        run()


def test_a_dry_run_of_other_files_or_elsewhere_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, files, book, asked = proven(tmp_path, monkeypatch, (), index=False)
    hashes = sorted(one.sha256 for one in files)
    book.write("verified", index="sandbox", files=hashes[:1])
    book.write("verified", index="sandbox", files=[*hashes, "0" * 64])
    book.write("verified", index="testpypi", files=hashes)
    with pytest.raises(RefusedError, match="no identical files were confirmed on sandbox") as refused:
        run()
    assert refused.value.remedy == "run: pypi-preflight rehearse --built"
    book.write("verified", index="sandbox", files=hashes)
    assert not run().changed
    assert asked == [], "the sandbox is gone: the journal alone knows"


def test_what_passed_by_a_waiver_needs_that_waiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, files, book, _ = proven(tmp_path, monkeypatch, ())
    checks = [{"check": "it-works", "state": "waived"}, {"check": "it-is-there", "state": "passed"}]
    book.write("verified", index="acme", files=sorted(one.sha256 for one in files), checks=checks)
    with pytest.raises(RefusedError, match="'it-works' failed on acme and was waived, but is no longer"):
        run({"it-is-there"})
    assert not run({"it-works"}).changed


# -- siblings -------------------------------------------------------------------------------------------------


def uploaded(*, tree: SourceTree | None, not_found: bool) -> UploadedRelease:
    test = SmokeTest(kind="import", words=("acme",))
    chain = (ExceptionLink(type="ImportError"), ExceptionLink(type="ModuleNotFoundError", not_found=not_found))
    trial = SmokeTestResult(test=test, attempts=(SmokeTestAttempt(test=test, status=1, chain=chain),))
    return UploadedRelease(
        index=LASTING, expected=(), listing=None, install=None, trials=(trial,), source_tree=tree
    )  # fmt: skip


def test_a_missing_module_is_looked_for_in_the_siblings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """git is asked only where a module is missing; outside of a repository, or without git, nothing is named."""
    tree, root = SourceTree(tracked=frozenset({"a.py"})), tmp_path / "root"
    missing = uploaded(tree=tree, not_found=True)
    asked: list[Path] = []

    def siblings(_system: object, found: Path, directory: Path) -> dict[str, str]:
        asked.extend([found, directory])
        return {"acme.core": "acme-core"}

    monkeypatch.setattr(projects, "modules_of_others", siblings)
    monkeypatch.setattr(repository, "find_root", lambda *_: root)
    for unchanged in (uploaded(tree=None, not_found=True), uploaded(tree=tree, not_found=False)):
        assert compare.name_siblings(fake_system(), tmp_path, unchanged) == unchanged
    assert asked == []
    found = compare.name_siblings(fake_system(), tmp_path, missing)
    assert found == replace(missing, source_tree=replace(tree, siblings={"acme.core": "acme-core"}))
    assert asked == [root, tmp_path]
    monkeypatch.setattr(repository, "find_root", lambda *_: None)
    assert compare.name_siblings(fake_system(), tmp_path, missing) == missing

    def no_git(*_: object) -> None:
        raise ToolError("git is not installed", remedy="install it")

    monkeypatch.setattr(repository, "find_root", no_git)
    assert compare.name_siblings(fake_system(), tmp_path, missing) == missing

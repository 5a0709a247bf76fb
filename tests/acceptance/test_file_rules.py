"""File names, sizes, digests, and what the index has already."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from release.acceptance.file_rules import FILE, is_identical
from release.acceptance.rule import FileUpload, first_refusal
from release.core.models.index import IndexContents, StoredFile
from tests.acceptance.making import NOTHING, NOW, SDIST, SITE, WHEEL, metadata, sdist, upload, wheel, zipped

REUSE = f"See {SITE}/help/#file-name-reuse for more information."


def answer(one: FileUpload, index: IndexContents = NOTHING) -> str | None:
    refusal = first_refusal(FILE, one, index)
    return None if refusal is None else f"{refusal.status} {refusal.text}"


def stored(content: bytes, filename: str = WHEEL, **fields: Any) -> StoredFile:
    known: dict[str, Any] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "blake2_256": hashlib.blake2b(content, digest_size=32).hexdigest(),
        "size": len(content),
        "version": "1.0",
        "filetype": "bdist_wheel" if filename.endswith(".whl") else "sdist",
        **fields,
    }
    return StoredFile(filename=filename, **known)


@pytest.mark.parametrize(("content", "filename"), [(wheel(), WHEEL), (sdist(), SDIST)])
def test_a_good_file_is_taken(content: bytes, filename: str) -> None:
    """A plain wheel and a plain sdist pass every rule."""
    assert answer(upload(content, filename)) is None


WHEEL_PARTS = f"acme_widget-1.0{'{}'}"


@pytest.mark.parametrize(
    ("filename", "fields", "text"),
    [
        (
            "acme\x07.whl",
            {},
            (
                "Cannot upload a file with non-printable characters (ordinals 0-31) or the DEL character (ordinal 127) "
                "in the name."
            ),
        ),
        ("a/acme_widget-1.0-py3-none-any.whl", {}, r"Cannot upload a file with '/' or '\' in the name."),
        ("a\\acme_widget-1.0-py3-none-any.whl", {}, r"Cannot upload a file with '/' or '\' in the name."),
        (
            "acme_widget-1.0.tar.bz2",
            {},
            (
                "Invalid file extension: Use .tar.gz, .whl or .zip extension. "
                "See https://www.python.org/dev/peps/pep-0527 "
                "and https://peps.python.org/pep-0715/ for more information"
            ),
        ),
        (
            WHEEL,
            {"filetype": "sdist"},
            (
                "Invalid file extension: Extension .whl is invalid for filetype sdist. "
                "See https://www.python.org/dev/peps/pep-0527 for more information."
            ),
        ),
        (
            "acme_widget-1.0-py3-none-any.WHL",
            {"filetype": "bdist_wheel"},
            (
                "Invalid file extension: Extension .WHL is invalid for filetype bdist_wheel. "
                "See https://www.python.org/dev/peps/pep-0527 for more information."
            ),
        ),
        (
            "acme_widget-5.1-py3-none-any.whl",
            {},
            "Invalid distribution file. WHEEL not found at acme_widget-5.1.dist-info/WHEEL",
        ),
        (
            "acme-widget-1.0-py3-none-any.whl",
            {},
            "Invalid distribution file. WHEEL not found at acme-widget.dist-info/WHEEL",
        ),
        ("acme_widget-1.0.whl", {}, "Invalid distribution file. Unable to parse name and version from wheel filename"),
        ("acme_widget-1.0-any.whl", {}, "Invalid wheel filename (wrong number of parts): 'acme_widget-1.0-any'"),
        (
            "acme_widget-1.0-cp311-cp311-linux_x86_64.whl",
            {},
            (
                "Binary wheel 'acme_widget-1.0-cp311-cp311-linux_x86_64.whl' has an unsupported platform tag "
                "'linux_x86_64'."
            ),
        ),
        (WHEEL, {"name": "other-owned"}, "Start filename for 'other-owned' with 'other_owned'."),
        (WHEEL, {"version": "5.0"}, "Version in filename should be '5.0' not '1.0'."),
        (
            WHEEL,
            {"license_file": "LICENSE"},
            (
                f"License-File LICENSE does not exist in distribution file {WHEEL} at "
                "acme_widget-1.0.dist-info/licenses/LICENSE"
            ),
        ),
    ],
)
def test_a_wheel_whose_name_does_not_fit(filename: str, fields: dict[str, Any], text: str) -> None:
    """Status and words are the server's."""
    assert answer(upload(wheel(), filename, **fields)) == f"400 {text}"


def test_a_wheel_name_that_is_not_normalised() -> None:
    """`.dist-info` fits the file name, and the file name not the project."""
    members = {"Acme_Widget-1.0.dist-info/WHEEL": b""}
    filename = "Acme_Widget-1.0-py3-none-any.whl"
    text = f"Filename {filename!r} should contain the normalized project name 'acme_widget', not 'Acme_Widget'."
    assert answer(upload(zipped(members), filename)) == f"400 {text}"


@pytest.mark.parametrize(
    "tags",
    ["manylinux1_x86_64", "manylinux_2_28_aarch64.manylinux2014_aarch64", "musllinux_1_2_armv7l", "win_amd64",
     "macosx_10_9_universal2", "macosx_11_0_arm64", "macosx_26_0_arm64", "linux_armv7l", "ios_15_6_arm64_iphoneos",
     "android_27_arm64_v8a", "pyemscripten_2026_0_wasm32", "any", "pyemscripten_2026_0_wasm32x",
     "PyEmscripten_2026_0_WASM32_v2", "ios_15_6_arm64_iphoneos_x", "ios_13_0_x86_64_iphonesimulator64"],
)  # fmt: skip
def test_platforms_that_are_taken(tags: str) -> None:
    """Each family of platform tags, with an architecture of its own; two of them may go on as they like."""
    assert answer(upload(wheel(), f"acme_widget-1.0-cp311-cp311-{tags}.whl")) is None


@pytest.mark.parametrize(
    "tags",
    ["linux_x86_64", "manylinux_2_28_sparc", "musllinux_1_2_ppc64", "macosx_11_1_arm64", "macosx_27_0_arm64",
     "ios_15_6_i386_iphoneos", "android_27_mips", "pyemscripten_2026_0_wasm64", "emscripten_3_1_wasm32", "solaris",
     "android_27_x86_64_x", "musllinux_1_2_x86_64x", "macosx_11_00_arm64", "macosx_10_9_arm64e", "win_amd64x", "anyx"],
)  # fmt: skip
def test_platforms_that_are_not_taken(tags: str) -> None:
    """The neighbours, one step off."""
    found = answer(upload(wheel(), f"acme_widget-1.0-cp311-cp311-{tags}.whl")) or ""
    assert found.endswith(f"has an unsupported platform tag '{tags}'.")


@pytest.mark.parametrize(
    ("filename", "fields", "text"),
    [
        ("acme-widget-1.0.tar.gz", {}, ("Filename 'acme-widget-1.0.tar.gz' is invalid, should be "
         "'acme_widget-1.0.tar.gz'.")),
        ("acme_widget-1.0.0.tar.gz", {}, ("Filename 'acme_widget-1.0.0.tar.gz' is invalid, should be "
         "'acme_widget-1.0.tar.gz'.")),
        ("acme_widget.tar.gz", {}, "Invalid source distribution filename: acme_widget.tar.gz"),
        ("other_owned-1.0.tar.gz", {}, "Start filename for 'acme-widget' with 'acme_widget'."),
        ("acme_widget-1.0-1.tar.gz", {"version": "1.0.post1"}, ("Filename 'acme_widget-1.0-1.tar.gz' is invalid, "
         "should be 'acme_widget-1.0.post1.tar.gz'.")),
        (SDIST, {"license_file": "LICENSE"}, ("License-File LICENSE does not exist in distribution file "
         "acme_widget-1.0.tar.gz at acme_widget-1.0/LICENSE")),
    ],
)  # fmt: skip
def test_an_sdist_whose_name_does_not_fit(filename: str, fields: dict[str, Any], text: str) -> None:
    """Status and words are the server's."""
    assert answer(upload(sdist(), filename, **fields)) == f"400 {text}"


def test_a_zip_sdist_fails_at_its_name() -> None:
    """The extension passes, the archive passes, and PEP 625 does not."""
    content = zipped({"acme_widget-1.0/PKG-INFO": metadata(), "acme_widget-1.0/a.py": b""})
    text = "Filename 'acme_widget-1.0.zip' is invalid, should be 'acme_widget-1.0.tar.gz'."
    assert answer(upload(content, "acme_widget-1.0.zip")) == f"400 {text}"


def test_names_that_are_too_long() -> None:
    """A wheel's name leaves room for `.metadata`; the server breaks over one that no disk takes."""
    fits = f"acme_widget-1.0-py3-none-any{'.any' * 53}.whl"
    assert len(fits) == 244
    assert answer(upload(wheel(), fits)) is None
    long = f"acme_widget-1.0-py3-none-any{'.any' * 54}.whl"
    assert answer(upload(wheel(), long)) == f"400 Filename is too long: '{long}'"
    assert answer(upload(wheel(), f"{'a' * 255}.whl")) == "500 Internal Server Error"


@pytest.mark.parametrize("content_type", [None, "", "image/png"])
def test_the_part_is_no_image(content_type: str | None) -> None:
    """Any other content type is taken."""
    refused = replace(upload(wheel()), content_type=content_type)
    assert answer(refused) == "400 Invalid distribution file."
    assert answer(replace(refused, content_type="text/plain")) is None


def test_limits_of_size() -> None:
    """A limit is the largest size that passes."""
    content = wheel()
    docs = "https://docs.pypi.org/project-management/storage-limits#requesting-a"
    assert answer(upload(content), replace(NOTHING, file_limit=len(content))) is None
    assert answer(upload(content), replace(NOTHING, file_limit=len(content) - 1)) == (
        f"400 File too large. Limit for project 'acme-widget' is 0 MB. See {docs}-file-size-limit-increase "
        "for more information."
    )
    full = replace(NOTHING, files=(stored(b"", "x.whl", size=10 * 1024**3),))
    assert answer(upload(content), full) == (
        f"400 Project size too large. Limit for project 'acme-widget' total size is 10 GB. "
        f"See {docs}-project-size-limit-increase"
    )


@pytest.mark.parametrize("digest", ["md5_digest", "sha256_digest", "blake2_256_digest"])
def test_a_digest_must_be_that_of_the_content(digest: str) -> None:
    """All that are given count, in upper case too."""
    name = digest.removesuffix("_digest")
    right = upload(wheel()).file.digests(name)[name]
    assert answer(upload(wheel(), **{digest: right.upper()})) is None
    text = "The digest supplied does not match a digest calculated from the uploaded file."
    assert answer(upload(wheel(), **{digest: "0" * 64})) == f"400 {text}"


def test_what_the_index_has_already() -> None:
    """Identical files pass; other bytes under the name, or these under another name, do not."""
    mine, other = wheel(), wheel(metadata(Summary="another"))
    mine_blake2 = str(stored(mine).blake2_256)
    exists = f"400 File already exists ('{WHEEL}', with blake2_256 hash '{mine_blake2}'). {REUSE}"
    same = replace(
        NOTHING, files=(stored(mine),), used_filenames=frozenset({WHEEL}), releases={"1": NOW - timedelta(days=99)}
    )
    assert is_identical(upload(mine), same)
    assert answer(upload(mine), same) is None
    assert answer(upload(mine), replace(same, files=(replace(stored(mine), blake2_256=None),))) is None
    assert answer(upload(mine), replace(NOTHING, files=(stored(other),))) == exists
    assert answer(upload(mine), replace(NOTHING, names_by_blake2={mine_blake2: "other.whl"})) == exists
    assert answer(upload(mine), replace(NOTHING, files=(stored(mine, "acme_widget-1.0-1-py3-none-any.whl"),))) == exists
    assert (
        answer(upload(mine), replace(NOTHING, files=(stored(other, "other.whl"),), names_by_blake2={"00": "x"})) is None
    )


def test_a_name_once_used_is_gone() -> None:
    """The registry of names survives the files."""
    text = f"This filename was previously used by a file that has since been deleted. Use a different version. {REUSE}"
    assert answer(upload(wheel()), replace(NOTHING, used_filenames=frozenset({WHEEL}))) == f"400 {text}"
    assert answer(upload(wheel()), replace(NOTHING, used_filenames=frozenset({SDIST}))) is None


@pytest.mark.parametrize(("age", "taken"), [(timedelta(days=14), True), (timedelta(days=14, seconds=1), False)])
def test_a_release_closes_after_fourteen_days(age: timedelta, taken: bool) -> None:
    """The fourteenth day still counts; the version is compared in its canonical form."""
    found = answer(upload(wheel(), version="1.0.0"), replace(NOTHING, releases={"1": NOW - age}))
    assert found == (None if taken else "400 Uploading new files to releases older than 14 days is not allowed.")


def test_one_sdist_a_release() -> None:
    """A second sdist is refused, whatever its extension; of another version it is not."""
    index = replace(NOTHING, files=(stored(b"other", "acme_widget-1.0.zip"),))
    assert answer(upload(sdist(), SDIST), index) == "400 Only one sdist may be uploaded per release."
    assert answer(upload(wheel()), index) is None
    assert answer(upload(sdist(), SDIST), replace(index, files=(replace(index.files[0], version="2"),))) is None

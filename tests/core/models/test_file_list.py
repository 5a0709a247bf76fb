"""Lists of files that a release must have, in each form that tools write."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from release.core.errors import UsageError
from release.core.models.file_list import expected_files, matches, parse_file_list

ONE, TWO = "acme-1.0-cp311-cp311-win32.whl", "acme-1.0.tar.gz"
HASH = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}\n{TWO}\n",
        f"# written by CI\r\n\r\n./dist/{ONE}\r\ndist\\{TWO}\r\n",
        json.dumps([ONE, f"wheelhouse/{TWO}"]),
        f"\ufeff{ONE}\n{TWO}",
        f"{ONE}\n{TWO}\n{ONE}\n{ONE}.asc\nSHA256SUMS\nfiles.txt\n",
    ],
)
def test_names_are_read_in_each_form(text: str) -> None:
    found = parse_file_list(text, "list")
    assert [(one.pattern, one.sha256, one.is_pattern) for one in found.entries] == [
        (ONE, None, False),
        (TWO, None, False),
    ]


@pytest.mark.parametrize(
    "line", [f"{HASH}  {ONE}", f"{HASH.upper()} *dist/{ONE}", f"SHA256 ({ONE}) = {HASH}", f"SHA256({ONE}) = {HASH}"]
)
def test_hashes_are_read_as_checksum_tools_write_them(line: str) -> None:
    (entry,) = parse_file_list(f"{line}\n{HASH}  README.md\n", "list").entries
    assert (entry.pattern, entry.sha256) == (ONE, HASH)


def test_the_output_of_sha256sum_is_read(tmp_path: Path) -> None:
    (tmp_path / ONE).write_bytes(b"wheel")
    for options in ((), ("--binary",), ("--tag",)):
        text = subprocess.run(["sha256sum", *options, ONE], cwd=tmp_path, capture_output=True, text=True, check=True)
        (entry,) = parse_file_list(text.stdout, "list").entries
        assert (entry.pattern, len(entry.sha256 or "")) == (ONE, 64)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lists no wheel and no sdist"),
        ("[]", "lists no wheel and no sdist"),
        ("README.md\n", "lists no wheel and no sdist"),
        ("[1]", "list, line 1: must be a file name, not 1"),
        ('["a.whl"', "is not valid JSON"),
        ("d41d8cd98f00b204e9800998ecf8427e  acme-1.0.tar.gz", "list, line 1: d41d8cd98f00… is not a SHA-256"),
        (f"{HASH * 2}  acme-1.0.tar.gz", "list, line 1: 0123456789ab… is not a SHA-256"),
        ("acme-1.0.tar.gz\ncp311-manylinux\n", "list, line 2: 'cp311-manylinux' is not a wheel, an sdist or a pattern"),
        ("acme-1.0-cp311-cp311-win32\n", "is not a wheel, an sdist or a pattern"),
        ("two words.whl\n", "list, line 1: 'two words.whl' is not a file name"),
        (f"{HASH}  {ONE}\n{HASH[::-1]}  {ONE}\n", "is listed twice, with different hashes"),
    ],
)
def test_other_lists_are_errors_that_name_the_line(text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_file_list(text, "list")
    assert message in raised.value.message
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("pattern", "name", "is_match"),
    [
        ("cp311-*-manylinux*", "acme-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True),
        ("*-manylinux2014_x86_64", "acme-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True),
        ("CP311-*-Win32", ONE, True),
        ("cp311-*-win32", "acme-1.0-2-cp311-cp311-win32.whl", True),
        ("cp31-*-win32", ONE, False),
        ("cp311-win32", ONE, False),
        ("py3-none-any", "acme-1.0-py2.py3-none-any.whl", True),
        ("sdist", TWO, True),
        ("sdist", "acme-1.0.zip", True),
        ("sdist", ONE, False),
        ("*", ONE, True),
        ("*.tar.gz", TWO, True),
        ("*.tar.gz", ONE, False),
    ],
)
def test_patterns_are_compared_with_each_tag(pattern: str, name: str, is_match: bool) -> None:
    assert matches(pattern, name) is is_match


def test_patterns_in_a_list() -> None:
    entries = parse_file_list("cp311-*-win*\nsdist\npy3-none-any\nacme-*-cp312-*.whl\n", "list").entries
    assert [one.is_pattern for one in entries] == [True] * 4


def test_the_list_of_the_configuration_has_each_pattern_once() -> None:
    found = expected_files(["a-*.whl", "a-*.tar.gz", "a-*.whl"])
    assert [(one.pattern, one.sha256) for one in found.entries] == [("a-*.whl", None), ("a-*.tar.gz", None)]
    assert found.place == "`expected` in [tool.release]"

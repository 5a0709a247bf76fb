"""One value of an INI file changes, and every other byte stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.credentials.sources import pypirc_file
from release.credentials.sources.base import BrokenSourceError

FILE = (
    b"# mine\r\n[distutils]\r\nindex-servers =\r\n  pypi\r\n\r\n"
    b'[pypi]\r\nusername: a\r\npassword:\t"x"  ; old\r\n; end\r\n'
)


def test_a_value_is_replaced_where_it_stands() -> None:
    assert pypirc_file.with_value(FILE, "pypi", "password", "x") == FILE.replace(b'"x"  ; old', b"x")
    wrapped = b"[pypi]\npassword = ab\n   cd\nusername = a"
    assert pypirc_file.with_value(wrapped, "pypi", "password", "abcd") == b"[pypi]\npassword = abcd\nusername = a"
    assert pypirc_file.with_value(b"\xef\xbb\xbf" + FILE, "pypi", "username", "b") == b"\xef\xbb\xbf" + FILE.replace(
        b": a", b": b"
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (FILE, FILE.replace(b"  pypi\r\n", b"  pypi\r\n  acme\r\n")),
        (b"[distutils]\nindex-servers = pypi\n", b"[distutils]\nindex-servers = pypi acme\n"),
        (b"[distutils]\nindex-servers = pypi", b"[distutils]\nindex-servers = pypi acme"),
        (b"[distutils]\n[acme]\na = b\n", b"[distutils]\nindex-servers = pypi acme\n[acme]\na = b\n"),
        (b"[acme]\na = b\n", b"[distutils]\nindex-servers = pypi acme\n\n[acme]\na = b\n"),
        (b"\xef\xbb\xbf[acme]\na = b\n", b"\xef\xbb\xbf[distutils]\nindex-servers = pypi acme\n\n[acme]\na = b\n"),
    ],
)
def test_a_word_is_added_in_the_way_of_the_list(data: bytes, expected: bytes) -> None:
    assert pypirc_file.with_word(data, "distutils", "index-servers", "acme", ["pypi"]) == expected


def test_an_option_goes_with_its_lines() -> None:
    assert pypirc_file.without(FILE, "pypi", "password") == FILE.replace(b'password:\t"x"  ; old\r\n', b"")
    assert pypirc_file.without(b"[a]\nb = c\n  d\ne = f\n", "a", "b") == b"[a]\ne = f\n"


@pytest.mark.parametrize("data", [b"", b"[pypi\n", b"password = x\n", b"[a]\n[a]\n", b"[pypi]\n\xff = x\n"])
def test_what_is_not_there_or_not_readable_is_not_changed(data: bytes) -> None:
    assert pypirc_file.with_value(data, "pypi", "password", "y") is None
    assert pypirc_file.without(data, "pypi", "password") is None


_LINES = st.sampled_from(
    ("[pypi]", "[acme]", "[distutils]", "password = x", "password: y ; z", "username=a", "   more", "\tmore", "")
)
_ODD = st.sampled_from(("# note", "  # note", "; note", "password", "repository = https://a.test/", "index-servers ="))


@given(st.lists(_LINES | _ODD, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_whatever_the_file_nothing_else_changes(lines: list[str], end: str, last: bool) -> None:
    """Read back, only the one value differs; and what stands before and behind it is there to the byte."""
    data = (end.join(lines) + end * last).encode()
    new = pypirc_file.with_value(data, "pypi", "password", "NEW")
    if new is not None:
        before, after = pypirc_file.values(data), pypirc_file.values(new)
        assert before is not None
        assert after == {**before, ("pypi", "password"): "NEW"}
        head, tail = new.split(b"NEW")
        assert data.startswith(head)
        assert data.endswith(tail)


@pytest.mark.parametrize(
    ("data", "message", "remedy"),
    [
        (b"[a]\n[a]\n", "F, line 2: this section occurs a second time", "merge the two sections"),
        (b"[a]\nb = 1\nb = 2\n", "F, line 3: 'b' occurs a second time", "remove one of the two"),
        (b"b = 1\n", "F, line 1: a line before the first [section]", "start with [distutils] or [pypi]"),
        (b"[a]\nword\n", "F, line 2: neither a [section] nor a key = value", "correct or remove that line"),
        (b"[a]\n\xff\n", "F is not UTF-8: byte 4 belongs to no character", "save F as UTF-8"),
        (b"\xff\xfea\0", "F is UTF-16, which no tool reads", "save F as UTF-8"),
    ],
)
def test_what_is_wrong_with_a_file(tmp_path: Path, data: bytes, message: str, remedy: str) -> None:
    tmp_path.joinpath("f").write_bytes(data)
    with pytest.raises(BrokenSourceError) as broken:
        pypirc_file.load_pypirc(tmp_path / "f", "F")
    assert (broken.value.message, broken.value.remedy, broken.value.cause) == (message, remedy, "pypirc.malformed")


def test_a_file_with_a_section_that_is_not_utf_8_is_left_as_it_is() -> None:
    data = b"[caf\xe9]\npassword = x\n[pypi]\npassword = y\n"
    assert pypirc_file.with_value(data, "pypi", "password", "z") is None

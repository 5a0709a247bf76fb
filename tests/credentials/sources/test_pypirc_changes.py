"""Changes of lines of a `.pypirc`: in words, and made, with every other byte as it was."""

from __future__ import annotations

import pytest

from release.credentials.sources.pypirc_changes import LineChange

LOGIN = (
    b"[distutils]\nindex-servers = pypi\n[pypi]\nuser: ann\nPassword = old\n"
    b"repository = https://__token__:pypi-x@h/\na = b\n[acme]\nusername = bob\n"
)
LOGIN_AFTER = (
    b"[distutils]\nindex-servers = pypi\n[pypi]\nusername = __token__\npassword = pypi-x\na = b\n"
    b"[acme]\nusername = bob\n"
)


@pytest.mark.parametrize(
    ("change", "words", "before", "after"),
    [
        (LineChange(kind="unindent", first=2, last=3), "remove the blanks at the beginning of lines 2 to 3 of F",
         b"[a]\n  b = c\n\td = e\n", b"[a]\nb = c\nd = e\n"),
        (LineChange(kind="uncomment", first=2, last=2), "remove the '#' or ';' from line 2 of F",
         b"[a]\r\n # ;#b = c#\r\n", b"[a]\r\nb = c#\r\n"),
        (LineChange(kind="heading", first=1, last=1, text="pypi"), "write [pypi] in line 1 of F",
         b"[pipy]\r\na = b\r\n", b"[pypi]\r\na = b\r\n"),
        (LineChange(kind="heading", first=1, last=1, text="pypi"), "write [pypi] in line 1 of F", b"[x]", b"[pypi]"),
        (LineChange(kind="key", first=2, last=2, text="token"), "write 'password' in place of 'token' in line 2 of F",
         b"[a]\nToken = token\nb = c\n", b"[a]\npassword = token\nb = c\n"),
        (LineChange(kind="key", first=2, last=2, text="p.w"), "write 'password' in place of 'p.w' in line 2 of F",
         b"[a]\np.w = x\n", b"[a]\npassword = x\n"),
        (LineChange(kind="move", first=2, last=3, text="pypi"), "move lines 2 to 3 of F to a section [pypi]",
         b"[a]\nb = c\n d\ne = f", b"[a]\ne = f\n[pypi]\nb = c\n d\n"),
        (LineChange(kind="move", first=2, last=2, text="pypi"), "move line 2 of F to a section [pypi]",
         b"[a]\nb = c", b"[a]\n[pypi]\nb = c\n"),
        (LineChange(kind="move", first=2, last=2, text="pypi"), "move line 2 of F to a section [pypi]",
         b"[a]\nb = c\n[pypi]\nd = e\n", b"[a]\n[pypi]\nb = c\nd = e\n"),
        (LineChange(kind="move", first=3, last=3, text="pypi"), "move line 3 of F to a section [pypi]",
         b"[pypi]\n[a]\nb = X", b"[pypi]\nb = X\n[a]\n"),
        (LineChange(kind="move", first=1, last=1, text="pypi"), "move line 1 of F to a section [pypi]",
         b"b = c\n", b"[pypi]\nb = c\n"),
        (LineChange(kind="login", first=6, last=6),
         "write two lines in place of line 6 of F: username = __token__, and password = the token", LOGIN,
         LOGIN_AFTER),
        (LineChange(kind="login", first=2, last=2),
         "write two lines in place of line 2 of F: username = __token__, and password = the token",
         b"[pypi]\nuser = pypi-x", b"[pypi]\nusername = __token__\npassword = pypi-x\n"),
        (LineChange(kind="login", first=2, last=2),
         "write two lines in place of line 2 of F: username = __token__, and password = the token",
         b"[pypi]\r\nuser = pypi-x\r\npassword = y\r\n", b"[pypi]\r\nusername = __token__\r\npassword = pypi-x\r\n"),
    ],
)  # fmt: skip
def test_a_change(change: LineChange, words: str, before: bytes, after: bytes) -> None:
    assert change.to_text("F") == words
    assert change.apply(before) == after


@pytest.mark.parametrize(
    ("change", "data"),
    [
        (LineChange(kind="uncomment", first=1, last=1), b"# b = c\n"),  # no section before it
        (LineChange(kind="unindent", first=2, last=2), b"[a]\n  \xff = c\n"),
        (LineChange(kind="login", first=2, last=2), b"[a]\nuser = pypi-x pypi-y\n"),
        (LineChange(kind="login", first=2, last=2), b"[a]\nuser = none\n"),
        (LineChange(kind="login", first=2, last=2), b"a = b\nuser = pypi-x\n[acme]\nusername = bob\n"),
    ],
)
def test_a_change_that_cannot_be_made_safely(change: LineChange, data: bytes) -> None:
    assert change.apply(data) is None

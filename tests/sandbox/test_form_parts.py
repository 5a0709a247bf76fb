"""Odd forms are read as the index's server reads them. Recorded: WebOb 1.8.11 with legacy-cgi 2.6.4, 2026-11."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from werkzeug.wrappers import Request

from release.sandbox import form_parts
from release.sandbox.form_parts import parse_options
from release.sandbox.multipart import FailingFormError, InvalidFormError, receive_form

FORM = "multipart/form-data; boundary=b"
TEXT = b'Content-Disposition: form-data; name="a"'
FILE = b'Content-Disposition: form-data; name="content"; filename="f.whl"'


def part(head: bytes, data: bytes) -> bytes:
    return b"--b\r\n" + head + b"\r\n\r\n" + data + b"\r\n"


def received(directory: Path, body: bytes, content_type: str | None = FORM, method: str = "POST") -> object:
    """The fields, the file, and what the server fails on or refuses; the name of the error if it reads no form."""
    environ = {"REQUEST_METHOD": method, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    if content_type is not None:
        environ["CONTENT_TYPE"] = content_type
    try:
        with receive_form(Request(environ), directory) as form:
            found: dict[str, object] = {name: "|".join(values) for name, values in form.fields.items()}
            if form.content:
                form.content.stream.seek(0)
                found["content"] = (form.content.filename, form.content.content_type, form.content.stream.read())
            found |= {f"not a file: {name}": True for name in form.misplaced}
            found |= {"content fails": True} if form.content_fails else {}
            found |= {"field fails": True} if form.field_fails else {}
            return found
    except (InvalidFormError, FailingFormError) as error:
        return type(error).__name__


def typed(kind: bytes) -> bytes:
    return TEXT + b"\r\nContent-Type: " + kind


END = b"--b--\r\n"
LONG = "é" * 40_000
CASES: dict[str, tuple[bytes, object]] = {
    # lines and boundaries
    "no last boundary": (part(TEXT, b"x")[:-2], {"a": "x"}),
    "cut in a line end": (part(TEXT, b"x")[:-1], {"a": "x"}),
    "line feeds alone": (part(TEXT, b"x\ny").replace(b"\r\n", b"\n") + END, {"a": "x\ny"}),
    "text around": (b"hello\r\n" + part(TEXT, b"x") + END + b"bye", {"a": "x"}),
    "blanks after a boundary": (part(TEXT, b"x").replace(b"--b", b"--b \t") + END, {"a": "x"}),
    "a longer boundary is data": (part(TEXT, b"--bb\r\nx") + END, {"a": "--bb\r\nx"}),
    "a boundary within a line is data": (part(TEXT, b"x--b") + END, {"a": "x--b"}),
    "a carriage return at the end": (part(TEXT, b"x\r") + END, {"a": "x\r"}),
    "nothing but the end": (END, {}),
    # what a part is
    "no headers": (b"--b\r\n\r\nx\r\n" + part(TEXT, b"y") + END, {"a": "y"}),
    "two files": (
        part(FILE, b"1") + part(FILE.replace(b"f.whl", b"g.whl"), b"2") + END,
        {"content": ("g.whl", "text/plain", b"2")},
    ),
    "a file, then a field": (part(FILE, b"1") + part(TEXT, b"2") + END, {"a": "2", "content": (
        "f.whl", "text/plain", b"1")}),
    "content as text last": (part(FILE, b"1") + part(b"Content-Disposition: form-data; name=content", b"2") + END, {
        "content fails": True}),
    "text UNKNOWN in its place": (part(b"Content-Disposition: x; name=content", b"UNKNOWN ") + END, {}),
    "no file name": (part(FILE.partition(b"; file")[0], b"1") + END, {"content fails": True}),
    "filename*": (part(FILE.replace(b"filename=", b"filename*="), b"1") + END, {"content fails": True}),
    "an empty file name": (part(FILE.replace(b"f.whl", b""), b"1") + END, {"content fails": True}),
    "a field with an empty file name": (part(TEXT + b'; filename=""', b"1") + END, {"a": "1", "field fails": True}),
    "the same without data": (part(TEXT + b'; filename=""', b"") + END, {"a": ""}),
    "a field as a file": (part(TEXT + b"; filename=f", b"1") + END, {"not a file: a": True}),
    "a signature": (part(FILE.replace(b"content", b"gpg_signature"), b"1") + END, {}),
    "a backslash in a file name": (part(FILE.replace(b"f.", b"f\\\\."), b"") + END, {"content": (
        "f\\.whl", "text/plain", b"")}),
    # text
    "not UTF-8": (part(TEXT, b"caf\xe9") + END, {"a": "caf\N{REPLACEMENT CHARACTER}"}),
    "characters cut between two pieces": (
        part(TEXT, b"x" + LONG.encode()) + END,
        {"a": ("x" + LONG)[:32_768] + 2 * "\N{REPLACEMENT CHARACTER}" + LONG[32_768:]},
    ),
    "Latin-1": (part(typed(b"text/plain; charset=latin-1"), b"caf\xc3\xa9") + END, {"a": "caf\xc3\xa9"}),
    "a charset that does not fit": (part(typed(b"x; charset=ascii"), b"\xc3\xa9") + END, "InvalidFormError"),
    "an unknown charset": (part(typed(b"x; charset=nope"), b"x") + END, "FailingFormError"),
    "no charset of text": (part(typed(b"x; charset=hex"), b"x") + END, "FailingFormError"),
    "a file name in Latin-1": (part(FILE + b"\r\nContent-Type: x; charset=latin-1", b"\xff") + END, {"content": (
        "f.whl", "x", b"\xff")}),
    "base64": (part(TEXT + b"\r\nContent-Transfer-Encoding: base64", b"YWJj") + END, {"a": "abc"}),
    "base64 with padding within": (
        part(TEXT + b"\r\nContent-Transfer-Encoding: base64", b"YW=Jj YQ==") + END, {"a": "abca"}),
    "BASE64": (part(TEXT + b"\r\nContent-Transfer-Encoding: BASE64", b"YWJj") + END, {"a": "YWJj"}),
    "broken base64": (part(TEXT + b"\r\nContent-Transfer-Encoding: base64", b"YWJ") + END, "InvalidFormError"),
    "quoted-printable": (part(TEXT + b"\r\nContent-Transfer-Encoding: quoted-printable", b"=41") + END, {"a": "A"}),
    # parts that are forms
    "a form in the form": (part(FILE + b"\r\nContent-Type: multipart/a; boundary=q", b"") + part(TEXT, b"x") + END, {
        "content": ("f.whl", "multipart/a", b""), "content fails": True}),
    "a form without a boundary": (part(typed(b"multipart/mixed"), b"") + END, "InvalidFormError"),
    "an upper-case type is none": (part(typed(b"Multipart/mixed"), b"x") + END, {"a": "x"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_form_is_read_as_the_server_reads_it(tmp_path: Path, case: str) -> None:
    body, expected = CASES[case]
    assert received(tmp_path, body) == expected
    assert list(tmp_path.iterdir()) == []


TYPES: dict[str | None, object] = {
    'multipart/form-data;boundary="b"': {"a": "x"},
    "multipart/form-data; BOUNDARY=b; charset=UTF-8": {"a": "x"},
    "multipart/form-data; boundary=b; charset=latin-1": "FailingFormError",
    "multipart/form-data": "InvalidFormError",
    "multipart/form-data; boundary='b'": {},
    "multipart/form-data ; boundary=b": {},
    "Multipart/Form-Data; boundary=b": {},
    "multipart/mixed; boundary=b": {},
    "": {},
}


@pytest.mark.parametrize("content_type", TYPES)
def test_the_type_of_the_request_decides(tmp_path: Path, content_type: str) -> None:
    assert received(tmp_path, part(TEXT, b"x") + END, content_type) == TYPES[content_type]


def test_ordinary_forms(tmp_path: Path) -> None:
    body, ordinary = b"a=1&b=%ff&c&a=2;d&e=%zz+x", "application/x-www-form-urlencoded"
    expected = {"a": "1|2;d", "b": "\N{REPLACEMENT CHARACTER}", "c": "", "e": "%zz x"}
    assert received(tmp_path, body, ordinary) == expected
    assert received(tmp_path, body, None) == expected, "the server takes a POST without a type for an ordinary form"
    assert received(tmp_path, body, ordinary, "PUT") == expected
    assert received(tmp_path, body, None, "PUT") == {}
    assert received(tmp_path, body, ordinary, "GET") == {}
    assert received(tmp_path, b"a=1&content=UNKNOWN&content=x", ordinary) == {"a": "1", "content fails": True}
    assert received(tmp_path, b"a=1&content=x&content=UNKNOWN", ordinary) == {"a": "1"}


def test_heads_that_all_forms_have_are_parsed_once(tmp_path: Path) -> None:
    form_parts._parse_head.cache_clear()
    for data in (b"1", b"2"):
        assert received(tmp_path, part(TEXT, data) + END) == {"a": data.decode()}
    assert form_parts._parse_head.cache_info().misses == 1


@pytest.mark.parametrize(
    ("header", "options"),
    [
        ("form-data", {}),
        ('x; a="b;c"; D = e', {"a": "b;c", "d": "e"}),
        ('x; a="b\\"c"', {"a": 'b"c'}),
        ('x; a="open; b=c', {"a": '"open; b=c'}),
        ('x;;a;b=""', {"b": ""}),
        ('x; a="', {"a": '"'}),
    ],
)
def test_parameters_of_a_header(header: str, options: dict[str, str]) -> None:
    assert parse_options(header)[1] == options

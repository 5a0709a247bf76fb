"""What a text file of a user says, in the encodings of shells and editors."""

from __future__ import annotations

import codecs

import pytest

from release.core.decoding import decode_text

TEXT = "pkg-*.whl → é\r\nx\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    ],
)
def test_a_text_is_read_in_the_encodings_that_editors_write(data: bytes) -> None:
    assert decode_text(data) == TEXT


def test_an_empty_text_is_one() -> None:
    assert decode_text(b"") == decode_text(codecs.BOM_UTF16_LE) == ""


@pytest.mark.parametrize("data", ["é".encode("cp1252"), codecs.BOM_UTF16_LE + b"a\0b"])
def test_what_is_in_no_such_encoding_is_an_error(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        decode_text(data)
    assert "\ufffd" in decode_text(data, "replace")

"""The body of an upload, against the encoder that twine uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from requests import Request
from requests_toolbelt import MultipartEncoder

from release.adapters.twine.upload_body import UploadBody

TEXTS = [("name", "acme"), ("summary", "Ä \N{SNOWMAN}\r\n--"), ("description", "x" * 100_000), ("empty", "")]


def body(form: Any, size: int) -> list[bytes]:
    """What a form sends, read in blocks of a size."""
    return list(iter(lambda: form.read(size), b""))


@pytest.mark.parametrize("name", ["acme-1.0-py3-none-any.whl", 'a "quoted"\r\nname.whl', "ä.whl"])
@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 700], ids=len)
@pytest.mark.parametrize("size", [-1, 1000, 64 * 1024])
def test_the_bytes_are_those_of_the_encoder_that_twine_uses(
    tmp_path: Path, name: str, content: bytes, size: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with path.open("rb") as first, path.open("rb") as second:
        form = UploadBody([*TEXTS, ("content", (name, first, "application/octet-stream"))])
        fields = [*TEXTS, ("content", (name, second, "application/octet-stream"))]
        encoder = MultipartEncoder(fields, boundary=form.content_type.partition("boundary=")[2])
        assert form.content_type == encoder.content_type
        prepared = Request("POST", "http://127.0.0.1/", data=form).prepare()
        assert prepared.headers["Content-Length"] == str(encoder.len)
        blocks = body(form, size)
        expected = encoder.read()
    assert b"".join(blocks) == expected
    assert size == -1 or {len(one) for one in blocks[:-1]} <= {size}


def test_each_form_has_a_boundary_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    with path.open("rb") as file:
        types = {UploadBody([("content", ("f", file, "t"))]).content_type for _ in range(10)}
    assert len(types) == 10


@pytest.mark.parametrize("now", [b"12", b"123456789"], ids=["shorter", "longer"])
def test_no_more_is_sent_than_was_announced_of_a_file_that_changes(tmp_path: Path, now: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    with path.open("rb", buffering=0) as file:
        form = UploadBody([("content", ("f", file, "t"))])
        announced = form.len
        path.write_bytes(now)
        sent = b"".join(body(form, 4))
    assert now[:5] in sent
    assert len(sent) == announced - (5 - len(now[:5]))


@pytest.mark.parametrize(
    "others", [[("gpg_signature", ("f.asc", b"signature"))], [("keywords", ["a", "b"])], [("comment", None)]]
)
def test_another_form_is_an_error(tmp_path: Path, others: list[tuple[str, Any]]) -> None:
    """A later version of twine may send other fields: then nothing is sent, instead of a form with less in it."""
    path = tmp_path / "file"
    path.write_bytes(b"")
    with path.open("rb") as file:
        content = ("content", ("f", file, "t"))
        for fields in ([*others, content], [content, ("name", "acme")], [("name", "acme")]):
            with pytest.raises((TypeError, ValueError)):
                UploadBody(fields)

"""A tar with a long header is refused before it is read; an ordinary one is read as the standard library does."""

from __future__ import annotations

import io
import tarfile

import pytest

from release.core import bounded_tar
from release.core.bounded_tar import BoundedMember, LongHeaderError


def archive(comment: str) -> io.BytesIO:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("a.txt")
        member.pax_headers = {"comment": comment}
        tar.addfile(member)
    target.seek(0)
    return target


def names(data: io.BytesIO) -> list[str]:
    with tarfile.open(fileobj=data, tarinfo=BoundedMember) as tar:
        return tar.getnames()


def header_size(data: bytes) -> int:
    return int(data[124:135], 8)


def test_the_longest_header_is_read_and_a_longer_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    data = archive("x" * 100)
    size = header_size(data.getvalue())
    monkeypatch.setattr(bounded_tar, "_LONGEST_HEADER", size)
    with tarfile.open(fileobj=data, tarinfo=BoundedMember) as tar:
        (member,) = tar.getmembers()
    assert (member.name, member.pax_headers) == ("a.txt", {"comment": "x" * 100})
    monkeypatch.setattr(bounded_tar, "_LONGEST_HEADER", size - 1)
    with pytest.raises(LongHeaderError, match=rf"^it is a tar with a header of {size} bytes$"):
        names(archive("x" * 100))


def test_the_size_of_a_long_header_has_commas() -> None:
    with pytest.raises(LongHeaderError, match=r"^it is a tar with a header of 70,0\d\d bytes$"):
        names(archive("x" * 70_000))

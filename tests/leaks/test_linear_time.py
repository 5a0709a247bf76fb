"""Text in which secrets seem to begin everywhere is searched in a time that grows with its size, and no faster."""

from __future__ import annotations

import base64
import gzip
import io
import random
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from release.adapters.system.system import real_system
from release.leaks import file_scan, scan_limit, search
from release.leaks.credential_files import named_in_tree
from release.leaks.scanner import may_hold_secret, scan_bytes
from release.reports import leaks_text
from tests import fake_tokens, sample_distributions

KIB = 1024
#: seconds of CPU time for each KiB at most, a hundred times what it takes; the quadratic search took 0.2 s
LIMIT = 0.02
HOST = b"AgEIcHlwaS5vcmc"
#: the beginning of a token up to a caveat of 6,000 bytes, whose end is missing
HEAD = base64.urlsafe_b64encode(
    b"\x02\x01\x08pypi.org\x02\x24" + fake_tokens.identifier().encode() + b"\0\x02\xf0\x2e"
).rstrip(b"=")
AWS = b"AKIAQ3EGTXUHRN7WLMZ2 "


def torn(text: bytes) -> bytes:
    """Each character on a line of its own."""
    return b"".join(b"%c\n" % one for one in text)


#: what is repeated: the beginnings of secrets, without the rest
NEAR_MATCHES: dict[str, bytes] = {
    "anchor": b"AgE",
    "anchor, wrapped in source": b'AgE"+\n "',
    "anchor on each line": b"AgE\n",
    "anchor, torn": torn(b"AgE"),
    "anchor, percent-encoded": b"pypi%2DAgE%0A",
    "anchor, escaped as in JSON": b'AgE"\\n\\u0041gE\\n',
    "anchor, and blanks": b"A" + b'"' * 79 + b"\n" + b" " * 79 + b"g",
    "anchor in UTF-16": b"A\0g\0E\0",
    "anchor in UTF-16, at odd places": b"A\0g\0E\0z",
    "location": HOST,
    "location on each line": HOST + b"\n",
    "location, torn": torn(HOST),
    "token without its end": HEAD,
    "token without its end, on each line": HEAD + b"\n",
    "token without its end, torn": torn(HEAD),
    "token without its end, escaped": HEAD[:30] + b"\\n" + HEAD[30:] + b"\\n",
    "Basic authorisation": b"X190b2tlbl9fOnB5cGktQWdF",
    "Basic authorisation, apart": b"X190b2tlbl9fOnB5cGktQWdF ",
    "base64": base64.b64encode(random.Random(1).randbytes(3 * KIB)),  # noqa: S311 - bulk
    "private key without its end": b"-----BEGIN PRIVATE KEY-----",
    "private keys with one end": b"-----BEGIN PRIVATE KEY-----" * 700 + b"-----END ",
    "private key with many names": b"-----BEGIN " + b"ATE KEY" * 4 + b"PRIVATE KEY-----",
    "private key with a long header": b"-----BEGIN PRIVATE KEY-----\n" + b"A-" * 40 + b"\n",
    "PuTTY": b"PuTTY-User-Key-File-2: ",
    "PuTTY without its end": b"PuTTY-User-Key-File-2: x\n" + b"AC: 0\n" * 400,
    "PuTTY's last line": b"Private-MAC: 0\n",
    "AWS": AWS,
    "AWS with a text of forty": AWS + b"abcdefghijklmnopqrstuvwxyzabcdefghijklmn ",
    "Google": b"AIza",
    "GitHub": b"ghp_" + b"a1B2c3D4e5F6" * 3,
    "GitLab": b"glpat-",
    "GitLab, random": b"-".join((b"glpat", b"qW3rTy7uI9oPaS5dF1gH")),
    "Slack": b"xoxb-1234567890-1234567890-1234567890-",
    "Stripe": b"sk_live_" + b"a1B2c3D4" * 30,
    "underscores": b"_" + b"a" * 21,
    "dashes": b"-",
}
#: the same for credential files: name, text
IN_FILES = {
    "blanks": (".env", b" "),
    "lines of blanks": (".netrc", b"\r\n "),
    "names of secrets": (".env", b"TOKEN" * 12 + b" " * 60 + b"\n"),
    "placeholders": (".env", b"TOKEN=a1b2c3d4-localhost\n"),
    "a long value": (".env", b"."),
    "passwords in a netrc": (".netrc", b"password "),
    "a netrc without values": (".netrc", b"x password\n"),
    "addresses": (".git-credentials", b"https://a:"),
    "a pypirc without values": (".pypirc", b"password:\t"),
    "placeholders in a pypirc": (".pypirc", b"password=..\n"),
}


def cpu_time(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def assert_linear(work: Callable[[bytes], object], piece: bytes, size: int) -> None:
    """Of text of four times the size, the work takes some four times as long, and little for its size."""
    texts = [(piece * (size * times // len(piece) + 1))[: size * times] for times in (1, 4)]
    small, large = (cpu_time(lambda text=text: work(text)) for text in texts)  # type: ignore[misc] # bound for each
    assert large < 6 * small + 0.1
    assert large < 4 * size / KIB * LIMIT


def scan(path: str) -> Callable[[bytes], object]:
    return lambda text: (scan_bytes(text, path), may_hold_secret(text))


@pytest.mark.parametrize("piece", NEAR_MATCHES.values(), ids=NEAR_MATCHES)
def test_near_matches_take_linear_time(piece: bytes) -> None:
    assert_linear(scan("notes.txt"), piece, 4 * KIB)


@pytest.mark.parametrize(("path", "piece"), IN_FILES.values(), ids=IN_FILES)
def test_near_matches_in_credential_files_take_linear_time(path: str, piece: bytes) -> None:
    assert_linear(scan(path), piece, 4 * KIB)
    assert_linear(lambda text: scan_bytes(b"TOKEN=" + text, path), piece, 4 * KIB)


@pytest.mark.slow
@pytest.mark.parametrize("piece", NEAR_MATCHES.values(), ids=NEAR_MATCHES)
def test_a_megabyte_of_near_matches_takes_linear_time(piece: bytes) -> None:
    assert_linear(scan("notes.txt"), piece, 256 * KIB)


@pytest.mark.slow
@pytest.mark.parametrize(("path", "piece"), IN_FILES.values(), ids=IN_FILES)
def test_a_megabyte_of_near_matches_in_credential_files_takes_linear_time(path: str, piece: bytes) -> None:
    assert_linear(scan(path), piece, 256 * KIB)


@pytest.mark.parametrize("name", [b"100644 ", b".env", b"x.envpypirc"])
def test_a_hostile_tree_of_git_takes_linear_time(name: bytes) -> None:
    assert_linear(lambda text: list(named_in_tree(b"100644 " + text, 20)), name, 64 * KIB)
    assert_linear(lambda text: list(named_in_tree(b"100644 " + text + b".env\0" + bytes(20), 20)), name, 64 * KIB)


def test_the_credential_files_of_a_tree_are_named() -> None:
    entries = {b"100644 .env": "2e", b"100755 a b.pypirc": "61", b"40000 .env": "62", b"120000 .netrc": "63"}
    tree = b"".join(mode + b"\0" + bytes.fromhex(one) * 20 for mode, one in entries.items())
    assert list(named_in_tree(tree, 20)) == [("2e" * 20, ".env"), ("61" * 20, "a b.pypirc")]
    assert list(named_in_tree(tree[:-1], 20)) == list(named_in_tree(tree, 20))


def test_a_token_among_near_matches_is_found_with_its_line() -> None:
    name = fake_tokens.identifier()
    text = 'AgE"+\n "' * KIB + fake_tokens.token(name) + '"\n' + 'AgE"+\n "' * KIB
    assert [(leak.identity, leak.line) for leak in scan_bytes(text.encode())] == [(name, KIB + 1)]
    wide = b"\xff" + 3 * b"A\0g\0E\0\n\0" + fake_tokens.token(name).encode("utf-16-le") + b"A\0g\0E\0"
    assert [(leak.identity, leak.line) for leak in scan_bytes(wide)] == [(name, 4)]


def test_a_tar_with_a_long_header_is_named() -> None:
    """The library of older versions of Python takes a quarter of an hour for one of a megabyte."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("a" * 200))
        info = tarfile.TarInfo("b")
        info.type, info.size = tarfile.XHDTYPE, 1 << 20
        archive.addfile(info, io.BytesIO(b"1" * info.size))
    (unread,) = file_scan.scan_content(gzip.compress(stream.getvalue()), "a.tgz").unread
    assert "header of 1,048,576 bytes" in unread.reason


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_that_takes_too_long_is_named_and_is_not_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    """Neither in a directory nor as a file that was named; what was found until then is reported."""
    token = fake_tokens.token()
    text = token.encode() + b"\n" + b"AgE" * KIB
    (tmp_path / "slow.bin").write_bytes(sample_distributions.zipped({"a.txt": text}) if packed else text)
    monkeypatch.setattr(scan_limit, "_SECONDS", -1)
    for path in (tmp_path, tmp_path / "slow.bin"):
        found = search.scan_paths(real_system(), tmp_path, [path])
        (unread,) = leaks_text.leaks_to_json(found)["unread"]
        assert (unread["path"], "not searched to its end" in unread["reason"]) == ("slow.bin", True)
        assert leaks_text.leaks_block(found)
        lines = list(leaks_text.leaks_to_text(found))
        assert lines[0].startswith("FAIL  not searched: slow.bin: ")
        assert lines[-1].endswith(", and 1 file not searched to the end")
        assert list(leaks_text.leaks_to_text(found, quiet=True)) == lines[:1]


def test_a_header_whose_size_is_damaged_is_no_long_header() -> None:
    """A project may keep damaged archives among its tests: what can be read of them is searched."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 62
    secret = fake_tokens.checksummed_token("ghp_")
    content = info.tobuf(tarfile.GNU_FORMAT) + f"\n{secret}\n".encode() + bytes(1024)
    found = file_scan.scan_content(content, "a.tar")
    assert len(found.leaks) == 1
    assert not found.unread
    assert not file_scan.scan_content(gzip.compress(content), "a.tgz").unread

"""Files, archives in archives, and directories."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import subprocess
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from release.adapters.system.system import real_system
from release.core.models.leak import ScanResult
from release.leaks import file_scan, prefilter, worktree
from release.leaks.scanner import OVERLAP
from tests import fake_tokens, sample_distributions


def identities(found: ScanResult) -> list[str]:
    return [leak.identity for leak in found.leaks]


def paths(found: ScanResult) -> list[str]:
    return sorted(leak.path for leak in found.leaks)


PACKINGS: dict[str, Callable[[bytes], tuple[bytes, str]]] = {
    "zip": lambda data: (sample_distributions.zipped({"a/b.txt": data}), "!a/b.txt"),
    "tar.gz": lambda data: (sample_distributions.tarred({"a/b.txt": data.decode()}), "!a/b.txt"),
    "tar": lambda data: (gzip.decompress(sample_distributions.tarred({"a/b.txt": data.decode()})), "!a/b.txt"),
    "tar.xz": lambda data: (
        lzma.compress(gzip.decompress(sample_distributions.tarred({"a/b.txt": data.decode()}))),
        "!a/b.txt",
    ),
    "gz": lambda data: (gzip.compress(data), ""),
    "bz2": lambda data: (bz2.compress(data), ""),
    "xz": lambda data: (lzma.compress(data), ""),
    "zip in tar.gz in whl": lambda data: (
        sample_distributions.zipped(
            {"in.tgz": sample_distributions.tarred({"x.zip": sample_distributions.zipped({"b.txt": data})})}
        ),
        "!in.tgz!x.zip!b.txt",
    ),
}


@pytest.mark.parametrize("pack", PACKINGS.values(), ids=PACKINGS)
def test_a_token_is_found_in_every_kind_of_archive(pack: Callable[[bytes], tuple[bytes, str]], tmp_path: Path) -> None:
    name = fake_tokens.identifier()
    packed, place = pack(f"one\ntwo\n{fake_tokens.token(name)}\n".encode())
    (tmp_path / "f").write_bytes(packed)
    for found in (
        file_scan.scan_content(packed, "f"),
        file_scan.scan_file(tmp_path / "f", "f"),
        file_scan.scan_stream(io.BytesIO(packed), "f", 1),
    ):
        assert [(leak.path, leak.line, leak.identity) for leak in found.leaks] == [("f" + place, 3, name)]
        assert found.unread == ()


def test_credential_files_are_known_by_their_names_in_archives() -> None:
    packed = sample_distributions.zipped({"x/.pypirc": "[pypi]\npassword = q7-Zebra-42\n"})
    assert [leak.kind for leak in file_scan.scan_content(packed, "a.whl").leaks] == ["pypirc"]


@pytest.mark.parametrize("cut", [1, 10, 200])
def test_a_damaged_archive_is_searched_as_far_as_it_goes(cut: int) -> None:
    name = fake_tokens.identifier()
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("a.txt", fake_tokens.token(name) + "\n" * 300)
    assert identities(file_scan.scan_content(stored.getvalue()[:-cut], "a.zip")) == [name]


def test_a_token_on_the_border_of_two_pieces_is_found_once_with_its_line(tmp_path: Path) -> None:
    name = fake_tokens.identifier()
    token = fake_tokens.token(name).encode()
    before = b"x\n" * ((file_scan._AT_A_TIME - 80) // 2)  # the border, wherever it is
    data = before + token + b"\n" + b"y\n" * OVERLAP
    (tmp_path / "large").write_bytes(data)
    found = file_scan.scan_file(tmp_path / "large", "large")
    assert [(leak.identity, leak.line) for leak in found.leaks] == [(name, before.count(b"\n") + 1)]
    packed = gzip.compress(data, compresslevel=1)
    assert [(leak.identity, leak.line) for leak in file_scan.scan_content(packed, "large.gz").leaks] == [
        (name, before.count(b"\n") + 1)
    ]


@pytest.mark.parametrize("packed", [True, False])
def test_a_huge_member_takes_little_memory(tmp_path: Path, packed: bool) -> None:
    """A release of one wheel of 100 MB is searched in the process that uploads it: pieces, never the whole."""
    with zipfile.ZipFile(tmp_path / "a.whl", "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        archive.writestr("a/data.bin", random.Random(1).randbytes(1 << 20) * 40)  # noqa: S311 - bulk
    tracemalloc.start()
    try:
        assert file_scan.scan_file(tmp_path / "a.whl", "a.whl").unread == ()
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("depth", [0, 1])
def test_a_bomb_is_told_and_not_unpacked(depth: int) -> None:
    bomb = gzip.compress(bytes(80 << 20), compresslevel=6)
    packed = sample_distributions.zipped({"b.gz": bomb}) if depth else bomb
    found = file_scan.scan_content(packed, "bomb")
    assert [one.path for one in found.unread] == ["bomb"]
    assert "unpacks" in found.unread[0].reason


def test_a_header_that_claims_gigabytes_costs_no_memory() -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 1 << 33
    data = gzip.compress(info.tobuf() + bytes(1 << 16))
    assert file_scan.scan_content(data, "a.tgz").leaks == ()


def test_archives_without_end_are_told() -> None:
    packed = b"x"
    for _ in range(12):
        packed = sample_distributions.zipped({"a.zip": packed})
    (unread,) = file_scan.scan_content(packed, "a.zip").unread
    assert "inside" in unread.reason


def git(where: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@b", *words], cwd=where, check=True, capture_output=True
    )


def test_outside_a_repository_all_but_litter_is_searched(tmp_path: Path) -> None:
    for place in ("a.txt", "sub/b.txt", "node_modules/c.txt", ".nox/d.txt", "env/e.txt"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(fake_tokens.token())
    (tmp_path / "env" / "pyvenv.cfg").touch()
    found = worktree.scan_directory(real_system(), tmp_path)
    assert paths(found) == ["a.txt", "sub/b.txt"]
    assert found.count == 2


def test_in_a_repository_all_but_what_git_ignores_is_searched(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("ignored.txt\n")
    for place in ("tracked.txt", "new.txt", "ignored.txt"):
        (tmp_path / place).write_text(fake_tokens.token())
    (tmp_path / "clean.txt").write_text("nothing")
    git(tmp_path, "add", ".gitignore", "tracked.txt", "clean.txt")
    found = worktree.scan_directory(real_system(), tmp_path)
    assert paths(found) == ["new.txt", "tracked.txt"]
    assert found.count == 4


def test_a_subdirectory_of_a_repository_is_searched_alone(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "sub").mkdir()
    for place in ("a.txt", "sub/b.txt"):
        (tmp_path / place).write_text(fake_tokens.token())
    git(tmp_path, "add", ".")
    assert paths(worktree.scan_directory(real_system(), tmp_path / "sub")) == ["b.txt"]


def test_submodules_are_searched(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    for place in (inner, outer):
        place.mkdir()
        git(place, "init", "-q")
    (inner / "a.txt").write_text(fake_tokens.token())
    git(inner, "add", ".")
    git(inner, "commit", "-q", "-m", "x")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    assert paths(worktree.scan_directory(real_system(), outer)) == ["sub/a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="Windows gives links to administrators alone")
def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(fake_tokens.token())
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(tmp_path / "elsewhere")
    (tree / "broken").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tree / "pipe")  # type: ignore[attr-defined,unused-ignore]
    found = worktree.scan_directory(real_system(), tree)
    assert (found.leaks, found.unread) == ((), ())


def forms() -> dict[str, bytes]:
    token = fake_tokens.token()
    texts = {
        "plain.txt": token,
        "prefix.txt": token[:5] + "\n    " + token[5:],
        "anchor.txt": token[:6] + "\\\n" + token[6:],
        "anchor2.txt": token[:7] + "\n> " + token[7:],
        "body.txt": token[:60] + "\n" + token[60:],
        "github.txt": fake_tokens.checksummed_token("ghp_"),
        "npm.txt": fake_tokens.checksummed_token("npm_"),
        "stripe.txt": "rk_live_" + fake_tokens.random_text(30),
        "gitlab.txt": "gldt-" + fake_tokens.random_text(20),
        "key.txt": fake_tokens.private_key(),
    }
    wide = {f"wide{number}.txt": token.encode(name) for number, name in enumerate(("utf-16", "utf-16-be"))}
    packed = {"a.bin": sample_distributions.zipped({"x": token}), "b.bin": sample_distributions.tarred({"x": token})}
    packed |= {"c.bin": gzip.decompress(packed["b.bin"]), "d.bin": bz2.compress(token.encode())}
    return {name: text.encode() for name, text in texts.items()} | wide | packed


def test_git_stops_at_whatever_a_search_finds(tmp_path: Path) -> None:
    """The two sieves differ in what they can read: git's looks at one line at a time."""
    git(tmp_path, "init", "-q")
    made = forms()
    for name, data in made.items():
        (tmp_path / name).write_bytes(b"first line\n" * (not file_scan.archive_format(data)) + data)
    for name in ("clean.txt", "clean.c"):
        (tmp_path / name).write_text("nothing AgE here, and no ghp_ either\n")
    git(tmp_path, "add", ".")
    assert set(chain.from_iterable(worktree.start_grep(real_system(), tmp_path).suspects())) == set(made)
    assert paths(worktree.scan_directory(real_system(), tmp_path)) == sorted(
        f"{name}!x" if name in {"a.bin", "b.bin", "c.bin"} else name for name in made
    )


def test_where_git_knows_no_such_patterns_every_file_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.txt").write_text(fake_tokens.token())
    (tmp_path / "b.txt").write_text("x")
    git(tmp_path, "add", ".")
    monkeypatch.setattr(prefilter, "LINES", ("(",))
    assert [*chain.from_iterable(worktree.start_grep(real_system(), tmp_path).suspects())] == ["a.txt", "b.txt"]
    assert paths(worktree.scan_directory(real_system(), tmp_path)) == ["a.txt"]


def test_many_files_are_searched_by_several_processes_with_the_same_result(tmp_path: Path) -> None:
    for number in range(worktree._MANY + 1):
        (tmp_path / f"{number}.txt").write_text(fake_tokens.token() if number % 100 == 0 else "x")
    found = worktree.scan_directory(real_system(), tmp_path)
    assert len(found.leaks) == len(range(0, worktree._MANY + 1, 100))
    assert paths(found) == [leak.path for leak in found.leaks]

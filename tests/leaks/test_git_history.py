"""What git keeps: deleted files, messages, stashes, archives; and what is staged."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.git import objects
from release.adapters.system import parallel
from release.adapters.system.system import System, real_system
from release.core.errors import ToolError
from release.core.facts import LeakScan
from release.core.models.leak import Leak, ScanResult
from release.leaks import git_history, search
from tests import fake_tokens, sample_distributions

_QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
_WHO = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def system(**more: str) -> System:
    here = real_system()
    return replace(here, env={**here.env, **_QUIET, **_WHO, **more})


def git(where: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=where, check=True, capture_output=True, text=True, env=dict(system().env)
    ).stdout.strip()


def commit(where: Path, message: str = "x", **files: str | bytes | None) -> str:
    """Commit files; one without content is removed. Returns the commit."""
    if not (where / ".git").exists():
        where.mkdir(exist_ok=True)
        git(where, "init", "-q", "-b", "main")
    for name, content in files.items():
        path = where / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    git(where, "add", "-A")
    git(where, "commit", "-q", "--allow-empty", "-m", message)
    return git(where, "rev-parse", "HEAD")


def found(where: Path) -> tuple[Leak, ...]:
    return git_history.scan_history(system(), where).leaks


def test_a_token_in_a_deleted_file_is_found_with_the_commit_that_brought_it_in(tmp_path: Path) -> None:
    name = fake_tokens.identifier()
    commit(tmp_path, a_txt="x")
    there = commit(tmp_path, deploy__conf_ini=f"[x]\ntoken = {fake_tokens.token(name)}\n")
    commit(tmp_path, deploy__conf_ini=None)
    (leak,) = found(tmp_path)
    assert (leak.identity, leak.path, leak.line, leak.commit) == (name, "deploy/conf.ini", 2, there)
    assert leak.where == f"deploy/conf.ini:2 in commit {there[:12]}"


def test_a_secret_in_many_versions_is_one_leak_at_its_first(tmp_path: Path) -> None:
    token = fake_tokens.token()
    first = commit(tmp_path, a_txt=f"1 {token}")
    commit(tmp_path, a_txt=f"2 {token}")
    commit(tmp_path, b_txt=f"3 {token}", a_txt="gone")
    (leak,) = found(tmp_path)
    assert (leak.path, leak.commit, leak.others) == ("a.txt", first, 2)


def test_a_token_in_a_commit_message_is_found(tmp_path: Path) -> None:
    there = commit(tmp_path, message=f"Publish\n\nwith {fake_tokens.token()}", a_txt="x")
    (leak,) = found(tmp_path)
    assert (leak.object, leak.object_type) == (there, "commit")
    assert there[:12] in leak.where


def test_a_token_in_the_message_of_a_tag_is_found(tmp_path: Path) -> None:
    commit(tmp_path, a_txt="x")
    git(tmp_path, "tag", "-a", "v1", "-m", fake_tokens.token())
    (leak,) = found(tmp_path)
    assert leak.object_type == "tag"


def test_what_no_branch_reaches_is_found(tmp_path: Path) -> None:
    stashed, amended = fake_tokens.identifier(), fake_tokens.identifier()
    commit(tmp_path, a_txt="x")
    (tmp_path / "a.txt").write_text(fake_tokens.token(stashed))
    git(tmp_path, "stash")
    commit(tmp_path, b_txt=fake_tokens.token(amended))
    git(tmp_path, "reset", "-q", "--hard", "HEAD~1")
    assert {leak.identity for leak in found(tmp_path)} == {stashed, amended}


def test_an_object_that_is_in_no_commit_is_found(tmp_path: Path) -> None:
    commit(tmp_path, a_txt="x")
    (tmp_path / "b.txt").write_text(fake_tokens.token())
    git(tmp_path, "add", "b.txt")
    git(tmp_path, "rm", "-q", "--cached", "b.txt")
    (leak,) = found(tmp_path)
    assert (leak.commit, leak.path) == (None, "")
    assert leak.object
    assert leak.object[:12] in leak.where


def test_archives_in_history_are_opened(tmp_path: Path) -> None:
    packed = sample_distributions.tarred({"in.zip": sample_distributions.zipped({"b.txt": fake_tokens.token()})})
    there = commit(tmp_path, dist__a_tgz=packed)
    (leak,) = found(tmp_path)
    assert (leak.path, leak.commit) == ("dist/a.tgz!in.zip!b.txt", there)


def test_credential_files_in_history_are_known_by_their_names(tmp_path: Path) -> None:
    there = commit(tmp_path, home___pypirc="[pypi]\npassword = q7-Zebra-42\n", notes_txt="password = q7-Zebra-43")
    commit(tmp_path, home___pypirc=None)
    (leak,) = found(tmp_path)
    assert (leak.kind, leak.path, leak.commit) == ("pypirc", "home/.pypirc", there)


def test_a_secret_that_a_later_version_adds_is_found(tmp_path: Path) -> None:
    """Later versions are searched only where they differ."""
    name = fake_tokens.identifier()
    lines = [f"line {number} of a text that is long enough to be kept" for number in range(400)]
    for number in range(5):
        commit(tmp_path, a_txt="\n".join([*lines[:200], f"version {number}", *lines[200:]]))
    there = commit(tmp_path, a_txt="\n".join([*lines[:300], fake_tokens.token(name), *lines[300:]]))
    (leak,) = found(tmp_path)
    assert (leak.identity, leak.commit, leak.line) == (name, there, 301)


def test_a_file_larger_than_a_piece_is_searched(tmp_path: Path) -> None:
    name = fake_tokens.identifier()
    commit(tmp_path, a_bin=b"x\n" * (objects.PIECE // 2 + 5) + fake_tokens.token(name).encode(), b_txt="y")
    (leak,) = found(tmp_path)
    assert (leak.identity, leak.line) == (name, objects.PIECE // 2 + 6)


def test_large_histories_are_searched_by_several_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [fake_tokens.identifier() for _ in range(6)]
    for number, name in enumerate(names):
        commit(tmp_path, **{f"f{number}_txt": fake_tokens.token(name)})
    monkeypatch.setattr(git_history, "_LARGE", 1)
    for module in (git_history, parallel):
        monkeypatch.setattr(module, "usable_processors", lambda: 8)
    assert {leak.identity for leak in found(tmp_path)} == set(names)
    monkeypatch.setattr(git_history, "_LARGE_PACKS", 1)
    git(tmp_path, "repack", "-dfq")
    for number, name in enumerate(names[:3]):
        commit(tmp_path, **{f"g{number}_txt": f"again {fake_tokens.token(name)}"})
    assert {leak.identity for leak in found(tmp_path)} == set(names)


def test_an_empty_repository_has_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert git_history.scan_history(system(), tmp_path).leaks == ()


def test_a_damaged_repository_is_an_error_and_not_a_clean_one(tmp_path: Path) -> None:
    commit(tmp_path, a_txt="a" * 500)
    blob = git(tmp_path, "rev-parse", "HEAD:a.txt")
    path = tmp_path / ".git" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ToolError, match="incomplete"):
        found(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")
def test_a_git_that_was_killed_is_an_error_that_does_not_blame_the_repository(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "git"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *cat-file*) kill -9 $$;; esac\nPATH={os.environ["PATH"]} exec git "$@"\n'
    )
    program.chmod(0o755)
    commit(tmp_path / "repository", a_txt="x")
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    with pytest.raises(ToolError, match="git cat-file failed without a message") as caught:
        git_history.scan_history(system(PATH=path), tmp_path / "repository")
    assert "fsck" not in caught.value.remedy


def test_a_shallow_and_a_partial_clone_say_so(tmp_path: Path) -> None:
    for number in range(3):
        commit(tmp_path / "full", a_txt=f"{number} {fake_tokens.token()}")
    git(tmp_path / "full", "config", "uploadpack.allowFilter", "true")
    url = (tmp_path / "full").as_uri()
    git(tmp_path, "clone", "-q", "--depth=1", url, "shallow")
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", url, "partial")
    shallow = git_history.scan_history(system(), tmp_path / "shallow")
    partial = git_history.scan_history(system(), tmp_path / "partial")
    assert (len(shallow.leaks), len(partial.leaks)) == (1, 0)
    assert "shallow" in shallow.unread[0].reason
    assert "partial" in partial.unread[0].reason


def test_what_is_staged_is_searched_and_nothing_else(tmp_path: Path) -> None:
    name = fake_tokens.identifier()
    commit(tmp_path, a_txt=fake_tokens.token(), b_txt="x", gone_txt="y")
    (tmp_path / "b.txt").write_text(f"one\n{fake_tokens.token(name)}")
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "new.txt").write_text("new")
    git(tmp_path, "add", "-A")
    (tmp_path / "b.txt").write_text("clean again, but for the index")
    (tmp_path / "unstaged.txt").write_text(fake_tokens.token())
    done = git_history.scan_staged(system(), tmp_path)
    assert [(leak.path, leak.line, leak.identity) for leak in done.leaks] == [("b.txt", 2, name)]
    assert done.count == 2


def test_before_the_first_commit_everything_is_staged(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a b.txt").write_text(fake_tokens.token())
    (tmp_path / "c.whl").write_bytes(sample_distributions.wheel(files={"x.py": fake_tokens.token()}))
    git(tmp_path, "add", "-A")
    assert [leak.path for leak in git_history.scan_staged(system(), tmp_path).leaks] == ["a b.txt", "c.whl!x.py"]


def test_the_index_that_git_names_to_its_hooks_is_the_one(tmp_path: Path) -> None:
    """`git commit FILE` commits from an index of its own."""
    commit(tmp_path, a_txt="x")
    (tmp_path / "a.txt").write_text(fake_tokens.token())
    (tmp_path / ".git" / "next").write_bytes((tmp_path / ".git" / "index").read_bytes())
    other = system(GIT_INDEX_FILE=str(tmp_path / ".git" / "next"))
    subprocess.run(["git", "add", "a.txt"], cwd=tmp_path, env=dict(other.env), check=True)
    assert len(git_history.scan_staged(other, tmp_path).leaks) == 1
    assert git_history.scan_staged(system(), tmp_path).leaks == ()


def test_a_key_that_moved_to_the_tests_is_one_of_theirs(tmp_path: Path) -> None:
    key = fake_tokens.private_key()
    commit(tmp_path, server_key=key)
    commit(tmp_path, server_key=None, tests__server_key=key)
    (leak,) = found(tmp_path)
    assert (leak.path, leak.is_example) == ("tests/server.key", True)


def test_a_key_of_tests_and_demos_with_changes_around_it_is_one_leak(tmp_path: Path) -> None:
    key = fake_tokens.private_key()
    for number in range(4):
        commit(tmp_path, server_key=f"{number}\n{key}", demos__server_key=f"demo {number}\n{key}")
    (leak,) = found(tmp_path)
    assert (leak.path, leak.is_example, leak.others) == ("demos/server.key", True, 7)


def test_a_token_that_is_in_tests_too_stays_a_leak(tmp_path: Path) -> None:
    token = fake_tokens.token()
    commit(tmp_path, a_txt=token, tests__a_txt=token)
    (leak,) = found(tmp_path)
    assert not leak.is_example


def test_a_token_of_an_hour_in_history_is_harmless(tmp_path: Path) -> None:
    commit(tmp_path, a_txt=fake_tokens.checksummed_token("ghs_"))
    (leak,) = found(tmp_path)
    assert leak.is_example
    commit(tmp_path, a_txt=fake_tokens.checksummed_token("ghp_"))
    assert [one.is_example for one in found(tmp_path)].count(False) == 1


def test_a_key_knows_for_how_long_git_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2019-03-04T12:00:00+00:00")
    commit(tmp_path, src__certs_ca_key="old")
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    commit(tmp_path, src__certs_new_key="new")
    paths = ["a.whl!certs/ca.key", "a-1.tar.gz!a-1/src/certs/ca.key", "a.whl!certs/new.key", "a.whl!certs/x.key"]
    leaks = [Leak(kind="private-key", identity=path, path=path.replace("certs/", "certs."), line=1) for path in paths]
    scan = LeakScan(scope="files", searched=ScanResult(leaks=tuple(leaks)))
    aged = search.with_age(system(), tmp_path, scan)
    assert [leak.held_since for leak in aged.searched.leaks] == ["2019-03-04", "2019-03-04", None, None]


def pack(where: Path) -> None:
    """Store all objects in one pack, as deltas of each other."""
    git(where, "repack", "-adfq")


def text(*lines: str) -> str:
    """A long file with lines in the middle."""
    return "".join(f"{number} {number**7 % 10**9}\n" for number in range(2000)) + "".join(
        f"{line}\n" for line in (*lines, *(f"{number**5 % 10**9} {number}" for number in range(2000)))
    )


def unread_by_git(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_objects(*given: object) -> None:
        raise AssertionError(f"git is asked for {given}")

    monkeypatch.setattr(objects, "read_objects", read_objects)


def test_what_packs_store_is_not_read_by_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = fake_tokens.token()
    for lines in (("x",), ("x", token), ("y",), ("y", "z")):
        commit(tmp_path, a_txt=text(*lines))
    pack(tmp_path)
    unread_by_git(monkeypatch)
    (leak,) = found(tmp_path)
    assert (leak.path, leak.line) == ("a.txt", 2002)


@pytest.mark.parametrize("parts", [("pypi-AgE", "the rest"), ("pypi", "the rest"), ("pypi-A", "the rest"), ("", "")])
def test_a_secret_that_a_delta_joins_is_found(tmp_path: Path, parts: tuple[str, str]) -> None:
    token = fake_tokens.token()
    at = token.index(parts[0]) + len(parts[0])
    between = "".join(f"{number} between\n" for number in range(800))
    commit(tmp_path, a_txt=text(token[:at] + between + token[at:]))
    commit(tmp_path, a_txt=text("x", token, "y"))
    commit(tmp_path, a_txt=text(between + token[:at] + between))
    pack(tmp_path)
    (leak,) = found(tmp_path)
    assert leak.path == "a.txt"


def test_a_secret_in_many_versions_of_a_pack_is_counted_in_each(tmp_path: Path) -> None:
    token = fake_tokens.token()
    for number in range(6):
        commit(tmp_path, a_txt=text(f"version {number}", *([token] if number > 1 else [])))
    pack(tmp_path)
    (leak,) = found(tmp_path)
    assert leak.others == 3


def test_loose_packed_and_borrowed_objects_are_searched_in_the_order_of_git(tmp_path: Path) -> None:
    names = [fake_tokens.identifier() for _ in range(4)]
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    commit(origin, a_txt=text(fake_tokens.token(names[0])), b_txt=text("b"))
    git(origin, "repack", "-adq")
    commit(origin, a_txt=text("x"), b_txt=text(fake_tokens.token(names[1])))
    git(tmp_path, "clone", "-q", "--shared", "origin", "clone")
    commit(clone, a_txt=text("y"), c_txt=fake_tokens.token(names[2]))
    git(clone, "repack", "-dq", "--local")
    commit(clone, c_txt=fake_tokens.token(names[3]))
    assert {leak.identity for leak in found(clone)} == set(names)
    listed = git(clone, "cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname)").split()
    places = [listed.index(leak.object or "") for leak in found(clone)]
    assert places == sorted(places)


def test_a_large_object_in_a_pack_is_searched(tmp_path: Path) -> None:
    commit(tmp_path, a_txt=b"some line\n" * 900_000 + fake_tokens.token().encode())
    pack(tmp_path)
    assert found(tmp_path)


def test_a_damaged_pack_is_an_error_and_not_a_clean_one(tmp_path: Path) -> None:
    for number in range(3):
        commit(tmp_path, a_txt=text(f"version {number}"))
    pack(tmp_path)
    (path,) = (tmp_path / ".git/objects/pack").glob("*.pack")
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[:3000] + bytes(100) + content[3100:])
    with pytest.raises(ToolError, match="the scan is incomplete"):
        found(tmp_path)


def test_a_bare_sha256_repository_is_searched(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256", "-b", "main")
    commit(tmp_path, a_txt=text(fake_tokens.token()))
    pack(tmp_path)
    git(tmp_path, "clone", "-q", "--bare", ".", "bare")
    assert {leak.path for leak in found(tmp_path / "bare")} == {"a.txt"}


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
@pytest.mark.parametrize("suffix", [".idx", ".pack"])
def test_a_pipe_among_the_packs_is_not_waited_for(tmp_path: Path, suffix: str) -> None:
    commit(tmp_path, a_txt=text(fake_tokens.token()))
    pack(tmp_path)
    listed, width = objects.list_packs(tmp_path, system().env)
    (index,) = listed
    other = index.with_name("pack-0000.idx")
    os.mkfifo(other.with_suffix(suffix))
    other.with_suffix({".idx": ".pack", ".pack": ".idx"}[suffix]).write_bytes(index.read_bytes())
    assert objects.list_packs(tmp_path, system().env) == (listed, width)

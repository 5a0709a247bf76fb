"""Read a git repository, and clone it.

Paths are absolute, or relative to the root of the repository with forward slashes. Every function raises
`ToolError` where git fails unexpectedly.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from release.adapters.git.git_settings import git_environment
from release.adapters.system.process import Completed, TimedOutError
from release.core.errors import ToolError
from release.core.models.check_result import Unknown
from release.core.quoting import quote_path
from release.core.shell import quote_word

if TYPE_CHECKING:
    from release.adapters.system.system import System
    from release.core.child_environment import Child

#: Directories that are not part of a project, and often large. Used only outside of a repository.
LITTER = (
    ".git", ".hg", ".release", ".nox", ".tox", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache",
    ".pytest_cache", ".ruff_cache", ".hypothesis", ".eggs",
)  # fmt: skip
_LINE_ENDS = ("-c", "core.autocrlf=false", "-c", "core.eol=lf")  # the bytes of the commit, also by Git for Windows
#: prints the commit of HEAD
_HEAD = ("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
#: git before 2.36 does not know it, and flushes less
_UNFLUSHED = ("-c", "core.fsync=none")
#: seconds for a request to a remote
_REMOTE_LIMIT = 10
_BY_HAND = "run `git fetch`, fix what it reports, then run the same command again"


def find_root(system: System, directory: Path) -> Path | None:
    """The root of the work tree that `directory` is in.

    None where git is not installed, or the directory is in no repository or is ignored by it.
    """
    try:
        found = run_git(system, directory, "rev-parse", "--show-toplevel")
    except ToolError:
        if directory.is_dir():
            return None
        raise
    if found.status:
        if "not a git repository" in found.errors or "must be run in a work tree" in found.errors:
            return None
        raise _failed(directory, "rev-parse", found)
    top = Path(found.output.rstrip("\n"))
    if directory.resolve() != top.resolve() and not run_git(system, directory, "check-ignore", "--quiet", ".").status:
        return None
    return top


def is_bare(system: System, directory: Path) -> bool:
    """Whether a directory is that of a bare repository; False where git is not installed."""
    try:
        return run_git(system, directory, "rev-parse", "--is-bare-repository").output.strip() == "true"
    except ToolError:
        return False


def commit(system: System, root: Path) -> str:
    """The commit of HEAD, 40 hex digits (64 in a SHA-256 repository)."""
    found = _line(system, root, *_HEAD)
    if found is None:
        raise ToolError(f"the repository {quote_path(root)} has no commit yet", remedy="commit the project first")
    return found


def commit_time(system: System, root: Path, commit: str) -> int:
    """The committer date, in seconds since 1970."""
    # Not `git show`, which compares trees in any case: a clone without them may fetch none.
    return int(git_output(system, root, "log", "-1", "--no-show-signature", "--format=%ct", commit, "--").strip())


def branch(system: System, root: Path) -> str | None:
    """The current branch; None where HEAD is detached."""
    return _line(system, root, "symbolic-ref", "--quiet", "--short", "HEAD")


def changed_paths(system: System, root: Path) -> tuple[str, ...]:
    """Paths that differ from HEAD, with untracked files but without ignored ones.

    A rename is two paths, the old and the new one. An untracked directory is one path, with a slash at its end.
    """
    options = ("--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal", "--ignore-submodules=none")
    listed = git_output(system, root, "status", *options)
    # An entry is two status letters, a space and the path. Source: git-status(1), "Porcelain Format Version 1"
    return tuple(entry[3:] for entry in listed.split("\0") if entry)


def upstream(system: System, root: Path) -> str | None:
    """The upstream of the branch, for example "origin/main", even if it was never fetched; None without one."""
    found = _upstream(system, root)
    return found and found[0]


def upstream_branch(system: System, root: Path) -> tuple[str, str] | None:
    """The remote of the upstream, and the branch there; None without an upstream at a remote."""
    found = _upstream(system, root)
    return (found[2], found[3].removeprefix("refs/heads/")) if found and found[2] != "." else None


def remote(system: System, root: Path) -> str | None:
    """The remote that tags are pushed to: that of the upstream, else "origin", else the only remote."""
    found = _upstream(system, root)
    if found is not None and found[2] != ".":
        return found[2]
    names = git_output(system, root, "remote").split()
    return "origin" if "origin" in names else names[0] if len(names) == 1 else None


def remote_url(system: System, root: Path, name: str) -> str | None:
    """The URL that a remote is fetched from; None where there is no such remote."""
    return _line(system, root, "remote", "get-url", "--", name)


def commits_behind(system: System, root: Path) -> int | Unknown:
    """The number of commits that the upstream has and HEAD does not, at least; 0 without an upstream.

    The remote is asked, but nothing is fetched: commits that are only there count as one.
    """
    found = _upstream(system, root)
    if found is None:
        return 0
    short, tracking, remote, ref = found
    fetched = _missing(system, root, tracking) or 0
    if remote == ".":
        return fetched
    theirs = remote_commit(system, root, remote, ref)
    if isinstance(theirs, str):
        here = _missing(system, root, theirs) if theirs else 0
        return max(fetched, 1) if here is None else here
    return fetched or Unknown(reason=f"cannot reach the upstream {short!r}: {theirs.reason}", remedy=theirs.remedy)


def tag_commit(system: System, root: Path, tag: str) -> str | None:
    """The commit that a tag points to, through the tag object; None without such a tag."""
    return _line(system, root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")


def tags_at(system: System, root: Path, commit: str) -> tuple[str, ...]:
    """The names of the tags that point to a commit, sorted."""
    options = (f"--points-at={commit}", "--format=%(refname:strip=2)")
    return tuple(git_output(system, root, "for-each-ref", *options, "refs/tags").splitlines())


def is_shallow(system: System, root: Path) -> bool:
    """Whether the clone is shallow."""
    return git_output(system, root, "rev-parse", "--is-shallow-repository").strip() == "true"


def is_partial(system: System, root: Path) -> bool:
    """Whether the clone is partial: objects are fetched on demand."""
    pattern = r"^(extensions\.partialclone|remote\..*\.promisor)$"
    return _line(system, root, "config", "--get-regexp", pattern) is not None


def project_files(system: System, root: Path) -> tuple[str, ...]:
    """Every path that is tracked or untracked, but not ignored. Some may be missing on the disk."""
    listed = git_output(system, root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return tuple(dict.fromkeys(entry for entry in listed.split("\0") if entry))


def tracked_files(system: System, root: Path) -> tuple[str, ...]:
    """Every tracked path, with those of submodules."""
    listed = git_output(system, root, "ls-files", "-z", "--cached", "--recurse-submodules")
    return tuple(entry for entry in listed.split("\0") if entry)


def untracked_files(system: System, directory: Path) -> tuple[str, ...]:
    """Every path below `directory`, relative to it, that is neither tracked nor ignored."""
    listed = git_output(system, directory, "ls-files", "-z", "--others", "--exclude-standard")
    return tuple(entry for entry in listed.split("\0") if entry)


def clone_commit(system: System, root: Path, commit: str, into: Path) -> None:
    """Clone into `into` and check out `commit`, with tags and submodules."""
    # The umask decides the modes of the files, which end up in the sdist.
    words = ("clone", "--quiet", "--no-checkout", *_LINE_ENDS, "--", str(root), str(into))
    git_output(system, root, *words, transport="file", umask=0o022)
    large = _large_files(system, root)
    done = run_git(system, into, *large, "checkout", "--quiet", "--detach", commit, "--", umask=0o022)
    if "smudge filter lfs failed" in done.errors:  # Observed: git-lfs 3.3.0, 2026-11
        reason = failure_line(done.errors)
        raise ToolError(f"Git LFS has no content for a file of the commit: {reason!r}", remedy="git lfs pull")
    if done.status:
        raise _failed(into, "checkout", done)
    _submodules(system, root, into)


def clone_without_files(system: System, root: Path, into: Path) -> None:
    """Clone into `into` at the same commit, without files; the objects are shared.

    Nothing of it is flushed to the disk: it need not outlive a crash of the machine.
    """
    # no template: it has examples of hooks only
    words = ("clone", "--quiet", "--shared", "--no-checkout", "--template=", "--", str(root), str(into))
    git_output(system, root, *_UNFLUSHED, *words, transport="file")
    if head := _line(system, root, *_HEAD):
        git_output(system, into, *_UNFLUSHED, "update-ref", "--no-deref", "HEAD", head)
        git_output(system, into, *_UNFLUSHED, "read-tree", "HEAD")


def _upstream(system: System, root: Path) -> tuple[str, str, str, str] | None:
    """Short name, tracking ref, remote, and ref at the remote; from the configuration, so even if it is gone."""
    head = branch(system, root)
    if head is None:
        return None
    fields = "%(upstream:short)%00%(upstream)%00%(upstream:remotename)%00%(upstream:remoteref)"
    listed = git_output(system, root, "for-each-ref", f"--format={fields}", f"refs/heads/{head}")
    parts = listed.rstrip("\n").split("\0")
    if len(parts) < 4 or not parts[0]:  # noqa: PLR2004 - the fields of the format
        return None
    return parts[0], parts[1], parts[2], parts[3]


def _missing(system: System, root: Path, other: str) -> int | None:
    """The number of commits that `other` has and HEAD does not; None where `other` was not fetched."""
    counted = run_git(system, root, "rev-list", "--count", f"HEAD..{other}", "--")
    return None if counted.status else int(counted.output.strip())


def remote_commit(system: System, root: Path, remote: str, ref: str) -> str | Unknown:
    """The commit of a ref at a remote; empty where it has no such ref."""
    try:
        answer = run_at_remote(system, root, "ls-remote", "--quiet", "--", remote, ref, timeout=_REMOTE_LIMIT)
    except TimedOutError:
        return Unknown(reason=f"no answer within {_REMOTE_LIMIT} s", remedy=_BY_HAND)
    if answer.status:
        return Unknown(reason=f"git reports {failure_line(answer.errors)!r}", remedy=_BY_HAND)
    return answer.output.split("\t")[0].strip()


def remote_tags(system: System, root: Path, remote: str) -> dict[str, str]:
    """The commits of all tags at a remote, by the names of the tags; empty where it cannot be reached."""
    try:
        answer = run_at_remote(system, root, "ls-remote", "--quiet", "--tags", "--", remote, timeout=_REMOTE_LIMIT)
    except TimedOutError:
        return {}
    found = {}
    for line in answer.output.splitlines() if not answer.status else ():
        commit, _, ref = line.partition("\t")
        found[ref.removeprefix("refs/tags/").removesuffix("^{}")] = commit  # the line with ^{} comes second
    return found


def run_at_remote(system: System, root: Path, *arguments: str, timeout: float, hooks: bool = False) -> Completed:
    """Run git with the user's credentials for the remote; neither git nor ssh nor a credential manager prompts."""
    env = git_environment(system, "git at a remote", hooks=hooks)
    env |= {"GCM_INTERACTIVE": "never", "GIT_ASKPASS": "", "SSH_ASKPASS": ""}
    if "GIT_SSH" not in env:
        ssh = env.get("GIT_SSH_COMMAND") or _line(system, root, "config", "core.sshCommand") or "ssh"
        env["GIT_SSH_COMMAND"] = f"{ssh} -oBatchMode=yes -oConnectTimeout={_REMOTE_LIMIT}"
    return system.run(["git", "-c", "core.askPass=", *arguments], cwd=root, env=env, timeout=timeout, apart=True)


def _submodules(system: System, source: Path, copy: Path) -> None:
    """Check out the submodules from those of the source, without a network.

    A submodule that is not checked out in the source stays empty.
    """
    listed = run_git(system, copy, "config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    for entry in filter(None, listed.output.split("\0")):
        key, _, path = entry.partition("\n")
        if not (source / path / ".git").exists():
            continue
        git_output(system, copy, "config", key.removesuffix("path") + "url", str(source / path))
        options = (*_LINE_ENDS, "-c", "protocol.file.allow=always", *_large_files(system, source / path))
        update = (*options, "submodule", "--quiet", "update", "--init", "--", path)
        git_output(system, copy, *update, transport="file", umask=0o022)
        _submodules(system, source / path, copy / path)


def _large_files(system: System, source: Path) -> tuple[str, ...]:
    """Options with which a clone gets the large files that Git LFS has stored for its source; none without Git LFS.

    A clone does not inherit the filter of `git lfs install --local`, which actions/checkout uses.
    """
    settings = run_git(system, source, "config", "-z", "--get-regexp", r"^filter\.lfs\.").output
    if not settings:
        return ()
    own = _line(system, source, "config", "lfs.storage")
    directory = git_output(system, source, "rev-parse", "--git-common-dir").strip()
    storage = (source / directory / (own or "lfs")).resolve()
    pairs = [entry.replace("\n", "=", 1) for entry in settings.split("\0") if entry]
    return tuple(word for pair in (*pairs, f"lfs.storage={storage}") for word in ("-c", pair))


def _line(system: System, where: Path, *arguments: str) -> str | None:
    """The output of git without its newline; None where it is empty, as after a failure."""
    return run_git(system, where, *arguments).output.strip() or None


def git_output(  # noqa: PLR0913 - see `run_git`
    system: System, where: Path, *arguments: str, child: Child | None = None, hooks: bool = False,
    transport: str = "none", umask: int = -1,
) -> str:  # fmt: skip
    """The output of git. Raises `ToolError` with its message."""
    done = run_git(system, where, *arguments, child=child, hooks=hooks, transport=transport, umask=umask)
    if done.status:
        raise _failed(where, next(one for one in arguments if one[0] != "-" and "=" not in one), done)
    return done.output


def run_git(  # noqa: PLR0913 - what git may do, besides its arguments
    system: System, where: Path, *arguments: str, child: Child | None = None, hooks: bool = False,
    transport: str = "none", umask: int = -1,
) -> Completed:  # fmt: skip
    """Run git in `where`: see `git_environment`. Filters are run, which the user's configuration names."""
    env = git_environment(system, child, hooks=hooks, transport=transport)
    return system.run(["git", *arguments], cwd=where, env=env, apart=True, umask=umask)


def _failed(where: Path, verb: str, done: Completed) -> ToolError:
    if "dubious ownership" in done.errors:
        return ToolError(
            f"git does not trust the repository {quote_path(where)}, because another user owns it",
            remedy=f"if you trust it: git config --global --add safe.directory {quote_word(where.as_posix())}",
        )
    if (
        "from promisor remote" in done.errors or "lazy fetching disabled" in done.errors
    ):  # Observed: git 2.39.5, 2026-11
        return ToolError(
            f"git {verb} needs objects that the partial clone {quote_path(where)} does not have",
            remedy="git fetch --refetch --no-filter",
        )
    if "No space left on device" in done.errors:
        return ToolError(f"no space left on the disk during `git {verb}`", remedy="free some space, then run it again")
    return ToolError(
        f"git {verb} failed in {quote_path(where)}: {failure_line(done.errors)!r}",
        remedy=f"run `git {verb}` there, and fix what it reports",
    )


def failure_line(text: str) -> str:
    """The line with the reason: that of git with "fatal:" or "error:", else the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith(("fatal: ", "error: "))), lines[-1] if lines else "")

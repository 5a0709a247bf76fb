"""Git: what the repository says. Nothing here changes it; `release.adapters.git.tags` does.

Every path in and out is absolute, or relative to the repository's root with forward slashes.
Each function raises `ToolError` where git fails for a reason that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from release.adapters.system.process import Completed, TimedOutError
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.models.credential_variables import without_credentials
from release.core.models.finding import Unknown

#: Variables that make git look at another repository than the one it stands in. Hooks of the
#: user's own git get them, for one. Source: `git rev-parse --local-env-vars`; the configuration
#: that travels in GIT_CONFIG_* is kept, since CI sets `safe.directory` so.
_ELSEWHERE = re.compile(
    "GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|PREFIX|NAMESPACE"
    "|GRAFT_FILE|SHALLOW_FILE|IMPLICIT_WORK_TREE|NO_REPLACE_OBJECTS|REPLACE_REF_BASE|CONFIG|EXTERNAL_DIFF)"
)
#: seconds for one question to a remote
_REMOTE_LIMIT = 10


def find_root(system: System, directory: Path) -> Path | None:
    """The root of the work tree that holds `directory`.

    None where git is not installed, where the directory is in no repository, or where the
    repository around it ignores it: then it is none of that repository's business.
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


def commit(system: System, root: Path) -> str:
    """HEAD's commit, 40 hex digits (64 in a SHA-256 repository)."""
    found = run_git(system, root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if found.status:
        raise ToolError(f"the repository {str(root)!r} has no commit yet", remedy="commit the project first")
    return found.output.strip()


def commit_time(system: System, root: Path, commit: str) -> int:
    """The committer's time, seconds since 1970."""
    return int(git_output(system, root, "show", "--no-patch", "--no-show-signature", "--format=%ct", commit).strip())


def branch(system: System, root: Path) -> str | None:
    """The branch that is checked out; None where HEAD is detached."""
    return run_git(system, root, "symbolic-ref", "--quiet", "--short", "HEAD").output.strip() or None


def changed_paths(system: System, root: Path) -> tuple[str, ...]:
    """Paths that differ from HEAD, untracked ones included, ignored ones not.

    A rename is two: the old path and the new one. An untracked directory is one, with a slash.
    """
    listed = git_output(
        system, root, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal",
        "--ignore-submodules=none",
    )  # fmt: skip
    # Each entry is two letters of state, a space, and the path. Source: git-status(1), "Porcelain Format Version 1"
    return tuple(entry[3:] for entry in listed.split("\0") if entry)


def upstream(system: System, root: Path) -> str | None:
    """The branch's upstream, "origin/main", even where it was never fetched; None where it has none."""
    found = _upstream(system, root)
    return found and found[0]


def remote(system: System, root: Path) -> str | None:
    """The remote that tags are pushed to: the upstream's, else "origin", else the only one there is."""
    found = _upstream(system, root)
    if found is not None and found[2] != ".":
        return found[2]
    names = git_output(system, root, "remote").split()
    return "origin" if "origin" in names else names[0] if len(names) == 1 else None


def remote_url(system: System, root: Path, name: str) -> str | None:
    """Where a remote is fetched from; None where git knows no such remote."""
    return run_git(system, root, "remote", "get-url", name).output.strip() or None


def commits_behind(system: System, root: Path) -> int | Unknown:
    """How many commits, at least, the branch's upstream has that HEAD has not. 0 without an upstream.

    The remote is asked now, and nothing is fetched: of commits that are not here, one is counted.
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
    return fetched or Unknown(
        reason=f"the upstream {short!r} could not be asked: {theirs.reason}", remedy=theirs.remedy
    )


def tag_commit(system: System, root: Path, tag: str) -> str | None:
    """The commit that a tag points to, through the tag object; None where there is no such tag."""
    found = run_git(system, root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    return found.output.strip() or None


def tags_at(system: System, root: Path, commit: str) -> tuple[str, ...]:
    """The names of the tags that point to a commit, sorted."""
    listed = git_output(
        system, root, "for-each-ref", f"--points-at={commit}", "--format=%(refname:strip=2)", "refs/tags"
    )
    return tuple(listed.splitlines())


def is_shallow(system: System, root: Path) -> bool:
    """Whether history is cut off."""
    return git_output(system, root, "rev-parse", "--is-shallow-repository").strip() == "true"


def is_partial(system: System, root: Path) -> bool:
    """Whether objects are left at the remote until they are asked for."""
    found = run_git(system, root, "config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$")
    return bool(found.output.strip())


def project_files(system: System, root: Path) -> tuple[str, ...]:
    """Every path that is tracked or could be: all but what is ignored. Some may be gone from the disk."""
    listed = git_output(system, root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return tuple(dict.fromkeys(entry for entry in listed.split("\0") if entry))


def tracked_files(system: System, root: Path) -> tuple[str, ...]:
    """Every path that is tracked, those of submodules included."""
    listed = git_output(system, root, "ls-files", "-z", "--cached", "--recurse-submodules")
    return tuple(entry for entry in listed.split("\0") if entry)


def clone_commit(system: System, root: Path, commit: str, into: Path) -> None:
    """Make `into` a repository of its own with exactly `commit` checked out, tags and submodules included."""
    # The files' modes follow the umask, and end up in the sdist.
    git_output(system, root, "clone", "--quiet", "--no-checkout", str(root), str(into), umask=0o022)
    git_output(system, into, "checkout", "--quiet", "--detach", commit, umask=0o022)
    _submodules(system, root, into)


def clone_without_files(system: System, root: Path, into: Path) -> None:
    """Make `into` a repository at the same commit, without any file; objects stay where they are."""
    git_output(system, root, "clone", "--quiet", "--shared", "--no-checkout", str(root), str(into))
    if head := run_git(system, root, "rev-parse", "--verify", "--quiet", "HEAD").output.strip():
        git_output(system, into, "update-ref", "--no-deref", "HEAD", head)
        git_output(system, into, "read-tree", "HEAD")


def git_environment(system: System, *, ours: bool = False) -> dict[str, str]:
    """The environment in which git looks at the repository that it stands in; with credentials where `ours`."""
    env = {k: v for k, v in system.env.items() if not _ELSEWHERE.fullmatch(k)}
    env = env if ours else without_credentials(env)
    # English, so that the few messages that are read can be; no lock taken for what only looks.
    return env | {"LC_ALL": "C", "LANGUAGE": "", "GIT_OPTIONAL_LOCKS": "0"}


def _upstream(system: System, root: Path) -> tuple[str, str, str, str] | None:
    """Short name, tracking ref, remote, and the ref there. The configuration tells, so that a gone one is told too."""
    head = branch(system, root)
    if head is None:
        return None
    form = "%(upstream:short)%00%(upstream)%00%(upstream:remotename)%00%(upstream:remoteref)"
    parts = git_output(system, root, "for-each-ref", f"--format={form}", f"refs/heads/{head}").rstrip("\n").split("\0")
    if len(parts) < 4 or not parts[0]:  # noqa: PLR2004 - the four of the form
        return None
    return parts[0], parts[1], parts[2], parts[3]


def _missing(system: System, root: Path, other: str) -> int | None:
    """How many commits `other` has that HEAD has not; None where `other` is not here."""
    counted = run_git(system, root, "rev-list", "--count", f"HEAD..{other}", "--")
    return None if counted.status else int(counted.output.strip())


def remote_commit(system: System, root: Path, remote: str, ref: str) -> str | Unknown:
    """The commit that a remote has under a ref; empty where it has none."""
    ssh = ssh_command(system, root)
    try:
        answer = run_git(
            system, root, "-c", "core.askPass=", "ls-remote", "--quiet", remote, ref,
            ours=True, timeout=_REMOTE_LIMIT, extra=noninteractive_variables(system.env, ssh),
        )  # fmt: skip
    except TimedOutError:
        return Unknown(reason=f"no answer within {_REMOTE_LIMIT} s", remedy=_BY_HAND)
    if answer.status:
        return Unknown(reason=f"git says {failure_line(answer.errors)!r}", remedy=_BY_HAND)
    return answer.output.split("\t")[0].strip()


def ssh_command(system: System, root: Path) -> str:
    """What the configuration names in the place of "ssh"; empty where it names nothing."""
    return run_git(system, root, "config", "core.sshCommand").output.strip()


_BY_HAND = "run `git fetch` by hand, mend what it reports, and run the same command again"


def noninteractive_variables(env: Mapping[str, str], configured: str) -> dict[str, str]:
    """What keeps git, ssh and the credential managers from asking a person."""
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GCM_INTERACTIVE": "never", "GIT_ASKPASS": "", "SSH_ASKPASS": ""}
    if "GIT_SSH" not in env:
        ssh = env.get("GIT_SSH_COMMAND") or configured or "ssh"
        quiet["GIT_SSH_COMMAND"] = f"{ssh} -oBatchMode=yes -oConnectTimeout={_REMOTE_LIMIT}"
    return quiet


def _submodules(system: System, source: Path, copy: Path) -> None:
    """Check out the submodules from the source's own ones, so that no network is needed.

    One that is not checked out at the source stays empty, as it is there.
    """
    listed = run_git(system, copy, "config", "-z", "--file", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$")
    for entry in filter(None, listed.output.split("\0")):
        key, _, path = entry.partition("\n")
        if not (source / path / ".git").exists():
            continue
        git_output(system, copy, "config", key.removesuffix("path") + "url", str(source / path))
        git_output(
            system, copy, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--", path,
            umask=0o022,
        )  # fmt: skip
        _submodules(system, source / path, copy / path)


def git_output(system: System, where: Path, *arguments: str, ours: bool = False, umask: int = -1) -> str:
    """Git's stdout; raises `ToolError` with its last words where it fails."""
    done = run_git(system, where, *arguments, ours=ours, umask=umask)
    if done.status:
        raise _failed(where, next(one for one in arguments if one[0] != "-" and "=" not in one), done)
    return done.output


def run_git(  # noqa: PLR0913 - one door to git
    system: System,
    where: Path,
    *arguments: str,
    ours: bool = False,
    timeout: float | None = None,
    extra: Mapping[str, str] | None = None,
    umask: int = -1,
) -> Completed:
    """Run git in `where`. Hooks and filters are the project's own code: unless `ours`, no credential is in sight."""
    env = git_environment(system, ours=ours) | dict(extra or {})
    return system.run(["git", *arguments], cwd=where, env=env, timeout=timeout, apart=True, umask=umask)


def _failed(where: Path, verb: str, done: Completed) -> ToolError:
    if "dubious ownership" in done.errors:
        return ToolError(
            f"git does not trust the repository {str(where)!r}, since it belongs to somebody else",
            remedy=f"if you do: git config --global --add safe.directory {where.as_posix()}",
        )
    return ToolError(
        f"git {verb} failed in {str(where)!r}: {failure_line(done.errors)!r}",
        remedy=f"run `git {verb}` there by hand, and mend what it reports",
    )


def failure_line(text: str) -> str:
    """The line that says why: git's own "fatal:" or "error:", else the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith(("fatal: ", "error: "))), lines[-1] if lines else "")

"""What an index takes though it is unwise: warnings about the paths in an archive."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from release.acceptance.archive_rules import paths
from release.acceptance.form_fields import underscored
from release.acceptance.rule import Upload
from release.checks.archive_warnings import Oddity, some, warn

PATHS = "every-path-stays-inside"
RUBBISH = "nothing-is-shipped-by-accident"
COMMON = "no-common-name-is-installed"

_OUTSIDE = re.compile(r"^(?:/|\\|[A-Za-z]:)|(?:^|[/\\])\.\.(?:[/\\]|$)")
#: caches, checkouts and leftovers of editors, merges, test runs and builds
_RUBBISH = re.compile(
    r"(?:^|/)(?:__pycache__|\.git|\.hg|\.svn|\.venv|\.tox|\.nox|\.mypy_cache|\.pytest_cache|\.ruff_cache|\.hypothesis"
    r"|\.ipynb_checkpoints|\.eggs|\.idea|\.DS_Store|Thumbs\.db|\.coverage|htmlcov|node_modules|pip-wheel-metadata)(?:/|$)"
    r"|\.(?:py[co]|orig|rej|sw[op])$|~$"
)
#: in a wheel, what only a build leaves there; beside the top of an sdist, what an earlier build has left
_OF_A_BUILD = {
    ".whl": re.compile(r"^(?:[^/]+\.egg-info|build|dist)(?:/|$)"),
    ".tar.gz": re.compile(r"^[^/]+/(?:build/(?:lib[./]|bdist\.)|dist/[^/]+\.(?:whl|tar\.gz)$)"),
}
#: what many projects have beside their package: installed, it lies there for all of them, and the last one wins
_COMMON = frozenset(
    """
    benchmark benchmarks conftest.py dev doc docs example examples fabfile.py noxfile.py samples scripts setup.py src
    tasks.py test testing tests tools utils
    """.split()  # noqa: SIM905 - a list that people read
)
#: where an installer puts modules, besides the top of the wheel. Source: the wheel specification, "The .data directory"
_MODULES = re.compile(r"^[^/]+\.data/(?:purelib|platlib)/")


def shipped(upload: Upload) -> Iterator[Oddity]:
    """Warnings about what is in a file, each with the name of its check."""
    names = paths(upload.memo)
    outside = [name for name in names if _OUTSIDE.search(name)]
    if outside:
        yield warn(PATHS, upload, f"{some(outside)} points outside the archive", "build it again: python -m build")
    rubbish = _rubbish(upload, names)
    if rubbish:
        yield warn(RUBBISH, upload, f"{some(rubbish)} is shipped", "exclude it in the build backend's configuration")
    yield from _common(upload, names)


def _rubbish(upload: Upload, names: Sequence[str]) -> list[str]:
    left = next((rubbish for end, rubbish in _OF_A_BUILD.items() if upload.filename.endswith(end)), None)
    own = underscored(upload)  # a project may be called "build"
    return [
        name
        for name in names
        if _RUBBISH.search(name) or (left is not None and left.search(name) and name.partition("/")[0] != own)
    ]


def _common(upload: Upload, names: Sequence[str]) -> Iterator[Oddity]:
    if not upload.filename.endswith(".whl"):
        return
    tops = {_MODULES.sub("", name).partition("/")[0] for name in names}
    common = sorted(top for top in tops & _COMMON if top.removesuffix(".py") != underscored(upload))
    if common:
        yield warn(
            COMMON,
            upload,
            f"it installs {some(common)} beside the modules of all other projects, where any of them may have the same",
            "leave it out of the wheel by the build backend's configuration, or move it into the package",
            "https://packaging.python.org/en/latest/discussions/src-layout-vs-flat-layout/",
        )

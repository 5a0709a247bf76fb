"""Warnings about one file: what an index accepts although it is a mistake."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from release.acceptance.archive_limits import Unreadable
from release.acceptance.rule import REBUILD, SPECIFICATIONS, FileUpload
from release.acceptance.wheel_rules import compare_record, parse_record
from release.checks.engine import Checklist, quote_some, warn
from release.core.lazy_pattern import lazy_pattern
from release.core.models.check_result import Finding

#: a title whose underline is too short; below four characters docutils takes both for ordinary text, from four on it
#: warns, which the index refuses. Source: docutils, `parsers/rst/states.py`
_SHORT_TITLE = r"(?:\A|\n[ \t]*\n)(?P<title>\S[^\n]{3,})\n(?P<line>=|([=~^*#+\"'-])\3{1,2})[ \t]*(?:\n|\Z)"
_OUTSIDE = lazy_pattern(r"^(?:/|\\|[A-Za-z]:)|(?:^|[/\\])\.\.(?:[/\\]|$)")
#: caches, checkouts and leftovers of editors, merges, test runs and builds; `package.json.orig`, `pyproject.toml.orig`
#: and `Cargo.toml.orig` are written on purpose, by JupyterLab, uv_build and cargo
_LEFTOVERS = lazy_pattern(
    r"(?:^|/)(?:__pycache__|\.git|\.hg|\.svn|\.venv|\.tox|\.nox|\.mypy_cache|\.pytest_cache|\.ruff_cache|\.hypothesis"
    r"|\.ipynb_checkpoints|\.eggs|\.idea|\.DS_Store|Thumbs\.db|\.coverage|htmlcov|pip-wheel-metadata)(?:/|$)"
    r"|\.(?:py[co]|rej|sw[op])$|(?<!package\.json)(?<!pyproject\.toml)(?<!Cargo\.toml)\.orig$|~$"
)
#: data of tests: patches and coverage data there are kept on purpose, what a run of the tests leaves is not
_TEST_DATA = lazy_pattern(r"(?:^|/)(?:[^/]*tests?|testing|testdata|fixtures)/")
_LEFT_BY_A_RUN = lazy_pattern(r"(?:^|/)(?:__pycache__|\.git|\.hg|\.svn|\.[a-z]+_cache|\.hypothesis|\.DS_Store)(?:/|$)")
#: in a wheel, what only a build leaves there; in an sdist, what an earlier build left
_BUILD_LEFTOVERS = {
    ".whl": lazy_pattern(r"^(?:[^/]+\.egg-info|build|dist|node_modules)(?:/|$)"),
    ".tar.gz": lazy_pattern(r"^[^/]+/(?:build/(?:lib[./]|bdist\.)|dist/[^/]+\.(?:whl|tar\.gz)$|node_modules/)"),
}
#: what many projects have next to their package: once installed, all projects share it and the last one wins
_GENERIC = frozenset(
    """
    benchmark benchmarks conftest.py dev doc docs example examples fabfile.py noxfile.py samples scripts setup.py src
    tasks.py test testing tests tools utils
    """.split()  # noqa: SIM905 - a list that people read
)
#: where an installer puts modules, besides the top of the wheel. Source: the wheel specification, "The .data directory"
_MODULES = lazy_pattern(r"^[^/]+\.data/(?:purelib|platlib)/")
CHECKS = Checklist[FileUpload]()


@CHECKS.check()
def record_lists_what_is_in_the_wheel(upload: FileUpload) -> Iterator[Finding]:
    """RECORD lists exactly the files in the wheel."""
    archive, directory = upload.file.open_zip, upload.file.dist_info
    data = archive.read(f"{directory}/RECORD") if archive is not None else None
    if archive is None or directory is None or data is None or isinstance(data, Unreadable):
        return
    rows = parse_record(data)
    if rows is None or not all(rows):  # the index refuses it
        return
    unlisted, missing = compare_record(rows, archive.names, directory)
    wrong = []
    if unlisted:
        wrong.append(f"does not list {quote_some(unlisted)}")
    if missing:
        wrong.append(f"lists {quote_some(missing)}, which {'is' if len(missing) == 1 else 'are'} not in the wheel")
    if wrong:
        message = f"RECORD {' and '.join(wrong)}; the index sends an email about it and will refuse it in the future"
        remedy = "rewrite RECORD: python -m wheel unpack FILE, then python -m wheel pack DIRECTORY"
        yield warn(message, remedy, upload.filename, source=f"{SPECIFICATIONS}/recording-installed-packages/")


@CHECKS.check()
def every_member_can_be_read(upload: FileUpload) -> Iterator[Finding]:
    """Every member of a wheel can be unpacked."""
    if damaged := upload.file.damaged:
        names = quote_some([name for name, _ in damaged])
        yield warn(f"cannot unpack {names}: {damaged[0][1]}", REBUILD, upload.filename)


@CHECKS.check()
def every_path_stays_inside(upload: FileUpload) -> Iterator[Finding]:
    """No path in an archive leads out of it."""
    if outside := [name for name in upload.file.paths if _OUTSIDE.search(name)]:
        yield warn(f"{quote_some(outside)} points outside the archive", REBUILD, upload.filename)


@CHECKS.check()
def nothing_is_shipped_by_accident(upload: FileUpload) -> Iterator[Finding]:
    """No caches, version control data, editor files or build leftovers."""
    if leftovers := find_leftovers(upload.filename, upload.file.paths, own=upload.file_name_stem):
        message = f"{quote_some(list(leftovers))} should not be in the archive"
        yield warn(message, "exclude it in the build backend's configuration", upload.filename)


def find_leftovers(filename: str, paths: Iterable[str], *, own: str) -> dict[str, str]:
    """What is in an archive by accident: path → the directory to exclude, or the path of a single file.

    `own`: the normalized name of the project, which may be "build".
    """
    build = next((one for suffix, one in _BUILD_LEFTOVERS.items() if filename.endswith(suffix)), None)
    found = {}
    for path in paths:
        match = (_LEFT_BY_A_RUN if _TEST_DATA.search(path) else _LEFTOVERS).search(path)
        if match is None and build is not None and path.partition("/")[0] != own:
            match = build.search(path)
        if match:
            found[path] = path[: match.end()].rstrip("/") if match[0].endswith("/") else path
    return found


@CHECKS.check()
def no_common_name_is_installed(upload: FileUpload) -> Iterator[Finding]:
    """No generic top-level packages (tests, docs, tools).

    All installed projects share the top level: if two of them install the same name, the later one overwrites it.
    """
    if not upload.filename.endswith(".whl"):
        return
    tops = {_MODULES.sub("", name).partition("/")[0] for name in upload.file.paths}
    generic = sorted(top for top in tops & _GENERIC if top.removesuffix(".py") != upload.file_name_stem)
    if generic:
        yield warn(
            f"the wheel installs {quote_some(generic)} at the top level, where it can clash with other projects",
            "exclude it from the wheel in the build backend's configuration, or move it into the package",
            upload.filename,
            source="https://packaging.python.org/en/latest/discussions/src-layout-vs-flat-layout/",
        )


@CHECKS.check()
def every_title_is_a_title(upload: FileUpload) -> Iterator[Finding]:
    """Headings in the README render as headings.

    A reStructuredText underline that is too short counts as one only from four characters on, and is refused then.
    """
    kind = upload.value("description_content_type")
    found = re.search(_SHORT_TITLE, upload.value("description")) if not kind or "x-rst" in kind else None
    if found:
        yield warn(
            f"the underline {found['line']!r} is too short for the heading {found['title']!r}: both render as text",
            "make the underline as long as the heading",
            upload.filename,
            source="https://docutils.sourceforge.io/docs/ref/rst/restructuredtext.html#sections",
        )

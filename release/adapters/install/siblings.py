"""Builds and clean installs that take the siblings of a project from the page of one index, and only these.

Each sibling is a constraint with the URL and the hash of one file: `a @ URL#sha256=…`. It takes effect only where
something requires the sibling; everything else comes from the user's own indexes, whose releases of the sibling are
not considered, newer and equal ones included.

Observed: pip 23.2 to 26.3 and uv 0.13.9, 2026-11:

- All take the URL for direct and indirect requirements, for requirements with another spelling of the name and for
  pre-releases, compare the hash, and fetch nothing that is not required. pip before 26.1 fails with an `AssertionError`
  where a requirement has extras (`a[x]`).
- `--find-links PAGE` with `a==2.0` is not enough: of two wheels of the same version, pip takes that of the index.
- For the requirements of a build, pip reads PIP_CONSTRAINT before 26.2 and PIP_BUILD_CONSTRAINT since 25.3; uv reads
  UV_BUILD_CONSTRAINT. What `python -m build` installs are ordinary installs of pip and uv.
- Variables with several files are split at spaces; file URLs are accepted.
- `[tool.uv.sources]` of the project does not divert `python -m build --installer uv`. uv's date limits, `--no-index`,
  and what its cache has of the same URL with another hash do not matter.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from msgspec.structs import replace

from release.adapters.install import installer, interpreters, venv
from release.adapters.system.parallel import run_jobs
from release.adapters.system.system import System, explain_os_errors
from release.core.errors import UnreachableError
from release.core.models.index import Index, IndexFile, normalize_name, version_of, well_known
from release.core.models.interpreter import Interpreter
from release.core.models.release_set import Sibling

#: pages that are fetched at the same time
_FETCHES = 8


#: the constraint of each sibling for an interpreter
KnownConstraints = MutableMapping[tuple[Sibling, Interpreter], str]


def with_siblings(
    system: System,
    siblings: Sequence[Sibling],
    *,
    scratch: Callable[[str], Path],
    known: KnownConstraints | None = None,
) -> System:
    """The same system, whose builds and clean installs take each sibling from its page, in exactly this version.

    The file is the one for the interpreter of `system`, so that must be chosen before. Each sibling costs one request,
    unless its page is the file URL of a directory: pass those that the project can need, without the project itself.
    `scratch` returns a path that does not exist yet. `known`: the answers so far, which are not requested again; this
    call adds its own. Raises `UnreachableError` where a page cannot be read or lists no file of the version.
    """
    if not siblings:
        return system
    interpreter = interpreters.chosen_interpreter(system)
    known = {} if known is None else known
    lines = {one: line for one in siblings if (line := known.get((one, interpreter)))}
    new = [one for one in siblings if one not in lines]
    jobs = [partial(_constraint, sibling=one, interpreter=interpreter) for one in new]
    found = dict(zip(new, run_jobs(system, jobs, workers=_FETCHES), strict=True))
    known.update({(one, interpreter): line for one, line in found.items()})
    lines |= found
    directory = scratch("siblings")
    with explain_os_errors("the file with the versions of the siblings"):
        directory.mkdir(parents=True)
        (directory / "constraints.txt").write_text("".join(f"{lines[one]}\n" for one in siblings), encoding="utf-8")
    added = (directory / "constraints.txt").resolve().as_uri()
    return replace(system, env={**system.env, **installer.constraint_variables(system, added)})


def _constraint(_: System, *, sibling: Sibling, interpreter: Interpreter) -> str:
    file = _find_file(sibling, interpreter)
    fragment = f"#sha256={file.sha256}" if file.sha256 else ""
    return f"{normalize_name(sibling.name)} @ {file.url}{fragment}"


def _find_file(sibling: Sibling, interpreter: Interpreter) -> IndexFile:
    """The file that an installer would choose; without one, any, so that the installer reports that it does not fit."""
    from packaging.version import Version

    listed = _list_directory(sibling) if sibling.page.startswith("file:") else _list_page(sibling)
    wanted = Version(sibling.version)
    files = [one for one in listed if version_of(one.filename, sibling.name) == wanted]
    if not files:
        raise UnreachableError(
            f"{sibling.page} lists no file of {sibling.name} {sibling.version}",
            remedy="run the same command again in a few minutes",
        )
    best = venv.best_file((one.filename for one in files), interpreter)
    return next((one for one in files if one.filename == best), files[0])


def _list_directory(sibling: Sibling) -> tuple[IndexFile, ...]:
    from release.adapters.builds import builder

    directory = Path(url2pathname(urlsplit(sibling.page).path))
    with explain_os_errors("the files of the siblings"):
        files = [builder.load_distribution(one) for one in sorted(directory.iterdir()) if one.is_file()]
    return tuple(IndexFile(filename=one.filename, url=one.path.as_uri(), sha256=one.sha256) for one in files)


def _list_page(sibling: Sibling) -> tuple[IndexFile, ...]:
    from release.adapters.index import simple_api

    root = sibling.page.removesuffix("/").rpartition("/")[0] + "/"
    known = well_known(sibling.page)
    index = Index(name="", upload_url="", simple_url=root, kind=known.kind if known else "other")
    listing = simple_api.fetch_listing(index, sibling.name, fresh=True)
    return listing.files if listing else ()

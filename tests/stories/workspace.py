"""A user's repository with several projects that depend on each other, and that build in a moment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from release.sandbox.seed import DEFAULT_USER, SeedData, SeedProject
from tests.stories.project import Indexes, UserProject, release_table

#: a build backend in the project itself: metadata from [project], one module, no requirements of its own
BACKEND = """\
import base64, hashlib, io, os, pathlib, tarfile, tomllib, zipfile

P = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
STEM = P["name"].replace("-", "_") + "-" + P["version"]
MODULES = sorted(str(p) for p in pathlib.Path("src").rglob("*.py"))
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "315532800"))

def metadata():
    lines = ["Metadata-Version: 2.4", "Name: " + P["name"], "Version: " + P["version"], "Summary: One of a set"]
    lines += ["Requires-Python: >=3.9", "Description-Content-Type: text/markdown"]
    lines += ["Classifier: " + c for c in P.get("classifiers", [])]
    lines += ["Requires-Dist: " + r for r in P.get("dependencies", [])]
    for extra, needs in P.get("optional-dependencies", {}).items():
        lines += ["Provides-Extra: " + extra] + ["Requires-Dist: %s ; extra == '%s'" % (r, extra) for r in needs]
    return "\\n".join(lines) + "\\n\\n# " + P["name"] + "\\n\\nOne of a set.\\n"

def build_sdist(directory, settings=None):
    name = STEM + ".tar.gz"
    with tarfile.open(os.path.join(directory, name), "w:gz") as tar:
        paths = {p: pathlib.Path(p).read_bytes() for p in ["pyproject.toml", "backend.py", "README.md", *MODULES]}
        for path, data in {**paths, "PKG-INFO": metadata().encode()}.items():
            info = tarfile.TarInfo(STEM + "/" + path)
            info.size, info.mtime = len(data), EPOCH
            tar.addfile(info, io.BytesIO(data))
    return name

def build_wheel(directory, settings=None, metadata_directory=None):
    name, info = STEM + "-py3-none-any.whl", STEM + ".dist-info/"
    files = {p[4:]: pathlib.Path(p).read_bytes() for p in MODULES}
    files[info + "METADATA"] = metadata().encode()
    files[info + "WHEEL"] = b"Wheel-Version: 1.0\\nGenerator: backend 1\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    rows = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append("%s,sha256=%s,%d" % (path, digest, len(data)))
    files[info + "RECORD"] = ("\\n".join(rows + [info + "RECORD,,"]) + "\\n").encode()
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 11, 28, 0, 0, 0)), data)
    return name
"""


class Project(Struct, frozen=True, kw_only=True):
    """One project of the repository."""

    name: str
    version: str = "1.0"
    requires: Sequence[str] = ()
    build_requires: Sequence[str] = ()
    extras: Mapping[str, Sequence[str]] = field(default_factory=dict)
    classifiers: Sequence[str] = ()
    #: the text of its module; by default it imports the siblings that it requires
    module: str | None = None
    #: more of its pyproject.toml
    more: str = ""
    #: text at the start of its backend: what the build does with its build requirements
    before_build: str = ""


def workspace(tmp_path: Path, projects: Sequence[Project], on: Indexes | None, *, root: str = "") -> UserProject:
    """A repository with `packages/NAME` for each project; `root`: more of `[tool.release.set]`."""
    made = UserProject(root=tmp_path / "repository", home=tmp_path / "home")
    made.root.mkdir()
    made.home.mkdir()
    table = release_table(on) if on else ""
    made.write("pyproject.toml", f'[tool.release.set]\nmembers = ["packages/*"]\n{root}\n{table}')
    for one in projects:
        write_project(made, one)
    made.commit()
    return made


def write_project(made: UserProject, one: Project) -> None:
    place, package = f"packages/{one.name}", one.name.replace("-", "_")
    lines = [
        "[build-system]", f"requires = {json.dumps(list(one.build_requires))}",
        'build-backend = "backend"', 'backend-path = ["."]',
        "[project]", f'name = "{one.name}"', f'version = "{one.version}"', 'readme = "README.md"',
        f"dependencies = {json.dumps(list(one.requires))}", f"classifiers = {json.dumps(list(one.classifiers))}",
    ]  # fmt: skip
    extras = [f"{name} = {json.dumps(list(needs))}" for name, needs in one.extras.items()]
    lines += ["[project.optional-dependencies]", *extras] if extras else []
    made.write(f"{place}/pyproject.toml", "\n".join([*lines, one.more, ""]))
    made.write(f"{place}/backend.py", one.before_build + BACKEND)
    made.write(f"{place}/README.md", f"# {one.name}\n")
    imports = "".join(f"import {_module(text)}\n" for text in one.requires)
    made.write(f"{place}/src/{package}/__init__.py", one.module or f"{imports}version = {one.version!r}\n")


def _module(requirement: str) -> str:
    import re

    found = re.match(r"[\w-]+", requirement)
    assert found
    return found[0].replace("-", "_")


def seed_for(projects: Sequence[str], *, exist: bool) -> SeedData:
    """An index whose user owns the projects, or may create them."""
    owned = tuple(SeedProject(name=name, owners=(DEFAULT_USER,)) for name in projects) if exist else ()
    return SeedData(projects=owned, new_projects=())


def commit_all(made: UserProject, message: str) -> None:
    subprocess.run(["git", "add", "-A"], cwd=made.root, check=True)
    made.git("commit", "-q", "-m", message)


#: a diamond: core; http and db need it; app needs both; extra needs app
DIAMOND = (
    Project(name="acme-core"),
    Project(name="acme-http", requires=["acme-core>=1"]),
    Project(name="acme-db", requires=["acme-core>=1"]),
    Project(name="acme-app", requires=["acme-http>=1", "acme-db>=1"]),
    Project(name="acme-extra", requires=["acme-app"]),
)

"""Builds and clean installs with siblings, by uv and by pip, between an index that has them and an ordinary one."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from msgspec.structs import replace

from release.adapters.builds import builder
from release.adapters.install import siblings, venv
from release.adapters.system.system import System, real_system
from release.core.errors import UnreachableError
from release.core.models.interpreter import Interpreter
from release.core.models.release_set import Sibling
from release.sandbox.server import Sandbox, start_sandbox
from tests.sample_distributions import fields, form, metadata, sdist, sdist_name, wheel, wheel_name

BOTH = pytest.mark.parametrize("tool", ["uv", "pip"])
#: a backend that imports the sibling, and writes into the module where that came from
BACKEND = """
import acme_a, os, zipfile

def build_wheel(directory, config=None, metadata=None):
    name, info = "acme_b-1.0-py3-none-any.whl", "acme_b-1.0.dist-info"
    members = {
        "acme_b.py": f"BUILT_WITH = {acme_a.ORIGIN!r}",
        f"{info}/METADATA": METADATA,
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    members[f"{info}/RECORD"] = "".join(f"{one},,\\n" for one in [*members, f"{info}/RECORD"])
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for path, text in members.items():
            archive.writestr(path, text)
    return name
"""
PYPROJECT = """[build-system]
requires = ["acme-a>=1.5"]
build-backend = "backend"
backend-path = ["."]
[project]
name = "acme-b"
version = "1.0"
dependencies = ["Acme.A[fast]>=1.5", "acme-c"]
"""


def upload(sandbox: Sandbox, name: str, version: str, filename: str, content: bytes) -> str:
    """The URL of the file."""
    sent = fields(content, filename, name=name, version=version)
    body, kind = form(sent, filename=filename, content=content)
    auth = ("__token__", sandbox.tokens["account"].reveal())
    answer = requests.post(sandbox.upload_url, data=body, headers={"Content-Type": kind}, auth=auth, timeout=240)
    assert answer.status_code == 200, answer.text
    digest = hashlib.blake2b(content, digest_size=32).hexdigest()
    place = f"packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}"
    return sandbox.simple_url.removesuffix("simple/") + f"{place}/{filename}"


def upload_wheel(sandbox: Sandbox, name: str, version: str, origin: str, extra: str = "") -> str:
    module = {f"{name.replace('-', '_')}.py": f"ORIGIN = {origin!r}\n"}
    content = wheel(name, version, files=module, metadata_extra=extra)
    return upload(sandbox, name, version, wheel_name(name, version), content)


@pytest.fixture(scope="module")
def page() -> Iterator[Sandbox]:
    """The index of the set: a sibling, and somebody's project that must not be taken from there."""
    with start_sandbox() as sandbox:
        upload_wheel(sandbox, "acme-a", "1.4", "set, older")
        upload_wheel(sandbox, "acme-a", "2.0rc1", "set")
        upload_wheel(sandbox, "acme-c", "9.9", "set, another project")
        yield sandbox


@pytest.fixture(scope="module")
def ordinary() -> Iterator[Sandbox]:
    """The user's index: other releases of the sibling, one of them with the same version, and a dependency."""
    with start_sandbox() as sandbox:
        for version in ("1.9", "2.0rc1", "2.5"):
            upload_wheel(sandbox, "acme-a", version, f"ordinary {version}")
        upload_wheel(sandbox, "acme-c", "1.0", "ordinary")
        yield sandbox


@pytest.fixture
def machine(tmp_path: Path, ordinary: Sandbox) -> Callable[[str], System]:
    own = tmp_path / "own constraints.txt"
    own.write_text("acme-c<9\n")

    def system(tool: str) -> System:
        here = real_system()
        env = {name: value for name, value in here.env.items() if not name.startswith(("PIP_", "UV_"))}
        env |= {
            "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": ordinary.simple_url, "PIP_NO_CACHE_DIR": "1",
            "PIP_CONSTRAINT": own.as_uri(), "UV_CONSTRAINT": own.as_uri(), "UV_DEFAULT_INDEX": ordinary.simple_url,
            "UV_CACHE_DIR": str(tmp_path / "cache"), "RELEASE_INSTALLER": tool,
        }  # fmt: skip
        return replace(here, env=env)

    return system


def sibling(page: Sandbox, version: str = "2.0rc1", name: str = "acme-a") -> Sibling:
    return Sibling(name=name, version=version, page=f"{page.simple_url}{name}/")


def module(environment: venv.Environment, name: str) -> str:
    (found,) = environment.directory.rglob(f"{name}.py")
    return found.read_text()


@BOTH
def test_a_clean_install_takes_a_sibling_from_its_page_and_the_rest_from_the_ordinary_index(
    tmp_path: Path, page: Sandbox, machine: Callable[[str], System], tool: str
) -> None:
    """An sdist whose build needs the sibling, and whose requirements do, too, with an extra and another spelling."""
    requires = "Requires-Dist: Acme.A[fast]>=1.5\nRequires-Dist: acme-c\n"
    backend = BACKEND.replace("METADATA,", f"{metadata('acme-b', '1.0', requires)!r},")
    files = {"pyproject.toml": PYPROJECT, "backend.py": backend, "acme_b.py": None}
    content = sdist("acme-b", "1.0", files=files, metadata_extra=f"# {tool}: bytes of its own\n")
    with start_sandbox() as index:
        url = upload(index, "acme-b", "1.0", sdist_name("acme-b"), content)
        system = siblings.with_siblings(machine(tool), [sibling(page)], scratch=lambda name: tmp_path / "a b" / name)
        clean = venv.create_environment(system, tmp_path / "environment")
        digest = hashlib.sha256(content).hexdigest()
        problem = venv.install_file(system, clean, name="acme-b", version="1.0", url=url, sha256=digest)
    assert problem is None
    assert module(clean, "acme_b") == "BUILT_WITH = 'set'"
    assert module(clean, "acme_a") == "ORIGIN = 'set'\n"
    assert module(clean, "acme_c") == "ORIGIN = 'ordinary'\n"
    assert venv.load_installed(clean, "acme-a").version == "2.0rc1"


@pytest.mark.parametrize("tool", ["uv", pytest.param("pip", marks=pytest.mark.slow)])
def test_an_isolated_build_takes_a_sibling_from_its_page(
    tmp_path: Path, page: Sandbox, machine: Callable[[str], System], tool: str
) -> None:
    """In a workspace of uv, whose sources the build does not follow."""
    member = tmp_path / "root" / "packages" / "b"
    member.mkdir(parents=True)
    (tmp_path / "root" / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    (member / "pyproject.toml").write_text(f"{PYPROJECT}[tool.uv.sources]\nacme-a = {{ workspace = true }}\n")
    (member / "backend.py").write_text(BACKEND.replace("METADATA,", f"{metadata('acme-b', '1.0')!r},"))
    system = siblings.with_siblings(machine(tool), [sibling(page)], scratch=tmp_path.joinpath)
    (built,) = builder.build_distributions(system, member, tmp_path / "dist", epoch=None, only_wheel=True)
    with zipfile.ZipFile(built.path) as archive:
        assert archive.read("acme_b.py") == b"BUILT_WITH = 'set'"


def test_only_the_wanted_version_is_pinned_and_the_users_constraints_remain(
    tmp_path: Path, page: Sandbox, machine: Callable[[str], System]
) -> None:
    system = machine("pip")
    assert siblings.with_siblings(system, [], scratch=tmp_path.joinpath) is system
    (tmp_path / "pip.conf").write_text("[install]\nconstraint =\n  one.txt\n  two.txt\n")
    env = {**system.env, "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "UV_BUILD_CONSTRAINT": "three.txt"}
    del env["PIP_CONSTRAINT"], env["UV_CONSTRAINT"]
    known = [sibling(page), sibling(page, "9.9", "acme-c")]
    env = dict(siblings.with_siblings(replace(system, env=env), known, scratch=tmp_path.joinpath).env)
    ours = (tmp_path / "siblings" / "constraints.txt").as_uri()
    assert env["PIP_CONSTRAINT"] == f"one.txt two.txt {ours}"
    assert env["UV_BUILD_CONSTRAINT"] == f"three.txt {ours}"
    assert env["PIP_BUILD_CONSTRAINT"] == env["UV_CONSTRAINT"] == ours
    first, second = (tmp_path / "siblings" / "constraints.txt").read_text().splitlines()
    assert first.startswith(f"acme-a @ {page.simple_url.removesuffix('simple/')}packages/")
    assert "/acme_a-2.0rc1-py3-none-any.whl#sha256=" in first
    assert "/acme_c-9.9-py3-none-any.whl#sha256=" in second
    asked, answers = len(page.log), dict[tuple[Sibling, Interpreter], str]()
    for number in range(2):  # the second call requests nothing
        scratch = (tmp_path / str(number)).joinpath
        siblings.with_siblings(system, known, scratch=scratch, known=answers)
        assert scratch("siblings", "constraints.txt").read_text() == f"{first}\n{second}\n"
        assert len(page.log) == asked + len(known)
    for missing in (sibling(page, "3.0"), sibling(page, name="acme-nothing")):
        with pytest.raises(UnreachableError, match="lists no file of acme-"):
            siblings.with_siblings(system, [missing], scratch=lambda name: tmp_path / "other" / name)

"""Clean environments, made and filled for real, by uv and by pip."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import os
import re
import sys
import sysconfig
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.install import installer, interpreters, venv
from release.adapters.install.venv import Environment
from release.adapters.system.system import System, real_system
from release.core.errors import ToolError, UsageError
from release.core.models.check_result import Finding, Unknown
from release.core.models.index import PYPI, TESTPYPI
from tests.fake_system import Programs, fake_system

BOTH = pytest.mark.parametrize("tool", ["uv", "pip"])

_THIS_PYTHON = f"acme-1.0-py3{sys.version_info.minor}-none-any.whl"

pytestmark = pytest.mark.network  # dependencies come from the registry


EXCLUDED = """
The conflict is caused by:
    acme 1.0 depends on acme-a>=3
    The user requested (constraint) {}

ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/en/latest/topics/dependency-resolution/
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:  # a test's output is no place for it
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A directory, and the address under which its files are served."""
    where = tmp_path / "served"
    where.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(where)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield where, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def system(tool: str, **more: str) -> System:
    here = real_system()
    return replace(here, env={**here.env, "RELEASE_INSTALLER": tool, **more})


def wheel(where: Path, name: str = "acme", version: str = "1.0", metadata: str = "", **files: str) -> Path:
    path, info = where / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    members = {f"{name}.py": "", **files}
    members[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}"
    members[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{member},,\n" for member in [*members, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in {**members, f"{info}/RECORD": record}.items():
            archive.writestr(member, text)
    return path


def sdist(where: Path, setup: str = "from setuptools import setup\nsetup(name='acme', version='1.0')\n") -> Path:
    path = where / "acme-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member, text in {
            "setup.py": setup,
            "PKG-INFO": "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n",
        }.items():
            entry = tarfile.TarInfo(f"acme-1.0/{member}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def install(where: Environment, machine: System, file: Path, base: str, **other: str) -> Finding | Unknown | None:
    told = {"version": "1.0", "sha256": sha256(file)} | other
    return venv.install_file(
        machine, where, name="acme", url=base + file.name, version=told["version"], sha256=told["sha256"]
    )


@BOTH
def test_the_file_at_the_address_is_installed_and_nothing_else_is_there(
    tmp_path: Path, served: tuple[Path, str], tool: str
) -> None:
    machine = system(tool, PYTHONPATH=str(tmp_path), PIP_USER="1", PIP_TARGET=str(tmp_path / "astray"))
    clean = venv.create_environment(machine, tmp_path / "env")
    file = wheel(served[0], metadata="Requires-Dist: rich; extra == 'pretty'\n")
    assert install(clean, machine, file, served[1]) is None
    found = venv.load_installed(clean, "Acme")
    assert (found.version, found.url, found.sha256 or sha256(file)) == ("1.0", served[1] + file.name, sha256(file))
    assert "acme.py" in found.files
    assert [line.split(";")[0].strip() for line in found.requires] == ["rich"]
    assert not (tmp_path / "astray").exists()
    shown = machine.run([str(clean.python), "-c", "import acme; print(acme.__file__)"], cwd=tmp_path).output.strip()
    assert Path(shown).is_relative_to(tmp_path / "env")


@BOTH
@pytest.mark.parametrize("make", [wheel, sdist])
def test_other_bytes_are_never_installed(tmp_path: Path, served: tuple[Path, str], tool: str, make: object) -> None:
    machine = system(tool, UV_NO_VERIFY_HASHES="1", UV_CACHE_DIR=str(tmp_path / "u"), PIP_CACHE_DIR=str(tmp_path / "p"))
    file = make(served[0])  # type: ignore[operator] # one of the two builders above
    released = sha256(file)
    assert install(venv.create_environment(machine, tmp_path / "first"), machine, file, served[1]) is None
    file.write_bytes(file.read_bytes() + b"\0" * 2)
    os.utime(file, (1_900_000_000, 1_900_000_000))
    clean = venv.create_environment(machine, tmp_path / "second")
    problem = install(clean, machine, file, served[1], sha256=released)
    assert isinstance(problem, Finding)
    assert "serves a file with another hash" in problem.message
    assert sha256(file) in problem.message
    with pytest.raises(ToolError, match="is missing"):
        venv.load_installed(clean, "acme")


@BOTH
@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("Requires-Python: >=3.99\n", r"acme does not install on Python 3\.\S+: it requires '>=3\.99'"),
        ("Requires-Dist: no-such-project-of-acme>3\n", "no index has its dependency 'no-such-project-of-acme"),
    ],
)
def test_what_keeps_it_from_installing_is_named(
    tmp_path: Path, served: tuple[Path, str], tool: str, metadata: str, message: str
) -> None:
    machine = system(tool)
    clean = venv.create_environment(machine, tmp_path / "env")
    problem = install(clean, machine, wheel(served[0], metadata=metadata), served[1])
    assert isinstance(problem, Finding)
    assert problem.severity == "block"
    assert problem.remedy

    assert re.search(message, problem.message)


@BOTH
def test_a_file_that_is_not_served_is_named(tmp_path: Path, served: tuple[Path, str], tool: str) -> None:
    machine = system(tool)
    problem = install(venv.create_environment(machine, tmp_path / "env"), machine, wheel(tmp_path), served[1])
    assert isinstance(problem, Finding)
    assert "does not serve" in problem.message


@BOTH
def test_an_sdist_that_does_not_build_says_why(tmp_path: Path, served: tuple[Path, str], tool: str) -> None:
    machine = system(tool)
    clean = venv.create_environment(machine, tmp_path / "env")
    problem = install(clean, machine, sdist(served[0], "import numpyx"), served[1])
    assert isinstance(problem, Finding)
    assert "acme does not build from its sdist" in problem.message
    assert "numpyx" in problem.message


@BOTH
def test_without_network_nothing_is_known(tmp_path: Path, served: tuple[Path, str], tool: str) -> None:
    nowhere = "http://127.0.0.1:9/simple"
    machine = system(
        tool, UV_DEFAULT_INDEX=nowhere, UV_NO_CACHE="1", UV_HTTP_RETRIES="0",
        PIP_INDEX_URL=nowhere, PIP_RETRIES="1", PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS="", PIP_NO_CACHE_DIR="1",
    )  # fmt: skip
    clean = venv.create_environment(machine, tmp_path / "env")
    problem = install(clean, machine, wheel(served[0], metadata="Requires-Dist: six\n"), served[1])
    assert isinstance(problem, Unknown)
    assert "network" in problem.remedy


@BOTH
def test_a_proxy_does_not_stand_between_us_and_loopback(tmp_path: Path, served: tuple[Path, str], tool: str) -> None:
    dead = "http://127.0.0.1:9"
    machine = system(tool, HTTP_PROXY=dead, http_proxy=dead, ALL_PROXY=dead, NO_PROXY="example.org")
    clean = venv.create_environment(machine, tmp_path / "env")
    assert install(clean, machine, wheel(served[0]), served[1]) is None


def test_a_file_with_another_version_inside_is_told(tmp_path: Path, served: tuple[Path, str]) -> None:
    machine = system("uv")
    clean = venv.create_environment(machine, tmp_path / "env")
    problem = install(clean, machine, wheel(served[0]), served[1], version="1.1")
    assert isinstance(problem, Finding)
    assert "its metadata says version '1.0'" in problem.message


def test_settings_of_a_project_around_the_environment_do_not_matter(tmp_path: Path, served: tuple[Path, str]) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.uv]\nno-index = true\noverride-dependencies = ['no-such>9']\n")
    machine = system("uv")
    clean = venv.create_environment(machine, tmp_path / "env")
    assert install(clean, machine, wheel(served[0], metadata="Requires-Dist: six\n"), served[1]) is None


@pytest.mark.parametrize(
    ("names", "best"),
    [
        (["acme-1.0.tar.gz", "acme-1.0-py3-none-any.whl"], "acme-1.0-py3-none-any.whl"),
        (["acme-1.0-cp27-cp27m-win32.whl", "acme-1.0.tar.gz"], "acme-1.0.tar.gz"),
        (["acme-1.0-cp27-cp27m-win32.whl"], None),
        (["acme-1.0-py2.py3-none-any.whl", _THIS_PYTHON], _THIS_PYTHON),
        (["nonsense.whl"], None),
        ([], None),
    ],
)
def test_the_file_for_this_python_is_chosen(names: list[str], best: str | None) -> None:
    assert venv.best_file(names) == best


def test_the_installer_can_be_told() -> None:
    assert installer.choose_installer(system("pip")) == "pip"
    with pytest.raises(UsageError, match="RELEASE_INSTALLER is 'conda'"):
        installer.choose_installer(system("conda"))


def test_uv_looks_where_pip_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://mirror.example/simple\n"
        "[install]\nextra-index-url =\n  https://a.example\n  https://b.example\n"
    )
    here = real_system()
    told = replace(
        here, env={"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_FIND_LINKS": "/wheels"}, home=tmp_path
    )
    seen = installer.installer_environment(told)
    assert seen["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert seen["UV_INDEX"] == "https://a.example https://b.example"
    assert seen["UV_FIND_LINKS"] == "/wheels"
    own = replace(told, env={**told.env, "UV_INDEX_URL": "https://mine.example"})
    assert "UV_DEFAULT_INDEX" not in installer.installer_environment(own)


def test_testpypi_is_kept_from_standing_beside_another_index(tmp_path: Path) -> None:
    """Out of files and variables, by whatever name; the others stay, and so does it as the first one."""
    there = replace(TESTPYPI, simple_url="https://a.example/simple/")
    (tmp_path / "pip.conf").write_text("[global]\nextra-index-url = https://a.example/simple/ https://b.example\n")
    env = {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "UV_INDEX": "a=https://u:p@A.example/simple https://c.example",
    }
    told = replace(real_system(), env=env, home=tmp_path)
    seen = installer.without_testpypi(told, there).env
    assert seen["PIP_EXTRA_INDEX_URL"] == "https://b.example"
    assert seen["UV_INDEX"] == "https://c.example"
    alone = replace(told, env={"PIP_CONFIG_FILE": os.devnull, "PIP_EXTRA_INDEX_URL": TESTPYPI.simple_url})
    assert installer.without_testpypi(alone, TESTPYPI).env["PIP_EXTRA_INDEX_URL"] == PYPI.simple_url
    for same in ({"PIP_INDEX_URL": "https://a.example/simple"}, {"PIP_EXTRA_INDEX_URL": "https://b.example"}):
        first = replace(told, env={"PIP_CONFIG_FILE": os.devnull, **same})
        assert installer.without_testpypi(first, there).env == first.env
    assert installer.without_testpypi(told, replace(there, name="internal")) is told, (
        "its own dependencies may be there"
    )


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("ERROR: Failed building wheel for hard-dep\nerror: gcc not found", "hard-dep does not build from its sdist"),
        ("ERROR: x.whl is not a supported wheel on this platform.", "no wheel for this Python"),
        (
            EXCLUDED.format("acme-a==1.9 (from http://127.0.0.1/acme_a-2.0-py3-none-any.whl#sha256=00)"),
            "acme does not install: the requirement 'acme-a>=3' conflicts with the constraint 'acme-a==1.9'",
        ),
        (EXCLUDED.format("acme-a"), "conflicts with the constraint 'acme-a'"),
        (
            EXCLUDED.replace("(constraint) ", "").format("acme-a<3"),
            "acme does not install: 'ResolutionImpossible: for h",
        ),
        ("error: something odd", "acme does not install: 'something odd'"),
    ],
)
def test_recorded_words_of_installers_are_understood(output: str, message: str) -> None:
    found = venv.install_problem(output, name="acme", url="http://127.0.0.1/acme.whl")
    assert isinstance(found, Finding)
    assert message in found.message


def test_an_installer_that_could_start_no_thread_has_not_tried_the_project() -> None:
    output = 'failed to spawn thread: Os { code: 11, kind: WouldBlock, message: "Resource temporarily unavailable" }\n'
    found = venv.install_problem(output, name="acme", url="http://127.0.0.1/acme.whl")
    assert isinstance(found, Unknown)
    assert found.reason == "the limit on processes and threads is reached"


def test_uv_is_asked_about_an_interpreter_before_an_install_and_need_not_answer(tmp_path: Path) -> None:
    programs = Programs()
    for tool in ("uv", "pip"):
        made = Environment(
            directory=tmp_path, python=tmp_path / "python", bin=tmp_path, installer=tool,
            created_by=interpreters.running_interpreter(),
        )  # fmt: skip
        venv.prepare_install(fake_system(run=programs), made)
    ((*_, python),) = programs.called
    assert python == str(tmp_path / "python")
    assert programs.options[0]["cwd"] == tmp_path, "its uv.toml keeps settings of a project away"


@pytest.mark.parametrize("refresh", [False, True])
def test_uv_remembers_an_interpreter_unless_a_file_is_fetched_again(
    tmp_path: Path, served: tuple[Path, str], *, refresh: bool
) -> None:
    machine, file, started = system("uv"), wheel(served[0]), tmp_path / "started"
    clean = venv.create_environment(machine, tmp_path / "env")
    venv.prepare_install(machine, clean)
    base = dict.fromkeys(("base", "platbase"), str(clean.directory))
    site_packages = Path(sysconfig.get_path("purelib", scheme="venv", vars=base))
    (site_packages / "started.pth").write_text(f"import pathlib; pathlib.Path({str(started)!r}).touch()\n")
    problem = venv.install_file(
        machine, clean, name="acme", version="1.0", url=served[1] + file.name, sha256=sha256(file), refresh=refresh
    )
    assert problem is None
    assert started.exists() == refresh

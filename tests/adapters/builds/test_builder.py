"""Real builds of small projects."""

from __future__ import annotations

import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.builds import build_failure, builder
from release.adapters.system.system import System, real_system
from release.core.errors import ConfigError, ReleaseError, ToolError
from release.core.tokens import macaroon

pytestmark = pytest.mark.network  # build requirements come from the registry

FLIT = """
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
[project]
name = "acme"
version = "1.0"
description = "d"
"""
SETUP_CFG = "[metadata]\nname = acme\nversion = 1.0\n[options]\npy_modules = acme\n"
SETUP_PY = "from setuptools import setup\nsetup(name='acme', version='1.0', py_modules=['acme'])\n"


def system(**more: str) -> System:
    here = real_system()
    return replace(here, env={**here.env, **more})


def project(where: Path, **files: str) -> Path:
    for name, text in {"acme.py": '"""Acme."""\n', **files}.items():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_text(text)
    return where


def listing(where: Path) -> set[str]:
    return {path.relative_to(where).as_posix() for path in where.rglob("*")}


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_sdist_and_a_wheel_from_it_are_built_without_a_trace(tmp_path: Path, installer: str) -> None:
    source = project(tmp_path / "p", **{"pyproject.toml": FLIT})
    lines: list[str] = []
    built = builder.build_distributions(
        system(RELEASE_INSTALLER=installer), source, tmp_path / "out", epoch=1_700_000_000, on_line=lines.append
    )
    assert [(one.kind, one.filename) for one in built] == [
        ("sdist", "acme-1.0.tar.gz"), ("bdist_wheel", "acme-1.0-py2.py3-none-any.whl"),
    ]  # fmt: skip
    assert all(builder.load_distribution(one.path) == one for one in built)
    assert any("Building wheel" in line for line in lines)
    assert listing(tmp_path) == {
        "p", "p/acme.py", "p/pyproject.toml", "out", *(f"out/{one.filename}" for one in built),
    }  # fmt: skip
    with zipfile.ZipFile(built[1].path) as archive:
        assert archive.getinfo("acme.py").date_time[:3] == (2023, 11, 14)


def test_two_builds_of_one_commit_are_the_same_bytes(tmp_path: Path) -> None:
    source = project(tmp_path / "p", **{"pyproject.toml": FLIT})
    builds = [
        builder.build_distributions(system(), source, tmp_path / name, epoch=1_700_000_000) for name in ("a", "b")
    ]
    assert [one.sha256 for one in builds[0]] == [one.sha256 for one in builds[1]]


@pytest.mark.parametrize("files", [{"setup.py": SETUP_PY}, {"setup.cfg": SETUP_CFG}], ids=["setup.py", "setup.cfg"])
def test_projects_without_pyproject_build_and_tell_their_version(tmp_path: Path, files: dict[str, str]) -> None:
    source = project(tmp_path / "p", **files)
    before = listing(source)
    assert builder.name_and_version(system(), source) == ("acme", "1.0")
    assert listing(source) == before
    sdist, wheel = builder.build_distributions(system(), source, tmp_path / "out", epoch=None)
    assert wheel.filename == "acme-1.0-py3-none-any.whl"
    if "setup.cfg" in files:
        with tarfile.open(sdist.path) as archive:
            assert "acme-1.0/pyproject.toml" in archive.getnames(), "else nobody could build the sdist"
        assert listing(source) == before


def test_a_static_name_and_version_need_no_program(tmp_path: Path) -> None:
    def no_program(*_: object, **__: object) -> None:
        raise AssertionError

    source = project(tmp_path / "p", **{"pyproject.toml": FLIT})
    assert builder.name_and_version(replace(system(), run=no_program), source) == ("acme", "1.0")


def test_a_dynamic_version_is_asked_of_the_backend_in_a_directory_called_build(tmp_path: Path) -> None:
    text = FLIT.replace('version = "1.0"', "").replace("description =", 'dynamic = ["version"]\ndescription =')
    source = project(tmp_path / "p", **{"pyproject.toml": text, "acme.py": '"""A."""\n__version__ = "2.5"\n'})
    (source / "build").mkdir()
    (source / "build" / "__init__.py").write_text("raise SystemExit('shadowed')")
    before = listing(source)
    assert builder.name_and_version(system(), source) == ("acme", "2.5")
    assert listing(source) == before


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no project in"),
        ({"pyproject.toml": "[project\n"}, "not valid TOML"),
        ({"pyproject.toml": "[tool.poetry]\nname = 'acme'\n"}, r"neither a \[build-system\] nor a \[project\] table"),
    ],
)
def test_what_is_no_project_is_told_before_anything_runs(tmp_path: Path, files: dict[str, str], message: str) -> None:
    source = project(tmp_path / "p", **files)
    with pytest.raises(ConfigError, match=message):
        builder.name_and_version(system(), source)
    with pytest.raises(ConfigError, match=message):
        builder.build_distributions(system(), source, tmp_path / "out", epoch=None)


def test_a_pyproject_that_is_no_text_is_told_with_the_byte(tmp_path: Path) -> None:
    source = project(tmp_path / "p")
    (source / "pyproject.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(ConfigError, match="byte 2 is 0xe9"):
        builder.name_and_version(system(), source)


@pytest.mark.parametrize(
    ("files", "message", "remedy"),
    [
        ({"setup.py": "import numpyx\n"}, "No module named 'numpyx'", "provides 'numpyx' to [build-system]"),
        ({"setup.py": "setup(\n"}, "SyntaxError", "syntax error"),
        ({"pyproject.toml": FLIT.replace("buildapi", "nope")}, "flit_core.nope", "build-backend"),
        ({"pyproject.toml": FLIT.replace('["flit_core"]', '"flit_core"')}, "build-system", "correct pyproject.toml"),
        (
            {"pyproject.toml": FLIT.replace('"flit_core"', '"flit_core>99"')},
            "flit-core",
            "correct [build-system] requires",
        ),
        ({"pyproject.toml": FLIT.replace('"1.0"', '"one"')}, "one", "python -m build"),
    ],
)
def test_a_failing_build_says_why_and_leaves_nothing(
    tmp_path: Path, files: dict[str, str], message: str, remedy: str
) -> None:
    source = project(tmp_path / "p", **files)
    with pytest.raises(ReleaseError, match=message) as caught:
        builder.build_distributions(system(), source, tmp_path / "out", epoch=None)
    assert remedy in caught.value.remedy
    assert listing(tmp_path / "out") == set()
    assert {one.name for one in tmp_path.iterdir()} == {"p", "out"}


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_without_network_the_remedy_is_the_network(tmp_path: Path, installer: str) -> None:
    nowhere = "http://127.0.0.1:9/simple"
    offline = system(
        RELEASE_INSTALLER=installer, UV_DEFAULT_INDEX=nowhere, UV_NO_CACHE="1", UV_HTTP_RETRIES="0",
        PIP_INDEX_URL=nowhere, PIP_RETRIES="1", PIP_CONFIG_FILE="/dev/null", PIP_FIND_LINKS="", PIP_NO_CACHE_DIR="1",
    )  # fmt: skip
    with pytest.raises(ToolError) as caught:
        builder.build_distributions(
            offline, project(tmp_path / "p", **{"pyproject.toml": FLIT}), tmp_path / "out", epoch=None
        )
    assert "connect to the network" in caught.value.remedy


def test_a_backend_that_looks_for_credentials_finds_none(tmp_path: Path) -> None:
    token = macaroon.to_text(macaroon.create_macaroon("localhost", b"identifier", b"k" * 32))
    spy = """
[build-system]
requires = ["flit_core"]
build-backend = "spy"
backend-path = ["."]
[project]
name = "acme"
version = "1.0"
description = "d"
[tool.flit.sdist]
include = ["spy.py"]
"""
    code = "import os, json, pathlib\nfrom flit_core.buildapi import *\n"
    code += f"pathlib.Path({str(tmp_path / 'seen.json')!r}).write_text(json.dumps(dict(os.environ)))\n"
    source = project(tmp_path / "p", **{"pyproject.toml": spy, "spy.py": code})
    names = ("TWINE_PASSWORD", "UV_PUBLISH_TOKEN", "MY_OWN_VARIABLE", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "PIP_X")
    builder.build_distributions(
        system(**dict.fromkeys(names, token), HARMLESS="yes"), source, tmp_path / "out", epoch=None
    )
    seen = (tmp_path / "seen.json").read_text()
    assert '"HARMLESS"' in seen
    assert token not in seen
    assert not [name for name in names if f'"{name}"' in seen]


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(ReleaseError, match="no space left on device") as caught:
        builder.build_distributions(
            system(), project(tmp_path / "p", **{"pyproject.toml": FLIT}), tmp_path / "out", epoch=None
        )
    assert "free some space" in caught.value.remedy


# Observed: hatchling 1.33.0, pdm-backend 2.5.0 (the link itself is in the sdist), flit_core 4.2.0, poetry-core 2.5.0,
# setuptools-scm 10, 2026-11
@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        (
            "tarfile.LinkOutsideDestinationError: 'acme-1.0/README.md' would link to '/tmp/README.md', which is out\n",
            "replace the link 'README.md', which leads out of the project, by the file itself",
        ),
        (
            "tarfile.AbsoluteLinkError: 'acme-1.0/acme/data.json' is a link to an absolute path\n",
            "replace the link 'acme/data.json', which leads out of the project, by the file itself",
        ),
        (
            "flit_core.config.ConfigError: Readme path (README.md) points outside the project directory\n",
            "replace the link 'README.md', which leads out of the project, by the file itself",
        ),
        (
            "ValueError: '/tmp/a/shared/x.json' is not in the subpath of '/tmp/a/acme' OR one path is relative\n",
            "replace links that lead out of the project by the files themselves",
        ),
        (
            "LookupError: setuptools-scm was unable to detect version for /tmp/a/packages/acme.\n",
            build_failure._SUBDIRECTORY,
        ),
        (
            (
                "* Building wheel from sdist\n* Getting build dependencies for wheel...\n"
                '  File "<string>", line 2, in <module>\n'
                "FileNotFoundError: [Errno 2] No such file or directory: 'requirements.txt'\n"
            ),
            (
                "include 'requirements.txt' in the sdist, from which the wheel is built; "
                "for setuptools, in MANIFEST.in: include requirements.txt"
            ),
        ),
        ("ValueError: 'x' is not in list\n", "run `python -m build` in the project, and fix what it reports"),
    ],
)
def test_a_failure_of_a_backend_names_its_cause(output: str, remedy: str) -> None:
    assert build_failure.build_error(output).remedy == remedy


@pytest.mark.parametrize(
    "line",
    [
        "RuntimeError: can't start new thread",
        "BlockingIOError: [Errno 11] Resource temporarily unavailable",
        'failed to spawn thread: Os { code: 11, kind: WouldBlock, message: "Resource temporarily unavailable" }',
    ],
)
def test_a_build_that_could_start_no_process_says_so(line: str) -> None:
    """Observed: build 1.6.1 with uv 0.13.9, Python 3.11.7, 2026-11."""
    error = build_failure.build_error(f"* Building wheel...\n{line}\n")
    assert error.message == "the project does not build: the limit on processes and threads is reached"
    assert "ulimit -u" in error.remedy


def test_a_build_that_ends_without_a_message_is_told_as_such() -> None:
    error = build_failure.build_error("\n")
    assert error.message == "the project does not build: the build ended without a message"
    assert error.remedy.startswith("check that there is enough memory")

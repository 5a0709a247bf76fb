"""`confirm NAME==VERSION`: on a machine that has neither the project nor its journal."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from release.cli.main import main
from release.sandbox import server
from release.sandbox.seed import SeedData
from tests import sample_distributions
from tests.sandbox.sandbox_client import SandboxClient
from tests.stories.project import Indexes, Told, UserProject, indexes, release_table

WHEEL, SDIST = sample_distributions.wheel_name(), sample_distributions.sdist_name()
#: a build backend for an sdist, in a wheel of its own: it packs a wheel that lies in the sdist
BACKEND = """
import os, shutil
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = next(name for name in os.listdir() if name.endswith(".whl"))
    shutil.copy(name, directory)
    return name
"""
URLS = {"upload": "legacy", "simple": "simple"}
SPOILED = "raise SystemExit('the look-alike was run')\n"


@dataclass
class Anywhere:
    """A machine with a home, and an empty directory."""

    user: UserProject
    on: Indexes

    def confirm(self, *words: str, **options: Any) -> Told:
        return self.user.run("--config", str(self.user.home / "indexes.toml"), "confirm", *words, **options)

    def record(self, index: Any, **changes: Any) -> str:
        """A record of what is there, in a file."""
        files = SandboxClient(sandbox=index).listing()["files"]
        entries = [
            {"filename": one["filename"], "size": one["size"], "sha256": one["hashes"]["sha256"]} | changes
            for one in files
        ]
        path = self.user.home / "record.json"
        path.write_text(json.dumps({"schema": 1, "project": "acme-widget", "version": "1.0", "files": entries}))
        return str(path)


@pytest.fixture
def anywhere(tmp_path: Path) -> Iterator[Anywhere]:
    with indexes() as on:
        user = UserProject(root=tmp_path / "elsewhere", home=tmp_path / "home")
        user.root.mkdir()
        user.home.mkdir()
        (user.home / "indexes.toml").write_text(release_table(on), encoding="utf-8")
        yield Anywhere(user=user, on=on)


def publish(index: Any, **contents: bytes) -> None:
    """acme-widget 1.0, as its maintainer would."""
    files = {"wheel": sample_distributions.wheel(), "sdist": sample_distributions.sdist()} | contents
    for kind, content in files.items():
        assert SandboxClient(sandbox=index).upload(content=content, source=kind == "sdist").line == "200 OK"


def checks(told: Told) -> dict[str, dict[str, Any]]:
    return {one["check"]: one for one in told.data["checks"]}


def blocking(told: Told) -> set[str]:
    return {name for name, one in checks(told).items() if one["state"] in {"failed", "unknown", "crashed"}}


@pytest.mark.network
def test_a_release_in_order_is_confirmed_against_its_record(anywhere: Anywhere) -> None:
    """Both files are installed and tried; the document has the shape that is promised; nothing is sent anywhere."""
    publish(anywhere.on.pypi)
    sent = len([one for one in anywhere.on.pypi.log if one.method == "POST"])
    record = anywhere.record(anywhere.on.pypi)
    told = anywhere.confirm("acme-widget==1.0", "--record", record, "--json")
    assert told.status == 0, told.all
    assert told.err == ""
    assert list(told.data) == [
        "schema", "verb", "exit", "message", "remedy", "project", "version", "index", "status", "record", "checks",
        "files", "installs",
    ]  # fmt: skip
    assert told.data["message"] == (
        "acme-widget 1.0 on pypi is confirmed: 2 files as recorded; wheel and sdist installed"
    )
    assert {one["file"]: one["sha256"] == one["listed_sha256"] for one in told.data["files"]} == {
        WHEEL: True,
        SDIST: True,
    }
    for kind, filename in (("wheel", WHEEL), ("sdist", SDIST)):
        tried = told.data["installs"][kind]
        assert (tried["file"], tried["outcome"]) == (filename, "installed")
        assert [(one["what"], one["outcome"]) for one in tried["trials"]] == [("import acme_widget", "worked")]
    assert len([one for one in anywhere.on.pypi.log if one.method == "POST"]) == sent
    assert list(anywhere.user.root.iterdir()) == []


@pytest.mark.network
def test_an_uninstallable_sdist_is_found_though_the_wheel_installs(anywhere: Anywhere) -> None:
    """The usual one: a file that the build reads was never packed. Told as lines, with an arrow."""
    reads = "import pathlib, setuptools\nsetuptools.setup(install_requires=pathlib.Path('needs.txt').read_text())\n"
    publish(anywhere.on.pypi, sdist=sample_distributions.sdist(files={"setup.py": reads}))
    told = anywhere.confirm("acme-widget==1.0", "--verbose")
    assert told.status == 1, told.all
    lines = told.out.splitlines()
    assert "  ok     The wheel installs into a clean environment" in lines
    name = "[the-sdist-installs-into-a-clean-environment]"
    assert any(line.startswith("  FAIL   acme-widget does not build from its sdist") and name in line for line in lines)
    assert "acme-widget does not build from its sdist" in told.out
    (headline,) = [line for line in lines if line.startswith("acme-widget 1.0 on pypi is not confirmed: ")]
    assert "acme-widget does not build from its sdist" in headline


@pytest.mark.network
@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_a_look_alike_on_the_index_of_the_project_is_never_asked_for(anywhere: Anywhere, tool: str) -> None:
    """Dependency confusion: whoever may upload to TestPyPI lays traps there, under every name that an install asks for.

    The project in a higher version, its dependency, and what its sdist needs to build. The project's own file
    comes by address and hash, all else from the ordinary index: even where the user has told pip and uv of TestPyPI.
    """
    built = sample_distributions.wheel(
        files={"acme_widget.py": "from acme_helper import genuine\n"}, metadata_extra="Requires-Dist: acme-helper\n"
    )
    pyproject = '[build-system]\nrequires = ["acme-backend"]\nbuild-backend = "acme_backend"\n'
    source = sample_distributions.sdist(
        files={"pyproject.toml": pyproject, WHEEL: built}, metadata_extra="Requires-Dist: acme-helper\n"
    )
    test = SandboxClient(sandbox=anywhere.on.testpypi)
    publish(anywhere.on.testpypi, wheel=built, sdist=source)
    for name, module in (
        ("acme-helper", "acme_helper"),
        ("acme-backend", "acme_backend"),
        ("acme-widget", "acme_widget"),
    ):
        trap = sample_distributions.wheel(name, "9.0", files={f"{module}.py": SPOILED})
        assert test.upload(name, "9.0", content=trap).line == "200 OK"
    with server.start_sandbox(SeedData()) as ordinary:
        for name, module, text in (
            ("acme-helper", "acme_helper", "genuine = True\n"),
            ("acme-backend", "acme_backend", BACKEND),
        ):
            genuine = sample_distributions.wheel(name, files={f"{module}.py": text})
            assert SandboxClient(sandbox=ordinary).upload(name, content=genuine).line == "200 OK"
        extra = dict.fromkeys(("PIP_EXTRA_INDEX_URL", "UV_EXTRA_INDEX_URL"), anywhere.on.testpypi.simple_url)
        anywhere.user.env = ordinary_index(ordinary.simple_url) | extra | {"RELEASE_INSTALLER": tool}
        before = len(anywhere.on.testpypi.log)
        told = anywhere.confirm("acme-widget==1.0", "--index", "testpypi", "--json")
        assert told.status == 0, told.all
        asked_here = anywhere.on.testpypi.log[before:]
        asked_there = {one.project for one in ordinary.log if one.method == "GET"}
    assert {one.project for one in asked_here if one.path.startswith("/simple/")} == {"acme-widget"}
    assert {one.path.rpartition("/")[2] for one in asked_here if one.path.startswith("/packages/")} == {WHEEL, SDIST}
    assert {"acme-helper", "acme-backend"} <= asked_there
    assert "acme-widget" not in asked_there
    for kind in ("wheel", "sdist"):
        assert [one["outcome"] for one in told.data["installs"][kind]["trials"]] == ["worked"]


def ordinary_index(url: str) -> dict[str, str]:
    """What a user sets whose packages come from there, and from nowhere else."""
    return {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_INDEX_URL": url, "UV_DEFAULT_INDEX": url}


def test_bytes_that_are_not_the_record_s_are_not_run(anywhere: Anywhere) -> None:
    """Neither file is installed, and the exit status says so."""
    publish(anywhere.on.pypi)
    told = anywhere.confirm("--record", anywhere.record(anywhere.on.pypi, sha256="a" * 64), "--json")
    assert told.status == 1
    assert blocking(told) == {"every-file-has-the-recorded-bytes"}
    assert {one["outcome"] for one in told.data["installs"].values()} == {"not tried"}


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["acme-widget"], 2, "'acme-widget' is not a release"),
        (["acme-widget>=1"], 2, "is not a release"),
        (["acme-widget==one"], 2, "'one' in 'acme-widget==one' is not a version"),
        (["acme widget==1"], 2, "is not a release"),
        (["acme-widget==1.0", "--index", "pipy"], 2, "pipy"),
        (["--record", "nowhere.json"], 2, "cannot read 'nowhere.json'"),
        (["acme-widget==1.0", "--record", "other.json"], 2, "the record is about 'acme-gadget==1.0'"),
        (["--record", "text.json"], 2, "'text.json' is not the record of a release: text.json is not valid JSON"),
        (["acme-gadget==1.0"], 1, "pypi has no project 'acme-gadget'"),
        (["acme-widget==1.1"], 1, "acme-widget has no release '1.1' on pypi; the nearest are 1.0"),
        (["acme-widget==1.0", "--index", "gone"], 1, "connection refused by '127.0.0.1', port 9"),
    ],
)
def test_what_can_not_be_confirmed_says_why(
    crowd: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, says: str
) -> None:
    """Each with a message of its own, a remedy, its exit status."""
    assert main(["confirm", *words, "--json"]) == status
    told = json.loads(capsys.readouterr().out)
    assert told["exit"] == status
    assert says in told["message"]
    assert told["remedy"]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory that one is in: records of all kinds, three indexes in its configuration, one of them gone."""
    place = tmp_path_factory.mktemp("crowd")
    entry = {"filename": WHEEL, "sha256": "a" * 64}
    (place / "other.json").write_text(json.dumps({"project": "acme-gadget", "version": "1.0", "files": [entry]}))
    (place / "text.json").write_text("hello")
    gone = "\n".join(f'{kind}-url = "http://127.0.0.1:9/{path}/"' for kind, path in URLS.items())
    with indexes() as on:
        (place / "pyproject.toml").write_text(f"{release_table(on)}[tool.release.indexes.gone]\n{gone}\n")
        publish(on.pypi)
        with contextlib.chdir(place):
            yield place


def test_the_plan_is_shown_and_nothing_is_asked(anywhere: Anywhere) -> None:
    told = anywhere.confirm("acme-widget==1.0", "--plan")
    assert told.status == 0
    assert told.out.splitlines()[0] == "confirm: acme-widget 1.0 on pypi"
    assert anywhere.on.pypi.log == []

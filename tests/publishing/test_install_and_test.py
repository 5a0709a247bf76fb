"""Which files of a published release are installed, each into an environment of its own; with installs of no time."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.install import venv
from release.core.errors import ToolError
from release.core.facts import BuiltFile, InstallTrial, PublishedRelease
from release.core.models.check_result import Finding, NotApplicable, Unknown
from release.core.models.distribution import ManifestFile, ReleaseManifest
from release.core.models.index import IndexFile
from release.core.models.smoke_test import SmokeTest
from release.publishing import remote_release
from tests.fake_system import LASTING, PROJECT, SDIST, WHEEL, fake_system

FOREIGN = "acme_widget-1.0-cp27-cp27m-win32.whl"
WANTED = (SmokeTest(kind="import", words=("acme",)),)


def sha(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def published(*names: str, listed: Mapping[str, str | None] | None = None) -> PublishedRelease:
    """A release whose files have their names as bytes; `listed`: other hashes on the page."""
    hashes = {name: sha(name) for name in names} | dict(listed or {})
    files = tuple(IndexFile(filename=one, url=f"http://127.0.0.1:9/{one}", sha256=hashes[one]) for one in names)
    fetched = {
        one: BuiltFile(filename=one, size=len(one), sha256=sha(one), open=lambda one=one: io.BytesIO(one.encode()))  # type: ignore[misc] # bound now
        for one in names
    }
    return PublishedRelease(index=LASTING, project=PROJECT, status="active", files=files, fetched=fetched)


@dataclass
class Installs:
    """What is installed where; `problems`: of the install by the end of the file's name."""

    directory: Path
    problems: dict[str, Finding | ToolError] = field(default_factory=dict)
    environments: list[str] = field(default_factory=list)
    installed: list[tuple[Any, str, str | None, str, Sequence[SmokeTest] | None]] = field(default_factory=list)
    loaded: list[tuple[Any, str]] = field(default_factory=list)

    def create(self, _system: object, path: Path) -> Path:
        self.environments.append(path.name)
        return path

    def install(self, _system: object, clean: Any, _project: object, file: IndexFile, index: str, *more: Any) -> Any:
        self.installed.append((clean, file.filename, file.sha256, index, more[0]))
        for end, problem in self.problems.items():
            if file.filename.endswith(end):
                if isinstance(problem, ToolError):
                    raise problem
                return problem, ()
        return None, ()

    def load(self, clean: Any, name: str) -> venv.Installed:
        self.loaded.append((clean, name))
        assert isinstance(clean, Path), "of that environment"
        return venv.Installed(
            version="1.0", url=None, sha256=None, files=(f"{clean.name}.py",), entry_points="", requires=()
        )

    def run(self, release: PublishedRelease) -> PublishedRelease:
        system = fake_system(env={"PIP_CONFIG_FILE": os.devnull})
        return remote_release.install_and_test(
            system, release, scratch=self.directory, notify=lambda _: None, wanted=WANTED
        )


@pytest.fixture
def installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installs:
    made = Installs(tmp_path)
    monkeypatch.setattr(venv, "create_environment", made.create)
    monkeypatch.setattr(venv, "load_installed", made.load)
    monkeypatch.setattr(remote_release, "install_file_and_test", made.install)
    return made


def test_wheel_and_sdist_are_installed_apart(installs: Installs) -> None:
    """What the sdist lacks is not found in an environment that has the wheel."""
    found = installs.run(published(FOREIGN, SDIST, WHEEL))
    assert found.wheel == InstallTrial(filename=WHEEL, install=None, files=("environment-wheel.py",))
    assert found.sdist == InstallTrial(filename=SDIST, install=None, files=("environment-sdist.py",))
    assert sorted(installs.environments) == ["environment-sdist", "environment-wheel"]
    place = installs.directory
    assert sorted(installs.installed) == [
        (place / "environment-sdist", SDIST, sha(SDIST), "acme", WANTED),
        (place / "environment-wheel", WHEEL, sha(WHEEL), "acme", WANTED),
    ]
    assert sorted(installs.loaded) == [(place / f"environment-{kind}", PROJECT.name) for kind in ("sdist", "wheel")]


@pytest.mark.parametrize(
    ("names", "wheel", "sdist"),
    [
        ([WHEEL], "", "the release has no sdist"),
        ([SDIST], "the release has no wheel", ""),
        ([FOREIGN, SDIST], "the release has no wheel for this interpreter", ""),
        (["acme_widget-1.0.zip"], "the release has no wheel", ""),
        ([], "the release has no wheel", "the release has no sdist"),
    ],
)
def test_what_a_release_does_not_have_is_not_installed(
    installs: Installs, names: list[str], wheel: str, sdist: str
) -> None:
    found = installs.run(published(*names))
    for trial, reason in ((found.wheel, wheel), (found.sdist, sdist)):
        assert trial == NotApplicable(reason=reason) if reason else isinstance(trial, InstallTrial)
    assert len(installs.installed) == [wheel, sdist].count("")


def test_a_release_for_other_machines_is_unknown(installs: Installs) -> None:
    found = installs.run(published(FOREIGN))
    assert isinstance(found.wheel, Unknown)
    assert found.wheel.reason == "the release has no file for this interpreter on this machine"
    assert "with a Python version" in found.wheel.remedy
    assert (found.sdist, installs.installed) == (NotApplicable(reason="the release has no sdist"), [])


def test_only_the_expected_bytes_are_run(installs: Installs) -> None:
    """A hash of the page or of the record that differs, none at all, or no download: none of its code is run."""
    other = published(WHEEL, SDIST, listed={WHEEL: "0" * 64, SDIST: None})
    found = installs.run(other)
    assert (found.wheel, found.sdist) == (
        NotApplicable(reason=f"the download of {WHEEL} does not match its listing"),
        NotApplicable(reason=f"the index lists no hash that proves the bytes of {SDIST}, so it was not installed"),
    )
    release = published(WHEEL, SDIST)
    lost = replace(release, fetched={**release.fetched, WHEEL: Unknown(reason="no answer", remedy="wait")})
    assert isinstance(installs.run(lost).wheel, NotApplicable)
    assert [one[1] for one in installs.installed] == [SDIST]
    record = ReleaseManifest(
        project=PROJECT.name, version="1.0", files=(ManifestFile(filename=SDIST, size=1, sha256="1" * 64),)
    )
    found = installs.run(replace(release, recorded=record))
    for name, trial in ((WHEEL, found.wheel), (SDIST, found.sdist)):
        reason = f"{name} is not the file of the release record, so it was not installed"
        assert trial == NotApplicable(reason=reason)
    assert len(installs.installed) == 1


def test_an_install_that_fails_lists_no_installed_files(installs: Installs) -> None:
    problem = Finding(message="a dependency is missing", remedy="add it")
    installs.problems[".whl"] = problem
    installs.problems[".tar.gz"] = ToolError("no interpreter", remedy="install one")
    found = installs.run(published(WHEEL, SDIST))
    assert found.wheel == InstallTrial(filename=WHEEL, install=problem)
    assert found.sdist == InstallTrial(filename=SDIST, install=Unknown(reason="no interpreter", remedy="install one"))
    assert installs.loaded == []

"""Builds that are held to constraints, by the real pip and uv, with requirements from a directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.builds import builder, held_requirements
from release.core.errors import ConfigError, ToolError
from release.core.models.build_requirement import BuildEnvironments, PinnedBuild
from tests.pinned_backend import PYPROJECT, offline_system, pins, serve, tamper

BOTH = ("acme-backend==1.0", "acme-helper==1.0")
INSTALLERS = ["uv", pytest.param("pip", marks=pytest.mark.slow)]


@dataclass
class Shop:
    """A project, and what its build can be made with."""

    tmp_path: Path
    hashes: Mapping[str, str]

    def build(self, installer: str, *, text: str | None, required: bool = False, **env: str) -> BuildEnvironments:
        source, file = self.tmp_path / "project", self.tmp_path / "pins ü.txt"
        source.mkdir(exist_ok=True)
        (source / "pyproject.toml").write_text(env.pop("PYPROJECT", PYPROJECT))
        system = offline_system(self.links, self.tmp_path, installer, **env)
        if text is not None:
            file.write_text(text)
            system = replace(system, pinned_build=PinnedBuild(path=file, required=required))
        found: list[BuildEnvironments] = []
        built = builder.build_distributions(
            system, source, self.tmp_path / "out", epoch=0, only_wheel=True, installed=found.append
        )
        assert [one.filename for one in built] == ["acme-1.0-py3-none-any.whl"]
        return found[0]

    @property
    def links(self) -> Path:
        return self.tmp_path / "links"

    @property
    def ran(self) -> bool:
        return (self.tmp_path / "ran").exists()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path, serve(tmp_path / "links"))


def versions(found: BuildEnvironments) -> list[str]:
    return [f"{one.name}=={one.version}" for one in found.requirements]


@pytest.mark.parametrize("installer", INSTALLERS)
def test_what_was_installed_is_known_with_and_without_constraints(shop: Shop, installer: str) -> None:
    free = shop.build(installer, text=None)
    assert versions(free) == ["acme-backend==2.0", "acme-helper==2.0"]
    assert free.unpinned == ("acme-backend==2.0", "acme-helper==2.0")
    held = shop.build(installer, text=pins(shop.hashes, *BOTH), required=True)
    assert versions(held) == list(BOTH)
    assert held.unpinned == ()
    files = [shop.hashes[f"{one}-1.0-py3-none-any.whl"] for one in ("acme_backend", "acme_helper")]
    assert [one.allowed for one in held.requirements] == [(one,) for one in files]
    assert [one.sha256 for one in held.requirements] == (files if installer == "pip" else [None, None])


@pytest.mark.parametrize("installer", INSTALLERS)
@pytest.mark.parametrize(
    ("filename", "required"),
    [
        ("acme_helper-1.0-py3-none-any.whl", True),
        pytest.param("acme_backend-1.0-py3-none-any.whl", True, marks=pytest.mark.slow),
        pytest.param("acme_backend-1.0-py3-none-any.whl", False, marks=pytest.mark.slow),
    ],
)
def test_no_code_of_a_replaced_file_runs(shop: Shop, installer: str, filename: str, required: bool) -> None:
    tamper(shop.links, filename)
    with pytest.raises(ToolError, match="the index serves another file for the build requirement 'acme-") as caught:
        shop.build(installer, text=pins(shop.hashes, *BOTH), required=required)
    assert caught.value.cause == held_requirements.TAMPERED
    assert "--write-constraints" in caught.value.remedy
    assert not shop.ran


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_requirement_without_a_pin(shop: Shop, installer: str) -> None:
    text = pins(shop.hashes, "acme-backend==1.0")
    with pytest.raises(ToolError, match="the build requirement 'acme-helper' is not pinned with a hash") as caught:
        shop.build(installer, text=text, required=True)
    assert caught.value.cause == held_requirements.UNPINNED
    assert not shop.ran
    if installer == "uv":  # which installs it, if it may
        assert shop.build(installer, text=text).unpinned == ("acme-helper==2.0",)


@pytest.mark.parametrize("installer", INSTALLERS)
def test_what_the_backend_asks_for_is_held_too(shop: Shop, installer: str) -> None:
    with pytest.raises(ToolError, match="the build requirement 'acme-extra' is not pinned"):
        shop.build(installer, text=pins(shop.hashes, *BOTH), required=True, DYNAMIC="acme-extra")
    held = shop.build(
        installer, text=pins(shop.hashes, *BOTH, "acme-extra==1.0"), required=True, DYNAMIC="acme-extra acme-helper"
    )
    assert versions(held) == ["acme-backend==1.0", "acme-extra==1.0", "acme-helper==1.0"]


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_requirement_that_must_be_built_itself(shop: Shop, installer: str) -> None:
    """pip holds what that build installs to the file as well; uv does not, so that such a requirement is refused."""
    project = PYPROJECT.replace('"acme-backend>=1"', '"acme-backend>=1", "acme-source"')
    some, all_ = (*BOTH, "acme-source==1.0"), (*BOTH, "acme-source==1.0", "acme-extra==1.0")
    what = {"uv": "'acme-source' has no wheel for this machine", "pip": "'acme-extra' is not pinned with a hash"}
    with pytest.raises(ToolError, match=what[installer]) as caught:
        shop.build(installer, text=pins(shop.hashes, *some), required=True, PYPROJECT=project)
    assert caught.value.cause == held_requirements.UNPINNED
    if installer == "pip":
        held = shop.build(installer, text=pins(shop.hashes, *all_), required=True, PYPROJECT=project)
        assert versions(held) == [*BOTH, "acme-source==1.0"]
        assert held.unpinned == ()


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_versions_without_hashes(shop: Shop, installer: str) -> None:
    text = "acme-backend==1.0\nacme-helper<2\n"
    found = shop.build(installer, text=text)
    assert versions(found) == list(BOTH)
    assert found.unpinned == BOTH
    with pytest.raises(ToolError, match="is not pinned with a hash") as caught:
        shop.build(installer, text=text, required=True)
    assert caught.value.cause == held_requirements.UNPINNED


def test_a_pin_that_contradicts_the_requirement(shop: Shop) -> None:
    project = PYPROJECT.replace("acme-backend>=1", "acme-backend>=1.5")
    with pytest.raises(ToolError, match=r"'acme-backend' contradicts .*, which pins acme-backend==1.0") as caught:
        shop.build("uv", text=pins(shop.hashes, *BOTH), required=True, PYPROJECT=project)
    assert "--write-constraints" in caught.value.remedy
    assert not shop.ran


OLD_PIP = """\
< ERROR: In --require-hashes mode, all requirements must have their versions pinned with ==. These do not:
<     acme-backend>=1 from http://127.0.0.1/f/acme_backend-1.0-py3-none-any.whl (from -r requirements.txt (line 1))
"""


def test_an_old_pip_is_to_be_upgraded(tmp_path: Path) -> None:
    """Observed: pip 25.3, 2026-11."""
    file = tmp_path / "pins.txt"
    file.write_text(f"acme-backend==1.0 --hash=sha256:{'0' * 64}\n")
    error = held_requirements.explain_unheld(OLD_PIP, PinnedBuild(path=file))
    assert error is not None
    assert error.remedy == "upgrade pip to 26.1 or newer: python -m pip install --upgrade pip"
    assert held_requirements.explain_unheld("< ERROR: no network\n", PinnedBuild(path=file)) is None
    assert held_requirements.explain_unheld(OLD_PIP, None) is None


def test_the_command_of_a_remedy_names_the_file_as_the_project_does(tmp_path: Path) -> None:
    """It gets the project's directory, which a path from somewhere else would not fit."""
    file = tmp_path / "pins.txt"
    file.write_text("acme-backend==1.0\n")
    error = held_requirements.explain_unheld(OLD_PIP, PinnedBuild(path=file, place="pins.txt"))
    assert error is not None
    assert error.remedy == "add it: pypi-preflight build --write-constraints pins.txt"
    file.write_text("acme backend\n")
    with pytest.raises(ConfigError) as caught:
        held_requirements.load_constraints(file, "pins.txt")
    assert caught.value.remedy.endswith("again: pypi-preflight build --write-constraints pins.txt")

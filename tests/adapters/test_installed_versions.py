"""Versions are what `importlib.metadata` reports, however the distributions are installed."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from release.adapters import installed_versions as module
from release.adapters.installed_versions import installed_versions

NAMES = module._LIBRARIES


def install(directory: Path, name: str, version: str, metadata: str | None = None) -> None:
    (directory / name).mkdir(parents=True)
    text = f"Metadata-Version: 2.1\nName: x\nVersion: {version}\nSummary: y\n\nVersion: 9\n"
    (directory / name / ("PKG-INFO" if name.endswith("egg-info") else "METADATA")).write_text(metadata or text)


def expected() -> dict[str, str]:
    found = {}
    for name in NAMES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def without_python() -> dict[str, str]:
    return {name: version for name, version in installed_versions().items() if name != "python"}


def test_the_versions_are_those_of_importlib() -> None:
    assert without_python() == expected()


@pytest.mark.parametrize(
    "found",
    [
        {"a/twine-1.0.dist-info": "1.0", "b/twine-2.0.dist-info": "2.0"},
        {"a/Trove.Classifiers-01.dist-info": "2026.01.02", "b/stdlib_list-1.dist-info": "1"},
        {"a/twine-1.0.egg-info": "1.0", "b/twine-2.0.dist-info": "2.0"},
        {"a/twine-1.0.dist-info": "1.0", "a/twine-2.0.dist-info": "2.0"},
        {"a/twine_extra-1.0.dist-info": "1.0", "b/packaging.egg-info": "3.0"},
        {"a/twine.dist-info": "1.0", "b/old.egg/EGG-INFO": "3.0", "c/packaging-4.dist-info": "4"},
    ],
)
def test_other_layouts(found: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, version in found.items():
        install(tmp_path, path, version)
    paths = [tmp_path / name for name in ("a", "missing", "b/old.egg", "b", "c")]
    monkeypatch.setattr(sys, "path", [str(path) for path in paths])
    assert without_python() == expected() != {}


@pytest.mark.parametrize(
    "metadata", ["VERSION : 1\n", "Name: x\n continued\nversion:  1.5 \n", "odd\nVersion: 1\n", "Version: 1\n 2\n"]
)
def test_odd_metadata(metadata: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "twine-1.0.dist-info", "", metadata)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    result = {}
    try:
        result = expected()
    except KeyError:  # of newer versions of Python
        with pytest.raises(KeyError):
            installed_versions()
        return
    assert {**dict.fromkeys(result), **without_python()} == result


def test_distributions_in_a_zip_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("twine-1.0.dist-info/METADATA", "Name: twine\nVersion: 1.0\n")
    install(tmp_path, "twine-2.0.dist-info", "2.0")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "x.zip"), str(tmp_path)])
    assert without_python() == expected() == {"twine": "1.0"}


def test_plain_installations_are_read_without_importlib_metadata(tmp_path: Path) -> None:
    for name in NAMES:
        install(tmp_path, f"{name.replace('-', '_')}-1.0.dist-info", "1.0")
    program = (
        "import sys; sys.path[1:1] = sys.argv[1:]\nfrom release.adapters.installed_versions import installed_versions\n"
        "found = installed_versions(); assert len(found) == 7, found; print(*sys.modules)"
    )
    root = Path(__file__).parents[2]
    argv = [sys.executable, "-S", "-c", program, str(tmp_path), str(root)]
    done = subprocess.run(argv, cwd=root, capture_output=True, check=True, text=True, timeout=240)
    assert not {"importlib.metadata", "email"} & set(done.stdout.split())

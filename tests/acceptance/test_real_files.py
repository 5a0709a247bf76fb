"""What PyPI has taken is green: the files of well-known packages, from the package registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from release.adapters.index import simple_api
from release.adapters.system import system
from release.core.models.index import PYPI, IndexFile, version_of
from release.publishing import inspection

#: every build backend in wide use, and wheels of four kinds of platforms
RELEASES = [
    "packaging==26.3",
    "idna==3.20",
    "attrs==26.1.0",
    "pluggy==1.7.0",
    "iniconfig==2.3.1",
    "flit-core==4.2.0",
    "poetry-core==2.5.0",
    "hatchling==1.33.0",
    "pdm-backend==2.5.0",
    "click==8.5.1",
    "itsdangerous==2.2.0",
    "requests==2.34.2",
    "urllib3==2.8.0",
    "six==1.17.0",
    "typing-extensions==4.16.0",
    "zipp==4.1.2",
    "platformdirs==4.14.8",
    "trove-classifiers==2026.9.21.13",
    "editables==0.6",
    "sniffio==1.3.1",
    "toml-sort==0.25.0",
    "meson-python==0.22.1",
    "colorama==0.4.6",
    "jinja2==3.1.6",
    "docopt==0.6.2",
    "markupsafe==3.0.4",
    "frozenlist==1.8.0",
    "msgpack==1.2.4",
    "psutil==7.2.2",
    "rpds-py==2026.9.1",
    "flask==0.12.5",
    "zope.interface==5.0.0",
    "pyyaml==5.1",
]
#: taken once, by the rules of its time: the beginning of the file names, the index's words for it today, the rule
TODAY = [
    ("docopt-0.6.2.tar.gz", "The description failed to render", "a description in a header is indented, and so sent"),
    ("Flask-0.12.5.tar.gz", "should be 'flask-0.12.5.tar.gz'", "PEP 625"),
    ("Flask-0.12.5-py2", "should contain the normalized project name 'flask'", "PEP 427, the name normalised"),
    ("zope.interface-5.0.0.tar.gz", "should be 'zope_interface-5.0.0.tar.gz'", "PEP 625"),
    ("zope.interface-5.0.0-cp", "should contain the normalized project name", "PEP 427, the name normalised"),
    ("PyYAML-5.1.tar.gz", "should be 'pyyaml-5.1.tar.gz'", "PEP 625"),
    ("PyYAML-5.1-cp", "should contain the normalized project name", "PEP 427, the name normalised"),
]
#: bytes
_SMALL = 1_000_000


def chosen(requirement: str) -> list[IndexFile]:
    """The sdist and the smallest wheels of a release, one for each kind of platform."""
    name, version = requirement.split("==")
    listing = simple_api.fetch_listing(PYPI, name)
    assert listing is not None
    files = [one for one in listing.files if str(version_of(one.filename, name)) == version]
    small = sorted((one for one in files if (one.size or 0) < _SMALL), key=lambda one: (one.size or 0, one.filename))
    kinds = {one.filename.rpartition("-")[2][:4] if one.filename.endswith(".whl") else "": one for one in small[::-1]}
    return list(kinds.values())


@pytest.mark.network
def test_files_of_well_known_packages_are_green(tmp_path: Path) -> None:
    """All are accepted, but those that a newer rule keeps out, each listed with it."""
    files = [file for requirement in RELEASES for file in chosen(requirement)]
    paths = [simple_api.download_file(file, tmp_path).path for file in files]
    document = inspection.inspect_files(system.real_system(), paths).document
    refused = {one["file"]: _words(one) for one in document["files"] if one["verdict"] == "refuse"}
    explained = {name for name, text in refused.items() if any(name.startswith(a) and b in text for a, b, _ in TODAY)}
    assert len(paths) >= 60
    assert refused.keys() == explained
    assert all(any(name.startswith(start) for name in refused) for start, _, _ in TODAY)


def _words(file: dict[str, Any]) -> str:
    return " ".join(str(one["server_text"]) for one in file["findings"] if one["severity"] == "block")

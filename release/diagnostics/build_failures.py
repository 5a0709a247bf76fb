"""The build: requirements of the build backend that are not those that the project has pinned."""

from __future__ import annotations

from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="build.hash-mismatch",
        title="a build requirement is not the file whose hash the project has pinned",
        explanation="The constraints of the build have the hashes of the files of each version. The index serves "
        "another file: it was replaced, or a file was added to the version after the constraints were written. It was "
        "not installed, and none of its code ran.",
        also=("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE",),
        shows="the build is refused before the backend runs",
        remedy="compare the hash with those on the page of that project; only if the file is genuine, write the "
        "constraints again: pypi-preflight build --write-constraints build-constraints.txt",
        detect="network",
        weight="low",
        sources=("pip documentation: Secure installs", "pip documentation: Build constraints", "astral-sh/uv#7093"),
    ),
    Diagnosis(
        id="build.unpinned",
        title="a build requirement is not pinned with a hash",
        explanation="A build runs the code of its requirements with the rights of the release. The project lets it "
        "install only what its constraints pin by == and a hash, and this requirement is not among them; backends ask "
        "for some only during the build.",
        symptoms=(
            "In --require-hashes mode, all requirements must have their versions pinned with ==",
            "Hash-checking is required, but no trusted hash was provided for",
        ),
        shows="the build, or its check, is refused",
        remedy="write the constraints again, and commit them: pypi-preflight build --write-constraints "
        "build-constraints.txt; pip before 26.1 reports it for pinned requirements too: python -m pip install "
        "--upgrade pip",
        weight="low",
        sources=("pip documentation: Secure installs", "pypa/pip#9243", "pypa/pip#12956"),
    ),
)

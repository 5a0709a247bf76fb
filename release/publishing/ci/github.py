"""Workflows for GitHub Actions: a release, and the health of tokens.

Sources: GitHub documentation, "Workflow syntax", "Security hardening"; zizmor's audits, which a test runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from release.publishing.ci.template import CIBUILDWHEEL, PYTHON, Pipeline, fill

#: the actions that are used, by the full SHA of the commit that each version's tag named in 2026-11
ACTIONS: Mapping[str, str] = {
    "CHECKOUT": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "SETUP_PYTHON": "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0",
    "UPLOAD_ARTIFACT": "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1",
    "DOWNLOAD_ARTIFACT": "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1",
}
#: one of each machine that wheels are commonly wanted for. Source: actions/runner-images, "Available Images"
MACHINES = ("ubuntu-24.04", "ubuntu-24.04-arm", "windows-2025", "windows-11-arm", "macos-15", "macos-15-intel")

#: job and environment, its title, what must have passed, verb
_STATIONS = (
    ("testpypi", "TestPyPI", "build", "testpypi"),
    ("pypi", "PyPI", "[build, testpypi]", "publish --dry-run-on testpypi"),
)

_HEAD = """\
# Written by `python -m release ci github`, pypi-preflight @VERSION@. It is yours: change what you like.
#
# A pushed tag is built once; those very bytes go to TestPyPI, are tried there, and go to PyPI.
# @WHEELS@
#
# Before the first run:
#   on GitHub: the environments `testpypi` and `pypi` (Settings, Environments); give `pypi` a reviewer
#   on TestPyPI and on PyPI, each: a trusted publisher with this repository, the name of this file, and that environment
name: Release

on:
  push:
    tags: [@TAGS@]

permissions: {}

concurrency:
  group: release-${{ github.ref }}
  cancel-in-progress: false  # half a release helps nobody

@PLACE@
jobs:
"""
_PLACE = """\
defaults:
  run:
    working-directory: @DIRECTORY@

"""
_SETUP = """\
- uses: @CHECKOUT@
  with:
    fetch-depth: 0  # tags and history: some builds make the version from them
    persist-credentials: false
- uses: @SETUP_PYTHON@
  with:
    python-version: "@PYTHON@"
- run: @INSTALL@
"""
_SUMS = """\
- name: Name the bytes by their hashes, past the artifact
  id: files
  shell: bash
  run: |
    cd dist
    { echo 'sums<<END_OF_SUMS'; sha256sum -- *; echo 'END_OF_SUMS'; } | tee -a "$GITHUB_OUTPUT"
- uses: @UPLOAD_ARTIFACT@
  with:
    name: dist
    path: @IN@dist/
    if-no-files-found: error
"""
_PURE = """\
  build:
    name: Build, check and rehearse
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read  # the source
    outputs:
      sums: ${{ steps.files.outputs.sums }}
    steps:
      @SETUP@
      - name: Check the source, build from a clean clone, check the files
        run: python -m release build
      - name: Rehearse the release of these files on an embedded index
        run: python -m release rehearse --built
      - name: Take what was built
        run: |
          mkdir dist
          cp .release/*/*/dist/* dist/
      @SUMS@
"""
_BINARY = """\
  sdist:
    name: Build the sdist
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read  # the source
    steps:
      @SETUP@
      - run: python -m build --sdist --outdir dist
      - uses: @UPLOAD_ARTIFACT@
        with:
          name: part-sdist
          path: @IN@dist/
          if-no-files-found: error

  wheels:
    name: Build wheels on ${{ matrix.machine }}
    needs: sdist
    runs-on: ${{ matrix.machine }}
    timeout-minutes: 120
    permissions: {}
    strategy:
      matrix:
        machine:
          @MACHINES@
    @HERE@
    steps:
      - uses: @DOWNLOAD_ARTIFACT@
        with:
          name: part-sdist
          path: sdist
      - uses: @SETUP_PYTHON@
        with:
          python-version: "@PYTHON@"
      - run: python -m pip install --disable-pip-version-check '@CIBUILDWHEEL@'
        shell: bash
      - name: Build from the very sdist
        run: python -m cibuildwheel --output-dir dist sdist/*.tar.gz
        shell: bash
      - uses: @UPLOAD_ARTIFACT@
        with:
          name: part-${{ matrix.machine }}
          path: dist/
          if-no-files-found: error

  build:
    name: Check all files
    needs: [sdist, wheels]
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read  # the source
    outputs:
      sums: ${{ steps.files.outputs.sums }}
    steps:
      @SETUP@
      - uses: @DOWNLOAD_ARTIFACT@
        with:
          pattern: part-*
          path: @IN@dist
          merge-multiple: true
      - name: Check the files
        run: python -m release inspect dist/*
      @SUMS@
"""
_HERE = """\
defaults:
  run:
    working-directory: .
"""
_PUBLISH = """\

  @JOB@:
    name: Publish to @TITLE@
    needs: @NEEDS@
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    environment: @JOB@
    permissions:
      contents: read  # [tool.release] of the project
      id-token: write  # trusted publishing
    steps:
      - uses: @CHECKOUT@
        with:
          persist-credentials: false
          sparse-checkout: |
            @SPARSE@
          sparse-checkout-cone-mode: false
      - uses: @SETUP_PYTHON@
        with:
          python-version: "@PYTHON@"
      - uses: @DOWNLOAD_ARTIFACT@
        with:
          name: dist
          path: @IN@dist
      - name: Compare with what was built
        env:
          SUMS: ${{ needs.build.outputs.sums }}
        run: |
          cd dist
          diff <(printf '%s\\n' "$SUMS") <(sha256sum -- *)
      - run: @INSTALL@
      - run: python -m release @VERB@ --files dist --yes
"""
_HEALTH = """\
# Written by `python -m release schedule --kind github`, pypi-preflight @VERSION@. It is yours: change what you like.
#
# Looks at every token, and says something where there is something to say: in the annotations of the run.
# It changes nothing and opens nothing. A run that fails is mailed by GitHub to whoever last changed the schedule.
# Exit status: 1 broken or soon to be, 2 configuration, 6 could not tell (network).
#
# Times are UTC, and may be late. In a public repository GitHub stops schedules after 60 days without activity.
# Before the first run: the environment `token-health` (Settings, Environments) with the secrets that are named below.
name: Token health

on:
  schedule:
    - cron: @CRON@
  workflow_dispatch:

permissions: {}

concurrency:
  group: token-health
  cancel-in-progress: false  # a look that is under way is finished

jobs:
  tokens:
    name: Look at every token
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    environment: token-health
    permissions:
      contents: read  # which tokens there are
    steps:
      - uses: @CHECKOUT@
        with:
          persist-credentials: false
      - uses: @SETUP_PYTHON@
        with:
          python-version: "@PYTHON@"
      - run: @INSTALL@
      - run: @COMMAND@
        @ENV@
"""


def release(pipeline: Pipeline) -> str:
    """The workflow of a release, for `.github/workflows/release.yml`."""
    values = _values(pipeline)
    blocks = values | {"SETUP": fill(_SETUP, values), "SUMS": fill(_SUMS, values)}
    text = fill(_HEAD, values) + fill(_BINARY if pipeline.binary else _PURE, blocks)
    for job, title, needs, verb in _STATIONS:
        extra = "[attest]" if job == "pypi" else ""  # TestPyPI gets no attestations
        own = {"JOB": job, "TITLE": title, "NEEDS": needs, "VERB": verb, "INSTALL": pipeline.install(extra=extra)}
        text += fill(_PUBLISH, values | own)
    return re.sub(r"\n{3,}", "\n\n", text)


def health(pipeline: Pipeline, *, cron: str, command: str, variables: Sequence[str]) -> str:
    """The workflow that looks at tokens, for `.github/workflows/token-health.yml`.

    `cron` has five fields; `command` is the shell command; `variables` are the names of the environment
    variables that hold tokens, and of the secrets that they are filled from.
    """
    secrets = "".join(f"  {name}: ${{{{ secrets.{name} }}}}\n" for name in variables)
    own = {"CRON": json.dumps(cron), "COMMAND": command, "ENV": f"env:\n{secrets}"}
    return fill(_HEALTH, _values(pipeline) | own)


def tag_filter(pipeline: Pipeline) -> str:
    """The release tags as a pattern. Source: GitHub documentation, "Filter pattern cheat sheet"."""
    before, after = (re.sub(r"([*?+\[\]!\\])", r"\\\1", part) for part in pipeline.around)
    return f"{before}*{after}".replace("{name}", "*")


def _values(pipeline: Pipeline) -> dict[str, str]:
    place = pipeline.place
    own = {
        "VERSION": pipeline.version,
        "WHEELS": pipeline.about_wheels,
        "TAGS": json.dumps(tag_filter(pipeline)),
        "PYTHON": PYTHON,
        "CIBUILDWHEEL": CIBUILDWHEEL,
        "INSTALL": pipeline.install(),
        "IN": place,
        "PLACE": fill(_PLACE, {"DIRECTORY": json.dumps(place.rstrip("/"))}) if place else "",
        "HERE": _HERE if place else "",
        "MACHINES": "\n".join(f"- {machine}" for machine in MACHINES),
        "SPARSE": "\n".join(f"/{place}{name}" for name in ("pyproject.toml", pipeline.requirements) if name),
    }
    return {**ACTIONS, **own}

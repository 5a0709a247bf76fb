"""Pipelines for GitLab CI/CD: a release, and the health of tokens.

Sources: GitLab documentation, "CI/CD YAML syntax reference", "OpenID Connect (OIDC) authentication using ID tokens",
"Hosted runners"; cibuildwheel's documentation for GitLab; PyPI's, "Publishing with a Trusted Publisher".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from release.publishing.ci.template import CIBUILDWHEEL, PYTHON, Pipeline, fill

_IMAGE = f"python:{PYTHON}-slim-bookworm"

_HEAD = """\
# Written by `python -m release ci gitlab`, pypi-preflight @VERSION@. It is yours: change what you like.
#
# A pushed tag is built once; those very bytes go to TestPyPI, are tried there, and go to PyPI.
# @WHEELS@
#
# Before the first run:
#   on GitLab: protect the tags @TAGS@; protect the environments `testpypi` and `pypi` where your tier has that
#   on TestPyPI and on PyPI, each: a trusted publisher with this project, the path of this file, and that environment
stages: [@STAGES@]

default:
  image: @IMAGE@
  interruptible: false  # half a release helps nobody

variables:
  PIP_DISABLE_PIP_VERSION_CHECK: "1"

.release:
  rules:
    - if: @MATCH@

.in_git:
  extends: .release
  variables:
    GIT_DEPTH: "0"  # tags and history: some builds make the version from them
  before_script:
    - apt-get update -qq && apt-get install -y -qq --no-install-recommends git
    @CD@
    - @INSTALL@
"""
_SUMS = """\
# the bytes are named by their hashes, past the artifact
- (cd dist && sha256sum -- *) | tee SHA256SUMS
- echo "SUMS=$(sha256sum < SHA256SUMS | cut -d ' ' -f 1)" > release.env
"""
_KEPT = """\
artifacts:
  paths: [@KEEP@]
  reports:
    dotenv: @DOTENV@
"""
_PURE = """\

build:
  extends: .in_git
  stage: build
  script:
    - python -m release build
    - python -m release rehearse --built
    - mkdir dist && cp .release/*/*/dist/* dist/
    @SUMS@
  @KEPT@
"""
_BINARY = """\

sdist:
  extends: .in_git
  stage: sdist
  script:
    - python -m build --sdist --outdir dist
  artifacts:
    paths: [@DIST@]

.wheels:
  extends: .release
  stage: wheels
  needs: [sdist]
  artifacts:
    paths: [@DIST@]

wheels-linux:
  extends: .wheels
  parallel:
    matrix:
      - MACHINE: [saas-linux-small-amd64, saas-linux-small-arm64]
  tags: [$MACHINE]
  services: ["docker:28-dind"]
  variables:
    GIT_STRATEGY: none
    DOCKER_HOST: tcp://docker:2375
    DOCKER_TLS_CERTDIR: ""
  script:
    - apt-get update -qq && apt-get install -y -qq --no-install-recommends docker.io
    @CD@
    - python -m pip install '@CIBUILDWHEEL@'
    - python -m cibuildwheel --output-dir dist dist/*.tar.gz

wheels-macos:
  extends: .wheels
  image: macos-15-xcode-16
  tags: [saas-macos-medium-m1]
  variables:
    GIT_STRATEGY: none
  script:
    @CD@
    - python3 -m venv .tools
    - .tools/bin/python -m pip install '@CIBUILDWHEEL@'
    - .tools/bin/python -m cibuildwheel --output-dir dist dist/*.tar.gz

wheels-windows:
  extends: .wheels
  tags: [saas-windows-medium-amd64]
  variables:
    GIT_STRATEGY: none
  script:
    - choco install python313 -y
    @CD@
    - py -3.13 -m pip install '@CIBUILDWHEEL@'
    - py -3.13 -m cibuildwheel --output-dir dist (Get-Item dist/*.tar.gz).FullName

build:
  extends: .in_git
  stage: build
  needs: [sdist, wheels-linux, wheels-macos, wheels-windows]
  script:
    - python -m release inspect dist/*
    @SUMS@
  @KEPT@
"""
_PUBLISH = """\

@JOB@:
  extends: .release
  stage: @JOB@
  needs: @NEEDS@
  environment: @JOB@
  resource_group: @JOB@
  variables:
    GIT_STRATEGY: none  # nothing but what was built
  id_tokens:
    @TOKENS@
  script:
    @CD@
    - echo "$SUMS  SHA256SUMS" | sha256sum --check --quiet
    - (cd dist && sha256sum -- *) | diff SHA256SUMS -
    - @INSTALL@
    - python -m release @VERB@ --files dist --yes
"""
_HEALTH = """\
# Written by `python -m release schedule --kind gitlab`, pypi-preflight @VERSION@. It is yours: change what you like.
#
# Looks at every token, and says something where there is something to say: a job that fails is mailed by GitLab to
# whoever owns the schedule. It changes nothing and opens nothing.
# Exit status: 1 broken or soon to be, 2 configuration, 6 could not tell (network).
#
# GitLab keeps the times elsewhere: Build, Pipeline schedules, New schedule; interval pattern: @CRON@
# The tokens are CI/CD variables (Settings, CI/CD), masked and protected, with the names: @VARIABLES@
token-health:
  image: @IMAGE@
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  resource_group: token-health
  script:
    @CD@
    - @INSTALL@
    - @COMMAND@
"""
#: job and environment, what must have passed, verb, who may be shown its identity
_STATIONS = (
    ("testpypi", "[build]", "testpypi", ("testpypi",)),
    ("pypi", "[build, testpypi]", "publish --dry-run-on testpypi", ("pypi", "sigstore")),
)


def release(pipeline: Pipeline) -> str:
    """The pipeline of a release, for `.gitlab-ci.yml` or a file that it includes."""
    values = _values(pipeline)
    blocks = values | {"SUMS": fill(_SUMS, values), "KEPT": fill(_KEPT, values)}
    text = fill(_HEAD, values) + fill(_BINARY if pipeline.binary else _PURE, blocks)
    for job, needs, verb, audiences in _STATIONS:
        extra = "[attest]" if job == "pypi" else ""  # TestPyPI gets no attestations
        tokens = "".join(f"{name.upper()}_ID_TOKEN:\n  aud: {name}\n" for name in audiences)
        own = {"JOB": job, "NEEDS": needs, "VERB": verb, "TOKENS": tokens}
        text += fill(_PUBLISH, values | own | {"INSTALL": _line(pipeline.install(extra=extra))})
    return text


def health(pipeline: Pipeline, *, cron: str, command: str, variables: Sequence[str]) -> str:
    """The job that looks at tokens, for a file that `.gitlab-ci.yml` includes.

    `cron` has five fields; `command` is the shell command; `variables` are the names of the variables with tokens.
    """
    own = {"CRON": cron, "COMMAND": _line(command), "VARIABLES": ", ".join(variables)}
    return fill(_HEALTH, _values(pipeline) | own)


def tag_rule(pipeline: Pipeline) -> str:
    """When a pipeline is one of a release. Source: GitLab documentation, "Job rules": RE2 between slashes."""
    before, after = (re.escape(part).replace("/", r"\/").replace(re.escape("{name}"), ".+") for part in pipeline.around)
    return f"$CI_COMMIT_TAG =~ /^{before}.+{after}$/"


def _values(pipeline: Pipeline) -> dict[str, str]:
    place = pipeline.place
    kept = ["dist/", "SHA256SUMS", "pyproject.toml", *filter(None, [pipeline.requirements])]
    before, after = pipeline.around
    return {
        "VERSION": pipeline.version,
        "WHEELS": pipeline.about_wheels,
        "TAGS": f"{before}*{after}",
        "MATCH": _line(tag_rule(pipeline)),
        "STAGES": ", ".join([*(["sdist", "wheels"] if pipeline.binary else []), "build", "testpypi", "pypi"]),
        "IMAGE": _IMAGE,
        "CIBUILDWHEEL": CIBUILDWHEEL,
        "INSTALL": _line(pipeline.install()),
        "CD": f"- {_line('cd ' + _shell(place.rstrip('/')))}" if place else "",
        "DIST": json.dumps(f"{place}dist/"),
        "KEEP": ", ".join(json.dumps(place + name) for name in kept),
        "DOTENV": json.dumps(f"{place}release.env"),
    }


def _shell(path: str) -> str:
    """A path in quotes that a POSIX shell and PowerShell read alike."""
    return f"'{path}'"


def _line(command: str) -> str:
    """A command as a YAML scalar."""
    return json.dumps(command) if re.search(r"""[:#"'{}\[\],&*!|>%@`\\]""", command) else command

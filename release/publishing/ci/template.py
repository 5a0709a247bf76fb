"""What a workflow is made from, and how its text is put together."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

#: the Python that runs the tools of a workflow; what a project supports is another matter
PYTHON = "3.13"
#: builds binary wheels; pinned, since what it does changes with its version
CIBUILDWHEEL = "cibuildwheel==4.3.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A project, as far as its workflow depends on it."""

    #: the release tag, with `{version}`, and `{name}` where it is part of it
    tag_format: str
    #: the project's name; None where only its build says it
    name: str | None
    #: where the project lies in its repository: empty, or a path that ends with a slash
    place: str
    #: version of this program, which the workflow installs
    version: str
    #: a file of requirements with hashes, relative to the project, that names this program; None: by version
    requirements: str | None
    #: whether wheels depend on the machine that builds them
    binary: bool
    #: what that was concluded from
    because: str

    def install(self, *, extra: str = "") -> str:
        """The command that installs this program."""
        pip = "python -m pip install --disable-pip-version-check"
        if self.requirements is not None:
            return f"{pip} --require-hashes --requirement {shlex.quote(self.requirements)}"
        return f"{pip} {shlex.quote(f'pypi-preflight{extra}=={self.version}')}"

    @property
    def about_wheels(self) -> str:
        """How wheels are built, and why so."""
        if self.binary:
            return f"Wheels are built on several machines, since {self.because}; `--pure` turns that off."
        return f"One wheel serves all machines, since {self.because}; `--binary` builds on several."

    @property
    def around(self) -> tuple[str, str]:
        """What stands before and after the version in a release tag."""
        before, _, after = self.tag_format.partition("{version}")
        name = self.name or "{name}"
        return before.replace("{name}", name), after.replace("{name}", name)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with each `@KEY@` replaced. A value may have several lines: it is indented as its key is."""
    lines = []
    for line in text.splitlines():
        key = line.strip()
        if key.startswith("@") and key.endswith("@") and key[1:-1] in values:
            margin = line[: len(line) - len(line.lstrip())]
            lines += [f"{margin}{one}" if one else "" for one in values[key[1:-1]].splitlines()]
            continue
        for name, value in values.items():
            line = line.replace(f"@{name}@", value)  # noqa: PLW2901 - replaced step by step
        lines.append(line)
    return "\n".join(lines) + "\n"

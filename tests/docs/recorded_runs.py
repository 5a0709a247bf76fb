"""The transcripts in the documentation: each is recorded from a run of the program against sandboxes.

A comment `<!-- recorded: NAME -->` stands above a block `console`; `NAME from WORD` shows the output from the first
line that begins with the word. To record all of them anew: python -m tests.docs.recorded_runs
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from release.adapters.keyring import keyring_process
from release.cli.main import main
from release.core.models.index import PYPI
from release.core.tokens import macaroon
from release.reports.line_width import fit_line
from release.sandbox.seed import SeedData
from tests.docs.markdown_pages import PAGES
from tests.sample_distributions import wheel, wheel_name
from tests.sandbox.sandbox_client import SandboxClient
from tests.stories.project import Indexes, UserProject, indexes, make, release_table

WORLD = {
    "users": [
        {"name": "alice"},
        {"name": "bob", "email_verified": False},
        {"name": "carol", "two_factor": False},
        {"name": "dave"},
    ],
    "projects": [
        {"name": "acme-widget", "owners": ["alice"], "maintainers": ["bob", "carol"]},
        {"name": "acme-gadget", "owners": ["alice"]},
    ],
    "tokens": [
        {"name": "account", "user": "alice"},
        {"name": "widget", "user": "alice", "scope": ["acme-widget"]},
        {"name": "gadget", "user": "alice", "scope": ["acme-gadget"]},
        {"name": "expired", "user": "alice", "expires": 1_790_000_000},
        {"name": "revoked", "user": "alice", "revoked": True},
        {"name": "bob", "user": "bob"},
        {"name": "carol", "user": "carol"},
        {"name": "dave", "user": "dave"},
    ],
}
BACKENDS = Path(__file__).parents[1] / "credentials" / "sources" / "backends"
OUTPUTS = Path(__file__).parents[1] / "diagnostics" / "outputs"
_BLOCK = re.compile(r"^<!-- recorded: (\S+?)(?: from (\S+))? -->\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: columns of the terminal
_WIDTH = 88
_VARIABLES = ("PATH", "SYSTEMROOT", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "TMPDIR", "TEMP")


@dataclass(kw_only=True)
class Machine:
    """A machine with the project acme-widget, whose indexes pypi and testpypi are sandboxes."""

    project: UserProject
    on: Indexes
    env: dict[str, str] = field(default_factory=dict)

    def token(self, name: str) -> str:
        text: str = self.on.pypi.tokens[name].reveal()
        return text

    def password(self, text: str, **more: str) -> None:
        self.env |= {"TWINE_PASSWORD": text} | more

    def pypirc(self, token: str) -> None:
        text = f"[pypi]\nrepository = {self.on.pypi.upload_url}\nusername = __token__\npassword = {token}\n"
        (self.project.home / ".pypirc").write_text(text, encoding="utf-8")
        (self.project.home / ".pypirc").chmod(0o600)

    def run(self, command: str) -> str:
        """What the program prints, in this process; the words are those of a shell without expansions but of `*`."""
        words = [
            word
            for one in shlex.split(command)[1:]
            for word in (sorted(path.as_posix() for path in Path().glob(one)) if "*" in one else [one])
        ]
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            main(words)
        return out.getvalue()


@contextmanager
def machine(directory: Path, on: Indexes) -> Iterator[Machine]:
    """A machine in the directory; inside, it is that of this process."""
    project = make(directory, more=release_table(on))
    made = Machine(project=project, on=on)
    (project.home / "keyring").write_text("[]", encoding="utf-8")
    base = {key: os.environ[key] for key in _VARIABLES if key in os.environ} | {
        "HOME": str(project.home), "USERPROFILE": str(project.home), "SHELL": "/bin/bash", "COLUMNS": "120",
        "PREFLIGHT_KEYRING_FILE": str(project.home / "keyring"),
        "PYTHON_KEYRING_BACKEND": "keeping_backends.KeepingKeyring", "PYTHONPATH": str(BACKENDS),
        "XDG_STATE_HOME": str(project.home / "state"), "GIT_CONFIG_GLOBAL": os.devnull,
    }  # fmt: skip
    made.env = base
    with mock.patch.dict(os.environ, base, clear=True), contextlib.chdir(project.root):
        yield made


@contextmanager
def sandboxes() -> Iterator[Indexes]:
    seed = SeedData.parse(json.dumps(WORLD))
    with indexes(test=seed, real=seed) as on:
        yield on


def _quoted(here: Machine) -> None:
    here.password(f'"{here.token("widget")}"')


def _two_lines(here: Machine) -> None:
    text = here.token("widget")
    here.password(f"{text[:80]}\n{text[80:]}")


def _of_other_index(here: Machine) -> None:
    made = macaroon.create_macaroon("testpypi.packages.example", b"3c6d8f0e-51a4-4dde-9d4e-486db6448f5f", bytes(32))
    here.password(macaroon.to_text(made))


def _shadowed(here: Machine) -> None:
    here.pypirc(here.token("widget"))
    here.password(here.token("revoked"))


def _file_exists(here: Machine) -> None:
    SandboxClient(sandbox=here.on.pypi).upload()
    dist = here.project.root / "dist"
    dist.mkdir()
    (dist / wheel_name()).write_bytes(wheel(files={"acme_widget.py": "changed = True\n"}))


def _log(here: Machine) -> None:
    text = (OUTPUTS / "twine-user.txt").read_text(encoding="utf-8")
    (here.project.root / "upload.log").write_text(text, encoding="utf-8")


def _token(name: str, **more: str) -> Callable[[Machine], None]:
    return lambda here: here.password(here.token(name), **more)


VERIFY = "pypi-preflight verify --index pypi"
#: name → the command, and how the machine is prepared for it
RUNS: Mapping[str, tuple[str, Callable[[Machine], None]]] = {
    "healthy": (VERIFY, _token("widget")),
    "missing": (VERIFY, lambda _: None),
    "wrong-index": (VERIFY, _of_other_index),
    "username": (VERIFY, _token("widget", TWINE_USERNAME="alice")),
    "account-password": (VERIFY, lambda here: here.password("correct horse battery", TWINE_USERNAME="alice")),
    "truncated": (VERIFY, lambda here: here.password(here.token("widget")[:-20])),
    "two-lines": (VERIFY, _two_lines),
    "quotes": (VERIFY, _quoted),
    "prefix": (VERIFY, lambda here: here.password(here.token("widget").removeprefix("pypi-"))),
    "control-character": (VERIFY, lambda here: here.password("\x16")),
    "wrong-variable": (VERIFY, lambda here: here.env.update(PYPI_TOKEN=here.token("widget"))),
    "shadowed": (VERIFY, _shadowed),
    "revoked": (VERIFY, _token("revoked")),
    "expired": (VERIFY, _token("expired")),
    "other-project": (VERIFY, _token("gadget")),
    "two-factor": (VERIFY, _token("carol")),
    "email": (VERIFY, _token("bob")),
    "no-role": (VERIFY, _token("dave")),
    "file-exists": ("pypi-preflight inspect --index pypi dist/*", _file_exists),
    "log": ("pypi-preflight diagnose --log upload.log", _log),
}

_WITH_KEYRING = {"missing", "wrong-index", "wrong-variable"}


def record(name: str, directory: Path, on: Indexes) -> str:
    """The transcript of a run: the command, and what it printed, with what differs between machines replaced."""
    command, prepare = RUNS[name]
    with machine(directory, on) as here, contextlib.ExitStack() as stack:
        prepare(here)
        if name not in _WITH_KEYRING:  # as on a machine that has none: the process of the keyring takes half a second
            stack.enter_context(mock.patch.object(keyring_process, "start_keyring", return_value=None))
        with mock.patch.dict(os.environ, here.env):
            return f"$ {command}\n{stable(here.run(command), on)}"


def stable(text: str, on: Indexes) -> str:
    """The text with fixed addresses, identifiers and fingerprints, wrapped as on a terminal."""
    for index, host in ((on.testpypi, "testpypi.packages.example"), (on.pypi, "pypi.packages.example")):
        text = text.replace(index.upload_url.removesuffix("/legacy/"), f"https://{host}")
    for host in (PYPI.site.removeprefix("https://"), "127.0.0.1"):
        text = text.replace(host, "pypi.packages.example")
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "3c6d8f0e-51a4-4dde-9d4e-486db6448f5f", text)
    text = re.sub(r"(fingerprint )[0-9a-f]{8}", r"\g<1>9885daa8", text)
    return "".join(f"{fit_line(line, _WIDTH)}\n" for line in text.splitlines())


def cut(transcript: str, start: str | None) -> str:
    """The transcript with its output from the first line that begins with `start`; `…` stands for what is left out."""
    if not start:
        return transcript
    command, *lines = transcript.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(start))
    return "\n".join([command, *(["…"] if first else []), *lines[first:]]) + "\n"


def recorded(text: str) -> Iterator[tuple[str, str | None, str]]:
    """Name, the word to begin with, and transcript, of each recorded block of a page."""
    for found in _BLOCK.finditer(text):
        yield found[1], found[2], found[3]


def rewrite(text: str, transcripts: Mapping[str, str]) -> str:
    """The page with these transcripts."""

    def block(found: re.Match[str]) -> str:
        head = found[0].partition("\n")[0]
        return f"{head}\n```console\n{cut(transcripts[found[1]], found[2])}```"

    return _BLOCK.sub(block, text)


def _record_all() -> None:
    with sandboxes() as on, tempfile.TemporaryDirectory() as directory:
        made = {}
        for name in RUNS:
            (place := Path(directory, name)).mkdir()
            made[name] = record(name, place, on)
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if (new := rewrite(text, made)) != text:
            page.write_text(new, encoding="utf-8")
            sys.stdout.write(f"{page}\n")


if __name__ == "__main__":
    _record_all()

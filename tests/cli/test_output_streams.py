"""Every command that prints, on streams of encodings that lack what it prints: nothing is lost, nothing raises."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from release.cli.commands import COMMANDS
from release.cli.main import main
from release.cli.output_streams import encodable_streams, write_document
from release.core.child_environment import without_credentials
from release.core.encodable import to_encodable
from tests import sample_distributions
from tests.fake_tokens import token

#: command → words after it, in the project below; each prints names that no encoding but Unicode has, or marks
INVOCATIONS: Mapping[str, tuple[str, ...]] = {
    "completion": ("bash",),
    "config": (),
    "check": ("--plan",),
    "build": ("--plan",),
    "rehearse": ("--plan",),
    "testpypi": ("--plan",),
    "publish": ("--plan",),
    "release": ("--plan",),
    "prepare": ("имя→",),
    "set": ("list", "--offline"),
    "confirm": ("имя→",),
    "inspect": ("имя-1.0-py3-none-any.whl",),
    "leaks": (),
    "status": (),
    "diagnose": ("--log", "имя→.log"),
    "explain": ("имя→",),
    "verify": ("--index", "pypi", "--offline"),
    "store": ("--index", "имя→"),
    "tokens": ("--offline", "--fleet", "имя→.toml"),
    "rotate": ("--index", "имя→"),
    "report": ("имя→",),
    "history": (),
    "ci": ("github",),
    "schedule": ("--kind", "windows"),
    "sandbox": ("--world", "имя→.json"),
}
#: the name of a file that is not text, where the system allows one
_NOT_TEXT = "café.py" if sys.platform in {"win32", "darwin"} else os.fsdecode(b"caf\xe9.py")
#: nothing listens there
_INDEX = 'upload-url = "http://127.0.0.1:9/legacy/"\nsimple-url = "http://127.0.0.1:9/simple/"\n'
_PYPROJECT = (
    '[project]\nname = "acme-widget"\ndescription = "имя→"\nversion = "1.0"\n'
    f"[tool.release.indexes.pypi]\n{_INDEX}[tool.release.indexes.testpypi]\n{_INDEX}"
)


def told(monkeypatch: pytest.MonkeyPatch, encoding: str, *words: str) -> str:
    """What the program writes to both of its streams, as a reader of that encoding decodes it."""
    data = io.BytesIO()
    streams = [io.TextIOWrapper(data, encoding=encoding, errors="strict", write_through=True) for _ in range(2)]
    with monkeypatch.context() as patch, suppress(SystemExit):  # of argparse
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        main(words)
    assert [one.errors for one in streams] == ["strict", "strict"], "what the streams did before is restored"
    for one in streams:
        one.detach()
    return data.getvalue().decode("utf-8" if is_document(words) else encoding)


def is_document(words: Sequence[str]) -> bool:
    return words == ("ci", *INVOCATIONS["ci"])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("имя→")
    (root / "pyproject.toml").write_text(_PYPROJECT, encoding="utf-8")
    (root / "README.md").write_text("# имя →\n", encoding="utf-8")
    (root / "имя→.log").write_text("HTTPError: 403 Forbidden → имя\n", encoding="utf-8")
    (root / _NOT_TEXT).write_text(f"TOKEN = '{token()}'\n", encoding="utf-8")
    (root / "имя-1.0-py3-none-any.whl").write_bytes(sample_distributions.wheel())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("HOME", str(root))
        patch.setenv("USERPROFILE", str(root))
        patch.setenv("PYPI_PREFLIGHT_OFFLINE", "1")
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        patch.setenv("COLUMNS", "100")
        for name in (*(set(os.environ) - set(without_credentials(os.environ))), "GITHUB_ACTIONS", "CI"):
            patch.delenv(name, raising=False)
        yield root


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_prints_all_of_it_where_the_encoding_lacks_its_signs(
    project: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    encodings = ("ascii", "cp1252", "cp437", "utf-16") if command in {"leaks", "explain"} else ("ascii",)
    for words in ((command, *INVOCATIONS[command]), (command, "--help"), (command, "--имя→")):
        text = told(monkeypatch, "utf-8", *words)
        assert text
        for encoding in encodings:
            expected = text if is_document(words) else to_encodable(text, encoding)
            assert _timeless(told(monkeypatch, encoding, *words)) == _timeless(expected)


def _timeless(text: str) -> list[str]:
    return re.sub(r"[0-9]+", "0", text).split()


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="names of files are text")
@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, r"\xd0\xb8\xd0\xbc\xd1\x8f.py"),
        ({"PYTHONIOENCODING": "cp1251:strict"}, "имя.py"),
        ({"PYTHONIOENCODING": "utf-8:strict"}, "имя.py"),
    ],
)
def test_a_process_prints_names_that_are_no_text(tmp_path: Path, variables: dict[str, str], names: str) -> None:
    for name in (_NOT_TEXT, "имя.py"):
        (tmp_path / name).write_text(f"TOKEN = '{token()}'\n", encoding="utf-8")
    encoding = variables.get("PYTHONIOENCODING", "ascii").partition(":")[0]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "release", "leaks"], capture_output=True, check=False, cwd=tmp_path,
        env=without_credentials(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[2])} | variables,
    )  # fmt: skip
    out = done.stdout.decode(encoding)
    assert (done.returncode, done.stderr) == (1, b"")
    assert r"caf\xe9.py" in out
    assert names in out


@pytest.mark.skipif(os.name != "posix", reason="descriptors of POSIX")
def test_a_closed_standard_output_is_no_error() -> None:
    script = f"exec {shlex.quote(sys.executable)} -P -m release explain --all >&- 2>&- <&-"
    assert subprocess.run(["sh", "-c", script], check=False, cwd=Path(__file__).parents[2]).returncode == 0


def test_a_text_for_a_file_is_utf8_whatever_the_console_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what comes before and after it: in the encoding of the stream, in this order."""
    data = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(data, encoding="cp1252", errors="strict"))
    with encodable_streams():
        sys.stdout.write("é →\n")
        write_document(sys.stdout.write, "é → имя\n")
        sys.stdout.write("é →\n")
    sys.stdout.flush()
    assert data.getvalue().splitlines() == ["é ->".encode("cp1252"), "é → имя".encode(), "é ->".encode("cp1252")]
    monkeypatch.undo()


def test_a_terminal_shows_a_text_for_a_file_in_its_own_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    data = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(data, encoding="cp1252"))
    with encodable_streams():
        write_document(sys.stdout.write, "é → имя\n")
    sys.stdout.flush()
    assert data.getvalue().strip() == b"\xe9 -> \\u0438\\u043c\\u044f"
    monkeypatch.undo()

"""What is heavy is imported where it is needed, and not before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from release.adapters.keyring import keyring_process
from release.cli.main import main
from release.core.child_environment import without_credentials
from tests import sample_distributions
from tests.stories.project import make

ROOT = Path(__file__).parents[1]
HEAVY = {
    "twine", "keyring", "rich", "requests", "urllib3", "werkzeug", "docutils", "readme_renderer", "nox", "invoke",
    "jinja2",
}  # fmt: skip
SPY = """
import atexit, json, runpy, sys
def tell():
    open({path!r}, "w").write(json.dumps(sorted({{*sys.modules, *(name.split(".")[0] for name in sys.modules)}})))
atexit.register(tell)
sys.argv = ["release", *{words!r}]
runpy.run_module("release", run_name="__main__", alter_sys=True)
"""
#: the program as its script starts it; nothing is imported before but what the interpreter has
PROGRAM = """
import os, sys
def tell():
    with open({path!r}, "w") as file:
        file.write(" ".join(sys.modules))
def end(status, ends=os._exit):
    tell()
    ends(status)
os._exit = end
sys.argv = ["pypi-preflight", *{words!r}]
from pypi_preflight.command_line import main
try:
    main()
finally:
    tell()
"""
#: of the standard library and of dependencies: each of them takes a millisecond or more, with what it imports
SLOW = {
    "_hashlib", "ast", "bz2", "dataclasses", "datetime", "difflib", "email", "hashlib", "hmac", "inspect", "ipaddress",
    "json", "logging", "lzma", "msgspec", "packaging", "pathlib", "pkgutil", "platform", "shlex", "shutil", "socket",
    "subprocess", "tempfile", "textwrap", "tomllib", "typing", "typing_extensions", "urllib.parse", "uuid",
}  # fmt: skip
#: what every command imports, and the help of all of them
ALWAYS = {
    "release", "release.adapters", "release.adapters.system", "release.adapters.system.crash_report",
    "release.adapters.system.debug_log", "release.adapters.system.deferred_signals", "release.cli",
    "release.cli.argparse_import", "release.cli.command", "release.cli.commands", "release.cli.main",
    "release.cli.msgspec_import", "release.cli.offline_commands", "release.cli.output_streams", "release.cli.parser",
    "release.cli.terminal_size", "release.core", "release.core.encodable", "release.core.errors",
    "release.core.harmless", "release.core.offline", "release.core.quoting", "release.core.substitute_modules",
    "release.core.tokens", "release.core.tokens.token_forms", "release.publishing", "release.publishing.effects",
}  # fmt: skip


def loaded(words: list[str], tmp_path: Path, **env: str) -> set[str]:
    """The modules that the program has imported at its end, in an empty directory."""
    path, home = tmp_path / "modules.txt", tmp_path / "home"
    home.mkdir()
    environ = without_credentials(os.environ) | {"HOME": str(home), "XDG_STATE_HOME": str(home / "state")}
    environ |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", "PYTHONPATH": str(ROOT)} | env
    program = PROGRAM.format(path=str(path), words=words)
    subprocess.run([sys.executable, "-P", "-c", program], cwd=home, env=environ, check=False, capture_output=True,
                   timeout=240)  # fmt: skip
    return set(path.read_text().split())


def ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "release"}


def bare(tmp_path: Path) -> set[str]:
    """What a bare Python imports for the help of argparse: of newer versions more than of older ones."""
    program = "import argparse, sys; argparse.ArgumentParser().format_help(); print(*sys.modules)"
    argv = [sys.executable, "-P", "-c", program]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, check=True, text=True, timeout=240)
    return set(done.stdout.split()) - {"shutil", "bz2", "lzma"}


def test_the_help_imports_little_more_than_argparse(tmp_path: Path) -> None:
    seen = loaded(["--help"], tmp_path)
    assert ours(seen) <= ALWAYS
    assert seen & SLOW <= bare(tmp_path)
    assert not {"gettext", "locale"} & seen


@pytest.mark.parametrize(
    ("line", "more"), [("pypi-preflight ver", set()), ("pypi-preflight verify --off", {"credentials"})]
)
def test_a_completion_imports_the_commands_of_its_line_only(line: str, more: set[str], tmp_path: Path) -> None:
    output = tmp_path / "completions"
    seen = loaded([], tmp_path, _ARGCOMPLETE="1", COMP_LINE=line, COMP_POINT=str(len(line)),
                  _ARGCOMPLETE_STDOUT_FILENAME=str(output))  # fmt: skip
    assert output.read_text().strip() in {"verify", "--offline"}
    commands = {f"release.cli.commands.{name}" for name in ("completion", *more)}
    assert ours(seen) <= ALWAYS - {"release.cli.main"} | commands
    assert "gettext" not in seen
    # which argcomplete imports itself
    assert seen & SLOW <= bare(tmp_path) | {"subprocess", "typing", "shlex"}


def test_a_search_for_secrets_imports_no_second_typing_module(tmp_path: Path) -> None:
    seen = loaded(["leaks"], tmp_path)
    assert "msgspec" in seen
    assert "typing_extensions" not in seen


def test_the_help_of_every_command_imports_no_values_and_nothing_that_works(tmp_path: Path) -> None:
    """All commands but `leaks`, which has a table of values for the choices of an option, and `prepare`: JSON."""
    program = (
        "import sys\nfrom release.cli.commands import COMMANDS\nfrom release.cli.parser import command_parser\n"
        "for name in COMMANDS.keys() - {'leaks', 'prepare'}: command_parser(name).format_help()\nprint(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, check=True, text=True, timeout=240,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    seen = set(done.stdout.split())
    assert seen & (SLOW - {"datetime", "ipaddress", "pathlib", "typing", "urllib.parse"}) <= bare(tmp_path)
    assert not {name for name in seen if name.startswith(("release.adapters.git", "release.adapters.http"))}


@pytest.mark.parametrize(
    ("words", "packages"),
    [
        (["status"], ("core", "reports", "publishing")),
        (["explain", "cred.malformed"], ("core", "reports", "checks", "diagnostics", "acceptance")),
        (["verify", "--offline", "--project", "acme"], ("core", "reports", "checks", "credentials", "acceptance")),
    ],
)
def test_short_commands_import_what_they_show(words: list[str], packages: tuple[str, ...], tmp_path: Path) -> None:
    """Neither git nor builds, clean installs and programs; no library that only its types would need."""
    seen = loaded(words, tmp_path)
    shown = {"status": "publishing.status", "explain": "diagnostics.catalog", "verify": "credentials.verify"}
    assert f"release.{shown[words[0]]}" in seen
    working = {name.split(".")[2] for name in seen if name.startswith("release.adapters.")}
    allowed = {"status": {"members", "project_config"}, "explain": set()}
    assert working - {"system"} <= allowed.get(words[0], {"http", "keyring", "oidc", "project_config"})
    used = {name.split(".")[1] for name in ours(seen) if "." in name}
    assert used <= {*packages, "adapters", "cli", "publishing", "checks", "acceptance"}
    assert not {"release.adapters.system.process", "release.publishing.sets.read_members"} & seen
    unused = SLOW - {"datetime", "ipaddress", "json", "msgspec", "pathlib", "shlex", "typing", "urllib.parse", "uuid"}
    wrapped = {"textwrap"} if words[0] == "explain" else set()
    assert seen & unused <= bare(tmp_path) | wrapped


def test_a_verification_looks_for_a_keyring_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads the entry points of every installed distribution, several hundred files."""
    searched: list[object] = []

    def search(env: Mapping[str, str]) -> bool:
        searched.append(env)
        return True

    monkeypatch.setattr(keyring_process, "_has_no_backend", search)
    monkeypatch.chdir(tmp_path)
    main(["verify", "--offline", "--project", "acme"])
    assert len(searched) == 1


def imported(words: list[str], tmp_path: Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> set[str]:
    path = tmp_path / "modules.json"
    subprocess.run(
        [sys.executable, "-c", SPY.format(path=str(path), words=words)],
        cwd=cwd, env=env, check=False, capture_output=True, timeout=240,
    )  # fmt: skip
    return set(json.loads(path.read_text()))


@pytest.mark.parametrize("words", [["--help"], ["check", "--help"], ["status"]])
def test_help_and_offline_verbs_import_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    assert imported(words, tmp_path) & HEAVY == set()


def test_the_help_of_a_command_imports_nothing_that_runs_programs(tmp_path: Path) -> None:
    """`subprocess` and `tempfile`, with what they import, take a fifth of the time of such a command."""
    assert imported(["check", "--help"], tmp_path) & {"subprocess", "tempfile"} == set()


def test_a_check_without_network_imports_no_client(tmp_path: Path) -> None:
    """Nothing listens there, so that nothing is asked for: neither an HTTP client nor a keyring is needed."""
    table = "".join(
        f'[tool.release.indexes.{n}]\nupload-url = "http://127.0.0.1:9/legacy/"\nsimple-url = "http://127.0.0.1:9/simple/"\n'
        for n in ("pypi", "testpypi")
    )
    project = make(tmp_path, more=table)
    seen = imported(["check", "--json"], tmp_path, project.environment(), project.root)
    assert seen & HEAVY == set()


def test_the_help_lists_registered_modules_without_importing_them(tmp_path: Path) -> None:
    """Every command declares its options, so what one option imports, all commands import."""
    seen = imported(["schedule", "--help"], tmp_path)
    assert "release.token_health.schedulers" in seen
    assert not {
        name for name in seen if name.startswith(("release.token_health.schedulers.", "release.publishing.ci."))
    }
    assert not {"release.reports.html", "release.reports.junit"} & seen


def test_a_verification_offline_imports_no_network_and_no_platform_tags(tmp_path: Path) -> None:
    """`packaging.utils` loads `packaging.tags`, and with it a dozen modules of the standard library."""
    project = make(tmp_path)
    seen = imported(["verify", "--offline", "--index", "pypi"], tmp_path, project.environment(), project.root)
    assert "release.credentials.verify" in seen
    assert not {"packaging.tags", "ssl", "http.client", "release.adapters.http.http_client"} & seen


def test_an_inspection_of_files_imports_nothing_that_reads_projects(tmp_path: Path) -> None:
    path = tmp_path / sample_distributions.wheel_name()
    path.write_bytes(sample_distributions.wheel())
    seen = imported(["inspect", str(path)], tmp_path)
    assert "release.checks.distributions" in seen
    assert not {"release.adapters.collect", "release.core.config", "release.checks.declared_metadata"} & seen
    assert not {"difflib", "release.adapters.system.process", "release.publishing.rst_process_child"} & seen
    assert not {"idna", "release.acceptance.email_address_rules"} & seen, "its address is plain"


COMPILED = """
import re, re._compiler, sys
compiled, compile_ = [], re._compiler.compile
def spy(pattern, flags=0):
    frame = sys._getframe()
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    if frame is not None and frame.f_globals["__name__"].startswith("release."):
        compiled.append(pattern)
    return compile_(pattern, flags)
re._compiler.compile = spy
import release.credentials.verify, release.checks.distributions, release.diagnostics.catalog
print(compiled)
"""


def test_the_modules_of_short_commands_compile_no_pattern_when_they_are_imported(tmp_path: Path) -> None:
    """To compile one takes as long as to import a small module, and a command needs few of them."""
    argv, env = [sys.executable, "-P", "-c", COMPILED], {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, check=True, text=True, timeout=240)
    assert done.stdout == "[]\n"


def test_the_child_that_renders_imports_nothing_that_fetches_files(tmp_path: Path) -> None:
    """`urllib.request` and `pprint` take a third of the time of docutils."""
    program = (
        "import sys\nfrom release.publishing.rst_process_child import rst_handler\nhandle = rst_handler()\n"
        "assert next(handle({'text': 'A *text*.'}))['is'] == 'rendered'\nprint(*sys.modules)"
    )
    argv, env = [sys.executable, "-P", "-c", program], {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, check=True, text=True, timeout=240)
    assert not {"http.client", "inspect", "socket", "pprint", "urllib.request"} & set(done.stdout.split())


def test_the_end_of_the_program_searches_no_module_for_cycles(tmp_path: Path) -> None:
    """That takes a tenth of the time of a short command."""
    counts = tmp_path / "counts.json"
    spy = f"import atexit, gc; atexit.register(lambda: open({str(counts)!r}, 'w').write(str(gc.get_freeze_count())))"
    program = "import sys; sys.argv[1:] = ['status']; from pypi_preflight.command_line import main; sys.exit(main())"
    subprocess.run([sys.executable, "-P", "-c", f"{spy}\n{program}"], cwd=tmp_path, check=True, timeout=240)
    assert int(counts.read_text()) > 0

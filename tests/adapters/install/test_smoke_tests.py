"""What is tried on an installed project, and what an end of it means."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.install import smoke_tests, venv
from release.adapters.install.venv import Environment
from release.adapters.system.system import System, real_system
from release.core.config import SmokeTestSettings
from release.core.errors import ConfigError
from release.core.models.smoke_test import SmokeTestResult
from release.core.tokens import macaroon

SCRIPT = "def main():\n    import argparse\n    argparse.ArgumentParser().parse_args()\n"


def test_the_default_tests_are_imports_and_scripts_with_help() -> None:
    text = "[console_scripts]\nAcme = acme.cli:main\nacme-x = acme.x:run\n[gui_scripts]\nwin = acme:gui\n"
    found = smoke_tests.default_smoke_tests(["acme.py"], text)
    assert [(one.kind, one.title) for one in found] == [
        ("import", "import acme"), ("script", "Acme --help"), ("script", "acme-x --help"), ("gui script", "win --help"),
    ]  # fmt: skip


def test_what_is_asked_for_is_taken_as_it_is() -> None:
    settings = SmokeTestSettings(imports=("acme.deep",), commands=("acme 'a b'",))
    found = smoke_tests.configured_smoke_tests(settings)
    assert [(one.kind, one.words, one.asked_for) for one in found or ()] == [
        ("import", ("acme.deep",), True), ("command", ("acme", "a b"), True),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="no closing quotation"):
        smoke_tests.configured_smoke_tests(SmokeTestSettings(commands=("acme 'a",)))


def installed(
    tmp_path: Path, entry_points: str = "", requires: Sequence[str] = (), **files: str
) -> tuple[System, Environment]:
    """A clean environment with a project "acme" of these files, without any index."""
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    machine = real_system()
    path = tmp_path / "acme-1.0-py3-none-any.whl"
    members = {
        **files,
        "acme-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n" + needs,
        "acme-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "acme-1.0.dist-info/entry_points.txt": entry_points,
    }
    record = "".join(f"{name},,\n" for name in [*members, "acme-1.0.dist-info/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**members, "acme-1.0.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    clean = venv.create_environment(machine, tmp_path / "env")
    url = path.as_uri()
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert venv.install_file(machine, clean, name="acme", version="1.0", url=url, sha256=sha256) is None
    return machine, clean


def severities(trials: Sequence[SmokeTestResult]) -> dict[str, str | None]:
    return {one.test.title: one.severity for one in trials}


GOOD = (
    SCRIPT
    + """
import sys
def usage():
    print("Usage: usage FILE"); raise SystemExit(2)
def version():
    if "--version" not in sys.argv: raise ValueError("unsupported format character")
def extra():
    try:
        import no_such_click
    except ImportError:
        print("usage: pip install acme[cli]"); raise SystemExit(1)
def daemon():
    import time; time.sleep(600)
def broken():
    raise ValueError("no such luck")
def data():
    open(__file__.replace("good.py", "table.dat"))
def excused():
    try:
        import no_such_speedup
    except ImportError:
        pass
    sys.exit("acme: table.dat is missing")
def window():
    import os
    assert not os.environ.get("DISPLAY")
"""
)


def test_each_kind_of_project_gets_its_verdict(tmp_path: Path) -> None:
    calls = ("main", "usage", "version", "extra", "broken", "data", "excused", "gone")
    points = "[console_scripts]\n" + "".join(f"{call} = good:{call}\n" for call in calls)
    points += "[gui_scripts]\n" + "".join(f"gui-{call} = good:{call}\n" for call in ("window", "broken"))
    machine, clean = installed(
        tmp_path, points, **{
            "good.py": GOOD, "needy.py": "import no_such_rich.table\n", "torn.py": "from good import nothing\n",
            "crash.py": "import os; os.abort()\n", "called.py": "__import__('no_such')\n",
            "quits.py": "raise SystemExit\n",
            "half/__init__.py": "from half import core\nimport half.gone\n", "half/core.py": "",
            "hidden.py": "try:\n import no_such\nexcept ImportError as e:\n raise RuntimeError('get it') from e\n",
            "_speedups.py": "import sys\nassert 'good' in sys.modules\n",
        },
    )  # fmt: skip
    trials = smoke_tests.run_smoke_tests(replace(machine, env={**machine.env, "DISPLAY": ":9"}), clean, name="acme")
    assert severities(trials) == {
        "import _speedups": None, "import called": "block", "import crash": "block", "import good": None,
        "import half": "block",
        "import hidden": "block", "import needy": "block", "import quits": "block", "import torn": "block",
        "main --help": None, "usage --help": None, "version --help": None, "extra --help": "block",
        "broken --help": "block", "data --help": "block", "excused --help": "block",
        "gone --help": "block", "gui-window --help": None, "gui-broken --help": "block",
    }  # fmt: skip
    first = {one.test.title: (one.attempts[0].chain or ())[:1] for one in trials}
    assert [(link.line, link.place) for link in first["broken --help"]] == [
        ("ValueError: no such luck", "good.py, line 18")
    ]
    assert [link.place for link in first["import half"]] == ["half/__init__.py, line 2"]
    assert [link.by_statement for name in ("half", "called") for link in first[f"import {name}"]] == [True, False]
    assert [link.file for link in first["data --help"]] == ["table.dat"]
    assert [link.place.partition(",")[0] for link in first["gone --help"]] == ["bin/gone"]


def test_a_program_that_does_not_end_is_stopped(tmp_path: Path) -> None:
    points = "[console_scripts]\ndaemon = good:daemon\n[gui_scripts]\ngui-daemon = good:daemon\n"
    machine, clean = installed(tmp_path, points, **{"good.py": GOOD})
    both = smoke_tests.default_smoke_tests((), points)
    trials = smoke_tests.run_smoke_tests(machine, clean, name="acme", tests=both, limit=0.8)
    assert severities(trials) == {"daemon --help": "warn", "gui-daemon --help": None}
    assert [one.attempts[0].status for one in trials] == [None, None]


def test_an_extra_excuses_what_it_makes_work_and_nothing_else(tmp_path: Path) -> None:
    machine, clean = installed(
        tmp_path, "", ("no-such-rich; extra == 'pretty'", "six; extra == 'zzz'", "no-such-bug; extra == 'dev'"), **{
            "good.py": "", "needy.py": "import no_such_rich\n", "bug.py": "import no_such_bug\n",
            "broken.py": "raise ValueError\n",
        },
    )  # fmt: skip
    tried: list[Sequence[str]] = []

    def install(extras: Sequence[str]) -> str | None:
        tried.append(list(extras))
        if extras == ["pretty"]:
            next(clean.directory.rglob("good.py")).with_name("no_such_rich.py").write_text("")
            return None
        return "cannot be installed: 'no'"

    trials = smoke_tests.run_smoke_tests(machine, clean, name="acme", install_extras=install)
    assert tried == [["pretty"], ["pretty", "zzz"]]
    assert severities(trials) == {
        "import broken": "block", "import bug": "block", "import good": None, "import needy": None
    }  # fmt: skip
    assert {one.test.title: one.needed_extras for one in trials if one.needed_extras} == {"import needy": ("pretty",)}
    told = {one.test.title: [extra.problem for extra in one.extras] for one in trials}
    assert told["import bug"] == [
        "fails with it too: \"ModuleNotFoundError: No module named 'no_such_bug'\"",
        "cannot be installed: 'no'",
    ]
    assert told["import broken"] == []


LOOK = """
import json, os, pathlib, sys
pathlib.Path(os.environ["WHERE"]).write_text(json.dumps([dict(os.environ), os.getcwd(), os.listdir(), sys.path]))
"""


@pytest.mark.parametrize("kind", ["import", "command"])
def test_the_project_sees_no_credential_no_checkout_and_nobodys_home(tmp_path: Path, kind: str) -> None:
    machine, clean = installed(tmp_path, **{"acme.py": LOOK})
    token = macaroon.to_text(macaroon.create_macaroon("localhost", b"identifier", b"k" * 32))
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "acme.py").write_text("raise SystemExit('the checkout was imported')")
    names = ("TWINE_PASSWORD", "GITHUB_TOKEN", "SOMETHING")
    env = {**machine.env, **dict.fromkeys(names, token), "PYTHONPATH": str(checkout), "WHERE": str(tmp_path / "seen")}
    imports = SmokeTestSettings(imports=("acme",))
    settings = imports if kind == "import" else SmokeTestSettings(commands=("python -m acme",))
    wanted = smoke_tests.configured_smoke_tests(settings)
    trials = smoke_tests.run_smoke_tests(replace(machine, env=env), clean, name="acme", tests=wanted)
    assert [one.severity for one in trials] == [None]
    seen, here, beside, path = json.loads((tmp_path / "seen").read_text())
    assert token not in (tmp_path / "seen").read_text()
    assert not {*names, "PYTHONPATH"} & set(seen)
    assert Path(seen["HOME"]) != machine.home
    assert beside == []
    assert not Path(here).is_relative_to(checkout)
    assert str(checkout) not in path
    assert seen["PATH"].startswith(str(clean.bin))


def test_a_command_that_is_not_there_blocks(tmp_path: Path) -> None:
    machine, clean = installed(tmp_path, **{"acme.py": ""})
    wanted = smoke_tests.configured_smoke_tests(SmokeTestSettings(commands=("no-such-command --help",)))
    trials = smoke_tests.run_smoke_tests(machine, clean, name="acme", tests=wanted)
    assert severities(trials) == {"no-such-command --help": "block"}


def test_no_module_is_there_by_chance_that_the_project_forgot_to_import(tmp_path: Path) -> None:
    """`import importlib` does not import `importlib.util`: it is only there where another module imported it."""
    names = ("importlib.util", "json", "linecache", "re", "runpy", "sysconfig", "traceback")
    machine, clean = installed(tmp_path, **{"acme.py": f"import sys\nassert not sys.modules.keys() & {set(names)}\n"})
    (trial,) = smoke_tests.run_smoke_tests(machine, clean, name="acme")
    assert trial.passed, trial

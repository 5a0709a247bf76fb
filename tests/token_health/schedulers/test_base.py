"""Each failure of a platform's scheduler is told with its words and a way out."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.core.errors import ToolError
from release.token_health.schedulers import base, cron
from release.token_health.schedulers.base import ScheduleRequest
from release.token_health.schedulers.launchd import Launchd
from release.token_health.schedulers.systemd import Systemd
from release.token_health.schedulers.windows import TaskScheduler
from tests.token_health.schedulers.fake_programs import FAILING, machine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake programs are shell scripts")

REQUEST = ScheduleRequest(directory=Path("project"))
ASK: dict[str, Any] = {
    "crontab": cron.read_crontab,
    "systemctl": lambda system: Systemd(system, REQUEST)._systemctl("enable", "x.timer"),
    "launchctl": lambda system: Launchd(system, REQUEST)._launchctl("print"),
    "schtasks": lambda system: TaskScheduler(system, REQUEST)._schtasks("/Create"),
}


@pytest.mark.parametrize(
    ("program", "says", "message", "remedy"),
    [
        (
            "crontab",
            "You (ada) are not allowed to use this program (crontab)",
            "may not use crontab",
            "/etc/cron.allow",
        ),
        ("crontab", "crontabs/ada: Permission denied", "may not use crontab", "/etc/cron.allow"),
        ("crontab", '"-":0: bad minute', "crontab failed: '\"-\":0: bad minute'", "crontab -e"),
        ("systemctl", "Failed to connect to bus: No medium found", "cannot connect", "enable-linger"),
        ("systemctl", "Failed to connect to user scope bus via local transport: x", "cannot connect", "--kind cron"),
        ("systemctl", "System has not been booted with systemd as init system", "cannot connect", "--kind cron"),
        ("systemctl", "Failed to enable unit: Unit file x.timer does not exist.", "enable failed", "status x.timer"),
    ],
)
def test_a_refusal_is_told_with_a_way_out(tmp_path: Path, program: str, says: str, message: str, remedy: str) -> None:
    there = machine(tmp_path, program, script=FAILING, SAYS=says)
    with pytest.raises(ToolError) as refused:
        ASK[program](there.system)
    assert message in refused.value.message
    assert remedy in refused.value.remedy


@pytest.mark.parametrize("program", ASK)
def test_a_scheduler_that_is_not_there_is_named(tmp_path: Path, program: str) -> None:
    there = machine(tmp_path, program)
    with pytest.raises(ToolError, match=f"no program '{program}' on PATH") as refused:
        ASK[program](replace(there.system, env={"PATH": str(tmp_path)}))
    assert "--kind" in refused.value.remedy


@pytest.mark.parametrize(
    ("says", "remedy"), [("ERROR: Access is denied.", "as the user who is logged in"), ("something else", "--print")]
)
def test_a_failure_of_launchctl_or_schtasks_quotes_it(tmp_path: Path, says: str, remedy: str) -> None:
    done = ASK["schtasks"](machine(tmp_path, "schtasks", script=FAILING, SAYS=says).system)
    with pytest.raises(ToolError) as refused:
        base.require_success("schtasks", done)
    assert says in refused.value.message
    assert remedy in refused.value.remedy


def test_no_crontab_is_an_empty_one_and_an_empty_one_is_none(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    assert cron.read_crontab(there.system) == ""
    cron.write_crontab(there.system, "# é\n0 4 * * * x\n")
    assert cron.read_crontab(there.system) == "# é\n0 4 * * * x\n"
    cron.write_crontab(there.system, "")
    assert there.kept is None


def test_the_session_bus_is_looked_for_where_it_outlives_a_terminal(tmp_path: Path, monkeypatch: Any) -> None:
    runtime = tmp_path / "1000"
    runtime.mkdir()
    assert cron.session_bus({}, 1000, tmp_path) is None
    (runtime / "bus").write_text("")
    assert cron.session_bus({}, 1000, tmp_path) is None, "a file is no bus"
    (runtime / "bus").unlink()
    monkeypatch.chdir(runtime)  # the path of a socket is a short one
    with socket.socket(socket.AF_UNIX) as bus:  # type: ignore[attr-defined,unused-ignore]
        bus.bind("bus")
        assert cron.session_bus({}, 1000, tmp_path) == runtime / "bus"
        assert cron.session_bus({"XDG_RUNTIME_DIR": str(runtime)}, 1, tmp_path) == runtime / "bus"

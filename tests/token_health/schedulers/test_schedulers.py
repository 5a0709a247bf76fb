"""A schedule is installed once, says how it stands, and leaves nothing behind, by each scheduler alike."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.core.errors import ReleaseError, UsageError
from release.publishing.ci import SERVICES
from release.token_health.schedulers import SCHEDULERS, base, cron, default_kind
from release.token_health.schedulers.base import ScheduleRequest, explain_job
from tests import fake_tokens
from tests.token_health.schedulers.fake_programs import FAILING, Machine, machine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake programs are shell scripts")

PROGRAMS = {"systemd": "systemctl", "cron": "crontab", "launchd": "launchctl", "windows": "schtasks"}
EACH = pytest.mark.parametrize("kind", PROGRAMS)


@pytest.fixture(autouse=True)
def _nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs go to the test's own directory, and no session bus of this machine is found."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(cron, "session_bus", lambda _env, _user: None)


def files(there: Machine) -> list[Path]:
    base = there.system.home.parent
    return sorted(path for name in ("home", "state") for path in (base / name).rglob("*") if path.is_file())


def asked(there: Machine, every: str = "30 7 * * *", **changed: Any) -> ScheduleRequest:
    return ScheduleRequest(directory=there.system.home.parent / "project", every=every, **changed)


@EACH
def test_it_is_installed_once_changed_when_asked_and_removed_without_a_trace(tmp_path: Path, kind: str) -> None:
    there = machine(tmp_path, PROGRAMS[kind])
    chosen = SCHEDULERS[kind](there.system, asked(there))
    assert chosen.status().installed is False
    assert chosen.remove() is False
    before = files(there)

    assert chosen.install() is True
    first = there.kept, [path.read_bytes() for path in files(there)]
    assert chosen.install() is False, "a second time changes nothing"
    assert (there.kept, [path.read_bytes() for path in files(there)]) == first
    assert chosen.status().installed is True

    weekly = SCHEDULERS[kind](there.system, asked(there, "30 7 * * 1"))
    assert weekly.install() is True, "other times, the same job"
    assert (there.kept, [path.read_bytes() for path in files(there)]) != first

    assert weekly.remove() is True
    assert (there.kept, files(there)) == (None, before)
    assert weekly.status().installed is False


@EACH
def test_what_is_printed_is_what_is_installed(tmp_path: Path, kind: str) -> None:
    there = machine(tmp_path, PROGRAMS[kind])
    chosen = SCHEDULERS[kind](there.system, asked(there))
    texts = chosen.texts()
    assert there.words() == []
    assert files(there) == []
    chosen.install()
    kept = (there.kept or b"").decode("utf-16" if kind == "windows" else "utf-8").replace("\r\n", "\n")
    for place, text in texts.items():
        assert text == (Path(place).read_text(encoding="utf-8") if kind == "systemd" else kept)


@EACH
def test_the_last_and_the_next_run_are_told(tmp_path: Path, kind: str) -> None:
    there = machine(tmp_path, PROGRAMS[kind], TZ="UTC")
    chosen = SCHEDULERS[kind](there.system, asked(there))
    chosen.install()
    log = Path(chosen.job.log)  # type: ignore[attr-defined] # a scheduler of a machine has one
    if kind != "systemd":
        assert chosen.status().last is None
        log.write_text("2 looked at\nexit status 5\n", encoding="utf-8")
    found = SCHEDULERS[kind](there.system, asked(there, "day")).status()
    assert found.last is not None
    assert found.result in {"exit status 5", "exit status 5, success", "exit status 0"}
    assert found.next is not None
    assert "07:30" in found.next or kind in {"cron", "launchd"}  # in local time
    lines = found.to_text(kind, "x")
    assert [line.split(":")[0].strip() for line in lines] == ["x", "last run", "next run"]


@EACH
def test_no_secret_of_the_environment_goes_with_a_job(tmp_path: Path, kind: str) -> None:
    token = fake_tokens.token()
    secrets = {
        "TWINE_PASSWORD": token, "HTTPS_PROXY": "http://ada:hunter2@proxy.example:3128", "NO_PROXY": token,
        "KEYRING_CRYPTFILE_PASSWORD": "hunter2",
    }  # fmt: skip
    there = machine(tmp_path, PROGRAMS[kind], SSL_CERT_FILE="/etc/ca.pem", **secrets)
    chosen = SCHEDULERS[kind](there.system, asked(there))
    chosen.install()
    for text in (
        *chosen.texts().values(),
        *there.words(),
        *explain_job(there.system, asked(there), kind, chosen),
    ):
        assert token not in text
        assert "hunter2" not in text
    if kind != "windows":
        assert "/etc/ca.pem" in "".join(chosen.texts().values())
        assert chosen.notes[0].startswith("$HTTPS_PROXY contains a secret")


@EACH
def test_three_lines_say_what_happens_where_it_goes_and_how_the_keyring_is_reached(tmp_path: Path, kind: str) -> None:
    there = machine(tmp_path, PROGRAMS[kind])
    chosen = SCHEDULERS[kind](there.system, asked(there))
    lines = explain_job(there.system, asked(there), kind, chosen)
    assert [line.split()[0] for line in lines] == ["Schedule:", "Output:", "Keyring:"]


def test_tokens_in_variables_are_named_since_no_job_has_them(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    fleet = tmp_path / "fleet.toml"
    fleet.write_text('[[tokens]]\nproject = "acme"\nenv = "ACME_TOKEN"\n')
    what = asked(there, fleet=fleet)
    lines = explain_job(there.system, what, "cron", SCHEDULERS["cron"](there.system, what))
    assert lines[-1].startswith("Note: $ACME_TOKEN: not set in scheduled jobs")


def test_a_fleet_that_says_whom_to_tell_is_told_of_and_metrics_are_written(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    fleet = tmp_path / "fleet.toml"
    fleet.write_text('[notify]\nping = { file = "ping" }\n[[tokens]]\nproject = "acme"\nfile = "x"\n')
    what = asked(there, fleet=fleet, metrics=tmp_path / "tokens.prom")
    made = base.build_job(there.system, what)
    assert made.argv[-3:] == ("--metrics", str(tmp_path / "tokens.prom"), "--notify")


def test_a_job_is_removed_even_where_its_fleet_is_gone(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    fleet = tmp_path / "fleet.toml"
    fleet.write_text('[[tokens]]\nproject = "acme"\nfile = "x"\n')
    assert SCHEDULERS["cron"](there.system, asked(there, fleet=fleet)).install()
    fleet.unlink()
    assert SCHEDULERS["cron"](there.system, asked(there, fleet=fleet)).remove()


def test_a_bus_that_is_there_goes_with_the_line_of_cron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cron, "session_bus", lambda _env, _user: Path("/run/user/1000/bus"))
    there = machine(tmp_path, "crontab")
    (text,) = SCHEDULERS["cron"](there.system, asked(there)).texts().values()
    assert "XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus" in text


def test_a_path_that_is_too_long_for_cron_is_left_at_home_and_said(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    long = replace(there.system, env={**there.system.env, "PATH": ":".join(f"/opt/{n}" for n in range(200))})
    chosen = SCHEDULERS["cron"](long, asked(there))
    assert "PATH=" not in "".join(chosen.texts().values())
    assert any("$PATH is too long" in note for note in chosen.notes)


def test_nothing_is_written_where_the_users_systemd_is_not_there(tmp_path: Path) -> None:
    there = machine(tmp_path, "systemctl", script=FAILING, SAYS="Failed to connect to bus: No medium found")
    with pytest.raises(ReleaseError, match="cannot connect"):
        SCHEDULERS["systemd"](there.system, asked(there)).install()
    assert files(there) == []


def test_each_thing_to_look_at_has_a_job_of_its_own(tmp_path: Path) -> None:
    one = ScheduleRequest(directory=tmp_path / "My Project!")
    other = ScheduleRequest(directory=tmp_path, fleet=tmp_path / "all.toml")
    assert base.job_name(one).startswith("pypi-preflight-my-project-")
    assert base.job_name(other).startswith("pypi-preflight-all-")
    assert base.job_name(one) == base.job_name(replace(one, every="week"))
    assert base.job_name(other) == base.job_name(replace(other, directory=tmp_path / "elsewhere"))
    assert len({base.job_name(one), base.job_name(other), base.job_name(replace(one, config=tmp_path / "c"))}) == 3


def test_the_documentation_has_a_row_for_each_scheduler() -> None:
    text = (Path(__file__).parents[3] / "docs" / "automation.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(SCHEDULERS)


@pytest.mark.parametrize(("platform", "kind"), [("darwin", "launchd"), ("win32", "windows"), ("freebsd14", "cron")])
def test_the_kind_is_the_platforms_own(tmp_path: Path, platform: str, kind: str) -> None:
    assert default_kind(machine(tmp_path, "crontab").system, platform) == kind


def test_times_that_never_come_are_refused(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    with pytest.raises(UsageError, match="never occurs"):
        SCHEDULERS["cron"](there.system, asked(there, "0 0 30 2 *"))


@pytest.mark.parametrize("kind", SERVICES)
def test_a_workflow_is_written_to_the_repository_and_others_files_are_left_alone(tmp_path: Path, kind: str) -> None:
    there = machine(tmp_path, "crontab")
    project = tmp_path / "project"
    project.mkdir()
    (project / "fleet.toml").write_text('[[tokens]]\nenv = "ACME_TOKEN"\n[[tokens]]\nfile = "x"\n')
    chosen = SCHEDULERS[kind](there.system, asked(there, fleet=project / "fleet.toml"))
    assert chosen.install() is True
    assert chosen.install() is False
    (place,) = chosen.texts()
    text = Path(place).read_text(encoding="utf-8")
    assert "tokens --strict --fleet fleet.toml" in text
    assert "ACME_TOKEN" in text
    assert chosen.status().installed
    assert chosen.remove() is True
    assert not Path(place).exists()
    Path(place).write_text("mine: 1\n", encoding="utf-8")
    for deed in (chosen.install, chosen.remove):
        with pytest.raises(ReleaseError, match="was not written by this program"):
            deed()


def test_a_fleet_outside_the_repository_is_found_by_no_workflow(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    (tmp_path / "project").mkdir()
    (tmp_path / "fleet.toml").write_text('[[tokens]]\nenv = "ACME_TOKEN"\n')
    with pytest.raises(UsageError, match="not in the repository"):
        SCHEDULERS["github"](there.system, asked(there, fleet=tmp_path / "fleet.toml")).texts()

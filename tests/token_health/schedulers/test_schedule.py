"""A schedule is installed once, says how it stands, and leaves nothing behind, by each scheduler alike."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from release.core.errors import ReleaseError, UsageError
from release.token_health.schedulers import job as schedule
from release.token_health.schedulers import schedule as scheduling
from release.token_health.schedulers import tools
from release.token_health.schedulers.job import Asked, Kind
from tests import fake_tokens
from tests.token_health.schedulers.fake_programs import FAILING, Machine, machine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake programs are shell scripts")

PROGRAMS: dict[Kind, str] = {
    "systemd": "systemctl", "cron": "crontab", "launchd": "launchctl", "windows": "schtasks",
}  # fmt: skip
EACH = pytest.mark.parametrize("kind", PROGRAMS)


@pytest.fixture(autouse=True)
def _nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs go to the test's own directory, and no session bus of this machine is found."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(tools, "session_bus", lambda _env, _user: None)


def files(there: Machine) -> list[Path]:
    base = there.system.home.parent
    return sorted(path for name in ("home", "state") for path in (base / name).rglob("*") if path.is_file())


def asked(there: Machine, every: str = "30 7 * * *", **changed: Any) -> Asked:
    return Asked(directory=there.system.home.parent / "project", every=every, **changed)


@EACH
def test_it_is_installed_once_changed_when_asked_and_removed_without_a_trace(tmp_path: Path, kind: Kind) -> None:
    there = machine(tmp_path, PROGRAMS[kind])
    chosen = scheduling.of(there.system, asked(there), kind)
    assert chosen.status().installed is False
    assert chosen.remove() is False
    before = files(there)

    assert chosen.install() is True
    first = there.kept, [path.read_bytes() for path in files(there)]
    assert chosen.install() is False, "a second time changes nothing"
    assert (there.kept, [path.read_bytes() for path in files(there)]) == first
    assert chosen.status().installed is True

    weekly = scheduling.of(there.system, asked(there, "30 7 * * 1"), kind)
    assert weekly.install() is True, "other times, the same job"
    assert (there.kept, [path.read_bytes() for path in files(there)]) != first

    assert weekly.remove() is True
    assert (there.kept, files(there)) == (None, before)
    assert weekly.status().installed is False


@EACH
def test_what_is_printed_is_what_is_installed(tmp_path: Path, kind: Kind) -> None:
    there = machine(tmp_path, PROGRAMS[kind])
    chosen = scheduling.of(there.system, asked(there), kind)
    texts = chosen.texts()
    assert there.words() == []
    assert files(there) == []
    chosen.install()
    kept = (there.kept or b"").decode("utf-16" if kind == "windows" else "utf-8").replace("\r\n", "\n")
    for place, text in texts.items():
        assert text == (Path(place).read_text() if kind == "systemd" else kept)


@EACH
def test_the_last_and_the_next_run_are_told(tmp_path: Path, kind: Kind) -> None:
    there = machine(tmp_path, PROGRAMS[kind], TZ="UTC")
    chosen = scheduling.of(there.system, asked(there), kind)
    chosen.install()
    log = Path(chosen.job.log)  # type: ignore[attr-defined] # a scheduler of a machine has one
    if kind != "systemd":
        assert chosen.status().last is None
        log.write_text("2 looked at\nexit status 5\n")
    found = scheduling.of(there.system, asked(there, "day"), kind).status()
    assert found.last is not None
    assert found.result in {"exit status 5", "exit status 5, success", "exit status 0"}
    assert found.next is not None
    assert "07:30" in found.next or kind in {"cron", "launchd"}  # in local time
    lines = scheduling.status_lines(kind, "x", found)
    assert [line.split(":")[0].strip() for line in lines] == ["x", "last run", "next run"]


@EACH
def test_no_secret_of_the_environment_goes_with_a_job(tmp_path: Path, kind: Kind) -> None:
    token = fake_tokens.token()
    secrets = {
        "TWINE_PASSWORD": token, "HTTPS_PROXY": "http://ada:hunter2@proxy.example:3128", "NO_PROXY": token,
        "KEYRING_CRYPTFILE_PASSWORD": "hunter2",
    }  # fmt: skip
    there = machine(tmp_path, PROGRAMS[kind], SSL_CERT_FILE="/etc/ca.pem", **secrets)
    chosen = scheduling.of(there.system, asked(there), kind)
    chosen.install()
    for text in (
        *chosen.texts().values(),
        *there.words(),
        *scheduling.explanation(there.system, asked(there), kind, chosen),
    ):
        assert token not in text
        assert "hunter2" not in text
    if kind != "windows":
        assert "/etc/ca.pem" in "".join(chosen.texts().values())
        assert chosen.notes[0].startswith("$HTTPS_PROXY holds a secret")


@EACH
def test_three_lines_say_what_happens_where_it_goes_and_how_the_keyring_is_reached(tmp_path: Path, kind: Kind) -> None:
    there = machine(tmp_path, PROGRAMS[kind])
    chosen = scheduling.of(there.system, asked(there), kind)
    lines = scheduling.explanation(there.system, asked(there), kind, chosen)
    assert [line.split()[0] for line in lines] == ["By", "Output:", "Keyring:"]


def test_tokens_in_variables_are_named_since_no_job_has_them(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    fleet = tmp_path / "fleet.toml"
    fleet.write_text('[[tokens]]\nproject = "acme"\nenv = "ACME_TOKEN"\n')
    what = asked(there, fleet=fleet)
    lines = scheduling.explanation(there.system, what, "cron", scheduling.of(there.system, what, "cron"))
    assert lines[-1].startswith("Note: $ACME_TOKEN: no scheduler has it")


def test_a_fleet_that_says_whom_to_tell_is_told_of_and_metrics_are_written(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    fleet = tmp_path / "fleet.toml"
    fleet.write_text('[notify]\nping = { file = "ping" }\n[[tokens]]\nproject = "acme"\nfile = "x"\n')
    what = asked(there, fleet=fleet, metrics=tmp_path / "tokens.prom")
    job = schedule.prepare(there.system, what, "cron").job
    assert job.argv[-3:] == ("--metrics", str(tmp_path / "tokens.prom"), "--notify")


def test_a_job_is_removed_even_where_its_fleet_is_gone(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    fleet = tmp_path / "fleet.toml"
    fleet.write_text('[[tokens]]\nproject = "acme"\nfile = "x"\n')
    assert scheduling.of(there.system, asked(there, fleet=fleet), "cron").install()
    fleet.unlink()
    assert scheduling.of(there.system, asked(there, fleet=fleet), "cron").remove()


def test_a_bus_that_is_there_goes_with_the_line_of_cron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "session_bus", lambda _env, _user: Path("/run/user/1000/bus"))
    there = machine(tmp_path, "crontab")
    (text,) = scheduling.of(there.system, asked(there), "cron").texts().values()
    assert "XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus" in text


def test_a_path_that_is_too_long_for_cron_is_left_at_home_and_said(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    long = replace(there.system, env={**there.system.env, "PATH": ":".join(f"/opt/{n}" for n in range(200))})
    chosen = scheduling.of(long, asked(there), "cron")
    assert "PATH=" not in "".join(chosen.texts().values())
    assert any("$PATH is too long" in note for note in chosen.notes)


def test_nothing_is_written_where_the_users_systemd_is_not_there(tmp_path: Path) -> None:
    there = machine(tmp_path, "systemctl", script=FAILING, SAYS="Failed to connect to bus: No medium found")
    with pytest.raises(ReleaseError, match="can't be reached"):
        scheduling.of(there.system, asked(there), "systemd").install()
    assert files(there) == []


def test_each_thing_to_look_at_has_a_job_of_its_own(tmp_path: Path) -> None:
    one, other = Asked(directory=tmp_path / "My Project!"), Asked(directory=tmp_path, fleet=tmp_path / "all.toml")
    assert schedule.name(one).startswith("pypi-preflight-my-project-")
    assert schedule.name(other).startswith("pypi-preflight-all-")
    assert schedule.name(one) == schedule.name(replace(one, every="week"))
    assert schedule.name(other) == schedule.name(replace(other, directory=tmp_path / "elsewhere"))
    assert len({schedule.name(one), schedule.name(other), schedule.name(replace(one, config=tmp_path / "c"))}) == 3


@pytest.mark.parametrize(("platform", "kind"), [("darwin", "launchd"), ("win32", "windows"), ("freebsd14", "cron")])
def test_the_kind_is_the_platforms_own(tmp_path: Path, platform: str, kind: Kind) -> None:
    assert schedule.kind_here(machine(tmp_path, "crontab").system, platform) == kind


def test_times_that_never_come_are_refused(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    with pytest.raises(UsageError, match="never comes"):
        scheduling.of(there.system, asked(there, "0 0 30 2 *"), "cron")


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_workflow_is_written_to_the_repository_and_others_files_are_left_alone(tmp_path: Path, kind: Kind) -> None:
    there = machine(tmp_path, "crontab")
    project = tmp_path / "project"
    project.mkdir()
    (project / "fleet.toml").write_text('[[tokens]]\nenv = "ACME_TOKEN"\n[[tokens]]\nfile = "x"\n')
    chosen = scheduling.of(there.system, asked(there, fleet=project / "fleet.toml"), kind)
    assert chosen.install() is True
    assert chosen.install() is False
    (place,) = chosen.texts()
    text = Path(place).read_text()
    assert "tokens --strict --fleet fleet.toml" in text
    assert "ACME_TOKEN" in text
    assert chosen.status().installed
    assert chosen.remove() is True
    assert not Path(place).exists()
    Path(place).write_text("mine: 1\n")
    for deed in (chosen.install, chosen.remove):
        with pytest.raises(ReleaseError, match="was not written by this program"):
            deed()


def test_a_fleet_outside_the_repository_is_found_by_no_workflow(tmp_path: Path) -> None:
    there = machine(tmp_path, "crontab")
    (tmp_path / "project").mkdir()
    (tmp_path / "fleet.toml").write_text('[[tokens]]\nenv = "ACME_TOKEN"\n')
    with pytest.raises(UsageError, match="not in the repository"):
        scheduling.of(there.system, asked(there, fleet=tmp_path / "fleet.toml"), "github").texts()

"""Fake scheduler programs: each stores its input in a file, and its arguments in a log."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from release.adapters.system import system
from release.adapters.system.system import System

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

PROGRAMS = {
    "crontab": """
case "$1" in
  -l) test -f "$STORE" || { echo "no crontab for ada" >&2; exit 1; }; cat "$STORE" ;;
  -r) rm "$STORE" ;;
  -) cat > "$STORE" ;;
esac
""",
    "systemctl": """
case "$*" in
  *LastTrigger*)
    echo "LastTriggerUSec=Tue 2026-11-24 07:31:00 UTC"
    echo "NextElapseUSecRealtime=Wed 2026-11-25 07:30:00 UTC" ;;
  *ExecMain*) echo "Result=success"; echo "ExecMainStatus=5" ;;
esac
""",
    "launchctl": """
case "$1" in
  print) test -f "$STORE" || { echo "Could not find service" >&2; exit 113; }; echo "	last exit code = 0" ;;
  bootstrap) test ! -f "$STORE" || { echo "Bootstrap failed: 5: Input/output error" >&2; exit 5; }
    cat "$3" > "$STORE" ;;
  bootout) rm "$STORE" ;;
esac
""",
    "schtasks": """
case "$1" in
  /Create) cat "$5" > "$STORE" ;;
  /Delete) rm "$STORE" ;;
  /Query) test -f "$STORE" || { echo "ERROR: The system cannot find the file specified." >&2; exit 1; }
    echo '"HOST","\\x","25.11.2026 07:30:00","Ready","Interactive only","24.11.2026 07:30:00","5","ada"' ;;
esac
""",
}
#: what a program says that can't do its work, and how it ends
FAILING = 'echo "$SAYS" >&2; exit 1'


class Machine(Struct, frozen=True, kw_only=True):
    """A machine with one scheduler, and a home directory."""

    system: System
    store: Path
    calls: Path

    @property
    def kept(self) -> bytes | None:
        return self.store.read_bytes() if self.store.exists() else None

    def words(self) -> list[str]:
        """The arguments of each call since the last time, one line per call."""
        found = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.write_text("")
        return found


def machine(tmp_path: Path, program: str, *, script: str | None = None, **env: str) -> Machine:
    """A machine on which `program` is the fake one, or `script`."""
    there = Machine(system=system.real_system(), store=tmp_path / "store", calls=tmp_path / "calls")
    path = tmp_path / "bin" / program
    path.parent.mkdir()
    text = PROGRAMS[program] if script is None else script
    path.write_text(f'#!/bin/sh\necho "$*" >> "{there.calls}"\nSTORE="{there.store}"\n{text}\n')
    path.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    variables = {"PATH": f"{path.parent}:/usr/bin:/bin", "HOME": str(home)} | env
    return replace(there, system=replace(there.system, env=variables, home=home, now=lambda: NOON))

"""A schedule as its user has it: printed, installed, run by a real cron, removed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stories.project import Told, UserProject, indexes, make, release_table

#: in a mount namespace, cron has a spool of its own, and the machine's jobs are not its business
OWN_SPOOL = r"""
mount -t tmpfs none /var/spool/cron/crontabs
chgrp crontab /var/spool/cron/crontabs && chmod 1730 /var/spool/cron/crontabs
mount -t tmpfs none /etc/cron.d
mount -t tmpfs none /run
mount --bind "$EMPTY" /etc/crontab
"""
#: where nothing can be mounted: on a machine of a CI service, that has no crontab and no cron running, the one there is
ONLY_SPOOL = r"""
if crontab -l 2>/dev/null; then echo "root has a crontab"; exit 1; fi
trap 'crontab -r 2>/dev/null || true' EXIT
rm -f /run/crond.reboot
"""
STORY = r"""
printf 'HOME=%s\n5 4 1 1 * true\n' "$HOME" | crontab -
crontab -l > before

"$PYTHON" -m release schedule --kind cron --every '30 7 * * 1-5' --install
"$PYTHON" -m release schedule --kind cron --every '30 7 * * 1-5' --install
crontab -l > installed

sed 's/^30 7 \* \* 1-5 /@reboot /' installed > twin
if cmp -s installed twin; then echo "no line to run"; exit 1; fi
crontab twin
cron -f &
for _ in $(seq 300); do
  grep -qs '^exit status' "$XDG_STATE_HOME"/pypi-preflight/log/*.log && break
  sleep 0.1
done
kill %1
cat "$XDG_STATE_HOME"/pypi-preflight/log/*.log > log

crontab installed
"$PYTHON" -m release schedule --kind cron --status
"$PYTHON" -m release schedule --kind cron --remove
crontab -l > after
"$PYTHON" -m release schedule --kind cron --remove
"""


def can_mount() -> bool:
    tried = ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/run"]
    return subprocess.run(tried, check=False, capture_output=True).returncode == 0


def _is_root_on_linux() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


def why_not() -> str | None:
    """Why no cron can be run here."""
    if not _is_root_on_linux():
        return "a cron that is not the machine's needs root, and this one Linux"
    missing = [name for name in ("cron", "crontab", "unshare") if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    return None if can_mount() or os.environ.get("CI") else "nothing can be mounted here, not even in a namespace"


def with_a_cron(project: UserProject) -> Told:
    project.write("empty", "")
    project.env |= {"PYTHON": sys.executable, "EMPTY": str(project.root / "empty")}
    if can_mount():
        return project.command("unshare", "--mount", "bash", "-euc", OWN_SPOOL + STORY, timeout=240)
    return project.command("bash", "-euc", ONLY_SPOOL + STORY, timeout=240)


@pytest.mark.skipif(why_not() is not None, reason=why_not() or "")
def test_a_real_cron_runs_the_line_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    """The line is cron's own in all but the five fields, which are `@reboot` so that nobody waits for Monday."""
    with indexes() as on:
        odd = tmp_path / 'it\'s 100% "of" $HOME'
        odd.mkdir()
        project = make(odd, more=release_table(on))
        project.credentials(on)
        project.env["XDG_STATE_HOME"] = str(tmp_path / "state")
        told = with_a_cron(project)
        asked = {one.method for one in on.pypi.log}
    assert told.status == 0, told.all
    assert "installed: pypi-preflight-project-" in told.out
    assert "unchanged: pypi-preflight-project-" in told.out
    assert "nothing to remove" in told.out

    log = (project.root / "log").read_text()
    assert log.splitlines()[-1] in {"exit status 0", "exit status 5"}, log
    assert "pypi, acme-widget: ~/.pypirc" in log
    assert "POST" in asked, "the index was asked"
    assert "exit status" in told.out
    assert "07:30" in told.out

    before, installed, after = ((project.root / name).read_text() for name in ("before", "installed", "after"))
    assert after == before
    assert installed.startswith(before)
    for secret in (*on.pypi.tokens.values(), *on.testpypi.tokens.values()):
        assert secret.reveal() not in installed + log + told.all

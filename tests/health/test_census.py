"""Every token of every kind of user has its verdict, its exit status and its row; and is asked about once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from release.errors import Exit
from tests.health.world import WORLD, Watch
from tests.sandbox.asking import Index, index

#: token → project → state, cause, exit status
CASES = {
    ("widget", "acme-widget"): ("healthy", "", Exit.DONE),
    ("account", "acme-widget"): ("warning", "the-token-is-for-one-project", Exit.WARNED),
    ("account", None): ("healthy", "", Exit.DONE),
    ("expired", "acme-widget"): ("expired", "cred.expired", Exit.REFUSED),
    ("revoked", "acme-widget"): ("revoked", "cred.revoked", Exit.REFUSED),
    ("erin", "acme-widget"): ("revoked", "cred.revoked", Exit.REFUSED),
    ("forged", "acme-widget"): ("broken", "cred.signature-mismatch", Exit.REFUSED),
    ("elsewhere", "acme-widget"): ("broken", "cred.wrong-index", Exit.REFUSED),
    ("bob", "acme-widget"): ("broken", "account.email-unverified", Exit.REFUSED),
    ("carol", "acme-widget"): ("broken", "account.no-2fa", Exit.REFUSED),
    ("widget", "other-owned"): ("broken", "cred.project-scope-mismatch", Exit.REFUSED),
    ("account", "other-owned"): ("broken", "account.no-role", Exit.REFUSED),
    ("archived", "archived"): ("broken", "project.archived", Exit.REFUSED),
    ("account", "acme-new"): ("healthy", "", Exit.DONE),
}


@pytest.fixture(scope="module")
def running() -> Iterator[Index]:
    with index(WORLD) as made:
        made.upload("acme-widget", "1.0")
        yield made


@pytest.mark.parametrize(("token", "project"), CASES)
def test_every_token_has_its_state_its_exit_status_and_its_row(
    running: Index, tmp_path: Path, token: str, project: str | None
) -> None:
    state, cause, status = CASES[token, project]
    watch = Watch(running=running, directory=tmp_path)
    watch.add(token, project)
    found = watch.look()
    assert (found.rows[0].seen.state, found.rows[0].seen.cause) == (state, cause), found.rows[0].seen.message
    assert found.status(strict=False) is status
    assert found.forgotten is None
    rows = watch.select("SELECT project, place, state, cause, identifier FROM now")
    assert rows == [(project or "", f"${token.upper()}", state, cause, found.rows[0].seen.identifier)]
    assert (found.rows[0].seen.message == "") == (state == "healthy")
    assert (found.rows[0].seen.remedy == "") == (state == "healthy")

"""Every token of every kind of user has its verdict, its exit status and its row; and is asked about once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from release.core.errors import Exit
from release.core.harmless import harmless_json_parts
from release.core.models.token_health import TokenReport
from release.core.tokens import caveats as caveat
from release.core.tokens.token import attenuate
from release.reports.token_health_text import scan_to_json, scan_to_lines
from release.sandbox.faults import CannedResponse, Drop, Fault, RequestFilter
from release.sandbox.seed import SeedData, apply_seed_data
from tests.sandbox.sandbox_client import Clock, SandboxClient, sandbox_client
from tests.token_health.fleet_in_sandbox import SEED_DATA, FleetRun, all_bytes, states

#: token, project → state, cause, exit status
CASES: dict[tuple[str, str | None], tuple[str, str, Exit]] = {
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
def running() -> Iterator[SandboxClient]:
    with sandbox_client(SEED_DATA) as made:
        made.upload("acme-widget", "1.0")
        yield made


@pytest.fixture
def watch(running: SandboxClient, tmp_path: Path) -> Iterator[FleetRun]:
    yield FleetRun(running=running, directory=tmp_path)
    running.sandbox.clear_faults()


@pytest.mark.parametrize(("token", "project"), CASES)
def test_every_token_has_its_state_its_exit_status_and_its_row(
    watch: FleetRun, token: str, project: str | None
) -> None:
    state, cause, status = CASES[token, project]
    watch.add(token, project)
    found = watch.look()
    (row,) = found.rows
    assert (row.seen.state, row.seen.cause) == (state, cause), row.seen.message
    assert found.status(strict=False) is status
    assert found.forgotten is None
    rows = watch.select("SELECT project, place, state, cause, identifier FROM now")
    assert rows == [(project or "", f"${token.upper()}", state, cause, row.seen.identifier)]
    assert (row.seen.message == "") == (row.seen.remedy == "") == (state == "healthy")


def test_one_run_tells_all_of_them_apart_and_none_stops_another(watch: FleetRun) -> None:
    for token, project in CASES:
        if project == "acme-widget":
            watch.add(token, project)
    found = watch.look()
    expected = {f"${token.upper()}": CASES[token, project][0] for token, project in CASES if project == "acme-widget"}
    assert states(found) == expected
    assert found.status(strict=False) is Exit.REFUSED


@pytest.mark.parametrize(
    ("words", "strict", "status"),
    [
        (["healthy"], False, 0), (["warning", "healthy"], False, 5), (["warning"], True, 1), (["unknown"], True, 6),
        (["unknown", "warning"], False, 6), (["broken", "unknown"], False, 1), ([], False, 6),
    ],
)  # fmt: skip
def test_the_exit_status_is_that_of_the_gravest(words: list[str], strict: bool, status: int) -> None:
    from msgspec.structs import replace

    from release.core.models.token_health import HealthReport
    from tests.token_health.test_health_history import HEALTHY

    rows = tuple(
        TokenReport(seen=replace(HEALTHY, word=word), outcomes=(), age=None, left=None)  # one of the words
        for word in words
    )
    assert HealthReport(rows=rows).status(strict=strict) == status


def test_the_same_token_is_asked_about_once_however_many_places_hold_it(watch: FleetRun) -> None:
    secret = watch.running.sandbox.tokens["widget"].reveal()
    for name in ("widget", "second", "third"):
        watch.add(name, secret=secret)
    before = len(watch.running.sandbox.log)
    found = watch.look()
    asked = Counter((one.method, one.path) for one in watch.running.sandbox.log[before:])
    assert asked == {("GET", "/simple/acme-widget/"): 1, ("GET", "/pypi/acme-widget/json"): 1, ("POST", "/legacy/"): 2}
    assert set(states(found).values()) == {"warning"}
    assert {row.seen.cause for row in found.rows} == {"the-token-lies-in-one-place"}


@pytest.mark.parametrize(("how", "posts", "gets"), [("permission", 2, 2), ("identity", 1, 2), ("off", 0, 2)])
def test_the_index_is_asked_as_far_as_it_may_be(watch: FleetRun, how: Any, posts: int, gets: int) -> None:
    watch.add("widget")
    before = len(watch.running.sandbox.log)
    found = watch.look(probe=how)
    assert set(states(found).values()) == {"healthy"}
    assert [row.confirmed for row in found.rows] == [how == "permission"]
    asked = Counter(one.method for one in watch.running.sandbox.log[before:])
    assert (asked["POST"], asked["GET"]) == (posts, gets)


def test_the_results_of_tokens_that_are_alike_are_held_once(watch: FleetRun) -> None:
    """Of thousands of tokens, most pass the same checks."""
    for name in ("widget", "bob"):
        watch.add(name)
    one, other = watch.look(offline=True).rows
    assert len(one.seen.checks) > 1
    assert one.seen.checks is other.seen.checks


def test_offline_asks_nobody(watch: FleetRun) -> None:
    watch.add("revoked")
    before = len(watch.running.sandbox.log)
    found = watch.look(offline=True)
    assert set(states(found).values()) == {"healthy"}
    text = [line.text for line in scan_to_lines(found)]
    assert text[0].endswith("$REVOKED (not confirmed by the index)")
    assert "1 checked: 1 healthy (no problem found offline, not confirmed by the index)" in text
    assert [row["confirmed"] for row in scan_to_json(found, strict=False)["tokens"]] == [False]
    assert len(watch.running.sandbox.log) == before


def test_a_warning_can_be_accepted_with_a_reason(watch: FleetRun) -> None:
    watch.add("account")
    watch.table = {"waive": {"the-token-is-for-one-project": "there will be more of them"}}
    assert watch.look().status(strict=True) is Exit.DONE


def test_a_token_that_expires_soon_can_be_accepted_with_a_reason(watch: FleetRun) -> None:
    soon = caveat.expiration(watch.now() + timedelta(days=3), watch.now() - timedelta(days=1))
    secret = attenuate(watch.running.sandbox.tokens["widget"], soon).reveal()
    watch.add("widget", secret=secret)
    found = watch.look(offline=True)
    assert [(row.seen.state, row.seen.cause) for row in found.rows] == [("expiring", "cred.expires-soon")]
    assert sum("expires in" in line.text for line in scan_to_lines(found)) == 1
    watch.table = {"warn-before": "2d"}
    assert set(states(watch.look(offline=True)).values()) == {"healthy"}
    watch.table = {"waive": {"the-token-lasts": "it is for this release alone"}}
    assert watch.look(offline=True).status(strict=True) is Exit.DONE


GONE = [
    pytest.param(Drop(at="before-body", how="reset"), id="reset"),
    pytest.param(Drop(at="in-reply", how="close"), id="cut off"),
    pytest.param(Drop(at="after-work", how="garbage"), id="garbage"),
    pytest.param(CannedResponse(status=503), id="503"),
    pytest.param(CannedResponse(status=429), id="429"),
    pytest.param(
        CannedResponse(status=403, reason="Too many unsuccessful login attempts. Try again later."), id="login limit"
    ),
]


@pytest.mark.parametrize("fault", GONE)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_network_that_fails_in_the_middle_is_could_not_tell_and_never_broken(
    watch: FleetRun, fault: Any, method: str
) -> None:
    """The first token is told; for the rest nobody can say; and what is broken on sight stays so."""
    watch.table = {"concurrency": 1}
    for name in ("widget", "bob", "dave"):
        watch.add(name, "acme-widget" if name != "dave" else "other-owned")
    watch.add("cut", secret=watch.env["WIDGET"][:60])
    watch.look()
    first = 3 if method == "POST" else 2
    watch.running.sandbox.inject(Fault(what=fault, when=RequestFilter(method=method, nth=(first, None))))
    found = states(watch.look())
    assert found["$WIDGET"] in {"healthy", "unknown"}
    assert (found["$DAVE"], found["$CUT"]) == ("unknown", "broken")
    assert found["$BOB"] == ("unknown" if method == "POST" else "broken"), "its project was listed before"


def test_without_any_network_all_are_unknown_soon(tmp_path: Path) -> None:
    with sandbox_client(SEED_DATA) as running:
        watch = FleetRun(running=running, directory=tmp_path)
        for name in ("widget", "bob", "carol"):
            watch.add(name)
    found = watch.look()  # the index is gone
    assert set(states(found).values()) == {"unknown"}
    assert found.status(strict=True) is Exit.UNKNOWN


def test_ctrl_c_ends_it_with_what_is_known(watch: FleetRun) -> None:
    watch.table = {"concurrency": 1}
    for name in ("bob", "widget", "dave"):
        watch.add(name)

    def interrupt(_row: TokenReport, total: int) -> None:
        assert total == 3
        raise KeyboardInterrupt

    found = watch.look(on_report=interrupt)
    assert found.interrupted
    assert states(found) == {"$BOB": "broken", "$WIDGET": "unknown", "$DAVE": "unknown"}
    assert found.status(strict=False) is Exit.REFUSED
    assert watch.select("SELECT place, state FROM now") == [("$BOB", "broken")]


def test_one_that_hangs_is_left_behind(watch: FleetRun) -> None:
    watch.table = {"concurrency": 1, "patience": "2s"}
    hang = Fault(what=Drop(at="after-work", how="hang"), when=RequestFilter(path="/simple/other-owned/"))
    watch.running.sandbox.inject(hang)
    watch.add("dave", "other-owned")
    watch.add("widget")
    found = watch.look()
    assert states(found) == {"$DAVE": "unknown", "$WIDGET": "healthy"}


def test_the_time_of_a_run_is_limited(watch: FleetRun) -> None:
    watch.table = {"concurrency": 1, "deadline": "1s"}
    watch.running.sandbox.inject(Fault(what=Drop(at="after-work", how="hang"), when=RequestFilter(method="GET")))
    for name in ("widget", "bob"):
        watch.add(name)
    found = watch.look()
    assert set(states(found).values()) == {"unknown"}
    assert "deadline" in found.rows[0].seen.message


def test_a_token_that_expires_does_so_by_the_clock_of_the_index(tmp_path: Path) -> None:
    """This machine believes that a year has passed: the token is in order all the same, and the clock is told."""
    end = datetime.now(UTC) + timedelta(days=100)
    world = SEED_DATA | {
        "tokens": [{"name": "lasting", "user": "alice", "scope": ["acme-widget"], "expires": int(end.timestamp())}]
    }
    with sandbox_client(world) as running:
        watch = FleetRun(running=running, directory=tmp_path, now=lambda: datetime.now(UTC) + timedelta(days=365))
        watch.add("lasting")
        found = watch.look()
    assert states(found) == {"$LASTING": "healthy"}
    (note,) = found.notes
    assert note.startswith("this machine's clock is 315")


def test_healthy_then_expiring_then_expired(tmp_path: Path) -> None:
    clock = Clock(now=datetime(2026, 11, 1, tzinfo=UTC))
    end = clock() + timedelta(days=30)
    world = SEED_DATA | {
        "tokens": [{"name": "lasting", "user": "alice", "scope": ["acme-widget"], "expires": int(end.timestamp())}]
    }
    with sandbox_client(world, clock=clock) as running:
        watch = FleetRun(running=running, directory=tmp_path, now=clock)
        watch.add("lasting")
        seen = []
        for _ in range(5):
            seen.append((states(watch.look())["$LASTING"], watch.look().rows[0].left))
            clock.advance(days=8)
    assert seen == [
        ("healthy", timedelta(days=30)),
        ("healthy", timedelta(days=22)),
        ("expiring", timedelta(days=14)),
        ("expiring", timedelta(days=6)),
        ("expired", timedelta(days=-2)),
    ]
    assert watch.select("SELECT before, after FROM changes") == [
        ("expiring", "expired"), ("healthy", "expiring"), (None, "healthy"),
    ]  # fmt: skip


def test_healthy_then_revoked_then_rotated(tmp_path: Path) -> None:
    """A token that was revoked is replaced, which is no surprise; that one in order is another one is told, once."""
    clock = Clock(now=datetime(2026, 11, 1, tzinfo=UTC))
    tokens = [{"name": name, "user": "alice", "scope": ["acme-widget"]} for name in ("old", "new", "newer")]
    seen = []
    with sandbox_client(SEED_DATA | {"tokens": tokens}, clock=clock) as running:
        watch = FleetRun(running=running, directory=tmp_path, now=clock)
        watch.add("old")
        for revoked, held in ((False, "old"), (True, "old"), (True, "new"), (True, "newer"), (True, "newer")):
            world = SEED_DATA | {"tokens": [one | {"revoked": revoked and one["name"] == "old"} for one in tokens]}
            with running.sandbox._store.writing() as db:
                apply_seed_data(db, SeedData.parse(json.dumps(world)), "127.0.0.1")
            watch.env["OLD"] = running.sandbox.tokens[held].reveal()
            (row,) = watch.look().rows
            seen.append((row.seen.state, row.seen.cause))
            clock.advance(days=1)
    assert seen == [
        ("healthy", ""),
        ("revoked", "cred.revoked"),
        ("healthy", ""),
        ("warning", "the-secret-is-the-one-seen-before"),
        ("healthy", ""),
    ]
    assert watch.select("SELECT before, after FROM changes") == [
        ("warning", "healthy"), ("healthy", "warning"), ("revoked", "healthy"), ("healthy", "revoked"),
        (None, "healthy"),
    ]  # fmt: skip


def test_no_secret_is_in_any_byte_that_is_kept_or_told(watch: FleetRun, capsys: pytest.CaptureFixture[str]) -> None:
    from release.reports import token_health_text

    for token, _ in CASES:
        if token.upper() not in watch.env:
            watch.add(token)
    found = watch.look()
    text = "".join(line.text for line in token_health_text.scan_to_lines(found)) + "".join(
        harmless_json_parts(token_health_text.scan_to_json(found, strict=True))
    )
    kept = all_bytes(watch.directory, text, *capsys.readouterr())
    for secret in watch.env.values():
        body = secret.removeprefix("pypi-").encode()
        assert body not in kept
        assert body[-40:] not in kept
        assert body[60:100] not in kept

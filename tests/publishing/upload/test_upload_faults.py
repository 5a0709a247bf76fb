"""Whatever goes wrong with a file, each is there once with its bytes, or the release stops with a true account.

Every fault strikes the first, the middle and the last file of a release of one and of many, each run being the
whole way of a publish from its upload to its exit status, with a clock that moves only when somebody waits.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from release.adapters.system import system
from release.adapters.twine.twine_process import UploadLimits
from release.core.config import Config
from release.core.errors import Exit
from release.core.facts import Source
from release.core.models.distribution import Distribution, Receipt, Rejection, UnclearResponse
from release.core.models.results import RunResult
from release.core.plan import Plan, Upload
from release.publishing import runner
from release.publishing.run_resources import RunResources
from release.publishing.upload.uploader import MANY, Timing
from release.sandbox import server
from release.sandbox.faults import CannedResponse, DiskFull, Drop, Fault, RequestFilter, Slow, Stale
from release.sandbox.faults import Effect as Trouble
from release.sandbox.request_context import LoggedRequest
from release.sandbox.seed import seed_for_project
from release.sandbox.server import Sandbox
from tests.adapters.loopback_server import closed_port
from tests.repeated_commands import repeated
from tests.uploads import PROJECT, Clock, Pool, closing, credential, release, there

#: for a server that answers, be the machine ever so busy; and for one that keeps silent
LIMITS, SHORT = UploadLimits(), UploadLimits(connect=30, read=2, total=60)
HTML = (("Content-Type", "text/html"),)
PORTAL = "<html><form>Sign in</form></html>"
COMMAND = "pypi-preflight publish"
#: files of the larger release: more than are shown one by one, or are read at a time
LARGE = MANY + 1


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with closing(Pool(LIMITS)) as made:
        yield made


@pytest.fixture(scope="module")
def hasty() -> Iterator[Pool]:
    with closing(Pool(SHORT)) as made:
        yield made


#: by the number of their files
Releases = dict[int, list[Distribution]]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    base = tmp_path_factory.mktemp("releases")
    return {count: release(base / str(count), count) for count in (1, LARGE)}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing that goes wrong with one file."""

    #: what strikes the requests that send the file
    posts: tuple[Trouble, ...]
    #: how many of them
    times: int | None = 1
    #: what strikes the questions that follow, and how many of them
    questions: tuple[Trouble, ...] = ()
    of_questions: int = 1
    #: how often the file is sent in all
    sends: int
    #: how often the index is asked what it has
    asks: int
    #: seconds of each wait; a pause that is drawn is half of its longest
    waits: tuple[float, ...] = ()
    #: how it ends: "there", "refused", or not known
    end: str = "there"
    #: whether something may have come through, at the end
    doubtful: bool = False

    @property
    def busy(self) -> bool:
        """Whether the server asks everybody to wait, so that no other file is sent meanwhile."""
        return any(isinstance(one, CannedResponse) and one.status in {429, 503} for one in self.posts)

    @property
    def alone(self) -> bool:
        """Whether a run can have one such file only: it ends there, or has the next wait with it several times."""
        return self.end != "there" or (self.busy and len(self.waits) > 1)


def lost(at: str, how: str = "reset") -> tuple[Trouble, ...]:
    return (Drop(at=at, how=how),)  # type: ignore[arg-type] # two of the words that it knows


RETRIED: dict[str, Any] = {"sends": 2, "asks": 1, "waits": (0.5,)}
FOUND: dict[str, Any] = {"sends": 1, "asks": 1, "waits": (0.5,)}
CASES: dict[str, Case] = {
    "500": Case(posts=(CannedResponse(status=500),), **RETRIED),
    "502": Case(posts=(CannedResponse(status=502, body=PORTAL, headers=HTML),), **RETRIED),
    "503": Case(posts=(CannedResponse(status=503),), **RETRIED),
    "503 three times": Case(posts=(CannedResponse(status=503),), times=3, sends=4, asks=3, waits=(0.5, 1.0, 2.0)),
    "503 for seconds": Case(posts=(CannedResponse(status=503, retry_after=20),), sends=2, asks=1, waits=(20.0,)),
    "503 until a date": Case(posts=(CannedResponse(status=503, retry_date=30),), sends=2, asks=1, waits=(30.0,)),
    "429": Case(posts=(CannedResponse(status=429),), **RETRIED),
    "429 for seconds": Case(posts=(CannedResponse(status=429, retry_after=7),), sends=2, asks=1, waits=(7.0,)),
    "429 until a date": Case(posts=(CannedResponse(status=429, retry_date=15),), sends=2, asks=1, waits=(15.0,)),
    "429 until a date that is past": Case(posts=(CannedResponse(status=429, retry_date=-9),), sends=2, asks=1),
    "429 for a day": Case(posts=(CannedResponse(status=429, retry_after=86400),), sends=2, asks=1, waits=(300.0,)),
    "429 in no words": Case(posts=(CannedResponse(status=429, retry_after="soon"),), **RETRIED),
    "408": Case(posts=(CannedResponse(status=408),), **RETRIED),
    "202": Case(posts=(CannedResponse(status=202),), **RETRIED),
    "999": Case(posts=(CannedResponse(status=999),), **RETRIED),
    "200 from a captive portal": Case(posts=(CannedResponse(status=200, body=PORTAL, headers=HTML),), **RETRIED),
    "200 with garbage": Case(posts=(CannedResponse(status=200, body="\0\1"),), **RETRIED),
    "507": Case(posts=(DiskFull(),), **RETRIED),
    "reset before the body": Case(posts=lost("before-body"), **RETRIED),
    "reset in the body": Case(posts=lost("in-body"), **RETRIED),
    "reset after the body": Case(posts=lost("after-body"), **RETRIED),
    "closed after the body": Case(posts=lost("after-body", "close"), **RETRIED),
    "no HTTP": Case(posts=lost("after-body", "garbage"), **RETRIED),
    "silence": Case(posts=lost("after-body", "hang"), **RETRIED),
    "accepted, reply reset": Case(posts=lost("after-work"), **FOUND),
    "accepted, reply garbage": Case(posts=lost("after-work", "garbage"), **FOUND),
    "accepted, silence": Case(posts=lost("after-work", "hang"), **FOUND),
    "accepted, half a reply": Case(posts=lost("in-reply"), **FOUND),
    "accepted, a reply that never ends": Case(posts=lost("in-reply", "hang"), **FOUND),
    "accepted, 502": Case(posts=(CannedResponse(status=502, stored=True),), **FOUND),
    "accepted, 200 in HTML": Case(posts=(CannedResponse(status=200, stored=True, body=PORTAL, headers=HTML),), **FOUND),
    "accepted, listed late": Case(
        posts=(Stale(seconds=60), *lost("after-work")), questions=(Stale(seconds=60),), **RETRIED
    ),
    "lost, index silent twice": Case(
        posts=lost("after-work"), questions=(CannedResponse(status=503),), of_questions=2, sends=1, asks=3,
        waits=(0.5, 0.5, 1.0),
    ),
    "lost, index behind a portal": Case(
        posts=lost("after-body"), questions=(CannedResponse(status=200, body=PORTAL, headers=HTML),), sends=2, asks=2,
        waits=(0.5, 0.5),
    ),
    "403": Case(posts=(CannedResponse(status=403, reason="Invalid token"),), sends=1, asks=0, end="refused"),
    "400": Case(posts=(CannedResponse(status=400, reason="Bad name"),), sends=1, asks=0, end="refused"),
    "redirect": Case(
        posts=(CannedResponse(status=302, headers=(("Location", "http://elsewhere.invalid/"),)),), sends=1, asks=0,
        end="refused",
    ),
    "a slow server": Case(posts=(Slow(connection=2, answer=2, work=2),), sends=1, asks=0),
    "a narrow line": Case(posts=(Slow(up=2000, down=50),), sends=1, asks=0),
    "503 for ever": Case(
        posts=(CannedResponse(status=503),), times=None, sends=5, asks=5, waits=(0.5, 1.0, 2.0, 4.0, 8.0),
        end="unclear",
    ),
    "lost for ever": Case(
        posts=lost("after-body"), times=None, sends=5, asks=5, waits=(0.5, 1.0, 2.0, 4.0, 8.0), end="unclear",
        doubtful=True,
    ),
}  # fmt: skip


#: by name: how many files the release has, and which of them the fault strikes: in one run all three, where it
#: passes, and where what it does to one file can be told from what it does to the next
PLACES = ("first", "middle", "last")
RUNS = [
    pytest.param(name, count, places, id=f"{name}, {places[-1] if len(places) == 1 else 'each'} of {count}")
    for name, case in CASES.items()
    for count, places in (
        (1, ("first",)),
        *([(LARGE, (one,)) for one in PLACES] if case.alone else [(LARGE, PLACES)]),
    )
]


@dataclass(kw_only=True)
class Run:
    """A publish that met a fault."""

    case: Case
    files: list[Distribution]
    victims: list[Distribution]
    account: RunResult
    slept: list[float]
    #: seconds that the server was slow by; its own affair
    napped: list[float]
    #: requests from the first that sends a file on
    log: list[LoggedRequest]
    #: file name → sha256, as the index has them
    listed: dict[str, str | None]

    @property
    def rounds(self) -> int:
        """How often the fault was met at a time of its own, by the questions asked.

        The clock stands while anything can be done: what strikes the middle file and the last one is waited
        for together, unless it has all others wait too; then it may be, if both are under way at once.
        """
        asked, asks = sum(one.method == "GET" for one in self.log), self.case.asks
        if asks == 0:
            assert asked == 0
            return len(self.victims)
        rounds = asked // asks
        assert asked == rounds * asks
        assert rounds in ({1} if len(self.victims) == 1 else {2, 3} if self.case.busy else {2})
        return rounds


def carry_out(  # noqa: PLR0917 - a case, and where it is played
    case: Case, files: list[Distribution], places: Sequence[str], directory: Path, pool: Pool, away: str = ""
) -> Run:
    """Publish the files to an index that the case happens to; `away`: where else they are sent to."""
    clock, victims, napped = Clock(), [at(files, place) for place in places], list[float]()
    with server.start_sandbox(seed_for_project(PROJECT.name), clock=clock.now, sleep=napped.append) as sandbox:
        before: list[LoggedRequest] = []
        here = replace(sandbox.index("pypi"), ephemeral=False)
        index = replace(here, upload_url=away.format(port=urlsplit(here.upload_url).port)) if away else here

        def confirm(_: Plan, __: str | None) -> bool:
            before.extend(sandbox.log)
            strike(sandbox, victims, case)
            return True

        plan = Plan(
            verb="publish", project=PROJECT.name, version="1.0", commit=None, strict=True,
            steps=(Upload(index="pypi"),),
        )  # fmt: skip
        options = runner.RunOptions(
            config=Config(indexes={"pypi": index}),
            source=Source(config=Config(), project=PROJECT, git=None, tag=None, changelog=None),
            directory=directory, system=replace(system.real_system(), now=clock.now, sleep=clock.sleep),
            notify=lambda _: None, approve=confirm, command=repeated(COMMAND), files=tuple(files),
            open_resources=partial(
                RunResources, credentials={"pypi": credential(sandbox.tokens["account"])}, start=pool.start,
                timing=Timing(clock=clock.seconds, sleep=clock.sleep, chance=lambda: 0.5),
            ),
        )  # fmt: skip
        account = runner.execute_plan(plan, options)
        log = sandbox.log[len(before) :]
        return Run(
            case=case, files=files, victims=victims, account=account, slept=clock.slept, napped=napped, log=log,
            listed=there(sandbox),
        )  # fmt: skip


def strike(sandbox: Sandbox, victims: Sequence[Distribution], case: Case) -> None:
    """Put the case's faults in: on the sends of these files, and on the questions that follow."""
    for number, victim in enumerate(victims):
        when = RequestFilter(method="POST", filename=victim.filename, nth=(1, case.times))
        sandbox.inject(*(Fault(what=one, when=when) for one in case.posts))
        if number < 2:  # the middle one and the last are asked about at the same time
            first = 1 + number * case.asks
            questions = RequestFilter(method="GET", path="/simple/*", nth=(first, first + case.of_questions - 1))
            sandbox.inject(*(Fault(what=one, when=questions) for one in case.questions))


def at(files: Sequence[Distribution], place: str) -> Distribution:
    return files[{"first": 0, "middle": len(files) // 2, "last": -1}[place]]


@pytest.mark.parametrize(("name", "count", "places"), RUNS)
def test_whatever_goes_wrong_the_account_is_true(  # noqa: PLR0917 - fixtures and a case
    tmp_path: Path, pool: Pool, hasty: Pool, releases: Releases, name: str, count: int, places: tuple[str, ...]
) -> None:
    case = CASES[name]
    silent = any(isinstance(one, Drop) and one.how == "hang" for one in case.posts)
    run = carry_out(case, releases[count], places, tmp_path, hasty if silent else pool)
    _ended_as_it_should(run)
    _nothing_went_out_in_vain(run)
    assert run.slept == list(case.waits) * run.rounds
    assert any(run.napped) == any(isinstance(one, Slow) for one in case.posts)


#: where no index is, and what is waited before that is believed
AWAY: dict[str, tuple[str, tuple[float, ...]]] = {
    "TLS that fails": ("https://127.0.0.1:{port}/legacy/", ()),
    "nobody there": (f"http://127.0.0.1:{closed_port()}/", (0.5, 1.0, 2.0, 4.0, 8.0)),
}


@pytest.mark.parametrize("count", [1, LARGE])
@pytest.mark.parametrize(("away", "waits"), AWAY.values(), ids=AWAY)
def test_an_index_that_can_not_be_reached_is_as_it_was(  # noqa: PLR0917 - fixtures and a case
    tmp_path: Path, pool: Pool, releases: Releases, away: str, waits: tuple[float, ...], count: int
) -> None:
    """The first file is all that is tried; what no attempt can mend is tried once."""
    case = Case(posts=(), sends=0, asks=len(waits), waits=waits, end="unclear")
    run = carry_out(case, releases[count], ("first",), tmp_path, pool, away)
    _ended_as_it_should(run)
    _nothing_went_out_in_vain(run)
    assert run.slept == list(waits)
    assert [one for one in run.log if one.method == "POST"] == []


def _ended_as_it_should(run: Run) -> None:
    """What the index itself has, what the account says of it, and the exit status."""
    expected = {file.filename: file.sha256 for file in run.files}
    answers = run.account.uploads["pypi"]
    assert run.listed.items() <= expected.items()
    assert {one.filename: one.sha256 for one in answers if isinstance(one, Receipt)} == run.listed
    if run.case.end == "there":
        assert run.account.exit == Exit.DONE, run.account.message
        assert run.listed == expected
        return
    (victim,) = run.victims
    assert victim.filename not in run.listed
    (bad,) = [one for one in answers if not isinstance(one, Receipt)]
    assert bad.filename == victim.filename
    assert isinstance(bad, Rejection if run.case.end == "refused" else UnclearResponse)
    _told(run, victim)


def _told(run: Run, victim: Distribution) -> None:
    """The last words: what happened to which file, what is there and what is not, and what to type."""
    account, listed = run.account, run.listed
    assert victim.filename in account.message
    assert account.remedy
    assert account.next_command == COMMAND
    if not listed and not run.case.doubtful:
        assert account.exit == Exit.UNCHANGED
        assert account.message.endswith("pypi is unchanged")
        return
    assert account.exit == Exit.INCOMPLETE
    missing = [file.filename for file in run.files if file.filename not in listed]
    assert f"on pypi: {_names(list(listed)) if listed else 'nothing for certain'}" in account.message
    assert f"not known to be on pypi: {_names(missing)}" in account.message


def _names(files: list[str]) -> str:
    return f"{len(files)} files (" if len(files) > 12 else ""


def _nothing_went_out_in_vain(run: Run) -> None:
    """Each file is sent as often as it must be, alone at first, and never again before the index was asked."""
    struck = {victim.filename for victim in run.victims}
    sent = [one.filename for one in run.log if one.method == "POST"]
    sends = Counter(sent)
    assert {name: sends[name] for name in struck} == dict.fromkeys(struck, run.case.sends)
    assert set(sends) <= {file.filename for file in run.files}
    assert all(times == 1 for name, times in sends.items() if name not in struck)
    for name in struck:
        about = [one.method for one in run.log if one.method == "GET" or one.filename == name]
        assert ("POST", "POST") not in set(itertools.pairwise(about))
    alone = list(itertools.takewhile(lambda name: name == run.files[0].filename, sent))
    assert len(alone) == sends[run.files[0].filename]

"""What becomes of one file: every way is finite, and every pause is bounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from release.core.config import UploadSettings
from release.core.models.check_result import Unknown
from release.core.models.distribution import Distribution, Receipt, Rejection, UnclearResponse, UploadResult
from release.core.models.index import Index, IndexFile, ProjectListing
from release.publishing.upload import upload_state
from release.publishing.upload.upload_state import FileState, FileStates

FILE = Distribution(path=Path("acme_widget-1.0-py3-none-any.whl"), sha256="a" * 64, size=10)
RULES = UploadSettings(deadline=1000)
DEAF = Unknown(reason="no answer", remedy="wait")


def unclear(what: str = "timeout", **more: object) -> UnclearResponse:
    if what.startswith("status "):
        more |= {"status": int(what.removeprefix("status "))}
        what = "status"
    return UnclearResponse(filename=FILE.filename, kind=what, detail="", **more)  # type: ignore[arg-type] # fields of it


def listing(sha256: str | None) -> ProjectListing:
    return ProjectListing(
        name="acme-widget", files=(IndexFile(filename=FILE.filename, url="http://h/f", sha256=sha256),)
    )


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["pending", "sent", "unclear", "over"]))))
def test_the_files_of_a_phase_are_found_in_the_order_of_the_upload(changes: list[tuple[int, str]]) -> None:
    files = [replace(FILE, path=Path(f"acme_widget-1.0-{n}-py3-none-any.whl")) for n in range(5)]
    states = FileStates(files)
    for number, phase in changes:
        states.put(FileState(file=files[number], phase=phase))  # type: ignore[arg-type] # it is one of them
    for phase in ("pending", "sent", "unclear"):
        expected = [one for one in states if one.phase == phase]
        assert list(states.within(phase)) == expected
        assert states.count(phase) == len(expected)
    assert [states.number(one.file.filename) for one in states] == list(range(5)) == list(range(len(states)))
    assert files[3].filename in states
    assert "other" not in states
    assert not states.is_pending("other")
    assert [states.is_pending(one.file.filename) for one in states] == [one.phase == "pending" for one in states]


def test_there_with_our_bytes_is_accepted_and_with_others_refused() -> None:
    state = upload_state.apply_response(
        upload_state.mark_sent(FileState(file=FILE)), unclear(), RULES, now=0, chance=0.5
    )
    ours = upload_state.apply_listing(state, listing(FILE.sha256), RULES, now=1, chance=0)
    assert (ours.phase, ours.result) == ("over", Receipt(filename=FILE.filename, sha256=FILE.sha256))
    assert ours.doubtful is False
    for other, message in (("b" * 64, "different content"), (None, "lists no SHA-256")):
        theirs = upload_state.apply_listing(state, listing(other), RULES, now=1, chance=0)
        assert theirs.phase == "over"
        assert isinstance(theirs.result, Rejection)
        assert message in theirs.result.message


def test_a_refusal_after_something_unclear_is_believed_only_once_the_index_was_asked() -> None:
    """An index that says "exists already" may mean the file that came through unheard."""
    first = upload_state.apply_response(upload_state.mark_sent(FileState(file=FILE)), unclear(), RULES, now=0, chance=0)
    again = upload_state.mark_sent(upload_state.apply_listing(first, None, RULES, now=1, chance=0))
    no = Rejection(filename=FILE.filename, status=409, message="exists")
    state = upload_state.apply_response(again, no, RULES, now=2, chance=0)
    assert state.phase == "unclear"
    assert isinstance(upload_state.apply_listing(state, listing(FILE.sha256), RULES, now=2, chance=0).result, Receipt)
    assert upload_state.apply_listing(state, None, RULES, now=2, chance=0).result == no


@pytest.mark.parametrize(
    ("answer", "doubtful"),
    [
        (unclear("timeout", sent="all"), True),
        (unclear("connection", sent="all"), True),
        (unclear("connection", sent="some"), False),
        (unclear("connection", sent="nothing"), False),
        (unclear("status 503", sent="all"), False),
        (unclear("unexpected reply", sent="all"), False),
        (unclear("cut off", sent="all"), True),
    ],
)
def test_what_is_not_listed_may_still_come_where_all_of_it_went_out_unanswered(
    answer: UnclearResponse, doubtful: bool
) -> None:
    state = upload_state.apply_response(
        upload_state.mark_sent(FileState(file=FILE)), answer, UploadSettings(attempts=1), now=0, chance=0
    )
    over = upload_state.apply_listing(state, None, UploadSettings(attempts=1), now=0, chance=0)
    assert (over.phase, over.doubtful) == ("over", doubtful)


@pytest.mark.parametrize("listed", [True, False])
def test_after_a_response_that_was_cut_off_the_index_is_checked_and_nothing_is_sent_again(listed: bool) -> None:
    state = upload_state.mark_sent(FileState(file=FILE))
    state = upload_state.apply_response(state, unclear("cut off"), RULES, now=0, chance=0)
    assert (state.phase, state.last) == ("unclear", True)
    state = upload_state.apply_listing(state, listing(FILE.sha256) if listed else None, RULES, now=0, chance=0)
    assert state.phase == "over"
    assert isinstance(state.result, Receipt if listed else UnclearResponse)


ANSWERS = st.builds(
    unclear,
    st.sampled_from(["timeout", "connection", "dns", "status 503", "status 429", "unexpected reply", "cut off"]),
    retry_after=st.none() | st.floats(0, 1e6),
    sent=st.sampled_from(["nothing", "some", "all"]),
)


@given(st.lists(st.tuples(ANSWERS, st.lists(st.booleans(), max_size=3)), min_size=10, max_size=10), st.floats(0, 0.999))
def test_it_always_ends_within_attempts_and_deadline(
    story: list[tuple[UnclearResponse, list[bool]]], chance: float
) -> None:
    """Whatever is answered: nothing is sent more often than allowed, nor begun after the deadline."""
    now, state, since = 0.0, FileState(file=FILE), None
    for answer, deaf in story:
        state = upload_state.mark_sent(state)
        assert state.attempts <= RULES.attempts
        assert since is None or now <= since + RULES.deadline
        state = upload_state.apply_response(state, answer, RULES, now=now, chance=chance)
        since = now if since is None else since
        for _ in deaf:
            assert now <= state.due <= min(now + max(RULES.longest_wait, RULES.longest_pause), since + RULES.deadline)
            now = max(now, state.due)
            state = upload_state.apply_listing(state, DEAF, RULES, now=now, chance=chance)
            if state.phase == "over":
                return
        now = max(now, state.due)
        state = upload_state.apply_listing(state, None, RULES, now=now, chance=chance)
        if state.phase == "over":
            return
        assert state.phase == "pending"
    pytest.fail("it never ended")


@pytest.mark.parametrize("answer", [unclear("tls", sent="nothing"), unclear("proxy", sent="nothing")])
def test_what_no_attempt_can_mend_is_over_at_once(answer: UploadResult) -> None:
    state = upload_state.apply_response(upload_state.mark_sent(FileState(file=FILE)), answer, RULES, now=0, chance=0)
    assert (state.phase, state.doubtful) == ("over", False)


def test_pauses_double_up_to_the_longest_and_are_drawn_from_zero() -> None:
    assert [RULES.back_off(times, 1) for times in (1, 2, 3, 7, 500)] == [1, 2, 4, 60, 60]
    assert RULES.back_off(5, 0) == 0


# -- what is left to be sent, and what the index would refuse of it ------------------------------------

NOW = datetime(2026, 11, 24, tzinfo=UTC)
INDEX = Index(name="pypi", upload_url="http://127.0.0.1:9/legacy/", simple_url="http://127.0.0.1:9/simple/")
WHEEL, OTHER, SDIST = "acme_widget-1.0-py3-none-any.whl", "acme_widget-1.0-py2-none-any.whl", "acme_widget-1.0.tar.gz"


def file(name: str, sha256: str | None = None) -> Distribution:
    return Distribution(path=Path(name), sha256=(sha256 or name[-9:]).ljust(64, "0"), size=1)


def listed(*names: str, age: int = 0, sha256: str | None = None) -> ProjectListing:
    return ProjectListing(
        name="acme-widget",
        files=tuple(
            IndexFile(
                filename=name, url="http://h/f", sha256=(sha256 or name[-9:]).ljust(64, "0"),
                upload_time=NOW - timedelta(days=age),
            )
            for name in names
        ),
    )  # fmt: skip


def look(
    files: list[Distribution], there: ProjectListing | None, kind: str = "warehouse"
) -> tuple[list[str], list[str], str]:
    left = upload_state.find_remaining(files, replace(INDEX, kind=kind), there, "1.0", now=NOW)  # one of the two kinds
    names = [one.filename for one in left.receipts], [one.filename for one in left.files]
    return *names, left.rejection.message if left.rejection else ""


def test_wheels_go_first() -> None:
    assert look([file(SDIST), file(WHEEL)], None) == ([], [WHEEL, SDIST], "")


def test_what_is_there_with_our_bytes_is_not_sent_again() -> None:
    assert look([file(WHEEL), file(SDIST)], listed(WHEEL, age=3)) == ([WHEEL], [SDIST], "")


@pytest.mark.parametrize(
    ("files", "there", "words"),
    [
        ([file(WHEEL)], listed(WHEEL, sha256="f"), "different content"),
        ([file(WHEEL)], listed(SDIST, age=15), "older than 14 days"),
        ([file(SDIST)], listed("acme-widget-1.0.zip"), "Only one sdist"),
        ([file(SDIST), file("acme_widget-1.0.zip")], None, "Only one sdist"),
        ([file(WHEEL, "f")], listed(OTHER, sha256="f"), f"already exists, under the name {OTHER!r}"),
        ([file(WHEEL, "f"), file(OTHER, "f")], None, "already exists, under the name"),
    ],
)
def test_what_the_index_would_refuse_is_known_before(
    files: list[Distribution], there: ProjectListing | None, words: str
) -> None:
    assert words in look(files, there)[2]


def test_all_of_it_there_is_no_refusal_however_old_it_is() -> None:
    assert look([file(WHEEL), file(SDIST)], listed(WHEEL, SDIST, age=400)) == ([WHEEL, SDIST], [], "")


def test_other_servers_have_other_rules() -> None:
    assert look([file(WHEEL)], listed(SDIST, age=400), kind="other")[2] == ""


def test_fourteen_days_from_the_first_file_of_the_version() -> None:
    there = ProjectListing(
        name="acme-widget",
        files=(
            *listed(WHEEL, age=2).files,
            *listed(SDIST, age=5).files,
            *listed("acme_widget-0.9.tar.gz", age=90).files,
        ),
    )
    assert upload_state.upload_deadline(INDEX, there, "1.0.0") == NOW + timedelta(days=9)
    assert upload_state.upload_deadline(INDEX, there, "2.0") is None
    assert upload_state.upload_deadline(INDEX, None, "1.0") is None

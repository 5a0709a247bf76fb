"""What becomes of one file: every way is finite, and every pause is bounded."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.config import UploadSettings
from release.core.models.check_result import Unknown
from release.core.models.distribution import Distribution, Receipt, Rejection, UnclearResponse, UploadResult
from release.core.models.index import IndexFile, ProjectListing
from release.publishing.upload import upload_state
from release.publishing.upload.upload_state import FileState

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


def test_there_with_our_bytes_is_accepted_and_with_others_refused() -> None:
    state = upload_state.apply_response(
        upload_state.mark_sent(FileState(file=FILE)), unclear(), RULES, now=0, chance=0.5
    )
    ours = upload_state.apply_listing(state, listing(FILE.sha256), RULES, now=1, chance=0)
    assert (ours.phase, ours.result) == ("over", Receipt(filename=FILE.filename, sha256=FILE.sha256))
    for other in ("b" * 64, None):
        theirs = upload_state.apply_listing(state, listing(other), RULES, now=1, chance=0)
        assert theirs.phase == "over"
        assert isinstance(theirs.result, Rejection)
        assert "different content" in theirs.result.message


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


ANSWERS = st.builds(
    unclear,
    st.sampled_from(["timeout", "connection", "dns", "status 503", "status 429", "unexpected reply"]),
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

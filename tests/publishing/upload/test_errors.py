"""A failed upload as an error: what is known, what is not, and the remedy that fits."""

from __future__ import annotations

import pytest

from release.core.errors import RefusedError
from release.core.models.check_result import Unknown
from release.core.models.distribution import FailureKind, Rejection, UnclearResponse
from release.core.models.index import UPLOAD_WINDOW_CLOSED
from release.publishing.upload import errors
from release.publishing.upload.errors import RUN_AGAIN, UploadError
from tests.fake_system import LASTING, PROJECT, WHEEL


def unclear(kind: FailureKind, detail: str = "the end of it", **more: int) -> UnclearResponse:
    return UnclearResponse(filename=WHEEL, kind=kind, detail=detail, **more)  # type: ignore[arg-type] # its status


def test_a_refusal_repeats_the_server_and_has_a_remedy_of_the_catalog() -> None:
    rejection = Rejection(
        filename=WHEEL, status=403, message="Invalid or non-existent authentication information."
    )  # fmt: skip
    error = errors.upload_error(LASTING, PROJECT, rejection)
    assert type(error) is UploadError
    assert error.message == f"acme refuses {WHEEL}: 403 {rejection.message}"
    assert error.remedy
    assert error.remedy != RUN_AGAIN, "to send it again would be refused again"
    silent = errors.upload_error(LASTING, PROJECT, Rejection(filename=WHEEL, status=400, message=""))
    assert silent.message == f"acme refuses {WHEEL}: 400"


def test_a_rejection_that_is_known_beforehand_stops_the_run_as_a_check_does() -> None:
    rejection = Rejection(
        filename=WHEEL, status=400, message="File already exists, with different content", cause="file.exists-different"
    )
    error = errors.predicted_rejection(LASTING, PROJECT, rejection)
    assert type(error) is RefusedError
    assert error.message == f"acme cannot accept {WHEEL}: {rejection.message}"
    assert error.cause == "file.exists-different"
    assert error.remedy


@pytest.mark.parametrize(
    ("kind", "cause", "own"),
    [
        ("timeout", "net.timeout-reset", False),
        ("connection", "net.timeout-reset", False),
        ("dns", "net.dns-offline", True),
        ("tls", "net.tls", True),
        ("proxy", "net.proxy", True),
        ("garbage", None, False),
        ("worker died", None, False),
        ("stopped", None, False),
    ],
)
def test_after_an_unclear_answer_the_command_is_repeated_which_asks_the_index(
    kind: FailureKind, cause: str | None, own: bool
) -> None:
    """Where the way to the index is broken, that is to be repaired first."""
    error = errors.upload_error(LASTING, PROJECT, unclear(kind))
    assert error.message == f"it is unknown whether acme accepted {WHEEL}: {kind}: the end of it"
    assert error.cause == cause
    assert error.remedy.endswith(RUN_AGAIN)
    assert (error.remedy != RUN_AGAIN) is own


def test_a_status_is_named() -> None:
    error = errors.upload_error(LASTING, PROJECT, unclear("status", "Bad Gateway", status=502))
    assert error.message == f"it is unknown whether acme accepted {WHEEL}: status 502: Bad Gateway"


def test_why_the_index_could_not_be_asked_counts_more_than_why_there_was_no_answer() -> None:
    deaf = Unknown(reason="no address for 'acme'", remedy="check the network", cause="net.dns-offline")
    error = errors.upload_error(LASTING, PROJECT, unclear("timeout"), deaf)
    assert error.message == (
        f"it is unknown whether acme accepted {WHEEL}: timeout: the end of it; "
        "its listing cannot be fetched: no address for 'acme'"
    )
    assert (error.cause, error.remedy) == ("net.dns-offline", f"check the network; then {RUN_AGAIN}")
    without = errors.upload_error(LASTING, PROJECT, unclear("timeout"), Unknown(reason="none", remedy="wait"))
    assert (without.cause, without.remedy) == ("net.timeout-reset", f"wait; then {RUN_AGAIN}")


@pytest.mark.parametrize(
    ("message", "status", "part"),
    [
        (UPLOAD_WINDOW_CLOSED, 400, "1.0.post1"),
        ("Invalid or non-existent authentication information.", 403, "--index acme"),
        ("The user 'acme' isn't allowed to upload to project 'acme-widget'.", 403, "acme-widget"),
        ("a message that the catalog does not have", 400, ""),
    ],
)
def test_the_remedy_names_the_release_and_its_index(message: str, status: int, part: str) -> None:
    rejection = Rejection(filename=WHEEL, status=status, message=message)
    for error in (
        errors.upload_error(LASTING, PROJECT, rejection), errors.predicted_rejection(LASTING, PROJECT, rejection)
    ):  # fmt: skip
        assert error.remedy
        assert part in error.remedy
        assert "{" not in error.remedy

"""A rule carries its public name and its advice; an upload and its file are read once."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import pytest

from release.acceptance import open_distribution
from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.rule import METADATA, FileUpload, Refusal, Rules, first_refusal, server_error
from release.core.models.index import IndexContents
from tests.acceptance.making import NOTHING, SDIST, WHEEL, sdist, upload, wheel

RULES = Rules(METADATA)


@RULES.rule(remedy="send a summary", cause="meta.summary-long")
def the_summary_is_given(upload: FileUpload, _index: IndexContents) -> str | None:
    """The form has a summary."""
    return None if upload.value("summary") else "No summary."


@RULES.rule(check=METADATA, remedy="shorten it")
def the_server_survives(upload: FileUpload, _index: IndexContents) -> Refusal | None:
    """The summary is short."""
    return server_error() if upload.value("summary") == "long" else None


def test_a_refusal_has_the_name_and_the_advice_of_its_rule() -> None:
    refusal = first_refusal(RULES, upload(wheel()), NOTHING)
    assert refusal is not None
    assert (refusal.rule, refusal.status, refusal.text) == ("the-summary-is-given", 400, "No summary.")
    assert refusal.advice is not None
    assert (refusal.advice.check, refusal.advice.remedy, refusal.advice.cause) == (
        METADATA,
        "send a summary",
        "meta.summary-long",
    )


def test_rules_apply_in_the_order_of_their_definition() -> None:
    assert [rule.name for rule in RULES] == ["the-summary-is-given", "the-server-survives"]
    refusal = first_refusal(RULES, upload(wheel(), summary="long"), NOTHING)
    assert refusal is not None
    assert (refusal.rule, refusal.status) == ("the-server-survives", 500)
    assert first_refusal(RULES, upload(wheel(), summary="short"), NOTHING) is None


def test_an_archive_is_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def counted(real: Callable[..., object], *args: object) -> object:
        opened.append(args)
        return real(*args)

    for name in ("open_zip", "read_tar"):
        monkeypatch.setattr(open_distribution, name, partial(counted, getattr(open_distribution, name)))
    for filename, content in ((WHEEL, wheel()), (SDIST, sdist())):
        file = OpenDistribution(filename, io.BytesIO(content))
        file.read_members()
        assert list(file.members) == list(file.members)
        assert len(file.paths) == len(file.paths) > 0
    assert len(opened) == 2


def test_known_digests_are_not_computed_again() -> None:
    file = OpenDistribution(WHEEL, io.BytesIO(b"content"), digests={"sha256": "known"})
    assert file.digests("sha256")["sha256"] == "known"
    assert len(file.digests("blake2_256")["blake2_256"]) == 64

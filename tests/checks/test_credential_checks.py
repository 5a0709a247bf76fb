"""What an index answers to the probes, and what it comes to: the literal words of PyPI's own code.

Observed: warehouse 6b62157, run 2026-11.
"""
# ruff: noqa: E501 - one case, one line

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from release.checks import engine
from release.checks.credential_checks import CHECKS
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import CheckState, NotApplicable, Outcome, Unknown, derive_verdict
from release.core.models.index import IndexFile, Ownership, ProjectListing
from release.core.models.probe import ProbeResult, ServerResponse
from release.core.tokens import caveats as caveat
from tests.checks.test_token_checks import ACCOUNT, IDS, LOCAL, NOW, OTHER, PUBLISHER, access, listing, token

HELP = "See https://pypi.org/help/#x for more information."
IDENTITY = (400, "Unknown protocol version.")
PERMISSION = (400, f"The description failed to render for 'text/x-rst'. {HELP}")
FIRST = (
    400,
    "The name 'xml.etree.ElementTree' isn't allowed (conflict with Python Standard Library module name). " + HELP,
)
INVALID = (403, f"Invalid or non-existent authentication information. {HELP}")
SCOPE = "project-scoped token is not valid for project: 'acme-widget'"
MINTED = token(PUBLISHER, IDS)
EARLY = token(ACCOUNT, caveat.expiration(not_before=NOW - timedelta(seconds=30), expires_at=NOW + timedelta(days=1)))
NO_ROLE = (403, f"The user 'alice' isn't allowed to upload to project 'acme-widget'. {HELP}")


def probed(kind: str, answer: tuple[int, str], **headers: str) -> ProbeResult:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = ServerResponse(status=answer[0], reason=answer[1], headers=named)
    return ProbeResult(kind=kind, project="acme-widget", reply=reply)  # type: ignore[arg-type] # one of the four


def known(password: str | None = None, **changes: Any) -> Access:
    """A way to PyPI that is in order, and was asked about."""
    healthy = {"identity": probed("identity", IDENTITY), "permission": probed("permission", PERMISSION)}
    return access(password, **(healthy | changes))


def identity(*answer: Any, password: str | None = None, **headers: str) -> Access:
    return known(password, identity=probed("identity", answer, **headers), permission=None)


def permission(*answer: Any, password: str | None = None, **changes: Any) -> Access:
    return known(password, permission=probed("permission", answer), **changes)


def first(*answer: Any, **headers: str) -> Access:
    return known(permission=probed("first-release", answer, **headers), listing=None, similar_names=())


def outcomes(facts: Access) -> list[Outcome]:
    found = list(engine.run(CHECKS, facts))
    assert not [one for one in found if one.state is CheckState.CRASHED]
    return found


@pytest.mark.parametrize(
    "facts",
    [
        known(),
        first(*FIRST),
        known(token(b'[1,["acme-widget"]]', IDS)),
        known(token(ACCOUNT, IDS)),
        known(MINTED),
        known(skew=timedelta(seconds=59)),
        known(index=LOCAL),
        access("hunter2", username="alice", index=OTHER),
        known(ownership=Ownership(name="Acme_Widget", roles=(("Owner", "somebody"),))),
        access(listing=NotApplicable(reason="not asked")),
        known(project=Unknown(reason="no name", remedy="give one"), permission=None),
    ],
)
def test_what_is_in_order_is_healthy(facts: Access) -> None:
    assert derive_verdict(outcomes(facts)).word == "healthy"


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        (identity(*INVALID), "cred.revoked"),
        (identity(*INVALID, password=MINTED), "tp.token-expired"),
        (identity(403, "Username/Password authentication is no longer supported. Migrate …"), "cred.username-not-token"),
        (identity(403, "Read-only mode: Uploads are temporarily disabled."), "server.readonly"),
        (identity(403, f"New uploads are temporarily disabled. {HELP}"), "server.readonly"),
        (identity(429, "Too Many Failed Login Attempts", retry_after="300"), "server.login-limit"),
        (identity(308, "An upload was attempted to /legacy but the expected upload URL is /legacy/ (with a …"), "url.no-trailing-slash"),
        (identity(404, "Not Found"), "url.simple-or-root"),
        (identity(405, "Method Not Allowed"), "url.simple-or-root"),
        # "See TODO" is in the index's own words, as recorded.
        (identity(410, "This API has moved to https://upload.pypi.org/legacy/. See TODO …"), "url.legacy-domain"),
        (identity(403, "SSL is required"), "url.http"),
        (permission(403, "Invalid API Token: signatures do not match"), "cred.signature-mismatch"),
        (permission(403, "Invalid API Token: token is expired, token is expired"), "cred.expired"),
        (permission(403, "Invalid API Token: token is expired, token is expired", password=MINTED), "tp.token-expired"),
        # It is valid by this machine's clock, and not by the index's, which is a minute behind.
        (permission(403, "Invalid API Token: token is expired", password=EARLY, skew=timedelta(seconds=-60)), "cred.not-yet-valid"),
        (permission(403, "Invalid API Token: token is expired", password=EARLY), "cred.expired"),
        (permission(403, f"Invalid API Token: {', '.join([SCOPE] * 4)}"), "cred.project-scope-mismatch"),
        (permission(403, f"Invalid API Token: {', '.join([SCOPE] * 2)}"), "cred.project-scope-mismatch"),
        (permission(403, "Invalid API Token: current user does not match user restriction in token"), "cred.user-caveat"),
        (permission(403, "Invalid API Token: caveat has unknown tag: hello"), "cred.caveat-invalid"),
        (permission(403, "Invalid API Token: unknown error"), "cred.caveat-invalid"),
        (permission(*NO_ROLE), "account.no-role"),
        (permission(403, f"The given token isn't allowed to upload to project 'acme-widget'. {HELP}", password=MINTED), "tp.pending-name-mismatch"),
        (permission(403, f"User 'bob', associated with the API token used, does not have a verified primary email address. Please … {HELP}"), "account.email-unverified"),
        (permission(403, f"User 'carol', associated with the API token used, does not have two-factor authentication enabled. {HELP}"), "account.no-2fa"),
        (permission(400, "Organization account owning this project is inactive. This may be due to …"), "org.inactive"),
        (first(400, "Non-user identities cannot create new projects. This was probably caused by …"), "tp.pending-name-mismatch"),
        (first(429, "Too many new projects created"), "server.new-project-quota"),
        (first(403, f"New project registration temporarily disabled. {HELP}"), "server.readonly"),
        (known(listing=listing(status="archived")), "project.archived"),
        (replace(identity(*INVALID), listing=listing(status="quarantined")), "project.quarantined"),
        (known(MINTED, listing=listing(status="quarantined")), "project.quarantined"),
        (known(listing=None, similar_names=("acme-widgit",), project=ProjectMetadata(name="acme-widgit", version="1")), "name.too-similar"),
        (known(listing=None, similar_names=(), project=ProjectMetadata(name="json", version="1")), "name.stdlib"),
        (known(listing=None, similar_names=(), project=ProjectMetadata(name="rrequirements.txt", version="1")), "name.prohibited"),
        (known(listing=None, similar_names=(), project=ProjectMetadata(name="xml.etree", version="1")), "name.stdlib"),
    ],
)  # fmt: skip
def test_each_refusal_is_broken_and_has_its_cause(facts: Access, cause: str) -> None:
    verdict = derive_verdict(outcomes(facts))
    assert (verdict.word, verdict.causes) == ("broken", (cause,))
    assert verdict.message[0].islower() or verdict.message[0] in "'$"
    assert not verdict.message.endswith(".")
    assert verdict.remedy
    assert "{" not in verdict.remedy


@pytest.mark.parametrize(
    ("facts", "cause", "words"),
    [
        (identity(400, "Something new."), None, "Something new."),
        (identity(403, "Forbidden"), None, "403"),
        (identity(200, "Welcome"), None, "Welcome"),
        (identity(503, "Backend is unhealthy"), "server.outage", "Backend is unhealthy"),
        (identity(500, "Internal Server Error"), "server.outage", "500"),
        (identity(400, "'x' is an invalid value for Metadata-Version."), None, "Metadata-Version"),
        (permission(200, "OK"), None, "200"),
        (permission(400, "Invalid file extension: Use .tar.gz, .whl or .zip extension."), None, "extension"),
        (permission(400, f"The name 'acme-widget' isn't allowed. {HELP}"), None, "isn't allowed"),
        (first(200, "OK"), None, "200"),
        (first(403, "A new rule."), None, "A new rule."),
        (known(identity=Unknown(reason="no answer", remedy="wait", cause="net.timeout-reset"), permission=None), "net.timeout-reset", "no answer"),
        (known(listing=None, similar_names=Unknown(reason="no list", remedy="wait")), None, "no list"),
    ],
)  # fmt: skip
def test_what_nobody_knows_is_unknown_and_blocks_with_the_server_s_words(
    facts: Access, cause: str | None, words: str
) -> None:
    verdict = derive_verdict(outcomes(facts))
    assert (verdict.word, verdict.cause) == ("unknown", cause)
    assert words in verdict.message
    assert verdict.remedy


def test_the_message_says_what_only_this_case_shows() -> None:
    unknown = identity(*INVALID)
    assert unknown.token is not None
    identifier = unknown.token.identifier  # type: ignore[union-attr] # a healthy one
    assert identifier in derive_verdict(outcomes(unknown)).message
    assert derive_verdict(outcomes(unknown)).remedy == "unset TWINE_PASSWORD && pypi-preflight store --index pypi"
    owners = Ownership(name="acme-widget", roles=(("Owner", "dave"), ("Maintainer", "zoe")))
    assert (
        "'alice' has no role on 'Acme_Widget'; 'dave', 'zoe' have"
        in derive_verdict(outcomes(permission(*NO_ROLE, ownership=owners))).message
    )
    quota = first(
        429, "Too many new projects created",
        ratelimit='"project.create.ip";r=20;t=3598, "project.create.user";r=0;t=3598',
        ratelimit_policy='"project.create.user";q=20;w=3600;pk=:user:',
    )  # fmt: skip
    assert "project.create.user: 0 of 20 left, more in 60 min" in derive_verdict(outcomes(quota)).message
    assert (
        "300 s" in derive_verdict(outcomes(identity(429, "Too Many Failed Login Attempts", retry_after="300"))).message
    )


@pytest.mark.parametrize(
    ("password", "copies", "anew"),
    [
        (token(b'[1,["acme-widget"]]', IDS), 2, True),
        (token(b'[1,["acme-widget"]]', IDS), 3, True),
        (token(), 4, False),
        (token(), 2, True),
    ],
)
def test_a_project_that_was_deleted_and_made_anew_is_told_from_another(password: str, copies: int, anew: bool) -> None:
    facts = permission(403, f"Invalid API Token: {', '.join([SCOPE] * copies)}", password=password)
    verdict = derive_verdict(outcomes(facts))
    assert verdict.cause == "cred.project-scope-mismatch"
    assert ("was deleted" in verdict.message) is anew


def test_a_missing_role_on_an_archived_project_is_the_archive() -> None:
    facts = permission(*NO_ROLE, listing=listing(status="archived-noindex"))
    assert derive_verdict(outcomes(facts)).cause == "project.archived"


def test_a_clock_that_is_wrong_is_a_warning() -> None:
    for skew in (timedelta(seconds=90), timedelta(seconds=-90)):
        verdict = derive_verdict(outcomes(known(skew=skew)))
        assert verdict.word == "warning"
        assert "90 s" in verdict.message


def old(*names: str, days: int) -> ProjectListing:
    files = tuple(
        IndexFile(
            filename=name, url=f"https://acme.test/{name}", sha256="a" * 64, upload_time=NOW - timedelta(days=days)
        )
        for name in names
    )
    return ProjectListing(name="acme-widget", files=files)


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (known(listing=old("acme_widget-1.1.tar.gz", days=15)), ("broken", "server.closed-release")),
        (known(listing=old("acme_widget-1.1.tar.gz", days=15), releasing=False), ("healthy", None)),
        (known(listing=old("acme_widget-1.1.tar.gz", days=13), releasing=False), ("healthy", None)),
        (known(listing=old("acme_widget-1.1.tar.gz", days=13)), ("warning", "version.not-bumped")),
        (known(listing=old("acme_widget-1.0.tar.gz", days=15)), ("healthy", None)),
        (known(listing=old("acme_widget-1.1.tar.gz", days=15), ours=frozenset({"a" * 64})), ("healthy", None)),
        (known(listing=old("acme_widget-1.1.tar.gz", days=15), ours=frozenset({"a" * 64, "b" * 64})), ("broken", "server.closed-release")),
        (known(listing=old("acme_widget-1.1.tar.gz", days=15), project=ProjectMetadata(name="acme-widget", version="")), ("healthy", None)),
    ],
)  # fmt: skip
def test_a_release_takes_files_for_fourteen_days(facts: Access, found: tuple[str, str | None]) -> None:
    verdict = derive_verdict(outcomes(facts))
    assert (verdict.word, verdict.cause) == found
    assert len(verdict.causes) <= 1


def test_a_broken_token_is_the_only_cause_whatever_the_index_would_say() -> None:
    """What was asked in vain, and what was not asked, stand behind their reason."""
    facts = replace(known("hunter2"), identity=probed("identity", INVALID), permission=None)
    assert derive_verdict(outcomes(facts)).causes == ("cred.account-password",)
    assert derive_verdict(outcomes(known(token(ACCOUNT, location="test.pypi.org")))).causes == ("cred.wrong-index",)

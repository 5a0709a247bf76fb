"""Trusted publishing at the embedded index: each code and reason, in PyPI's words, and what the token then allows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from release.core.errors import UsageError
from release.core.secret import Secret
from release.core.tokens.caveats import Expiration
from release.core.tokens.token import Token, decode, scope
from release.sandbox import server
from release.sandbox.faults import CannedResponse, Fault, RequestFilter
from release.sandbox.oidc_provider import IdentityProvider
from release.sandbox.publishers import ISSUERS, CiJob, SeedPublisher
from release.sandbox.seed import ApiToken, SeedData, SeedProject, User
from tests.sandbox.sandbox_client import Clock, Reply, SandboxClient, basic_auth, github_publisher

WORLD = SeedData(
    users=(User(name="alice"),),
    tokens=(),
    projects=(
        SeedProject(name="acme-widget", owners=("alice",)),
        SeedProject(name="acme-gadget", owners=("alice",)),
        SeedProject(name="old", owners=("alice",), status="archived"),
        SeedProject(name="suspect", owners=("alice",), status="quarantined"),
    ),
    publishers=(github_publisher("widget", "acme-widget", "old", "suspect", environment="pypi"),),
)
MINT = "/_/oidc/mint-token"


@contextmanager
def index(world: SeedData = WORLD, **more: Any) -> Iterator[SandboxClient]:
    with server.start_sandbox(world, **more) as running:
        yield SandboxClient(sandbox=running)


def with_job(world: SeedData = WORLD, **more: Any) -> SeedData:
    return replace(world, job=CiJob(**more))


def mint(on: SandboxClient, token: str | None = None, *, audience: str = "pypi") -> Reply:
    token = token if token is not None else on.sandbox.identity_provider.token(audience, server.utc_now())
    return on.ask("POST", MINT, body=json.dumps({"token": token}).encode())


def error(reply: Reply) -> tuple[str, str]:
    assert reply.line == "422 Unprocessable Entity"
    assert reply.json["message"] == "Token request failed"
    (one,) = reply.json["errors"]
    return one["code"], one["description"]


def reason(words: str) -> tuple[str, str]:
    return "invalid-publisher", f"valid token, but no corresponding publisher ({words})"


NOT_FOUND = reason("Publisher with matching claims was not found")
INVALID = ("invalid-token", "malformed or invalid token")
REF = "refs/tags/v1.0"


def file(repository: str = "acme/widget", name: str = "release.yml", ref: str = REF) -> str:
    return f"{repository}/.github/workflows/{name}@{ref}"


#: what is odd about the job → what the index says
GITHUB: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "another repository": ({"repository": "acme/other"}, NOT_FOUND),
    "another workflow": ({"workflow": "other.yml"}, NOT_FOUND),
    "no environment": ({"environment": None}, NOT_FOUND),
    "another environment": ({"environment": "staging"}, NOT_FOUND),
    "the owner's number": ({"claims": {"repository_owner_id": "9"}}, NOT_FOUND),
    "a called workflow": ({"claims": {"job_workflow_ref": file("acme/shared", "call.yml")}}, NOT_FOUND),
    "no jti": ({"claims": {"jti": None}}, reason("Missing claim 'jti'")),
    "no sha": ({"claims": {"sha": None}}, reason("Missing claim 'sha'")),
    "owner's letters": (
        {"claims": {"repository_owner": "Acme"}},
        reason("Check failed for required claim 'repository_owner'"),
    ),
    "empty refs": ({"claims": {"ref": "", "sha": ""}}, reason("The ref and sha claims are empty")),
    "another ref": (
        {"claims": {"job_workflow_ref": file(ref="refs/heads/main"), "sha": "c0ffee"}},
        reason(
            f"The job_workflow_ref claim does not match, expecting one of {sorted([file(ref='c0ffee'), file()])!r}, "
            f"got {file(ref='refs/heads/main')!r}"
        ),
    ),
    "pull_request_target": (
        {"claims": {"event_name": "pull_request_target"}},
        reason("Publishing from a workflow invoked via 'pull_request_target' is not supported."),
    ),
    "unknown key": ({"key": "unknown"}, INVALID),
    "forged": ({"key": "forged"}, INVALID),
    "expired": ({"expires_in": -31}, INVALID),
    "from tomorrow": ({"claims": {"iat": 4_000_000_000}}, INVALID),
    "not yet": ({"claims": {"nbf": 4_000_000_000}}, INVALID),
    "no expiry": ({"claims": {"exp": None}}, INVALID),
    "two audiences": ({"claims": {"aud": ["pypi", "sigstore"]}}, INVALID),
    "issuer": ({"claims": {"iss": "https://git.acme.test"}}, ("invalid-payload", "unknown trusted publishing issuer")),
    "no issuer": ({"claims": {"iss": None}}, ("invalid-payload", "malformed JWT")),
}


@pytest.mark.parametrize("row", GITHUB)
def test_an_identity_of_github_that_does_not_fit_is_refused_in_pypis_words(row: str) -> None:
    job, expected = GITHUB[row]
    with index(with_job(**job)) as on:
        assert error(mint(on)) == expected


@pytest.mark.parametrize("job", [{}, {"environment": "PyPI"}, {"expires_in": -20}], ids=["plain", "case", "leeway"])
def test_an_identity_that_fits_gives_a_token_of_fifteen_minutes(job: dict[str, Any]) -> None:
    clock = Clock()
    with index(with_job(**job), clock=clock) as on:
        reply = mint(on, on.sandbox.identity_provider.token("pypi", clock.now))
    assert reply.line == "200 OK"
    assert set(reply.json) == {"success", "token", "expires"}
    assert reply.json["expires"] == int(clock.now.timestamp()) + 900
    token = decode(Secret(reply.json["token"]))
    assert isinstance(token, Token)
    assert scope(token).kind == "publisher"
    assert token.location == "127.0.0.1"
    assert [type(one).__name__ for one in token.caveats] == ["PublisherCaveat", "ProjectIds", "Expiration"]
    assert isinstance(token.caveats[-1], Expiration)


def test_a_publisher_without_an_environment_takes_any_and_one_with_it_goes_first() -> None:
    both = (github_publisher("any", "acme-gadget"), github_publisher("own", "acme-widget", environment="pypi"))
    for environment, project in (("pypi", "acme-widget"), ("other", "acme-gadget"), (None, "acme-gadget")):
        with index(replace(WORLD, publishers=both, job=CiJob(environment=environment))) as on:
            token = mint(on).json["token"]
            assert upload(on, project, token).line == "200 OK"


GITLAB = SeedPublisher(
    name="gitlab", provider="gitlab", projects=("acme-widget",),
    fields={"repository": "acme/sub/widget", "workflow": "ci/release.yml", "environment": "Prod"},
)  # fmt: skip
GOOGLE = SeedPublisher(
    name="google", provider="google", projects=("acme-widget",), fields={"email": "acme@acme.test", "sub": ""}
)
ACTIVE = SeedPublisher(
    name="active", provider="activestate", projects=("acme-widget",),
    fields={"organization": "acme", "project": "widget", "actor_id": "1001"},
)  # fmt: skip
ON_GITLAB: dict[str, Any] = {
    "provider": "gitlab",
    "repository": "Acme/sub/widget",
    "workflow": "ci/release.yml",
    "environment": "Prod",
}
#: publisher, job, answer; None where it fits
OTHERS: dict[str, tuple[SeedPublisher, dict[str, Any], tuple[str, str] | None]] = {
    "gitlab": (GITLAB, ON_GITLAB | {"repository": "acme/sub/widget"}, None),
    "gitlab, environment in other letters": (
        GITLAB,
        ON_GITLAB | {"repository": "acme/sub/widget", "environment": "prod"},
        NOT_FOUND,
    ),
    "gitlab, no environment": (GITLAB, ON_GITLAB | {"environment": None}, NOT_FOUND),
    "gitlab, empty file": (
        GITLAB,
        ON_GITLAB | {"claims": {"ci_config_ref_uri": ""}},
        reason("Could not extract workflow filename from OIDC claims"),
    ),
    "gitlab, no file": (
        GITLAB,
        ON_GITLAB | {"claims": {"ci_config_ref_uri": "gitlab.com"}},
        reason("Could not extract workflow filename from OIDC claims"),
    ),
    "gitlab, empty refs": (
        GITLAB,
        ON_GITLAB | {"claims": {"ref_path": "", "sha": ""}},
        reason("The ref_path and sha claims are empty"),
    ),
    "google": (GOOGLE, {"provider": "google"}, None),
    "google, another account": (GOOGLE, {"provider": "google", "repository": "other/widget"}, NOT_FOUND),
    "google, unverified": (
        GOOGLE,
        {"provider": "google", "claims": {"email_verified": False}},
        reason("Check failed for required claim 'email_verified'"),
    ),
    "activestate": (ACTIVE, {"provider": "activestate"}, None),
    "activestate, empty subject": (
        ACTIVE,
        {"provider": "activestate", "claims": {"sub": ""}},
        reason("Missing 'subject' claim"),
    ),
    "activestate, odd subject": (
        ACTIVE,
        {"provider": "activestate", "claims": {"sub": "acme"}},
        reason("Invalid 'subject' claim. Wrong format"),
    ),
    "activestate, another subject": (
        ACTIVE,
        {"provider": "activestate", "claims": {"sub": "org:acme:project:other"}},
        reason("Invalid 'subject' claim"),
    ),
    "activestate, another builder": (
        ACTIVE,
        {"provider": "activestate", "claims": {"builder": "other"}},
        reason("Check failed for required claim 'builder'"),
    ),
}


@pytest.mark.parametrize("row", OTHERS)
def test_the_other_services_are_told_apart_too(row: str) -> None:
    publisher, job, expected = OTHERS[row]
    with index(replace(WORLD, publishers=(publisher,), job=CiJob(**job))) as on:
        reply = mint(on)
        assert (error(reply) if expected else reply.line) == (expected or "200 OK")


def test_gitlab_compares_the_names_of_projects_whatever_their_letters() -> None:
    """The name itself may differ in case; the file's address may not."""
    with index(replace(WORLD, publishers=(GITLAB,), job=CiJob(**ON_GITLAB))) as on:
        code, words = error(mint(on))
    assert code == "invalid-publisher"
    assert "The ci_config_ref_uri claim does not match, expecting one of ['gitlab.com/acme/sub/widget//ci" in words


def test_an_identity_is_exchanged_once() -> None:
    with index() as on:
        token = on.sandbox.identity_provider.token("pypi", server.utc_now())
        assert mint(on, token).line == "200 OK"
        assert error(mint(on, token)) == ("invalid-reuse-token", "invalid token: already used")


def test_an_identity_for_another_index_is_invalid() -> None:
    with index() as on:
        assert error(mint(on, audience="testpypi")) == INVALID
    with index(replace(WORLD, audience="testpypi")) as on:
        assert on.ask("GET", "/_/oidc/audience").json == {"audience": "testpypi"}
        assert mint(on, audience="testpypi").line == "200 OK"


PAYLOADS = {
    "no JSON": (b"hello", "1 validation error for TokenPayload\n  Invalid JSON: expected value at line 1 column 1 ["),
    "no token": (
        b"{}",
        "1 validation error for TokenPayload\ntoken\n  Field required [type=missing, input_value={}, input_type=dict]",
    ),
    "a number": (b'{"token": 1}', "1 validation error for TokenPayload\ntoken\n  Input should be a valid string"),
    "a list": (b"[]", "1 validation error for TokenPayload\n"),
    "empty": (b'{"token": ""}', "malformed JWT"),
    "no JWT": (b'{"token": "hello"}', "malformed JWT"),
    "no JSON inside": (b'{"token": "a.b.c"}', "malformed JWT"),
}


@pytest.mark.parametrize("row", PAYLOADS)
def test_what_is_no_identity_is_an_invalid_payload(row: str) -> None:
    body, words = PAYLOADS[row]
    with index() as on:
        code, description = error(on.ask("POST", MINT, body=body))
    assert code == "invalid-payload"
    assert description.startswith(words)


def test_the_addresses_take_the_methods_that_they_take_on_pypi() -> None:
    with index() as on:
        get, post = on.ask("POST", "/_/oidc/audience"), on.ask("GET", MINT)
        assert (get.status, get.headers["Allow"]) == (405, "GET")
        assert (post.status, post.headers["Allow"]) == (405, "POST")


def test_the_site_may_have_it_switched_off_for_all_or_for_one() -> None:
    with index(replace(WORLD, flags=("disallow-oidc",))) as on:
        told = on.ask("GET", "/_/oidc/audience")
        assert (told.status, told.json) == (403, {"message": "Trusted publishing functionality not enabled"})
        assert error(mint(on)) == ("not-enabled", "github trusted publishing functionality not enabled")
    with index(replace(WORLD, flags=("disallow-github-oidc",))) as on:
        assert on.ask("GET", "/_/oidc/audience").status == 200
        assert error(mint(on)) == ("not-enabled", "github trusted publishing functionality not enabled")
    with index(replace(WORLD, flags=("disallow-gitlab-oidc",))) as on:
        assert mint(on).status == 200


def upload(on: SandboxClient, project: str, token: str) -> Reply:
    return on.upload(project, authorization=basic_auth(token))


def test_the_token_uploads_to_the_publishers_projects_and_to_no_other() -> None:
    with index() as on:
        token = mint(on).json["token"]
        assert upload(on, "acme-widget", token).line == "200 OK"
        other = "is not valid for project"
        twice = f"OIDC scoped token {other} 'acme-gadget', project-scoped token {other}: 'acme-gadget'"
        assert upload(on, "acme-gadget", token).line == f"403 Invalid API Token: {twice}, {twice}"
        assert upload(on, "acme-new", token).line.startswith("400 Non-user identities cannot create new projects. ")
        for project in ("old", "suspect"):
            assert upload(on, project, token).line.startswith(
                f"403 The given token isn't allowed to upload to project '{project}'. See "
            )
        assert on.sandbox.log[-1].username == "widget"


def test_the_token_ends_after_fifteen_minutes() -> None:
    clock = Clock()
    with index(clock=clock) as on:
        token = mint(on, on.sandbox.identity_provider.token("pypi", clock.now)).json["token"]
        clock.advance(minutes=15)
        assert upload(on, "acme-widget", token).line == "403 Invalid API Token: token is expired, token is expired"


BURN = "/_/oidc/burn-token"
#: what is sent instead of an issued token → always the same answer, and nothing is deleted
NOT_BURNT: dict[str, Any] = {
    "no JSON": b"hello",
    "no object": b"[]",
    "no token": b"{}",
    "a number": b'{"token": 1}',
    "empty": b'{"token": ""}',
    "no token of an index": b'{"token": "hello"}',
    "not UTF-8": b"\xff",
    "nothing": b"",
}


def burn(on: SandboxClient, token: str) -> Reply:
    return on.ask("POST", BURN, body=json.dumps({"token": token}).encode())


def test_a_burnt_token_is_unknown_and_both_are_in_the_history_of_each_project() -> None:
    with index() as on:
        token, other = mint(on).json["token"], mint(on).json["token"]
        reply = burn(on, token)
        assert (reply.line, reply.body) == ("202 Accepted", b'{"errors":[],"message":"Accepted"}')
        assert reply.headers["Content-Type"] == "application/json"
        unknown = "403 Invalid or non-existent authentication information. See "
        assert upload(on, "acme-widget", token).line.startswith(unknown)
        assert upload(on, "acme-widget", other).line == "200 OK"
        assert burn(on, token).line == "202 Accepted"
        for project in ("acme-widget", "old", "suspect"):
            made = ["short-lived token created"] * 2
            assert on.sandbox.history(project) == [*made, "short-lived token revoked"]
        assert on.sandbox.history("acme-gadget") == []
        assert on.ask("GET", BURN).headers["Allow"] == "POST"


def test_nothing_but_an_issued_token_is_burnt_and_the_answer_is_the_same() -> None:
    with index(replace(WORLD, tokens=(ApiToken(name="own", user="alice"),))) as on:
        own, issued = on.sandbox.tokens["own"].reveal(), mint(on).json["token"]
        for body in NOT_BURNT.values():
            assert on.ask("POST", BURN, body=body).line == "202 Accepted"
        assert burn(on, own).line == "202 Accepted"
        assert upload(on, "acme-gadget", own).line == "200 OK"
        assert upload(on, "acme-widget", issued).line == "200 OK"
        assert on.sandbox.history("acme-widget") == ["short-lived token created"]


PENDING = github_publisher("new", pending="Acme.New", user="alice")


def test_a_pending_publisher_creates_its_project_at_the_first_exchange_and_is_an_ordinary_one_then() -> None:
    stale = github_publisher("too late", workflow="other.yml", pending="acme-new", user="alice")
    with index(replace(WORLD, publishers=(PENDING, stale))) as on:
        token = mint(on).json["token"]
        assert upload(on, "acme-other", token).line.startswith("400 Non-user identities cannot create new projects. ")
        assert upload(on, "acme-new", token).line == "200 OK"
        assert mint(on).status == 200
        shown = on.ask("GET", "/pypi/acme-new/json").json
        assert shown["ownership"]["roles"] == [{"role": "Owner", "user": "alice"}]


def test_a_pending_publisher_whose_project_was_made_meanwhile_is_void() -> None:
    taken = replace(PENDING, pending="acme-widget")
    with index(replace(WORLD, publishers=(taken,))) as on:
        assert error(mint(on)) == ("invalid-pending-publisher", "valid token, but project already exists")
        assert error(mint(on)) == NOT_FOUND


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("os", "The name 'os' isn't allowed (conflict with Python Standard Library module name)."),
        ("acme-w1dget", "The name 'acme-w1dget' is too similar to an existing project."),
        ("forbidden", "The name 'forbidden' isn't allowed."),
    ],
)
def test_a_pending_publisher_can_not_create_what_nobody_may(name: str, words: str) -> None:
    world = replace(WORLD, publishers=(replace(PENDING, pending=name),), prohibited=("forbidden",))
    with index(world) as on:
        code, description = error(mint(on))
    assert code == "invalid-payload"
    assert description.startswith(words)


def test_two_indexes_may_trust_one_service_and_none_trusts_another() -> None:
    with index() as first, index(identity_provider=first.sandbox.identity_provider) as second, index() as third:
        assert first.sandbox.identity_provider.token("pypi", server.utc_now())
        assert mint(second, first.sandbox.identity_provider.token("pypi", server.utc_now())).status == 200
        assert error(mint(third, first.sandbox.identity_provider.token("pypi", server.utc_now()))) == INVALID


def test_the_service_speaks_to_its_job_alone() -> None:
    with index() as on:
        address = on.sandbox.ambient["ACTIONS_ID_TOKEN_REQUEST_URL"].removeprefix(on.site) + "&audience=pypi"
        assert on.ask("GET", address).status == 401
        assert on.ask("GET", address, headers={"Authorization": "bearer nobody"}).status == 401
        shown = on.sandbox.ambient["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
        reply = on.ask("GET", address, headers={"Authorization": f"bearer {shown}"})
        assert reply.status == 200
        assert mint(on, reply.json["value"]).status == 200


def test_faults_strike_the_exchange_too() -> None:
    with index() as on:
        on.sandbox.inject(Fault(what=CannedResponse(status=503), when=RequestFilter(path="/_/oidc/mint-token", nth=1)))
        assert mint(on).status == 503
        assert mint(on).status == 200


def test_a_state_directory_keeps_publishers_their_projects_and_used_identities(tmp_path: Any) -> None:
    issuer = IdentityProvider()
    world = replace(WORLD, publishers=(PENDING,))
    used = issuer.token("pypi", server.utc_now())
    for expected in ("200 OK", "422 Unprocessable Entity"):
        with index(world, state=tmp_path, identity_provider=issuer) as on:
            assert mint(on, used).line == expected
            assert mint(on, issuer.token("pypi", server.utc_now())).line == "200 OK"


def test_a_signature_is_the_providers_and_of_these_bytes_alone() -> None:
    now, provider = server.utc_now(), IdentityProvider()
    token = provider.token("pypi", now)
    head, payload, signature = token.split(".")
    _, other_payload, _ = provider.token("pypi", now).split(".")

    def is_verified(token: str, provider: IdentityProvider = provider) -> bool:
        return provider.verify(token, ISSUERS["github"], "pypi", now) is not None

    assert is_verified(token)
    assert not is_verified(f"{head}.{other_payload}.{signature}")
    assert not is_verified(token, IdentityProvider())
    assert not is_verified(token[:-4])
    assert not is_verified(f"{head}.{payload}.{'_' * len(signature)}")


def world(*publishers: Mapping[str, Any], **job: Any) -> str:
    users = {"users": [{"name": "alice"}], "projects": [{"name": "acme-widget"}]}
    return json.dumps({**users, "publishers": publishers, "job": job})


USUAL: dict[str, Any] = {
    "name": "w",
    "repository": "acme/widget",
    "workflow": "release.yml",
    "projects": ["acme-widget"],
}


def test_the_world_file_says_them_all() -> None:
    pending = {"name": "p", "repository": "a/b", "workflow": "c.yml", "pending": "new", "user": "alice"}
    read = SeedData.parse(world(USUAL, {**USUAL, "name": "e", "environment": "pypi"}, pending, environment=None))
    assert read.publishers == (
        github_publisher("w", "acme-widget"),
        github_publisher("e", "acme-widget", environment="pypi"),
        github_publisher("p", repository="a/b", workflow="c.yml", pending="new", user="alice"),
    )
    assert read.job == CiJob(environment=None)


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "neither": (
        {"name": "w", "repository": "a/b", "workflow": "c.yml"},
        "a publisher has either projects, or a pending project",
    ),
    "both": ({**USUAL, "pending": "new"}, "a publisher has either projects, or a pending project and its user"),
    "no workflow": ({"name": "w", "repository": "a/b", "projects": []}, "publishers[0].workflow is missing"),
    "of another": ({**USUAL, "email": "a@b"}, "publishers[0].email is not a key for github"),
    "unknown": ({**USUAL, "provider": "git"}, "publishers[0].provider: unknown 'git'"),
    "no such project": ({**USUAL, "projects": ["other"]}, "publishers[0].projects: unknown 'other'"),
}


@pytest.mark.parametrize("row", MISTAKES)
def test_a_mistake_in_the_world_file_is_named(row: str) -> None:
    publisher, message = MISTAKES[row]
    with pytest.raises(UsageError) as caught:
        SeedData.parse(world(publisher))
    assert message in caught.value.message

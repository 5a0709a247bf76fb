"""What is asked of an index about a credential, in which order, and what is not asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters import collect, project_config
from release.adapters.index import json_api, simple_api, token_probes
from release.adapters.oidc import provider
from release.adapters.system.system import System, real_system
from release.checks import engine
from release.core.errors import UnreachableError, UsageError
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import Finding, NotApplicable, Unknown
from release.core.models.credential import Ambient, Credential, Resolution
from release.core.models.index import PYPI, Index, IndexFile, Ownership, ProjectListing
from release.core.models.oidc_identity import OidcIdentity
from release.core.models.probe import STANDARD_MODULES, ProbeKind, ProbeResult, ServerResponse
from release.core.models.secret_location import NotStored, TrustedPublishing
from release.core.secret import Secret
from release.core.tokens.token import Token
from release.credentials import sources, verify
from tests.fake_tokens import token

ACME = ProjectMetadata(name="acme", version="1.0")
NAMELESS = Unknown(reason="no name", remedy="name it")
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
TOKEN = Secret(token())
OTHER = Index(name="acme", upload_url="https://acme.test/legacy/", simple_url="https://acme.test/simple/", kind="other")
SILENT = UnreachableError("no answer", remedy="retry", cause="net.dns-offline")
UNKNOWN = Unknown(reason="no answer", remedy="retry", cause="net.dns-offline")
TYPED = NotStored(description="your input")
CREDENTIAL = Credential(username="__token__", username_origin=TYPED, password=TOKEN, origin=TYPED)


@pytest.fixture
def system(tmp_path: Path) -> System:
    return replace(real_system(), env={}, home=tmp_path, now=lambda: NOW)


def access(credential: Any = CREDENTIAL, index: Index = PYPI, project: Any = ACME, **rest: Any) -> Access:
    return Access(index=index, project=project, credential=credential, remarks=(), token=None, now=NOW,
                  **{"listing": None, **rest})  # fmt: skip


def answer(kind: ProbeKind, text: str = "", **headers: str) -> ProbeResult:
    return ProbeResult(kind=kind, project="", reply=ServerResponse(status=400, reason=text, headers=headers))


KNOWN = answer("identity", "Unknown protocol version", date="Sat, 28 Nov 2026 12:05:00 GMT")


def listing(*versions: str) -> ProjectListing:
    files = tuple(IndexFile(filename=f"acme-{one}.tar.gz", url="", sha256=None) for one in versions)
    return ProjectListing(name="Acme", files=files)


def raising(error: Exception) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def note(asked: list[Any], words: object, result: Any) -> Any:
    asked.append(words)
    return result


# -- the token ---------------------------------------------------------------------------------------


def test_whether_the_index_knows_the_token(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(token_probes, "may_probe", lambda *words: note(asked, words, True))
    monkeypatch.setattr(token_probes, "probe_identity", lambda *words: note(asked, words, KNOWN))
    found = verify.query_token(system, access())
    assert asked == [(PYPI, TOKEN), (PYPI, TOKEN)]
    assert (found.identity, found.skew) == (KNOWN, timedelta(minutes=5))
    monkeypatch.setattr(token_probes, "probe_identity", lambda *_: answer("identity"))
    assert verify.query_token(system, access()).skew is None
    monkeypatch.setattr(token_probes, "probe_identity", raising(SILENT))
    found = verify.query_token(system, access())
    assert (found.identity, found.skew) == (UNKNOWN, None)


def test_no_token_is_sent_where_it_may_not_be(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_probes, "probe_identity", raising(AssertionError("asked")))
    monkeypatch.setattr(token_probes, "may_probe", lambda *_: True)
    for facts in (access(None), access(UNKNOWN), access(index=replace(PYPI, ephemeral=True))):
        assert verify.query_token(system, facts) is facts
    monkeypatch.setattr(token_probes, "may_probe", lambda *_: False)
    facts = access()
    assert verify.query_token(system, facts) is facts


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ({"listing": listing("1.10", "1.2"), "skew": timedelta(minutes=5)}, {"name": "Acme", "version": "1.2"}),
        ({"listing": listing(), "ownership": Ownership(name="ACME")}, {"name": "ACME", "version": "0"}),
    ],
)
def test_the_permission_for_a_project_is_probed_with_its_oldest_release(
    system: System, monkeypatch: pytest.MonkeyPatch, rest: dict[str, Any], expected: dict[str, str]
) -> None:
    asked: list[Any] = []
    result = answer("permission")
    monkeypatch.setattr(token_probes, "probe_permission", lambda *words, **named: note(asked, (words, named), result))
    found = verify.query_permission(system, access(identity=KNOWN, **rest))
    assert found.permission is result
    assert asked == [((PYPI, TOKEN), {**expected, "now": NOW + rest.get("skew", timedelta())})]


def test_the_permission_for_a_new_project(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    result = answer("first-release")
    taken: Any = {STANDARD_MODULES[0]: listing("1.0")}
    monkeypatch.setattr(collect, "collect_listing", lambda index, name: taken.get(name) if index == PYPI else UNKNOWN)
    monkeypatch.setattr(token_probes, "probe_first_release", lambda *w, **named: note(asked, (w, named), result))
    assert verify.query_permission(system, access(identity=KNOWN)).permission is result
    assert asked == [((PYPI, TOKEN), {"module": STANDARD_MODULES[1]})]
    taken.update(dict.fromkeys(STANDARD_MODULES, UNKNOWN))
    assert verify.query_permission(system, access(identity=KNOWN)).permission is None


def test_no_permission_is_probed_in_vain(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("probe_permission", "probe_first_release"):
        monkeypatch.setattr(token_probes, name, raising(AssertionError("asked")))
    for facts in (
        access(None, identity=KNOWN), access(), access(identity=UNKNOWN), access(identity=answer("identity", "no")),
        access(identity=KNOWN, listing=UNKNOWN), access(identity=KNOWN, listing=NotApplicable(reason="offline")),
    ):  # fmt: skip
        assert verify.query_permission(system, facts).permission is None
    monkeypatch.setattr(token_probes, "probe_permission", raising(SILENT))
    assert verify.query_permission(system, access(identity=KNOWN, listing=listing("1"))).permission == UNKNOWN


# -- the project -------------------------------------------------------------------------------------


def test_what_the_index_has_of_the_project(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    owners = Ownership(name="ACME")
    monkeypatch.setattr(collect, "collect_listing", lambda index, name: {(PYPI, "acme"): listing("1")}[index, name])
    monkeypatch.setattr(json_api, "fetch_ownership", lambda index, name: {(PYPI, "acme"): owners}[index, name])
    found = verify.query_project(system, access(listing=NAMELESS))
    assert (found.listing, found.ownership) == (listing("1"), owners)
    monkeypatch.setattr(json_api, "fetch_ownership", raising(SILENT))
    assert verify.query_project(system, access()).ownership is None
    assert verify.query_project(system, access(project=NAMELESS)).listing == NAMELESS


def test_names_that_are_too_similar_to_a_new_one(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "collect_listing", lambda *_: None)
    monkeypatch.setattr(simple_api, "fetch_project_names", lambda index: {PYPI: ("acmе", "a-c-m-e", "widget")}[index])  # noqa: RUF001 - a Cyrillic letter
    found = verify.query_project(system, access(listing=UNKNOWN))
    assert found.listing is None
    assert found.similar_names == ("a-c-m-e",)
    monkeypatch.setattr(simple_api, "fetch_project_names", raising(SILENT))
    assert verify.query_project(system, access()).similar_names == UNKNOWN
    monkeypatch.setattr(simple_api, "fetch_project_names", raising(AssertionError("asked")))
    for index in (OTHER, replace(PYPI, ephemeral=True)):
        assert verify.query_project(system, access(index=index, listing=UNKNOWN)).listing is None
    monkeypatch.setattr(collect, "collect_listing", lambda *_: UNKNOWN)
    assert verify.query_project(system, access()).listing == UNKNOWN


# -- the identity of a job ---------------------------------------------------------------------------

AMBIENT = Ambient(provider="GitHub", origin=TrustedPublishing(provider="GitHub"))
IDENTITY = OidcIdentity(provider="GitHub", audience="pypi", token=Secret("x"), claims={})


def test_the_identity_of_a_job(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(provider, "fetch_audience", lambda index: f"audience of {index.name}")
    monkeypatch.setattr(provider, "request_identity", lambda *w, **named: note(asked, (w, named), IDENTITY))
    found = verify.query_job_identity(system, access(AMBIENT)).credential
    assert isinstance(found, Ambient)
    assert found.identity is IDENTITY
    assert asked == [((system, "audience of pypi"), {"for_proof": True})]
    monkeypatch.setattr(provider, "request_identity", raising(SILENT))
    found = verify.query_job_identity(system, access(AMBIENT)).credential
    assert isinstance(found, Ambient)
    assert found.identity == UNKNOWN
    refused = provider.NoIdentityError("no permission", remedy="grant it", cause="tp.id-token-permission")
    monkeypatch.setattr(provider, "request_identity", raising(refused))
    found = verify.query_job_identity(system, access(AMBIENT)).credential
    assert isinstance(found, Ambient)
    assert found.identity == Finding(message="no permission", remedy="grant it", cause="tp.id-token-permission")
    monkeypatch.setattr(provider, "request_identity", raising(AssertionError("asked")))
    known = replace(AMBIENT, identity=IDENTITY)
    for facts in (access(), access(None), access(known), access(AMBIENT, index=replace(PYPI, ephemeral=True))):
        assert verify.query_job_identity(system, facts) is facts


# -- the whole ---------------------------------------------------------------------------------------


def test_a_tier_is_queried_only_while_nothing_blocks(system: System) -> None:
    asked: list[str] = []

    def tier(name: str, **changes: Any) -> verify.Tier:
        def query(_: System, facts: Access) -> Access:
            asked.append(name)
            return replace(facts, **changes)

        return query

    tiers = (tier("a", listing=listing("1")), tier("b", identity=answer("identity", "no")), tier("c"))
    found = verify.verify_token(system, PYPI, TOKEN, ACME, name="the file", tiers=tiers)
    assert asked == ["a", "b"]
    assert found.verdict.word == "unknown"
    assert isinstance(found.access.credential, Credential)
    assert (
        found.access.credential.origin == found.access.credential.username_origin == NotStored(description="the file")
    )
    assert isinstance(found.access.token, Token)
    assert not found.offline
    assert not found.access.releasing
    offline = verify.verify_token(system, PYPI, TOKEN, ACME, offline=True, tiers=tiers)
    assert asked == ["a", "b"]
    assert offline.offline
    assert offline.access.listing == NotApplicable(reason="the index was not contacted")
    assert {one.subject for one in offline.outcomes} == {"pypi"}


def test_facts_that_a_tier_leaves_as_they_are_are_not_checked_again(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked, run = [], engine.run

    def note(checks: Any, facts: Access, **options: Any) -> Any:
        checked.append(facts.listing)
        return run(checks, facts, **options)

    monkeypatch.setattr(engine, "run", note)
    found = listing("1")
    tiers = (lambda _, facts: facts, lambda _, facts: replace(facts, listing=found), lambda _, facts: facts)
    verify.verify_token(system, PYPI, TOKEN, ACME, tiers=tiers)
    before = NotApplicable(reason="the index was not contacted")
    assert checked == [before, found, found], "before the first tier, after the second, and for the result"


def test_where_a_credential_comes_from(system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []
    resolved = Resolution(credential=CREDENTIAL, can_store=False)
    monkeypatch.setattr(sources, "resolve", lambda query: note(asked, query, resolved))
    found = verify.verify_credential(system, OTHER, ACME, offline=True, directory=tmp_path, warn_before=timedelta(9))
    (query,) = asked
    assert (query.index, query.env, query.home, query.directory, query.project, query.every_source) == (
        OTHER, {}, system.home, tmp_path, "acme", True,
    )  # fmt: skip
    assert (found.access.token, found.access.warn_before) == (None, timedelta(9))
    assert found.access.user.options == ("--directory", str(tmp_path))
    assert not found.access.user.can_store
    assert verify.verify_credential(system, PYPI, ACME, offline=True, directory=tmp_path).access.user.options == ()
    assert verify.verify_credential(system, OTHER, NAMELESS, offline=True).access.user.options == ()
    assert asked[-1].project is None
    given = verify.verify_credential(system, PYPI, ACME, offline=True, credential=Resolution(credential=None))
    assert given.access.credential is None
    assert len(asked) == 3
    here = verify.verify_credential(system, OTHER, ACME, offline=True, directory=Path.cwd())
    assert here.access.user.options == ()


def test_the_facts_for_a_release(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = Resolution(credential=CREDENTIAL)
    asked: list[Any] = []
    monkeypatch.setattr(sources, "resolve", lambda query: note(asked, query, resolved))
    found = verify.collect_access(system, PYPI, ACME, ours=frozenset("a"), new_project="acme", offline=True)
    assert (asked[0].index, asked[0].env, asked[0].home, asked[0].project) == (PYPI, {}, system.home, "acme")
    assert (found.ours, found.new_project, found.releasing) == (frozenset("a"), "acme", True)
    assert found.credential == CREDENTIAL
    monkeypatch.setattr(collect, "collect_listing", lambda *_: listing("0.9"))
    monkeypatch.setattr(json_api, "fetch_ownership", raising(SILENT))
    monkeypatch.setattr(token_probes, "may_probe", lambda *_: True)
    monkeypatch.setattr(token_probes, "probe_identity", lambda *_: KNOWN)
    result = answer("permission", "The description failed to render")
    monkeypatch.setattr(token_probes, "probe_permission", lambda *_, **__: result)
    found = verify.collect_access(system, PYPI, ACME, credential=CREDENTIAL)
    assert (found.listing, found.identity, found.permission) == (listing("0.9"), KNOWN, result)
    assert len(asked) == 1


def test_the_project_is_named_or_declared(system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, named = verify.load_config_and_project(system, tmp_path, name="Acme")
    assert named == ProjectMetadata(name="Acme", version="")
    assert "pypi" in config.indexes
    with pytest.raises(UsageError) as refused:
        verify.load_config_and_project(system, tmp_path, name="-acme")
    assert (refused.value.message, refused.value.remedy) == (
        "'-acme' is not a valid project name", "give the name as the index shows it",
    )  # fmt: skip
    declared = '[project]\nname = "acme"\n'
    tmp_path.joinpath("pyproject.toml").write_text(f'{declared}version = "1.0"\n')
    assert verify.load_config_and_project(system, tmp_path)[1] == ACME
    tmp_path.joinpath("pyproject.toml").write_text(f'{declared}dynamic = ["version"]\n')
    asked: list[Any] = []
    monkeypatch.setattr(collect, "collect_project", lambda *words, **named: note(asked, (words, named), NAMELESS))
    assert verify.load_config_and_project(system, tmp_path)[1] == ProjectMetadata(name="acme", version="")
    quick: Any = ((system, tmp_path), {"ask_backend": False})
    thorough: Any = ((system, tmp_path), {})
    assert asked == [quick]
    monkeypatch.setattr(project_config, "load_project_name", lambda _: None)
    assert verify.load_config_and_project(system, tmp_path, offline=True)[1] == NAMELESS
    assert len(asked) == 2
    assert verify.load_config_and_project(system, tmp_path)[1] == NAMELESS
    assert asked[2:] == [quick, thorough]

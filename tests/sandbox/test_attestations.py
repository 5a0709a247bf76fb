"""What the index says to attestations, in its words and order; and how it shows those that it took."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from release.sandbox.seed import SeedData
from tests.sample_distributions import sdist_name, wheel, wheel_name
from tests.sandbox.sandbox_client import SEED_DATA, SandboxClient, sandbox_client

PUBLISH, BUILD = "https://docs.pypi.org/attestations/publish/v1", "https://slsa.dev/provenance/v1"
GITHUB = {"kind": "GitHub", "repository": "octo/widget", "workflow": "release.yml", "environment": "pypi"}
TOKENS = [
    *SEED_DATA["tokens"],
    {"name": "github", "user": "alice", "publisher": GITHUB},
    {"name": "activestate", "user": "alice", "publisher": {"kind": "ActiveState"}},
]
INVALID = "Invalid attestations supplied during upload: "
MALFORMED = f"{INVALID}Malformed attestations: "
DISBELIEVED = f"{INVALID}Could not verify the uploaded artifact using the included attestation: Verification failed: "
NO_TP = "Attestations are only supported when using Trusted Publishing"
NOT_THEIRS = "Attestations are not currently supported with ActiveState publishers"
OTHER_BYTES = "subject does not match distribution digest"
OTHER_NAME = f"subject does not match distribution name: {sdist_name()} != {wheel_name()}"
TWO_SUBJECTS = "too many subjects in statement (must be exactly one)"
TWICE = f"Multiple attestations for the same file with the same predicate type ({PUBLISH}) are not supported"
JSON = {"Accept": "application/vnd.pypi.integrity.v1+json"}


@pytest.fixture(name="pypi")
def _pypi() -> Iterator[SandboxClient]:
    with sandbox_client({"tokens": TOKENS}) as running:
        yield running


def attestation(
    filename: str = wheel_name(), content: bytes | None = None, kind: str = PUBLISH, **more: Any
) -> dict[str, Any]:
    """One whose form is right, and whose signature is not."""
    sha256 = hashlib.sha256(content or wheel()).hexdigest()
    statement = {
        "_type": "https://in-toto.io/Statement/v1", "predicateType": kind, "predicate": None,
        "subject": [{"name": filename, "digest": {"sha256": sha256}}],
    }  # fmt: skip
    envelope = {"statement": _b64(json.dumps(statement | more).encode()), "signature": _b64(b"signed")}
    material = {"certificate": _b64(b"certificate"), "transparency_entries": [{}]}
    return {"version": 1, "verification_material": material, "envelope": envelope}


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def without(*path: str) -> dict[str, Any]:
    made = attestation()
    part = made
    for name in path[:-1]:
        part = part[name]
    del part[path[-1]]
    return made


SUBJECT = {"name": wheel_name(), "digest": {"sha256": "0" * 64}}
ONE = f"{MALFORMED}1 validation error for list[Attestation]"
MOST = f"{INVALID}A maximum of 2 attestations per file are supported"
#: token, the form's field (a text as it is; anything else as JSON), the reason phrase
REFUSED: dict[str, tuple[str, Any, str]] = {
    "an API token": ("account", [attestation()], f"{INVALID}{NO_TP}"),
    "a publisher without": ("activestate", [attestation()], f"{INVALID}{NOT_THEIRS}"),
    "no JSON": ("github", "x", ONE),
    "no list": ("github", {}, ONE),
    "no objects": ("github", [1, 2], f"{MALFORMED}2 validation errors for list[Attestation]"),
    "nothing in it": ("github", [{}], f"{MALFORMED}3 validation errors for list[Attestation]"),
    "no statement": ("github", [without("envelope", "statement")], ONE),
    "no log entry": ("github", [without("verification_material", "transparency_entries")], ONE),
    "another version": ("github", [attestation() | {"version": 2}], ONE),
    "none": ("github", [], f"{MALFORMED}an empty attestation set is not permitted"),
    "three": ("github", [attestation()] * 3, MOST),
    "other bytes": ("github", [attestation(content=b"other")], f"{DISBELIEVED}{OTHER_BYTES}"),
    "another file": ("github", [attestation(sdist_name())], f"{DISBELIEVED}{OTHER_NAME}"),
    "two subjects": ("github", [attestation(subject=[SUBJECT, SUBJECT])], f"{DISBELIEVED}{TWO_SUBJECTS}"),
    "another kind": ("github", [attestation(kind="urn:x")], f"{DISBELIEVED}unknown attestation type: urn:x"),
    "the same twice": ("github", [attestation()] * 2, f"{INVALID}{TWICE}"),
    "first the count": ("github", [attestation(content=b"other")] * 3, MOST),
}


@pytest.mark.parametrize("row", REFUSED)
def test_what_the_index_says_to_attestations_that_it_does_not_take(row: str, pypi: SandboxClient) -> None:
    token, field, reason = REFUSED[row]
    text = field if isinstance(field, str) else json.dumps(field)
    reply = pypi.upload(token=token, changes={"attestations": text}, accept="application/json")
    assert (reply.status, reply.reason) == (400, reason)
    assert reason in reply.json["message"]
    assert pypi.files() == []


def test_the_whole_of_what_is_malformed_stands_in_the_body(pypi: SandboxClient) -> None:
    changes = {"attestations": json.dumps([without("envelope", "signature")])}
    reply = pypi.upload(token="github", changes=changes, accept="application/json")
    assert "0.envelope.signature\n  Field required" in reply.json["message"]


def test_the_file_is_looked_at_before_its_attestations(pypi: SandboxClient) -> None:
    reply = pypi.upload(token="github", content=b"no zip", changes={"attestations": "x"})
    assert reply.reason == "Invalid distribution file. File is not a zipfile"


def test_attestations_are_shown_beside_the_file_that_they_came_with(pypi: SandboxClient) -> None:
    both = [attestation(), attestation(kind=BUILD)]
    assert pypi.upload(token="github", changes={"attestations": json.dumps(both)}).status == 200
    assert pypi.upload(source=True).status == 200
    bare, signed = pypi.listing()["files"] if pypi.files()[0].endswith(".gz") else pypi.listing()["files"][::-1]
    assert bare["provenance"] is None
    assert signed["provenance"] == f"{pypi.site}/integrity/acme-widget/1.0/{wheel_name()}/provenance"
    reply = pypi.ask("GET", signed["provenance"].removeprefix(pypi.site), headers=JSON)
    assert reply.headers["Content-Type"] == JSON["Accept"]
    assert reply.json == {"version": 1, "attestation_bundles": [{"publisher": GITHUB, "attestations": both}]}
    page = pypi.ask("GET", "/simple/acme-widget/", headers={"Accept": "text/html"}).body.decode()
    assert page.count("data-provenance=") == 1
    assert f'data-provenance="{signed["provenance"]}"' in page
    assert [one.attested for one in pypi.sandbox.log if one.method == "POST"] == [True, False]


ASKED: dict[str, tuple[str, dict[str, str], int, str | None]] = {
    "none": (f"/integrity/acme-widget/1.0/{wheel_name()}/provenance", JSON, 404,
             f"No provenance available for {wheel_name()}"),
    "any name": (f"/integrity/Acme.Widget/1.0/{wheel_name()}/provenance", {}, 404,
                 f"No provenance available for {wheel_name()}"),
    "no such file": (f"/integrity/acme-widget/1.0/{sdist_name()}/provenance", JSON, 404, None),
    "HTML": (f"/integrity/acme-widget/1.0/{wheel_name()}/provenance", {"Accept": "text/html"}, 406,
             "Request not acceptable"),
    "plain JSON": (f"/integrity/acme-widget/1.0/{wheel_name()}/provenance", {"Accept": "application/json"}, 404,
                   f"No provenance available for {wheel_name()}"),
}  # fmt: skip


@pytest.mark.parametrize("row", ASKED)
def test_what_is_said_of_a_file_without_provenance(row: str, pypi: SandboxClient) -> None:
    path, headers, status, message = ASKED[row]
    pypi.upload()
    reply = pypi.ask("GET", path, headers=headers)
    assert reply.status == status
    if message is not None:
        assert reply.json == {"message": message}


def test_where_attestations_are_switched_off_they_are_passed_over() -> None:
    with sandbox_client({"tokens": TOKENS, "flags": ["disable-pep740"]}) as pypi:
        assert pypi.upload(token="account", changes={"attestations": "x"}).status == 200
        reply = pypi.ask("GET", f"/integrity/acme-widget/1.0/{wheel_name()}/provenance", headers=JSON)
        assert (reply.status, reply.json) == (403, {"message": "Attestations temporarily disabled"})


def test_with_a_sigstore_of_its_own_the_index_believes_that_one_alone(tmp_path: Path) -> None:
    pytest.importorskip("pypi_attestations")
    from release.adapters import sigstore
    from release.adapters.builds import builder
    from release.core.models.oidc_identity import parse_identity
    from release.core.secret import Secret
    from tests.adapters import fake_sigstore

    (tmp_path / wheel_name()).write_bytes(wheel())
    with fake_sigstore.running() as service:
        trust = sigstore.Sigstore(config=service.write(tmp_path))
        identity = parse_identity(Secret(fake_sigstore.id_token(service.claims, "sigstore")), "GitHub", "sigstore")
        made = sigstore.sign_files([builder.load_distribution(tmp_path / wheel_name())], trust, identity)
    with sandbox_client({"tokens": TOKENS, "sigstore": str(trust.config)}) as pypi:
        unsigned = pypi.upload(token="github", changes={"attestations": json.dumps([attestation()])})
        assert unsigned.reason.startswith(DISBELIEVED.removesuffix("Verification failed: "))
        signed = pypi.upload(token="github", changes={"attestations": f"[{made[wheel_name()]}]"})
        assert signed.line == "200 OK"


def test_the_world_in_the_documentation_is_one() -> None:
    text = (Path(__file__).parents[2] / "docs" / "attestations.md").read_text(encoding="utf-8")
    world = SeedData.parse(text.partition("```json\n")[2].partition("```")[0])
    assert str(world.tokens[0].publisher) == "GitHub, octo/widget, release.yml"
    assert world.sigstore == "trust-config.json"

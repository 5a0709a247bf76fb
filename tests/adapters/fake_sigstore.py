"""A Sigstore on loopback: certificate authority, certificate log, signature log, identity issuer.

Its keys are made for one test. What it signs is as real as what the public one signs, for whoever
trusts its root: `trust_config` is what `sigstore --trust-config` takes.
Sources: RFC 6962 (SCT, tree hashes), Fulcio's and Rekor's HTTP APIs as sigstore 4.5 asks them,
"Fulcio OID information" (what a certificate tells of a workflow).
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.adapters.loopback_server import Handler, loopback_server

GITHUB = "https://token.actions.githubusercontent.com"
WORKFLOW = "octo/widget/.github/workflows/release.yml@refs/tags/v1.0"
#: what GitHub says of a job of octo/widget, in its workflow release.yml
CLAIMS = {
    "iss": GITHUB,
    "sub": "repo:octo/widget:environment:pypi",
    "repository": "octo/widget",
    "environment": "pypi",
    "workflow_ref": WORKFLOW,
    "job_workflow_ref": WORKFLOW,
    "ref": "refs/tags/v1.0",
    "sha": "1" * 40,
}
_SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_FULCIO = "1.3.6.1.4.1.57264.1."


def id_token(claims: Mapping[str, Any], audience: str) -> str:
    """An identity token without a valid signature, which is not verified here."""
    now = int(time.time())
    payload = {**claims, "aud": audience, "iat": now, "nbf": now, "exp": now + 300}
    parts = [json.dumps(one).encode() for one in ({"alg": "RS256", "typ": "JWT"}, payload)] + [b"signature"]
    return ".".join(base64.urlsafe_b64encode(one).decode().rstrip("=") for one in parts)


@dataclass
class Sigstore:
    """The service; `claims` may be changed between two signatures."""

    claims: dict[str, Any]
    url: str = ""
    ca: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    log: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    #: paths that were asked for, in order
    asked: list[str] = field(default_factory=list)
    #: path → status that it answers, with nothing done
    broken: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sigstore of a test")])
        key = self.ca.public_key()
        self.root = (
            x509.CertificateBuilder(name, name, key, x509.random_serial_number(), *_lifetime(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(self.ca, hashes.SHA256())
        )

    def answer(self, handler: Handler) -> None:
        path, _, query = handler.path.partition("?")
        self.asked.append(path)
        body = handler.server_record.asked[-1].body
        if path in self.broken:
            handler.reply(self.broken[path], "{}", kind="application/json")
            return
        match path:
            case "/id-token":
                audience = query.partition("audience=")[2].partition("&")[0]
                data: Any = {"value": id_token(self.claims, audience)}
            case "/api/v2/signingCert":
                token = handler.headers["Authorization"].removeprefix("Bearer ")
                data = self._certify(json.loads(body), _claims(token))
            case "/api/v1/log/entries":
                data = self._log(json.loads(body))
            case _:
                handler.reply(404)
                return
        handler.reply(200 if path == "/id-token" else 201, json.dumps(data), kind="application/json")

    def _certify(self, request: dict[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
        csr = x509.load_pem_x509_csr(base64.b64decode(request["certificateSigningRequest"]))
        ahead = self._builder(csr, claims).sign(self.ca, hashes.SHA256())
        scts = x509.UnrecognizedExtension(_SCTS, _octets(self._sct(ahead.tbs_certificate_bytes)))
        signed = self._builder(csr, claims, ahead).add_extension(scts, critical=False).sign(self.ca, hashes.SHA256())
        chain = [one.public_bytes(Encoding.PEM).decode() for one in (signed, self.root)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def _builder(
        self, csr: x509.CertificateSigningRequest, claims: Mapping[str, Any], like: x509.Certificate | None = None
    ) -> x509.CertificateBuilder:
        """A certificate for ten minutes, with the claims of the identity token."""
        serial = like.serial_number if like else x509.random_serial_number()
        lifetime = (like.not_valid_before_utc, like.not_valid_after_utc) if like else _lifetime(minutes=10)
        key = csr.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        made = x509.CertificateBuilder(self.root.subject, x509.Name([]), key, serial, *lifetime)
        site = "https://github.com/"
        made = (
            made.add_extension(_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca.public_key()), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(site + claims["job_workflow_ref"])]),
                critical=True,
            )
        )
        told = {
            8: claims["iss"], 9: site + claims["job_workflow_ref"], 12: site + claims["repository"],
            13: claims["sha"], 14: claims["ref"], 18: site + claims["workflow_ref"],
        }  # fmt: skip
        for number, text in told.items():
            oid = x509.ObjectIdentifier(f"{_FULCIO}{number}")
            made = made.add_extension(x509.UnrecognizedExtension(oid, _der(0x0C, text.encode())), critical=False)
        return made

    def _sct(self, tbs: bytes) -> bytes:
        """The list of one signed certificate timestamp."""
        now = int(time.time() * 1000)
        issuer = hashlib.sha256(_spki(self.ca)).digest()
        entry = issuer + len(tbs).to_bytes(3, "big") + tbs
        signature = self._sign(struct.pack("!BBQH", 0, 0, now, 1) + entry + b"\0\0")
        sct = b"\0" + self._log_id + struct.pack("!Q", now) + b"\0\0" + b"\4\3" + _counted(signature)
        return _counted(_counted(sct))

    def _log(self, proposed: dict[str, Any]) -> dict[str, Any]:
        """A log entry for a DSSE envelope, alone in its tree."""
        content = proposed["spec"]["proposedContent"]
        envelope = json.loads(content["envelope"])
        spec = {
            "envelopeHash": _sha256(content["envelope"].encode()),
            "payloadHash": _sha256(base64.b64decode(envelope["payload"])),
            "signatures": [
                {"signature": one["sig"], "verifier": content["verifiers"][0]} for one in envelope["signatures"]
            ],
        }
        body = json.dumps({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}, separators=(",", ":")).encode()
        root, now = hashlib.sha256(b"\0" + body).digest(), int(time.time())
        entry = {"body": base64.b64encode(body).decode(), "integratedTime": now, "logID": self._log_id.hex()}
        entry["logIndex"] = 0
        canonical = json.dumps(entry, separators=(",", ":"), sort_keys=True).encode()
        note = f"log.example - 1\n1\n{base64.b64encode(root).decode()}\n"
        seal = base64.b64encode(self._log_id[:4] + self._sign(note.encode())).decode()
        proof = {
            "checkpoint": f"{note}\n\u2014 log.example {seal}\n", "hashes": [], "logIndex": 0,
            "rootHash": root.hex(), "treeSize": 1,
        }  # fmt: skip
        promise = base64.b64encode(self._sign(canonical)).decode()
        return {"0" * 80: entry | {"verification": {"inclusionProof": proof, "signedEntryTimestamp": promise}}}

    def _sign(self, data: bytes) -> bytes:
        return self.log.sign(data, ec.ECDSA(hashes.SHA256()))

    @property
    def _log_id(self) -> bytes:
        return hashlib.sha256(_spki(self.log)).digest()

    @property
    def trust_config(self) -> str:
        """The signing configuration and the trusted root, as JSON."""
        valid = {"start": "2020-01-01T00:00:00Z"}
        key = {"rawBytes": _b64(_spki(self.log)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid}
        log = {
            "baseUrl": self.url, "hashAlgorithm": "SHA2_256", "publicKey": key,
            "logId": {"keyId": _b64(self._log_id)},
        }  # fmt: skip
        root = {
            "subject": {"organization": "test", "commonName": "test"},
            "uri": self.url,
            "certChain": {"certificates": [{"rawBytes": _b64(self.root.public_bytes(Encoding.DER))}]},
            "validFor": valid,
        }
        service = {"url": self.url, "majorApiVersion": 1, "validFor": valid, "operator": "test"}
        return json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                "trustedRoot": {
                    "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                    "tlogs": [log], "ctlogs": [log], "certificateAuthorities": [root], "timestampAuthorities": [],
                },
                "signingConfig": {
                    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                    "caUrls": [service], "oidcUrls": [service], "rekorTlogUrls": [service], "tsaUrls": [],
                    "rekorTlogConfig": {"selector": "ANY"}, "tsaConfig": {"selector": "ANY"},
                },
            }
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        """The environment variables of a GitHub job that may request an identity token."""
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/id-token",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a password of the runner",
        }

    def write(self, directory: Path) -> Path:
        """The trust configuration, as a file."""
        path = directory / "trust.json"
        path.write_text(self.trust_config, encoding="utf-8")
        return path


@contextmanager
def running(**claims: str) -> Iterator[Sigstore]:
    """A running Sigstore; `claims` replace those of `CLAIMS` in the identity tokens."""
    made = Sigstore(claims=CLAIMS | claims)
    with loopback_server(made.answer) as server:
        made.url = server.url.rstrip("/")
        yield made


def _lifetime(**span: float) -> tuple[datetime, datetime]:
    now = datetime.now(UTC).replace(microsecond=0)
    return now - timedelta(seconds=5), now + timedelta(**span)


def _usage(*, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    data: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return data


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _der(tag: int, data: bytes) -> bytes:
    size = len(data)
    length = bytes([size]) if size < 0x80 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + data


def _octets(data: bytes) -> bytes:
    return _der(0x04, data)


def _counted(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _sha256(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()

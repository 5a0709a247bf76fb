"""A mail server on loopback that keeps what it gets; with TLS by a certificate of its own, and with a login."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal


@dataclass
class MailServer:
    """What one server got."""

    port: int
    messages: list[EmailMessage] = field(default_factory=list)
    #: (MAIL FROM, RCPT TO) of each
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    #: whom it takes no mail for
    refused: set[str] = field(default_factory=set)
    #: what it says of every message in place of taking it
    answer: str | None = None

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if address in self.refused:
            return "550 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answer is not None:
            return self.answer
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return "250 OK"


@contextmanager
def mail_server(
    directory: Path, *, tls: Literal["starttls", "ssl", "none"] = "none", password: str | None = None
) -> Iterator[MailServer]:
    """A server; with TLS, its certificate is in `directory / "ca.pem"`. A password is asked of user "robot"."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, LoginPassword

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    made = MailServer(port=port)
    context = certificate(directory) if tls != "none" else None

    def login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> Any:
        fits = isinstance(given, LoginPassword) and (given.login, given.password) == (
            b"robot", (password or "").encode(),
        )  # fmt: skip
        return AuthResult(success=fits, handled=False)

    more: dict[str, Any] = {"auth_require_tls": tls == "starttls"} if password else {}
    more |= {"tls_context": context, "require_starttls": True} if tls == "starttls" else {}
    more |= {"authenticator": login, "auth_required": True} if password else {}
    controller = Controller(
        made, hostname="127.0.0.1", port=port, ssl_context=context if tls == "ssl" else None, **more
    )
    controller.start()
    try:
        yield made
    finally:
        controller.stop()


def certificate(directory: Path) -> ssl.SSLContext:
    """A context for a server, by a new certificate for 127.0.0.1 that is its own authority."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (directory / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "ca.pem", directory / "key.pem")
    return context

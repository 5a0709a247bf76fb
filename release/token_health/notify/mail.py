"""Mail, through a configured mail server.

Sources: RFC 5322, 3.6 (fields); RFC 3834, 5 (Auto-Submitted); RFC 8314 (TLS from the start).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from release.core.errors import ConfigError, ReleaseError, UnreachableError, lower_first
from release.core.models.index import is_loopback
from release.core.models.secret_location import ConfiguredLocation
from release.core.redaction import redact
from release.core.secret import Secret
from release.core.tables import KeyPath, Reader, number, one_of, read_table, string
from release.token_health.location_reader import secret_location

if TYPE_CHECKING:
    import smtplib
    from email.message import EmailMessage

#: seconds without an answer
_TIMEOUT = 30
#: how a connection is encrypted → the usual port. Source: RFC 8314, 3; RFC 6409, 3.1
_PORTS: Mapping[Any, int] = {"starttls": 587, "ssl": 465, "none": 25}


class Mail(Struct, frozen=True, kw_only=True):
    """A mail server and the recipients."""

    host: str
    port: int
    #: encrypted after STARTTLS, from the start, or not at all
    tls: Literal["starttls", "ssl", "none"]
    sender: str
    to: tuple[str, ...]
    #: None: the server requires no login
    user: str | None = None
    password: ConfiguredLocation | None = None

    @property
    def name(self) -> str:
        return f"mail {self.host}:{self.port} to {', '.join(self.to)}"

    @property
    def locations(self) -> tuple[ConfiguredLocation, ...]:
        return (self.password,) if self.password is not None else ()

    def send(self, message: Mapping[str, Any], read_secret: Callable[[ConfiguredLocation], Secret]) -> tuple[str, ...]:
        """Deliver the text of the message, whose `id` makes the Message-ID, so that duplicates can be recognized."""
        import smtplib

        password = read_secret(self.password) if self.password is not None else None
        if password is not None and self.tls == "none" and not is_loopback(self.host):
            raise ReleaseError(
                f"refusing to send a password to {self.host!r} without encryption",
                remedy='use tls = "starttls" or "ssl" in [notify.mail]',
            )
        try:
            with _connect(self) as server:
                if password is not None and self.user is not None:
                    server.login(self.user, password.reveal())
                refused = server.send_message(_email(self, message), from_addr=self.sender, to_addrs=list(self.to))
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise _explain(error, self, password) from None
        return tuple(refused)


def _email(mail: Mail, message: Mapping[str, Any]) -> EmailMessage:
    from email.message import EmailMessage
    from email.utils import format_datetime

    email = EmailMessage()
    email["Subject"] = message["title"]
    email["From"], email["To"] = mail.sender, ", ".join(mail.to)
    email["Date"] = format_datetime(datetime.fromisoformat(message["at"]))
    email["Message-ID"] = f"<{message['id']}@{mail.sender.rpartition('@')[2]}>"
    email["Auto-Submitted"] = "auto-generated"
    email.set_content(message["text"])
    return email


def _connect(mail: Mail) -> smtplib.SMTP:
    import smtplib
    import ssl

    if mail.tls == "ssl":
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=_TIMEOUT, context=ssl.create_default_context())
    server = smtplib.SMTP(mail.host, mail.port, timeout=_TIMEOUT)
    try:
        if mail.tls == "starttls":
            server.starttls(context=ssl.create_default_context())
    except BaseException:
        server.close()
        raise
    return server


def _explain(error: Exception, mail: Mail, password: Secret | None) -> ReleaseError:
    """Return the error of the server or the network, with a remedy and without the password."""
    import smtplib
    import ssl

    match error:
        case smtplib.SMTPAuthenticationError():
            what, remedy = f"rejects the password of {mail.user!r}", "correct user and password in [notify.mail]"
        case smtplib.SMTPRecipientsRefused():
            replies = "; ".join(_reply(code, text) for code, text in error.recipients.values())
            what = f"accepts no mail for {', '.join(error.recipients)}: {replies}"
            remedy = "correct `to` in [notify.mail]"
        case smtplib.SMTPResponseException():
            what = f"rejected the message: {_reply(error.smtp_code, error.smtp_error)}"
            remedy = "follow the server's message, or correct [notify.mail]"
        case smtplib.SMTPNotSupportedError():
            what = "offers no STARTTLS" if "STARTTLS" in str(error) else "offers no login"
            remedy = 'use tls = "ssl" (port 465), or the server that your provider names for sending'
        case ssl.SSLError():
            what = f"has an untrusted certificate: {getattr(error, 'verify_message', '') or error.reason}"
            remedy = "check host, port and tls in [notify.mail]; SSL_CERT_FILE can add trusted authorities"
        case _:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            what = f"cannot be reached: {lower_first(reason)}"
            remedy = "check host and port in [notify.mail], and the network"
    text = redact(f"the mail server {mail.host}:{mail.port} {what}", [password] if password is not None else [])
    return UnreachableError("".join(c if c.isprintable() else " " for c in text), remedy=remedy)


def _reply(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"


def read_channels(value: Any, at: KeyPath) -> tuple[Mail, ...]:
    """Read the table `[notify.mail]`."""
    read = read_table(value, at, _READERS, required=("host", "from", "to") if value else ())
    if not read:
        return ()
    if ("user" in read) != ("password" in read):
        raise ConfigError(
            f"{at} has {'a user and no password' if 'user' in read else 'a password and no user'}",
            remedy=f"give both in {at.file}, or neither if the server requires none",
        )
    tls = read.get("tls", "starttls")
    return (Mail(**{"tls": tls, "port": _PORTS[tls], "sender": read.pop("from")} | read),)


def _matching(pattern: str, expected: str) -> Reader:
    def read(value: Any, at: KeyPath) -> str:
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return value
        raise at.wrong(expected, value)

    return read


_read_address = _matching(r"[^@\s<>,;\"()]+@[^@\s<>,;\"()]+", "a mail address such as maintainers@packages.example")
_READERS: Mapping[str, Reader] = {
    "host": _matching(r"[A-Za-z0-9._:\-]+", "the name of a mail server"),
    "port": number(1, 65_535, whole=True),
    "tls": one_of(*_PORTS),
    "from": _read_address,
    "to": lambda value, at: tuple(
        _read_address(one, at) for one in (value if isinstance(value, list) and value else [value])
    ),
    "user": string,
    "password": secret_location,
}

"""A message by mail, through a mail server that somebody has named.

Sources: RFC 5322, 3.6 (fields); RFC 3834, 5 (Auto-Submitted); RFC 8314 (TLS from the start).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from release.core.errors import ReleaseError, UnreachableError
from release.core.models.index import is_loopback
from release.core.redaction import redact
from release.core.secret import Secret
from release.token_health.notify.channels import Mail

if TYPE_CHECKING:
    import smtplib
    from email.message import EmailMessage

#: seconds of silence
_TIMEOUT = 30


def send(to: Mail, password: Secret | None, *, number: str, at: datetime, title: str, text: str) -> tuple[str, ...]:  # noqa: PLR0913 - a message is these values
    """Deliver a text; the people whom the server has refused, while it took the message for others.

    `number` makes the Message-ID, so that the same message twice is known to be one. Raises `ReleaseError`, without
    the password.
    """
    import smtplib

    if password is not None and to.tls == "none" and not is_loopback(to.host):
        raise ReleaseError(
            f"a password is not sent to {to.host!r} in the clear",
            remedy='use tls = "starttls" or "ssl" for [notify.mail]',
        )
    message = _message(to, number=number, at=at, title=title, text=text)
    try:
        with _connected(to) as server:
            if password is not None and to.user is not None:
                server.login(to.user, password.reveal())
            refused = server.send_message(message, from_addr=to.sender, to_addrs=list(to.to))
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise _explained(error, to, password) from None
    return tuple(refused)


def _message(to: Mail, *, number: str, at: datetime, title: str, text: str) -> EmailMessage:
    from email.message import EmailMessage
    from email.utils import format_datetime

    message = EmailMessage()
    message["Subject"] = title
    message["From"], message["To"] = to.sender, ", ".join(to.to)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{number}@{to.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def _connected(to: Mail) -> smtplib.SMTP:
    import smtplib
    import ssl

    if to.tls == "ssl":
        return smtplib.SMTP_SSL(to.host, to.port, timeout=_TIMEOUT, context=ssl.create_default_context())
    server = smtplib.SMTP(to.host, to.port, timeout=_TIMEOUT)
    try:
        if to.tls == "starttls":
            server.starttls(context=ssl.create_default_context())
    except BaseException:
        server.close()
        raise
    return server


def _explained(error: Exception, to: Mail, password: Secret | None) -> ReleaseError:
    """What the server or the network said, and where to look."""
    import smtplib
    import ssl

    where = f"{to.host}:{to.port}"
    match error:
        case smtplib.SMTPAuthenticationError():
            what, remedy = f"does not take the password of {to.user!r}", "correct user and password of [notify.mail]"
        case smtplib.SMTPRecipientsRefused():
            said = "; ".join(_said(code, text) for code, text in error.recipients.values())
            what, remedy = f"takes no mail for {', '.join(error.recipients)}: {said}", "correct `to` of [notify.mail]"
        case smtplib.SMTPResponseException():
            what = f"refused the message: {_said(error.smtp_code, error.smtp_error)}"
            remedy = "do what it says, or correct [notify.mail]"
        case smtplib.SMTPNotSupportedError():
            what = "offers no STARTTLS" if "STARTTLS" in str(error) else "offers no login"
            remedy = 'use tls = "ssl" (port 465), or the server that your provider names for sending'
        case ssl.SSLError():
            what = f"has no certificate that is trusted here: {getattr(error, 'verify_message', '') or error.reason}"
            remedy = "check host, port and tls of [notify.mail]; SSL_CERT_FILE can name other authorities"
        case _:
            what = (
                f"can't be reached: {(getattr(error, 'strerror', None) or str(error) or type(error).__name__).lower()}"
            )
            remedy = "check host and port of [notify.mail], and the network"
    message = redact(f"the mail server {where} {what}", [password] if password is not None else [])
    return UnreachableError("".join(c if c.isprintable() else " " for c in message), remedy=remedy)


def _said(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"

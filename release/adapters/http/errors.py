"""Why a request failed, as an `UnreachableError` with a remedy and a cause.

The text of an exception is never repeated where it could hold a proxy's password.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from release.core.errors import UnreachableError, os_error_reason
from release.core.quoting import quote_path

OFFLINE, TLS, PROXY, TIMEOUT = "net.dns-offline", "net.tls", "net.proxy", "net.timeout-reset"
_ONLINE = "check the network connection, VPN and firewall, then run the same command again"


class ResponseLimitError(UnreachableError):
    """A response was cut off: it exceeds a limit of its kind, see `response_limits`."""


def _error(message: str, remedy: str, cause: str | None) -> UnreachableError:
    return UnreachableError(message, remedy=remedy, cause=cause)


def resolution_error(host: str, error: Exception) -> UnreachableError:
    """The host name has no address."""
    why = "the name server does not answer" if isinstance(error, TimeoutError) else "name resolution failed"
    remedy = f"check the network connection and the spelling of {host!r}, then run the same command again"
    return _error(f"no address for {host!r}: {why}", remedy, OFFLINE)


def connection_error(host: str, port: int, error: OSError) -> UnreachableError:
    """None of the host's addresses accepted a connection."""
    where = f"{host!r}, port {port}"
    if isinstance(error, TimeoutError):
        return _error(f"no answer from {where}: timed out", _ONLINE, TIMEOUT)
    if isinstance(error, ConnectionRefusedError):
        remedy = f"check that a server is listening on {host}:{port} and that no firewall blocks it"
        return _error(f"connection refused by {where}", remedy, OFFLINE)
    if isinstance(error, ConnectionError):
        return _error(f"connection to {where} was reset", _ONLINE, TIMEOUT)
    cause = OFFLINE if error.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN} else TIMEOUT
    return _error(f"cannot connect to {where}: {os_error_reason(error)}", _ONLINE, cause)


def missing_ca_bundle(path: str) -> UnreachableError:
    """The CA bundle that an environment variable names does not exist."""
    remedy = "correct or unset TWINE_CERT, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
    return _error(f"the CA bundle {quote_path(path)} does not exist", remedy, TLS)


def request_error(url: str, error: Exception) -> UnreachableError:
    """The error for an exception of requests; what failed may be anywhere in its chain."""
    host = _host_of(url)
    match error_kind(error):
        case "proxy":
            return proxy_error(host)
        case "tls":
            remedy = "set REQUESTS_CA_BUNDLE to your organisation's certificates, and check this machine's clock"
            return _error(f"no trusted TLS connection to {host!r}: {tls_reason(error)}", remedy, TLS)
        case "dns":
            return resolution_error(host, error)
        case "timeout":
            return _error(f"no answer from {host!r} in time", _ONLINE, TIMEOUT)
        case "connection":
            refused = any(isinstance(one, ConnectionRefusedError) for one in exception_chain(error))
            return _error(f"connection to {host!r} was {'refused' if refused else 'reset'}", _ONLINE, TIMEOUT)
        case _:
            remedy = f"check that {url} is the address of a package index"
            return _error(f"invalid response from {host!r}: {type(error).__name__}", remedy, None)


def unusable_response(url: str, what: str, *, cause: str | None = None, remedy: str = "") -> UnreachableError:
    """The error for a response that cannot be used; `what` is "answers 503 Service Unavailable", for example."""
    return UnreachableError(
        f"{_host_of(url)!r} {what}",
        remedy=remedy or f"open {url} in a browser, then run the same command again",
        cause=cause,
    )


def too_large_response(url: str, kind: str, limit: int) -> ResponseLimitError:
    """The error for a response, or a part of it, with more than `limit` bytes; `kind` is "a page of a project"."""
    return ResponseLimitError(
        f"{_host(url)} sends more than {bytes_to_text(limit)} for {kind}; the rest was not read",
        remedy=f"check that {_site(url)} is the right address; if it is, report the response to its administrators",
    )


def too_slow_response(url: str, kind: str, received: int, seconds: float) -> ResponseLimitError:
    """The error for a response that is not complete after so many `seconds`, of which `received` bytes came."""
    return ResponseLimitError(
        f"{_host(url)} sends {kind} too slowly: {bytes_to_text(received)} in {seconds:.0f} s",
        remedy=_ONLINE, cause=TIMEOUT,
    )  # fmt: skip


def _host(url: str) -> str:
    return repr(_host_of(url)) if url else "the server"


def _host_of(url: str) -> str:
    from release.core.models.index import host_of  # its module takes longer than the rest of what this one imports

    return host_of(url)


def _site(url: str) -> str:
    """The address without its path and query, which may be secret: those of webhooks are."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if url else "its address"


def bytes_to_text(size: int) -> str:
    """A number of bytes: "4 MB", "1 GB", "12,345 bytes"."""
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size:,} bytes"


def proxy_error(host: str) -> UnreachableError:
    """A proxy refuses the request or cannot be reached."""
    remedy = "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and the proxy's user name and password"
    return _error(f"the proxy refuses to connect to {host!r}, or cannot be reached", remedy, PROXY)


def missing_socks_support() -> UnreachableError:
    """A SOCKS proxy is configured, but the package that supports SOCKS is missing."""
    remedy = "run: python -m pip install pysocks; or set HTTPS_PROXY to an http:// proxy"
    return _error("a SOCKS proxy is configured, but PySocks is not installed", remedy, PROXY)


def exception_chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and all that it wraps: as cause, context, `reason` or argument."""
    todo, done = [error], set()
    while todo:
        one = todo.pop(0)
        if one is None or id(one) in done:
            continue
        done.add(id(one))
        yield one
        inner = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        todo.extend(each for each in inner if isinstance(each, BaseException))


def error_kind(error: BaseException) -> str:
    """One of "proxy", "tls", "dns", "timeout", "connection" and "garbage", by the names of the exceptions' types.

    By name, so that neither requests nor urllib3 is imported. The first kind in `_KINDS` that occurs anywhere in
    the chain wins: an unresolved proxy is a proxy error, and a time-out during the TLS handshake is a time-out.
    """
    names = {type(one).__name__ for one in exception_chain(error)}
    return next((name for name, types in _KINDS.items() if names & types), "garbage")


#: kind → names of the exception types that show it, in Python, urllib3 and requests
_KINDS = {
    "proxy": {"ProxyError", "InvalidProxyURL", "ProxySchemeUnknown", "ProxySchemeUnsupported"},
    "garbage": {"BadStatusLine", "LineTooLong", "LocationParseError", "DecodeError", "InvalidHeader"},
    "timeout": {"TimeoutError", "ReadTimeoutError", "ConnectTimeoutError", "ReadTimeout", "ConnectTimeout"},
    "tls": {"SSLError", "SSLCertVerificationError", "CertificateError"},
    "dns": {"gaierror", "NameResolutionError"},
    "connection": {"RemoteDisconnected", "ProtocolError", "IncompleteRead", "ChunkedEncodingError", "ConnectionError"}
    | {"NewConnectionError", "ConnectionResetError", "ConnectionRefusedError", "BrokenPipeError", "OSError"},
}


def tls_reason(error: BaseException) -> str:
    """OpenSSL's message, for example "certificate verify failed: self-signed certificate"."""
    for one in exception_chain(error):
        text = getattr(one, "strerror", None)  # "[SSL: REASON] message (_ssl.c:1016)"
        if isinstance(text, str) and (found := re.match(r"\[[\w: ]+\] (.*?)(?: \(_ssl\.c:\d+\))?$", text)):
            return found.group(1)
    return "the handshake failed"

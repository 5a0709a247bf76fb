"""What went wrong on the way to a server, told so that somebody can mend it.

Nothing of an exception's text is repeated where it could hold a proxy's password.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from release.core.errors import UnreachableError
from release.core.models.index import host_of

OFFLINE, TLS, PROXY, TIMEOUT = "net.dns-offline", "net.tls", "net.proxy", "net.timeout-reset"
_ONLINE = "check the network connection, VPN and firewall, then run it again"


def resolution_error(host: str, error: Exception) -> UnreachableError:
    """The name of a host has no address."""
    why = "the name server does not answer" if isinstance(error, TimeoutError) else "name resolution failed"
    return UnreachableError(
        f"no address for {host!r}: {why}",
        remedy=f"check the network connection and the spelling of {host!r}, then run it again",
        cause=OFFLINE,
    )


def connection_error(host: str, port: int, error: OSError) -> UnreachableError:
    """None of a host's addresses took a connection."""
    where = f"{host!r}, port {port}"
    if isinstance(error, TimeoutError):
        return UnreachableError(f"no answer from {where}: timed out", remedy=_ONLINE, cause=TIMEOUT)
    if isinstance(error, ConnectionRefusedError):
        return UnreachableError(
            f"connection refused by {where}",
            remedy=f"check that a server runs at {host}:{port}, and that no firewall stands between",
            cause=OFFLINE,
        )
    if isinstance(error, ConnectionError):
        return UnreachableError(f"connection to {where} was broken off", remedy=_ONLINE, cause=TIMEOUT)
    why = (error.strerror or type(error).__name__).lower()
    cause = OFFLINE if error.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN} else TIMEOUT
    return UnreachableError(f"no connection to {where}: {why}", remedy=_ONLINE, cause=cause)


def missing_ca_bundle(path: str) -> UnreachableError:
    """The file of certificate authorities that the environment names is not there."""
    return UnreachableError(
        f"no certificate authorities at {path!r}, which the environment names",
        remedy="correct or unset TWINE_CERT, REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE",
        cause=TLS,
    )


def request_error(url: str, error: Exception) -> UnreachableError:
    """What an exception of requests means. Its kind may stand anywhere in its chain of reasons."""
    host = host_of(url)
    match error_kind(error):
        case "proxy":
            return proxy_error(host)
        case "tls":
            return tls_error(host, error)
        case "dns":
            return resolution_error(host, error)
        case "timeout":
            return UnreachableError(f"no answer from {host!r} in time", remedy=_ONLINE, cause=TIMEOUT)
        case "connection":
            refused = any(isinstance(one, ConnectionRefusedError) for one in exception_chain(error))
            how = "refused" if refused else "broken off"
            return UnreachableError(f"connection to {host!r} was {how}", remedy=_ONLINE, cause=TIMEOUT)
        case _:
            return UnreachableError(
                f"the answer of {host!r} can't be understood: {type(error).__name__}",
                remedy=f"check that {url} is the address of a package index",
            )


def proxy_error(host: str) -> UnreachableError:
    """A proxy stands between, and refuses or can't be reached."""
    return UnreachableError(
        f"the proxy on the way to {host!r} does not let us through",
        remedy="check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and the proxy's user name and password",
        cause=PROXY,
    )


def missing_socks_support() -> UnreachableError:
    """A SOCKS proxy is configured, and the package that speaks SOCKS is not there."""
    return UnreachableError(
        "a SOCKS proxy is configured, and the package PySocks is not installed",
        remedy="install pysocks beside this program, or set HTTPS_PROXY to an http:// proxy",
        cause=PROXY,
    )


def tls_error(host: str, error: BaseException) -> UnreachableError:
    """TLS failed: a certificate that can't be verified, or no TLS at all."""
    return UnreachableError(
        f"no trusted TLS connection to {host!r}: {tls_reason(error)}",
        remedy="set REQUESTS_CA_BUNDLE to your organisation's certificates, and check this machine's clock",
        cause=TLS,
    )


def exception_chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and everything that it wraps: as cause, context, `reason`, or argument."""
    todo, seen = [error], set()
    while todo:
        one = todo.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        todo.extend(each for each in inner if isinstance(each, BaseException))


def error_kind(error: BaseException) -> str:
    """One of "proxy", "tls", "dns", "timeout", "connection", "garbage", by the names of the exceptions' types.

    By name, so that neither requests nor urllib3 is needed. The first kind that occurs anywhere wins:
    a proxy that has no address is the proxy's fault, a time-out in a TLS handshake is no fault of TLS.
    """
    names = {type(one).__name__ for one in exception_chain(error)}
    return next((name for name, signs in _KINDS.items() if names & signs), "garbage")


#: kind → types of exceptions that tell it, as Python, urllib3 and requests name them
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
    """OpenSSL's own words: "certificate verify failed: self-signed certificate"."""
    for one in exception_chain(error):
        words = getattr(one, "strerror", None)  # "[SSL: REASON] words (_ssl.c:1016)"
        if isinstance(words, str) and (found := re.match(r"\[[\w: ]+\] (.*?)(?: \(_ssl\.c:\d+\))?$", words)):
            return found.group(1)
    return "the handshake failed"

"""A certificate authority for one run, and the environment variables with which clients trust it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from release.adapters.system.temporary_directory import temporary_directory
from release.core.errors import UsageError

#: the names of this machine that a client may use
_HOSTS = ("localhost", "127.0.0.1", "::1")
#: variables that replace the trusted certificates: of pip, of OpenSSL, uv and httpx, of requests, of curl, of git
_REPLACING = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
#: twine prefers it to REQUESTS_CA_BUNDLE, so it is changed only where it is set
_TWINE = "TWINE_CERT"
#: a variable that adds to the trusted certificates: of Node
_ADDING = "NODE_EXTRA_CA_CERTS"
#: how long the server's certificate is valid. macOS accepts up to 825 days
_VALID, _SINCE = timedelta(days=365), timedelta(days=1)


class Certificates(Struct, frozen=True, kw_only=True):
    """A certificate for this machine's own names, and how to trust it."""

    #: with the certificate and its private key, which is in no file
    context: ssl.SSLContext
    #: the certificate of the authority that issued it, PEM
    ca_file: Path
    #: environment variables; each names what it names on this machine, with the authority added
    environment: Mapping[str, str]


@contextmanager
def temporary_certificates() -> Iterator[Certificates]:
    """Issue certificates whose files are deleted at the end; several sandboxes may share them.

    Raises UsageError where trustme is not installed.
    """
    with temporary_directory() as directory:
        yield issue_certificates(directory)


def issue_certificates(directory: Path, environ: Mapping[str, str] = os.environ) -> Certificates:
    """Create an authority and a certificate of it, for localhost, 127.0.0.1 and ::1.

    The files that clients read are created in `directory`, which only its owner may enter: the private key is there
    while OpenSSL loads it. Raises UsageError where trustme is not installed.
    """
    try:
        import trustme
    except ModuleNotFoundError:
        remedy = "run: python -m pip install 'pypi-preflight[tls]'"
        raise UsageError("TLS needs the package 'trustme', which is not installed", remedy=remedy) from None

    authority, now = trustme.CA(organization_name="pypi-preflight sandbox"), datetime.now(UTC)
    issued = authority.issue_cert(*_HOSTS, not_before=now - _SINCE, not_after=now + _VALID)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    with issued.private_key_and_cert_chain_pem.tempfile(str(directory)) as path:  # has the mode 0600
        context.load_cert_chain(path)
    ca_file = directory / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    return Certificates(context=context, ca_file=ca_file, environment=_environment(ca_file, environ))


def _environment(ca_file: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Let each variable name a bundle of what it names now, or the usual authorities, and of this one."""
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    names = [*_REPLACING, *([_TWINE] if environ.get(_TWINE) else [])]
    bases = {name: Path(environ.get(name) or DEFAULT_CA_BUNDLE_PATH) for name in names}
    if extra := environ.get(_ADDING):
        bases[_ADDING] = Path(extra)
    bundles: dict[Path, Path] = {}
    for base in bases.values():
        if base not in bundles:
            bundles[base] = ca_file.with_name(f"bundle-{len(bundles) + 1}.pem")
            bundles[base].write_bytes(_pem(base) + ca_file.read_bytes())
    return {_ADDING: str(ca_file)} | {name: str(bundles[base]) for name, base in bases.items()}


def _pem(base: Path) -> bytes:
    """The certificates of a file, or of a directory with OpenSSL's names; none where it does not exist."""
    files = sorted(base.glob("*.[0-9]")) if base.is_dir() else [base]
    return b"".join(file.read_bytes() + b"\n" for file in files if file.is_file())

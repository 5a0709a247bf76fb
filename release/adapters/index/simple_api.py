"""The simple API of an index in its JSON and HTML forms, and the files, which are cached by their hash.

Pages are untrusted: a `ValueError` of their parsers says what is wrong.
Sources: PEP 503 (HTML), PEP 691 (JSON), PEP 592 (yanked), PEP 700 (size, upload time), PEP 792 (status).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from packaging.utils import canonicalize_name

from release.adapters.http import errors as http_errors
from release.adapters.http import http_client, response_limits
from release.adapters.http.response_body import response_json, response_text
from release.adapters.index.html_links import scan_html
from release.adapters.system.safe_write import replace_file
from release.adapters.system.temporary_directory import temporary_directory_in
from release.core.errors import UnreachableError
from release.core.models.distribution import Distribution
from release.core.models.file_hashes import parse_hashes
from release.core.models.index import Index, IndexFile, ProjectListing, host_of
from release.core.models.probe import ServerResponse
from release.core.time_text import format_duration

if TYPE_CHECKING:
    import requests

_JSON = "application/vnd.pypi.simple.v1+json"
#: bytes; the size of the cache, whose least recently used files are removed first
_CACHE_SIZE = 300 * 1024 * 1024
#: values in the list of all projects: three for each
_MAX_NAMES = 6_000_000
#: seconds; what asks for more than a year means never
_LONGEST_SHOWN = 365 * 86_400
#: characters of a file's name; file systems take 255 bytes
_LONGEST_NAME = 1_000
#: the name of a release's file; a page that links to other files is not a project page
_FILE = re.compile(r".+\.(?:whl|tar\.(?:gz|bz2|xz|Z)|tgz|tar|zip|egg|exe|msi|rpm|deb|dmg)\Z")


def fetch_listing(
    index: Index, project: str, *, fresh: bool = False, retries: int | None = None
) -> ProjectListing | None:
    """The files of a project, whose name may have any spelling; None where the index has no such project.

    `fresh` bypasses caches, to find files that were uploaded a moment ago. Raises `UnreachableError` where the
    response is no listing.
    """
    url = f"{index.simple_url}{canonicalize_name(project)}/"
    headers, params = {"Accept": f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"}, {}
    if fresh:
        headers |= {"Cache-Control": "no-cache", "Pragma": "no-cache"}
        # A CDN ignores the client's Cache-Control. PyPI accepts an unknown query; other indexes may not.
        params = {"fresh": secrets.token_hex(8)} if index.kind == "warehouse" else {}
    with http_client.session(url, retries=retries, limits=response_limits.PAGE) as session:
        response = session.get(url, headers=headers, params=params)
        if response.status_code == 404:  # noqa: PLR2004 - the simple API's only way to say "no such project"
            return None
        _require_success(url, response)
        return _parse(index, project, url, response)


def fetch_project_names(index: Index) -> tuple[str, ...]:
    """The names of all projects as spelled there, without those in quarantine: some ten megabytes from PyPI.

    Raises `UnreachableError`.
    """
    url = index.simple_url
    with http_client.session(url, limits=response_limits.PROJECT_NAMES) as session:
        response = session.get(url, headers={"Accept": _JSON})
        _require_success(url, response)
        try:
            page = response_json(response, max_values=_MAX_NAMES)
            return tuple(str(one["name"]) for one in page["projects"])
        except (ValueError, KeyError, TypeError) as error:
            raise http_errors.unusable_response(url, "returned no list of projects") from error


def _require_success(url: str, response: requests.Response) -> None:
    status = f"{response.status_code} {response.reason or ''}".strip()
    if url.startswith("https:") and not response.url.startswith("https:"):
        raise http_errors.unusable_response(url, "redirects from https to http", cause=http_errors.PROXY)
    match response.status_code:
        case 200:
            return
        case 407 | 511:
            raise http_errors.proxy_error(host_of(url))
        case 401 | 403:
            raise http_errors.unusable_response(
                url, f"denies access: {status}", remedy=f"make {url} readable without a password"
            )
        case 429 | 500 | 502 | 503 | 504:
            raise _busy(url, status, response)
        case _:
            raise http_errors.unusable_response(url, f"answers {status}")


def _busy(url: str, status: str, response: requests.Response) -> UnreachableError:
    """The error for an index that is overloaded or fails, with the time that it asks to wait."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    wait = ServerResponse(status=response.status_code, headers=headers).retry_after
    page = "check the index's status page"
    if not wait:
        return http_errors.unusable_response(url, f"answers {status}", remedy=f"retry in a few minutes, and {page}")
    asked = format_duration(min(wait, _LONGEST_SHOWN))
    return http_errors.unusable_response(
        url, f"answers {status} and asks to wait {asked}", remedy=f"run the same command again in {asked}, and {page}"
    )


def _parse(index: Index, project: str, url: str, response: requests.Response) -> ProjectListing:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        if kind in {_JSON, "application/json"}:
            found = parse_json_page(response_json(response), response.url)
        elif index.kind == "other" and kind in {"text/html", "application/vnd.pypi.simple.v1+html"}:
            found = parse_html_page(response_text(response), response.url, canonicalize_name(project))
        elif kind == "text/html":
            raise http_errors.unusable_response(
                url, "returned a web page instead of a project page, possibly the login page of a network or proxy",
                remedy=f"open {url} in a browser: sign in to the network, or correct the index's simple-url or kind",
                cause=http_errors.PROXY,
            )  # fmt: skip
        else:
            raise http_errors.unusable_response(
                url, f"returned {kind or 'no content type'!r} instead of a project page"
            )
    except ValueError as error:
        raise http_errors.unusable_response(url, f"returned no valid project page: {error}") from error
    if canonicalize_name(found.name) != canonicalize_name(project):
        raise http_errors.unusable_response(url, f"returned the project {found.name!r} instead of {project!r}")
    return found


def fetch_server_time(index: Index) -> datetime | None:
    """The time of the index's clock, to the second, aware; None where the response has no date."""
    with http_client.session(index.simple_url) as session:
        headers: Any = session.head(index.simple_url, headers={"Cache-Control": "no-cache"}).headers
    try:
        date = parsedate_to_datetime(headers.get("Date", ""))
        # The date of a cached response is that of the origin; Age is the time since. Source: RFC 9111, 5.1
        time = date + timedelta(seconds=int(headers.get("Age") or 0))
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def fetch_file(file: IndexFile, *, cache: Path | None = None) -> Path:
    """The path of the cached file, which is downloaded if necessary; its SHA-256 is compared in either case.

    Files are cached as `<sha256>/<name>` in `cache`, by default in the user's cache directory. Raises
    `UnreachableError` where the download fails or the index lists no hash; `OSError` where it cannot be written.
    """
    if file.sha256 is None:
        raise UnreachableError(
            f"the index lists no SHA-256 for {file.filename!r}", remedy="use an index that does (PEP 691)"
        )
    if cache is None:
        from platformdirs import user_cache_path

        cache = user_cache_path("pypi-preflight", appauthor=False) / "files"
    cached, found = cache / file.sha256 / file.filename, ""
    with suppress(OSError), cached.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found == file.sha256:
        cached.touch()
        return cached
    cache.mkdir(parents=True, exist_ok=True)
    _evict(cache, file.size or 0)
    with temporary_directory_in(cache, "the cache of files", prefix=".fetch-") as work:
        fetched = download_file(file, work).path
        cached.parent.mkdir(exist_ok=True)
        return replace_file(fetched, cached)


def _evict(root: Path, needed: int) -> None:
    used = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in root.glob("*/*"))
    left = _CACHE_SIZE - needed - sum(size for _, size, _ in used)
    for _, size, path in used:
        if left >= 0:
            return
        with suppress(OSError):  # another run may have removed it, or still have it open
            shutil.rmtree(path.parent)
        left += size


def download_file(file: IndexFile, into: Path) -> Distribution:
    """Download a file into the directory `into`; it appears there only once it is complete.

    It is hashed while it comes. Raises `UnreachableError` where the download fails or has another SHA-256 than the
    index lists, `OSError` where it cannot be written.
    """
    part, digest, size = into / f"{file.filename}.part", hashlib.sha256(), 0
    limits = response_limits.file_limits(file)
    try:
        with (
            http_client.session(file.url, limits=limits) as session,
            session.get(file.url, stream=True) as response,
        ):
            _require_success(file.url, response)
            with part.open("wb") as target:
                for chunk in response.iter_content(1 << 16):
                    digest.update(chunk)
                    size += target.write(chunk)
        if file.sha256 is not None and digest.hexdigest() != file.sha256:
            raise http_errors.unusable_response(
                file.url, f"sends {file.filename!r} with another SHA-256 than the index lists: {digest.hexdigest()}",
                remedy="do not use the file; report it to the administrators of the index",
            )  # fmt: skip
        path = part.replace(into / file.filename)
        return Distribution(path=path, sha256=digest.hexdigest(), size=size)
    finally:
        part.unlink(missing_ok=True)


def parse_json_page(page: Any, url: str) -> ProjectListing:
    """The JSON form (PEP 691); links may be relative to its `url`."""
    _expect(isinstance(page, dict) and isinstance(page.get("meta"), dict), "no object with 'meta'")
    version = str(page["meta"].get("api-version", ""))
    _expect(version.partition(".")[0] == "1", f"api-version {version!r}")
    name, files = page.get("name"), page.get("files")
    _expect(isinstance(name, str) and isinstance(files, list), "no 'name' or no 'files'")
    status = page.get("project-status")
    state = status.get("status") if isinstance(status, dict) else None
    return ProjectListing(
        name=name, files=tuple(_file(one, url) for one in files), status=state if isinstance(state, str) else "active"
    )


def _file(entry: Any, base: str) -> IndexFile:
    _expect(isinstance(entry, dict), "a file that is not an object")
    given = entry.get("hashes")
    _expect(isinstance(given, dict), "a file without 'hashes'")
    url = _url(entry.get("url"), base)
    address, fragment = urldefrag(url)
    hashes = parse_hashes([*given.items(), *_fragment_pairs(fragment)])
    size, yanked, python = entry.get("size"), entry.get("yanked", False), entry.get("requires-python")
    return IndexFile(
        filename=_filename(entry.get("filename")),
        url=address,
        sha256=hashes.sha256,
        other_hashes=hashes.others,
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        upload_time=_time(entry.get("upload-time")),
        yanked=yanked if isinstance(yanked, str) else "" if yanked else None,
        requires_python=python if isinstance(python, str) else None,
        provenance=_url(entry["provenance"], base) if entry.get("provenance") else None,
    )


def parse_html_page(page: str, url: str, name: str) -> ProjectListing:
    """The HTML form (PEP 503); it lacks the project's name, which is therefore `name`."""
    found = scan_html(page)
    # An empty project is a page without links; a login page has a form, or links to other pages.
    _expect(not found.has_form, "a web page with a form")
    links = [(text, attributes) for text, attributes in found.links if attributes.get("href")]
    files = tuple(_link(text, attributes, url) for text, attributes in links if _FILE.match(text))
    _expect(bool(files) or not links, "a web page without links to files")
    return ProjectListing(name=name, files=files, status=found.status)


def _link(text: str, attributes: Mapping[str, str], base: str) -> IndexFile:
    address, fragment = urldefrag(attributes["href"])
    hashes = parse_hashes(_fragment_pairs(fragment))
    return IndexFile(
        filename=_filename(text),
        url=_url(address, base),
        sha256=hashes.sha256,
        other_hashes=hashes.others,
        yanked=attributes.get("data-yanked"),
        requires_python=attributes.get("data-requires-python"),
        provenance=_url(attributes["data-provenance"], base) if attributes.get("data-provenance") else None,
    )


def _filename(value: Any) -> str:
    """A file name without a directory, because it becomes a path on this machine."""
    _expect(isinstance(value, str) and value not in {"", ".", ".."}, "a file without a name")
    _expect(len(value) <= _LONGEST_NAME, f"a file whose name has {len(value):,} characters")
    _expect(not set(value) & set("/\\:\0"), f"a file called {value!r}")
    return str(value)


def _url(value: Any, base: str) -> str:
    _expect(isinstance(value, str) and bool(value), "a file without a URL")
    url = urljoin(base, str(value))
    parts = urlsplit(url)
    usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    _expect(usable, f"a file at {unquote(url)!r}")
    return url


def _fragment_pairs(fragment: str) -> list[tuple[str, str]]:
    """The hashes in the fragment of a link, "sha256=…"; others may follow after "&"."""
    return [(name, digits) for part in fragment.split("&") for name, _, digits in [part.partition("=")]]


def _time(value: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)

"""Parse the project page of a simple API, in JSON or HTML. It is untrusted: a `ValueError` says what is wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from release.core.models.project_listing import IndexFile, ProjectListing

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
#: the name of a release's file; a page that links to other files is not a project page
_FILE = re.compile(r".+\.(?:whl|tar\.(?:gz|bz2|xz|Z)|tgz|tar|zip|egg|exe|msi|rpm|deb|dmg)\Z")


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
    hashes = entry.get("hashes")
    _expect(isinstance(hashes, dict), "a file without 'hashes'")
    size, yanked, python = entry.get("size"), entry.get("yanked", False), entry.get("requires-python")
    return IndexFile(
        filename=_filename(entry.get("filename")),
        url=_url(entry.get("url"), base),
        sha256=_sha256(hashes.get("sha256")),
        size=size if isinstance(size, int) else None,
        upload_time=_time(entry.get("upload-time")),
        yanked=yanked if isinstance(yanked, str) else "" if yanked else None,
        requires_python=python if isinstance(python, str) else None,
        provenance=_url(entry["provenance"], base) if entry.get("provenance") else None,
    )


def parse_html_page(page: str, url: str, name: str) -> ProjectListing:
    """The HTML form (PEP 503); it lacks the project's name, which is therefore `name`."""
    page_parser = _PageParser()
    try:
        page_parser.feed(page)
        page_parser.close()
    except AssertionError as error:  # Observed: Python 3.11, 2026-11 — raised for "<![x["
        raise ValueError("invalid HTML") from error
    # An empty project is a page without links; a login page has a form, or links to other pages.
    _expect(not page_parser.has_form, "a web page with a form")
    links = [(text, attributes) for text, attributes in page_parser.links if attributes.get("href")]
    files = tuple(_link(text, attributes, url) for text, attributes in links if _FILE.match(text))
    _expect(bool(files) or not links, "a web page without links to files")
    return ProjectListing(name=name, files=files, status=page_parser.status)


def _link(text: str, attributes: dict[str, str], base: str) -> IndexFile:
    address, fragment = urldefrag(attributes["href"])
    algorithm, _, digest = fragment.partition("&")[0].partition("=")
    return IndexFile(
        filename=_filename(text),
        url=_url(address, base),
        sha256=_sha256(digest) if algorithm == "sha256" else None,
        yanked=attributes.get("data-yanked"),
        requires_python=attributes.get("data-requires-python"),
        provenance=_url(attributes["data-provenance"], base) if attributes.get("data-provenance") else None,
    )


class _PageParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[str, dict[str, str]]] = []
        self.status = "active"
        self.has_form = False
        self._open: dict[str, str] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a":
            self._open, self._text = attributes, ""
        elif tag == "meta" and attributes.get("name") == "pypi:project-status":
            self.status = attributes.get("content") or "active"
        elif tag == "form":
            self.has_form = True

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open is not None:
            self.links.append((self._text.strip(), self._open))
            self._open = None


def _filename(value: Any) -> str:
    """A file name without a directory, because it becomes a path on this machine."""
    _expect(isinstance(value, str) and value not in {"", ".", ".."}, "a file without a name")
    _expect(not set(value) & set("/\\:\0"), f"a file called {value!r}")
    return str(value)


def _url(value: Any, base: str) -> str:
    _expect(isinstance(value, str) and bool(value), "a file without a URL")
    url = urljoin(base, str(value))
    parts = urlsplit(url)
    usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    _expect(usable, f"a file at {unquote(url)!r}")
    return url


def _sha256(value: Any) -> str | None:
    text = value.lower() if isinstance(value, str) else ""
    return text if _SHA256.match(text) else None


def _time(value: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)

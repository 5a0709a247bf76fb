from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from release.adapters.index import simple_api
from release.core.errors import UnreachableError
from release.core.models.distribution import Distribution
from release.core.models.index import Index, IndexFile, ProjectListing, files_by_release, version_of
from tests.adapters.loopback_server import Answer, Server, loopback_server

JSON = "application/vnd.pypi.simple.v1+json"
SHA = hashlib.sha256(b"bytes").hexdigest()
WHEEL = "acme_widget-1.0-py3-none-any.whl"


def index(server: Server, kind: Literal["warehouse", "other"] = "warehouse") -> Index:
    return Index(name="test", upload_url=server.url, simple_url=f"{server.url}simple/", kind=kind)


def page(*files: dict[str, Any], **more: Any) -> str:
    return json.dumps({"meta": {"api-version": "1.4"}, "name": "Acme_Widget", "files": files, **more})


def entry(**more: Any) -> dict[str, Any]:
    return {"filename": WHEEL, "url": f"../../files/{WHEEL}", "hashes": {"sha256": SHA}, **more}


def ask(answer: Answer, kind: Literal["warehouse", "other"] = "warehouse", **options: Any) -> ProjectListing | None:
    with loopback_server(answer) as server:
        return simple_api.fetch_listing(index(server, kind), "Acme.Widget", retries=0, **options)


def failure(answer: Answer, kind: Literal["warehouse", "other"] = "warehouse") -> UnreachableError:
    with pytest.raises(UnreachableError) as caught:
        ask(answer, kind)
    return caught.value


def test_the_json_form_is_read_whole() -> None:
    more = {"size": 5, "upload-time": "2026-11-01T10:00:00.5Z", "yanked": "broken", "requires-python": ">=3.11"}
    text = page(entry(**more), **{"project-status": {"status": "archived"}})
    with loopback_server(lambda h: h.reply(200, text, kind=JSON)) as server:
        listing = simple_api.fetch_listing(index(server), "Acme.Widget")
    assert server.asked[0].path == "/simple/acme-widget/"
    assert server.asked[0].headers["accept"].startswith(JSON)
    assert listing == ProjectListing(
        name="Acme_Widget",
        status="archived",
        files=(
            IndexFile(
                filename=WHEEL,
                url=f"{server.url}files/{WHEEL}",
                sha256=SHA,
                size=5,
                upload_time=datetime(2026, 11, 1, 10, 0, 0, 500_000, tzinfo=UTC),
                yanked="broken",
                requires_python=">=3.11",
            ),
        ),
    )


@pytest.mark.parametrize(("told", "known"), [(False, None), (True, ""), ("", ""), ("why", "why")])
def test_yanked_is_a_reason_or_nothing(told: object, known: str | None) -> None:
    """An empty text yanks as well: PEP 592 looks at presence, PEP 691 at truth."""
    listing = ask(lambda h: h.reply(200, page(entry(yanked=told)), kind=JSON))
    assert listing is not None
    assert listing.files[0].yanked == known


def test_the_html_form_is_read_for_other_servers() -> None:
    html = f"""<!DOCTYPE html><meta name="pypi:project-status" content="quarantined"><body>
        <a href="/files/{WHEEL}#sha256={SHA}" data-requires-python="&gt;=3.11" data-yanked="bad">{WHEEL}</a>
        <a href="old/acme-widget-0.1.tar.gz#md5=0123">acme-widget-0.1.tar.gz</a><a href="/">up</a>"""
    with loopback_server(lambda h: h.reply(200, html, kind="text/html; charset=utf-8")) as server:
        listing = simple_api.fetch_listing(index(server, "other"), "acme_widget")
    assert listing is not None
    assert listing.status == "quarantined"
    wheel, sdist = listing.files
    assert (wheel.url, wheel.sha256) == (f"{server.url}files/{WHEEL}", SHA)
    assert (wheel.requires_python, wheel.yanked) == (">=3.11", "bad")
    assert (sdist.url, sdist.sha256) == (f"{server.url}simple/acme-widget/old/acme-widget-0.1.tar.gz", None)


def test_a_project_without_files_is_no_unknown_project() -> None:
    listing = ask(lambda h: h.reply(200, page(), kind=JSON))
    assert listing == ProjectListing(name="Acme_Widget", files=())
    assert ask(lambda h: h.reply(404)) is None


def test_fresh_goes_past_caches_and_asks_other_servers_no_odd_question() -> None:
    with loopback_server(lambda h: h.reply(200, page(), kind=JSON)) as server:
        for kind in ("warehouse", "other"):
            simple_api.fetch_listing(index(server, kind), "acme-widget", fresh=True)
    pypi, other = server.asked
    assert pypi.path.startswith("/simple/acme-widget/?fresh=")
    assert other.path == "/simple/acme-widget/"
    assert {one.headers["cache-control"] for one in server.asked} == {"no-cache"}


LOGIN = "<html><form action=/login><input name=user></form></html>"


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (LOGIN, "text/html", "web page"),
        ("not json", JSON, "no valid project page"),
        ("[]", JSON, "no object"),
        (json.dumps({"meta": {"api-version": "2.0"}}), JSON, "api-version '2.0'"),
        (json.dumps({"meta": {"api-version": "1.0"}, "name": "acme-widget"}), JSON, "no 'files'"),
        (page(entry(filename="../../evil.whl")), JSON, "evil"),
        (page(entry(filename=7)), JSON, "without a name"),
        (page(entry(filename="a-" * 600 + ".whl")), JSON, "1,204 characters"),
        (page(entry(url="file:///etc/passwd")), JSON, "file:///etc/passwd"),
        (page(entry(hashes=None)), JSON, "hashes"),
        (page(name="else"), JSON, "'else'"),
        ("OK", "text/plain", "'text/plain'"),
    ],
)
def test_whatever_is_no_listing_is_an_error(body: str, kind: str, says: str) -> None:
    assert says in failure(lambda h: h.reply(200, body, kind=kind)).message


@pytest.mark.parametrize("body", [LOGIN, "<a href=/help>help</a>", "<a href=/x>no file</a><a href=/y></a>"])
def test_a_login_page_is_no_empty_project(body: str) -> None:
    """Where HTML is allowed, too: an index's page has files, or no links at all."""
    assert "no valid project page" in failure(lambda h: h.reply(200, body, kind="text/html"), "other").message


KEYS = st.sampled_from(
    ["meta", "api-version", "name", "files", "filename", "url", "hashes", "sha256", "upload-time", "size"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(["1.0", "a-1.whl", "http://h:x/", "http://["]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)


@given(st.fixed_dictionaries({"meta": st.just({"api-version": "1.0"}), "name": st.text(), "files": VALUES}) | VALUES)
def test_no_json_breaks_the_reader(data: object) -> None:
    """A listing, or a `ValueError` that says what is odd."""
    with suppress(ValueError):
        assert isinstance(simple_api.parse_json_page(data, "http://h/"), ProjectListing)


@given(
    st.lists(st.text() | st.sampled_from(["<a href=", "a-1.whl", "</a>", "<![x[", "<!", "&#", ">", "'", "http://["]))
)
def test_no_html_breaks_the_reader(parts: list[str]) -> None:
    with suppress(ValueError):
        assert isinstance(simple_api.parse_html_page("".join(parts), "http://h/", "a"), ProjectListing)


@pytest.mark.parametrize(
    ("status", "cause"), [(403, None), (407, "net.proxy"), (418, None), (429, None), (500, None), (511, "net.proxy")]
)
def test_other_statuses_are_errors(status: int, cause: str | None) -> None:
    error = failure(lambda h: h.reply(status))
    assert error.cause == cause
    assert error.remedy


@pytest.mark.parametrize(
    ("after", "words", "remedy"),
    [
        (None, "answers 503 Service Unavailable", "retry in a few minutes"),
        ("7200", "answers 503 Service Unavailable and asks to wait 2 h", "run the same command again in 2 h"),
        ("9" * 400, "answers 503 Service Unavailable and asks to wait 8760 h", "run the same command again in 8760 h"),
        ("soon", "answers 503 Service Unavailable", "retry in a few minutes"),
    ],
)
def test_a_busy_index_says_when_to_come_again(after: str | None, words: str, remedy: str) -> None:
    headers = {"Retry-After": after} if after else {}
    error = failure(lambda h: h.reply(503, **headers))
    assert error.message == f"'127.0.0.1' {words}"
    assert error.remedy.startswith(remedy)


def test_a_download_is_verified_while_it_comes(tmp_path: Path) -> None:
    with loopback_server(lambda h: h.reply(200, b"bytes")) as server:
        good = IndexFile(filename="a.whl", url=f"{server.url}a", sha256=SHA)
        found = simple_api.download_file(good, tmp_path)
        bad = IndexFile(filename="b.whl", url=f"{server.url}b", sha256="0" * 64)
        with pytest.raises(UnreachableError, match="another SHA-256"):
            simple_api.download_file(bad, tmp_path)
    assert found == Distribution(path=tmp_path / "a.whl", sha256=SHA, size=5)
    assert found.path.read_bytes() == b"bytes"
    assert list(tmp_path.iterdir()) == [found.path], "nothing else stays behind"


def test_a_download_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def half(h: Any) -> None:
        h.send_response(200)
        h.send_header("Content-Length", "100")
        h.end_headers()
        h.wfile.write(b"half")
        h.close_connection = True

    with loopback_server(half) as server, pytest.raises(UnreachableError):
        simple_api.download_file(IndexFile(filename="a.whl", url=server.url, sha256=None), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_servers_clock_is_read_from_its_answer() -> None:
    with loopback_server(lambda h: h.reply(200)) as server:
        time = simple_api.fetch_server_time(index(server))
    assert time is not None
    assert abs((datetime.now(UTC) - time).total_seconds()) < 5


@pytest.mark.parametrize(
    ("date", "age", "known"),
    [
        ("Sat, 28 Nov 2026 10:00:00 GMT", "60", datetime(2026, 11, 28, 10, 1, tzinfo=UTC)),
        ("Sat, 28 Nov 2026 10:00:00 -0000", "0", datetime(2026, 11, 28, 10, tzinfo=UTC)),
        ("Sat, 28 Nov 2026 10:00:00 GMT", "9" * 30, None),
        (f"Sat, 28 Nov {'9' * 30} 10:00:00 GMT", "0", None),
        ("yesterday", "0", None),
    ],
)
def test_a_hostile_date_is_no_time(date: str, age: str, known: datetime | None) -> None:
    def answer(h: Any) -> None:
        h.send_response_only(200)
        for name, value in (("Date", date), ("Age", age), ("Content-Length", "0")):
            h.send_header(name, value)
        h.end_headers()

    with loopback_server(answer) as server:
        assert simple_api.fetch_server_time(index(server)) == known


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        ("acme_widget-1.0-py3-none-any.whl", "1.0"),
        ("acme_widget-1.0-1-py3-none-any.whl", "1.0"),
        ("Acme.Widget-1.0rc1.tar.gz", "1.0rc1"),
        ("acme-widget-1.0-1.zip", "1.0.post1"),
        ("acme_widget-1.0-py2.7.egg", "1.0"),
        ("acme-widget-2.0.win32-py2.7.exe", None),
        ("acme-widget-extra-1.0.tar.gz", None),
        ("other-1.0.tar.gz", None),
        ("acme-widget.tar.gz", None),
        (f"acme-widget-{'1' * 5_000}.tar.gz", None),
    ],
)
def test_a_filename_tells_its_version(filename: str, version: str | None) -> None:
    assert version_of(filename, "acme-widget") == (None if version is None else Version(version))


def test_releases_group_the_files_by_version() -> None:
    files = tuple(
        IndexFile(filename=name, url="http://h/", sha256=None)
        for name in ("a-1.0.tar.gz", "a-1-py3-none-any.whl", "a-2.tar.gz")
    )
    grouped = files_by_release(ProjectListing(name="a", files=files))
    assert {str(version): len(those) for version, those in grouped.items()} == {"1.0": 2, "2": 1}
    assert files_by_release(None) == {}

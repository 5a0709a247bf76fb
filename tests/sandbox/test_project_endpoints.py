"""What is answered where, and what installers read."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from tests.sample_distributions import wheel, wheel_name
from tests.sandbox.sandbox_client import SandboxClient, sandbox_client

READING = {"Allow": "GET, HEAD, OPTIONS"}
JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture(name="pypi")
def _pypi() -> Iterator[SandboxClient]:
    with sandbox_client() as running:
        yield running


REGISTER = "410 Project pre-registration is no longer required or supported, upload your files instead."
DOCS = "410 Uploading documentation is no longer supported, we recommend using https://readthedocs.org/."
SLASH = "308 An upload was attempted to /legacy but the expected upload URL is /legacy/ (with a trailing slash)"
MOVED = "410 This API has moved to {upload}/legacy/. See TODO for more information."
ROWS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "get": ("GET", "/legacy/", "200 OK", {}),
    "head": ("HEAD", "/legacy/", "200 OK", {}),
    "options": ("OPTIONS", "/legacy/", "200 OK", {}),
    "put": ("PUT", "/legacy/", "405 Method Not Allowed", READING),
    "get upload": ("GET", "/legacy/?:action=file_upload", "405 Method Not Allowed", {"Allow": "POST"}),
    "put upload": ("PUT", "/legacy/?:action=file_upload", "405 Method Not Allowed", {"Allow": "POST"}),
    "no slash": ("POST", "/legacy", SLASH, {"Location": "{upload}/legacy/"}),
    "two slashes": ("POST", "/legacy//", "404 Not Found", {}),
    "root": ("POST", "/", "405 Method Not Allowed", READING),
    "old address": ("POST", "/pypi", MOVED, {}),
    "simple": ("POST", "/simple/", "405 Method Not Allowed", READING),
    "empty": ("POST", "/legacy/", "405 Method Not Allowed", READING),
    "unknown action": ("POST", "/legacy/?:action=upload_file", "405 Method Not Allowed", READING),
    "submit": ("POST", "/legacy/?:action=submit", REGISTER, {}),
    "doc_upload": ("POST", "/legacy/?:action=doc_upload", DOCS, {}),
    "bad query": ("GET", "/simple/?x=%ff", "400 Bad Request", {}),
    "bad path": ("GET", "/simple/%ff/", "400 Bad Request", {}),
    "no project": ("GET", "/simple/no-such-project/", "404 Not Found", {"Content-Type": "text/plain; charset=UTF-8"}),
    "no json": ("GET", "/pypi/no-such-project/json", "404 Not Found", {"Content-Type": "application/json"}),
    "no release": ("GET", "/pypi/acme-widget/99/json", "404 Not Found", {"Content-Type": "application/json"}),
    "no file": ("GET", "/packages/aa/bb/cc/x.whl", "404 Not Found", {}),
    "no page": ("GET", "/project/no-such-project/", "404 Not Found", {"Content-Type": "text/html; charset=UTF-8"}),
    "page without a release": ("GET", "/project/acme-widget/", "404 Not Found", {}),
    "spelling": ("GET", "/simple/Acme_widget/", "301 Moved Permanently", {"Location": "{upload}/simple/acme-widget/"}),
    "simple slash": (
        "GET",
        "/simple/acme-widget",
        "301 Moved Permanently",
        {"Location": "{upload}/simple/acme-widget/"},
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_an_address_is_answered_as_recorded(pypi: SandboxClient, row: str) -> None:
    method, path, line, headers = ROWS[row]
    reply = pypi.ask(method, path, headers={"Content-Length": "0"})
    assert reply.line == line.replace("{upload}", pypi.site)
    for name, value in headers.items():
        assert reply.headers[name] == value.replace("{upload}", pypi.site)


def test_an_upload_over_plain_http_through_a_proxy_is_refused(pypi: SandboxClient) -> None:
    reply = pypi.upload(path="/legacy/?:action=file_upload")
    assert reply.line == "200 OK"
    reply = pypi.ask("POST", "/legacy/", body=b"", headers={"X-Forwarded-Proto": "http"})
    assert (reply.line, reply.headers["X-Fastly-Error"], reply.body) == (
        "403 SSL is required",
        "803",
        b"SSL is required.",
    )


def test_the_simple_api_lists_a_file_with_all_that_installers_want(pypi: SandboxClient) -> None:
    content = wheel(metadata_extra="Requires-Python: >=3.8\n")
    pypi.upload(content=content, changes={"requires_python": ">=3.8"})
    found = pypi.listing()
    with zipfile.ZipFile(BytesIO(content)) as archive:
        metadata = archive.read("acme_widget-1.0.dist-info/METADATA")
    (file,) = found["files"]
    assert found["meta"]["api-version"] == "1.4"
    assert (found["name"], found["versions"]) == ("acme-widget", ["1.0"])
    assert found["project-status"] == {"status": "active"}
    assert file["hashes"] == {"sha256": hashlib.sha256(content).hexdigest()}
    assert (file["size"], file["requires-python"], file["yanked"]) == (len(content), ">=3.8", False)
    assert file["upload-time"].endswith("Z")
    assert file["core-metadata"] == {"sha256": hashlib.sha256(metadata).hexdigest()}
    path = file["url"].removeprefix(pypi.site)
    assert pypi.ask("GET", path).body == content
    assert pypi.ask("GET", path + ".metadata").body == metadata
    part = pypi.ask("GET", path, headers={"Range": "bytes=0-3"})
    assert (part.status, part.body) == (206, content[:4])
    page = pypi.ask("GET", "/simple/acme-widget/").body.decode()
    assert f'{path}#sha256={file["hashes"]["sha256"]}" data-requires-python="&gt;=3.8"' in page


def test_a_page_that_has_not_changed_is_not_sent_again(pypi: SandboxClient) -> None:
    for path in ("/simple/acme-widget/", "/simple/"):
        etag = pypi.ask("GET", path).headers["ETag"]
        assert pypi.ask("GET", path, headers={"If-None-Match": etag}).line == "304 Not Modified"
        pypi.upload(path)
        pypi.upload()
    assert pypi.ask("GET", "/simple/acme-widget/", headers={"If-None-Match": etag}).status == 200


def test_a_yanked_release_and_a_sleeping_project_say_so() -> None:
    sleeping = {"projects": [{"name": "acme-widget", "owners": ["alice"], "status": "quarantined"}]}
    with sandbox_client(sleeping | {"tokens": [{"name": "account", "user": "alice"}]}) as pypi:
        assert pypi.listing()["project-status"] == {"status": "quarantined"}
        assert pypi.ask("GET", "/simple/", headers={"Accept": JSON}).json["projects"] == []
        pypi.upload("probe-new")
        pypi.sandbox.yank("probe-new", "1.0", "broken")
        assert pypi.listing("probe-new")["files"][0]["yanked"] == "broken"
        assert 'data-yanked="broken"' in pypi.ask("GET", "/simple/probe-new/").body.decode()
        pypi.sandbox.yank("probe-new", "1.0", None)
        assert pypi.listing("probe-new")["files"][0]["yanked"] is False


def test_the_json_api_tells_releases_files_and_owners(pypi: SandboxClient) -> None:
    assert pypi.ask("GET", "/pypi/acme-widget/json").status == 404, "a project without a release"
    pypi.upload(version="1.0", changes={"classifiers": ["Programming Language :: Python"], "summary": "first"})
    pypi.upload(version="2.0a1")
    pypi.upload(version="1.0", source=True, changes={"summary": "second"})
    found: Any = pypi.ask("GET", "/pypi/acme-widget/json").json
    assert (found["info"]["version"], found["info"]["summary"]) == ("1.0", "first"), "the first file speaks"
    assert found["ownership"] == {"organization": None, "roles": [{"role": "Owner", "user": "alice"}]}
    assert {version: len(files) for version, files in found["releases"].items()} == {"1.0": 2, "2.0a1": 1}
    assert len(found["urls"]) == 2
    one = pypi.ask("GET", "/pypi/acme-widget/2.0.a1/json").json
    assert [file["filename"] for file in one["urls"]] == [wheel_name(version="2.0a1")]
    assert "releases" not in one
    moved = pypi.ask("GET", "/pypi/Acme_Widget/json")
    assert (moved.status, moved.headers["Location"]) == (301, f"{pypi.site}/pypi/acme-widget/json")


INFO_OF_AN_UPLOAD_WITHOUT_MORE: dict[str, Any] = {
    **dict.fromkeys(("author", "author_email", "bugtrack_url", "description_content_type", "docs_url", "download_url")),
    **dict.fromkeys(("dynamic", "home_page", "keywords", "license", "license_expression", "license_files")),
    **dict.fromkeys(("maintainer", "maintainer_email", "platform", "project_urls", "provides_extra", "requires_dist")),
    **dict.fromkeys(("requires_python", "yanked_reason")),
    "classifiers": [],
    "description": "",
    "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
    "name": "acme-widget",
    "package_url": "{site}/project/acme-widget/",
    "project_url": "{site}/project/acme-widget/",
    "release_url": "{site}/project/acme-widget/1.0/",
    "summary": "A widget.",
    "version": "1.0",
    "yanked": False,
}


def test_the_json_api_has_every_key_of_pypi(pypi: SandboxClient) -> None:
    content = wheel()
    pypi.upload(content=content)
    reply = pypi.ask("GET", "/pypi/acme-widget/json")
    assert set(reply.json) == {"info", "last_serial", "ownership", "releases", "urls", "vulnerabilities"}
    text = json.dumps(INFO_OF_AN_UPLOAD_WITHOUT_MORE).replace("{site}", pypi.site)
    assert reply.json["info"] == json.loads(text)
    (file,) = reply.json["urls"]
    assert reply.json["releases"] == {"1.0": [file]}
    assert set(file) == {
        *("comment_text", "core-metadata", "digests", "downloads", "filename", "has_sig", "md5_digest", "packagetype"),
        *("python_version", "requires_python", "size", "upload_time", "upload_time_iso_8601", "url"),
        *("yanked", "yanked_reason"),
    }
    assert (file["downloads"], file["has_sig"], file["comment_text"], file["requires_python"]) == (
        -1,
        False,
        None,
        None,
    )
    assert file["md5_digest"] == file["digests"]["md5"]
    assert (reply.headers["X-PyPI-Last-Serial"], reply.headers["Access-Control-Allow-Origin"]) == ("1", "*")
    assert pypi.ask("GET", "/pypi/acme-widget/json", headers={"If-None-Match": reply.headers["ETag"]}).status == 304


def test_the_json_api_shows_what_was_uploaded(pypi: SandboxClient) -> None:
    classifiers = ["Topic :: Utilities", "Programming Language :: Python"]
    given = {"classifiers": classifiers, "description": "Text", "home_page": "https://acme.invalid/", "keywords": "a,b"}
    urls = {"project_urls": ["Docs, https://acme.invalid/docs"], "requires_python": ">=3.8"}
    pypi.upload(version="1.0")
    pypi.upload(version="1.10", changes=given | urls)
    pypi.upload(version="1.9")
    found = pypi.ask("GET", "/pypi/acme-widget/json").json
    info = found["info"]
    assert info["classifiers"] == sorted(classifiers)
    assert (info["description"], info["home_page"], info["keywords"]) == ("Text", "https://acme.invalid/", "a,b")
    assert info["project_urls"] == {"Docs": "https://acme.invalid/docs"}
    assert list(found["releases"]) == ["1.10", "1.9", "1.0"], "the newest version first"
    pypi.sandbox.delete_file(wheel_name(version="1.9"))
    assert pypi.ask("GET", "/pypi/acme-widget/json").json["releases"]["1.9"] == []


def test_a_project_has_a_page(pypi: SandboxClient) -> None:
    pypi.upload(changes={"name": "Acme_Widget", "summary": "<b>&", "description": "<script>"})
    page = pypi.ask("GET", "/project/Acme_Widget/")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=UTF-8")
    text = page.body.decode()
    assert "<h1>Acme_Widget 1.0</h1>" in text
    assert "&lt;b&gt;&amp;" in text
    assert "<script>" not in text
    assert f">{wheel_name()}</a>" in text
    assert pypi.ask("GET", "/project/Acme_Widget/1.0/").body == page.body
    for path, there in {
        "/project/acme-widget/": "/project/Acme_Widget/",
        "/project/Acme_Widget": "/project/Acme_Widget/",
        "/project/acme.widget/1.0.0/": "/project/Acme_Widget/1.0/",
        "/project/Acme_Widget/1.0": "/project/Acme_Widget/1.0/",
        "/pypi/acme.widget/1.0/json/": "/pypi/acme-widget/1.0/json/",
    }.items():
        moved = pypi.ask("GET", path)
        assert (moved.status, moved.headers["Location"]) == (301, pypi.site + there), path
    assert pypi.ask("GET", "/project/Acme_Widget/2.0/").status == 404


#: Observed: webob 1.8.10 (`acceptable_offers`) with the three forms that PyPI offers, 2026-11
PREFERENCES = {
    "*/*": "text/html",
    "application/*": "application/vnd.pypi.simple.v1+html",
    JSON: JSON,
    JSON.upper(): JSON,
    f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01": JSON,
    f"{JSON}, text/html": "text/html",
    f"{JSON}, */*": "text/html",
    f"{JSON};q=0.2, */*;q=0.1": JSON,
    "text/html;q=0, */*": "application/vnd.pypi.simple.v1+html",
    "text/html;q=0": "text/html",
    "application/json": "text/html",
    "application/vnd.pypi.simple.latest+json": "text/html",
    f"text/*;q=0.5, {JSON};q=0.4": "text/html",
}


def test_the_simple_api_sends_the_form_that_is_preferred(pypi: SandboxClient) -> None:
    for accept, kind in PREFERENCES.items():
        for path in ("/simple/", "/simple/acme-widget/"):
            reply = pypi.ask("GET", path, headers={"Accept": accept})
            assert (reply.status, reply.headers["Content-Type"].partition(";")[0]) == (200, kind), accept


def test_the_html_of_the_simple_api_is_the_frozen_one(pypi: SandboxClient) -> None:
    """As PEP 833 has it: https://peps.python.org/pep-0833/."""
    changes = {"projects": [{"name": "acme-widget", "owners": ["alice"], "status": "archived"}], "tokens": []}
    with sandbox_client(changes) as archived:
        page = archived.ask("GET", "/simple/acme-widget/").body.decode()
        assert page == (
            '<!DOCTYPE html>\n<html lang="en">\n  <head>\n    <meta name="pypi:repository-version" content="1.4">\n'
            '<meta name="pypi:project-status" content="archived">    <title>Links for acme-widget</title>\n  </head>\n'
            "  <body>\n    <h1>Links for acme-widget</h1>\n</body>\n</html>\n<!--SERIAL 0-->"
        )
        assert archived.listing()["project-status"] == {"status": "archived"}
    pypi.upload()
    pypi.upload("probe-new")
    projects = pypi.ask("GET", "/simple/", headers={"Accept": JSON}).json["projects"]
    serials = {one["name"]: one["_last-serial"] for one in projects}
    assert (serials["acme-widget"], serials["probe-new"], serials["acme-gadget"]) == (1, 2, 0)


def test_the_display_name_follows_the_last_upload(pypi: SandboxClient) -> None:
    pypi.upload(changes={"name": "Acme_Widget"})
    assert pypi.ask("GET", "/pypi/acme-widget/json").json["info"]["name"] == "Acme_Widget"
    pypi.upload(version="1.1")
    assert pypi.ask("GET", "/pypi/acme-widget/json").json["info"]["name"] == "acme-widget"

"""Releases on GitHub, with its REST API: create a draft, attach the files, then publish it.

Source: docs.github.com, "REST API endpoints for releases" and "… for release assets", version 2022-11-28.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from msgspec import Struct

from release.adapters.http import http_client, response_limits
from release.adapters.http.response_body import response_json, response_text
from release.adapters.system.system import System
from release.core.child_environment import without_credentials
from release.core.errors import ToolError
from release.core.foreign_json import ForeignJsonError
from release.core.models.distribution import Distribution
from release.core.models.index import host_of
from release.core.secret import Secret

if TYPE_CHECKING:
    import requests

_URL = re.compile(r"(?:https://(?:[^@/]*@)?|ssh://git@|git@)(?P<host>[^/:]+)[/:](?P<slug>[^/]+/[^/]+?)(?:\.git)?/?")
_OK, _CREATED, _NOT_FOUND = 200, 201, 404
_SHOWN = 200


class ReleaseRequest(Struct, frozen=True, kw_only=True):
    """The release to publish."""

    #: "owner/repository"
    repository: str
    tag: str
    title: str
    #: Markdown
    body: str
    prerelease: bool
    files: tuple[Distribution, ...]


class GitHubRelease(Struct, frozen=True, kw_only=True):
    """A release on GitHub."""

    url: str
    #: whether anything was created, attached or published
    changed: bool


def github_repository(env: Mapping[str, str], url: str | None) -> str | None:
    """The repository of a remote's URL, "owner/name"; None where it is not on GitHub.

    On GitHub Actions, the job's own variable. Source: docs.github.com, "Default environment variables".
    """
    if named := env.get("GITHUB_REPOSITORY"):
        return named
    found = _URL.fullmatch(url or "")
    return found["slug"] if found and found["host"].lower() == _host(env) else None


def find_github_token(system: System) -> Secret | None:
    """The token of `GH_TOKEN` or `GITHUB_TOKEN`, else the one that `gh` stores; None where there is none."""
    for name in ("GH_TOKEN", "GITHUB_TOKEN"):
        if system.env.get(name):
            return Secret(system.env[name])
    try:
        env = without_credentials(system.env, "gh")
        done = system.run(["gh", "auth", "token", "--hostname", _host(system.env)], env=env, apart=True)
    except ToolError:
        return None
    return Secret(done.output.strip()) if not done.status and done.output.strip() else None


def publish_release(system: System, secret: Secret, request: ReleaseRequest) -> GitHubRelease:
    """Publish the release, or complete one that was begun.

    Raises `ToolError` where GitHub refuses, or has another file of the same name; `UnreachableError`.
    """
    api = system.env.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    url = f"{api}/repos/{request.repository}/releases"
    with http_client.session(api, limits=response_limits.PAGE) as session:
        session.headers["Authorization"] = f"Bearer {secret.reveal()}"
        session.headers["Accept"] = "application/vnd.github+json"
        session.headers["X-GitHub-Api-Version"] = "2022-11-28"
        begun = _find(session, url, request)
        release = begun or _create(session, url, request)
        missing = _missing_files(release, request)
        for file in missing:
            _attach(session, api, release, file)
        if release["draft"]:
            release = _document(session.patch(release["url"], json={"draft": False}, allow_redirects=False), _OK)
    changed = begun is None or bool(missing) or bool(begun["draft"])
    return GitHubRelease(url=str(release["html_url"]), changed=changed)


def _host(env: Mapping[str, str]) -> str:
    return host_of(env.get("GITHUB_SERVER_URL") or "https://github.com")


def _find(session: requests.Session, url: str, request: ReleaseRequest) -> dict[str, Any] | None:
    """The release of the tag, or its draft among the most recent ones: GitHub does not find a draft by its tag."""
    response = session.get(f"{url}/tags/{quote(request.tag, safe='')}", allow_redirects=False)
    if response.status_code != _NOT_FOUND:
        return _release(_document(response, _OK), url)
    recent = _document(session.get(url, params={"per_page": 100}, allow_redirects=False), _OK)
    found = next((one for one in recent if one.get("draft") and one.get("tag_name") == request.tag), None)
    return _release(found, url) if found else None


def _create(session: requests.Session, url: str, request: ReleaseRequest) -> dict[str, Any]:
    form = {
        "tag_name": request.tag, "name": request.title, "body": request.body, "draft": True,
        "prerelease": request.prerelease,
    }  # fmt: skip
    return _release(_document(session.post(url, json=form, allow_redirects=False), _CREATED), url)


def _release(document: Any, url: str) -> dict[str, Any]:
    """A release with all fields that are used. Raises `ToolError`."""
    if not isinstance(document, dict) or not {"id", "draft", "html_url", "upload_url", "assets"} <= document.keys():
        remedy = "check it in a browser, then run the same command again"
        raise ToolError("GitHub's response is not a release", remedy=remedy)
    return document | {"url": f"{url}/{int(document['id'])}"}


def _missing_files(release: Mapping[str, Any], request: ReleaseRequest) -> list[Distribution]:
    """The files that the release does not have. Raises `ToolError` where it has another file of that name."""
    assets = {asset["name"]: asset for asset in release["assets"] if asset.get("state", "uploaded") == "uploaded"}
    for file in request.files:
        if file.filename in assets:
            _compare(assets[file.filename], file)
    return [file for file in request.files if file.filename not in assets]


def _compare(asset: Mapping[str, Any], file: Distribution) -> None:
    """By the SHA-256, which GitHub has for assets since 2025; else by size."""
    digest = asset.get("digest")
    same = digest == f"sha256:{file.sha256}" if digest else asset.get("size") == file.size
    if not same:
        raise ToolError(
            f"GitHub has another file {file.filename!r}: {digest or asset.get('size')}",
            remedy="find out where it came from, delete it from the release, then run the same command again",
        )


def _attach(session: requests.Session, api: str, release: Mapping[str, Any], file: Distribution) -> None:
    url = str(release["upload_url"]).partition("{")[0]
    # Files are uploaded to the API's own host, or to uploads.HOST.
    hosts = {host_of(api), f"uploads.{host_of(api).removeprefix('api.')}"}
    if host_of(url) not in hosts or urlsplit(url).scheme != urlsplit(api).scheme:
        raise ToolError(
            f"GitHub's upload URL is on {host_of(url)!r}, which is not a host of GitHub; no token was sent there",
            remedy="attach the files by hand",
        )
    with file.path.open("rb") as content:
        response = session.post(
            url, params={"name": file.filename}, data=content, allow_redirects=False,
            timeout=(10.0, 300.0),  # seconds to connect, and without a response while the file is uploaded
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(file.size)},
        )  # fmt: skip
    _compare(_document(response, _CREATED), file)


def _document(response: requests.Response, status: int) -> Any:
    """The JSON of a response with this status. Raises `ToolError` with GitHub's message."""
    if response.status_code != status:
        try:
            message = str(response_json(response)["message"])
        except (ValueError, KeyError, TypeError):
            message = response_text(response, response.content[:_SHOWN])
        raise ToolError(
            f"GitHub answers {response.status_code} {message[:_SHOWN]!r}",
            remedy="give the token permission to write contents (in Actions: permissions: contents: write), then run "
            "the same command again"
            if response.status_code in {401, 403, 404}
            else "follow GitHub's message, then run the same command again",
        )
    try:
        return response_json(response)
    except ForeignJsonError:
        raise ToolError("GitHub's response is not JSON", remedy="run the same command again") from None

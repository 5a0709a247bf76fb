"""Releases on GitHub, through its REST API: a draft first, then the files, and a release only when all are there.

Source: docs.github.com, "REST API endpoints for releases" and "… for release assets", version 2022-11-28.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from release.adapters.http import http_client
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.models.distribution import Distribution
from release.core.models.index import host_of
from release.core.secret import Secret

if TYPE_CHECKING:
    import requests

_API = "https://api.github.com"
_HOST = "github.com"
_URL = re.compile(r"(?:https://(?:[^@/]*@)?|ssh://git@|git@)(?P<host>[^/:]+)[/:](?P<slug>[^/]+/[^/]+?)(?:\.git)?/?")
#: bytes of an answer that are shown
_SHOWN = 200
_OK, _CREATED, _UNKNOWN = 200, 201, 404
#: seconds to connect, and seconds of silence while a file is taken
_SLOW = (10.0, 300.0)
#: releases that are looked through for a draft
_RECENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest:
    """The release that is to be."""

    #: "owner/repository"
    repository: str
    tag: str
    title: str
    #: Markdown
    body: str
    prerelease: bool
    files: tuple[Distribution, ...]


def github_repository(env: Mapping[str, str], url: str | None) -> str | None:
    """The repository that a remote is, "owner/name"; None where it is not on GitHub.

    A job on GitHub Actions says so itself. Source: docs.github.com, "Default environment variables".
    """
    if named := env.get("GITHUB_REPOSITORY"):
        return named
    found = _URL.fullmatch(url or "")
    return found["slug"] if found and found["host"].lower() == _host(env) else None


def find_github_token(system: System) -> Secret | None:
    """What `GH_TOKEN` or `GITHUB_TOKEN` holds, else what `gh` has stored; None where there is neither."""
    for name in ("GH_TOKEN", "GITHUB_TOKEN"):
        if system.env.get(name):
            return Secret(system.env[name])
    try:
        told = system.run(["gh", "auth", "token", "--hostname", _host(system.env)], env=system.env, apart=True)
    except ToolError:
        return None
    return Secret(told.output.strip()) if not told.status and told.output.strip() else None


def publish_release(system: System, secret: Secret, wanted: ReleaseRequest) -> tuple[bool, str]:
    """Make the release, or go on with one that was begun; whether anything was left to do, and its address.

    Raises `ToolError` where GitHub refuses, or has another file of the same name; `UnreachableError`.
    """
    api = system.env.get("GITHUB_API_URL", _API).rstrip("/")
    with http_client.session(api) as session:
        session.headers["Authorization"] = f"Bearer {secret.reveal()}"
        session.headers["Accept"] = "application/vnd.github+json"
        session.headers["X-GitHub-Api-Version"] = "2022-11-28"
        begun = _find(session, api, wanted)
        known = begun or _make(session, api, wanted)
        missing = _missing(known, wanted)
        for file in missing:
            _attach(session, api, known, file)
        if known["draft"]:
            known = _asked(session.patch(known["url"], json={"draft": False}, allow_redirects=False), _OK)
    return begun is None or bool(missing) or begun["draft"], str(known["html_url"])


def _host(env: Mapping[str, str]) -> str:
    return host_of(env.get("GITHUB_SERVER_URL") or f"https://{_HOST}")


def _find(session: requests.Session, api: str, wanted: ReleaseRequest) -> dict[str, Any] | None:
    """The release of the tag, or its draft, which GitHub finds by no tag."""
    place = f"{api}/repos/{wanted.repository}/releases"
    answer = session.get(f"{place}/tags/{quote(wanted.tag, safe='')}", allow_redirects=False)
    if answer.status_code != _UNKNOWN:
        return _whole(_asked(answer, _OK), place)
    recent = _asked(session.get(place, params={"per_page": _RECENT}, allow_redirects=False), _OK)
    found = next((one for one in recent if one.get("draft") and one.get("tag_name") == wanted.tag), None)
    return _whole(found, place) if found else None


def _make(session: requests.Session, api: str, wanted: ReleaseRequest) -> dict[str, Any]:
    place = f"{api}/repos/{wanted.repository}/releases"
    form = {
        "tag_name": wanted.tag, "name": wanted.title, "body": wanted.body, "draft": True,
        "prerelease": wanted.prerelease,
    }  # fmt: skip
    return _whole(_asked(session.post(place, json=form, allow_redirects=False), _CREATED), place)


def _whole(release: Any, place: str) -> dict[str, Any]:
    """A release with everything that is read of it. Raises `ToolError`."""
    if not isinstance(release, dict) or not {"id", "draft", "html_url", "upload_url", "assets"} <= release.keys():
        raise ToolError("GitHub's answer is no release", remedy="look at it in the browser, and run it again")
    return release | {"url": f"{place}/{int(release['id'])}"}


def _missing(release: Mapping[str, Any], wanted: ReleaseRequest) -> list[Distribution]:
    """The files that the release does not have. Raises `ToolError` where it has one with other bytes."""
    there = {asset["name"]: asset for asset in release["assets"] if asset.get("state", "uploaded") == "uploaded"}
    for file in wanted.files:
        if file.filename in there:
            _compare(there[file.filename], file)
    return [file for file in wanted.files if file.filename not in there]


def _compare(asset: Mapping[str, Any], file: Distribution) -> None:
    """By SHA-256 where GitHub tells it, as it does since 2025; else by size."""
    digest = asset.get("digest")
    same = digest == f"sha256:{file.sha256}" if digest else asset.get("size") == file.size
    if not same:
        raise ToolError(
            f"GitHub has {file.filename!r} with other bytes: {digest or asset.get('size')}",
            remedy="find out where it came from, delete it from the release, and run it again",
        )


def _attach(session: requests.Session, api: str, release: Mapping[str, Any], file: Distribution) -> None:
    place = str(release["upload_url"]).partition("{")[0]
    if not _is_of(host_of(place), host_of(api)) or urlsplit(place).scheme != urlsplit(api).scheme:
        raise ToolError(
            f"GitHub names {host_of(place)!r} for uploads, which is none of its hosts, and gets no token from us",
            remedy="attach the files by hand",
        )
    with file.path.open("rb") as content:
        answer = session.post(
            place, params={"name": file.filename}, data=content, allow_redirects=False, timeout=_SLOW,
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(file.size)},
        )  # fmt: skip
    _compare(_asked(answer, _CREATED), file)


def _is_of(host: str, api: str) -> bool:
    """Whether files go to the API's own host, or its sister: uploads.github.com, uploads.HOST."""
    return host == api or host == f"uploads.{api.removeprefix('api.')}"


def _asked(answer: requests.Response, wanted: int) -> Any:
    """The document of an answer. Raises `ToolError` in GitHub's words."""
    if answer.status_code == wanted:
        try:
            return answer.json()
        except ValueError:
            raise ToolError("GitHub's answer is no JSON", remedy="run it again") from None
    raise ToolError(
        f"GitHub refuses: {answer.status_code} {_words(answer)!r}",
        remedy="give the token the right to write contents (in Actions: permissions: contents: write), and run it again"
        if answer.status_code in {401, 403, 404}
        else "mend what it says, and run it again",
    )


def _words(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"])[:_SHOWN]
    except (ValueError, KeyError, TypeError):
        return answer.text[:_SHOWN]

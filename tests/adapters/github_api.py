"""What of GitHub's REST API a release needs, on loopback: releases, their files, and the token that opens them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response


@dataclass(kw_only=True)
class GitHub:
    """One repository, acme/widget."""

    url: str = ""
    token: str = field(default_factory=lambda: f"t{token_hex(20)}")
    releases: list[dict[str, Any]] = field(default_factory=list)
    #: method and path of each request, and what it did
    seen: list[str] = field(default_factory=list)
    #: file names whose upload fails
    broken: set[str] = field(default_factory=set)
    #: where uploads are sent to; None: here
    uploads: str | None = None

    def __call__(self, environ: Any, start: Any) -> Any:
        request = Request(environ)
        self.seen.append(f"{request.method} {request.path}")
        return self._answer(request)(environ, start)

    def _answer(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _json({"message": "Bad credentials"}, 401)
        match request.method, request.path.removeprefix("/repos/acme/widget/releases").strip("/").split("/"):
            case "GET", ["tags", tag]:
                found = [one for one in self.releases if one["tag_name"] == tag and not one["draft"]]
                return _json(found[0]) if found else _json({"message": "Not Found"}, 404)
            case "GET", [""]:
                return _json(self.releases)
            case "POST", [""]:
                return self._create(json.loads(request.get_data()))
            case "POST", [number, "assets"]:
                return self._attach(self.releases[int(number)], request)
            case "PATCH", [number]:
                self.releases[int(number)] |= json.loads(request.get_data())
                return _json(self.releases[int(number)])
            case _:
                return _json({"message": "Not Found"}, 404)

    def _create(self, form: dict[str, Any]) -> Response:
        number = len(self.releases)
        place = f"{self.uploads or self.url}/repos/acme/widget/releases/{number}/assets{{?name,label}}"
        page = f"https://github.invalid/acme/widget/releases/{form['tag_name']}"
        self.releases.append(form | {"id": number, "assets": [], "upload_url": place, "html_url": page})
        return _json(self.releases[-1], 201)

    def _attach(self, release: dict[str, Any], request: Request) -> Response:
        name, data = request.args["name"], request.get_data()
        if name in self.broken:
            return _json({"message": "try again"}, 500)
        digest = hashlib.sha256(data).hexdigest()
        release["assets"].append({"name": name, "size": len(data), "digest": f"sha256:{digest}", "state": "uploaded"})
        return _json(release["assets"][-1], 201)


def _json(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status=status, content_type="application/json")


@contextmanager
def running(**state: Any) -> Iterator[GitHub]:
    hub = GitHub(**state)
    server = make_server("127.0.0.1", 0, hub, threaded=True)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

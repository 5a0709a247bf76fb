"""All requests go through the one client, and all JSON of others through the one parser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
#: modules that can make a request
CLIENTS = {"requests", "urllib3", "http.client", "urllib.request", "httpx", "aiohttp", "smtplib", "ftplib", "id"}
#: module → why it imports one of them past the client
OWN_CLIENTS: Mapping[str, str] = {
    "release/adapters/http/http_client.py": "the client",
    "release/adapters/http/bounded_adapter.py": "its adapter",
    "release/adapters/http/kept_sessions.py": "a type",
    "release/adapters/http/response_body.py": "a type",
    "release/adapters/github/releases.py": "a type",
    "release/adapters/index/simple_api.py": "a type",
    "release/adapters/oidc/provider.py": "a type",
    "release/adapters/twine/twine_worker.py": "types; the adapter is the client's",
    "release/adapters/oidc/child.py": "the library id makes the request, with our limits",
    "release/adapters/http/bounded_response.py": "below the client and its adapter",
    "release/adapters/http/bounded_retry.py": "the retries of the client",
    "release/adapters/sigstore.py": "exceptions; the library sigstore makes requests, with our limits",
    "release/token_health/notify/webhook.py": "a type",
    "release/token_health/notify/mail.py": "SMTP",
    "release/sandbox/certificates.py": "the path of a file",
}
#: module → why it parses JSON otherwise: none of it comes from others
OWN_JSON: Mapping[str, str] = {
    "release/core/foreign_json.py": "the parser",
    "release/core/tokens/caveats.py": "the index's verdict on a caveat",
    "release/core/tokens/caveat_damage.py": "caveats that were parsed",
    "release/acceptance/attestation_rules.py": "the index's verdict on attestations",
    "release/publishing/stored_verdict.py": "its own value",
    "release/cli/commands/prepare.py": "its own output",
    "release/token_health/notify/delivery.py": "its own database",
    "release/adapters/builds/build_child/installs.py": "a report of the pip of the build",
    "release/adapters/builds/build_child/run_build.py": "settings and the order of its own parent",
    "release/adapters/system/process.py": "events of its own child",
    "release/adapters/keyring/keyring_child.py": "requests of its own parent",
    "release/adapters/twine/twine_reader_child.py": "requests of its own parent",
    "release/adapters/twine/twine_worker.py": "requests of its own parent",
    "release/publishing/own_process_child.py": "requests of its own parent",
    "pypi_preflight/sandbox_process.py": "answers of its own child",
    "pypi_preflight/config_schema.py": "a file of this package",
}


def modules(pattern: str) -> set[str]:
    """The modules with a line like that."""
    paths = (path for package in ("release", "pypi_preflight") for path in (ROOT / package).rglob("*.py"))
    found = re.compile(pattern, re.MULTILINE)
    return {path.relative_to(ROOT).as_posix() for path in paths if found.search(path.read_text(encoding="utf-8"))}


def test_requests_are_made_by_the_client_alone() -> None:
    clients = "|".join(map(re.escape, CLIENTS))
    assert modules(rf"^ *(?:import|from) (?:{clients})\b(?! import url2pathname)") == set(OWN_CLIENTS)


def test_json_of_others_is_parsed_in_one_place() -> None:
    """The sandbox is a server, which parses what its own clients send, and its own database."""
    found = modules(r"\bjson\.loads?\(|\.json\(\)|^ *from json import")
    assert {name for name in found if not name.startswith("release/sandbox/")} == set(OWN_JSON)

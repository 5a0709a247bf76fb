"""A hostile server against all that reads responses: the simple API, the JSON API, files, and uploads.

The limits are small here, so that a case takes milliseconds; `tests/stories/test_hostile_index.py` has the real ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.http import http_client, response_body, response_limits
from release.adapters.http.errors import ResponseLimitError
from release.adapters.index import json_api, simple_api, token_probes
from release.adapters.twine import twine_worker
from release.core.errors import UnreachableError
from release.core.models.index import Index, IndexFile
from release.core.secret import Secret
from tests import fake_tokens, sample_distributions
from tests.adapters import hostile_server
from tests.adapters.hostile_server import Hostile, Sound
from tests.adapters.loopback_server import loopback_server

HOSTILE: Mapping[str, Hostile] = {**hostile_server.ANSWERS, **hostile_server.SLOW_ANSWERS}
CONTENT = b"bytes" * 4_000
SHA = hashlib.sha256(CONTENT).hexdigest()
ENTRY = {"filename": "acme-1.0.tar.gz", "url": "/files/acme-1.0.tar.gz", "hashes": {"sha256": SHA}, "size": 20_000}
SIMPLE = Sound(
    body=json.dumps({"meta": {"api-version": "1.4"}, "name": "acme", "files": [ENTRY]}).encode(),
    kind="application/vnd.pypi.simple.v1+json",
)
NAMES = Sound(body=json.dumps({"projects": [{"name": "acme"}]}).encode(), kind=SIMPLE.kind)
DIGESTS = {"filename": "acme-1.0.tar.gz", "url": "http://127.0.0.1/f", "digests": {"sha256": SHA}}
JSON_API = Sound(body=json.dumps({"info": {"name": "acme"}, "urls": [DIGESTS]}).encode(), kind="application/json")
FILE = Sound(body=CONTENT, kind="application/octet-stream")
UPLOAD = Sound(body=b"OK", kind="text/plain")


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "_RETRIES", 0)
    for name in ("PAGE", "PROJECT_NAMES", "UPLOAD"):
        small = getattr(response_limits, name)._replace(wire=100_000, decoded=200_000)
        monkeypatch.setattr(response_limits, name, small)


def index(url: str) -> Index:
    return Index(name="test", upload_url=f"{url}legacy/", simple_url=f"{url}simple/", kind="warehouse")


def download(url: str, directory: Path, size: int | None = len(CONTENT)) -> bytes:
    file = IndexFile(filename="acme-1.0.tar.gz", url=f"{url}f", sha256=SHA, size=size)
    try:
        return simple_api.download_file(file, directory).path.read_bytes()
    finally:
        assert not list(directory.glob("*.part"))


#: reader → what it reads, how, and the sound result
READERS: Mapping[str, tuple[Sound, Callable[[str, Path], Any], Any]] = {
    "simple API": (SIMPLE, lambda url, _: simple_api.fetch_listing(index(url), "acme", retries=0).files[0].sha256, SHA),  # type: ignore[union-attr]
    "names": (NAMES, lambda url, _: simple_api.fetch_project_names(index(url)), ("acme",)),
    "owners": (JSON_API, lambda url, _: json_api.fetch_ownership(index(url), "acme").name, "acme"),  # type: ignore[union-attr]
    "release files": (JSON_API, lambda url, _: json_api.fetch_release_files(index(url), "acme", "1")[0].sha256, SHA),  # type: ignore[index]
    "file": (FILE, download, CONTENT),
    "file of unknown size": (FILE, lambda url, directory: download(url, directory, None), CONTENT),
}


def read(reader: str, answer: Hostile, directory: Path) -> Any:
    sound, fetch, _ = READERS[reader]
    with loopback_server(lambda h: answer(h, replace(sound, pause=0.02))) as server:
        return fetch(server.url, directory)


@pytest.fixture
def hostile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Hostile:
    """The answer of that name; for the slow ones, time is short."""
    if request.param in hostile_server.SLOW_ANSWERS:
        monkeypatch.setattr(response_limits, "SECONDS", 0.1)
    return HOSTILE[str(request.param)]


@pytest.mark.parametrize("hostile", HOSTILE, indirect=True)
@pytest.mark.parametrize("reader", ["simple API", "release files", "file"])
def test_what_is_hostile_is_an_error_with_a_remedy(reader: str, hostile: Hostile, tmp_path: Path) -> None:
    with pytest.raises(UnreachableError) as caught:
        read(reader, hostile, tmp_path)
    assert caught.value.remedy


@pytest.mark.parametrize("answer", hostile_server.ODD_ANSWERS)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_only_odd_is_read(reader: str, answer: str, tmp_path: Path) -> None:
    assert read(reader, hostile_server.ODD_ANSWERS[answer], tmp_path) == READERS[reader][2]


@pytest.mark.parametrize("document", hostile_server.DOCUMENTS)
@pytest.mark.parametrize("reader", ["simple API", "names"])
def test_a_hostile_document_is_an_error(reader: str, document: str, tmp_path: Path) -> None:
    sound = READERS[reader][0]
    if document == "UTF-16":  # RFC 8259 allows UTF-8 only; Python's parser detects it
        assert read(reader, hostile_server.DOCUMENTS[document], tmp_path) == READERS[reader][2]
        return
    with pytest.raises(UnreachableError) as caught:
        read(reader, hostile_server.DOCUMENTS[document], tmp_path)
    assert caught.value.remedy
    assert sound.body.decode() not in caught.value.message


def test_one_emoji_does_not_make_a_large_page_four_times_as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_body, "_MAX_NOT_ASCII", 1_000)
    for filler, fits in (("x" * 2_000, True), ("x" * 2_000 + "\U0001f600", False), ("\U0001f600", True)):
        body = json.dumps({"info": {"name": "acme"}, "x": filler}, ensure_ascii=False)
        with loopback_server(lambda h, body=body: h.reply(200, body)) as server:  # type: ignore[misc] # a default
            if fits:
                assert json_api.fetch_ownership(index(server.url), "acme") is not None
            else:
                with pytest.raises(UnreachableError, match="more than 1 kB of text that is not ASCII"):
                    json_api.fetch_ownership(index(server.url), "acme")


# -- messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reader", "hostile", "message"),
    [
        ("simple API", "endless chunks", "sends more than 100 kB for a page of a project; the rest was not read"),
        ("simple API", "gzip bomb", "sends more than 200 kB for a page of a project; the rest was not read"),
        ("names", "endless body", "sends more than 100 kB for the list of all projects; the rest was not read"),
        ("file", "endless body", "sends more than 20 kB for the file 'acme-1.0.tar.gz', as its page states"),
        ("owners", "endless 100 Continue", "sends more than 256 kB for the head of a response"),
        ("simple API", "a byte now and then", "sends a page of a project too slowly: "),
        ("simple API", "a header now and then", "sends the head of a response too slowly: "),
    ],
    indirect=["hostile"],
)
def test_the_message_has_the_host_and_the_limit(reader: str, hostile: Hostile, message: str, tmp_path: Path) -> None:
    with pytest.raises(ResponseLimitError) as caught:
        read(reader, hostile, tmp_path)
    error = caught.value
    assert error.message.startswith(f"'127.0.0.1' {message}")
    assert (error.cause == "net.timeout-reset") == ("slowly" in message)


def test_a_response_over_a_limit_is_not_requested_again() -> None:
    with (
        loopback_server(lambda h: HOSTILE["endless body"](h, SIMPLE)) as server,
        pytest.raises(ResponseLimitError),
    ):
        simple_api.fetch_listing(index(server.url), "acme", retries=4)
    assert len(server.asked) == 1


def test_a_secret_address_is_not_repeated() -> None:
    with (
        loopback_server(lambda h: hostile_server.ANSWERS["endless body"](h, SIMPLE)) as server,
        pytest.raises(ResponseLimitError) as caught,
        http_client.session(server.url) as session,
    ):
        session.get(f"{server.url.replace('//', '//user:word@')}services/secret-part?token=secret-part")
    assert "secret-part" not in caught.value.message + caught.value.remedy
    assert "word" not in caught.value.remedy


# -- what a limit must not break ---------------------------------------------------------------------


def test_a_connection_is_kept_and_each_response_has_all_of_its_limit() -> None:
    """Ten responses of 60 kB on one connection, each below the limit of 100 kB."""
    body = json.dumps({"meta": {"api-version": "1.4"}, "name": "acme", "files": [], "x": "y" * 60_000})
    with (
        loopback_server(lambda h: h.reply(200, body, kind=SIMPLE.kind)) as server,
        http_client.shared_sessions(http_client.RateLimit(1_000)),
    ):
        for _ in range(10):
            assert simple_api.fetch_listing(index(server.url), "acme") is not None
    assert len({one.connection for one in server.asked}) == 1


def test_a_slow_download_that_goes_on_is_not_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than any response may take, but above the least rate."""
    monkeypatch.setattr(response_limits, "SECONDS", 0.3)
    monkeypatch.setattr(response_limits, "RATE", 100)

    def answer(h: Any) -> None:
        hostile_server.head(h, FILE, Content_Length=str(len(CONTENT)))
        hostile_server.drip(h, iter(CONTENT[at : at + 1_000] for at in range(0, len(CONTENT), 1_000)), 0.02)

    with loopback_server(answer) as server:
        assert download(server.url, tmp_path) == CONTENT


@pytest.mark.parametrize(("size", "fits"), [(20_000, True), (19_999, False), (None, True), (10**18, True)])
def test_a_file_may_have_the_size_that_its_page_states(size: int | None, fits: bool, tmp_path: Path) -> None:
    with loopback_server(lambda h: h.reply(200, CONTENT)) as server:
        if fits:
            assert download(server.url, tmp_path, size) == CONTENT
        else:
            with pytest.raises(ResponseLimitError, match="more than 19,999 bytes for the file"):
                download(server.url, tmp_path, size)


# -- uploads and probes ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dist") / sample_distributions.wheel_name()
    path.write_bytes(sample_distributions.wheel())
    return path


def upload(answer: Callable[[Any], None], wheel: Path) -> dict[str, Any]:
    """The event of twine's child for one attempt, in this process."""
    with loopback_server(answer) as server:
        uploader = twine_worker._Uploader(lambda _: None)
        uploader.login(url=server.url, username="__token__", password="x", proxies={}, ca=None)
        sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
        event = uploader.send(path=str(wheel), sha256=sha256, timeout=(5, 5), attestations=[])
        uploader._repository.close()  # type: ignore[union-attr] # after a login there is one
    assert len(server.asked) == 1, "an upload is never repeated blindly"
    return event


#: a redirect is not followed, and of a body with a length no more is read
ANSWERED = {"endless redirects", "redirect to file:", "longer than its length"}


@pytest.mark.parametrize(
    ("hostile", "status"),
    [*((one, 200) for one in HOSTILE if one not in ANSWERED), ("gzip bomb", 403), ("a chunk now and then", 400)],
    indirect=["hostile"],
)
def test_a_hostile_answer_to_an_upload_is_unclear(hostile: Hostile, status: int, wheel: Path) -> None:
    """Whatever its status: the file was sent, so that the index is asked what it has."""
    event = upload(lambda h: hostile(h, replace(UPLOAD, status=status, pause=0.02)), wheel)
    assert (event["is"], event["sent"]) == ("failure", "all")


@pytest.mark.parametrize("answer", hostile_server.ODD_ANSWERS)
def test_an_odd_answer_to_an_upload_is_read(answer: str, wheel: Path) -> None:
    event = upload(lambda h: hostile_server.ODD_ANSWERS[answer](h, UPLOAD), wheel)
    assert (event["status"], event["body"]) == (200, "OK")


@pytest.mark.parametrize("answer", ["gzip bomb", "endless chunks", "unknown charset"])
def test_a_probe_reads_the_beginning_of_its_answer(answer: str) -> None:
    """The page of a proxy may be of any size; what the index says stands at the beginning."""
    spoil = {**HOSTILE, **hostile_server.ODD_ANSWERS}[answer]
    with loopback_server(lambda h: spoil(h, replace(UPLOAD, status=403))) as server:
        token = Secret(fake_tokens.token(host="127.0.0.1"))
        assert token_probes.probe_identity(index(server.url), token).status == 403

"""Logs by kind: where they are from, what a tool can have sent, what is a warning, and what a remedy names."""

from __future__ import annotations

import pytest

from release.core.models.index import PYPI, TESTPYPI
from release.credentials.log_diagnosis import Explanation
from release.diagnostics.log_text import ci_service, plain_log, uploader_of
from release.diagnostics.matcher import recognise, remedy_for_answer, status_without_message
from tests.diagnostics.bare_machine import Verifier, bare_verifier, diagnosed

REFUSED = (
    "Invalid or non-existent authentication information. See https://pypi.org/help/#invalid-auth for more information."
)
TWINE = f"Uploading distributions to {PYPI.upload_url}\nUploading acme-1.0-py3-none-any.whl\n"
TWINE_403 = f"{TWINE}ERROR    HTTPError: 403 Forbidden from {PYPI.upload_url}\n         {REFUSED}\n"


@pytest.fixture(scope="module")
def nothing_here(tmp_path_factory: pytest.TempPathFactory) -> Verifier:
    return bare_verifier(tmp_path_factory.mktemp("home"))


def causes(log: str) -> list[str]:
    return [match.cause for match in recognise(log)]


# -- what was sent -----------------------------------------------------------------------------------

#: the answer to an upload with a credential that the index does not know, as each tool prints it
ANSWERED = {
    "twine": TWINE_403,
    "twine --verbose": f"INFO     username: __token__\nINFO     password: <hidden>\n{TWINE_403}",
    "uv": f"Publishing 1 file to {PYPI.upload_url}\nerror: Failed to publish `dist/a-1.tar.gz` to `{PYPI.upload_url}`\n"
    f"  cause: Server returned status code 403 Forbidden. Server says: 403 {REFUSED}\n",
    "uv, older": f"error: Failed to publish `dist/acme-1.0.tar.gz` to {PYPI.upload_url}\n"
    f"  Caused by: Upload failed with status code 403 Forbidden. Server says: 403 {REFUSED}\n",
    "hatch": f"dist/acme-1.0.tar.gz ... failed\nError uploading to repository: {PYPI.upload_url} - Client error "
    f"'403 {REFUSED}' for url '{PYPI.upload_url}'\n",
    "flit": f"Using repository at {PYPI.upload_url}  I-flit.upload\n"
    f"requests.exceptions.HTTPError: 403 Client Error: {REFUSED} for url: {PYPI.upload_url}\n",
    "pdm": f"[PublishError]: Client error '403 {REFUSED}' for url '{PYPI.upload_url}'\n",
    "maturin": f"\u26d4 403 {REFUSED}\n\U0001f4a5 maturin failed\n  Caused by: Username and/or password are wrong\n",
    "setuptools": f"Upload failed (403): {REFUSED}\nerror: Upload failed (403): {REFUSED}\n",
}


@pytest.mark.parametrize("tool", ANSWERED)
def test_a_missing_credential_never_explains_an_answer(tool: str, nothing_here: Verifier) -> None:
    """Neither first nor among the others, also where this machine has none."""
    found = diagnosed(ANSWERED[tool], nothing_here)
    assert (found.cause, found.certain) == ("cred.revoked", False)
    assert found.others[0] == "cred.truncated"
    assert not {"cred.missing", "src.wrong-env-name", "pypirc.section-unlisted"} & {found.cause, *found.others}
    assert "pypi-preflight verify --index pypi" in found.remedy


def test_poetry_alone_can_have_sent_nothing(nothing_here: Verifier) -> None:
    log = (
        f"\nPublishing acme (1.0) to PyPI\n - Uploading acme-1.0.tar.gz 100%\n\nHTTP Error 403: {REFUSED} | b'<html>'\n"
    )
    found = diagnosed(log, nothing_here)
    assert (found.cause, found.certain) == ("cred.revoked", False)
    assert "cred.missing" in found.others
    assert "poetry uploads without a credential, too, if it has none" in found.examined


@pytest.mark.parametrize(
    "log",
    [
        "NonInteractive: Credential not found for API token.",
        "NonInteractive: Credential not found for username.",
        "Missing required option: user",
        "Exception: Could not find password for upload.",
        "[PdmUsageError]: Username and password are required",
        f"  cause: Missing credentials for: {PYPI.upload_url}",
        "error: Attempted to publish with a password, but no username. Either provide\n       a username",
        "maturin failed\n  Caused by: Credentials not found and non-interactive mode is enabled",
        'user_pass = (self.username + x)\nTypeError: can only concatenate str (not "NoneType") to str',
    ],
)
def test_a_tool_that_stops_has_no_credential(log: str) -> None:
    assert causes(log)[0] == "cred.missing"


@pytest.mark.parametrize(
    ("log", "variable"),
    [
        ("error: Failed to publish `a`\n  cause: Missing credentials for: https://a.test/legacy/", "UV_PUBLISH_TOKEN"),
        ("Missing required option: user", "HATCH_INDEX_AUTH"),
        ("I-flit.upload\nException: Could not find username for upload.", "FLIT_PASSWORD"),
        ("[PdmUsageError]: Username and password are required", "PDM_PUBLISH_PASSWORD"),
        (
            "maturin failed\n  Caused by: Credentials not found and non-interactive mode is enabled",
            "MATURIN_PYPI_TOKEN",
        ),
    ],
)
def test_the_remedy_names_the_variable_of_the_tool(log: str, variable: str, nothing_here: Verifier) -> None:
    found = diagnosed(log, nothing_here)
    assert found.cause == "cred.missing"
    assert variable in found.remedy
    assert "TWINE_" not in found.remedy
    in_ci = diagnosed(f"{log}\nError: Process completed with exit code 1.\n", nothing_here)
    assert in_ci.remedy.startswith("pass the job an API token")


def test_a_log_of_trusted_publishing_that_failed_first_is_about_the_credential() -> None:
    """uv tries trusted publishing if it has none, and prints why that failed, too."""
    tried = (
        "Note: Trusted publishing also failed. To use it, check the error below.\nerror: Trusted publishing failed\n"
        "  cause: Failed to fetch: https://upload.example/_/oidc/audience\n  cause: {}\n"
        "error: Failed to publish `dist/a.whl` to `https://upload.example/legacy/`\n"
        "  cause: Missing credentials for: https://upload.example/legacy/\n"
    )
    for cause in ("received corrupt message of type InvalidContentType", "Connection refused (os error 111)"):
        assert causes(tried.format(cause))[0] == "cred.missing"


@pytest.mark.parametrize(
    "log",
    [
        "  Caused by: Environment variable ACTIONS_ID_TOKEN_REQUEST_TOKEN not set, is the `id-token: write` missing?",
        "GitHub: missing or insufficient OIDC token permissions, the ACTIONS_ID_TOKEN_REQUEST_TOKEN environment",
        "::error::trusted publishing exchange failure: %0AOpenID Connect token retrieval failed: GitHub: missing or",
        "##[error]OpenID Connect token\n##[error]retrieval failed: GitHub: missing",
    ],
)
def test_a_job_without_permission_for_an_identity(log: str) -> None:
    assert causes(log)[0] == "tp.id-token-permission"
    assert ci_service(log) == "GitHub Actions" or "ACTIONS" not in log


# -- where a log is from -------------------------------------------------------------------------------

FROM = {
    "GitHub Actions": [
        "x\nError: Process completed with exit code 1.\n",
        "ERROR  ##[error]HTTPError: 403 Forbidden\n",
        "> ##[group]Run twine upload\n",
        "2026-11-27T10:00:00.1234567Z Uploading distributions\n",
        "\ufeff2026-11-27T10:00:00.1234567Z Uploading distributions\n",
        "> 2026-11-27T10:00:00.1234567Z Uploading distributions\n",
        "publish\tUpload\t2026-11-27T10:00:00.1234567Z Uploading\n",
        '  File "/home/runner/work/acme/acme/setup.py", line 1\n',
        '  File "/__w/acme/acme/x.py", line 1\n',
        "Run pypa/gh-action-pypi-publish@release/v1\n",
        "::error::Trusted publishing exchange failure\n",
    ],
    "GitLab CI": [
        "Running with gitlab-runner 18.6.0 (abc)\n",
        "section_start:1700000000:step_script\r\x1b[0K\n",
        "ERROR: Job failed: exit code 1\n",
        '  File "/builds/acme/widget/x.py", line 1\n',
        "2026-11-27T10:00:00.123456Z 01O Uploading distributions\n",
    ],
    "Travis CI": [
        "travis_fold:start:deploy.0\n",
        '  File "/home/travis/build/acme/x.py", line 1\n',
        'The command "twine upload dist/*" exited with 1.\n',
        "PyPI upload failed.\nfailed to deploy\n",
        "Done. Your build exited with 1.\n",
    ],
    "another CI service": ["[Pipeline] sh\n", "buildkite-agent: x\n", "/home/circleci/project\n"],
    None: [
        TWINE_403,
        "$ twine upload dist/*\nError: x\n",
        "2026-11-27 10:00:00,123 ERROR HTTPError: 403\n",
        '  File "/home/alice/work/x.py"\nProcess finished with exit code 1\n',
        "see https://docs.github.com/en/actions for more\n",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("service", "log"), [(name, log) for name, logs in FROM.items() for log in logs])
def test_the_service_that_a_log_is_from(service: str | None, log: str) -> None:
    assert ci_service(log) == service


@pytest.mark.parametrize("log", [log for name, logs in FROM.items() if name for log in logs])
def test_a_ci_log_is_not_compared_with_this_machine(log: str, nothing_here: Verifier) -> None:
    found = diagnosed(log + TWINE_403, nothing_here)
    assert (found.cause, found.certain, found.here) == ("cred.revoked", False, ())
    assert found.others[:2] == ("cred.truncated", "ci.secret-scope")
    assert found.remedy.startswith("run in that job, with the same variables: pypi-preflight verify --index pypi")


@pytest.mark.parametrize("tool", [name for name in ANSWERED if " " not in name])
def test_the_tool_is_recognised(tool: str) -> None:
    assert uploader_of(plain_log(ANSWERED[tool])) == tool


# -- which message is the failure ----------------------------------------------------------------------

ODD = (
    'Warning:  It looks like you are trying to use an API token and your token value does not start with "pypi-" as it'
)
EMPTY = "WARNING  Your password is empty. Did you enter it correctly?\n"
EXISTS = (
    f"{TWINE}ERROR    HTTPError: 400 Bad Request from {PYPI.upload_url}\n         File already exists. See https://x/\n"
)
PLAIN_HTTP = "Unencrypted connection - credentials may be visible on the network.  W-flit.upload\n"
RETRY = (
    "WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection broken by"
    " 'NewConnectionError(\"Failed to establish a new connection: [Errno 101] Network is unreachable\")': /simple/a/\n"
)


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        (f"{ODD}\n{TWINE_403}", "cred.prefix-missing"),
        (f"{EMPTY}{TWINE_403}", "cred.env-empty"),
        (f"INFO     password: <empty>\n{TWINE_403}", "cred.env-empty"),
        ("twine upload: error: argument -p/--password: expected one argument", "cred.env-empty"),
        (f"{ODD}\n{EXISTS}", "file.exists-different"),
        (f"{EMPTY}{EXISTS}", "file.exists-different"),
        (f"{PLAIN_HTTP}{EXISTS}", "file.exists-different"),
        (f"{PLAIN_HTTP}HTTPError: 404 Client Error: Not Found for url: http://a.test/legacy", "url.no-trailing-slash"),
        (f"ERROR: Could not find a version that satisfies the requirement x==1\n{EXISTS}", "file.exists-different"),
        (f"{RETRY}{EXISTS}", "file.exists-different"),
        (f"{RETRY}Collecting x\nSuccessfully installed x\n" + "ok\n" * 9 + TWINE_403, "cred.revoked"),
        (f"{EXISTS}{TWINE}\nView at:\nhttps://x/\n{TWINE_403}", "cred.revoked"),
    ],
)  # fmt: skip
def test_warnings_and_earlier_attempts_are_not_the_failure(log: str, cause: str) -> None:
    assert causes(log)[0] == cause


@pytest.mark.parametrize(
    "log",
    [
        f"{RETRY}Collecting x\nSuccessfully installed x\n"
        + "Looking in indexes\n" * 6
        + f"{TWINE}\nView at:\nhttps://x/\n",
        f"{PLAIN_HTTP}Package is at https://x/\n",
        f"{TWINE}WARNING  Package upload appears to have failed. Retry 1 of 5.\n\nView at:\nhttps://x/project/acme/1.0/\n",
    ],
)
def test_an_upload_that_succeeded_has_no_cause(log: str) -> None:
    assert causes(log) == []


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("ProxyError('Cannot connect to proxy.', NewConnectionError(': [Errno 111] Connection refused'))", "net.proxy"),
        ("  cause: tunnel error: unsuccessful\n", "net.proxy"),
        ("[ProxyError]: 407 Proxy Authentication Required", "net.proxy"),
        ("  Caused by: CONNECT proxy failed: proxy server responded 407/407", "net.proxy"),
        ("<urlopen error Tunnel connection failed: 407 Proxy Authentication Required>", "net.proxy"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer", "net.tls"),
        ("  cause: invalid peer certificate: UnknownIssuer", "net.tls"),
        ("SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1000)')", "net.tls"),
        ("SSLError(SSLEOFError(8, 'EOF occurred in violation of protocol (_ssl.c:2406)'))", "net.timeout-reset"),
        ("  cause: connection closed before message completed", "net.timeout-reset"),
        ("[RemoteProtocolError]: Server disconnected without sending a response.", "net.timeout-reset"),
        ("http.client.BadStatusLine: x", "net.timeout-reset"),
        ("[ConnectError]: [Errno 61] Connection refused", "net.dns-offline"),
        ("[ConnectError]: [Errno -3] Temporary failure in name resolution", "net.dns-offline"),
        ("socket.gaierror: [Errno 11001] getaddrinfo failed", "net.dns-offline"),
        ("\nPublishing acme (1.0) to pypi\n - Uploading acme-1.0.tar.gz 100%\n\nError connecting to repository\n",
         "net.timeout-reset"),
        ("KeyringError: Can't get password from keychain: (-25293, 'Security Auth Failure: make')", "keyring.hang"),
        ("keyring.errors.KeyringError: Can't get password from keychain: (-25308, 'Unknown Error')", "keyring.hang"),
        ("  KeyringLocked\n\n  Failed to unlock the item!\n", "keyring.hang"),
        ("keyring.errors.KeyringLocked: Failed to unlock the keyring!", "keyring.hang"),
        ("keyring.errors.NoKeyringError: No recommended backend was available. Install", "keyring.no-backend"),
        ("NoKeyringError: No recommended backend\nwas available.", "keyring.no-backend"),
        ("Repository internal is not defined", "pypirc.missing-repo"),
        ("error: No indexes were found, can't use index: `internal`", "pypirc.missing-repo"),
        ("Error uploading to repository: internal - Request URL is missing an 'http://' or 'https://' protocol.",
         "pypirc.missing-repo"),
        ("Error uploading to repository: a.test/legacy/ - Request URL is missing an 'http://' or 'https://' protocol.",
         "url.no-scheme"),
        ("HTTP Error 400: The use of local versions in <Version('2.0+local')> is not allowed. See x", "version.local"),
        ("400 The use of local versions in '1!2.0.dev1+g1a2b3c' is not allowed. See x", "version.local"),
        ("    The use of local versions in <Version('0.1.dev1+g1a2b')> is\n    not allowed.", "version.local"),
    ],
)  # fmt: skip
def test_the_words_of_tools(log: str, cause: str) -> None:
    assert causes(log)[0] == cause


@pytest.mark.parametrize(
    "log",
    [
        "requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: https://upload.example/legacy/",
        "HTTP Error 429: Too Many Requests | b''",
        "Client error '429 Too Many Requests' for url 'https://upload.example/legacy/'",
        "Client error '429 ' for url 'https://upload.example/legacy/'",
        "429 Client Error:  for url: https://upload.example/legacy/",
        "429 Too many new projects created",
        "Server returned status code 429 Too Many Requests. Server says: 429 Too\n         Many Requests",
    ],
)
def test_too_many_requests_is_the_quota_of_new_projects(log: str) -> None:
    first = recognise(log)[0]
    assert first.cause == "server.new-project-quota"
    assert "another network does not help" in first.remedy


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("503 Server Error:  for url: https://a.test/legacy/", "server.outage"),
        ("Server error '502 ' for url 'https://a.test/legacy/'", "server.outage"),
        ("HTTPError: 504 Gateway Time-out from https://a.test/legacy/", "server.outage"),
        ("HTTPError: 520  from https://a.test/legacy/", "server.outage"),
        ("Server error '502 Proxy Error' for url 'https://a.test/legacy/'", "server.outage"),
        ("HTTP Error 503: Service Temporarily Unavailable | b''", "server.outage"),
        ("413 Client Error:  for url: https://a.test/legacy/", "size.file"),
        ("405 Client Error:  for url: https://a.test/simple/", "url.simple-or-root"),
        ("404 Client Error: Not Found for url: https://a.test/legacy/", "url.simple-or-root"),
        ("404 Client Error: Not Found for url: https://a.test/legacy", "url.no-trailing-slash"),
        ("Client error '404 Not Found' for url 'https://a.test/legacy'", "url.no-trailing-slash"),
        ("HTTPError: 404 Not Found from https://a.test/legacy\nNot Found", "url.no-trailing-slash"),
    ],
)
def test_a_bare_status_shows_what_it_can(log: str, cause: str) -> None:
    assert causes(log)[0] == cause


@pytest.mark.parametrize(
    ("log", "status"),
    [
        ("403 Client Error:  for url: https://a.test/legacy/", 403),
        ("403 Client Error: Forbidden for url: https://a.test/legacy/", 403),
        ("Client error '400 ' for url 'https://a.test/legacy/'", 400),
        ("Client error '422 Unprocessable Entity' for url 'https://a.test/legacy/'", 422),
        ("HTTP Error 403: Forbidden | b''", 403),
        ("Upload failed (403): Forbidden", 403),
    ],
)
def test_a_bare_refusal_shows_its_status_only(log: str, status: int) -> None:
    assert causes(log) == []
    assert status_without_message(log) == status


# -- the claims of an identity -----------------------------------------------------------------------------

NO_PUBLISHER = "* `invalid-publisher`: valid token, but no corresponding publisher (Publisher was not found)\n"


def claims(form: str, **values: str) -> str:
    return NO_PUBLISHER + "".join(form.format(name, value) for name, value in values.items())


@pytest.mark.parametrize("form", ["* `{}`: `{}`\n", '    {}: "{}",\n', "> * `{}`: `{}`\n"])
@pytest.mark.parametrize(
    ("called", "environment", "cause"),
    [
        ("acme/shared/.github/workflows/publish.yml@refs/heads/main", "pypi", "tp.reusable-workflow"),
        ("acme/widget/.github/workflows/publish.yml@refs/tags/v1", "MISSING", "tp.reusable-workflow"),
        ("acme/widget/.github/workflows/release.yml@refs/tags/v1", "pypi", "tp.renamed"),
        ("acme/widget/.github/workflows/release.yml@refs/heads/main", "MISSING", "tp.environment-mismatch"),
    ],
)
def test_claims_show_why_no_publisher_matches(form: str, called: str, environment: str, cause: str) -> None:
    top = "acme/widget/.github/workflows/release.yml@refs/tags/v1"
    found = recognise(claims(form, job_workflow_ref=called, workflow_ref=top, environment=environment))
    assert found[0].cause == cause
    assert {"tp.renamed", "tp.environment-mismatch", "tp.reusable-workflow"} <= {one.cause for one in found}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("workflow_ref: a/b/.github/workflows/r.yml@v1\njob_workflow_ref: a/c/.github/workflows/p.yml@main\nref: v1",
         "tp.reusable-workflow"),
        ("* `repository`: `acme/widget`\n* `job_workflow_ref`: `acme/shared/.github/workflows/publish.yml@main`",
         "tp.reusable-workflow"),
        ("repository: acme/widget\njob_workflow_ref: acme/widget/.github/workflows/release.yml@v1\nenvironment: pypi",
         "tp.renamed"),
        ("* `repository`: `acme/widget`\n* `job_workflow_ref`: `acme/widget/.github/workflows/release.yml@v1`",
         "tp.environment-mismatch"),
    ],
)  # fmt: skip
def test_claims_as_pages_and_older_actions_show_them(text: str, cause: str) -> None:
    assert causes(f"{NO_PUBLISHER}{text}\n")[0] == cause


@pytest.mark.parametrize(
    "log",
    [
        "invalid-publisher: job_workflow_ref claim does not match, expecting one of ['a/b/x.yml@v1'], got 'y'",
        "422 Check failed for required claim 'job_workflow_ref'",
        "Check failed for required claim 'repository_owner_id'",
    ],
)
def test_a_renamed_workflow_is_renamed_first(log: str) -> None:
    assert causes(log)[0] == "tp.renamed"


# -- the index in the remedy --------------------------------------------------------------------------------


def of_host(url: str, verifier: Verifier) -> Explanation:
    return diagnosed(TWINE_403.replace(PYPI.upload_url, url), verifier)


def test_the_remedy_is_for_the_index_of_the_log(nothing_here: Verifier) -> None:
    found = of_host(TESTPYPI.upload_url, nothing_here)
    assert found.index == "testpypi"
    assert "verify --index testpypi" in found.remedy
    assert f"{TESTPYPI.site}/manage/account/token/" in found.remedy


@pytest.mark.parametrize("url", ["https://packages.example/legacy/", "https://packages.example/api/pypi/internal"])
def test_another_index_has_pages_of_its_own(url: str, nothing_here: Verifier) -> None:
    found = of_host(url, nothing_here)
    assert found.index == "packages.example"
    assert "packages.example" in found.remedy
    assert "/manage/" not in found.remedy
    assert PYPI.site not in found.remedy


def test_remedies_for_another_index_name_its_host() -> None:
    values = {"upload_url": "https://packages.example/api/pypi/internal/"}
    for text, status in ((REFUSED, 403), ("Username/Password authentication is no longer supported", 403)):
        remedy = remedy_for_answer(text, status=status, values=values)
        assert "packages.example" in remedy or "__token__" in remedy
        assert "/manage/" not in remedy
        assert PYPI.site not in remedy

"""The upload address, the network, and failures of the server."""

from __future__ import annotations

from release.core.models.project_limits import PER_ACCOUNT, PER_ADDRESS
from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="url.no-trailing-slash",
        title="the upload address has no trailing slash",
        explanation="The index redirects to the address with a slash, and uploads cannot follow redirects, or arrive "
        "there as a GET, which is not found. Without the slash, twine does not find the keyring entry either.",
        symptoms=(
            "308 An upload was attempted to /legacy but the expected upload URL is /legacy/",
            "RedirectDetected: {url} attempted to redirect to {target}.",
            "308 Permanent Redirect",
            "Caused by: redirect failed",
        ),
        also=("404 Not Found", "405 Method Not Allowed"),
        remedy="add the slash: {upload_url}",
        sources=("pypa/flit#179", "twine 7.0.0: exceptions.RedirectDetected"),
    ),
    Diagnosis(
        id="url.simple-or-root",
        title="the address is not the upload address",
        explanation="The site and its simple index serve installers; files are uploaded to another address.",
        symptoms=("It appears you're trying to upload to {host} but have an invalid URL", "405 Method Not Allowed"),
        also=("404 Not Found",),
        remedy="upload to {upload_url}: twine upload --repository-url {upload_url} dist/*",
        sources=("thammegowda/mtdata#169", "pypa/packaging-problems#156"),
    ),
    Diagnosis(
        id="url.legacy-domain",
        title="the address is one that PyPI no longer uses",
        explanation="Hosts from before 2018, and the upload path on the site itself, answer that they have moved.",
        symptoms=(
            "UploadToDeprecatedPyPIDetected: ",
            "410 This API has moved to {target}",
            "410 This API is no longer supported, instead simply upload the file",
            "Uploading to those sites is deprecated",
            "410 Gone",
        ),
        remedy="delete the repository line from ~/.pypirc, or replace the address with https://upload.pypi.org/legacy/",
        weight="low",
        sources=("packaging.python.org: Migrating to PyPI.org", "sdispater/poet#7", "pypa/flit#85"),
    ),
    Diagnosis(
        id="url.no-scheme",
        title="the address does not begin with https://",
        explanation="An address needs a scheme. Old uploaders accepted it without one, and sent the files to PyPI "
        "instead.",
        symptoms=(
            "UnreachableRepositoryURLDetected: Invalid repository URL",
            "requests.exceptions.MissingSchema: Invalid URL",
            "for '--publish-url <PUBLISH_URL>': relative URL without a base",
            "Error uploading to repository: {section} - Request URL is missing an 'http://' or 'https://' protocol",
        ),
        remedy="write the whole address: {upload_url}",
        weight="low",
        sources=("pypa/twine#269",),
    ),
    Diagnosis(
        id="url.http",
        title="the address is plain http",
        explanation="With http, the token crosses the network unencrypted. PyPI refuses such requests.",
        symptoms=("403 SSL is required",),
        remedy="replace http:// with https://, and replace the token if it was sent: {site}/manage/account/token/",
        weight="low",
        sources=("pypi/warehouse: PyPI's edge configuration", "pypa/twine#269"),
    ),
    Diagnosis(
        id="url.credentials",
        title="the address contains the username and the token",
        explanation="twine reads them from TWINE_REPOSITORY_URL, but not from the repository of a section of .pypirc, "
        "where it then looks for other ones. Addresses are shown in logs and in the list of processes.",
        also=(shared_phrases.CREDENTIAL_NOT_FOUND, shared_phrases.INVALID_AUTH),
        shows="as if there were no token",
        remedy="write the address without them, {upload_url}, and store the token: pypi-preflight store --index "
        "{index}; if a log shows the address, create a new token at {site}/manage/account/token/",
        weight="low",
        sources=("twine 7.0.0: utils.get_repository_from_config",),
    ),
    Diagnosis(
        id="net.dns-offline",
        title="the index can't be reached from here",
        explanation="Its name does not resolve, or nothing answers at its address: there is no network, a firewall or "
        "VPN blocks it, or the host is mistyped.",
        symptoms=(
            "Failed to resolve '{host}'",
            "[Errno -2] Name or service not known",
            "[Errno -3] Temporary failure in name resolution",
            "dns error: No such host is known",
            "Temporary failure in name resolution",
            "failed to lookup address information",
            "nodename nor servname provided, or not known",
            "[Errno 11001] getaddrinfo failed",
            "Failed to establish a new connection: [Errno {errno}] Connection refused",
            "[Errno 111] Connection refused",
            "[Errno 61] Connection refused",
            "No connection could be made because the target machine actively refused it",
            "No route to host",
            "Connection refused (os error {errno})",
            "Caused by: io: Connection refused",
            "Network is unreachable",
            "Connection Error: We were unable to connect to the repository",
            shared_phrases.POETRY_CONNECTION,
        ),
        remedy='check the network and the address: python -c "import urllib.request as r; '
        "print(r.urlopen('{site}/simple/').status)\" prints 200 if the index can be reached",
        detect="network",
        sources=("requests documentation: ConnectionError",),
    ),
    Diagnosis(
        id="net.tls",
        title="the index's certificate is not accepted",
        explanation="A company proxy signs with its own certificate authority, the clock is wrong, or the machine's "
        "TLS is too old; or the port speaks plain HTTP. requests has its own list of authorities and does not use the "
        "system's.",
        symptoms=(
            "CERTIFICATE_VERIFY_FAILED",
            "invalid peer certificate: {reason}",
            "Could not find a suitable TLS CA certificate bundle",
            "TLSV1_ALERT_PROTOCOL_VERSION",
            "[SSL: WRONG_VERSION_NUMBER]",
            "received corrupt message of type InvalidContentType",
        ),
        also=("SSLError(", shared_phrases.POETRY_CONNECTION),
        remedy="configure the company's certificate authority: export TWINE_CERT=/path/to/ca.pem "
        "REQUESTS_CA_BUNDLE=/path/to/ca.pem (uv: --native-tls), and set the clock; never disable verification",
        detect="network",
        sources=("worldbank/GOSTurban#10", "pypa/twine#384", "pypa/twine#740", "pypa/twine#328", "pypi/warehouse#3645"),
    ),
    Diagnosis(
        id="net.proxy",
        title="a proxy blocks the connection",
        explanation="The proxy in HTTPS_PROXY requires a password, does not exist, or blocks uploads.",
        symptoms=(
            "407 Proxy Authentication Required",
            "ProxyError(",
            "Unable to connect to proxy",
            "tunnel error: ",
            "CONNECT proxy failed",
        ),
        also=(shared_phrases.POETRY_CONNECTION,),
        remedy="correct HTTPS_PROXY, or bypass it for the index only: export NO_PROXY={host}",
        detect="network",
        sources=("pypa/twine#384", "requests documentation: Proxies"),
    ),
    Diagnosis(
        id="net.timeout-reset",
        title="the connection broke during the upload",
        explanation="Large files, slow connections and proxies cause timeouts and resets. They do not show whether the "
        "index has the file.",
        symptoms=(
            "The write operation timed out",
            "Remote end closed connection without response",
            "ConnectionResetError",
            "Connection reset by peer",
            "EOF occurred in violation of protocol",
            "BrokenPipeError",
            "requests.exceptions.ReadTimeout",
            "requests.exceptions.ConnectTimeout",
            "Read timed out.",
            "The read operation timed out",
            "Connection timed out",
            "An existing connection was forcibly closed by the remote host",
            "operation timed out",
            "Error uploading to repository: {url} - timed out",
            "connection closed before message completed",
            "Server disconnected without sending a response",
            "Caused by: io: Peer disconnected",
            "BadStatusLine",
            "illegal status line",
            "invalid HTTP version",
        ),
        also=(shared_phrases.POETRY_CONNECTION,),
        remedy="check by hash which files the index has before you send anything again: pip download --no-deps "
        "--no-cache-dir {project}=={version}; then upload the missing ones",
        detect="network",
        sources=("pypi/support#3183", "pypa/twine#461"),
    ),
    Diagnosis(
        id="server.readonly",
        title="the index currently accepts no uploads",
        explanation="Its operators have disabled uploads, or new projects. It answers so before it checks the "
        "credential, which may or may not be valid.",
        symptoms=(
            "403 Read-only mode: Uploads are temporarily disabled",
            "403 New uploads are temporarily disabled",
            "403 New project registration temporarily disabled",
        ),
        remedy="wait, watch https://status.python.org, and run the same command again; change nothing",
        detect="probe",
        weight="low",
        sources=("PyPI help: admin-intervention", "pypi/warehouse: forklift/decorators.py"),
    ),
    Diagnosis(
        id="server.outage",
        title="the index has an outage",
        explanation="An answer with a 5xx status says nothing about the credential or the files; the file may have "
        "been stored all the same.",
        symptoms=("503 Backend is unhealthy", "503 first byte timeout", "503 backend read error"),
        also=(
            "500 Internal Server Error",
            "502 Bad Gateway",
            "503 Service Unavailable",
            "504 Gateway Timeout",
            "Package upload appears to have failed. Retry {attempt} of {attempts}",
        ),
        remedy="watch https://status.python.org, then check by hash which files the index has, and upload the missing "
        "ones: run the same command again",
        detect="probe",
        weight="low",
        sources=("pypa/pip#11210", "pypi/warehouse#17235"),
    ),
    Diagnosis(
        id="server.5xx-then-exists",
        title="the index stored the file but reported a failure",
        explanation="The index answered with a 5xx status, or not at all, after it had stored the file, so the next "
        "attempt finds the file of the first. PyPI answers 200 if the bytes are equal, and otherwise that the file "
        "exists.",
        symptoms=("Package upload appears to have failed. Retry … File already exists",),
        also=(shared_phrases.FILE_EXISTS, shared_phrases.FILE_EXISTS_OLD),
        remedy="compare the sha256 of {file} with the one at {site}/project/{project}/#files: if they are equal, the "
        "file is uploaded and nothing remains to be done",
        detect="after",
        sources=("pypa/twine#199", "twine 7.0.0: repository.Repository.upload"),
    ),
    Diagnosis(
        id="server.new-project-quota",
        title="too many new projects in a short time",
        explanation="PyPI limits how many projects an account and an IP address can create: in 2026 "
        f"{PER_ACCOUNT.limit} a day for each account, and {PER_ADDRESS.limit} an hour for each address. Failed "
        "attempts count. The limit of the account is the same on every network.",
        symptoms=("429 Too many new projects created", "429 Too Many Requests"),
        remedy="wait until the time in the answer's RateLimit header (t= is in seconds), a day if there is none, then "
        "upload again; another network does not help, and existing projects are not affected",
        detect="network",
        weight="high",
        sources=(
            "pypi/support#10572",
            "pypi/support#11827",
            "pypi/support#11269",
            "pypi/warehouse#20164",
            "draft-ietf-httpapi-ratelimit-headers",
        ),
    ),
    Diagnosis(
        id="server.closed-release",
        title="the release is older than 14 days and accepts no new files",
        explanation="Since July 2026 PyPI refuses files for releases that are older, including late wheels.",
        symptoms=("400 Uploading new files to releases older than 14 days is not allowed",),
        remedy="release a new version, or a post-release such as {version}.post1, with all its files",
        detect="network",
        sources=("PyPI blog 2026-07-22: releases now reject new files after 14 days",),
    ),
    Diagnosis(
        id="server.login-limit",
        title="too many failed sign-ins from this address",
        explanation="An administrator blocked the address, or it is shared with others who guess passwords; it is "
        "blocked for some minutes.",
        symptoms=("429 Too Many Failed Login Attempts",),
        also=("429 Too Many Requests",),
        remedy="wait as long as the answer's Retry-After header says, then upload again",
        detect="probe",
        weight="low",
        sources=("pypi/warehouse: accounts/security_policy.py",),
    ),
)

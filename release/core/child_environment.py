"""Remove credentials from the environment of foreign code."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Environment variables that contain, or give access to, permission to publish. Foreign code (build backends, smoke
#: tests) runs without them. Sources: the documentation of twine, uv, flit, poetry, hatch, pdm and maturin; GitHub's and
#: GitLab's OIDC variables as `id` reads them; the session variables of password managers.
CREDENTIAL_VARIABLES = re.compile(
    r"""^(?:
        TWINE_ .* | UV_PUBLISH_ .* | UV_INDEX_ .* _(?:USERNAME|PASSWORD) | FLIT_ .* | POETRY_PYPI_TOKEN_ .*
      | POETRY_HTTP_BASIC_ .* | HATCH_INDEX_ .* | PDM_PUBLISH_ .* | MATURIN_ (?:PYPI_TOKEN|PASSWORD|USERNAME)
      | ACTIONS_ID_TOKEN_ .* | ACTIONS_RUNTIME_ (?:TOKEN|URL) | (?:PYPI|TESTPYPI|SIGSTORE) _ID_TOKEN
      | CI_JOB_ .* _?JWT .* | CIRCLE_OIDC_TOKEN .*
      | BUILDKITE_AGENT_ACCESS_TOKEN | GITHUB_TOKEN | GH_TOKEN | GITLAB_TOKEN | CI_JOB_TOKEN
      | INPUT_PASSWORD | CODEARTIFACT_AUTH_TOKEN | CLOUDSMITH_API_KEY | OP_SERVICE_ACCOUNT_TOKEN | OP_CONNECT_TOKEN
      | OP_SESSION_ .* | BW_SESSION | VAULT_TOKEN | GNOME_KEYRING_ .*
      | .* PYPI .* (?:TOKEN|PASSWORD|PASSWD|PASS|SECRET|API_?KEY) .* | (?:TOKEN|PASSWORD|PASSWD|PASS|SECRET) .* PYPI .*
      | KEYRING_ .* | DBUS_SESSION_BUS_ADDRESS
    )$""",
    re.VERBOSE | re.IGNORECASE,
)


def without_credentials(env: Mapping[str, str]) -> dict[str, str]:
    """The environment for foreign code: without `CREDENTIAL_VARIABLES`, and without values that contain a token."""
    return {k: v for k, v in env.items() if not CREDENTIAL_VARIABLES.match(k) and "pypi-AgE" not in v}

"""Foreign code sees no credential, and everything else that it may need."""

from __future__ import annotations

import os
import uuid

import pytest

from release.core.child_environment import without_credentials
from release.core.tokens import macaroon

SECRET = """
TWINE_USERNAME TWINE_PASSWORD TWINE_REPOSITORY_URL twine_password
UV_PUBLISH_TOKEN UV_PUBLISH_PASSWORD UV_PUBLISH_USERNAME UV_INDEX_ACME_PASSWORD UV_INDEX_ACME_USERNAME
FLIT_USERNAME FLIT_PASSWORD HATCH_INDEX_USER HATCH_INDEX_AUTH PDM_PUBLISH_USERNAME PDM_PUBLISH_PASSWORD
POETRY_PYPI_TOKEN_PYPI POETRY_PYPI_TOKEN_TESTPYPI POETRY_HTTP_BASIC_PYPI_PASSWORD
MATURIN_PYPI_TOKEN MATURIN_USERNAME MATURIN_PASSWORD
PYPI_TOKEN PYPI_API_TOKEN PYPI_PASSWORD TEST_PYPI_TOKEN TESTPYPI_API_TOKEN PYPI_API_KEY TOKEN_PYPI
ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_RUNTIME_TOKEN PYPI_ID_TOKEN SIGSTORE_ID_TOKEN
CI_JOB_JWT CI_JOB_JWT_V2 CI_JOB_TOKEN GITLAB_TOKEN GITHUB_TOKEN GH_TOKEN INPUT_PASSWORD
CIRCLE_OIDC_TOKEN CIRCLE_OIDC_TOKEN_V2 BUILDKITE_AGENT_ACCESS_TOKEN
KEYRING_PROPERTY_ACCOUNT DBUS_SESSION_BUS_ADDRESS GNOME_KEYRING_CONTROL
OP_SERVICE_ACCOUNT_TOKEN OP_SESSION_acme BW_SESSION VAULT_TOKEN CODEARTIFACT_AUTH_TOKEN
"""

HARMLESS = """
PATH HOME PYTHONPATH LANG TMPDIR TEMP SYSTEMROOT VIRTUAL_ENV SOURCE_DATE_EPOCH XDG_RUNTIME_DIR
PIP_INDEX_URL PIP_EXTRA_INDEX_URL UV_INDEX_URL UV_DEFAULT_INDEX UV_INDEX UV_INDEX_STRATEGY UV_CACHE_DIR
SETUPTOOLS_SCM_PRETEND_VERSION CI GITHUB_ACTIONS GITHUB_REF HTTPS_PROXY SSL_CERT_FILE CC CFLAGS CARGO_HOME PYPI_MIRROR
PYTHON_KEYRING_BACKEND
"""


@pytest.mark.parametrize("name", SECRET.split())
def test_what_carries_or_leads_to_a_right_to_publish_is_left_out(name: str) -> None:
    assert without_credentials({name: "x"}) == {}


@pytest.mark.parametrize("name", HARMLESS.split())
def test_what_a_build_may_need_stays(name: str) -> None:
    assert without_credentials({name: "x"}) == {name: "x"}


def test_a_token_is_left_out_under_whatever_name() -> None:
    token = macaroon.to_text(macaroon.create_macaroon("localhost", str(uuid.uuid4()).encode(), os.urandom(32)))
    assert without_credentials({"INNOCENT": f"x {token}", "URL": f"https://__token__:{token}@localhost/"}) == {}

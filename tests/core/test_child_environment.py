"""A child sees no secret, under any name and in any form, and everything else that it may need."""

from __future__ import annotations

import base64
import os
import re
import secrets
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from release.core.child_environment import CHILDREN, Child, can_publish, how_to_pass, known_secrets, without_credentials
from release.core.tokens import macaroon

ROOT = Path(__file__).parents[2]
CREDENTIALS = """
TWINE_USERNAME TWINE_PASSWORD TWINE_REPOSITORY_URL twine_password
UV_PUBLISH_TOKEN UV_PUBLISH_PASSWORD UV_PUBLISH_USERNAME UV_INDEX_ACME_PASSWORD UV_INDEX_ACME_USERNAME
FLIT_USERNAME FLIT_PASSWORD HATCH_INDEX_USER HATCH_INDEX_AUTH PDM_PUBLISH_USERNAME PDM_PUBLISH_PASSWORD
POETRY_PYPI_TOKEN_PYPI POETRY_PYPI_TOKEN_TESTPYPI POETRY_HTTP_BASIC_PYPI_PASSWORD
MATURIN_PYPI_TOKEN MATURIN_USERNAME MATURIN_PASSWORD
PYPI_TOKEN PYPI_API_TOKEN PYPI_PASSWORD TEST_PYPI_TOKEN TESTPYPI_API_TOKEN PYPI_API_KEY TOKEN_PYPI
PYPI_CREDS PYPI_CREDENTIALS TESTPYPI_AUTH PYPI_KEY PYPI_PAT PYPI_PW pypi_pwd
ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_RUNTIME_TOKEN PYPI_ID_TOKEN SIGSTORE_ID_TOKEN
CI_JOB_JWT CI_JOB_JWT_V2 CI_JOB_TOKEN GITLAB_TOKEN GITHUB_TOKEN GH_TOKEN INPUT_PASSWORD
CIRCLE_OIDC_TOKEN CIRCLE_OIDC_TOKEN_V2 BUILDKITE_AGENT_ACCESS_TOKEN
KEYRING_PROPERTY_ACCOUNT DBUS_SESSION_BUS_ADDRESS GNOME_KEYRING_CONTROL
OP_SERVICE_ACCOUNT_TOKEN OP_SESSION_acme BW_SESSION VAULT_TOKEN CODEARTIFACT_AUTH_TOKEN
"""
OTHERS = """
NPM_TOKEN NODE_AUTH_TOKEN NPM_CONFIG__AUTH npm_config_//registry.example/:_authToken CARGO_REGISTRY_TOKEN
CARGO_REGISTRIES_ACME_TOKEN GEM_HOST_API_KEY NUGET_API_KEY ANACONDA_TOKEN CODECOV_TOKEN
AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AZURE_CLIENT_SECRET ARM_CLIENT_SECRET
GOOGLE_APPLICATION_CREDENTIALS CLOUDSDK_AUTH_ACCESS_TOKEN DOCKER_PASSWORD DOCKER_USERNAME DOCKER_AUTH_CONFIG
DOCKER_HOST SSH_AUTH_SOCK HF_TOKEN OPENAI_API_KEY STRIPE_SECRET_KEY SSH_PRIVATE_KEY GPG_PRIVATE_KEY GPG_PASSPHRASE
PGPASSWORD MYSQL_PWD SSHPASS REDISCLI_AUTH MY_SECRET DB_PASSWORD SMTP_PASS GH_PAT SECRET_KEY_BASE API_TOKEN_STAGING
DEPLOY_TOKEN_2 AZURE_STORAGE_CONNECTION_STRING SLACK_WEBHOOK_URL SESSION_COOKIE TOKEN password
MYTOKEN GITHUBTOKEN DbPassword NPMSECRET NEXUS_CREDS DEPLOY_PW API_TOKEN_V2
"""
HARMLESS = """
PATH HOME PYTHONPATH LANG TMPDIR TEMP SYSTEMROOT VIRTUAL_ENV SOURCE_DATE_EPOCH XDG_RUNTIME_DIR PWD OLDPWD INIT_CWD
PIP_INDEX_URL PIP_EXTRA_INDEX_URL UV_INDEX_URL UV_DEFAULT_INDEX UV_INDEX UV_INDEX_STRATEGY UV_CACHE_DIR
SETUPTOOLS_SCM_PRETEND_VERSION CI GITHUB_ACTIONS GITHUB_REF HTTPS_PROXY SSL_CERT_FILE CC CFLAGS CARGO_HOME PYPI_MIRROR
PYTHON_KEYRING_BACKEND PIP_KEYRING_PROVIDER GPG_TTY GNUPGHOME GIT_ASKPASS SSH_ASKPASS GIT_SSH_COMMAND GIT_AUTHOR_NAME
TOKENIZERS_PARALLELISM PASSWORD_STORE_DIR OAUTH_TOKEN_URL TOKEN_FILE PGPASSFILE XAUTHORITY KEYBOARD SSH_PUBLIC_KEY
AWS_REGION AWS_DEFAULT_REGION AWS_CA_BUNDLE GOOGLE_CLOUD_PROJECT DOCKER_BUILDKIT DESKTOP_SESSION XDG_SESSION_ID
PYPI_MIRROR_URL PYPI_KEYRING TOKENIZER PASSWORDS_URL
COMPASS BYPASS CACHE_KEY GIT_CONFIG_KEY_0 MONKEY VAULT_ADDR AUTHOR npm_config_cache
"""


def new_token() -> str:
    return macaroon.to_text(macaroon.create_macaroon("localhost", str(uuid.uuid4()).encode(), os.urandom(32)))


@pytest.mark.parametrize("names", [CREDENTIALS, OTHERS], ids=["credentials", "others"])
def test_a_secret_is_left_out_by_its_name(names: str) -> None:
    assert without_credentials(dict.fromkeys(names.split(), "x")) == {}


def test_what_a_build_may_need_stays() -> None:
    env = dict.fromkeys(HARMLESS.split(), "x")
    assert without_credentials(env) == env


FORMS: dict[str, Callable[[str], str]] = {
    "whole": lambda token: token,
    "in a text": lambda token: f"x {token}",
    "in a URL": lambda token: f"https://__token__:{token}@localhost/",
    "without its prefix": lambda token: token.removeprefix("pypi-"),
    "base64": lambda token: base64.b64encode(token.encode()).decode(),
    "hexadecimal": lambda token: token.encode().hex(),
    "hexadecimal in capitals": lambda token: token.encode().hex().upper(),
    "percent-encoded": lambda token: token.replace("-", "%2D").replace("_", "%5F"),
    "escaped in JSON": lambda token: token.replace("-", "\\u002d"),
    "a .pypirc": lambda token: f"[pypi]\nusername = me\npassword = {token[-12:]}\n",
    "base64 of the login": lambda token: base64.b64encode(f"__token__:{token}".encode()).decode(),
    "base64 at another place": lambda token: base64.urlsafe_b64encode(f"x:{token}".encode()).decode(),
    "base64 without the prefix": lambda token: base64.b64encode(token.removeprefix("pypi-").encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_token_is_left_out_under_any_name_and_in_any_form(form: Callable[[str], str]) -> None:
    assert without_credentials({"INNOCENT": form(new_token()), "PATH": "/bin"}) == {"PATH": "/bin"}


def test_a_copy_of_another_secret_is_left_out() -> None:
    password = f"p&w {secrets.token_urlsafe(12)}"
    env = {"MY_SECRET": password, "COPY": password, "INSIDE": f"user={password};", "HEX": password.encode().hex()}
    env["ENCODED"] = base64.b64encode(f"me:{password}".encode()).decode()
    assert without_credentials(env | {"USER": password, "OTHER": "p&w"}) == {"USER": password, "OTHER": "p&w"}


def test_a_password_that_is_an_ordinary_word_removes_no_other_variable() -> None:
    env = {"PATH": "/opt/postgres-client/bin", "PGDATA": "/var/lib/postgres", "HOME": "/home/acme", "DEBUG": "true"}
    assert without_credentials(env | {"DB_PASSWORD": "postgres", "A_TOKEN": "true", "B_TOKEN": ""}) == env


def test_values_that_are_secrets_themselves() -> None:
    made = secrets.token_hex(20)
    env = {
        "DATABASE": f"postgres://me:{made}@localhost/db", "MIRROR": f"https://me:{made[:6]}@localhost/simple/",
        "ONE": f"ghp_{made}", "TWO": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{made}",
        "THREE": f"Authorization: Basic {made}",
        "FOUR": f"eyJ{made[:9]}.eyJ{made[:9]}.{made}", "FIVE": "AKIA" + made[:16].upper(),
        "SIX": f"sk-proj-{made}", "SEVEN": f"sk_live_{made}", "EIGHT": f"https://{made}@localhost/acme/_git/acme",
        "NINE": f"machine localhost login me password {made}", "TEN": f'{{"user": "me", "password": "{made}"}}',
    }  # fmt: skip
    innocent = {
        "SITE": "https://me@localhost/simple/", "PORT": "http://localhost:8080/@scope", "IMAGE": "docker://a/b:1@sha256",
        "KIND": "basic block", "SSH": "ssh://git@localhost/acme",
        "RULE": "the password is not shown", "RISK": "sk-learn",
        "HASH": secrets.token_hex(20), "URL": "https://localhost/a:b@c",
    }  # fmt: skip
    assert without_credentials(env | innocent) == innocent


def test_git_finds_every_setting_that_is_announced() -> None:
    env = {
        "GIT_CONFIG_COUNT": "3", "GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {secrets.token_hex(12)}", "GIT_CONFIG_VALUE_1": "*",
        "GIT_CONFIG_KEY_2": f"url.https://me:{secrets.token_hex(4)}@localhost/.insteadOf", "GIT_CONFIG_VALUE_2": "x:",
    }  # fmt: skip
    clean = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    assert without_credentials(env) == clean
    assert without_credentials(env, "git at a remote") == env


#: one that each child gets, and one that it does not
LISTED: dict[Child, tuple[str, str]] = {
    "git at a remote": ("SSH_AUTH_SOCK", "NPM_TOKEN"),
    "git that signs": ("SSH_AUTH_SOCK", "GH_TOKEN"),
    "gh": ("GH_TOKEN", "GITLAB_TOKEN"),
    "keyring": ("DBUS_SESSION_BUS_ADDRESS", "GH_TOKEN"),
    "identity": ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "AWS_SECRET_ACCESS_KEY"),
    "fleet command": ("VAULT_TOKEN", "MY_SECRET"),
    "installer": ("UV_INDEX_ACME_PASSWORD", "UV_PUBLISH_PASSWORD"),
    "twine": ("https_proxy", "PIP_INDEX_URL"),
    "scheduler": ("DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK"),
}


@pytest.mark.parametrize("child", CHILDREN)
def test_a_child_gets_what_is_listed_and_no_upload_credential(child: Child) -> None:
    needed, other = LISTED[child]
    values = {name: f"http://me:{secrets.token_hex(5)}@localhost" for name in (needed, other)}
    env = values | {"TWINE_PASSWORD": new_token(), "UV_PUBLISH_TOKEN": new_token(), "PYPI_TOKEN": new_token()}
    assert without_credentials(env, child) == {needed: values[needed]}


def test_pip_and_uv_install_from_a_private_index_but_get_no_token_that_publishes() -> None:
    index = f"https://me:{secrets.token_hex(5)}@localhost/simple/"
    env = {"PIP_INDEX_URL": index, "UV_INDEX": f"acme={index}", "UV_INDEX_ACME_PASSWORD": secrets.token_hex(5)}
    assert without_credentials(env, "installer") == env
    assert without_credentials(env) == {}
    assert without_credentials({"UV_INDEX_PYPI_PASSWORD": new_token()}, "installer") == {}


def test_a_project_passes_more_to_its_own_code_but_no_permission_to_publish() -> None:
    token = new_token()
    env = {"HF_TOKEN": "hf-" + secrets.token_hex(9), "ACME_ONE": f"x://a:{secrets.token_hex(4)}@b", "NPM_TOKEN": "x"}
    refused = {
        "UV_PUBLISH_TOKEN": token,
        "ACME_COPY": token,
        "ACME_BARE": token[5:],
        "TWINE_PASSWORD": "hunter2hunter2",
    }
    passed = ("HF_TOKEN", "ACME_*", "UV_*")
    kept = without_credentials(env | refused, passed=passed)
    assert kept == {name: env[name] for name in ("HF_TOKEN", "ACME_ONE")}


@pytest.mark.parametrize(
    "pattern", ["TWINE_PASSWORD", "UV_PUBLISH_TOKEN", "UV_PUBLISH_*", "UV_*", "PYPI_API_TOKEN", "*"]
)
def test_a_pattern_that_names_an_upload_credential_is_recognized(pattern: str) -> None:
    assert can_publish(pattern)


@pytest.mark.parametrize("pattern", ["HF_TOKEN", "AWS_*", "ACME_*", "UV_INDEX_ACME_PASSWORD", "TWINES", "GITHUB_TOKEN"])
def test_other_patterns_may_be_passed(pattern: str) -> None:
    assert can_publish(pattern) is None


def test_code_that_misses_a_variable_is_told_how_to_get_it() -> None:
    env = {"HF_TOKEN": "x", "ACME_TOKEN": "x", "TWINE_PASSWORD": "x", "PATH": "/bin"}
    output = "KeyError: 'HF_TOKEN'\nACME_TOKEN_URL TWINE_PASSWORD PATH\n"
    remedy = 'let the project\'s code have HF_TOKEN: pass-environment = ["A_*", "HF_TOKEN"] in [tool.release]'
    assert how_to_pass(env, output, passed=["A_*"]) == remedy
    assert how_to_pass(env, output, passed=["HF_TOKEN"]) is None
    assert how_to_pass({"PATH": "/bin"}, output) is None


def test_the_values_of_secret_variables_are_known_and_no_address_or_user_name_is() -> None:
    env = {"TWINE_PASSWORD": "hunter2hunter2", "TWINE_USERNAME": "__token__", "SSH_AUTH_SOCK": "/run/user/0/agent"}
    env |= {"A_TOKEN": "short", "ACTIONS_ID_TOKEN_REQUEST_URL": "https://localhost/", "DB": "x://me:opensesame@b"}
    assert known_secrets(env) == ("hunter2hunter2", "opensesame")


def test_no_caller_gives_a_child_the_whole_environment() -> None:
    """Whoever starts a program passes `env`, and makes it of `without_credentials`; tasks run this program itself."""
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "release").rglob("*.py")}
    del sources[ROOT / "release" / "tasks.py"]
    calls = [
        (path.name, call)
        for path, text in sources.items()
        for call in re.findall(r"(?:system\.run|subprocess\.run|subprocess\.Popen)\((?:[^()]|\([^()]*\))*\)", text)
    ]
    assert len(calls) > 10
    assert [one for one in calls if not re.search(r"\benv=|\*\*options", one[1])] == []
    assert [one for one in calls if re.search(r"env=(?:\{\*\*)?(?:self\.)?(?:system\.env|os\.environ)", one[1])] == []

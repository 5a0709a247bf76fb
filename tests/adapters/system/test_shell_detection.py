"""Which shell and which CI service an environment shows."""

from __future__ import annotations

import pytest

from release.adapters.system.shell_detection import detect_user_environment

MACHINE = r"C:\Program Files\WindowsPowerShell\Modules;C:\WINDOWS\system32\WindowsPowerShell\v1.0\Modules"


@pytest.mark.parametrize(
    ("env", "platform", "shell"),
    [
        ({}, "posix", "posix"),
        ({"PSModulePath": r"C:\Users\a\Documents\PowerShell\Modules"}, "posix", "posix"),
        ({"PSModulePath": MACHINE, "PROMPT": "$P$G"}, "nt", "cmd"),
        ({}, "nt", "cmd"),
        ({"PSModulePath": rf"C:\Users\a\Documents\PowerShell\Modules;{MACHINE}"}, "nt", "powershell"),
        ({"PSMODULEPATH": rf"C:\Users\a\OneDrive\Documents\WindowsPowerShell\Modules;{MACHINE}"}, "nt", "powershell"),
        ({"PSModulePath": MACHINE, "MSYSTEM": "MINGW64"}, "nt", "posix"),
    ],
)
def test_the_shell(env: dict[str, str], platform: str, shell: str) -> None:
    assert detect_user_environment(env, platform=platform).shell_name == shell


@pytest.mark.parametrize(
    ("env", "service", "page"),
    [
        ({"CI": "true"}, "this CI service", ""),
        ({"CI": "1"}, "this CI service", ""),
        ({"CI": "true", "GITHUB_ACTIONS": "true"}, "GitHub Actions", ""),
        (
            {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/widget"},
            "GitHub Actions",
            "https://github.com/acme/widget/settings/secrets/actions",
        ),
        (
            {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "a/b", "GITHUB_SERVER_URL": "https://git.acme.test"},
            "GitHub Actions",
            "https://git.acme.test/a/b/settings/secrets/actions",
        ),
        (
            {"GITLAB_CI": "true", "CI": "true", "CI_PROJECT_URL": "https://gitlab.acme.test/a/b"},
            "GitLab CI/CD",
            "https://gitlab.acme.test/a/b/-/settings/ci_cd",
        ),
    ],
)
def test_the_page_with_the_secrets_of_a_job(env: dict[str, str], service: str, page: str) -> None:
    found = detect_user_environment(env).ci
    assert found is not None
    assert (found.service, found.secrets_page) == (service, page)


@pytest.mark.parametrize("env", [{}, {"CI": ""}, {"CI": "false"}, {"CI": "0"}])
def test_outside_of_ci_there_is_no_job(env: dict[str, str]) -> None:
    assert detect_user_environment(env).ci is None

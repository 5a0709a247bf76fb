"""Detects the user's shell and the CI job from the environment of this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from release.core.models.user_environment import CiSecrets, UserEnvironment

if TYPE_CHECKING:
    from release.core.shell import ShellName


def detect_user_environment(env: Mapping[str, str], *, platform: str = os.name) -> UserEnvironment:
    """The shell and the CI job. `platform` is "posix" or "nt", as in `os.name`."""
    return UserEnvironment(shell_name=_shell_name(env, platform), ci=_ci_job(env))


def _shell_name(env: Mapping[str, str], platform: str) -> ShellName:
    """Which shell started this process. On Windows, PowerShell is recognized by the module path it puts first.

    Source: PowerShell documentation, "about_PSModulePath": the user's modules, in Documents, are added by the
    process; the machine's variable, which cmd inherits, lacks them. Git Bash and MSYS2 set MSYSTEM.
    """
    if platform != "nt" or env.get("MSYSTEM"):
        return "posix"
    modules = next((value for name, value in env.items() if name.upper() == "PSMODULEPATH"), "").lower()
    return "powershell" if "powershell\\modules" in modules and "\\documents\\" in modules else "cmd"


def _ci_job(env: Mapping[str, str]) -> CiSecrets | None:
    """The job, with the page of its repository's secrets.

    Source: GitHub documentation, "Variables reference"; GitLab documentation, "Predefined CI/CD variables".
    """
    if env.get("GITHUB_ACTIONS"):
        server, repository = env.get("GITHUB_SERVER_URL") or "https://github.com", env.get("GITHUB_REPOSITORY")
        page = f"{server}/{repository}/settings/secrets/actions" if repository else ""
        return CiSecrets(service="GitHub Actions", secrets_page=page)
    if env.get("GITLAB_CI"):
        project = env.get("CI_PROJECT_URL")
        return CiSecrets(service="GitLab CI/CD", secrets_page=f"{project}/-/settings/ci_cd" if project else "")
    if env.get("CI", "").lower() not in {"", "0", "false"}:
        return CiSecrets(service="this CI service")
    return None

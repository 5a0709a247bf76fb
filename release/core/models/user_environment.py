"""Where the user carries out a remedy: the shell, the CI job, and whether the keyring can store a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from release.core.shell import ShellName


class CiSecrets(Struct, frozen=True, kw_only=True):
    """Where the secrets of a CI job are set, which it gets as variables."""

    #: "GitHub Actions", "GitLab CI/CD"; "this CI service" where it is not known
    service: str
    #: the page with the secrets of the repository; empty where it is not known
    secrets_page: str = ""


class UserEnvironment(Struct, frozen=True, kw_only=True):
    """What the commands in remedies depend on. The default: a POSIX shell with a keyring."""

    shell_name: ShellName = "posix"
    #: None outside of CI
    ci: CiSecrets | None = None
    #: False where the keyring has no backend, is locked, or does not answer
    can_store: bool = True
    #: options that commands of this program need: ("--directory", "my project")
    options: tuple[str, ...] = ()


POSIX_SHELL = UserEnvironment()

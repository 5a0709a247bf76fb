"""The diagnosis of a log on a machine without any credential, offline."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from release.adapters.system.program_output import _read
from release.adapters.system.system import real_system
from release.core.config import Config
from release.core.facts import ProjectMetadata
from release.core.models.check_result import Unknown
from release.core.models.index import Index
from release.core.models.results import Verification
from release.credentials import verify
from release.credentials.log_diagnosis import Explanation, explain_failure

Verifier = Callable[[Index, str | None], Verification]


def bare_verifier(home: Path) -> Verifier:
    """Verifies as `diagnose` does; each index and project once."""
    system = replace(real_system(), env={"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}, home=home)
    known: dict[tuple[str, str | None], Verification] = {}

    def verifier(index: Index, project: str | None) -> Verification:
        key = index.upload_url, project
        if key not in known:
            subject = ProjectMetadata(name=project, version="") if project else Unknown(reason="none", remedy="name it")
            known[key] = verify.verify_credential(system, index, subject, offline=True, directory=home)
        return known[key]

    return verifier


def diagnosed(log: str, verifier: Verifier) -> Explanation:
    """What `diagnose --log` explains."""
    return explain_failure(_read("log", io.BytesIO(log.encode("utf-8", "surrogateescape"))), Config(), verifier)[0]

"""Load what the later steps of a run need, while its build runs: that takes as long as some of these steps."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from release.core.plan import SANDBOX, CheckFiles, Confirm, Plan, Upload

_OF_FILES = (
    "packaging.metadata", "release.acceptance.twine_form", "release.leaks.detectors", "release.leaks.file_scan",
    "release.leaks.search", "rfc3986", "stdlib_list", "trove_classifiers",
)  # fmt: skip
_OF_UPLOADS = (
    "release.adapters.http.bounded_adapter", "release.adapters.http.bounded_retry", "release.adapters.index.simple_api",
)  # fmt: skip
_OF_SANDBOX = ("release.sandbox.server", "release.sandbox.seed")
_OF_INSTALLS = ("release.adapters.install.smoke_tests",)
#: what renders a description in reStructuredText
_OF_RST = (
    "docutils.core", "docutils.readers.standalone", "docutils.parsers.rst", "docutils.writers.html5_polyglot",
    "readme_renderer.rst",
)  # fmt: skip


def load_later_modules(plan: Plan, directory: Path) -> None:
    """Load what the steps of the plan load when they are executed. A module that is missing is reported there."""
    for name in dict.fromkeys(_modules(plan, directory)):
        with suppress(ImportError):
            importlib.import_module(name)
    if any(isinstance(step, CheckFiles) for step in plan.steps):
        with suppress(ImportError):
            from release.acceptance.form_rules import standard_modules

            standard_modules()  # the names that no new project may have: lists of many Python versions


def _modules(plan: Plan, directory: Path) -> Iterator[str]:
    for step in plan.steps:
        match step:
            case CheckFiles():
                yield from _OF_FILES
                yield from _OF_RST if any(directory.glob("README*.rst")) else ()
            case Upload(index=name):
                yield from _OF_SANDBOX if name == SANDBOX else ()
                yield from _OF_UPLOADS
            case Confirm():
                yield from _OF_INSTALLS
            case _:
                pass

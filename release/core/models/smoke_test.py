"""Smoke tests of an installed project: what is run, and how it ended."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from release.core.models.check_result import Finding
from release.core.struct_fields import repr_without

#: a text that explains how to call a program
_USAGE = re.compile(r"(?im)^\s*(?:[\w.-]+: )?usage\b|^\s*options:|--help\b")
#: what a program without a screen says. Observed, 2026-11: tkinter 8.6, PySide6 6.12, python-xlib 0.33, pynput 1.8.2.
#: Sources: PyGObject, gi/overrides/Gtk.py; SDL, src/video/SDL_video.c
_NO_SCREEN = re.compile(
    r"(?i)no display name|connect to display|open display|could not connect to any X display|Qt platform plugin"
    r"|\bDISPLAY\b|DisplayNameError|no available video device|Gtk couldn't be initialized|X server"
)
#: exit statuses of programs that print their usage; 64 is EX_USAGE of sysexits.h
_USAGE_STATUSES = {1, 2, 64}


class SmokeTest(Struct, frozen=True, kw_only=True):
    """One test of the installed project."""

    #: "gui script" is a script of gui_scripts, which is run without a screen
    kind: Literal["import", "script", "gui script", "command"]
    #: the modules; the script and its arguments; the program and its arguments
    words: tuple[str, ...]
    #: whether it is configured, so that a failure always counts
    asked_for: bool = False

    @property
    def title(self) -> str:
        """The test as a command: "import acme", "acme --help"."""
        return " ".join(("import", ", ".join(self.words)) if self.kind == "import" else self.words)


class ExceptionLink(Struct, frozen=True, kw_only=True):
    """An exception that ended a test, or one of its causes."""

    #: with its module: "django.core.exceptions.ImproperlyConfigured"
    type: str = ""
    #: its last line in a traceback: "ValueError: no such table"
    line: str = ""
    #: where it passed through the installed files, the innermost place last: "acme/cli.py, line 3"
    places: tuple[str, ...] = ()
    #: the file that a FileNotFoundError names, relative to site-packages; empty where it is elsewhere
    file: str = ""
    import_error: bool = False
    exit: bool = False
    #: of an ImportError that Python itself raised: the module
    module: str | None = None
    #: whether the innermost place has an import statement, not a call that imports what its caller names
    by_statement: bool = True
    #: whether that module is missing, rather than broken
    not_found: bool = False
    #: whether the next link is its cause (`raise … from`), rather than its context
    explicit: bool = False

    @property
    def place(self) -> str:
        """The innermost place of the installed files; empty where there is none."""
        return self.places[-1] if self.places else ""


class SmokeTestAttempt(Struct, frozen=True, kw_only=True):
    """One run of a test."""

    test: SmokeTest
    #: exit status, negative for a signal; None where it was still running at the limit
    status: int | None
    #: all that it wrote
    output: str = ""
    #: the line of the output that names the cause of a failure
    line: str = ""
    #: the exception that ended it, followed by its causes; None where the child did not report
    chain: tuple[ExceptionLink, ...] | None = ()
    #: modules that were imported but not found
    absent: tuple[str, ...] = ()
    #: seconds that it was given
    limit: float = 60.0

    def __repr__(self) -> str:
        return repr_without(self, "output")

    @property
    def passed(self) -> bool:
        match self.test.kind:
            case "import":  # a module that ends the program is not imported
                return self.status == 0 and self.chain == ()
            case "script":
                return self.status == 0 or self.shows_usage
            case "gui script":
                return self.status in {0, None} or self.shows_usage or self.needs_screen
            case "command":
                return self.status == 0

    @property
    def needs_screen(self) -> bool:
        """Whether it failed because there is no screen."""
        texts = [link.line for link in self.chain or () if not link.exit] or [self.output]
        return bool(self.status) and any(map(_NO_SCREEN.search, texts))

    @property
    def shows_usage(self) -> bool:
        """Whether it printed its usage and exited, as scripts do that do not know "--help"."""
        chain = self.chain or ()
        deliberate = bool(chain) and chain[0].exit and not any(link.import_error for link in chain)
        return deliberate and self.status in _USAGE_STATUSES and _USAGE.search(self.output) is not None


class ExtraAttempt(Struct, frozen=True, kw_only=True):
    """A run of a test with extras of the project installed."""

    extras: tuple[str, ...]
    #: why they cannot be installed, or how the test failed with them; empty if it passed
    problem: str = ""


class TestedProject(Struct, frozen=True, kw_only=True):
    """What belongs to the project that is tested."""

    __test__ = False  # pytest collects classes with such names

    name: str = ""
    #: its top-level modules, dotted
    roots: tuple[str, ...] = ()
    #: its "Requires-Dist" lines
    requires: tuple[str, ...] = ()
    #: its scripts and their targets, "package.module:function"
    scripts: Mapping[str, str] = field(default_factory=dict)


class SmokeTestResult(Struct, frozen=True, kw_only=True):
    """The result of one smoke test."""

    test: SmokeTest
    #: the test itself, then what was tried because it failed: "--version", an import after its package
    attempts: tuple[SmokeTestAttempt, ...]
    #: the extras that were tried because it failed, in order
    extras: tuple[ExtraAttempt, ...] = ()
    #: why it could not be run
    not_run: Finding | None = None
    #: seconds
    took: float = 0.0
    project: TestedProject = field(default_factory=TestedProject)

    @property
    def passed(self) -> bool:
        """Whether it passed as installed, without any extra."""
        return any(attempt.passed for attempt in self.attempts)

    @property
    def severity(self) -> Literal["block", "warn"] | None:
        """How a failure counts; None where there is none.

        Only a warning: a script that is still running at the limit. Many start a server regardless of their arguments.
        """
        if self.passed or self.needed_extras:
            return None
        endless = self.test.kind == "script" and self.not_run is None and self.attempts[0].status is None
        return "warn" if endless else "block"

    @property
    def needed_extras(self) -> tuple[str, ...]:
        """The extras with which it passed; empty where none was needed or none helped."""
        return next((one.extras for one in self.extras if not one.problem), ())

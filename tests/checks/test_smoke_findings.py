"""What a failed smoke test means for users, and the lines that accept it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from release.checks.smoke_findings import smoke_test_observations
from release.core.models.check_result import Finding, NotApplicable, Note
from release.core.models.smoke_test import (
    ExceptionLink,
    ExtraAttempt,
    SmokeTest,
    SmokeTestAttempt,
    SmokeTestResult,
    TestedProject,
)
from release.core.models.source_tree import SourceTree

IMPORT = SmokeTest(kind="import", words=("acme",))
HELP = SmokeTest(kind="script", words=("acme-run", "--help"))
VERSION = replace(HELP, words=("acme-run", "--version"))
GUI = SmokeTest(kind="gui script", words=("acme-win", "--help"))
REQUIRES = ("rich; extra == 'pretty'", "PyYAML; extra == 'dev'")
PROJECT = TestedProject(
    name="acme", roots=("acme", "ns.acme"), requires=REQUIRES, scripts={"acme-run": "acme_tool:main"}
)
EXIT = ExceptionLink(exit=True, type="SystemExit", line="SystemExit: 1", places=("acme/cli.py, line 9",))


def missing(module: str, place: str = "acme/__init__.py, line 1", **more: Any) -> ExceptionLink:
    line = f"ModuleNotFoundError: No module named {module!r}"
    return ExceptionLink(
        type="ModuleNotFoundError", line=line, places=(place,), import_error=True, not_found=True, module=module, **more
    )


def raised(line: str, *places: str, **more: Any) -> ExceptionLink:
    places = places or ("acme/__init__.py, line 1",)
    return ExceptionLink(type=line.partition(":")[0], line=line, places=places, **more)


def trial(test: SmokeTest, status: int | None, *chain: ExceptionLink, output: str = "", **more: Any) -> SmokeTestResult:
    attempt = SmokeTestAttempt(test=test, status=status, output=output, line=output, chain=chain)
    return SmokeTestResult(**{"test": test, "attempts": (attempt,), "project": PROJECT, **more})


PASSED = trial(IMPORT, 0)


def findings(*trials: SmokeTestResult, tracked: Sequence[str] = ()) -> list[Finding]:
    found = smoke_test_observations(trials, check="it-works", source=SourceTree(tracked=frozenset(tracked)))
    return [one for one in found if isinstance(one, Finding)]


@pytest.mark.parametrize(
    ("chain", "words", "remedy"),
    [
        ((missing("idna"),), "(in acme/__init__.py, line 1)", "add the project that provides 'idna'"),
        ((missing("cv2"),), "'cv2'", "add 'opencv-python', which provides 'cv2', to dependencies"),
        ((missing("requests"),), "'requests'", "add 'requests' to dependencies"),
        ((missing("pkg_resources"),), "'pkg_resources'", "add 'setuptools<82', which provides 'pkg_resources'"),
        ((missing("yaml"),), "'yaml'", "move what provides 'yaml' from the extra 'dev' to dependencies"),
        ((missing("pytest"),), "'pytest'", "add 'pytest', which this plug-in is for"),
        ((missing("acme.gone"),), "'acme.gone'", "the wheel has no module 'acme.gone'"),
        ((missing("acme_tool", "bin/acme-run, line 3"),), "bin/acme-run", "the wheel has no module 'acme_tool'"),
        ((missing("cgi"),), "'cgi'", "newer Pythons do not have"),
        ((missing("tkinter"),), "'tkinter'", "this Python has no 'tkinter'"),
        ((missing("six", "oldlib/__init__.py, line 2"),), "line 2", "'oldlib' imports 'six' without requiring it"),
        (
            (missing("jupyter_server", "traitlets/utils/importstring.py, line 35", by_statement=False),),
            "importstring.py, line 35",
            "add the project that provides 'jupyter_server'",
        ),
        ((missing("shipped"),), "'shipped'", "not shipped: 'src/shipped/__init__.py' is in git and not in the wheel"),
        ((missing("acme._gen"),), "'acme._gen'", "not shipped: 'deep/py/acme/_gen.pyx'"),
        ((missing("plain"),), "'plain'", "not shipped: 'plain.py'"),
        (
            (raised("ImportError: cannot import name 'sub' from 'acme' (/x/acme/__init__.py)", import_error=True),),
            "cannot import name",
            "not shipped: 'deep/py/acme/sub/x.py'",
        ),
        (
            (raised("FileNotFoundError: [Errno 2] No such file: 'x'", file="acme/table.dat"),),
            "No such file",
            "not shipped: 'deep/py/acme/table.dat'",
        ),
        ((raised("FileNotFoundError: 'x'", file="acme/other.dat"),), "FileNotFoundError", "fix the project"),
        # An ImportError of the project itself is shown with its own words.
        ((raised("ImportError: libwidget is gone", import_error=True),), "libwidget is gone", "fix the project"),
        (
            (raised("ImportError: get acme[zz]", import_error=True, explicit=True), missing("idna")),
            "'ImportError: get acme[zz]'",
            "add the project that provides 'idna'",
        ),
        (
            (raised("OSError: libfoo.so.1: cannot open shared object file: No such file"),),
            "libfoo.so.1",
            "install the system library 'libfoo.so.1'",
        ),
        (
            (raised("django.core.exceptions.ImproperlyConfigured: Requested setting X, but settings are not set"),),
            "Requested setting X",
            "imported in a configured Django project",
        ),
        (
            (raised("django.core.exceptions.AppRegistryNotReady: Apps aren't loaded yet."),),
            "Apps aren't loaded yet",
            "imported in a configured Django project",
        ),
        (
            (
                raised(
                    "RuntimeError: Working outside of application context. … See the documentation.",
                    "acme/__init__.py, line 4", "acme/state.py, line 7", "werkzeug/local.py, line 519",
                ),
            ),
            "(in werkzeug/local.py, line 519; from acme/state.py, line 7)",
            "a running Flask application",
        ),
        ((raised("Skipped: could not import 'pexpect': No module named 'pexpect'"),), "pexpect", "in a run of pytest"),
        ((raised("sphinx.errors.ExtensionError: no builder"),), "no builder", "in a run of Sphinx"),
        (
            (raised("_tkinter.TclError: no display name and no $DISPLAY environment variable"),),
            "no display name",
            "needs a screen",
        ),
        ((raised("ValueError: no"),), "ValueError: no", "fix the project"),
    ],
)  # fmt: skip
def test_a_failure_is_shown_with_its_own_words_and_remedy(
    chain: tuple[ExceptionLink, ...], words: str, remedy: str
) -> None:
    tracked = (
        "src/shipped/__init__.py", "deep/py/acme/__init__.py", "deep/py/acme/_gen.pyx", "deep/py/acme/sub/x.py",
        "deep/py/acme/table.dat", "plain.py", "tests/stubs/idna.py", "examples/requests/__init__.py",
    )  # fmt: skip
    (found,) = findings(trial(IMPORT, 1, *chain), tracked=tracked)
    assert found.severity == "block"
    assert words in found.message
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("line", "library"),
    [
        ("OSError: libodbc.so.2: cannot open shared object file: No such file or directory", "libodbc.so.2"),
        ("OSError: cannot load library 'libgobject-2.0-0': libgobject-2.0-0: cannot open", "libgobject-2.0-0"),
        ('OSError: no library called "cairo-2" was found', "cairo-2"),
        ("OSError: PortAudio library not found", "PortAudio"),
        ("ImportError: The 'enchant' C library was not found and maybe needs to be installed.", "enchant"),
        ("ImportError: Unable to find zbar shared library", "zbar"),
        ("ModuleNotFoundError: Couldn't locate OpenSlide shared library. Try `pip install openslide-bin`", "OpenSlide"),
        ("OSError: Cannot find libmpv in the usual places. Depending on your distro, …", "libmpv"),
        ("FileNotFoundError: [Errno 2] cannot find a suitable libusb-1.0: ['/x/libusb-1.0.so.0']", "libusb-1.0"),
        (
            "ImportError: Unable to load any of the following libraries:libhidapi-hidraw.so libhidapi.dylib",
            "libhidapi-hidraw.so",
        ),
        ("ImportError: dlopen(x.so, 0x0002): Library not loaded: @rpath/libfoo.1.dylib", "libfoo.1.dylib"),
        ("ImportError: DLL load failed while importing _core: The specified module could not be found.", "_core"),
        ("ValueError: cannot find the library of templates", None),
        ("RuntimeError: cannot find libraries", None),
        ("KeyError: 'library'", None),
        ("ValueError: could not load liberal settings", None),
    ],
)
def test_a_system_library_is_named(line: str, library: str | None) -> None:
    (found,) = findings(trial(IMPORT, 1, raised(line)))
    assert (f"install the system library {library!r}," in found.remedy) == bool(library)
    assert ("system library" in found.remedy) == bool(library)


@pytest.mark.parametrize(
    ("one", "severity", "words"),
    [
        (trial(IMPORT, 0), None, ""),
        (trial(IMPORT, 0, EXIT), "block", "ends the program that imports it"),
        (trial(IMPORT, None), "block", "still running after 60 s"),
        (trial(IMPORT, -11), "block", "signal 11"),
        (trial(HELP, 0, EXIT), None, ""),
        (trial(HELP, 2, EXIT, output="Usage: acme FILE"), None, ""),
        (trial(HELP, 1, EXIT, output="acme: error\nusage: acme FILE"), None, ""),
        (trial(HELP, 2, EXIT, missing("click"), output="usage: pip install click"), "block", "usage: pip"),
        (trial(HELP, 2, raised("ValueError: no"), output="usage: acme"), "block", "ValueError: no"),
        (trial(HELP, 70, EXIT, output="usage: acme"), "block", "status 70"),
        (trial(HELP, 1, EXIT, output="acme: no table"), "block", "'acme: no table' (in acme/cli.py, line 9)"),
        (trial(HELP, None), "warn", "still running after 60 s"),
        (trial(HELP, -11, output="usage"), "block", "signal 11"),
        (trial(GUI, None), None, ""),
        (trial(GUI, 1, raised("ValueError: no")), "block", "ValueError: no"),
        (trial(GUI, 1, raised("_tkinter.TclError: no display name and no $DISPLAY")), None, ""),
        (trial(GUI, -6, output="qt.qpa.xcb: could not connect to display"), None, ""),
        (trial(replace(HELP, kind="command", asked_for=True), None), "block", "still running"),
    ],
)  # fmt: skip
def test_an_end_is_judged(one: SmokeTestResult, severity: str | None, words: str) -> None:
    found = findings(one)
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    assert all(words in finding.message and finding.remedy for finding in found)


def test_an_extra_that_helps_is_a_note_and_one_that_does_not_is_told() -> None:
    helped = trial(IMPORT, 1, missing("rich"), extras=(ExtraAttempt(extras=("pretty",)),))
    notes = list(smoke_test_observations([helped], check="it-works"))
    assert [one.message for one in notes if isinstance(one, Note)] == ["'import acme' works with acme[pretty]"]
    tried = (ExtraAttempt(extras=("pretty",), problem="fails with it too: 'ValueError: no'"),)
    (found,) = findings(trial(IMPORT, 1, missing("idna"), extras=tried))
    assert found.message.endswith("; acme[pretty] fails with it too: 'ValueError: no'")


def test_nothing_to_try_is_not_a_failure() -> None:
    assert list(smoke_test_observations([], check="x")) == [NotApplicable(reason="there is nothing to import or run")]


def test_the_lines_leave_out_what_cannot_pass() -> None:
    by_version = trial(HELP, 1, raised("ValueError: %"))
    by_version = replace(by_version, attempts=(*by_version.attempts, SmokeTestAttempt(test=VERSION, status=0)))
    private = trial(replace(IMPORT, words=("_acme",)), 1, raised("ValueError: first acme"))
    after = SmokeTestAttempt(test=replace(IMPORT, words=("acme", "_acme")), status=0)
    private = replace(private, attempts=(*private.attempts, after))
    found = findings(
        PASSED, by_version, private, trial(GUI, 0),
        trial(replace(IMPORT, words=("acme_django",)), 1, raised("ValueError: no")),
        trial(replace(HELP, words=("usage", "--help")), 2, EXIT, output="usage: x"),
        trial(replace(HELP, words=("server", "--help")), None),
        trial(replace(HELP, words=("fancy", "--help")), 1, missing("rich"), extras=(ExtraAttempt(extras=("pretty",)),)),
        trial(replace(HELP, words=("o'clock", "--help")), 0),
    )  # fmt: skip
    assert [one.severity for one in found] == ["block", "warn"]
    lines = found[0].remedy.partition("\n")[2]
    assert tomllib.loads(lines) == {
        "tool": {
            "release": {"smoke": {"imports": ["acme"], "commands": ["acme-run --version", "'o'\"'\"'clock' --help"]}}
        }
    }
    assert "[tool" not in found[1].remedy


def test_where_nothing_else_remains_the_lines_waive_the_check() -> None:
    (found,) = findings(trial(IMPORT, 1, missing("idna")))
    waived = tomllib.loads(found.remedy.partition("\n")[2])["tool"]["release"]["waive"]
    assert waived == {"it-works": "known, and accepted"}


def test_a_table_of_waivers_that_exists_gets_one_line_more() -> None:
    failed = trial(IMPORT, 1, missing("idna"))
    remedy, accepted = (
        one.remedy
        for waived in ("the-tree-is-clean", "it-works")
        for one in smoke_test_observations([failed], check="it-works", waived={waived})
        if isinstance(one, Finding)
    )
    assert remedy.endswith(
        'or accept it, below [tool.release.waive] in pyproject.toml:\nit-works = "known, and accepted"'
    )
    assert accepted == "add the project that provides 'idna' to dependencies"


def test_words_of_django_are_found_within_those_of_another_library() -> None:
    words = "… define the environment variable DJANGO_SETTINGS_MODULE or call settings.configure()"
    text = f"9 errors for Settings\n  {words}\n  For further information visit"
    (found,) = findings(trial(IMPORT, 1, raised("pydantic_core.ValidationError: 9 errors … visit x"), output=text))
    assert "in a configured Django project" in found.remedy


@pytest.mark.parametrize(
    ("module", "remedy"),
    [
        ("acme_b", "add 'acme-b', the project of this repository that has 'acme_b', to dependencies"),
        ("acme_b.deep", "add 'acme-b', the project of this repository that has 'acme_b.deep', to dependencies"),
        ("space.one", "add 'space-one', the project of this repository that has 'space.one', to dependencies"),
        # innocent: a namespace that several have, a name that only begins alike, a module of the project itself
        ("space", "add the project that provides 'space' to dependencies"),
        ("acme_bc", "add the project that provides 'acme_bc' to dependencies"),
        ("acme.gone", "the wheel has no module 'acme.gone'"),
    ],
)
def test_a_module_of_another_project_of_the_repository_names_that(module: str, remedy: str) -> None:
    siblings = {"acme_b": "acme-b", "space.one": "space-one", "space.two": "space-two"}
    source = SourceTree(tracked=frozenset(), siblings=siblings)
    found = list(smoke_test_observations([trial(IMPORT, 1, missing(module))], check="it-works", source=source))
    assert isinstance(found[0], Finding)
    assert found[0].remedy.startswith(remedy)

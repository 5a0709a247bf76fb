"""Find an interpreter that a project supports, where the one that runs this program is shut out by Requires-Python."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from release.adapters.install import installer
from release.adapters.system.program_path import find_program
from release.core import python_versions
from release.core.errors import ReleaseError
from release.core.foreign_json import ForeignJsonError, parse_foreign_json
from release.core.models.interpreter import Interpreter, RequiredPython
from release.core.quoting import quote_path

if TYPE_CHECKING:
    from packaging.tags import Tag

    from release.adapters.system.system import System

#: seconds for one call of uv, of the py launcher or of an interpreter
_LIMIT = 30
#: prints what an interpreter is, in one line; runs on each Python 3
_PROBE = (
    "import sys, sysconfig, json, struct\n"
    "gil = not sysconfig.get_config_var('Py_GIL_DISABLED')\n"
    "print(json.dumps([sys.implementation.name, list(sys.version_info[:3]), gil, struct.calcsize('P')]))\n"
)


def running_interpreter() -> Interpreter:
    """The interpreter that runs this program."""
    return Interpreter(path=Path(sys.executable), version=sys.version_info[:3])


def chosen_interpreter(system: System) -> Interpreter:
    """The interpreter for builds and clean installs."""
    chosen = system.python.chosen if system.python else None
    return chosen or running_interpreter()


def supported_tags(interpreter: Interpreter | None = None) -> Iterator[Tag]:
    """The wheel tags that an interpreter supports, the best first; None: the one that runs this program."""
    from packaging import tags

    version = interpreter.version[:2] if interpreter else sys.version_info[:2]
    if version == sys.version_info[:2]:
        yield from tags.sys_tags()
        return
    # Only CPython with the GIL is chosen, so the tags follow from its version.
    yield from tags.cpython_tags(version, [f"cp{version[0]}{version[1]}"])
    yield from tags.compatible_tags(version, f"cp{version[0]}{version[1]}")


@lru_cache(maxsize=8)
def rank_tags(interpreter: Interpreter | None = None) -> Mapping[Tag, int]:
    """The wheel tags that an interpreter supports → their rank, 0 is the best. There are about a thousand."""
    return {tag: place for place, tag in enumerate(supported_tags(interpreter))}


def with_interpreter(system: System, required: RequiredPython | None) -> System:
    """The same system; builds and clean installs use the interpreter that was chosen."""
    if required is None or required.chosen is None:
        return system
    return replace(system, python=None if required.chosen == required.running else required)


def chosen_to_text(required: RequiredPython, uses: str) -> str:
    """Which interpreter is used for what, and why it is not the one that runs this program."""
    assert required.chosen is not None
    chosen, running = required.chosen, required.running
    return (
        f"using Python {chosen.release} from {chosen.origin} ({quote_path(chosen.path)}) for {uses}: "
        f"the project requires {required.specifier!r}, and this is Python {running.release}"
    )


def find_required_python(system: System, specifier: str, declared_in: str) -> RequiredPython:
    """The interpreter for a specifier: the running one if it fits, else the closest one that is found."""
    running = running_interpreter()
    if python_versions.satisfies(specifier, running.version):
        return RequiredPython(specifier=specifier, declared_in=declared_in, running=running, chosen=running)
    found = sorted(_candidates(system), key=lambda one: _distance(one, running))
    fitting = (one for one in found if python_versions.satisfies(specifier, one.version))
    probed = (real for one in fitting for real in _probe(system, one.path, one.origin))
    chosen = next((one for one in probed if python_versions.satisfies(specifier, one.version)), None)
    others = {one.version for one in (running, *found) if not python_versions.satisfies(specifier, one.version)}
    return RequiredPython(
        specifier=specifier, declared_in=declared_in, running=running, chosen=chosen, others=tuple(sorted(others))
    )


def _distance(one: Interpreter, running: Interpreter) -> tuple[int, int, int]:
    """The closest minor version first: for its floor, most dependencies have wheels; of these, the last micro."""
    return (abs(one.version[0] - running.version[0]), abs(one.version[1] - running.version[1]), -one.version[2])


def _candidates(system: System) -> Iterator[Interpreter]:
    """The interpreters of this machine, by their names alone as far as possible."""
    yield from _of_pyenv(system)
    yield from _of_uv(system)
    if sys.platform == "win32":
        yield from _of_launcher(system)
    yield from _on_path(system)


def _of_pyenv(system: System) -> Iterator[Interpreter]:
    """Its shims fail for each version that is not selected, so its directory is read.

    Source: pyenv, README, "Understanding Python version selection"; pyenv-win, README.
    """
    roots = [Path(system.env[name]) for name in ("PYENV_ROOT", "PYENV") if system.env.get(name)]
    for root in dict.fromkeys((*roots, system.home / ".pyenv", system.home / ".pyenv" / "pyenv-win")):
        with suppress(OSError):
            for place in sorted((root / "versions").iterdir()):
                found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", place.name)
                path = place / ("python.exe" if sys.platform == "win32" else "bin/python")
                if found and path.is_file():
                    yield Interpreter(path=path, version=_version(found.groups()), origin="pyenv")


def _of_uv(system: System) -> Iterator[Interpreter]:
    """Those that uv has installed, and others that it finds.

    Observed: uv 0.13, 2026-11; interpreters that do not start are left out with a warning on stderr.
    """
    uv = installer.find_uv(system)
    if uv is None:
        return
    options = ["--only-installed", "--offline", "--no-config", "--output-format", "json"]
    for one in _json(_output(system, [str(uv), "python", "list", *options])) or ():
        with suppress(KeyError, TypeError, ValueError):
            if one["implementation"] == "cpython" and one["variant"] == "default" and one["path"]:
                numbers = [one["version_parts"][part] for part in ("major", "minor", "patch")]
                yield Interpreter(path=Path(one["path"]), version=_version(numbers), origin="uv")


def _of_launcher(system: System) -> Iterator[Interpreter]:
    r"""Those of the Windows launcher, which prints lines such as ` -V:3.13 *        C:\Python313\python.exe`.

    Source: Python documentation, "Python Launcher for Windows", `--list-paths`.
    """
    for line in _output(system, ["py", "--list-paths"]).splitlines():
        if found := re.match(r"\s*-(?:V:)?(3)\.(\d+)(?:-64)?\s+(?:\*\s+)?(\S.*\.exe)\s*$", line):
            yield from _probe(system, Path(found[3]), "py")


def _on_path(system: System) -> Iterator[Interpreter]:
    for minor in python_versions.MINORS:
        found = find_program(f"python3.{minor}", system.env.get("PATH", ""))
        if found and ".pyenv" not in found and "shims" not in Path(found).parts:
            yield from _probe(system, Path(found), "PATH")


def _probe(system: System, path: Path, origin: str) -> Iterator[Interpreter]:
    """The interpreter with its real version; none if it does not run, or is another implementation or word size."""
    with suppress(TypeError, ValueError):
        implementation, version, gil, size = _json(_output(system, [str(path), "-I", "-c", _PROBE]))
        if implementation == "cpython" and gil and size == (8 if sys.maxsize > 2**32 else 4):
            yield Interpreter(path=path, version=_version(version), origin=origin)


def _output(system: System, argv: list[str]) -> str:
    """What a program prints; nothing where it does not run."""
    with suppress(ReleaseError):
        done = system.run(argv, env=installer.installer_environment(system), timeout=_LIMIT, apart=True)
        return done.output
    return ""


def _json(text: str) -> Any:
    with suppress(ForeignJsonError):
        return parse_foreign_json(text)
    return None


def _version(numbers: Iterable[object]) -> tuple[int, int, int]:
    major, minor, micro = (int(str(number)) for number in numbers)
    return major, minor, micro

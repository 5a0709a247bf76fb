"""Choose uv or pip, and the environment variables for them and for what they run."""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from msgspec.structs import replace

from release.adapters.system.program_path import find_program
from release.adapters.system.temporary_directory import temporary_variables
from release.core.child_environment import without_credentials
from release.core.errors import UsageError
from release.core.models.index import PYPI, TESTPYPI, Index, well_known

if TYPE_CHECKING:
    from release.adapters.system.system import System

Installer = Literal["uv", "pip"]

#: Variables that would redirect or weaken an install by pip or uv, and those that force colours.
_DIVERTING = re.compile(
    r"PIP_(USER|TARGET|PREFIX|ROOT|PYTHON|DRY_RUN|NO_DEPS|REQUIREMENT|EDITABLE|REPORT|LOG|REQUIRE_.*|NO_BUILD_ISOLATION)"
    r"|UV_(SYSTEM_PYTHON|PYTHON|TARGET|PREFIX|NO_DEPS|NO_VERIFY_HASHES|REQUIRE_HASHES|OVERRIDE|PROJECT.*|WORKING_DIR.*)"
    r"|UV_NO_BUILD_ISOLATION(_PACKAGE)?"
    r"|VIRTUAL_ENV(_PROMPT)?|CONDA_PREFIX|__PYVENV_LAUNCHER__|FORCE_COLOR|CLICOLOR_FORCE|PY_COLORS"
)
#: pip has an option, and uv a variable, for the constraints of installs and of the builds that they need
_CONSTRAINTS = ("CONSTRAINT", "BUILD_CONSTRAINT")
#: variables that configure the indexes of uv
_UV_INDEXES = re.compile(r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|OFFLINE|CONFIG_FILE)")


def choose_installer(system: System) -> Installer:
    """Uv if it is installed, else pip; or `RELEASE_INSTALLER`. Raises `UsageError` where that is invalid."""
    match system.env.get("RELEASE_INSTALLER", ""):
        case "":
            return "uv" if find_uv(system) else "pip"
        case "pip":
            return "pip"
        case "uv" if find_uv(system):
            return "uv"
        case "uv":
            raise UsageError("RELEASE_INSTALLER is 'uv', but uv is not installed", remedy="install uv, or unset it")
        case other:
            raise UsageError(f"RELEASE_INSTALLER is {other!r}", remedy="set it to 'uv' or 'pip', or unset it")


def find_uv(system: System) -> Path | None:
    """The path of uv, on PATH or in this environment; None where it is not installed."""
    found = find_program("uv", system.env.get("PATH", ""))
    if found:
        return Path(found)
    if importlib.util.find_spec("uv") is None:
        return None
    import uv as package

    try:
        return Path(package.find_uv_bin())
    except FileNotFoundError:
        return None


def installer_environment(system: System) -> dict[str, str]:
    """The variables for builds and installs: the user's indexes, without other credentials, redirections or prompts."""
    env = without_credentials(system.env, "installer", passed=system.passed)
    env = {name: value for name, value in env.items() if not _DIVERTING.fullmatch(name)}
    env.pop("PYTHONPATH", None)
    env |= {
        "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1", "UV_NO_PROGRESS": "1",
        "UV_NO_PYTHON_DOWNLOADS": "1", "PYTHONNOUSERSITE": "1", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8",
        "COLUMNS": "300",
    }  # fmt: skip
    # Loopback addresses use no proxy. Programs differ in which spelling they read.
    local = "127.0.0.1,localhost,::1"
    no_proxy = {name: f"{env[name]},{local}" if env.get(name) else local for name in ("NO_PROXY", "no_proxy")}
    return env | no_proxy | _pip_settings_for_uv(system) | temporary_variables()


def without_testpypi(system: System, index: Index) -> System:
    """The same system without TestPyPI as an extra index of pip and uv, if `index` is TestPyPI.

    Installers choose the higher version among indexes, and on TestPyPI anyone may own a dependency's name. It
    remains if it is the user's main index. Other indexes may have the user's dependencies, so they remain too.
    """
    if index.name != TESTPYPI.name and well_known(index.simple_url) is not TESTPYPI:
        return system
    simple_url = index.simple_url
    env, extra = dict(system.env), pip_settings(system).get("extra-index-url", "").split()
    kept = [url for url in extra if _place(url) != _place(simple_url)]
    if kept != extra:
        # pip ignores an empty variable and reads its files instead; a repeated main index changes nothing.
        env["PIP_EXTRA_INDEX_URL"] = " ".join(kept) or pip_settings(system).get("index-url") or PYPI.simple_url
    for name in ("UV_EXTRA_INDEX_URL", "UV_INDEX"):
        urls = [url for url in env.get(name, "").split() if _place(url.rpartition("=")[2]) != _place(simple_url)]
        if name in env:
            env[name] = " ".join(urls)
    return replace(system, env=env)


def _place(url: str) -> tuple[str, str]:
    """Host and path of a URL, without user name and password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2].lower(), parts.path.rstrip("/")


def _pip_settings_for_uv(system: System) -> dict[str, str]:
    """The indexes of pip's configuration as variables of uv, which does not read it; none if uv has its own.

    Source: uv documentation, "Compatibility with pip"; `unsafe-best-match` is the behaviour of pip.
    """
    bases = [system.env.get("XDG_CONFIG_HOME") or str(system.home / ".config"), system.env.get("APPDATA", ""), "/etc"]
    has_uv_file = any(base and (Path(base) / "uv" / "uv.toml").is_file() for base in bases)
    if has_uv_file or any(_UV_INDEXES.fullmatch(name) for name in system.env):
        return {}
    pip = pip_settings(system)
    settings = {
        "UV_DEFAULT_INDEX": pip.get("index-url", ""),
        "UV_INDEX": " ".join(pip.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(pip.get("find-links", "").split()),
    }
    settings = {name: value for name, value in settings.items() if value}
    return settings | ({"UV_INDEX_STRATEGY": "unsafe-best-match"} if "UV_INDEX" in settings else {})


def pip_settings(system: System) -> dict[str, str]:
    """The settings of pip by long option name; the environment overrides the files, as for pip."""
    settings: dict[str, str] = {}
    for file in _pip_files(system):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue  # pip itself reports it, with a better message
        for section in ("global", "install"):
            if parser.has_section(section):
                settings |= dict(parser.items(section))
    return settings | {k[4:].lower().replace("_", "-"): v for k, v in system.env.items() if k.startswith("PIP_")}


def constraint_variables(system: System, added: str) -> Mapping[str, str]:
    """Variables of pip and uv that add the constraints at the file URL `added` to those of the user.

    A variable of pip replaces what its files have.
    """
    pip = pip_settings(system)
    own = {f"PIP_{name}": pip.get(name.lower().replace("_", "-"), "") for name in _CONSTRAINTS}
    own |= {f"UV_{name}": system.env.get(f"UV_{name}", "") for name in _CONSTRAINTS}
    return {name: " ".join([*before.split(), added]) for name, before in own.items()}


def _pip_files(system: System) -> Iterator[Path]:
    """Source: pip documentation, "Configuration", "Location"."""
    home, env = system.home, system.env
    if env.get("PIP_CONFIG_FILE") == os.devnull:
        return
    if sys.platform == "win32":
        yield Path(env.get("PROGRAMDATA", "C:\\ProgramData")) / "pip" / "pip.ini"
        yield home / "pip" / "pip.ini"
        yield Path(env.get("APPDATA", home)) / "pip" / "pip.ini"
    else:
        yield Path("/etc/xdg/pip/pip.conf")
        yield Path("/etc/pip.conf")
        yield Path("/Library/Application Support/pip/pip.conf")
        yield home / ".pip" / "pip.conf"
        yield home / "Library" / "Application Support" / "pip" / "pip.conf"
        yield Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield Path(sys.prefix) / ("pip.ini" if sys.platform == "win32" else "pip.conf")
    if env.get("PIP_CONFIG_FILE"):
        yield Path(env["PIP_CONFIG_FILE"])

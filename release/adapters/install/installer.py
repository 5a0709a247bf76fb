"""uv where it is, pip otherwise; and the environment in which they, and what they run, are let loose."""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from release.adapters.system.system import System
from release.core.errors import UsageError
from release.core.models.credential_variables import without_credentials
from release.core.models.index import PYPI, TESTPYPI, Index, well_known

Installer = Literal["uv", "pip"]

#: Settings that would send an install elsewhere, or weaken it, for pip and uv alike; and colours.
_DIVERTING = re.compile(
    r"PIP_(USER|TARGET|PREFIX|ROOT|PYTHON|DRY_RUN|NO_DEPS|REQUIREMENT|EDITABLE|REPORT|LOG|REQUIRE_.*|NO_BUILD_ISOLATION)"
    r"|UV_(SYSTEM_PYTHON|PYTHON|TARGET|PREFIX|NO_DEPS|NO_VERIFY_HASHES|REQUIRE_HASHES|OVERRIDE|PROJECT.*|WORKING_DIR.*)"
    r"|UV_NO_BUILD_ISOLATION(_PACKAGE)?"
    r"|VIRTUAL_ENV(_PROMPT)?|CONDA_PREFIX|__PYVENV_LAUNCHER__|FORCE_COLOR|CLICOLOR_FORCE|PY_COLORS"
)
#: a user who has one of these has told uv where packages are
_UV_INDEXES = re.compile(r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|OFFLINE|CONFIG_FILE)")


def choose_installer(system: System) -> Installer:
    """The installer to use; `RELEASE_INSTALLER` overrules. Raises `UsageError` where that names none."""
    match system.env.get("RELEASE_INSTALLER", ""):
        case "":
            return "uv" if find_uv(system) else "pip"
        case "pip":
            return "pip"
        case "uv" if find_uv(system):
            return "uv"
        case "uv":
            raise UsageError("RELEASE_INSTALLER is 'uv', and there is no uv", remedy="install uv, or unset it")
        case other:
            raise UsageError(f"RELEASE_INSTALLER is {other!r}", remedy="set it to 'uv' or 'pip', or unset it")


def find_uv(system: System) -> Path | None:
    """The program of uv, from PATH or installed beside us; None where there is none."""
    found = shutil.which("uv", path=system.env.get("PATH", ""))
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
    """The environment for builds and installs: no credential, no detour, no question, the user's own indexes."""
    env = {k: v for k, v in without_credentials(system.env).items() if not _DIVERTING.fullmatch(k)}
    env.pop("PYTHONPATH", None)
    env |= {
        "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1", "UV_NO_PROGRESS": "1",
        "UV_NO_PYTHON_DOWNLOADS": "1", "PYTHONNOUSERSITE": "1", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8",
        "COLUMNS": "300",
    }  # fmt: skip
    return env | _no_proxy(env) | _pip_settings_for_uv(system)


def without_testpypi(system: System, index: Index) -> System:
    """The same machine, where TestPyPI is never asked beside another index, whatever pip and uv are told.

    Of two indexes that have a name, installers take the higher version: there it may be anybody's. As the user's
    own first index it stays. Any other index may be where the user's dependencies are: for it nothing changes.
    """
    if index.name != TESTPYPI.name and well_known(index.simple_url) is not TESTPYPI:
        return system
    simple_url = index.simple_url
    env, told = dict(system.env), _pip_settings(system).get("extra-index-url", "").split()
    kept = [url for url in told if _place(url) != _place(simple_url)]
    if kept != told:
        # pip passes over an empty variable, and would read its files again: the first index, once more, changes nothing
        env["PIP_EXTRA_INDEX_URL"] = " ".join(kept) or _pip_settings(system).get("index-url") or PYPI.simple_url
    for name in ("UV_EXTRA_INDEX_URL", "UV_INDEX"):
        urls = [url for url in env.get(name, "").split() if _place(url.rpartition("=")[2]) != _place(simple_url)]
        if name in env:
            env[name] = " ".join(urls)
    return replace(system, env=env)


def _place(url: str) -> tuple[str, str]:
    """Where an address leads, by whatever name and password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2].lower(), parts.path.rstrip("/")


def _no_proxy(env: Mapping[str, str]) -> dict[str, str]:
    """Loopback is reached directly. Both spellings, since programs differ in which one they read."""
    local = "127.0.0.1,localhost,::1"
    return {name: f"{env[name]},{local}" if env.get(name) else local for name in ("NO_PROXY", "no_proxy")}


def _pip_settings_for_uv(system: System) -> dict[str, str]:
    """Where pip is told to look for packages, in uv's terms: uv itself does not read pip's configuration.

    Nothing where uv has been told, or where pip has not.
    Source: uv documentation, "Compatibility with pip"; `unsafe-best-match` is what pip does.
    """
    if any(_UV_INDEXES.fullmatch(name) for name in system.env) or _uv_is_configured(system):
        return {}
    told = _pip_settings(system)
    settings = {
        "UV_DEFAULT_INDEX": told.get("index-url", ""),
        "UV_INDEX": " ".join(told.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(told.get("find-links", "").split()),
    }
    settings = {name: value for name, value in settings.items() if value}
    return settings | ({"UV_INDEX_STRATEGY": "unsafe-best-match"} if "UV_INDEX" in settings else {})


def _uv_is_configured(system: System) -> bool:
    bases = [system.env.get("XDG_CONFIG_HOME") or str(system.home / ".config"), system.env.get("APPDATA", ""), "/etc"]
    return any(base and (Path(base) / "uv" / "uv.toml").is_file() for base in bases)


def _pip_settings(system: System) -> dict[str, str]:
    """Settings of pip by long option name; files first, environment last, as pip reads them."""
    told: dict[str, str] = {}
    for file in _pip_files(system):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue  # pip will complain about it in better words, should it be pip
        for section in ("global", "install"):
            if parser.has_section(section):
                told |= dict(parser.items(section))
    prefix = "PIP_"
    return told | {k[4:].lower().replace("_", "-"): v for k, v in system.env.items() if k.startswith(prefix)}


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

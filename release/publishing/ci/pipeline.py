"""Read from a project what its CI workflows depend on, and write a workflow to its file."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from release.checks.all_checks import check_names
from release.core.errors import ReleaseError, UsageError
from release.core.quoting import quote_path
from release.core.shell import quote_word
from release.core.toml_text import TomlError, parse_toml

if TYPE_CHECKING:
    from release.adapters.system.system import System

#: the Python version that runs the tools of a workflow, whichever versions the project supports
PYTHON = "3.13"
#: builds binary wheels; pinned, because its behaviour changes with its version
CIBUILDWHEEL = "cibuildwheel==4.3.5"

#: characters of a path or tag that need no escaping in YAML and in any shell
_SAFE = re.compile(r"[\w .,/+@~{}-]*")
#: build backends that compile. Source: the documentation of each
_COMPILING_BACKENDS = {
    "maturin", "scikit_build_core.build", "scikit_build_core.setuptools.build_meta", "mesonpy",
    "py_build_cmake.build", "enscons.api", "sipbuild.api", "pdm_build_zig",
}  # fmt: skip
#: build requirements that compile, used with setuptools or hatchling
_COMPILERS = {
    "cython", "pybind11", "nanobind", "setuptools-rust", "scikit-build", "mypy", "hatch-mypyc", "hatch-cython",
    "scikit-build-core", "cffi", "numpy", "extensionlib", "setuptools-golang", "setuptools-zig",
}  # fmt: skip
#: a line of .gitattributes that assigns files to Git LFS. Source: gitattributes(5)
_LFS = re.compile(r"(?m)^(?!\s*#).*\sfilter=lfs(?:\s|$)")
#: a section of .gitmodules. Source: gitmodules(5)
_SUBMODULE = re.compile(r'(?m)^\s*\[submodule\s+"')
_EXTENSION_IN_SETUP_PY = re.compile(r"\b(ext_modules|cffi_modules|rust_extensions|cythonize|Extension(?=\s*\())")


class Pipeline(Struct, frozen=True, kw_only=True):
    """The properties of a project that its workflows depend on."""

    #: the release tag, with `{version}`, and `{name}` if it contains the name
    tag_format: str
    #: the project's name; None if only a build reveals it
    name: str | None
    #: directory of the project in its repository: empty, or a path that ends with a slash
    directory: str
    #: version of this program, which the workflow installs
    version: str
    #: a requirements file with hashes that includes this program, relative to the project; None: install by version
    requirements: str | None
    #: whether wheels depend on the machine that builds them
    binary: bool
    #: the reason for `binary`, to be read after "since"
    because: str
    #: whether the repository has files in Git LFS
    lfs: bool = False
    #: whether the repository has submodules
    submodules: bool = False
    #: when a scheduled job proves the trusted publishers: five fields of cron; None: never
    proof: str | None = None

    def install(self, *, extra: str = "") -> str:
        """Return the command that installs this program."""
        pip = "python -P -m pip install --disable-pip-version-check"
        if self.requirements is not None:
            return f"{pip} --require-hashes --requirement {shlex.quote(self.requirements)}"
        return f"{pip} {shlex.quote(f'pypi-preflight{extra}=={self.version}')}"

    @property
    def about_wheels(self) -> str:
        """How wheels are built, and why."""
        if self.binary:
            return f"Wheels are built on several platforms, since {self.because}; `--pure` turns that off."
        return f"One wheel fits all platforms, since {self.because}; `--binary` builds on several."

    @property
    def around_version(self) -> tuple[str, str]:
        """The parts of a release tag before and after the version."""
        before, _, after = self.tag_format.partition("{version}")
        name = self.name or "{name}"
        return before.replace("{name}", name), after.replace("{name}", name)


def load_pipeline(  # noqa: PLR0913 - a project, and the options of the command
    system: System,
    directory: Path,
    *,
    file: Path | None = None, wheels: bool | None = None, lock: str | None = None, proof: str | None = None,
    checkout: Callable[[System, Path], tuple[bool, bool]] | None = None,
) -> Pipeline:  # fmt: skip
    """Read what the workflows of the project in `directory` depend on.

    `file`: the configuration file, if it is not the project's. `wheels`: whether wheels are binary; None: detect it.
    `lock`: a requirements file with hashes, relative to the project. `proof`: as in `Pipeline`.
    `checkout`: as `detect_checkout`, for several projects of one repository.
    Raises `UsageError` for a missing lock file and for names that cannot be written into a workflow.
    """
    from importlib.metadata import version

    from release.adapters import collect, project_config
    from release.adapters.git import repository

    config = project_config.load_config(directory, file, check_names=check_names, needs_project=False)
    pyproject: Mapping[str, Any] = {}
    with suppress(TomlError):
        pyproject = parse_toml(_read_text(directory / "pyproject.toml"))
    binary, because = detect_binary(pyproject, _read_text(directory / "setup.py"))
    if wheels is not None and wheels != binary:
        binary, because = wheels, f"--{'binary' if wheels else 'pure'} was given"
    if lock is not None and not (directory / lock).is_file():
        raise UsageError(
            f"no file {lock!r} in {quote_path(directory)}",
            remedy=f"create it: echo pypi-preflight=={version('pypi-preflight')} | "
            f"uv pip compile --universal --generate-hashes --output-file {quote_word(lock)} -",
        )
    root = repository.find_root(system, directory)
    lfs, submodules = (checkout or detect_checkout)(system, root) if root else (False, False)
    inside = directory.resolve().relative_to(root.resolve()).as_posix() if root else "."
    pipeline = Pipeline(
        tag_format=config.tag_format or collect.learn_tag_format(system, directory),
        name=project_config.load_project_name(directory),
        directory="" if inside == "." else f"{inside}/",
        version=version("pypi-preflight"), requirements=lock, binary=binary, because=because,
        lfs=lfs, submodules=submodules, proof=proof,
    )  # fmt: skip
    for part in (pipeline.directory, pipeline.requirements or "", *pipeline.around_version):
        if not _SAFE.fullmatch(part):
            raise UsageError(
                f"{part!r} cannot be written into a workflow", remedy="use only letters, digits and .,/+@~_-"
            )
    return pipeline


def write_workflow(path: Path, text: str, *, force: bool) -> bool:
    """Write a workflow to its file. Returns whether the file changed.

    Raises `ReleaseError` if the file has other contents, which may be someone's work, unless `force` is given.
    """
    from release.adapters.system import safe_write
    from release.adapters.system.system import explain_os_errors

    with explain_os_errors("the workflow"):
        if path.exists() and not force and path.read_bytes() != text.encode():
            raise ReleaseError(
                f"{quote_path(path)} exists with other contents",
                remedy="compare them (omit --output to print the workflow), or use --force to replace the file",
            )
        return safe_write.write_atomically(path, text.encode())


def detect_checkout(system: System, root: Path) -> tuple[bool, bool]:
    """Return whether a checkout of the repository needs Git LFS, and whether it needs submodules.

    Any of its .gitattributes may assign files to Git LFS, those of submodules too. Raises `ToolError` where git fails.
    """
    from release.adapters.git import repository

    paths = [root / path for path in repository.tracked_files(system, root) if path.endswith(".gitattributes")]
    texts = map(_read_text, dict.fromkeys([*paths, root / ".gitattributes"]))
    named = _SUBMODULE.search(_read_text(root / ".gitmodules"))
    return any(_LFS.search(text) for text in texts), named is not None


def detect_binary(pyproject: Mapping[str, Any], setup_py: str = "") -> tuple[bool, str]:
    """Return whether wheels depend on the machine that builds them, and the reason.

    `pyproject` is the parsed pyproject.toml, empty if there is none; `setup_py` is the text of setup.py.
    """
    tool, build = _table(pyproject, "tool"), _table(pyproject, "build-system")
    backend = str(build.get("build-backend", "setuptools"))
    if "cibuildwheel" in tool:
        return True, "pyproject.toml has [tool.cibuildwheel]"
    if backend.partition(":")[0] in _COMPILING_BACKENDS:
        return True, f"its build backend is {backend}"
    if _table(tool, "setuptools").get("ext-modules"):
        return True, "tool.setuptools.ext-modules is not empty"
    if match := _EXTENSION_IN_SETUP_PY.search(setup_py):
        return True, f"setup.py mentions {match[1]}"
    if compilers := sorted(_COMPILERS & set(_names(build.get("requires")))):
        return True, f"its build requires {compilers[0]}"
    return False, "nothing in pyproject.toml or setup.py compiles"


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _names(requirements: Any) -> list[str]:
    from packaging.utils import canonicalize_name

    if not isinstance(requirements, list):
        return []
    starts = (re.match(r"\s*([A-Za-z0-9._-]+)", one) for one in requirements if isinstance(one, str))
    return [canonicalize_name(start[1]) for start in starts if start]


def _read_text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8")
    return ""

"""What installers and users notice of a wheel's own files, although most indexes accept it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email.parser import BytesHeaderParser

from packaging.tags import parse_tag

from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.rule import SPECIFICATIONS, WHEELS, FileUpload
from release.checks.engine import Checklist, quote_some, warn
from release.core.lazy_pattern import lazy_pattern
from release.core.models.check_result import Finding
from release.core.shell import quote_word

#: the file name of an extension module for certain interpreters and platforms, or for Windows.
#: Source: PEP 3149 and CPython's `importlib.machinery.EXTENSION_SUFFIXES`
_EXTENSION = lazy_pattern(r"\.(?:cpython-|abi\d|pypy\d|graalpy)[^/]*\.(?:so|pyd)\Z|\.pyd\Z")
#: shared libraries, by the platform that loads them
_LIBRARIES = {"linux": (".so",), "windows": (".dll", ".pyd"), "macos": (".dylib",)}
_TEST_DATA = lazy_pattern(r"(?:^|/)(?:tests?|testing|test[-_]?data|fixtures|examples?)/")
#: Python tags that stand for every interpreter of a major version
_ANY_PYTHON = frozenset({"py2", "py3"})

CHECKS = Checklist[FileUpload]()


@CHECKS.check()
def the_wheel_has_one_dist_info_directory(upload: FileUpload) -> Iterator[Finding]:
    """A wheel has a single `.dist-info` directory.

    pip and uv refuse to install a wheel with two, although the index accepts it. Observed: pip 26.3 ("has an invalid
    wheel, multiple .dist-info directories found"), uv 0.13.9 ("Multiple .dist-info directories found"), 2026-11.
    """
    if others := other_dist_infos(upload.file):
        yield Finding(
            message=f"the wheel has {quote_some(others)} besides {upload.file.dist_info!r}; pip and uv refuse to "
            "install it",
            remedy=f"remove {quote_some(others)} from the source tree and from build/, or exclude it in the build "
            "backend's configuration, and rebuild: python -m build",
            where=upload.filename,
            source=WHEELS,
        )


def other_dist_infos(file: OpenDistribution) -> list[str]:
    """Further `.dist-info` directories at the top of a wheel; empty where it lacks its own, which the index refuses."""
    own = file.dist_info
    if file.open_zip is None or not file.filename.endswith(".whl") or own is None:
        return []
    tops = {name.partition("/")[0] for name in file.paths}
    return sorted(top for top in tops - {own} if top.endswith(".dist-info")) if own in tops else []


@CHECKS.check()
def the_tags_in_the_wheel_are_those_of_its_name(upload: FileUpload) -> Iterator[Finding]:
    """The tags in WHEEL are those of the file name.

    Installers choose a wheel by its file name; `python -m wheel pack` and other tools name it by WHEEL again.
    """
    inside, named = _tags_inside(upload), _tags_of_name(upload.filename)
    if not inside or not named or inside == named:
        return
    message = f"WHEEL has the tags {quote_some(sorted(inside - named))}, which are not in the file name"
    if not inside - named:
        message = f"the file name has the tags {quote_some(sorted(named - inside))}, which are not in WHEEL"
    remedy = (
        "rebuild the wheel with these tags instead of renaming it; or: python -m wheel unpack FILE, correct the Tag "
        "lines in WHEEL, python -m wheel pack DIRECTORY"
    )
    yield warn(message, remedy, upload.filename, source=WHEELS)


def _tags_inside(upload: FileUpload) -> frozenset[str]:
    """The expanded tags of WHEEL; empty where there are none that can be read."""
    archive = upload.file.open_zip if upload.filename.endswith(".whl") else None
    data = archive.read(f"{upload.file.dist_info}/WHEEL") if archive is not None else None
    if not isinstance(data, bytes):
        return frozenset()
    lines = [str(line).strip() for line in BytesHeaderParser().parsebytes(data).get_all("Tag", [])]
    tags = [_expand(line) for line in lines if line.count("-") == 2]  # noqa: PLR2004 - Python, ABI and platform
    return frozenset().union(*tags) if len(tags) == len(lines) else frozenset()


def _tags_of_name(filename: str) -> frozenset[str]:
    parts = filename.removesuffix(".whl").rsplit("-", 3)
    return _expand("-".join(parts[1:])) if len(parts) == 4 else frozenset()  # noqa: PLR2004 - as above, and the rest


def _expand(tag: str) -> frozenset[str]:
    return frozenset(map(str, parse_tag(tag)))


@CHECKS.check()
def the_wheel_is_tagged_for_its_compiled_code(upload: FileUpload) -> Iterator[Finding]:
    """Wheels are tagged for the compiled code in them.

    Code for one platform, or one Python version, works only there. pip installs a wheel with the tags `py3-none-any`
    everywhere. Libraries for several platforms may be in one wheel.
    """
    parts = upload.filename.removesuffix(".whl").rsplit("-", 3)
    if not upload.filename.endswith(".whl") or len(parts) != 4:  # noqa: PLR2004 - name and version, three tags
        return
    python, abi, platform = parts[1:]
    paths = [name for name in upload.file.paths if not _TEST_DATA.search(name)]
    modules = [name for name in paths if _EXTENSION.search(name)]
    if platform == "any":
        if compiled := modules or [name for name in paths if name.endswith(_LIBRARIES["linux"])]:
            yield from _of_one_platform(compiled, paths, upload.filename)
    elif abi == "none" and set(python.split(".")) <= _ANY_PYTHON:
        yield from _of_one_python(modules, upload.filename)


def _of_one_platform(compiled: Sequence[str], paths: Sequence[str], filename: str) -> Iterator[Finding]:
    """Nothing where the wheel has libraries for several platforms."""
    families = {name for name, suffixes in _LIBRARIES.items() if any(one.endswith(suffixes) for one in paths)}
    on_macos = any("-darwin" in one for one in compiled) and any("-linux" in one for one in compiled)
    if len(families) > 1 or on_macos:
        return
    yield warn(
        f"the wheel is tagged for any platform, but contains {quote_some(compiled)}, which only one platform loads",
        "declare the compiled code to the build backend (setuptools: ext_modules; hatchling: a build hook that sets "
        "pure_python = false and infer_tag = true), and build a wheel for each platform: cibuildwheel",
        filename,
        source=f"{SPECIFICATIONS}/platform-compatibility-tags/",
    )


def _of_one_python(modules: Sequence[str], filename: str) -> Iterator[Finding]:
    versions = {found[1] for name in modules if (found := re.search(r"\.(?:cpython-|cp)(\d+)[^/]*\Z", name))}
    if len(versions) == 1 and not any(".abi3." in name for name in modules):
        (version,) = versions
        tag = f"cp{version}-cp{version}"
        yield warn(
            f"the wheel is tagged for every Python 3, but contains {quote_some(modules)}, which only CPython "
            f"{version[0]}.{version[1:]} imports",
            f"build it with the tags {tag}, or write them: python -m wheel tags --python-tag cp{version} "
            f"--abi-tag cp{version} {quote_word(filename)}",
            filename,
            source=f"{SPECIFICATIONS}/platform-compatibility-tags/",
        )

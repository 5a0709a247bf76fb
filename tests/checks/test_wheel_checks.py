"""A wheel's own files: directories of metadata, tags, and compiled code."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from release.acceptance.platform_remedies import platform_remedy
from release.checks.distributions import CHECKS
from release.checks.engine import run
from release.core.models.check_result import Finding
from tests.acceptance.making import metadata, wheel_members, zipped
from tests.checks.test_distributions import built, file

INFO = "acme_widget-1.0.dist-info"


def findings(
    *paths: str, tag: str = "py3-none-any", inside: str | None = None, members: Mapping[str, bytes] | None = None
) -> list[Finding]:
    """The findings about a wheel with these members, whose WHEEL has the tags `inside`, one for each line."""
    lines = "".join(f"Tag: {one}\n" for one in (tag if inside is None else inside).split())
    all_members = wheel_members() | dict.fromkeys(paths, b"") | dict(members or {})
    all_members[f"{INFO}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n{lines}".encode()
    all_members[f"{INFO}/RECORD"] = "".join(f"{name},,\n" for name in all_members).encode()
    facts = built(file(f"acme_widget-1.0-{tag}.whl", zipped(all_members)))
    return [finding for one in run(CHECKS, facts) for finding in one.findings]


@pytest.mark.parametrize(
    "path",
    [
        "zlib_x-0.9.dist-info/METADATA",
        "acme_widget-0.9.dist-info/RECORD",
        "Acme_Widget-1.0.dist-info/METADATA",
        "zlib_x-0.9.dist-info/licenses/LICENSE",
    ],
)
def test_a_second_dist_info_is_refused(path: str) -> None:
    """The index accepts it, pip and uv do not install it."""
    (found,) = findings(path)
    assert found.severity == "block"
    assert repr(path.partition("/")[0]) in found.message
    assert "pip and uv refuse to install it" in found.message


def test_metadata_in_another_dist_info_is_not_that_of_the_wheel() -> None:
    """twine reads the first METADATA of all, here of another project: a consequence, which is not reported."""
    (found,) = findings(members={"aaa-0.9.dist-info/METADATA": metadata("aaa", "0.9")})
    assert "'aaa-0.9.dist-info'" in found.message


def test_dist_info_below_a_package_is_data() -> None:
    """Vendored metadata, and a file that is called so, are no second directory at the top."""
    assert not findings("acme/_vendor/zlib_x-0.9.dist-info/METADATA", "acme/x.dist-info", "acme/dist-info/a")


def test_without_its_own_dist_info_the_index_refuses_the_wheel() -> None:
    """That is the cause, and a second directory is not reported beside it."""
    members = wheel_members(metadata(), "other-1.0.dist-info") | {"more-1.0.dist-info/METADATA": b""}
    outcomes = list(run(CHECKS, built(file("acme_widget-1.0-py3-none-any.whl", zipped(members)))))
    messages = [finding.message for one in outcomes for finding in one.findings]
    assert any("WHEEL not found" in message for message in messages)
    assert not any("pip and uv" in message for message in messages)


@pytest.mark.parametrize(
    ("tag", "inside", "named"),
    [
        ("cp311-cp311-manylinux2014_x86_64", "cp310-cp310-linux_x86_64", "cp310-cp310-linux_x86_64"),
        ("cp311-cp311-macosx_11_0_arm64", "cp311-cp311-macosx_11_0_universal2", "universal2"),
        ("py3-none-any", "py2-none-any py3-none-any", "py2-none-any"),
        ("py2.py3-none-any", "py3-none-any", "'py2-none-any', which are not in WHEEL"),
    ],
)
def test_other_tags_in_wheel_are_a_warning(tag: str, inside: str, named: str) -> None:
    (found,) = findings(tag=tag, inside=inside)
    assert found.severity == "warn"
    assert named in found.message


@pytest.mark.parametrize(
    ("tag", "inside"),
    [
        ("py2.py3-none-any", "py2-none-any py3-none-any"),
        ("py2.py3-none-any", "py2.py3-none-any"),
        ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
         "cp311-cp311-manylinux2014_x86_64 cp311-cp311-manylinux_2_17_x86_64"),
        ("cp311-abi3-win_amd64", "CP311-abi3-win_amd64"),
        ("py3-none-any", ""),
        ("py3-none-any", "nonsense"),
    ],
)  # fmt: skip
def test_the_same_tags_in_another_form_are_no_warning(tag: str, inside: str) -> None:
    """Compressed or not, in any order; tags that cannot be read are nobody's concern."""
    assert not findings(tag=tag, inside=inside)


@pytest.mark.parametrize(
    ("tag", "paths"),
    [
        ("py3-none-any", ["acme/_c.cpython-311-x86_64-linux-gnu.so"]),
        ("py3-none-any", ["acme/_c.cp311-win_amd64.pyd"]),
        ("py3-none-any", ["acme/_c.abi3.so"]),
        ("py2.py3-none-any", ["acme/libacme.so"]),
        ("py3-none-manylinux_2_17_x86_64", ["acme/_c.cpython-311-x86_64-linux-gnu.so"]),
        ("py3-none-win_amd64", ["acme/_c.cp312-win_amd64.pyd"]),
    ],
)
def test_compiled_code_that_the_tags_do_not_name_is_a_warning(tag: str, paths: list[str]) -> None:
    (found,) = findings(*paths, tag=tag)
    assert found.severity == "warn"
    assert repr(paths[0]) in found.message


@pytest.mark.parametrize(
    ("tag", "paths"),
    [
        # for several platforms, as debugpy has them; programs and managed code; data of tests
        ("py3-none-any", ["acme/attach_linux.so", "acme/attach.dylib", "acme/attach.dll"]),
        ("py3-none-any", ["acme/_c.cpython-311-x86_64-linux-gnu.so", "acme/_c.cpython-311-darwin.so"]),
        ("py3-none-any", ["acme/cli-32.exe", "acme/managed.dll", "acme/notes.so.txt"]),
        ("py3-none-any", ["acme/tests/data/libx.so"]),
        # a bundled program or library, and the stable ABI
        ("py3-none-manylinux_2_17_x86_64", ["acme_widget-1.0.data/scripts/acme"]),
        ("py3-none-manylinux_2_17_x86_64", ["acme/libacme.so"]),
        ("py3-none-manylinux_2_17_x86_64", ["acme/_c.abi3.so"]),
        ("py3-none-manylinux_2_17_x86_64", ["acme/_c.cpython-311-x.so", "acme/_c.cpython-312-x.so"]),
        ("cp311-cp311-manylinux_2_17_x86_64", ["acme/_c.cpython-311-x86_64-linux-gnu.so"]),
        ("cp39-abi3-win_amd64", ["acme/_c.pyd"]),
    ],
)
def test_compiled_code_that_the_tags_allow_is_no_warning(tag: str, paths: list[str]) -> None:
    assert not findings(*paths, tag=tag)


@pytest.mark.parametrize(
    ("tag", "remedy"),
    [
        ("macosx_13_5_arm64", "set MACOSX_DEPLOYMENT_TARGET=13.0 for the build"),
        ("macosx_13_5_arm64", "python -m wheel tags --remove --platform-tag macosx_13_0_arm64 FILE"),
        ("macosx_11_1_universal2", "macosx_11_0_universal2"),
        ("macosx_16_0_arm64", "set MACOSX_DEPLOYMENT_TARGET=15.0"),
        ("macosx_26_1_arm64", "set MACOSX_DEPLOYMENT_TARGET=26.0"),
        ("macosx_27_0_arm64", "set MACOSX_DEPLOYMENT_TARGET=26.0"),
        ("macosx_10_9_amd64", "--platform-tag macosx_10_9_x86_64"),
        ("macosx_13_0_aarch64", "macosx_13_0_arm64"),
        ("win_x86_64", "--platform-tag win_amd64"),
        ("linux_x86_64", "auditwheel repair FILE"),
        ("manylinux_x86_64", "auditwheel repair FILE"),
        ("emscripten_3_1_58_wasm32", "cibuildwheel --platform pyodide"),
    ],
)
def test_a_refused_platform_has_its_own_remedy(tag: str, remedy: str) -> None:
    assert remedy in str(platform_remedy(tag, "FILE"))


@pytest.mark.parametrize("tag", ["linux_mips", "manylinux_2_17_loongarch64", "freebsd_14_0_amd64", "solaris_2_11"])
def test_a_platform_without_any_tag_has_none(tag: str) -> None:
    """The sdist is what is left to publish."""
    assert platform_remedy(tag, "FILE") is None
    (found,) = findings(tag=f"py3-none-{tag}")
    assert "upload only the sdist" in found.remedy

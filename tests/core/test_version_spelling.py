"""Versions in the spelling of a project's earlier ones, and in the form of Semantic Versioning."""

from __future__ import annotations

import pytest
from packaging.version import Version

from release.core.version_spelling import spell_as_semver, spell_like


@pytest.mark.parametrize(
    ("version", "earlier", "expected"),
    [
        ("1.2.3", [], "1.2.3"),
        ("2026.6.4", ["2026.05.30"], "2026.06.4"),
        ("2026.6.4", ["2026.05.30", "2026.05.03"], "2026.06.04"),
        ("2026.6.4", ["2026.5.3", "2026.05.03"], "2026.6.4"),
        ("2026.10.4", ["2026.09.03"], "2026.10.04"),
        ("2026.6.4", ["2026.10.12"], "2026.6.4"),
        ("10.1.0", ["09.01.00"], "10.01.00"),
        ("1!2.3", ["1!02.03"], "1!02.03"),
        ("1!2.3", [], "1!2.3"),
        ("1.3.0", ["1_2_0"], "1_3_0"),
        ("1.3.0", ["1.2.0", "1_1_0"], "1.3.0"),
        ("1.3.0", ["1_02_0"], "1_03_0"),
        ("1.2.0.post1", ["1.01.0"], "1.02.0.post1"),
        ("1.2.0.dev3", [], "1.2.0.dev3"),
        ("1.0rc2", [], "1.0rc2"),
        ("1.0rc2", ["1.0-rc.1"], "1.0-rc.2"),
        ("1.0rc2", ["1.0-rc1"], "1.0-rc2"),
        ("1.0rc2.dev1", ["1.0-rc.1"], "1.0-rc.2.dev1"),
        ("1.0rc2.post1", ["1.0_c1"], "1.0_c2.post1"),
        ("1.0a1", ["1.0-beta.2"], "1.0-alpha.1"),
        ("1.0b1", ["1.0-alpha.2"], "1.0-beta.1"),
        ("1.0rc1", ["1.0-alpha.2"], "1.0-rc.1"),
        ("1.0a1", ["1.0b2"], "1.0a1"),
        ("1.0a1", ["1.0-rc.2"], "1.0-a.1"),
        ("1.0rc1", ["1.0.preview.2"], "1.0.preview.1"),
        ("1.0rc1", ["1.0pre2"], "1.0pre1"),
        ("1.0b1", ["1.0BETA2"], "1.0BETA1"),
        ("1.0rc3", ["1.0", "1.0RC2"], "1.0RC3"),
        ("1.0rc3", ["version one"], "1.0rc3"),
    ],
)
def test_a_version_is_spelled_as_the_earlier_ones(version: str, earlier: list[str], expected: str) -> None:
    found = spell_like(Version(version), earlier)
    assert found == expected
    if "_" not in found:  # a version with underscores is in names of tags
        assert Version(found) == Version(version)


@pytest.mark.parametrize(
    ("version", "earlier", "expected"),
    [
        ("1.2.0", "", "1.2.0"),
        ("1.2", "", "1.2.0"),
        ("1", "", "1.0.0"),
        ("1.2.0rc1", "", "1.2.0-rc.1"),
        ("1.2.0a1", "", "1.2.0-alpha.1"),
        ("1.2.0b2", "", "1.2.0-beta.2"),
        ("1.2.0rc2", "1.2.0-rc1", "1.2.0-rc2"),
        ("1.2.0a2", "1.2.0-beta.1", "1.2.0-alpha.2"),
        ("1.2.0.dev3", "", "1.2.0-dev.3"),
        ("1.2.0.post1", "", "1.2.0-post.1"),
        ("1.2.0rc1.post2.dev3", "", "1.2.0-rc.1.post.2.dev.3"),
        ("1.2.3.4", "", None),
        ("1!1.2.0", "", None),
    ],
)
def test_a_version_in_the_form_of_semantic_versioning(version: str, earlier: str, expected: str | None) -> None:
    assert spell_as_semver(Version(version), earlier) == expected

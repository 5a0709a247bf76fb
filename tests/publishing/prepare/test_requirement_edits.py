"""Which requirements on a member follow its version, and how they are replaced."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from release.core.models.preparation import FileEdit
from release.core.set_order import SiblingRequirement
from release.publishing.prepare.requirement_edits import raised_requirement, replace_requirements


def raised(text: str, *, lockstep: bool) -> str | None:
    edge = SiblingRequirement(
        member="b", needs="a", text=text, kind="install", requirement=Requirement(text), where="pyproject.toml"
    )
    return raised_requirement(edge, Version("1.1.0"), "1.2.0", lockstep=lockstep)


@pytest.mark.parametrize(
    ("text", "alone", "lockstep"),
    [
        ("a==1.1.0", "a==1.2.0", "a==1.2.0"),
        ("a == 1.1", "a == 1.2.0", "a == 1.2.0"),
        ("a===1.1.0", "a===1.2.0", "a===1.2.0"),
        ("a[cli]==1.1.0 ; extra == 'x'", "a[cli]==1.2.0 ; extra == 'x'", "a[cli]==1.2.0 ; extra == 'x'"),
        ("a>=1.1.0", None, "a>=1.2.0"),
        ("a>=1.1.0,<2", None, "a>=1.2.0,<2"),
        ("a~=1.1.0", None, "a~=1.2.0"),
        ("a==1.1.*", None, None),  # no version
        ("a>=1.0", None, None),  # what its author means
        ("a==1.1.0.post1", None, None),
        ("a!=1.1.0", None, None),
        ("a<1.1.0", None, None),
        ("a", None, None),
        ("a @ https://example.org/a-1.1.0.tar.gz", None, None),
    ],
)
def test_what_is_raised(text: str, alone: str | None, lockstep: str | None) -> None:
    assert raised(text, lockstep=False) == alone
    assert raised(text, lockstep=True) == lockstep


def test_whole_strings_are_replaced_and_others_are_named(tmp_path: Path) -> None:
    text = 'dependencies = [\n  "a==1.1.0",  # pinned\n  \'a==1.1.0\',\n]\nother = "a==1.1.01"\n'
    (tmp_path / "pyproject.toml").write_text(text)
    version = FileEdit(path="pyproject.toml", before=text.encode(), after=b"# 1.2\n" + text.encode(), what="1.1 → 1.2")
    (edit,), findings = replace_requirements(
        tmp_path, [version], {"a==1.1.0": "a==1.2.0", "c ==1.0": "c ==2.0"}
    )  # fmt: skip
    assert edit.before == text.encode()
    assert (edit.after or b"").decode() == "# 1.2\n" + text.replace('1.1.0"', '1.2.0"').replace("1.1.0'", "1.2.0'")
    assert edit.what == "1.1 → 1.2, a==1.1.0 → a==1.2.0"
    assert [one.message for one in findings] == [
        "the requirement 'c ==1.0' is to become 'c ==2.0', but it is not a string in pyproject.toml"
    ]

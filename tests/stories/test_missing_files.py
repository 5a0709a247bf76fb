"""A release whose files are not in the checkout, large ones of Git LFS or those of a submodule, uploads nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stories.project import UserProject, files_on, indexes, make, release_table

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'8e' * 32}\nsize 48605698\n"


def with_pointer(project: UserProject) -> None:
    project.write("acme_widget/model.bin", POINTER)


def with_submodule(project: UserProject) -> None:
    library = UserProject(root=project.root.parent / "library", home=project.home)
    library.write("data.json", "{}")
    library.commit()
    project.commit()
    allow = ("-c", "protocol.file.allow=always")
    project.git(*allow, "submodule", "--quiet", "add", library.root.as_uri(), "acme_widget/data")
    project.git("commit", "--quiet", "--message=data")
    project.git("submodule", "--quiet", "deinit", "acme_widget/data")


REASON = "the data is fetched at run time"
BROKEN = {
    "no-git-lfs-pointer-is-shipped": (with_pointer, "git lfs install && git lfs pull"),
    "the-submodules-are-checked-out": (with_submodule, "git submodule update --init --recursive"),
}


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("check", BROKEN)
def test_nothing_is_uploaded_until_it_is_fetched_or_waived(tmp_path: Path, check: str) -> None:
    change, remedy = BROKEN[check]
    project = make(tmp_path)
    pyproject = (project.root / "pyproject.toml").read_text()
    with indexes() as on:
        project.credentials(on)
        project.write(".gitignore", ".release/\n")
        project.write("pyproject.toml", pyproject + release_table(on))
        change(project)
        project.commit() if change is with_pointer else project.git("status")
        if change is with_submodule:
            project.git("add", "-A")
            project.git("commit", "--quiet", "--allow-empty", "--message=x")
        told = project.run("release", "--yes", "--new-project", "acme-widget")
        assert told.status == 1, told.all
        assert remedy in told.all
        assert check in told.all
        assert files_on(on.testpypi) == files_on(on.pypi) == {}
        rehearsed = project.run("rehearse")
        assert rehearsed.status == 1
        assert remedy in rehearsed.all

        waived = f'[tool.release.waive]\n{check} = "{REASON}"\n'
        project.write("pyproject.toml", pyproject + waived + release_table(on))
        project.git("commit", "--quiet", "-a", "--message=waive")
        told = project.run("release", "--yes", "--new-project", "acme-widget")
        assert told.status == 0, told.all
        assert len(files_on(on.pypi)) == 2
        (record,) = (path for path in (project.root / ".release").rglob("record.json") if path.parent.name == "1.0")
        run = json.loads(record.read_text())["runs"][-1]
        assert {"check": check, "reason": REASON, "used": True} in run["waivers"]

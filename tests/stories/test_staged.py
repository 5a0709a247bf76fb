"""A release that is staged: installed from its preview before anything is public."""

from __future__ import annotations

from pathlib import Path

from tests.stories.project import UserProject, files_on, indexes, release_table
from tests.uploads import release

PUBLISH = ("publish", "--yes", "--config", "preflight.toml", "--files", "wheelhouse")
_FAILING = "[tool.release.smoke]\ncommands = [\"python -c 'raise SystemExit(3)'\"]\n"


def test_what_does_not_work_is_discarded_and_the_repaired_release_is_published(tmp_path: Path) -> None:
    with indexes(staged=True) as on:
        machine = UserProject(root=tmp_path / "elsewhere", home=tmp_path / "home")
        machine.root.mkdir()
        machine.home.mkdir()
        machine.credentials(on)
        release(machine.root / "wheelhouse", 2)
        table = release_table(on) + f'stages-url = "{on.pypi.stages_url}"\n'
        machine.write("preflight.toml", table + _FAILING)
        refused = machine.run(*PUBLISH)
        assert refused.status == 1, refused.all
        assert "status 3" in refused.out
        assert files_on(on.pypi) == {}

        machine.write("preflight.toml", table)
        done = machine.run(*PUBLISH, "-v")
        assert done.status == 0, done.all
        assert set(files_on(on.pypi)) == {path.name for path in (machine.root / "wheelhouse").iterdir()}
        assert "pypi (stage)" in done.out
        status = machine.run("status")
        assert "  pypi: 2 files accepted, confirmed" in status.out.splitlines()

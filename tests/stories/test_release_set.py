"""Sets of several kinds, released and refused, with real builds and two indexes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.sandbox.seed import DEFAULT_USER, ApiToken, SeedData
from tests.stories.project import Indexes, Told, UserProject, files_on, indexes, posts, release_table
from tests.stories.workspace import DIAMOND, Project, commit_all, seed_for, workspace, write_project

OWN_TAGS = '[tool.release]\ntag-format = "{name}-v{version}"\n'
A, B, C, D = (Project(name=f"acme-{one}", more=OWN_TAGS) for one in "abcd")


@dataclass(kw_only=True)
class Released:
    """A set, and the indexes that it is released to."""

    project: UserProject
    on: Indexes

    def run(self, *words: str) -> Told:
        return self.project.run("set", *words)

    def change(self, *projects: Project) -> None:
        for one in projects:
            write_project(self.project, one)
        commit_all(self.project, "change")

    def sent(self) -> tuple[int, int]:
        return len(posts(self.on.testpypi)), len(posts(self.on.pypi))

    def refused(self, *texts: str, words: Sequence[str] = ("release", "--yes"), status: int = 1) -> Told:
        """The command is refused with these words, and sends nothing."""
        before = self.sent()
        told = self.run(*words)
        assert told.status == status, told.all
        for text in texts:
            assert text in told.all, told.all
        assert self.sent() == before
        return told

    def released(self, *words: str) -> Told:
        """Both indexes have the same files of each member that is to be released, each sent once."""
        names = [one["name"] for one in self.run("list", "--json").data["members"] if one["state"] == "release"]
        assert names
        before = self.sent()
        told = self.run("release", "--yes", "--quiet", *words)
        assert told.status == 0, told.all
        for name in names:
            assert files_on(self.on.pypi, name) == files_on(self.on.testpypi, name) != {}, name
        assert self.sent() == tuple(one + 2 * len(names) for one in before)
        again = self.run("release", "--yes", "--quiet", *words)
        assert (again.status, again.out.startswith("nothing to do: ")) == (0, True), again.all
        assert self.sent() == tuple(one + 2 * len(names) for one in before)
        return told

    def levels(self) -> list[list[str]]:
        found: list[list[str]] = self.run("list", "--json").data["levels"]
        return found


@contextmanager
def a_set(
    tmp_path: Path, *projects: Project, root: str = "", seed: SeedData | None = None, more: Sequence[str] = ()
) -> Iterator[Released]:
    """Projects that exist on both indexes, with those in `more`, unless `seed` has others."""
    seed = seed or seed_for([*(one.name for one in projects), *more], exist=True)
    with indexes(test=seed, real=seed) as on:
        made = workspace(tmp_path, projects, on, root=root)
        made.credentials(on)
        made.env |= {"GIT_AUTHOR_NAME": "A", "GIT_COMMITTER_NAME": "A", "EMAIL": "a@example.org"}
        yield Released(project=made, on=on)


# -- refused before anything is built --------------------------------------------------------------


def test_a_set_that_contradicts_itself_is_refused_before_it_is_built(tmp_path: Path) -> None:
    """A circle, a requirement that cannot be met, a private member that is needed, versions out of step."""
    private = Project(name="acme-p", classifiers=["Private :: Do Not Upload"])
    with a_set(tmp_path, A, replace(B, requires=["acme-a>=1"]), C, private, root="lockstep = true") as found:
        found.project.env["PYTHONIOENCODING"] = "ascii"
        found.change(replace(A, requires=["acme-c"]), replace(C, build_requires=["acme-b"]))
        told = found.refused(
            "acme-a -> acme-c -> acme-b -> acme-a",
            "acme-c needs 'acme-b' to build (packages/acme-c/pyproject.toml)",
            "-> remove one of these requirements, or make it one of an extra",
            status=2,
        )
        assert "Traceback" not in told.all
        found.change(replace(A, version="1.9"), replace(B, version="1.9", requires=["acme-a>=2"]), C)
        told = found.refused(
            "acme-b needs 'acme-a>=2', but this set releases acme-a 1.9",
            "set a version of acme-a that is >=2, or change the requirement of acme-b (packages/acme-b/pyproject.toml)",
            "set the version of acme-c to 1.9, or remove lockstep from [tool.release.set]",
            "pypi: no member begun", "next: pypi-preflight set release\n",
        )  # fmt: skip
        assert not list(found.project.root.glob("packages/*/.release")), "no member was begun"
        found.change(A, replace(B, requires=["acme-p"]))
        document = found.refused(words=("check", "--json")).data
        assert document["exit"]["message"].startswith("acme-b needs 'acme-p', but acme-p is private: classifier")


def test_a_member_that_the_rules_refuse_or_that_forgets_a_requirement_stops_all(tmp_path: Path) -> None:
    """The whole gate is passed before the first request to an address for uploads that is no probe."""
    bad = replace(B, requires=["acme-a"], classifiers=["Topic :: Nonsense"])
    with a_set(tmp_path, A, bad, replace(C, module="import acme_a\n")) as found:
        found.refused(
            "FAIL   acme-b: ", "'Topic :: Nonsense' is not a valid classifier",
            "[the-index-takes-the-metadata, meta.classifier-invalid]",
            "FAIL   acme-c: sandbox: 'import acme_c' fails ",
            "add 'acme-a', the project of this repository that has 'acme_a', to dependencies",
            "testpypi: no member begun", "pypi: no member begun",
        )  # fmt: skip


# -- released ----------------------------------------------------------------------------------------


def test_a_chain_of_build_requirements_with_extras_and_markers_is_released(tmp_path: Path) -> None:
    """Each build imports the member before; an extra of one needs the first; one marker never holds."""
    build = "import acme_a\nassert acme_a.version == '2.0rc1'\n"
    chain = (
        replace(A, version="2.0rc1"),
        replace(B, version="2.0rc1", build_requires=["acme-a==2.0rc1"], before_build=build,
                requires=["acme-a; python_version < '3'"], module="version = 1\n",
                extras={"fast": ["acme-a>=2.0rc1"]}),
        replace(C, version="2.0rc1", requires=["acme-b[fast]"], module="import acme_a, acme_b\n"),
    )  # fmt: skip
    with a_set(tmp_path, *chain, root="lockstep = true") as found:
        assert found.levels() == [["acme-a"], ["acme-b"], ["acme-c"]]
        found.released()


@pytest.mark.slow
def test_a_diamond_of_five_is_released_by_invoke_and_rehearsed_by_nox(tmp_path: Path) -> None:
    with a_set(tmp_path, *DIAMOND) as found:
        project = found.project
        project.write("noxfile.py", "from pypi_preflight import sessions\nsessions.register()\n")
        project.write("tasks.py", "from pypi_preflight import tasks\nnamespace = tasks.collection()\n")
        project.write(".gitignore", ".nox/\n__pycache__/\n")
        project.env["PYTHONPATH"] = ""
        commit_all(project, "sessions")
        core, *middle = found.levels()
        assert [core, *middle] == [["acme-core"], ["acme-db", "acme-http"], ["acme-app"], ["acme-extra"]]
        told = project.command(sys.executable, "-m", "nox", "-s", "set-rehearse", timeout=500)
        assert told.status == 0, told.all
        assert "5 members were rehearsed in 4 levels" in told.all
        told = project.command(sys.executable, "-m", "invoke", "release-set", "--yes", timeout=500)
        assert told.status == 0, told.all
        assert "5 members are on testpypi and pypi, confirmed" in told.out
        assert found.sent() == (10, 10)
        assert found.run("list").out.startswith("5 members: none to release to testpypi and pypi\n")
        assert found.run("status").out.count("testpypi: confirmed; pypi: confirmed") == len(DIAMOND)


@pytest.mark.slow
def test_four_members_that_build_with_each_other_are_released(tmp_path: Path) -> None:
    def built_with(project: Project, other: Project) -> Project:
        module = other.name.replace("-", "_")
        checks = f"import {module}\nassert {module}.version == '1.0'\n"
        return replace(project, build_requires=[f"{other.name}==1.0"], before_build=checks)

    with a_set(tmp_path, A, built_with(B, A), built_with(C, B), built_with(D, C)) as found:
        assert found.levels() == [["acme-a"], ["acme-b"], ["acme-c"], ["acme-d"]]
        assert found.run("rehearse").status == 0
        found.released()


@pytest.mark.slow
def test_a_namespace_package_in_three_finds_the_part_that_is_not_required(tmp_path: Path) -> None:
    core = Project(name="space-core", module="version = 1\n", more=OWN_TAGS)
    http = Project(name="space-http", module="import space.core\n", requires=["space-core"], more=OWN_TAGS)
    app = Project(name="space-app", module="import space.http\n", requires=["space-core"], more=OWN_TAGS)

    def split(*projects: Project) -> None:
        for one in projects:
            source = found.project.root / "packages" / one.name / "src"
            shutil.rmtree(source / "space", ignore_errors=True)
            (source / "space").mkdir()
            (source / one.name.replace("-", "_")).rename(source / "space" / one.name.removeprefix("space-"))
        commit_all(found.project, "split")

    with a_set(tmp_path, core, http, app) as found:
        split(core, http, app)
        found.refused("add 'space-http', the project of this repository that has 'space.http', to dependencies")
        required = replace(app, requires=["space-core", "space-http"])
        write_project(found.project, required)
        split(required)
        assert found.levels() == [["space-core"], ["space-http"], ["space-app"]]
        found.released()


@pytest.mark.slow
def test_a_member_can_need_an_older_release_of_another_one(tmp_path: Path) -> None:
    """Also one whose sibling does, and next to one that needs the new release."""
    older, newer = replace(B, requires=["acme-a<2"]), replace(D, requires=["acme-a>=2"])
    with a_set(tmp_path, replace(A, version="1.5"), older, replace(C, requires=["acme-b"]), newer) as found:
        told = found.run("release", "--yes", "--only", "acme-a")
        assert told.status == 0, told.all
        found.change(replace(A, version="2.0"))
        found.released()


@pytest.mark.slow
def test_the_root_can_be_a_member_of_a_workspace_of_uv(tmp_path: Path) -> None:
    """Without a table of its own; projects that are new are named before the first one is created."""
    with a_set(tmp_path, A, replace(B, requires=["acme-a"])) as found:
        project = found.project
        root = Project(name="acme-root", requires=["acme-b"])
        write_project(project, root)
        for name in ("backend.py", "README.md", "pyproject.toml", "src"):
            (project.root / name).unlink(missing_ok=True)
            (project.root / "packages/acme-root" / name).rename(project.root / name)
        (project.root / "packages/acme-root").rmdir()
        text = (project.root / "pyproject.toml").read_text()
        project.write(
            "pyproject.toml",
            f'{text}\n[tool.uv.workspace]\nmembers = ["packages/*"]\n{OWN_TAGS}{release_table(found.on)}',
        )
        commit_all(project, "root")
        assert found.levels() == [["acme-a"], ["acme-b"], ["acme-root"]]
        found.refused("would create on pypi the project 'acme-root'", "→ to create it, pass --new-project acme-root")
        found.released("--new-project", "acme-root")


@pytest.mark.slow
def test_files_of_a_set_are_uploaded_level_by_level_on_machines_of_their_own(tmp_path: Path) -> None:
    with a_set(tmp_path, *DIAMOND[:3]) as found:
        project = found.project
        project.write(".gitignore", "dist/\n")
        commit_all(project, "ignore")
        for one in DIAMOND[:3]:
            project.command(
                sys.executable, "-m", "build", "--no-isolation", f"packages/{one.name}", "-o", f"dist/{one.name}"
            )  # fmt: skip
        words = ("release", "--files", "dist", "--yes", "--only")
        told = found.run("rehearse", "--files", "dist")
        assert (told.status, found.sent()) == (0, (0, 0)), told.all
        found.refused(
            "acme-http needs 'acme-core>=1', but testpypi has no acme-core",
            words=(*words, "acme-http", "--index", "testpypi"),
        )
        for name, sent in (("acme-core", 2), ("acme-http", 4), ("acme-http", 4)):
            told = found.run(*words, name, "--index", "testpypi")
            assert (told.status, found.sent()) == (0, (sent, 0)), told.all
        told = found.run("release", "--files", "dist", "--yes")
        assert (told.status, found.sent()) == (0, (6, 6)), told.all


# -- what the indexes, and their credentials, have to do with it -------------------------------------


def test_new_projects_are_counted_and_agreed_to_before_anything_is_built(tmp_path: Path) -> None:
    new = [Project(name=f"acme-n{number}") for number in range(6)]
    with a_set(tmp_path, *new, seed=SeedData()) as found:
        found.refused(
            "the set creates 6 projects on pypi, which accepts only 4 more now",
            "release the new projects on 2 days; the first ones: --only acme-n0 acme-n1 acme-n2 acme-n3",
        )
        told = found.refused(
            "--new-project acme-n0 acme-n1", words=("release", "--yes", "--only", "acme-n0", "acme-n1")
        )
        assert "gate\n" not in told.out, "nothing is built before"


def test_one_member_without_a_credential_for_one_index_stops_all(tmp_path: Path) -> None:
    seed = seed_for(["acme-a", "acme-b"], exist=True)
    only_a = ApiToken(name="only-a", user=DEFAULT_USER, projects=("acme-a",))
    with a_set(tmp_path, A, B, seed=replace(seed, tokens=(*seed.tokens, only_a))) as found:
        on = found.on
        tokens = {"testpypi": on.testpypi.tokens["account"].reveal(), "pypi": on.pypi.tokens["only-a"].reveal()}
        found.project.credentials(on, tokens=tokens)
        told = found.refused(
            "[pypi] password is for 'acme-a', not for 'acme-b'", "✓ acme-a 1.0", words=("release", "--yes", "-v")
        )
        assert "gate\n" not in told.out


@pytest.mark.slow
def test_a_member_that_was_released_by_hand_in_between_with_other_bytes_stops_all(tmp_path: Path) -> None:
    with a_set(tmp_path, A, replace(B, requires=["acme-a"])) as found:
        project = found.project
        project.write(".gitignore", "dist/\n")
        project.write("packages/acme-a/src/acme_a/__init__.py", "version = 'other'\n")
        build = (sys.executable, "-m", "build", "--no-isolation", "packages/acme-a", "-o", "dist")
        assert project.command(*build).status == 0
        project.git("checkout", "-q", "packages")
        commit_all(project, "ignore")
        told = project.run("publish", "--yes", "--index", "testpypi", "--files", "dist")
        assert told.status == 0, told.all
        found.refused("testpypi has 'acme_a-1.0.tar.gz' with different content", "bump the version")
        # one file of it on PyPI counts as a release there: the index shows no more
        told = project.run("publish", "--yes", "--dry-run-on", "none", "--files", *wheels(project))
        assert told.status == 0, told.all
        told = found.run("release", "--yes")
        assert told.status == 0, told.all
        assert [len(files_on(found.on.pypi, name)) for name in ("acme-a", "acme-b")] == [1, 2]


def wheels(project: UserProject) -> list[str]:
    return [str(one) for one in project.root.glob("dist/*.whl")]

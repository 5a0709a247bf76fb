"""`inspect`: a verdict on files, without a project, a configuration or a network; with an index, what that has."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from release.reports.inspection_report import tree_lines
from release.sandbox import server
from release.sandbox.seed import seed_for_project
from tests import fake_tokens, sample_distributions
from tests.acceptance.making import SDIST, WHEEL, metadata, sdist, wheel, wheel_members, zipped
from tests.sandbox.sandbox_client import SandboxClient
from tests.stories.project import Told, UserProject, indexes, make, release_table

README = "# Widget\n\nIt *widgets* in [many ways](https://a.example).\n"
GOOD = metadata(
    body=README,
    Summary="A widget.",
    Author_email="Ann <ann@acme.org>",
    License_Expression="MIT",
    Requires_Python=">=3.9",
    Project_URL=["Source, https://acme.org/widget", "Docs, https://acme.org/docs"],
    Classifier=["Topic :: Utilities", "Programming Language :: Python :: 3"],
    Requires_Dist=[f"dependency{n}" for n in range(20)],
    Description_Content_Type="text/markdown",
)


@pytest.fixture
def place(tmp_path: Path) -> UserProject:
    """An empty directory, and a home."""
    place = UserProject(root=tmp_path / "here", home=tmp_path / "home")
    place.root.mkdir()
    place.home.mkdir()
    # an index that was asked without need would not answer
    place.env = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:1")
    return place


def look(place: UserProject, files: dict[str, bytes], *words: str) -> Told:
    for name, content in files.items():
        (place.root / name).write_bytes(content)
    return place.run("inspect", *words, *files)


def test_good_files_are_accepted_and_shown(place: UserProject) -> None:
    """A verdict each, the contents as a tree, and once, since both have it, the project's page in words."""
    brief = look(place, {WHEEL: wheel(GOOD), SDIST: sdist(GOOD)})
    assert (brief.status, len(brief.out.splitlines())) == (0, 3), brief.all
    assert brief.out.endswith("\n2 files would be accepted\n")
    told = look(place, {WHEEL: wheel(GOOD), SDIST: sdist(GOOD)}, "--verbose")
    assert told.status == 0, told.all
    assert told.err == ""
    lines = [line.rstrip() for line in told.out.splitlines()]
    assert [line.split()[:2] for line in lines if line.startswith(("accept", "REFUSE"))] == [
        ["accept", WHEEL],
        ["accept", SDIST],
    ]
    assert told.out.count("on the project's page:") == 1
    for words in (
        "acme-widget 1.0", "A widget.", "author          Ann <ann@acme.org>", "license         MIT",
        "requires python >=3.9", "links           Source: https://acme.org/widget",
        "classifiers     Topic :: Utilities", "requires        dependency0", "… and 8 more",
        "Widget", "It widgets in many ways.",
    ):  # fmt: skip
        assert f"    {words}" in told.out or f" {words}" in told.out, words
    assert any("acme_widget.py" in line and line.endswith("12 bytes") for line in lines)
    assert "\x1b" not in told.out


def test_the_document_has_its_shape(place: UserProject) -> None:
    """Schema 1, and the exit status says the same."""
    told = look(place, {WHEEL: wheel(GOOD), "acme-widget-1.0.tar.gz": sdist()}, "--json")
    assert told.status == 1
    assert list(told.data) == ["schema", "server", "installed", "files", "release"]
    assert [list(one) for one in told.data["files"]] == [["file", "sha256", "size", "verdict", "findings"]] * 2
    assert [one["verdict"] for one in told.data["files"]] == ["accept", "refuse"]
    (finding,) = told.data["files"][1]["findings"]
    assert finding["server_text"] == (
        "Filename 'acme-widget-1.0.tar.gz' is invalid, should be 'acme_widget-1.0.tar.gz'."
    )
    assert list(finding) == ["check", "severity", "message", "remedy", "where", "server_text", "source"]
    assert told.data["release"][0]["check"] == "wheels-and-sdist-say-the-same"


@pytest.mark.parametrize("words", [["."], ["nothing.whl"], ["--index", "nowhere", WHEEL], []])
def test_what_can_not_be_looked_at_is_usage(place: UserProject, words: list[str]) -> None:
    """A directory, a missing file, an index that nobody named, no file."""
    (place.root / WHEEL).write_bytes(wheel())
    told = place.run("inspect", *words)
    assert told.status == 2
    assert "Traceback" not in told.all


def test_a_token_in_a_file_is_red_though_the_index_would_take_it(place: UserProject) -> None:
    """The verdict on the file is the index's; the leak is a finding about the set, and never shows the secret."""
    token = fake_tokens.token()
    told = look(place, {WHEEL: zipped(wheel_members(GOOD) | {"acme/config.py": f"T = {token!r}\n".encode()})}, "--json")
    assert told.status == 1
    assert told.data["files"][0]["verdict"] == "accept"
    (finding,) = told.data["release"]
    assert (finding["check"], finding["severity"], finding["where"]) == ("no-token-of-an-index-leaks", "block", WHEEL)
    assert "acme/config.py:1" in finding["message"]
    assert "exclude it from the build" in finding["remedy"]
    assert token[5:] not in told.all
    assert token[5:] not in look(place, {}, WHEEL).all


def test_an_index_is_asked_what_it_has(place: UserProject) -> None:
    """The configuration's index is asked, and what is there decides; one that does not answer is not green."""
    place.env = {}
    with server.start_sandbox(seed_for_project("acme-widget")) as index:
        place.write(
            "pyproject.toml",
            f'[tool.release.indexes.ours]\nupload-url = "{index.upload_url}"\nsimple-url = "{index.simple_url}"\n'
            'kind = "warehouse"\n',
        )
        assert look(place, {WHEEL: wheel(GOOD)}, "--index", "ours").status == 0
        assert SandboxClient(sandbox=index).upload(content=wheel(GOOD)).line == "200 OK"
        assert look(place, {WHEEL: wheel(GOOD)}, "--index", "ours").status == 0
        told = look(place, {WHEEL: wheel()}, "--index", "ours")
        assert told.status == 1
        assert f"file already exists ('{WHEEL}'" in told.out
        assert look(place, {WHEEL: wheel()}).status == 0
        assert "it does not show" in look(place, {WHEEL: wheel(GOOD)}, "--index", "ours").out
    told = look(place, {WHEEL: wheel(GOOD)}, "--index", "ours", "--json")
    assert told.status == 1
    assert told.data["files"][0]["findings"][0]["check"] == "the-files-are-new-to-the-index"


def test_the_tree_is_bounded_and_nothing_in_it_commands_the_terminal(place: UserProject) -> None:
    """Thousands of members fit a screen; a name with an escape sequence is shown, not obeyed."""
    many = {f"acme_widget/part{n % 90}/module{n}.py": b"x = 1\n" for n in range(4000)}
    told = look(place, {WHEEL: zipped(many | wheel_members(GOOD) | {"\x1b[2Jx.py": b""})}, "-v")
    assert told.status == 1
    assert "\x1b" not in told.out
    assert r"\x1b[2Jx.py" in told.out
    assert len(told.out.splitlines()) < 120
    assert len(list(tree_lines([(f"dir{n}/file", 1) for n in range(500)]))) < 50


def test_quiet_says_only_what_is_red(place: UserProject) -> None:
    assert look(place, {WHEEL: wheel(GOOD)}, "--quiet").out == ""
    told = look(place, {WHEEL: zipped({"a": b""}, zipfile.ZIP_STORED)}, "--quiet")
    assert told.status == 1
    assert told.out.startswith("REFUSE")
    *_, cause, remedy = told.out.splitlines()
    assert f"{WHEEL}: " in cause
    assert remedy.startswith("→ ")


def test_a_release_that_lost_its_data_is_noticed_on_the_road(tmp_path: Path) -> None:
    """The files are compared with the last release on the index, fetched once; a warning stops nothing by default."""
    with indexes() as on:
        before = sample_distributions.wheel(version="0.9", files={"acme_widget/data.bin": b"x" * 5000})
        assert SandboxClient(sandbox=on.pypi).upload(version="0.9", content=before).line == "200 OK"
        project = make(tmp_path, more=release_table(on), tiny=True)
        project.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
        project.credentials(on)
        project.commit()
        told = project.run("publish", "--yes", "--dry-run-on", "none", "--json")
        assert told.status == 0, told.all
        checks = {one["check"]: one for one in told.data["checks"]}
        assert checks["no-file-vanished-or-shrank"]["state"] == "warned"
        assert "'acme_widget/data.bin'" in checks["no-file-vanished-or-shrank"]["findings"][0]["message"]

"""A release on GitHub: a draft, the files by hash, and only then a release; the token goes to its own hosts alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from release.adapters.builds import builder
from release.adapters.github import releases
from release.adapters.github.releases import GitHubRelease, ReleaseRequest
from release.adapters.system import system
from release.adapters.system.process import Completed
from release.core.errors import ToolError
from release.core.secret import Secret
from tests.adapters.github_api import GitHub, running


def wanted(tmp_path: Path, version: str = "1.0") -> ReleaseRequest:
    files = []
    for name in (f"acme-{version}-py3-none-any.whl", f"acme-{version}.tar.gz"):
        (tmp_path / name).write_text(name)
        files.append(builder.load_distribution(tmp_path / name))
    return ReleaseRequest(
        repository="acme/widget", tag=f"v{version}", title=f"acme {version}", body="hashes",
        prerelease="rc" in version, files=tuple(files),
    )  # fmt: skip


def publish(hub: GitHub, release: ReleaseRequest, token: str | None = None) -> GitHubRelease:
    real = system.real_system()
    here = system.System(
        env={**real.env, "GITHUB_API_URL": hub.url}, home=real.home, now=real.now, sleep=real.sleep, run=real.run
    )
    return releases.publish_release(here, Secret(token or hub.token), release)


def test_it_is_a_draft_until_every_file_is_there(tmp_path: Path) -> None:
    with running() as hub:
        address = "https://github.invalid/acme/widget/releases/v1.0"
        assert publish(hub, wanted(tmp_path)) == GitHubRelease(url=address, changed=True)
        (made,) = hub.releases
        assert (made["draft"], made["prerelease"], made["name"]) == (False, False, "acme 1.0")
        assert [asset["name"] for asset in made["assets"]] == [file.filename for file in wanted(tmp_path).files]
        writes = [one for one in hub.seen if not one.startswith("GET")]
        assert [one.split()[0] for one in writes] == ["POST", "POST", "POST", "PATCH"]
        assert publish(hub, wanted(tmp_path)) == GitHubRelease(url=address, changed=False)
        assert [one for one in hub.seen if not one.startswith("GET")] == writes


def test_what_broke_off_is_gone_on_with(tmp_path: Path) -> None:
    with running(broken={"acme-1.0.tar.gz"}) as hub:
        with pytest.raises(ToolError, match="500 'try again'"):
            publish(hub, wanted(tmp_path))
        assert [one["draft"] for one in hub.releases] == [True]
        hub.broken.clear()
        assert publish(hub, wanted(tmp_path)).changed
        assert [(one["draft"], len(one["assets"])) for one in hub.releases] == [(False, 2)]


def test_a_prerelease_is_called_one(tmp_path: Path) -> None:
    with running() as hub:
        publish(hub, wanted(tmp_path, "1.0rc1"))
        assert hub.releases[0]["prerelease"] is True


def test_a_file_with_other_bytes_is_never_replaced(tmp_path: Path) -> None:
    with running() as hub:
        publish(hub, wanted(tmp_path))
        hub.releases[0]["assets"][0]["digest"] = f"sha256:{'0' * 64}"
        with pytest.raises(ToolError, match="has another file"):
            publish(hub, wanted(tmp_path))


def test_a_refusal_is_told_in_githubs_words_and_without_the_token(tmp_path: Path) -> None:
    with running() as hub, pytest.raises(ToolError, match="401 'Bad credentials'") as caught:
        publish(hub, wanted(tmp_path), token="x" * 30)
    assert "contents: write" in caught.value.remedy
    assert "xxx" not in str(caught.value) + caught.value.remedy


def test_the_token_goes_to_githubs_own_hosts_alone(tmp_path: Path) -> None:
    with running() as other, running(uploads=other.url.replace("127.0.0.1", "localhost")) as hub:
        with pytest.raises(ToolError, match="not a host of GitHub"):
            publish(hub, wanted(tmp_path))
        assert other.seen == []


@pytest.mark.parametrize(
    ("env", "url", "expected"),
    [
        ({}, "https://github.com/acme/widget.git", "acme/widget"),
        ({}, "https://github.com/acme/widget", "acme/widget"),
        ({}, "git@github.com:acme/widget.git", "acme/widget"),
        ({}, "ssh://git@github.com/acme/widget", "acme/widget"),
        ({}, "https://gitlab.example/acme/widget.git", None),
        ({}, "/srv/git/widget.git", None),
        ({}, None, None),
        ({"GITHUB_SERVER_URL": "https://git.example"}, "git@git.example:acme/widget.git", "acme/widget"),
        ({"GITHUB_REPOSITORY": "acme/other"}, None, "acme/other"),
    ],
)
def test_which_repository_a_remote_is(env: Mapping[str, str], url: str | None, expected: str | None) -> None:
    assert releases.github_repository(env, url) == expected


def test_where_the_token_comes_from() -> None:
    real = system.real_system()

    def asked(env: dict[str, str], answer: str, status: int = 0) -> str | None:
        def run(argv: Any, **_: Any) -> Any:
            assert argv[:3] == ["gh", "auth", "token"]
            return Completed(status=status, output=answer)

        here = system.System(env=env, home=real.home, now=real.now, sleep=real.sleep, run=run)
        found = releases.find_github_token(here)
        return found.reveal() if found else None

    assert asked({"GH_TOKEN": "a", "GITHUB_TOKEN": "b"}, "c\n") == "a"
    assert asked({"GITHUB_TOKEN": "b"}, "c\n") == "b"
    assert asked({}, "c\n") == "c"
    assert asked({}, "", status=1) is None

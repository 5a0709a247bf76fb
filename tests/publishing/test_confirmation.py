"""The request of `confirm`, whose waivers count, and how a confirmation ends."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from release.core.config import Config, SmokeTestSettings
from release.core.errors import ConfigError, Exit, UsageError
from release.core.events import CheckFinished, Event, Message, StepFinished, StepStarted
from release.core.facts import BuiltFile, ProjectMetadata, PublishedRelease
from release.core.models.index import IndexFile
from release.publishing import confirmation, remote_release
from release.publishing.confirmation import ConfirmationRequest
from tests.fake_system import LASTING, NOON, PROJECT, WHEEL, fake_system

FILE = {"filename": WHEEL, "size": 3, "sha256": "a" * 64}
RECORD = {"project": "acme-widget", "version": "1.0", "files": [FILE]}


def record(directory: Path, data: object = RECORD) -> Path:
    path = directory / "record.json"
    path.write_text(json.dumps(data))
    return path


def test_a_release_by_name_and_version() -> None:
    found = confirmation.parse_request(" acme.Widget == 1.0 ", None)
    assert found == ConfirmationRequest(project=ProjectMetadata(name="acme.Widget", version="1.0"))


def test_a_release_by_its_record(tmp_path: Path) -> None:
    path = record(tmp_path)
    found = confirmation.parse_request(None, path)
    assert (found.project, found.record) == (PROJECT, str(path))
    assert found.recorded is not None
    assert found.recorded.files[0].sha256 == "a" * 64
    spelled = confirmation.parse_request("Acme_Widget==1.0.0", path)
    assert (spelled.project.name, spelled.recorded) == ("Acme_Widget", found.recorded), "another spelling, same release"


@pytest.mark.parametrize("other", ["acme-widget==1.1", "acme-gadget==1.0"])
def test_a_record_of_another_release_is_a_contradiction(tmp_path: Path, other: str) -> None:
    with pytest.raises(UsageError, match=r"the record is about 'acme-widget==1\.0', not") as wrong:
        confirmation.parse_request(other, record(tmp_path))
    assert wrong.value.remedy == "pass only one of them"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("acme-widget", "is not a release"),
        ("", "is not a release"),
        ("==1.0", "is not a release"),
        ("-acme==1.0", "is not a release"),
        ("acme widget==1.0", "is not a release"),
        ("acme-widget==", "is not a version"),
        ("acme-widget==1.*", "is not a version"),
        ("acme-widget==>=1", "is not a version"),
    ],
)
def test_what_is_no_release(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as wrong:
        confirmation.parse_request(text, None)
    assert "acme-widget==1.0" in wrong.value.remedy


def test_a_record_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        confirmation.parse_request(None, tmp_path / "absent.json")
    (tmp_path / "utf-16.json").write_bytes("{}".encode("utf-16") + b"\xff")
    with pytest.raises(UsageError, match=r"cannot read|is not the record"):
        confirmation.parse_request(None, tmp_path / "utf-16.json")
    with pytest.raises(UsageError, match="is not the record of a release"):
        confirmation.parse_request(None, record(tmp_path, {"project": "acme-widget"}))


def configured(directory: Path, name: str, extra: str = "") -> Path:
    path = directory / "pyproject.toml"
    path.write_text(f'[project]\nname = "{name}"\n[tool.release]\nbranch = "main"\n{extra}')
    return path


def test_the_waivers_of_another_project_do_not_count(tmp_path: Path) -> None:
    configured(tmp_path, "acme.widget")
    assert confirmation.config_for(tmp_path, None, "Acme-Widget").branch == "main"
    assert confirmation.config_for(tmp_path, None, "acme-gadget") == Config()
    assert confirmation.config_for(tmp_path / "empty", None, "acme-widget") == Config()


def test_a_broken_configuration_matters_only_where_it_was_asked_for(tmp_path: Path) -> None:
    path = configured(tmp_path, "acme-widget", "no-such-key = 1\n")
    assert confirmation.config_for(tmp_path, None, "acme-widget") == Config()
    with pytest.raises(ConfigError, match="no-such-key"):
        confirmation.config_for(tmp_path, path, "acme-widget")
    good = configured(tmp_path, "acme-gadget")
    assert confirmation.config_for(tmp_path, good, "acme-widget").branch == "main"


def confirmed(
    monkeypatch: pytest.MonkeyPatch, release: PublishedRelease, waive: Mapping[str, str] | None = None
) -> Any:
    told: list[Event] = []
    scratch: list[Path] = []

    def fetch(*_: object, **options: Any) -> PublishedRelease:
        scratch.append(options["scratch"])
        assert options["scratch"].is_dir()
        return release

    monkeypatch.setattr(remote_release, "fetch_release", fetch)
    found = confirmation.confirm_release(
        fake_system(), LASTING, ConfirmationRequest(project=PROJECT, record="r"), config=Config(waive=waive or {}),
        notify=told.append,
    )  # fmt: skip
    assert not scratch[0].exists(), "what was fetched is removed"
    return found, told


def test_a_quarantined_project_is_refused_unless_that_is_waived(monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = hashlib.sha256(b"wheel").hexdigest()
    listed = IndexFile(filename=WHEEL, url="http://127.0.0.1:9/w", sha256=sha256, upload_time=NOON)
    fetched = BuiltFile(filename=WHEEL, size=5, sha256=sha256, open=lambda: io.BytesIO(b"wheel"))
    release = PublishedRelease(
        index=LASTING, project=PROJECT, status="quarantined", files=(listed,), fetched={WHEEL: fetched}
    )
    found, told = confirmed(monkeypatch, release)
    assert (found.exit, found.record) == (Exit.REFUSED, "r")
    assert isinstance(told[0], StepStarted)
    ended = [one for one in told if isinstance(one, StepFinished)]
    assert [(one.status, one.title) for one in ended] == [("refused", "confirm acme-widget 1.0 on acme")]
    assert told[-1] is ended[0]
    checks = [one.outcome for one in told if isinstance(one, CheckFinished)]
    assert tuple(checks) == found.outcomes
    blocking = [one.check for one in checks if one.state.blocks]
    waived, told = confirmed(monkeypatch, release, dict.fromkeys(blocking, "known"))
    assert waived.exit is Exit.DONE
    assert [one.status for one in told if isinstance(one, StepFinished)] == ["done"]


def test_the_files_are_installed_from_where_they_were_fetched_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the smoke tests and the variables of the configuration; who has published them is shown before the end."""
    given: list[tuple[Any, dict[str, Any]]] = []
    release = PublishedRelease(index=LASTING, project=PROJECT, status="active", files=())

    def fetch(system: Any, *asked: Any, **options: Any) -> PublishedRelease:
        assert asked == (LASTING, PROJECT, None)
        given.append((system, options))
        install: Callable[[Any, PublishedRelease], PublishedRelease] = options["install"]
        return install(system, release)

    def install(system: Any, facts: PublishedRelease, **options: Any) -> PublishedRelease:
        assert options["scratch"].is_dir()
        given.append((system, options))
        return facts

    monkeypatch.setattr(remote_release, "fetch_release", fetch)
    monkeypatch.setattr(remote_release, "install_and_test", install)
    monkeypatch.setattr(confirmation, "publisher_summary", lambda facts: [f"published by us: {facts is release}"])
    told: list[Event] = []
    config = Config(pass_environment=("ACME_DATA",), smoke=SmokeTestSettings(imports=("acme",)))
    confirmation.confirm_release(
        fake_system(), LASTING, ConfirmationRequest(project=PROJECT), config=config, notify=told.append
    )
    (fetching, fetched), (installing, installed) = given
    assert fetched["scratch"] == installed["scratch"]
    assert [one.words for one in installed["wanted"]] == [("acme",)]
    assert fetching.passed == installing.passed == ("ACME_DATA",)
    for options in (fetched, installed):
        options["notify"](Message(text="during it"))
    messages = [one.text for one in told if isinstance(one, Message)]
    assert messages == ["published by us: True", "during it", "during it"]
    assert isinstance(told[-3], StepFinished)

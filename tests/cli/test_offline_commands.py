"""`PYPI_PREFLIGHT_OFFLINE`: no command contacts an index, and none calls healthy what no index has confirmed."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from release.cli.main import main
from release.cli.offline_commands import apply_offline, require_online
from release.cli.parser import parse_command_line
from release.core.errors import UsageError
from release.core.models.index import PYPI, Index
from release.core.offline import OFFLINE
from tests.fake_tokens import token
from tests.stories.project import make

#: a server that does not exist: a command that asks it cannot succeed
UNREACHABLE = "".join(
    f'[tool.release.indexes.{name}]\nupload-url = "http://127.0.0.1:1/legacy/"\nsimple-url = "http://127.0.0.1:1/simple/"\n'
    for name in ("testpypi", "pypi")
)


def parsed(words: str) -> Namespace:
    return parse_command_line(words.split(), Namespace(json=False))


@pytest.mark.parametrize("words", ["verify", "diagnose", "tokens", "store --index pypi"])
def test_it_is_the_option_where_a_command_has_it(words: str) -> None:
    for value, offline in (("1", True), ("yes", True), ("0", False), ("", False)):
        options = parsed(words)
        apply_offline(options, {OFFLINE: value})
        assert options.offline is offline, value
    options = parsed(words)
    apply_offline(options, {})
    assert not options.offline


@pytest.mark.parametrize("command", ["verify", "tokens"])
def test_an_exchange_needs_an_index(command: str) -> None:
    with pytest.raises(UsageError) as caught:
        apply_offline(parsed(f"{command} --exchange"), {OFFLINE: "1"})
    assert caught.value.remedy == f"unset {OFFLINE}, then run it again; or omit --exchange"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("release --yes", "'release' contacts testpypi"),
        ("publish --yes --dry-run-on none", "'publish' contacts pypi"),
        ("confirm acme==1", "'confirm' contacts pypi"),
        ("rotate --yes", "'rotate' contacts pypi"),
        ("set release", "'set release' contacts pypi"),
        ("set check", "'set check' contacts pypi"),
        ("prepare minor --release --yes", "'prepare --release' contacts pypi"),
        ("inspect {wheel} --index pypi", "'inspect --index' contacts pypi"),
    ],
)
def test_what_needs_an_index_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, named: str
) -> None:
    made = make(tmp_path, more=UNREACHABLE.replace("http://127.0.0.1:1", "https://packages.invalid"))
    wheel = tmp_path / "acme-1-py3-none-any.whl"
    wheel.touch()
    for name, value in {**made.environment(), OFFLINE: "1"}.items():
        monkeypatch.setenv(name, value)
    assert main([*words.format(wheel=wheel).split(), "-C", str(made.root)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{named}, which {OFFLINE} forbids\n→ unset {OFFLINE}, then run it again"), told


def test_an_index_on_this_machine_needs_no_network() -> None:
    local = Index(name="local", upload_url="http://localhost:8000/legacy/", simple_url="http://localhost:8000/simple/")
    require_online("confirm", [local], {OFFLINE: "1"})
    require_online("confirm", [PYPI], {OFFLINE: "0"})
    with pytest.raises(UsageError, match="'confirm' contacts pypi, which"):
        require_online("confirm", [local, PYPI], {OFFLINE: "1"})


def test_a_check_is_of_what_is_known_without_an_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(tmp_path, more=UNREACHABLE)
    for name, value in {**made.environment(), OFFLINE: "1", "TWINE_PASSWORD": token(host="127.0.0.1")}.items():
        monkeypatch.setenv(name, value)
    made.commit()
    words = ["check", "-C", str(made.root)]
    status, out = main(words), capsys.readouterr().out
    assert status == 0, out
    assert "no problem found offline in acme-widget 1.0; not confirmed by testpypi and pypi" in out
    assert f"→ unset {OFFLINE}, then run: pypi-preflight check" in out
    assert "ready to be released" not in out
    monkeypatch.setenv("TWINE_PASSWORD", token(host="127.0.0.1")[:-20])  # which needs no index to be found
    assert main(words) == 1
    assert "FAIL   testpypi: $TWINE_PASSWORD: the token is t" in capsys.readouterr().out  # truncated

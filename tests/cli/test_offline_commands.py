"""`PYPI_PREFLIGHT_OFFLINE`: no command contacts an index, and none calls healthy what no index has confirmed."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from release.cli.main import main
from release.cli.offline_commands import apply_offline
from release.cli.parser import parse_command_line
from release.core.errors import UsageError
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


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("release --yes", "'release'"),
        ("publish dist", "'publish'"),
        ("testpypi", "'testpypi'"),
        ("confirm acme==1", "'confirm'"),
        ("rotate", "'rotate'"),
        ("set release", "'set release'"),
        ("set check", "'set check'"),
        ("verify --exchange", "'verify --exchange'"),
        ("tokens --exchange", "'tokens --exchange'"),
        ("prepare minor --release", "'prepare --release'"),
        ("inspect a.whl --index pypi", "'inspect --index'"),
    ],
)
def test_what_needs_an_index_refuses(words: str, named: str) -> None:
    with pytest.raises(UsageError) as caught:
        apply_offline(parsed(words), {OFFLINE: "1"})
    assert caught.value.message.startswith(named)
    assert OFFLINE in caught.value.message
    assert f"unset {OFFLINE}" in caught.value.remedy
    apply_offline(parsed(words), {})


@pytest.mark.parametrize(
    "words",
    [
        "release --plan", "publish --dry-run", "rotate --plan", "check", "rehearse", "build", "prepare --plan",
        "inspect a.whl", "set list", "set status", "set rehearse", "status", "leaks", "config",
    ],
)  # fmt: skip
def test_the_others_run(words: str) -> None:
    apply_offline(parsed(words), {OFFLINE: "1"})


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

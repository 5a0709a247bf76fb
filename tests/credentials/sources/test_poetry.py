"""Poetry's tokens are found, listed and replaced, and never used by an upload."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.system.system import real_system
from release.core.errors import ReleaseError
from release.core.models.credential import Resolution, StoredSecret
from release.core.models.index import PYPI, TESTPYPI, Index
from release.core.models.secret_location import location_to_text
from release.core.secret import Secret
from release.credentials.sources import SOURCES, locate_secrets, poetry
from release.credentials.sources.base import SourceQuery, StorageQuery
from tests.credentials.sources.test_resolve import resolve
from tests.fake_tokens import token

ACME = Index(name="acme", upload_url="https://acme.test/legacy/", simple_url="https://acme.test/simple/", kind="other")


def write(home: Path, auth: str, config: str = "") -> dict[str, str]:
    """Poetry's files, as poetry 2.5.1 writes them; the environment that names their directory."""
    directory = home / "poetry"
    directory.mkdir(exist_ok=True)
    for name, text in (("auth.toml", auth), ("config.toml", config)):
        (directory / name).write_text(text, encoding="utf-8")
        (directory / name).chmod(0o600)
    return {"POETRY_CONFIG_DIR": str(directory), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


def found(index: Index, env: dict[str, str], home: Path) -> list[tuple[str, Secret]]:
    result = poetry.find(SourceQuery(index=index, env=env, home=home))
    candidates = result.candidates if result else ()
    assert {(one.status, one.tool) for one in candidates} <= {("other-tool", "poetry")}
    return [(location_to_text(one.origin), one.password) for one in candidates]


def storage(env: dict[str, str], home: Path) -> StorageQuery:
    system = replace(real_system(), env=env, home=home)
    return StorageQuery(system=system, index=PYPI, resolved=Resolution(credential=None), directory=home)


def stored(env: dict[str, str], home: Path) -> list[StoredSecret]:
    return [one for one in locate_secrets(storage(env, home)) if one.source == "poetry"]


def test_a_token_belongs_to_the_index_of_its_repository(tmp_path: Path) -> None:
    pypi, test, acme, other = token(), token("test.pypi.org"), token("acme.test"), token()
    env = write(
        tmp_path,
        f'[pypi-token]\npypi = "{pypi}"\ntestpypi = "{test}"\nnowhere = "{other}"\n\n'
        f'[http-basic.acme]\nusername = "alice"\npassword = "{acme}"\n',
        '[repositories.acme]\nurl = "https://acme.test/legacy"\n',
    )
    assert found(PYPI, env, tmp_path) == [("~/poetry/auth.toml, [pypi-token] pypi", Secret(pypi))]
    assert found(TESTPYPI, env, tmp_path) == [("~/poetry/auth.toml, [pypi-token] testpypi", Secret(test))]
    assert found(ACME, env, tmp_path) == [("~/poetry/auth.toml, [http-basic.acme] password", Secret(acme))]


def test_it_is_the_reason_where_nothing_else_is_there_and_no_mistake_beside_a_credential(tmp_path: Path) -> None:
    env = write(tmp_path, f'[pypi-token]\npypi = "{token()}"\n')
    alone = resolve(PYPI, env, tmp_path)
    assert alone.credential is None
    (reason,) = (one for one in alone.remarks if one.severity == "block")
    assert reason.cause == "cred.missing"
    assert "which only poetry reads" in reason.message
    assert "store --index pypi" in reason.remedy
    beside = resolve(PYPI, env | {"TWINE_PASSWORD": token()}, tmp_path)
    assert [one.status for one in beside.candidates] == ["used", "other-tool"]
    assert beside.remarks == ()


@pytest.mark.parametrize(
    "auth", ["", "[pypi-token\n", "pypi-token = 3\n", "[http-basic]\nacme = 1\n", "[pypi-token]\npypi = 4\n"]
)
def test_a_file_that_is_not_poetrys_has_nothing(tmp_path: Path, auth: str) -> None:
    env = write(tmp_path, auth, "repositories = 1\n")
    assert found(PYPI, env, tmp_path) == []
    assert stored(env, tmp_path) == []


@pytest.mark.parametrize("index", [0, 1, 2], ids=["token", "same token, quoted name", "password"])
def test_one_value_is_replaced_and_every_other_byte_stays(tmp_path: Path, index: int) -> None:
    old, new = token(), token()
    env = write(
        tmp_path,
        f'# mine\r\n[pypi-token]\r\npypi = "{old}"  # keep\r\n"my.repo" = "{old}"\r\n\r\n'
        f"[http-basic.my-acme]\r\nusername = '__token__'\r\npassword = '{old}'\r\n",
    )
    file = tmp_path / "poetry" / "auth.toml"
    before = file.read_bytes()
    one = stored(env, tmp_path)[index]
    SOURCES["poetry"].replace(one, Secret(new), storage(env, tmp_path))
    start = [at for at in range(len(before)) if before.startswith(old.encode(), at)][index]
    assert file.read_bytes() == before[:start] + new.encode() + before[start + len(old) :]
    assert [entry.secret == Secret(new) for entry in stored(env, tmp_path)] == [at == index for at in range(3)]
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_value_that_has_changed_or_is_escaped_is_left(tmp_path: Path) -> None:
    env = write(tmp_path, f'[pypi-token]\npypi = "{token()}"\n')
    (one,) = stored(env, tmp_path)
    write(tmp_path, f'[pypi-token]\npypi = "{token()}"\n')
    with pytest.raises(ReleaseError, match="has changed since it was read"):
        poetry.replace(one, Secret(token()), storage(env, tmp_path))
    env = write(tmp_path, '[pypi-token]\npypi = "a\\u0062c"\n')
    (escaped,) = stored(env, tmp_path)
    with pytest.raises(ReleaseError, match="cannot be changed") as caught:
        poetry.replace(escaped, Secret(token()), storage(env, tmp_path))
    assert "[pypi-token]" in caught.value.remedy


@pytest.mark.parametrize(
    ("platform", "env", "expected"),
    [
        ("linux", {}, "home/.config/pypoetry"),
        ("linux", {"XDG_CONFIG_HOME": "/xdg"}, "/xdg/pypoetry"),
        ("darwin", {}, "home/Library/Application Support/pypoetry"),
        ("win32", {"APPDATA": "roaming"}, "roaming/pypoetry"),
        ("win32", {}, "home/AppData/Roaming/pypoetry"),
        ("darwin", {"POETRY_CONFIG_DIR": "/own"}, "/own"),
    ],
)
def test_the_directory_is_the_platforms_own(
    monkeypatch: pytest.MonkeyPatch, platform: str, env: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert poetry.config_directory(env, Path("home")) == Path(expected)

"""`diagnose`: the cause of a run that failed, out of its log and of what lies on this machine."""

from __future__ import annotations

import base64
import io
import stat
import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from release.adapters.system import program_output
from release.core.secret import Secret
from release.core.tokens import caveats
from release.core.tokens.token import attenuate
from release.sandbox.seed import ApiToken, SeedData, SeedProject, User
from tests import sample_distributions
from tests.stories.project import Indexes, Told, UserProject, indexes, make, release_table
from tests.stories.terminal import talk

OUTPUTS = Path(__file__).parents[1] / "diagnostics" / "outputs"
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")

WORLD = SeedData(
    users=(User(name="alice"), User(name="bob")),
    projects=(SeedProject(name="acme-widget", owners=("alice",)), SeedProject(name="acme-gadget", owners=("alice",))),
    tokens=(
        ApiToken(name="account", user="alice"),
        ApiToken(name="bobs", user="bob"),
        ApiToken(name="revoked", user="alice", revoked=True),
        ApiToken(name="gadget", user="alice", projects=("acme-gadget",)),
    ),
)


@pytest.fixture(scope="module")
def on() -> Iterator[Indexes]:
    with indexes(test=WORLD, real=WORLD) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, on: Indexes) -> UserProject:
    return make(tmp_path, more=release_table(on), tiny=True)


def token(on: Indexes, name: str = "account") -> str:
    value: str = on.pypi.tokens[name].reveal()
    return value


def pypirc(project: UserProject, on: Indexes, password: str, more: str = "") -> Path:
    path = project.home / ".pypirc"
    path.write_bytes(
        f"# mine\n[distutils]\nindex-servers =\n    pypi\n\n[pypi]\nrepository: {on.pypi.upload_url}\n"
        f"username = __token__\npassword =  {password}\n{more}# the end\n".encode()
    )
    path.chmod(0o600)
    return path


def failed(project: UserProject, on: Indexes, **env: str) -> str:
    """What the real twine prints when it is run in the same place."""
    wheel = project.root / "dist" / sample_distributions.wheel_name()
    wheel.parent.mkdir(exist_ok=True)
    wheel.write_bytes(sample_distributions.wheel())
    project.env |= env
    done = project.command(
        sys.executable, "-m", "twine", "upload", "--non-interactive", "--repository-url", on.pypi.upload_url, str(wheel)
    )
    assert done.status != 0, done.all
    return done.all


def diagnosed(project: UserProject, log: str, *words: str) -> tuple[Told, Any]:
    told = project.run("diagnose", "--log", "-", "--json", *words, stdin=log)
    return told, told.data


# -- the join ---------------------------------------------------------------------------------------


def spoil_nothing(value: str) -> str:
    return value


@pytest.mark.parametrize(
    ("name", "spoil", "cause"),
    [
        ("account", lambda value: value[:-20], "cred.truncated"),
        ("account", lambda value: f'"{value}"', "cred.quotes"),
        ("account", lambda value: value.removeprefix("pypi-"), "cred.prefix-missing"),
        ("account", lambda _: "$PYPI_TOKEN", "cred.placeholder"),
        ("account", lambda _: "", "cred.env-empty"),
        ("revoked", spoil_nothing, "cred.revoked"),
        ("gadget", spoil_nothing, "cred.project-scope-mismatch"),
        ("bobs", spoil_nothing, "account.no-role"),
    ],
)
def test_a_refusal_that_fits_a_dozen_causes_has_one_here(
    project: UserProject, on: Indexes, name: str, spoil: Any, cause: str
) -> None:
    value = spoil(token(on, name))
    log = failed(project, on, TWINE_USERNAME="__token__", TWINE_PASSWORD=value)
    told, data = diagnosed(project, log)
    assert (data["cause"], told.status) == (cause, 0), told.all
    assert data["certain"]
    assert data["evidence"]["log"]
    if cause != "account.no-role":  # there the words of the index are about the user
        assert any("TWINE_PASSWORD" in one for one in data["evidence"]["here"])
    assert data["remedy"]
    assert not value or (value in told.all) == (cause == "cred.placeholder")  # which is no secret


def test_a_token_of_another_index_is_found_by_its_issuer(project: UserProject, on: Indexes) -> None:
    from release.core.tokens import macaroon

    foreign = macaroon.to_text(
        macaroon.create_macaroon("test.pypi.org", b"6f1ed8ab-7c2c-4a0c-9d3e-111111111111", b"k" * 32)
    )
    log = failed(project, on, TWINE_USERNAME="__token__", TWINE_PASSWORD=foreign)
    _, data = diagnosed(project, log)
    assert data["cause"] == "cred.wrong-index"
    assert "'test.pypi.org'" in data["evidence"]["here"][0]


def test_an_account_name_or_its_password_is_told_apart(project: UserProject, on: Indexes) -> None:
    log = failed(project, on, TWINE_USERNAME="alice", TWINE_PASSWORD=token(on))
    assert diagnosed(project, log)[1]["cause"] == "cred.username-not-token"
    project.env["TWINE_USERNAME"] = "_token_"
    assert diagnosed(project, log)[1]["cause"] == "cred.username-typo"
    project.env |= {"TWINE_USERNAME": "alice", "TWINE_PASSWORD": "hunter2-hunter2"}
    told, data = diagnosed(project, log)
    assert data["cause"] == "cred.account-password"
    assert "hunter2" not in told.all


def test_no_credential_has_its_reason_in_a_file(project: UserProject, on: Indexes) -> None:
    """twine says only that it found none."""
    path = project.home / ".pypirc"
    path.write_text(
        f"[distutils]\nindex-servers = other\n[pypi]\nrepository = {on.pypi.upload_url}\npassword = {token(on)}\n",
        encoding="utf-8",
    )
    path.chmod(0o600)
    log = (OUTPUTS / "twine-no-credential.txt").read_text(encoding="utf-8")
    log = log.replace("http://127.0.0.1:18761/auth/", on.pypi.upload_url)
    _, data = diagnosed(project, log, "--offline")
    assert data["cause"] == "pypirc.section-unlisted"
    assert "[pypi]" in data["evidence"]["here"][0]


def test_where_all_is_well_here_the_words_alone_are_told(project: UserProject, on: Indexes) -> None:
    """The likeliest cause comes first, is no certainty, and the others are named."""
    log = failed(project, on, TWINE_USERNAME="__token__", TWINE_PASSWORD=token(on, "revoked"))
    project.env["TWINE_PASSWORD"] = token(on)
    told, data = diagnosed(project, log)
    assert (data["cause"], data["certain"], told.status) == ("cred.revoked", False, 0)
    assert data["others"][0] == "cred.truncated"
    assert "cred.missing" not in data["others"], "twine sends nothing without a credential"
    assert "pypi-preflight verify --index pypi" in data["remedy"]
    assert "credential for pypi: healthy" in data["looked"]


def test_a_log_of_a_ci_run_says_nothing_of_this_machine(project: UserProject) -> None:
    """The credentials here are not those that the run had."""
    project.env["TWINE_PASSWORD"] = ""
    log = (OUTPUTS / "twine-auth.txt").read_text(encoding="utf-8")
    stamped = "".join(f"2026-11-22T10:00:00.1234567Z {line}\n" for line in log.splitlines())
    _, data = diagnosed(project, stamped)
    assert (data["certain"], data["evidence"]["here"]) == (False, [])
    assert "CI run (GitHub Actions)" in data["looked"][1]
    assert (data["cause"], data["others"][:2]) == ("cred.revoked", ["cred.truncated", "ci.secret-scope"])
    assert data["remedy"].startswith("run in that job")
    project.env["CI"] = "true"
    assert diagnosed(project, stamped)[1]["cause"] == "cred.revoked"
    joined = diagnosed(project, stamped, "--here")[1]
    assert (joined["cause"], joined["certain"]) == ("cred.env-empty", True)


def test_no_credential_on_this_machine_never_explains_an_answered_upload(project: UserProject) -> None:
    """twine, uv, hatch, flit and pdm stop before sending; poetry does not, but its log does not show it."""
    for name in ("twine-auth", "poetry-auth"):
        _, data = diagnosed(project, (OUTPUTS / f"{name}.txt").read_text(encoding="utf-8"), "--offline")
        assert (data["cause"], data["certain"], data["evidence"]["here"]) == ("cred.revoked", False, [])


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("twine-classifier", "meta.classifier-invalid"),
        ("uv-no-scheme", "url.no-scheme"),
        ("poetry-exists", "file.exists-different"),
        ("hatch-canonical", "name.canonical-mismatch"),
        ("flit-percent", "pypirc.percent"),
        ("pdm-role", "account.no-role"),
        ("action-no-publisher", "tp.environment-mismatch"),
    ],
)
def test_the_logs_of_all_tools_are_read(project: UserProject, output: str, cause: str) -> None:
    told = project.run("diagnose", "--offline", "--log", str(OUTPUTS / f"{output}.txt"))
    assert told.status == 0, told.all
    assert told.out.startswith(f"{cause}: ")
    assert "in the log: " in told.out
    assert "→ " in told.out


# -- what is not known, not readable, or not for anybody's eyes ---------------------------------------


def test_what_nobody_knows_is_said_to_be_unknown(project: UserProject) -> None:
    told, data = diagnosed(project, "The frobnicator is out of plumbs.\n")
    assert (told.status, data["cause"]) == (1, None)
    assert data["looked"] == ["standard input, 34 bytes", f"{len(_catalog())} known failures"]
    assert "--verbose" in data["remedy"]


def test_a_tool_that_keeps_the_words_to_itself_is_found_out(project: UserProject) -> None:
    told = project.run("diagnose", "--log", str(OUTPUTS / "hatch-unsaid.txt"))
    assert told.status == 1
    assert "answered 400" in told.out
    assert "twine upload --verbose" in told.out


def test_a_log_that_is_not_there_is_a_usage_error(project: UserProject) -> None:
    told = project.run("diagnose", "--log", "nowhere.txt")
    assert told.status == 2
    assert "cannot read 'nowhere.txt'" in told.err


def test_a_log_that_powershell_wrote_is_read(project: UserProject) -> None:
    path = project.root / "log.txt"
    path.write_bytes((OUTPUTS / "twine-slash.txt").read_text(encoding="utf-8").encode("utf-16"))
    assert project.run("diagnose", "--offline", "--log", "log.txt", "--json").data["cause"] == "url.no-trailing-slash"


def test_no_secret_of_the_log_is_shown_again(project: UserProject, on: Indexes) -> None:
    value = token(on)
    basic = base64.b64encode(f"__token__:{value}".encode()).decode()
    refused = f"403 Invalid or non-existent authentication information {value}"
    log = f"twine upload -p {value}\nAuthorization: Basic {basic}\n{refused}\n"
    told = project.run("diagnose", "--offline", "--log", "-", stdin=log)
    assert told.out.startswith("cred.")
    assert value[10:40] not in told.all
    assert basic[30:60] not in told.all


def test_a_huge_log_is_read_by_its_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_output, "PART", 100_000)
    data = b"first\n" + b"x" * 79 * 300_000 + b"\nlast"
    tracemalloc.start()
    read = program_output._read("log", _Stream(data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read.text.startswith("first\n")
    assert read.text.endswith("\nlast")
    assert (read.size, read.skipped) == (len(data), len(data) - 200_000)
    assert peak < 2_000_000, "bytes; the log has 24 millions"


class _Stream(io.BytesIO):
    """Bytes that are read; their own memory was there before."""


def test_a_small_log_is_read_whole() -> None:
    data = b"y" * 3_999_999
    read = program_output._read("log", io.BytesIO(data))
    assert (len(read.text), read.skipped) == (len(data), 0)


def _catalog() -> Sequence[str]:
    from release.diagnostics.catalog import CATALOG

    return list(CATALOG)


# -- without a log -----------------------------------------------------------------------------------


def test_alone_it_walks_through_all_indexes_and_ends_with_one_next_step(project: UserProject, on: Indexes) -> None:
    project.credentials(on, tokens={"testpypi": on.testpypi.tokens["account"].reveal(), "pypi": token(on)[:-9]})
    told = project.run("diagnose")
    assert told.status == 1
    assert "testpypi: healthy" in told.out
    assert "pypi: broken (cred.truncated)" in told.out
    assert told.out.count("→ ") == 1
    data = project.run("diagnose", "--json").data
    assert {one["index"]: one["verdict"] for one in data["indexes"]} == {"testpypi": "healthy", "pypi": "broken"}
    assert (data["next"]["index"], data["next"]["cause"]) == ("pypi", "cred.truncated")
    project.credentials(on)
    told = project.run("diagnose")
    assert (told.status, "no problems found" in told.out) == (0, True)
    told = project.run("diagnose", "--offline")
    assert "testpypi: no problem found offline; not confirmed by the index" in told.out
    assert "no problem found offline; not confirmed by pypi and testpypi" in " ".join(told.out.split())


def test_it_needs_no_project(tmp_path: Path) -> None:
    lonely = UserProject(root=tmp_path / "nothing", home=tmp_path / "home")
    lonely.root.mkdir()
    lonely.home.mkdir()
    told = lonely.run("diagnose", "--offline", "--json")
    assert told.status == 1
    assert [one["cause"] for one in told.data["indexes"]] == ["cred.missing", "cred.missing"]


# -- mending ------------------------------------------------------------------------------------------


@on_posix
@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: f'"{value}"',
        lambda value: f"'{value}'",
        lambda value: f"{value}  ; made in May",
        lambda value: f"{value}  # made in May",
        lambda value: f"{value[:90]}\n   {value[90:]}",
        lambda value: f"{value[:90]} {value[90:]}",
    ],
    ids=["quotes", "single quotes", "comment", "hash", "wrapped", "blank"],
)
def test_a_value_in_pypirc_is_mended_once_somebody_agrees(project: UserProject, on: Indexes, spoil: Any) -> None:
    """Nothing but the value changes, the token is never shown, and what is said at the end is true."""
    value = token(on)
    path = pypirc(project, on, spoil(value))
    before = path.read_bytes()
    refused = talk(project, "diagnose", answers=[("Make this change?", "n")])
    assert path.read_bytes() == before
    assert value not in refused.text
    assert value[20:40] not in refused.text
    screen = talk(project, "diagnose", answers=[("Make this change?", "y")])
    assert "password = <token" in screen.text
    assert value[20:40] not in screen.text
    assert path.read_bytes() == before.replace(f"password =  {spoil(value)}".encode(), f"password =  {value}".encode())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "pypi is now: healthy" in screen.text


@on_posix
def test_a_file_that_others_can_read_is_closed_and_a_section_is_listed(project: UserProject, on: Indexes) -> None:
    path = pypirc(project, on, token(on))
    path.write_bytes(path.read_bytes().replace(b"    pypi\n", b"    other\n"))
    path.chmod(0o644)
    screen = talk(project, "diagnose", answers=[("Make this change?", "y")])
    assert "+ index-servers = other pypi" in screen.text
    assert b"index-servers =\n    other\n    pypi\n" in path.read_bytes()
    path.chmod(0o644)
    screen = talk(project, "diagnose", answers=[("Make this change?", "y")])
    assert "- mode 644" in screen.text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert project.run("verify", "--json").data["verdict"] == "healthy"


def test_without_a_terminal_nothing_is_asked_and_nothing_changed(project: UserProject, on: Indexes) -> None:
    path = pypirc(project, on, f'"{token(on)}"')
    before = path.read_bytes()
    told = project.run("diagnose", stdin="y\ny\ny\n")
    assert "Make this change?" not in told.all
    assert path.read_bytes() == before


def test_an_attenuated_token_is_not_called_broken(project: UserProject, on: Indexes) -> None:
    """One with a limit that its holder added works, and so no problems found."""
    limited = attenuate(Secret(token(on)), caveats.project_names("acme-widget"))
    pypirc(project, on, limited.reveal())
    told = project.run("diagnose", "--json")
    assert {one["index"]: one["verdict"] for one in told.data["indexes"]}["pypi"] == "healthy", told.all

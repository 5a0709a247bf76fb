"""What goes with an upload: a copy of the token for this project and half an hour, and a question before it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.builds import builder
from release.adapters.index import token_probes
from release.adapters.system.system import real_system
from release.core.config import Config, parse_config
from release.core.errors import ConfigError, UnreachableError
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution, Rejection
from release.core.models.index import Index
from release.core.models.probe import ProbeResult, ServerResponse
from release.core.models.secret_location import EnvironmentVariable
from release.core.plan import Plan, Upload
from release.core.secret import Secret
from release.core.tokens.caveats import Expiration, ProjectNames
from release.core.tokens.token import Token, decode
from release.publishing import journal
from release.publishing.run_resources import RunResources
from release.publishing.upload import upload_token
from release.publishing.upload.errors import UploadError
from release.sandbox import server
from release.sandbox.seed import DEFAULT_USER, ApiToken, SeedData
from release.sandbox.seed import SeedProject as Existing
from release.sandbox.server import Sandbox
from tests.adapters.index.test_token_probes import Wire
from tests.adapters.index.test_token_probes import token as made
from tests.adapters.loopback_server import closed_port
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name
from tests.stories.project import posts

HERE = EnvironmentVariable(name="TWINE_PASSWORD")
PROJECT = ProjectMetadata(name="Acme.Widget", version="1.0")
WORLD = SeedData(
    projects=(Existing(name="acme-old", owners=(DEFAULT_USER,)),),
    tokens=(
        ApiToken(name="account", user=DEFAULT_USER),
        ApiToken(name="old", user=DEFAULT_USER, projects=("acme-old",)),
    ),
)


def files(directory: Path, name: str = "acme-widget", extra: str = "") -> tuple[Distribution, ...]:
    directory.mkdir(exist_ok=True)
    made = {
        wheel_name(name): wheel(name, metadata_extra=extra),
        sdist_name(name): sdist(name, metadata_extra=extra),
    }
    for filename, content in made.items():
        (directory / filename).write_bytes(content)
    return tuple(builder.load_distribution(directory / filename) for filename in made)


def credential(password: Secret) -> Credential:
    return Credential(username="__token__", username_origin=HERE, password=password, origin=HERE)


@contextmanager
def delivering(
    tmp_path: Path, config: Config, index: Index, password: Secret, skew: timedelta | None = None
) -> Iterator[Any]:
    """A way to send files to an index as the pipeline does."""
    plan = Plan(
        verb="publish", project=PROJECT.name, version="1.0", commit=None, strict=True, steps=(Upload(index=index.name),)
    )
    log = journal.for_release(tmp_path, version="1.0", commit=None)
    with RunResources(system=real_system(), notify=lambda _: None, plan=plan, config=config) as delivery:
        delivery.use_credential(index.name, credential(password), skew)
        yield lambda project, some: delivery.upload(
            index, project, some, log, approve=lambda: None, check=lambda _: None
        )


def started(wire: Wire) -> Sandbox:
    return server.start_sandbox(WORLD, around=wire)


def lasting(running: Sandbox) -> Index:
    return replace(running.index("pypi"), ephemeral=False)


@pytest.mark.parametrize(("token", "name"), [("account", "acme-widget"), ("account", "acme-old"), ("old", "acme-old")])
def test_an_upload_goes_with_a_copy_for_this_project_and_half_an_hour(tmp_path: Path, token: str, name: str) -> None:
    """The first upload of a new project too."""
    wire = Wire()
    with started(wire) as running:
        some = files(tmp_path / "dist", name)
        with delivering(tmp_path, Config(), lasting(running), running.tokens[token]) as send:
            done = send(ProjectMetadata(name=name, version="1.0"), some).changed
        assert done
        assert [one.status for one in posts(running)] == [200, 200]
        assert running.tokens[token].reveal() not in wire.tokens
        (copy,) = set(wire.tokens[-2:])
        told = decode(Secret(copy))
        assert isinstance(told, Token)
        names, limit = told.caveats[-2:]
        assert names == ProjectNames(names=(name,))
        assert isinstance(limit, Expiration)
        assert timedelta(minutes=29) < limit.expires_at - datetime.now(UTC) < timedelta(minutes=31)


def test_switched_off_the_token_itself_is_sent(tmp_path: Path) -> None:
    wire = Wire()
    with started(wire) as running:
        some = files(tmp_path / "dist")
        config = parse_config({"attenuate": False})
        with delivering(tmp_path, config, lasting(running), running.tokens["account"]) as send:
            send(PROJECT, some)
        assert wire.tokens[-2:] == [running.tokens["account"].reveal()] * 2


@pytest.mark.parametrize("value", ["no", 0, "false", []])
def test_the_switch_is_true_or_false(value: object) -> None:
    assert parse_config({}).attenuate is True
    with pytest.raises(ConfigError, match=r"tool\.release\.attenuate must be true or false"):
        parse_config({"attenuate": value})


def test_the_index_s_clock_counts(tmp_path: Path) -> None:
    wire = Wire()
    with started(wire) as running:
        some, ahead = files(tmp_path / "dist"), timedelta(hours=5)
        with delivering(tmp_path, Config(), lasting(running), running.tokens["account"], skew=ahead) as send:
            send(PROJECT, some)
        told = decode(Secret(wire.tokens[-1]))
        assert isinstance(told, Token)
        limit = told.caveats[-1]
        assert isinstance(limit, Expiration)
        assert timedelta(hours=5) < limit.expires_at - datetime.now(UTC) < timedelta(hours=6)


def test_a_copy_outlives_the_upload_it_is_for(tmp_path: Path) -> None:
    """A gigabyte on a slow line takes longer than half an hour."""
    now = datetime(2026, 11, 24, tzinfo=UTC)
    (small, _) = files(tmp_path / "dist")
    index = Index(name="pypi", upload_url="http://127.0.0.1:9/legacy/", simple_url="http://127.0.0.1:9/simple/")
    lent = upload_token.attenuated_credential(credential(made()), index, PROJECT, [replace(small, size=10**9)], now=now)
    told = decode(lent.password)
    assert isinstance(told, Token)
    limit = told.caveats[-1]
    assert isinstance(limit, Expiration)
    assert limit.expires_at - now > timedelta(hours=13)


def test_what_is_no_token_goes_as_it_is(tmp_path: Path) -> None:
    now, some = datetime.now(UTC), files(tmp_path / "dist")
    index = Index(name="acme", upload_url="http://127.0.0.1:9/legacy/", simple_url="http://127.0.0.1:9/simple/")
    for kind, password in (("warehouse", "hunter2"), ("other", "hunter2")):
        same = credential(Secret(password))
        assert (
            upload_token.attenuated_credential(same, replace(index, kind=kind), PROJECT, some, now=now) is same
        )  # one of the two


def test_metadata_that_the_index_does_not_take_is_refused_before_any_file_is_sent(tmp_path: Path) -> None:
    wire = Wire()
    with started(wire) as running:
        some = files(tmp_path / "dist", extra="Classifier: No :: Such :: Classifier\n")
        with (
            delivering(tmp_path, Config(), lasting(running), running.tokens["account"]) as send,
            pytest.raises(UploadError, match=r"400 'No :: Such :: Classifier' is not a valid classifier"),
        ):
            send(PROJECT, some)
        assert posts(running) == []
        assert running.tokens["account"].reveal() not in wire.tokens


def test_where_the_index_can_t_be_asked_about_metadata_the_upload_will_tell(tmp_path: Path) -> None:
    some = files(tmp_path / "dist")
    url = f"http://127.0.0.1:{closed_port()}/"
    gone = Index(name="pypi", upload_url=f"{url}legacy/", simple_url=f"{url}simple/")
    assert upload_token.rejected_metadata(gone, credential(made()), PROJECT, some) is None
    assert upload_token.rejected_metadata(replace(gone, kind="other"), credential(made()), PROJECT, some) is None


def test_a_copy_is_made_anew_before_it_runs_out() -> None:
    """Asked for each file: the same for twenty minutes, so that connections are kept; then another."""
    begun, minutes, ever = datetime(2026, 11, 24, tzinfo=UTC), [0], itertools.count()
    anew = [credential(made()) for _ in range(3)]
    current = upload_token.renewing_credential(lambda: anew[next(ever)], lambda: begun + timedelta(minutes=minutes[-1]))

    def after(passed: int) -> int:
        minutes.append(passed)
        return next(at for at, one in enumerate(anew) if one is current())

    assert [after(passed) for passed in (0, 10, 20, 21, 40, 42)] == [0, 0, 0, 1, 1, 2]


def test_the_same_metadata_is_asked_about_once(tmp_path: Path) -> None:
    """Forty wheels for forty platforms share theirs."""
    wire = Wire()
    directory = tmp_path / "dist"
    directory.mkdir()
    for number in range(6):
        name = wheel_name(tag=f"py3-none-manylinux_2_{number + 10}_x86_64")
        (directory / name).write_bytes(wheel())
    some = [builder.load_distribution(path) for path in sorted(directory.iterdir())]
    with started(wire) as running:
        account = credential(running.tokens["account"])
        assert upload_token.rejected_metadata(lasting(running), account, PROJECT, some) is None
        assert sum(one.method == "POST" for one in running.log) == 1


NAMES = [wheel_name(tag=f"py3-none-manylinux_2_{number}_x86_64") for number in range(20, 24)]
REFUSED = Rejection(filename=NAMES[3], status=400, message="'No' is not a valid classifier.")


def answered(status: int, reason: str) -> ProbeResult:
    reply = ServerResponse(status=status, reason=reason, headers={})
    return ProbeResult(kind="metadata", project="acme-widget", reply=reply)


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        ("accepted", "accepted", None),
        ("accepted", "refused", REFUSED),
        ("unreachable", "refused", REFUSED),
        ("forbidden", "refused", REFUSED),
        ("refused", "accepted", Rejection(filename=NAMES[0], status=400, message=REFUSED.message)),
        ("unreachable", "unreachable", None),
        ("forbidden", "forbidden", None),
    ],
)
def test_each_metadata_is_asked_about_until_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, last: str, found: Rejection | None
) -> None:
    """Three wheels share theirs, the last one has its own. Only a refusal of the metadata itself is believed."""
    for name in NAMES:
        extra = "Keywords: last\n" if name == NAMES[3] else ""
        (tmp_path / name).write_bytes(wheel(metadata_extra=extra))
    some = [builder.load_distribution(tmp_path / name) for name in NAMES]
    answers, asked = iter((first, last)), list[dict[str, str]]()

    def probe(_index: Index, _token: Secret, *, project: str, fields: list[tuple[str, str]]) -> ProbeResult:
        asked.append({"project": project, **dict(fields)})
        match next(answers):
            case "accepted":
                return answered(400, "Upload payload does not have a file.")
            case "refused":
                return answered(400, REFUSED.message)
            case "forbidden":
                return answered(403, "Invalid or non-existent authentication information.")
            case _:
                raise UnreachableError("no answer", remedy="wait")

    monkeypatch.setattr(token_probes, "may_probe", lambda *_: True)
    monkeypatch.setattr(token_probes, "probe_metadata", probe)
    index = Index(name="pypi", upload_url="http://127.0.0.1:9/legacy/", simple_url="http://127.0.0.1:9/simple/")
    assert upload_token.rejected_metadata(index, credential(made()), PROJECT, some) == found
    assert [one.get("keywords") for one in asked] == ([None] if first == "refused" else [None, "last"])
    assert {one["project"] for one in asked} == {PROJECT.name}
    assert asked[0]["sha256_digest"] == some[0].sha256
    assert not any("blake2_256_digest" in one for one in asked), "one digest is enough, and this one is not known yet"

"""The rotation of a token as data: where the old one lies, and what is to be done, in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from release.core.models.index import Index
from release.core.models.project_name import normalize_name
from release.core.models.secret_location import Command, KeyringEntry, Place, PrivateFile, Variable
from release.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class PypircLine:
    """An option of a `.pypirc`."""

    path: str
    section: str
    key: str


Spot = Place | PypircLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A secret in its place."""

    spot: Spot
    #: the place for a reader
    where: str
    secret: Secret = field(repr=False)
    #: projects that are uploaded with what lies there, as far as somebody wrote them down
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive:
    """Take the new token, and try it."""

    index: Index


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """Put the new token into a place of the old one, and read it back."""

    holding: Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Keep the new token in the keyring, where no place of the old one has taken it."""

    entry: KeyringEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSecret:
    """Put the new token into a secret of the repository on GitHub."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retire:
    """Have the old token deleted on the index, and ask until it is dead."""

    identifier: str


Step = Receive | Replace | Keep | SetSecret | Retire


def changeable(spot: Spot) -> bool:
    """Whether it can be changed from here: a variable is its shell's, a program's output its own."""
    return not isinstance(spot, Variable | Command)


def steps(  # noqa: PLR0913 - what there is, by name
    index: Index, holdings: Iterable[Holding], identifier: str, *, leaked: bool, received: bool, secrets: Iterable[str]
) -> tuple[Step, ...]:
    """The order: the old token goes last, and first where others have seen it.

    `received`: an earlier run has taken the new token already. What has been done already is no step, and a step that
    turns out to be needless is passed over: a second `Retire`, a `Keep` of what has found its place.
    """
    retire = (Retire(identifier=identifier),) if identifier else ()
    change: tuple[Step, ...] = tuple(Replace(holding=one) for one in holdings if changeable(one.spot))
    if not received:
        change = (Receive(index=index), *change, Keep(entry=home(index)))
    change = (*change, *(SetSecret(name=name) for name in secrets), *retire)
    return (*retire, *change) if leaked else change


def home(index: Index) -> KeyringEntry:
    """Where uploads look in the keyring."""
    return KeyringEntry(service=index.upload_url, username="__token__")


def title(step: Step) -> str:
    """The step as an order."""
    match step:
        case Receive(index=index):
            return f"take a new token of {index.name}, and try it"
        case Replace(holding=holding):
            return f"put it in the place of the old one: {holding.where}"
        case Keep(entry=entry):
            return f"keep it, if it has no place by then: keyring, service {entry.service!r}, user {entry.username!r}"
        case SetSecret(name=name):
            return f"set the secret {name} of the repository on GitHub"
        case Retire(identifier=identifier):
            return f"delete the old one on the index, identifier {identifier}, and ask until it is dead"


def by_hand(spot: Spot) -> str:
    """What to do with a place that was left as it is: an order."""
    match spot:
        case Variable(name=name):
            return (
                f"in this shell, run: read -rs {name} && export {name}, and paste the new token; "
                "then change it where it is set: profile, .env file, settings of the CI"
            )
        case Command(argv=argv):
            return f"store the new token where {argv[0]!r} takes it from"
        case PrivateFile(path=path):
            return f"write the new token to {path!r}, or run the same command again"
        case KeyringEntry(service=service, username=username):
            return f"run the same command again, or: keyring set {service} {username}"
        case PypircLine(path=path, section=section, key=key):
            return f"run the same command again, or change {key} in [{section}] of {path!r}"


def page_to_make(index: Index, project: str | None) -> str:
    """The page that makes a token, with the project chosen.

    Source: warehouse, `manage/views`, `manage_macaroons`: it reads `selected_project`, and no parameter for the name.
    """
    query = f"?{urlencode({'selected_project': normalize_name(project)})}" if project else ""
    return f"{index.site}/manage/account/token/{query}"


def page_to_delete(index: Index) -> str:
    """The page that lists the tokens, each with its identifier."""
    return f"{index.site}/manage/account/#api-tokens"

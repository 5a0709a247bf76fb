"""Registries that import their entries when they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from release.core.lazy_registry import LazyRegistry
from release.publishing.ci import SERVICES, SET_SERVICES, Service, SetService
from release.token_health.schedulers import SCHEDULERS
from release.token_health.schedulers.base import Scheduler


def members(protocol: type) -> set[str]:
    return {name for name in {*vars(protocol), *protocol.__annotations__} if not name.startswith("_")}


def test_an_entry_is_a_module_or_one_of_its_names() -> None:
    registry: LazyRegistry[Any] = LazyRegistry({"module": "json.decoder", "name": "json.decoder:JSONDecoder"})
    assert list(registry) == ["module", "name"]
    assert registry["module"].JSONDecoder is registry["name"]
    with pytest.raises(KeyError):
        _ = registry["other"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_what_its_protocol_asks_for(name: str) -> None:
    assert members(Service) <= set(dir(SERVICES[name]))


@pytest.mark.parametrize("name", SET_SERVICES)
def test_each_service_for_sets_has_what_its_protocol_asks_for(name: str) -> None:
    assert members(SetService) <= set(dir(SET_SERVICES[name]))


@pytest.mark.parametrize("name", SCHEDULERS)
def test_each_scheduler_has_what_its_protocol_asks_for(name: str) -> None:
    maker: Any = SCHEDULERS[name]
    methods = {member for member in vars(Scheduler) if not member.startswith("_")}
    assert methods <= set(dir(getattr(maker, "func", maker)))


def test_the_names_are_listed_without_an_import() -> None:
    code = (
        "import sys; from release.token_health.schedulers import SCHEDULERS; list(SCHEDULERS); "
        "print(*[m for m in sys.modules if m.startswith(('release.token_health.', 'release.publishing.'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert set(done.stdout.split()) == {"release.token_health.schedulers", "release.publishing.ci"}


def test_its_length_is_that_of_its_names() -> None:
    assert len(LazyRegistry[Any]({})) == 0
    assert len(LazyRegistry[Any]({"a": "json", "b": "no.such.module"})) == 2

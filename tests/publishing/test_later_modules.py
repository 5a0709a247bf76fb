"""What later steps import is imported while the build runs, and nothing else is."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest
from msgspec.structs import replace

from release.acceptance.form_rules import standard_modules
from release.core.plan import SANDBOX, Build, CheckFiles, Confirm, Plan, Step, Upload
from release.publishing.later_modules import load_later_modules


def loaded(monkeypatch: pytest.MonkeyPatch, directory: Path, *steps: Step) -> list[str]:
    names: list[str] = []

    def load(name: str) -> ModuleType:
        names.append(name)
        raise ImportError(name)

    plan = Plan(verb="rehearse", project=None, version=None, commit=None, strict=False, steps=steps)
    with monkeypatch.context() as patched:
        patched.setattr(importlib, "import_module", load)
        load_later_modules(plan, directory)
    return names


def test_each_step_has_its_own_modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert loaded(monkeypatch, tmp_path, Build(origin="tree")) == []
    assert "release.sandbox.server" in loaded(monkeypatch, tmp_path, Upload(index=SANDBOX))
    assert "release.sandbox.server" not in loaded(monkeypatch, tmp_path, Upload(index="pypi"))
    assert "release.adapters.install.smoke_tests" in loaded(monkeypatch, tmp_path, Confirm(index="pypi"))


def test_a_renderer_is_loaded_only_for_a_description_that_needs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "README.md").touch()
    assert "docutils.core" not in loaded(monkeypatch, tmp_path, CheckFiles())
    (tmp_path / "README.rst").touch()
    assert "docutils.core" in loaded(monkeypatch, tmp_path, CheckFiles())


def test_each_of_them_exists(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "README.rst").touch()
    names = loaded(monkeypatch, tmp_path, CheckFiles(), Upload(index=SANDBOX), Confirm(index=SANDBOX))
    for name in names:
        assert importlib.import_module(name)


def test_the_names_of_standard_modules_are_ready_where_files_are_checked(tmp_path: Path) -> None:
    plan = Plan(verb="check", project=None, version=None, commit=None, strict=False, steps=(Build(origin="tree"),))
    standard_modules.cache_clear()
    load_later_modules(plan, tmp_path)
    assert standard_modules.cache_info().currsize == 0
    load_later_modules(replace(plan, steps=(CheckFiles(),)), tmp_path)
    assert standard_modules.cache_info().currsize == 1

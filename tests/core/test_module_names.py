"""Names of modules, of the projects that provide them, and of extras."""

from __future__ import annotations

import pytest

from release.core import module_names


@pytest.mark.parametrize(
    ("names", "modules"),
    [
        (["acme/__init__.py", "acme/sub/__init__.py", "acme/x.py", "acme-1.0.dist-info/METADATA"], ["acme"]),
        (["acme.py", "_acme.cpython-311-darwin.so", "fast.pyd", "slow.abi3.so"], ["_acme", "acme", "fast", "slow"]),
        (["ns/a/__init__.py", "ns/b/c/__init__.py", "ns/b/c/d/__init__.py", "ns/e.py"], ["ns.a", "ns.b.c", "ns.e"]),
        (["acme/__init__.cpython-311-darwin.so"], ["acme"]),
        (["acme-1.0.data/purelib/acme/__init__.py", "acme-1.0.data/scripts/run.py", "a.data/data/x.py"], ["acme"]),
        (["tests/__init__.py", "docs/conf.py", "examples/a.py", "setup.py", "conftest.py", "acme.py"], ["acme"]),
        (["acme-stubs/__init__.pyi", "acme/py.typed", "acme/data.json"], []),
        (["81d2__mypyc.cpython-311-x86_64-linux-gnu.so", "class.py", "not-a-name.py", "acme.pth"], []),
        (["acme/__pycache__/__init__.cpython-311.pyc", "../../../bin/acme", "../../../etc/acme/settings.py"], []),
        (["__main__.py", "acme/__main__.py"], []),
    ],
)  # fmt: skip
def test_the_default_imports_are_what_the_project_is_known_by(names: list[str], modules: list[str]) -> None:
    assert list(module_names.import_roots(names)) == modules


def test_the_scripts_are_read_by_their_group() -> None:
    text = "[console_scripts]\nAcme = acme.cli:main\nacme-x = acme.x : run [pretty]\n[gui_scripts]\nwin = acme:gui\n"
    assert module_names.console_scripts(text) == {"Acme": "acme.cli:main", "acme-x": "acme.x:run"}
    assert module_names.console_scripts(text, "gui_scripts") == {"win": "acme:gui"}
    assert module_names.console_scripts("no section") == {}


@pytest.mark.parametrize(
    ("module", "provider"),
    [
        ("yaml", "PyYAML"), ("cv2", "opencv-python"), ("PIL.Image", "Pillow"), ("google.protobuf.message", "protobuf"),
        ("google.cloud", None), ("acme_gadget", None), ("pkg_resources", "setuptools<82"),
    ],
)  # fmt: skip
def test_a_provider_is_named_only_where_it_is_known(module: str, provider: str | None) -> None:
    assert module_names.provider_of(module) == provider


REQUIRES = (
    "six", 'rich>=1 ; extra == "pretty"', "PyYAML ; (python_version > '3') and extra == 'conf'",
    "python-dateutil; extra == 'dates'", "pytest ; extra == 'test'", "rich ; extra == 'dev'",
    "psycopg-binary==3.2; extra == 'binary'", "psycopg-c; extra == 'c'", "acme[pretty]; extra == 'all'",
)  # fmt: skip


@pytest.mark.parametrize(
    ("missing", "output", "first"),
    [
        (["rich.table"], "", "pretty"),
        (["yaml"], "", "conf"),
        (["dateutil"], "", "dates"),
        (["psycopg_binary"], "", "binary"),
        (["nothing_of_these"], "install it: pip install 'acme[dates]'", "dates"),
        (["nothing_of_these"], "", "pretty"),
    ],
)
def test_the_extra_that_would_bring_a_module_is_tried_first(missing: list[str], output: str, first: str) -> None:
    ranked = module_names.rank_extras(missing, output, REQUIRES)
    assert ranked[0] == first
    assert sorted(ranked) == ["all", "binary", "c", "conf", "dates", "pretty"]


def test_extras_of_developers_are_told_apart() -> None:
    assert all(
        map(module_names.is_for_development, ["dev", "tests", "Docs", "type-checking-no"[:4] + "s", "test-deps"])
    )
    assert not any(map(module_names.is_for_development, ["cli", "all", "testkit", "doctor", "server"]))


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("acme", True),
        ("acme.cli.x", True),
        ("ns.b", True),
        ("ns", True),
        ("acmex", False),
        ("ns.bc", False),
        ("b", False),
    ],
)
def test_a_module_belongs_to_the_roots(module: str, *, expected: bool) -> None:
    assert module_names.is_part_of(module, ["acme", "ns.b"]) is expected
    assert not module_names.is_part_of(module, [])

"""The pytest plug-in: the fixture `pypi_sandbox`, an index on this machine that behaves like PyPI.

    def test_upload(pypi_sandbox):
        run_my_uploader(pypi_sandbox.upload_url, pypi_sandbox.tokens["account"])
        assert pypi_sandbox.files() == ["acme_widget-1.0-py3-none-any.whl"]

Every pytest on a machine with this package loads this module: it imports nothing but pytest. The index runs in another
process, one for each worker, which starts when a test first uses it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pypi_preflight.sandbox_process import PypiSandbox, SandboxProcess

_OPTIONS = {"world", "faults", "tls"}
_MARKER = (
    "pypi_sandbox(world={}, faults=[], tls=False): what the index of the fixture pypi_sandbox has at first, which"
    " requests fail, and whether it serves https"
)


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let pytest import a project's own module `release` as it imports any other.

    pytest rewrites the assertions of modules that are named as a package of a distribution with a plug-in; the loader
    of such a module has no `get_code`, and `runpy.run_module` fails. Observed: pytest 8.4.0 and 9.2.0, 2026-11.
    """
    hook = pluginmanager.rewrite_hook
    getattr(hook, "_must_rewrite", set()).discard("release")
    getattr(hook, "_marked_for_rewrite_cache", {}).clear()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(scope="session")
def _pypi_sandbox_process() -> Iterator[SandboxProcess]:
    from pypi_preflight.sandbox_process import SandboxProcess

    with SandboxProcess() as process:
        yield process


@pytest.fixture
def pypi_sandbox_world() -> Mapping[str, Any]:
    """What every index has at first; a project overrides it. Without users and tokens: one user, and `account`."""
    return {}


@pytest.fixture
def pypi_sandbox_factory(
    _pypi_sandbox_process: SandboxProcess, pypi_sandbox_world: Mapping[str, Any]
) -> Iterator[Callable[..., PypiSandbox]]:
    """Start an index at each call: `pypi_sandbox_factory(world={…}, faults=[…], tls=True)`."""
    started: list[PypiSandbox] = []

    def start(
        *, world: Mapping[str, Any] | None = None, faults: Sequence[Mapping[str, Any]] | None = None, tls: bool = False
    ) -> PypiSandbox:
        world = pypi_sandbox_world if world is None else world
        started.append(_pypi_sandbox_process.start(world, faults, tls=tls))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def pypi_sandbox(
    request: pytest.FixtureRequest,
    pypi_sandbox_factory: Callable[..., PypiSandbox],
    _pypi_sandbox_process: SandboxProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PypiSandbox]:
    """A new index for this test, and an environment in which uploaders find no credential of this machine.

    Its options are those of the marker `pypi_sandbox`. Child processes inherit the environment: without variables that
    hold credentials, with an empty home directory, and with the index's certificate trusted.
    """
    marker = request.node.get_closest_marker("pypi_sandbox")
    options = marker.kwargs if marker else {}
    if (marker and marker.args) or not options.keys() <= _OPTIONS:
        given = ", ".join([*map(repr, marker.args if marker else ()), *options])
        pytest.fail(f"the marker pypi_sandbox has the keywords world, faults and tls, not {given}", pytrace=False)
    from pypi_preflight.sandbox_process import SandboxError

    mistake = ""
    try:
        sandbox = pypi_sandbox_factory(**options)
    except SandboxError as error:
        mistake = str(error)
    if mistake:  # outside of the handler, whose exception pytest would show a second time
        pytest.fail(mistake, pytrace=False)
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        changes = _pypi_sandbox_process.environment(os.environ, home)
        for name, text in (changes | dict(sandbox.ca_environment)).items():
            if text is None:
                patch.delenv(name)
            else:
                patch.setenv(name, text)
        yield sandbox

"""The pytest plug-in, in projects that test uploaders and in those that only have this program installed."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from pypi_preflight.sandbox_process import LoggedRequest, PypiSandbox
from release.sandbox import sandbox_host

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
#: for an environment in which this project was installed before it had the plug-in
LOADED = () if entry_points(group="pytest11", name="pypi_sandbox") else ("-p", "pypi_preflight.pytest_plugin")
#: the outer pytest has imported `release`, which an inner one may want to rewrite
KNOWN = ("-W", "error", "-W", "ignore::pytest.PytestAssertRewriteWarning")
STRICT = (*LOADED, "-p", "no:cacheprovider", *KNOWN, "--strict-markers", "--strict-config")
UPLOAD = f"""
import base64, json, os, socket, subprocess, sys, urllib.error, urllib.request
from pathlib import Path
import pytest

sys.path.insert(0, {str(ROOT)!r})
from tests.sample_distributions import fields, form, wheel, wheel_name

def upload(sandbox, token="account"):
    content, name = wheel(), wheel_name()
    body, kind = form(fields(content, name), filename=name, content=content)
    login = base64.b64encode(("__token__:" + sandbox.tokens[token]).encode()).decode()
    request = urllib.request.Request(sandbox.upload_url, body)
    request.add_header("Content-Type", kind)
    request.add_header("Authorization", "Basic " + login)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
"""
USERS = (
    UPLOAD
    + '''
def test_an_upload(pypi_sandbox):
    assert upload(pypi_sandbox) == 200
    assert pypi_sandbox.files() == pypi_sandbox.files("Acme.Widget") == ["acme_widget-1.0-py3-none-any.whl"]
    assert pypi_sandbox.files("other") == []
    (request,) = pypi_sandbox.log
    assert (request.method, request.status, request.project) == ("POST", 200, "acme-widget")
    pypi_sandbox.yank("acme-widget", "1.0", "broken")
    with urllib.request.urlopen(pypi_sandbox.json_url + "acme-widget/json") as answer:
        assert json.load(answer)["info"]["yanked_reason"] == "broken"
    pypi_sandbox.delete_file("acme_widget-1.0-py3-none-any.whl")
    assert pypi_sandbox.files() == []

def test_credentials_of_this_machine_are_hidden(pypi_sandbox, tmp_path):
    """Neither the variable nor the file that the outer test has set is found."""
    assert "TWINE_PASSWORD" not in os.environ and "ACTIONS_ID_TOKEN_REQUEST_URL" not in os.environ
    assert not (Path.home() / ".pypirc").exists()
    assert pypi_sandbox.log == [], "an index of its own for each test"
    (tmp_path / wheel_name()).write_bytes(wheel())
    words = ["-m", "twine", "upload", "--non-interactive", "--repository-url", pypi_sandbox.upload_url, wheel_name()]
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "Credential not found for username" in done.stdout + done.stderr, done
    assert pypi_sandbox.files() == []

@pytest.mark.pypi_sandbox(tls=True, faults=[{"do": "answer", "status": 503, "when": {"method": "POST", "nth": 1}}])
def test_over_tls_with_a_fault(pypi_sandbox):
    assert pypi_sandbox.upload_url.startswith("https://") and pypi_sandbox.ca_file.exists()
    assert pypi_sandbox.faults == [
        {"do": "answer", "status": 503, "when": {"method": "POST", "nth": 1}}
    ]
    assert [upload(pypi_sandbox), upload(pypi_sandbox)] == [503, 200]
    assert [request.status for request in pypi_sandbox.log] == [503, 200]
    pypi_sandbox.clear_faults()
    pypi_sandbox.inject({"do": "answer", "status": 429}, {"do": "stale", "seconds": 1})
    assert [one["do"] for one in pypi_sandbox.faults] == ["answer", "stale"]

WORLD = {"users": [{"name": "bob", "two_factor": False}], "tokens": [{"name": "bob", "user": "bob"}]}

@pytest.mark.pypi_sandbox(world=WORLD)
def test_a_world(pypi_sandbox, pypi_sandbox_factory):
    assert list(pypi_sandbox.tokens) == ["bob"]
    other = pypi_sandbox_factory(world={"prohibited": ["x"]})
    assert list(other.tokens) == ["account"] and other.upload_url != pypi_sandbox.upload_url
    assert "ACTIONS_ID_TOKEN_REQUEST_URL" in other.ambient
    with pytest.raises(Exception, match="no token is named 'x': use one of account"):
        other.revoke("x")
    with pytest.raises(Exception, match="unknown key user: did you mean 'users'"):
        pypi_sandbox_factory(world={"user": []})

class TestOverridden:
    @pytest.fixture
    def pypi_sandbox_world(self):
        return WORLD

    def test_it(self, pypi_sandbox, monkeypatch):
        monkeypatch.setattr(socket, "socket", None)  # as plug-ins that block the network do
        assert list(pypi_sandbox.tokens) == ["bob"] and pypi_sandbox.log == []
'''
)


MISTAKES = """
import pytest

@pytest.mark.pypi_sandbox(tsl=True)
def test_a_typing_error(pypi_sandbox): ...

@pytest.mark.pypi_sandbox({"users": []})
def test_a_position(pypi_sandbox): ...

@pytest.mark.pypi_sandbox(faults=[{"do": "explode"}])
def test_a_fault(pypi_sandbox): ...

@pytest.mark.pypi_sandbox(faults={"do": "clash"})
def test_faults(pypi_sandbox): ...

@pytest.mark.pypi_sandbox(world=[])
def test_a_list(pypi_sandbox): ...

@pytest.mark.pypi_sandbox(world={"prohibited": {"x"}})
def test_a_set(pypi_sandbox): ...

@pytest.mark.pypi_sandbox(world=None, faults=None, tls=None)
def test_defaults(pypi_sandbox): ...
"""


DOCUMENT = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
DISTRIBUTION = (
    UPLOAD
    + """
@pytest.fixture
def distribution(tmp_path):
    path = tmp_path / wheel_name()
    path.write_bytes(wheel())
    return path
"""
)
EXAMPLES = [text for text in re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL) if "def test" in text]


def test_uploads_are_tested_in_a_few_lines(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINE_PASSWORD", "hunter2")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:9/")
    (pytester.path / ".pypirc").write_text("[pypi]\nusername = __token__\npassword = hunter2\n")
    pytester.makeconftest(DISTRIBUTION)
    pytester.makepyfile(test_documentation="\n".join(EXAMPLES), test_uploads=USERS, test_mistakes=MISTAKES)
    result = pytester.runpytest_inprocess(*STRICT)
    result.assert_outcomes(passed=8, errors=6)
    result.stdout.no_fnmatch_line("During handling of the above exception*")
    result.stdout.fnmatch_lines(
        [
            "the marker pypi_sandbox has the keywords world, faults and tls, not tsl",
            "the marker pypi_sandbox has the keywords world, faults and tls, not {'users': []}",
            "faults[[]0].do: unknown 'explode': use one of *",
            "faults must be a list, not {'do': 'clash'}: write [[]{...}]",
            "world must be a dict, not [[]]: correct the marker or pypi_sandbox_world",
            "Object of type set is not JSON serializable: use only values that JSON has",
        ]
    )


def test_each_attribute_is_documented() -> None:
    table = DOCUMENT.partition("| attribute of the index |")[2].partition("\n\n")[0]
    public = {name for name in vars(PypiSandbox) if not name.startswith("_")} - {"close"}
    assert public <= set(re.findall(r"`(\w+)", table))
    assert set(LoggedRequest.__annotations__) <= set(re.findall(r"`(\w+)", table))


BYSTANDER = """
import runpy
import sys
import release

def test_nothing_is_imported_before_it_is_used():
    loaded = {name.partition(".")[0] for name in sys.modules}
    assert release.VALUE == "theirs"
    assert not loaded & {"requests", "werkzeug", "sqlite3", "packaging.metadata", "twine", "keyring"}
    assert "pypi_preflight.sandbox_process" not in sys.modules

def test_a_module_named_release_is_not_rewritten():
    assert runpy.run_module("release.below")["VALUE"] == "also theirs"

def test_a_module_named_release_is_left_alone(pypi_sandbox):
    assert pypi_sandbox.files() == []
    import release.below
    assert release.VALUE == "theirs" and release.below.VALUE == "also theirs"
"""


def test_a_project_with_a_module_named_release(pytester: pytest.Pytester) -> None:
    pytester.mkpydir("release")
    (pytester.path / "release" / "__init__.py").write_text('VALUE = "theirs"\n')
    (pytester.path / "release" / "below.py").write_text('VALUE = "also theirs"\n')
    installed = pytester.mkdir("pypi_preflight-0.dist-info")  # as a wheel is installed, not as this checkout is
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: pypi-preflight\nVersion: 0\n")
    (installed / "RECORD").write_text("release/__init__.py,,\n")
    (installed / "entry_points.txt").write_text("[pytest11]\npypi_sandbox = pypi_preflight.pytest_plugin\n")
    pytester.makepyfile(BYSTANDER)
    command = [sys.executable, "-m", "pytest", *STRICT]
    done = subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, check=False)
    assert " 3 passed in " in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
def test_with_workers_and_without_the_plug_in(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(USERS)
    pytester.runpytest_subprocess(*STRICT, "-n", "2").assert_outcomes(passed=5)
    pytester.makepyfile("def test_none(): ...")
    pytester.runpytest_subprocess("-p", "no:pypi_sandbox").assert_outcomes(passed=1)


def test_the_plug_in_is_an_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"pypi_sandbox": "pypi_preflight.pytest_plugin"}


def test_the_process_of_the_sandboxes_ends_with_its_input() -> None:
    requests = [
        {"do": "start", "world": {}, "tls": False},
        {"do": "files", "id": 1},
        {"do": "start", "world": {"users": 1}, "tls": False},
        {"do": "stop", "id": 1},
    ]
    answers = io.StringIO()
    sandbox_host.serve_requests(io.StringIO("".join(json.dumps(one) + "\n" for one in requests)), answers)
    hello, started, files, wrong, stopped = map(json.loads, answers.getvalue().splitlines())
    assert "credential_variables" in hello["result"]
    assert started["result"]["upload_url"].startswith("http://127.0.0.1:")
    assert (files, stopped) == ({"result": []}, {"result": None})
    assert wrong["error"] == "users must be a list, not 1"

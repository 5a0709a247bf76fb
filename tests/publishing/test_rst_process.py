"""What a child process renders is what this process would render, and a child that fails changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import release
from release.acceptance.rst_rendering import RendererBrokeError, render_rst
from release.adapters.system.process import Pipe
from release.publishing import early_rst, own_process, own_process_child, rst_process
from release.publishing.early_rst import has_rst_description
from release.publishing.rst_process import RstProcess
from tests import sample_distributions
from tests.adapters.system.test_guardian import alive, wait_until

TEXTS = (
    "Title\n=====\n\nA `link <docs/x>`_, and *emphasis*: ä, \N{SNOWMAN}, \ud800.\n",
    "Title\n=====\n\n.. code-block:: python\n\n   print(1)\n\n.. list-table::\n\n   * - a\n     - b\n",
    "Title\n===\n",
    "Title\n=====\n",
    ".. unknown-directive::\n",
    ":name: value\n\n`broken\n",
    # for each, docutils imports something to fetch it, which it then may not do
    "Title\n=====\n\n.. csv-table::\n   :url: http://127.0.0.1:9/a.csv\n",
    "Title\n=====\n\n.. raw:: html\n   :url: http://127.0.0.1:9/a.html\n",
    "Title\n=====\n\n.. figure:: a.png\n   :figwidth: image\n",
    "",
)
#: longer than any test waits
LONG = "".join(f"Title {n}\n{'=' * 12}\n\n*a* ``b`` `c <d{n}>`_\n\n" for n in range(60_000))
VICTIM = """
import sys, time
from pathlib import Path
from release.publishing.rst_process import RstProcess
render = RstProcess()
render.start_for([Path(sys.argv[1])], {})
render.prepare("".join(f"Title {n}\\n============\\n\\n*a* ``b`` `c <d{n}>`_\\n\\n" for n in range(60_000)))
print(render._pipe._process.pid, flush=True)
time.sleep(600)
"""


#: reports each process, and what was imported before it
SPY = """
import os, subprocess, sys
from pathlib import Path
start = subprocess.Popen
def report(argv, **options):
    print("started", argv[-1], "release.cli.main" in sys.modules, file=sys.stderr)
    return start(argv, **options)
subprocess.Popen = report
from release.publishing import early_rst
early_rst.usable_processors = lambda: 2
sys.argv[0] = "pypi-preflight"
from pypi_preflight.command_line import main
sys.exit(main())
"""


def wheel(directory: Path, kind: str | None = "text/x-rst", body: str = "A widget.\n") -> Path:
    path = directory / sample_distributions.wheel_name()
    extra = (f"Description-Content-Type: {kind}\n" if kind else "") + f"\n{body}"
    path.write_bytes(sample_distributions.wheel(metadata_extra=extra))
    return path


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_rst, "usable_processors", lambda: 2)


@pytest.fixture
def render(tmp_path: Path) -> Iterator[RstProcess]:
    with RstProcess() as process:
        process.start_for([wheel(tmp_path)], os.environ)
        yield process


def child_of(process: RstProcess) -> subprocess.Popen[bytes]:
    assert process._pipe is not None
    return process._pipe._process


def outcome(render: Any, text: str) -> object:
    try:
        return render(text)
    except RendererBrokeError as broke:
        return str(broke)


def test_the_child_renders_like_this_process(render: RstProcess) -> None:
    for text in TEXTS:
        render.prepare(text)
    child = child_of(render)
    assert [outcome(render, text) for text in TEXTS] == [outcome(render_rst, text) for text in TEXTS]
    assert child_of(render) is child


def test_equal_texts_are_rendered_once(render: RstProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[dict[str, Any]] = []
    write = Pipe.write

    def record(pipe: Pipe, message: dict[str, Any]) -> None:
        written.append(message)
        write(pipe, message)

    monkeypatch.setattr(Pipe, "write", record)
    render.prepare("a")
    render.prepare("a")
    assert render("a") == render("a")
    render.prepare("a")
    assert written == [{"text": "a"}]


def test_what_is_not_prepared_is_rendered_here(render: RstProcess) -> None:
    assert render("a") == render_rst("a")
    render.prepare("b")
    render("b")
    render._end()
    assert render("b") == render_rst("b")  # known


def test_results_are_stored_within_a_limit(render: RstProcess) -> None:
    texts = [f"text {number}" for number in range(20)]
    for text in texts:
        render.prepare(text)
    assert [render(text) for text in texts] == list(map(render_rst, texts))
    assert len(render._answers) <= rst_process._STORED


@pytest.mark.parametrize("prepared", [True, False])
def test_a_child_that_was_killed_changes_nothing(render: RstProcess, prepared: bool) -> None:
    if prepared:
        render.prepare("a" * 1_000_000)
    child_of(render).kill()
    child_of(render).wait()
    render.prepare("b")
    assert render("b") == render_rst("b")
    assert render._pipe is None


@pytest.mark.parametrize("answer", [{"is": "rendered", "html": 1, "error": None}, {"is": "other"}])
def test_an_answer_that_is_none_changes_nothing(
    render: RstProcess, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pipe, "read", lambda *_: answer)
    render.prepare("a")
    assert render("a") == render_rst("a")


def test_a_child_that_cannot_start_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("too many processes")

    monkeypatch.setattr(subprocess, "Popen", fail)
    with RstProcess() as process:
        process.start_for([wheel(tmp_path)], os.environ)
        process.prepare("a")
        assert process("a") == render_rst("a")


def test_where_no_thread_can_start_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with RstProcess() as render, monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        render.start_for([wheel(tmp_path)], {})
        render.prepare(TEXTS[0])
        assert render(TEXTS[0]) == render_rst(TEXTS[0])


def test_a_child_whose_libraries_cannot_be_imported_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docutils.py").write_text("raise ImportError")
    with monkeypatch.context() as patched, RstProcess() as process:
        patched.syspath_prepend(tmp_path)
        process.start_for([wheel(tmp_path)], os.environ)
        child_of(process)
        process.prepare("a")
        assert process("a") == render_rst("a")
        assert process._pipe is None


def test_nothing_is_started_where_it_does_not_pay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *arguments, **_: started.append(arguments))
    sdist = tmp_path / sample_distributions.sdist_name()
    sdist.write_bytes(sample_distributions.sdist())
    with RstProcess() as process:
        process.start_for([], {})
        process.start_for([sdist, tmp_path / "missing-1.0-py3-none-any.whl"], {})
        process.start_for([wheel(tmp_path, "text/markdown")], {})
        monkeypatch.setattr(early_rst, "usable_processors", lambda: 1)
        process.start_for([wheel(tmp_path)], {})
        process.prepare("a")
        assert process("a") == render_rst("a")
    assert started == []


def test_which_wheels_seem_to_have_such_a_description(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert has_rst_description(wheel(tmp_path))
    assert has_rst_description(wheel(tmp_path, None))
    assert has_rst_description(wheel(tmp_path, "text/x-rst; charset=UTF-8"))
    assert not has_rst_description(wheel(tmp_path, "text/markdown"))
    assert not has_rst_description(wheel(tmp_path, "text/plain", "Description-Content-Type: text/x-rst\n"))
    assert not has_rst_description(wheel(tmp_path, body=" \n"))
    path = wheel(tmp_path)
    monkeypatch.setattr(early_rst, "_LARGEST_WHEEL", path.stat().st_size - 1)
    assert not has_rst_description(path)
    monkeypatch.undo()
    path.write_bytes(path.read_bytes()[:200])
    assert not has_rst_description(path)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads the environment of a process in /proc")
def test_the_child_gets_no_secret_and_no_setting(tmp_path: Path) -> None:
    env = {**os.environ, "TWINE_PASSWORD": "secret", "PYTHONPATH": "/x", "HOME": "/x", "LANG": "C.UTF-8"}
    with RstProcess() as process:
        process.start_for([wheel(tmp_path)], env)
        process.prepare("a")
        process("a")
        found = Path(f"/proc/{child_of(process).pid}/environ").read_bytes().split(b"\0")
    assert {one.partition(b"=")[0].decode() for one in found if one} <= {*own_process.PASSED}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a symbolic link")
def test_a_library_hides_no_module_of_python_from_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "release").symlink_to(Path(release.__file__).parent)
    (tmp_path / "queue.py").write_text("raise SystemExit\n", encoding="utf-8")
    monkeypatch.setattr(release, "__file__", str(tmp_path / "release" / "__init__.py"))
    with RstProcess() as render:
        render.start_for([wheel(tmp_path)], os.environ)
        render.prepare(TEXTS[0])
        assert render(TEXTS[0]) == render_rst(TEXTS[0])
        assert render._pipe is not None, "it has answered"


def test_ctrl_c_ends_the_child(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), RstProcess() as process:
        process.start_for([wheel(tmp_path)], os.environ)
        child = child_of(process)
        process.prepare(LONG)
        raise KeyboardInterrupt
    assert child.poll() is not None


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_child_that_renders_ends_with_its_parent(tmp_path: Path) -> None:
    words = [sys.executable, "-c", VICTIM, str(wheel(tmp_path))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        wait_until(lambda: not alive(pid))


def test_the_module_of_the_child_imports_nothing_that_takes_long() -> None:
    program = f"import sys, {own_process_child.__name__}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"packaging", "msgspec", "docutils", "release.core.errors"} & set(done.stdout.split())


def test_a_child_that_was_started_early_is_used(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    early_rst.start_early([str(path), "other.whl"], os.environ)
    (early,) = early_rst._started.values()
    assert early is not None
    with RstProcess() as process:
        process.start_for([path], os.environ)
        assert child_of(process) is early
        process.prepare("a")
        assert process("a") == render_rst("a")
    assert early.poll() is not None
    assert not early_rst._started


def test_a_child_that_was_started_early_for_another_file_ends(tmp_path: Path) -> None:
    early_rst.start_early([str(wheel(tmp_path))], os.environ)
    (early,) = early_rst._started.values()
    assert early is not None
    (tmp_path / "other").mkdir()
    with RstProcess() as process:
        process.start_for([wheel(tmp_path / "other", "text/markdown")], os.environ)
        assert process._pipe is None
        process.start_for([wheel(tmp_path / "other")], os.environ)
        assert child_of(process) is not early
    early_rst._end()
    assert early.poll() is not None


@pytest.mark.parametrize("kind", ["text/x-rst", "text/markdown"])
def test_the_program_starts_one_child_before_it_imports_its_commands(kind: str, tmp_path: Path) -> None:
    path = wheel(tmp_path, kind)
    argv = [sys.executable, "-c", SPY, "inspect", str(path)]
    done = subprocess.run(argv, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stderr.split() == (["started", "rst_handler", "False"] if kind == "text/x-rst" else [])


def test_the_program_ends_its_child_after_a_wrong_option(tmp_path: Path) -> None:
    argv = [sys.executable, "-X", "dev", "-c", SPY, "inspect", "--wrong", str(wheel(tmp_path))]
    done = subprocess.run(argv, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 2
    assert done.stderr.startswith("started rst_handler False\n")
    assert "ResourceWarning" not in done.stderr

"""Judge mutants by the tests of their package: `python -m tests.mutation.judging core --sample 15`.

pytest collects the tests once. A forked process runs them all and records which of them reach which line; then each
mutant gets a forked process of its own, in which the changed function replaces the original, and which ends at the
first test that fails. Limits are of CPU time, so that a busy machine changes no verdict.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import importlib
import json
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

import coverage
import pytest

from tests.mutation.mutants import ROOT, Mutant, modules_of, sample

SEED = "1"
#: seconds of CPU that the tests of one mutant may take together, without it; the nearest and fastest come first
_BUDGET = 4.0
#: seconds of CPU, and bytes, that a mutant may take
_CPU, _MEMORY = 10, 3 << 30
#: seconds, for a mutant that waits without end
_WAIT = 240
_NOT_REPLACED = 3
#: verdicts: a test failed; the mutant took too much of what is limited
_KILLED = {"failed", "stopped"}

Chosen = tuple[Mutant, types.CodeType]


class Judge:
    """A pytest plug-in that runs the collected tests against mutants."""

    def __init__(self, modules: Sequence[str], choose: Callable[[str], Sequence[Chosen]], report: Path | None) -> None:
        self._modules, self._choose, self._report = modules, choose, report
        self._failed = False
        self._folder = Path()

    def pytest_configure(self) -> None:
        import hypothesis  # pytest rewrites it before

        hypothesis.settings.register_profile("mutation", derandomize=True, database=None, deadline=None)
        hypothesis.settings.load_profile("mutation")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]
        self._folder = factory.getbasetemp()
        for module in self._modules:
            importlib.import_module(f"release.{module}".removesuffix(".__init__"))
        self._memory = _Memory()
        gc.collect()
        gc.freeze()
        baseline = self._baseline(session.items)
        verdicts: dict[str, str] = {}
        for module in self._modules:
            started = time.monotonic()
            chosen = self._choose(module)
            for mutant, code in chosen:
                verdicts[mutant.name] = self._verdict(mutant, code, baseline.near(mutant, session.items))
                if verdicts[mutant.name] not in _KILLED:
                    _print(f"  {verdicts[mutant.name]}: {mutant.name}")
            dead = sum(verdicts[mutant.name] in _KILLED for mutant, _ in chosen)
            _print(f"{module}: {dead} of {len(chosen)} killed, {time.monotonic() - started:.0f} s")
        if self._report:
            self._report.write_text(json.dumps(verdicts, indent=1, ensure_ascii=False), "utf-8")
        dead = sum(one in _KILLED for one in verdicts.values())
        _print(f"{dead} of {len(verdicts)} mutants killed")
        return True

    def _baseline(self, items: Sequence[pytest.Item]) -> _Baseline:
        told = self._folder / "baseline"
        status = self._forked(lambda: self._measure(items, told), cpu=None)
        if status != 0:
            raise pytest.UsageError(f"the tests without a mutant ended with status {status}")
        found: _Baseline = pickle.loads(told.read_bytes())  # noqa: S301 - written by the process that was forked
        return found

    def _measure(self, items: Sequence[pytest.Item], told: Path) -> None:
        measured = coverage.Coverage(data_file=None, source=[str(ROOT / "release")], config_file=False)
        measured.start()
        costs: dict[int, float] = {}
        for number, item in enumerate(items):
            measured.switch_context(str(number))
            self._failed, started = False, time.process_time()
            _run(item, items[number + 1] if number + 1 < len(items) else None)
            if self._failed:
                _print(f"  fails without a mutant, and judges none: {item.nodeid}")
            else:
                costs[number] = time.process_time() - started
        measured.stop()
        data = measured.get_data()
        reached = {name: data.contexts_by_lineno(name) for name in data.measured_files()}
        told.write_bytes(pickle.dumps(_Baseline(costs, reached)))

    def _verdict(self, mutant: Mutant, code: types.CodeType, items: Sequence[pytest.Item]) -> str:
        if not items:
            return "not reached"

        def judged() -> None:
            self._memory.replace(mutant, code)
            for item, following in zip(items, [*items[1:], None], strict=True):
                _run(item, following)
                if self._failed:
                    os._exit(1)

        status = self._forked(judged, cpu=_CPU)
        if status == _NOT_REPLACED:
            raise AssertionError(f"the function is nowhere in memory: {mutant.name}")
        return "survived" if status == 0 else "failed" if status == 1 else "stopped"

    def _forked(self, work: Callable[[], None], *, cpu: int | None) -> int:
        """The status of a process that does the work; negative if it was ended by a signal."""
        process = os.fork()
        if process == 0:
            _work_and_end(work, cpu)
        until = time.monotonic() + _WAIT
        pause = 0.001
        while not (ended := os.waitpid(process, os.WNOHANG))[0]:
            if cpu is not None and time.monotonic() > until:
                os.killpg(process, signal.SIGKILL)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)  # what its tests have started
        for made in self._folder.iterdir():
            if made.is_dir():
                shutil.rmtree(made, ignore_errors=True)
        return os.waitstatus_to_exitcode(ended[1])


class _Baseline:
    """Which tests, by number, pass without a mutant: their seconds of CPU, and what each line is reached by."""

    def __init__(self, costs: dict[int, float], reached: dict[str, dict[int, list[str]]]) -> None:
        self._costs, self._reached = costs, reached

    def near(self, mutant: Mutant, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        lines = self._reached.get(str(mutant.path), {})
        numbers = {int(one) for line in mutant.lines for one in lines.get(line, ()) if one}
        own = f"test_{mutant.module.rpartition('.')[2]}.py"
        passing = [one for one in numbers if one in self._costs]
        ordered = sorted(passing, key=lambda one: (items[one].path.name != own, self._costs[one]))
        chosen, spent = [], 0.0
        for one in ordered:
            if spent > _BUDGET:
                break
            spent += self._costs[one]
            chosen.append(items[one])
        return chosen


def _run(item: pytest.Item, following: pytest.Item | None) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


class _Memory:
    """The functions in memory, by name, first line and file; and the caches, which may hold old results."""

    def __init__(self) -> None:
        self._functions: dict[tuple[str, int, str], list[types.FunctionType]] = {}
        self._caches = []
        for one in gc.get_objects():
            if isinstance(one, types.FunctionType) and one.__module__ and one.__module__.startswith("release."):
                code = one.__code__
                key = (code.co_qualname, code.co_firstlineno, code.co_filename)
                self._functions.setdefault(key, []).append(one)
            elif isinstance(one, functools._lru_cache_wrapper) and str(one.__module__).startswith("release."):
                self._caches.append(one)

    def replace(self, mutant: Mutant, code: types.CodeType) -> None:
        for one in self._functions.get((mutant.function, mutant.first_line, str(mutant.path))) or os._exit(
            _NOT_REPLACED
        ):
            one.__code__ = code
        for cache in self._caches:
            cache.cache_clear()


def _work_and_end(work: Callable[[], None], cpu: int | None) -> NoReturn:
    try:
        os.setpgid(0, 0)
        if cpu is not None:
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nothing, stream)
            resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
            resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
        work()
        os._exit(0)
    except BaseException as problem:  # noqa: BLE001 - the process ends here, in any case
        _print(f"{type(problem).__name__}: {problem}")
        os._exit(1)


def _print(line: str) -> None:
    print(line, file=sys.__stderr__, flush=True)


def main(words: Iterable[str] | None = None) -> int:
    """Judge the mutants of packages or modules below `release`; the exit status is pytest's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", help="core, credentials or publishing")
    parser.add_argument("--modules", nargs="*", help="only these: core.errors")
    parser.add_argument("--tests", nargs="*", help="by these tests (default: those of the package)")
    parser.add_argument("--sample", default="15", help="mutants of each module, or `all` (default: 15)")
    parser.add_argument("--seed", default=SEED)
    parser.add_argument("--survivors", type=Path, help="a report: only the mutants that survived in it")
    parser.add_argument("--report", type=Path, help="a JSON file to write: the verdict on each mutant by its name")
    options = parser.parse_args(None if words is None else list(words))
    size, among = None if options.sample == "all" else int(options.sample), None
    if options.survivors:
        verdicts = json.loads(options.survivors.read_text("utf-8"))
        size, among = None, {name for name, verdict in verdicts.items() if verdict not in _KILLED}
    modules = options.modules or modules_of(options.package)
    if among is not None:
        modules = [one for one in modules if any(name.startswith(f"{one}:") for name in among)]
    judge = Judge(
        modules,
        lambda module: sample(module, size=size, seed=options.seed, among=among),
        options.report and options.report.absolute(),
    )
    tests = options.tests or [f"tests/{options.package}"]
    with tempfile.TemporaryDirectory() as folder:
        settings = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--capture=sys", f"--basetemp={folder}/tests"]
        return int(pytest.main([*settings, *tests], plugins=[judge]))


if __name__ == "__main__":
    raise SystemExit(main())

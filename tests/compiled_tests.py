"""Compile the modules with tests once for all workers: to rewrite their assertions takes half of a collection.

A script, which the nox session runs. pytest finds what it leaves in `__pycache__`, and compiles what is missing or of
another source. Without it each worker compiles each module, as all of them collect at the same time; and does so in
every run where PYTHONDONTWRITEBYTECODE is set.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from _pytest.assertion import rewrite

_ROOT = Path(__file__).parents[1]


def compile_tests(root: Path) -> None:
    """Compile `tests/**/test_*.py` under `root`, on all processors. A mistake in a module is pytest's to report."""
    modules = sorted(root.glob("tests/**/test_*.py"), key=lambda path: path.stat().st_size, reverse=True)
    with ProcessPoolExecutor() as pool:
        list(pool.map(_compile_module, modules))


def _compile_module(path: Path) -> None:
    state: Any = SimpleNamespace(trace=lambda _message: None)
    default: Any = None  # the configuration, for the one option that changes what is written
    directory = rewrite.get_cache_dir(path)
    directory.mkdir(parents=True, exist_ok=True)
    try:
        source, code = rewrite._rewrite_test(path, default)
    except (SyntaxError, ValueError):
        return
    rewrite._write_pyc(state, code, source, directory / (path.stem + rewrite.PYC_TAIL))


if __name__ == "__main__":
    compile_tests(_ROOT)

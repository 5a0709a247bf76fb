"""The order of the verbs, for people: the product's own tasks, and this project's."""

import subprocess
import sys

from invoke.context import Context
from invoke.tasks import task

from pypi_preflight import tasks

namespace = tasks.collection()


@task(auto_shortflags=False)
def test(_: Context) -> None:
    """Run tests, linter and type checker, each in its environment."""
    subprocess.run([sys.executable, "-m", "nox"], check=True)


namespace.add_task(test)

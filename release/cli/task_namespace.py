"""The namespace of a project's `tasks.py`: the tasks of this program, and the project's own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.tasks import Task


class TaskNamespace(Collection):
    """Tasks of this program next to those of the file that asked for them: none replaces or hides another one.

    `name`: of a collection in another namespace; `prefix`: put before each name; `file`: the variables of that file.
    """

    def __init__(self, tasks: Iterable[Task[Any]], *, name: str | None, prefix: str, file: Mapping[str, Any]) -> None:
        super().__init__(*([name] if name else []))
        # a function, because Invoke copies collections with all that they have, but no functions
        self._values: Callable[[], list[Any]] = lambda: list(file.values())
        self._own: set[str] = set()
        for one in tasks:
            renamed = copy.copy(one)
            renamed.aliases = tuple(f"{prefix}{alias}" for alias in one.aliases)
            super().add_task(renamed, f"{prefix}{one.name}")
        self._own = set(self.tasks)

    def add_task(
        self,
        task: Task[Any],
        name: str | None = None,
        aliases: tuple[str, ...] | None = None,
        default: bool | None = None,
    ) -> None:
        """As `Collection.add_task`, which would replace a task of the same name. Raises `Exit` instead."""
        for word in map(self.transform, [name or task.name, *task.aliases, *(aliases or ())]):
            if word in self._own and self.tasks[word].body is not task.body:
                raise _clash(word, task.body)
            self._give_way(word)
        super().add_task(task, name, aliases, default)

    def add_collection(self, coll: Any, name: str | None = None, default: bool | None = None) -> None:
        """As `Collection.add_collection`. Raises `Exit` where it has the name of a task."""
        word = self.transform(name or getattr(coll, "name", None) or "")
        if word in self._own:
            raise _clash(word, None)
        super().add_collection(coll, name, default)

    def _give_way(self, word: str) -> None:
        """Let a task of the file have a name that is only an alias here."""
        if word in self.tasks.aliases:
            one = self.tasks[self.tasks.aliases[word]]
            one.aliases = tuple(alias for alias in one.aliases if self.transform(alias) != word)
            del self.tasks.aliases[word]

    def __bool__(self) -> bool:
        """Invoke asks whether the namespace of a file has tasks when the whole file has run.

        It would then hide the tasks of the file, its own and imported ones, that are not in the namespace.
        Source: invoke 3.0.3, `Collection.from_module`.
        """
        there = {id(one.body) for one in _all_tasks(self)}
        for value in self._values():
            if isinstance(value, Task) and id(value.body) not in there:
                self.add_task(value)
        return super().__bool__()


def _all_tasks(namespace: Collection) -> Iterator[Task[Any]]:
    yield from namespace.tasks.values()
    for below in namespace.collections.values():
        yield from _all_tasks(below)


def _clash(name: str, body: Any) -> Exit:
    code = getattr(body, "__code__", None)
    place = f"{Path(code.co_filename).name}, line {code.co_firstlineno}" if code else "this file"
    return Exit(
        f"two tasks are named {name!r}: one in {place}, and one from tasks.collection() of pypi_preflight\n"
        '→ give those of pypi_preflight a prefix: namespace = tasks.collection(prefix="release-")',
        code=2,
    )

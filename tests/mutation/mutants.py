"""Mutants of the functions of a package: each is one change of mutmut's operators to one function.

mutmut's own runner leaves out decorated functions (each property of a dataclass) and runs the tests from a copy of the
sources; here the changed function takes the place of the original in a forked process, see `judging`.
"""

from __future__ import annotations

import codecs
import functools
import hashlib
import itertools
import types
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libcst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).parents[2]
#: characters around a change that name it
_CONTEXT = 30
#: arguments that a change cannot make wrong on the platforms that run the tests, or that only state what holds anyway
_NO_EFFECT = ("encoding", "strict")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change to one function."""

    #: below `release`, with dots: core.errors
    module: str
    #: as Python names it: Class.method
    function: str
    #: the changed part of the source, and what it becomes; spaces are folded
    was: str
    now: str
    #: among the mutants of the function with the same `was` and `now`, from 1
    occurrence: int
    #: lines of the statement that is changed, from 1
    lines: range
    #: first line of the function, with its decorators
    first_line: int
    node: Any
    replacement: Any
    tree: Any
    #: the source of the module, and where the node is in it
    text: str
    place: slice

    @property
    def name(self) -> str:
        return f"{self.module}:{self.function}: {self.was} -> {self.now}" + (
            f" ({self.occurrence})" if self.occurrence > 1 else ""
        )

    @property
    def path(self) -> Path:
        return source_of(self.module)

    def code(self) -> types.CodeType | None:
        """The changed function; None where the change is no Python, or changes no code."""
        try:
            changed = _function_code(_compiled(self._source(), self.path), self)
        except SyntaxError:
            return None
        original = _function_code(_compiled(self.text, self.path), self)
        if changed is None or original is None or changed.co_freevars != original.co_freevars:
            return None
        return None if changed == original else changed

    def _source(self) -> str:
        if isinstance(self.node, libcst.Match):  # of several lines, whose indentation its own text does not have
            whole: str = self.tree.deep_replace(self.node, self.replacement).code
            return whole
        part: str = self.tree.code_for_node(self.replacement)
        return f"{self.text[: self.place.start]}{part}{self.text[self.place.stop :]}"


@functools.lru_cache(maxsize=2)  # the original serves all mutants of a module
def _compiled(source: str, path: Path) -> types.CodeType:
    return compile(source, str(path), "exec", dont_inherit=True)


def source_of(module: str) -> Path:
    """The file of a module below `release`."""
    path = ROOT.joinpath("release", *module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def modules_of(package: str) -> list[str]:
    """The modules of a package below `release`, with dots; in order."""
    found = []
    for path in sorted((ROOT / "release" / package).rglob("*.py")):
        parts = path.relative_to(ROOT / "release").with_suffix("").parts
        found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


def sample(
    module: str, *, size: int | None, seed: str, among: Collection[str] | None = None
) -> list[tuple[Mutant, types.CodeType]]:
    """A module's mutants with the lowest hashes; all of them if `size` is None. `among`: the names to choose from.

    The hash is of what the mutant changes and of `seed`: an edit elsewhere in the module leaves the sample as it is.
    """
    known = (one for one in mutants_of(module) if among is None or one.name in among)
    ranked = sorted(known, key=lambda one: hashlib.sha256(f"{seed} {one.name}".encode()).digest())
    chosen: list[tuple[Mutant, types.CodeType]] = []
    for one in ranked:
        if size is not None and len(chosen) == size:
            break
        if (code := one.code()) is not None:
            chosen.append((one, code))
    return chosen


def mutants_of(module: str) -> Iterator[Mutant]:
    """Each change of mutmut's operators to a body of a function of the module."""
    text = source_of(module).read_text("utf-8")
    wrapper = MetadataWrapper(libcst.parse_module(text))
    places: Any = wrapper.resolve(PositionProvider)
    starts = [0, *itertools.accumulate(map(len, text.splitlines(keepends=True)))]
    seen: Counter[tuple[str, str, str]] = Counter()
    for function, name in _functions(wrapper.module, ""):
        first = places[function.decorators[0] if function.decorators else function].start.line
        for node, statement in _mutable(function.body, function.body):
            for replacement in _replacements(node):
                span, place = places[node], places[statement]
                was, now = _difference(*(_folded(wrapper.module, one) for one in (node, replacement)))
                seen[name, was, now] += 1
                yield Mutant(
                    module=module, function=name, was=was, now=now, occurrence=seen[name, was, now],
                    lines=range(place.start.line, place.end.line + 1), first_line=first,
                    node=node, replacement=replacement, tree=wrapper.module, text=text,
                    place=slice(*(starts[one.line - 1] + one.column for one in (span.start, span.end))),
                )  # fmt: skip


def _replacements(node: Any) -> Iterator[Any]:
    for kind, operator in mutation_operators:
        for one in operator(node) if isinstance(node, kind) else ():
            if _ineffective(node) == _ineffective(one) and not _is_same_codec(node, one):
                yield one


def _ineffective(node: Any) -> list[int]:
    """The arguments of a call that have no effect, as they are in memory."""
    return [id(one) for one in node.args if _has_no_effect(one)] if isinstance(node, libcst.Call) else []


def _is_same_codec(one: Any, other: Any) -> bool:
    """Whether both are names of one encoding: "utf-8" and "UTF-8"."""
    if not (isinstance(one, libcst.SimpleString) and isinstance(other, libcst.SimpleString)):
        return False
    names = (one.evaluated_value, other.evaluated_value)
    try:
        first, second = (codecs.lookup(name).name for name in names if isinstance(name, str))
    except (LookupError, ValueError):
        return False
    return first == second


def _functions(node: Any, prefix: str) -> Iterator[tuple[Any, str]]:
    """Functions of a module and methods of its classes; functions in functions are part of the outer one."""
    for child in node.children:
        if isinstance(child, libcst.FunctionDef):
            yield child, prefix + child.name.value
        elif isinstance(child, libcst.ClassDef):
            yield from _functions(child, f"{prefix}{child.name.value}.")
        else:
            yield from _functions(child, prefix)


def _mutable(node: Any, statement: Any) -> Iterator[tuple[Any, Any]]:
    """What may be changed in a function, each with the statement, or the head of one, that it is part of."""
    if isinstance(node, (libcst.Annotation, libcst.Decorator, libcst.Param)) or _has_no_effect(node):
        return
    if (
        isinstance(node, (libcst.SimpleStatementLine, libcst.BaseExpression))
        and not isinstance(statement, (libcst.SimpleStatementLine, libcst.BaseExpression))
    ) or isinstance(node, (libcst.BaseCompoundStatement, libcst.MatchCase)):
        statement = node
    yield node, statement
    for child in node.children:
        yield from _mutable(child, statement)


def _has_no_effect(node: Any) -> bool:
    if isinstance(node, libcst.Arg) and node.keyword is not None:
        return node.keyword.value in _NO_EFFECT
    if isinstance(node, libcst.Call):  # a hint for the type checker
        return isinstance(node.func, libcst.Name) and node.func.value == "cast"
    return isinstance(node, libcst.Assert)


def _folded(tree: Any, node: Any) -> str:
    return " ".join(tree.code_for_node(node).split())


def _difference(was: str, now: str) -> tuple[str, str]:
    """Both without what they have in common at the ends, but for some characters of context."""
    start = 0
    while start < min(len(was), len(now)) and was[start] == now[start]:
        start += 1
    end = 0
    while end < min(len(was), len(now)) - start and was[-1 - end] == now[-1 - end]:
        end += 1
    start, end = max(0, start - _CONTEXT), max(0, end - _CONTEXT)
    return was[start : len(was) - end], now[start : len(now) - end]


def _function_code(code: types.CodeType, mutant: Mutant) -> types.CodeType | None:
    if (code.co_qualname, code.co_firstlineno) == (mutant.function, mutant.first_line):
        return code
    inner = (one for one in code.co_consts if isinstance(one, types.CodeType))
    return next((found for one in inner if (found := _function_code(one, mutant)) is not None), None)

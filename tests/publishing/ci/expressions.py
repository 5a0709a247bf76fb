"""The expressions of GitHub Actions, as far as the generated workflows use them.

Source: GitHub documentation, "Evaluate expressions in workflows and actions".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|&&|\|\||==|!=|[!()\[\],]|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*|\d+)")
_STATUS = {"success", "failure", "cancelled", "always"}


@dataclass
class _Parser:
    text: str
    contexts: Mapping[str, Any]
    #: name of a status function → its result
    status: Mapping[str, bool]
    tokens: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        position = 0
        while self.text[position:].strip():
            found = _TOKEN.match(self.text, position)
            assert found, f"not an expression: {self.text!r}, at {self.text[position:]!r}"
            self.tokens.append(found[1])
            position = found.end()

    def accept(self, *tokens: str) -> str | None:
        return self.tokens.pop(0) if self.tokens and self.tokens[0] in tokens else None

    def either(self) -> Any:
        left = self.both()
        while self.accept("||"):
            right = self.both()
            left = left or right
        return left

    def both(self) -> Any:
        left = self.comparison()
        while self.accept("&&"):
            right = self.comparison()
            left = left and right
        return left

    def comparison(self) -> Any:
        left = self.one()
        while operator := self.accept("==", "!="):
            left = (left == self.one()) == (operator == "==")
        return left

    def one(self) -> Any:
        if self.accept("!"):
            return not self.one()
        if self.accept("("):
            value = self.either()
            assert self.accept(")")
            return value
        token = self.tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdigit():
            return int(token)
        return self.call(token) if self.accept("(") else self.look_up(token)

    def call(self, name: str) -> Any:
        arguments = []
        while not self.accept(")"):
            arguments.append(self.either())
            self.accept(",")
        if name in _STATUS:
            return self.status[name]
        assert name == "fromJSON", f"unknown function {name!r}"
        return json.loads(arguments[0])

    def look_up(self, path: str) -> Any:
        """A context; what is missing is an empty text, as in every expression."""
        value: Any = self.contexts
        for name in path.split("."):
            value = value.get(name, "") if isinstance(value, Mapping) else ""
        return value


def evaluate(text: str, contexts: Mapping[str, Any], status: Mapping[str, bool] | None = None) -> Any:
    """The value of an expression, with or without `${{ }}` around it."""
    found = re.fullmatch(r"\s*\$\{\{(.*)\}\}\s*", text, re.DOTALL)
    parser = _Parser(found[1] if found else text, contexts, status or {})
    value = parser.either()
    assert not parser.tokens, f"{text!r} goes on with {parser.tokens}"
    return value


def calls_status(text: str) -> bool:
    """Whether a condition calls a status function: if not, `success()` is a part of it."""
    return re.search(r"\b(success|failure|cancelled|always)\(\)", text) is not None


def fill_in(value: Any, contexts: Mapping[str, Any]) -> Any:
    """A value of a workflow with the expressions in it replaced; one that is a whole expression keeps its type."""
    if isinstance(value, Mapping):
        return {key: fill_in(one, contexts) for key, one in value.items()}
    if isinstance(value, list):
        return [fill_in(one, contexts) for one in value]
    if not isinstance(value, str) or "${{" not in value:
        return value
    if re.fullmatch(r"\s*\$\{\{((?!\}\}).)*\}\}\s*", value, re.DOTALL):
        return evaluate(value, contexts)
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(evaluate(found[1], contexts)), value, flags=re.DOTALL)

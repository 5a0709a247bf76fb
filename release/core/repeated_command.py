"""A command of this program for its user to run: the one that repeats a run, and those that are derived of it."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from release.core.shell import ShellName, command_line


class RepeatedCommand(Struct, frozen=True, kw_only=True):
    """A command with its options; as `str`, it is quoted for its shell."""

    #: for example ("set", "check")
    verb: tuple[str, ...]
    #: what follows the verb
    arguments: tuple[str, ...] = ()
    #: each option with its values, in order; a flag has none
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()
    shell: ShellName = "posix"

    def __str__(self) -> str:
        words = ["pypi-preflight", *self.verb, *self.arguments]
        for name, values in self.options:
            # a parser takes a value that starts with a dash for an option
            words += [f"{name}={values[0]}"] if len(values) == 1 and values[0].startswith("-") else [name, *values]
        return command_line(self.shell, *words)

    def with_verb(self, *verb: str) -> RepeatedCommand:
        """Another command with the same options."""
        return replace(self, verb=verb)

    def with_option(self, *option: str) -> RepeatedCommand:
        """With an option and its values, in place of the same one before: `("--only", "a", "b")`; () is none."""
        if not option:
            return self
        return replace(self, options=(*self.without(option[0]).options, (option[0], option[1:])))

    def without(self, *names: str) -> RepeatedCommand:
        """Without these options."""
        return replace(self, options=tuple(one for one in self.options if one[0] not in names))

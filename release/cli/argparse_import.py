"""Import argparse without what it does not need here."""

from __future__ import annotations

import sys

from release.core.substitute_modules import module_of, substitute_modules

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def import_argparse() -> None:
    """Import argparse without `gettext`, which searches the disk for translations of each text: there are none."""
    if "argparse" in sys.modules:
        return
    with untranslated():
        import argparse  # noqa: F401 - for the modules that import it after this


def untranslated() -> AbstractContextManager[None]:
    """Within the block, what is imported gets functions in place of those of `gettext` that translate nothing."""
    return substitute_modules({"gettext": module_of(gettext=_untranslated, ngettext=_untranslated_plural)})


def _untranslated(message: str) -> str:
    return message


def _untranslated_plural(singular: str, plural: str, n: int) -> str:
    return singular if n == 1 else plural

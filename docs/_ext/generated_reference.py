"""The parts of the reference that are generated while the site is built.

A comment `<!-- generated: NAME -->` on a line of its own is replaced by the text of that name. The command line is
rendered by sphinx-argparse-cli, from `all_commands`.
"""

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pygments.lexer import RegexLexer, bygroups
from pygments.token import Generic, Text

from release.reports.schema_page import schema_to_markdown

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
CONFIG_SCHEMA = ROOT / "release" / "core" / "config.schema.json"
_MARK = re.compile(r"^<!-- generated: (\S+) -->$", re.MULTILINE)


def all_commands() -> argparse.ArgumentParser:
    """The command line, with the options of every command."""
    from release.cli.parser import full_parser

    return full_parser()


def fill_in(text: str) -> str:
    """The source of a page with what is generated in it. Raises KeyError for a name that is not known."""
    return _MARK.sub(lambda found: _generated(found[1]), text)


def _generated(name: str) -> str:
    if name == "configuration":
        return _configuration()
    return schema_to_markdown(_read_schema(ROOT / name), level=2)


def _configuration() -> str:
    """Every key of `[tool.release]`."""
    return schema_to_markdown(_read_schema(CONFIG_SCHEMA), level=2, prefix="tool.release")


def _read_schema(path: Path) -> dict[str, object]:
    schema: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def copy_schemas(site: Path) -> None:
    """Copy the JSON Schemas of the package into the site, where their identifiers lead."""
    (site / "schemas").mkdir(exist_ok=True)
    for path in sorted((ROOT / "release").rglob("*.schema.json")):
        shutil.copyfile(path, site / "schemas" / path.name)


class TranscriptLexer(RegexLexer):
    """A transcript: commands after `$` in the first column, and what they print, which may contain `$` as well."""

    name = "Transcript"
    aliases = ("console",)
    tokens = {  # noqa: RUF012 - as Pygments declares it
        "root": [(r"^(\$ )(.*\n)", bygroups(Generic.Prompt, Text)), (r"^.*\n", Generic.Output)]
    }


def setup(app: "Sphinx") -> dict[str, object]:
    app.add_lexer("console", TranscriptLexer)

    def on_source_read(_app: "Sphinx", _name: str, content: list[str]) -> None:
        content[0] = fill_in(content[0])

    def on_build_finished(built: "Sphinx", failure: Exception | None) -> None:
        if failure is None and built.builder.format == "html":
            copy_schemas(Path(built.outdir))

    app.connect("source-read", on_source_read)
    app.connect("build-finished", on_build_finished)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

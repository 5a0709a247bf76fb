"""The parts of the reference that are generated while the site is built.

A comment `<!-- generated: NAME -->` on a line of its own is replaced by the text of that name. The command line is
rendered by sphinx-argparse-cli, from `all_commands`.
"""

import argparse
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

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
    """Every key, from the JSON Schema; without one, the commented example of the README."""
    if CONFIG_SCHEMA.is_file():
        return schema_to_markdown(_read_schema(CONFIG_SCHEMA), level=2, prefix="tool.release")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n.*?^```$", readme, re.DOTALL | re.MULTILINE)
    return str(block)


def _read_schema(path: Path) -> dict[str, object]:
    schema: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def setup(app: "Sphinx") -> dict[str, object]:
    def on_source_read(_app: "Sphinx", _name: str, content: list[str]) -> None:
        content[0] = fill_in(content[0])

    app.connect("source-read", on_source_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

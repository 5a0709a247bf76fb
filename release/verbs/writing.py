"""What every verb writes with."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from typing import Any

Write = Callable[[str], None]


def show(options: argparse.Namespace, write: Write, document: Any, lines: Iterable[str]) -> None:
    """Write the document where JSON is asked for, else the lines."""
    write(as_json(document) if options.json else "".join(f"{line}\n" for line in lines))


def as_json(document: Any) -> str:
    return json.dumps(document, indent=2) + "\n"

"""Docstrings as Markdown: examples fenced, names of other objects as code."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^( *)>>> .*(?:\n\1\S.*)*", re.MULTILINE)
ROLE = re.compile(r":(?:func|class|data|meth|mod|attr):`~?([^`]+)`")


class Docstrings(griffe.Extension):
    """Rewrites every docstring once, as it is loaded."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Fence what starts with ``>>>`` up to the next empty line; roles of other generators become code."""
        if obj.docstring:
            text = ROLE.sub(r"`\1`", obj.docstring.value)
            obj.docstring.value = EXAMPLE.sub(_fenced, text)


def _fenced(match: re.Match[str]) -> str:
    indent = match[1]
    return f"{indent}```pycon\n{match[0]}\n{indent}```"

"""Templates: what they show comes from data, and is text wherever it stands."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from attnclust.report._math import display, math

_MARKS = re.compile(r"([\\`*_\[\]<>|~$&])")
_LINKED = re.compile(r"(@|#(?=\d)|://|www\.)")
_LIST = re.compile(r"^(\d*)([-+#.)]\s)")
_TICKS = re.compile("`+")
_JOINER = "\N{WORD JOINER}"


def render(template: str, **content: Any) -> str:
    """A template filled in; in ``.html`` every value is escaped, in ``.md`` those that pass a filter."""
    return _environment().get_template(template).render(**content)


def in_markdown(text: object) -> str:
    r"""Text that Markdown shows as it is: on one line, no mark, no link, nobody called.

    >>> print(in_markdown("a_b | <i>\n# c"))
    a\_b \| \<i\> # c
    """
    line = _MARKS.sub(r"\\\1", " ".join(str(text).split()))
    return _LIST.sub(r"\1\\\2", _LINKED.sub(lambda m: m[0][0] + _JOINER + m[0][1:], line))


def as_code(text: object) -> str:
    """A span of code on one line, in a fence of backticks longer than any in it.

    >>> print(as_code("a `b`"))
    `` a `b` ``
    """
    line = " ".join(str(text).split())
    fence = "`" * (1 + max(map(len, _TICKS.findall(line)), default=0))
    return f"{fence} {line} {fence}"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("attnclust.report"),
        autoescape=lambda name: name is not None and not name.endswith(".md"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(math=math, display=display, md=in_markdown, code=as_code)
    return made

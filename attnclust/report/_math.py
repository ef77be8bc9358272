"""Formulas: LaTeX to MathML, which browsers typeset without a script, a font or a network."""

from __future__ import annotations

import re
from functools import cache

from latex2mathml.converter import convert
from markupsafe import Markup

_NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'
_PRIME = re.compile(r"<msup>(<mi>.</mi>)<mi>&#x02032;</mi></msup>")
_NAME = re.compile(r"<mo>(?=[a-z]{2})([a-z]+)</mo>")
_LONG = 40
"""Characters of LaTeX: a longer formula may be wider than a telephone, and must scroll by keyboard too."""


@cache
def math(latex: str) -> Markup:
    r"""A formula within a line; in a template ``{% filter math %}d' \le D{% endfilter %}``.

    >>> print(math("x_u"))
    <math display="inline"><mrow><msub><mi>x</mi><mi>u</mi></msub></mrow></math>
    """
    return Markup(_converted(latex, "inline"))


@cache
def display(latex: str) -> Markup:
    r"""A formula on a line of its own; in a template ``{% filter display %}d' \le D{% endfilter %}``."""
    reach = ' tabindex="0" role="group" aria-label="Formula"' if len(latex) > _LONG else ""
    return Markup(f'<div class="display"{reach}>{_converted(latex, "block")}</div>')


def _converted(latex: str, mode: str) -> str:
    text = convert(" ".join(str(latex).split()), display=mode).replace(_NAMESPACE, "")
    # A prime is raised by its own shape; raised again it would be a speck.
    text = _PRIME.sub(r'<mrow>\1<mo lspace="0" rspace="0.1em">&#x02032;</mo></mrow>', text)
    return _NAME.sub(r"<mi>\1</mi>", text)

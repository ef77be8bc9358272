"""Numbers, formulas and lists as the page prints them."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

Number = float | int | None
"""None is a number that was not measured."""

ABSENT = "–"
"""Printed for a number that was not measured."""

_SIGNS = {" - ": " − ", "<=": "≤", ">=": "≥", "||": "‖", "'": "′"}
_GREEK = {
    **{"alpha": "α", "beta": "β", "delta": "δ", "eps": "ε", "kappa": "κ", "mu": "μ", "omega": "ω"},
    **{"phi": "φ", "pi": "π", "tau": "τ"},
}
_RANGE = {"lower": "l", "upper": "u"}
_SUBSCRIPT = re.compile(rf"\b([A-Za-z]|sum|{'|'.join(_GREEK)})(′?)_([A-Za-z]+|\d+)\b")
_WORD = re.compile(rf"\b(?:{'|'.join(_GREEK)})\b")
_POWER = re.compile(r"\^(?:\(([\w/]+)\)|(\w+))")


def number(value: Number, digits: int = 2) -> str:
    """A number with `digits` decimals if it is of ordinary size, else with three significant ones.

    >>> number(0.7351), number(-0.5, 1), number(0.00002), number(None)
    ('0.74', '−0.5', '2e−05', '–')
    """
    if value is None:
        return ABSENT
    return (f"{value:.{digits}f}" if _ordinary(value, digits) else f"{value:.3g}").replace("-", "−")


def _ordinary(value: float, digits: int) -> bool:
    return value == 0 or 10**-digits <= abs(value) < 10_000


def interval(mean: Number, low: Number = None, high: Number = None, digits: int = 2) -> str:
    """A mean and, where there is one, its interval.

    >>> interval(0.5, 0.25, 0.75), interval(0.5)
    ('0.50 [0.25, 0.75]', '0.50')

    The limits are written like the mean:

    >>> interval(0.05, 0.009, 0.12), interval(0.05, -0.001, 0.12)
    ('0.05 [0.01, 0.12]', '0.05 [0.00, 0.12]')
    """
    if mean is None or low is None or high is None:
        return number(mean, digits)
    if _ordinary(mean, digits) and max(abs(low), abs(high)) < 10_000:
        # Rounded first, and 0 added: no limit reads minus zero.
        low, high = (round(limit, digits) + 0.0 for limit in (low, high))
    return f"{number(mean, digits)} [{number(low, digits)}, {number(high, digits)}]"


def percent(share: Number) -> str:
    """A share in per cent, with so many decimals that only 0 reads 0 and only 1 reads 100.

    >>> percent(0.0), percent(0.5), percent(0.9996), percent(1.0)
    ('0 %', '50 %', '99.96 %', '100 %')
    """
    if share is None:
        return ABSENT
    for digits in range(6):
        text = f"{100 * share:.{digits}f}"
        if share in (0, 1) or float(text) not in (0, 100):
            return f"{text} %"
    return "> 0 %" if share < 0.5 else "< 100 %"


def count(n: int, noun: str) -> str:
    """A count and its noun.

    >>> count(1, "image"), count(2484, "step")
    ('1 image', '2,484 steps')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def join(words: list[str]) -> str:
    """Words as an enumeration.

    >>> join(["a", "b", "c"])
    'a, b and c'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def formula(text: str) -> Markup:
    """A formula in plain characters, as the theorems' records write it, with signs, powers, subscripts.

    >>> print(formula("d' <= (1 - x_u)^2 d < D"))
    d′ ≤ (1 − x<sub>u</sub>)<sup>2</sup> d &lt; D
    >>> print(formula("d'_g <= sum_r eps_upper d_0 (1 + pi_k)^(1/2), a sum"))
    d′<sub>g</sub> ≤ ∑<sub>r</sub> ε<sub>u</sub> d<sub>0</sub> (1 + π<sub>k</sub>)<sup>1/2</sup>, a sum
    """
    for plain, sign in _SIGNS.items():
        text = text.replace(plain, sign)
    marked = _SUBSCRIPT.sub(lambda m: f"{m[1]}{m[2]}<sub>{_RANGE.get(m[3], m[3])}</sub>", str(escape(text)))
    marked = _POWER.sub(lambda m: f"<sup>{m[1] or m[2]}</sup>", marked)
    return Markup(_WORD.sub(lambda m: _GREEK[m[0]], marked).replace("sum<sub>", "∑<sub>"))

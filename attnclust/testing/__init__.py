"""For property tests of bounds on attention: Hypothesis strategies, seeded draws, checks by theorem,
`assert_bound`.

Needs the extra ``attnclust[testing]``. ``python -m attnclust.testing`` searches for the worst ratio of
every theorem and writes it, with the number of cases, beside the theorems' records.
"""

from attnclust.testing._assert import assert_bound
from attnclust.testing._checks import CHECKS, SLOW, Check
from attnclust.testing._draws import ATTENTION_KINDS, TOKEN_KINDS, Recipe, Steps, draw_steps
from attnclust.testing._strategies import partitions, recipes, steps, tiny_attention, tiny_tokens

__all__ = [
    "ATTENTION_KINDS",
    "CHECKS",
    "SLOW",
    "TOKEN_KINDS",
    "Check",
    "Recipe",
    "Steps",
    "assert_bound",
    "draw_steps",
    "partitions",
    "recipes",
    "steps",
    "tiny_attention",
    "tiny_tokens",
]

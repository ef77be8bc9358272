"""The paper's claims as statistical tests: records in, verdicts out.

:func:`judge` reads the tables ``measurements``, ``steps`` and ``predictions`` of :mod:`attnclust.records` and
gives one :class:`Claim` a part of a claim, by the one rule of :mod:`attnclust.claims._verdict`. Nothing here
measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attnclust.records import MODEL

from ._metrics import level_zero, non_salient_drop, random_drop, rise_with_depth, salient_drop, shuffling
from ._predictions import robustness
from ._tables import read_curves, read_steps
from ._theorem import certified, clusters_shrink, mechanism, theorem_holds, whole_contracts
from ._verdict import (
    ALPHA,
    CONTRADICTED,
    MAJORITY,
    MARGIN,
    NOT_MEASURED,
    SUPPORTED,
    UNDECIDED,
    VERDICTS,
    Claim,
    Evidence,
    settle,
)

__all__ = [
    "ALPHA",
    "CONTRADICTED",
    "MAJORITY",
    "MARGIN",
    "NOT_MEASURED",
    "SUPPORTED",
    "UNDECIDED",
    "VERDICTS",
    "Claim",
    "judge",
]


def judge(
    measurements: Any, steps: Any, predictions: Any = None, *, subject: str = MODEL, seed: int = 0
) -> list[Claim]:
    """Judge the paper's claims on the records of one subject of one run.

    All parts that could be measured share one Holm correction; the model and its random twin are two runs.
    What the records cannot decide comes out as ``not measured``, with the reason in its sentence.

    Args:
        measurements: the table of that name (:data:`attnclust.records.TABLES`), or None.
        steps: the table of that name, or None.
        predictions: the table of that name, or None where the model does not classify.
        subject: ``"model"`` or ``"random_twin"``.
        seed: of the bootstrap.

    Returns:
        The claims in the order of their numbers; :meth:`Claim.row` makes rows of the table ``claims``.

    Raises:
        ArgumentTypeError: no pyarrow table.
        ArgumentError: a column is missing, or two rows stand for one measurement.

    >>> from attnclust.records import to_table
    >>> rows = [
    ...     dict(subject="model", image=f"{i}", condition="clean", metric="purity", level=l, value=l + i)
    ...     for i in range(20)
    ...     for l in range(13)
    ... ]
    >>> claims = {claim.id: claim for claim in judge(to_table("measurements", rows), None)}
    >>> claims["4"].verdict, claims["5"].verdict
    ('supported', 'not measured')
    """
    evidence = _evidence(measurements, steps, predictions, subject)
    return settle(sorted(evidence, key=lambda part: part.claim), subject=subject, seed=seed)


def _evidence(measurements: Any, steps: Any, predictions: Any, subject: str) -> Iterator[Evidence]:
    curves, read = read_curves(measurements, subject), read_steps(steps, subject)
    yield from whole_contracts(read)
    yield from theorem_holds(read)
    yield from mechanism(read)
    yield from clusters_shrink(curves, read)
    yield from certified(read)
    for part in (rise_with_depth, shuffling, random_drop, salient_drop, non_salient_drop, level_zero):
        yield from part(curves)
    yield from robustness(predictions, subject)

"""The paper's claims as statistical tests: records in, verdicts out.

:func:`judge` reads tables of :mod:`attnclust.records` and gives one :class:`Claim` for each of the paper's
claims and for each part of one, by the one rule of :mod:`attnclust.claims._verdict`. Nothing here measures.

A claim's code is a function from :class:`~attnclust.claims._tables.Records` to pieces of evidence, one for
each part of the claim; all of them stand in ``_PARTS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attnclust.records import MODEL

from ._attention import objects_attended
from ._background import background_clusters
from ._evidence import MAJORITY, MARGIN, Evidence
from ._list import CLAIMS
from ._metrics import non_salient_drop, random_drop, rise_with_depth, salient_drop, shuffling
from ._predictions import robustness
from ._separation import barely_separate, classes, level_zero, separate_earlier
from ._tables import Records
from ._theorem import certified, clusters_shrink, mechanism, theorem_holds, whole_contracts
from ._verdict import ALPHA, ROLES, Claim, settle
from ._views import filter_sets, likeness, objects, occlusion, position
from ._words import CONTRADICTED, NOT_MEASURED, SUPPORTED, UNDECIDED, VERDICTS

__all__ = [
    "ALPHA",
    "CLAIMS",
    "CONTRADICTED",
    "MAJORITY",
    "MARGIN",
    "NOT_MEASURED",
    "ROLES",
    "SUPPORTED",
    "UNDECIDED",
    "VERDICTS",
    "Claim",
    "judge",
]

_PARTS: tuple[Callable[[Records], Iterator[Evidence]], ...] = (
    whole_contracts,
    theorem_holds,
    mechanism,
    clusters_shrink,
    certified,
    rise_with_depth,
    objects_attended,
    shuffling,
    random_drop,
    barely_separate,
    salient_drop,
    non_salient_drop,
    separate_earlier,
    background_clusters,
    level_zero,
    likeness,
    objects,
    occlusion,
    position,
    filter_sets,
    robustness,
    classes,
)
"""What yields the evidence, in the order of the claims' numbers where it matters within one claim."""


def judge(tables: Mapping[str, Any], *, subject: str = MODEL, seed: int = 0) -> list[Claim]:
    """Judge the paper's 22 claims on the records of one subject of one run.

    All claims share one Holm correction; the model and its random twin are two runs. What the records cannot
    decide comes out as ``not measured``, with the reason in its sentence.

    Args:
        tables: name -> pyarrow table, as in :data:`attnclust.records.TABLES`: ``measurements``, ``steps``,
            ``predictions`` and whatever else was measured. A table that is absent, or None, has no rows.
        subject: ``"model"`` or ``"random_twin"``.
        seed: of the bootstrap.

    Returns:
        The claims in the order of their numbers, each before its parts; :meth:`Claim.row` makes rows of the
        table ``claims``.

    Raises:
        ArgumentTypeError: no pyarrow table.
        ArgumentError: a column is missing, or two rows stand for one measurement.

    >>> from attnclust.records import to_table
    >>> rows = [
    ...     dict(subject="model", image=f"{i}", condition="clean", metric="purity", level=l, value=l + i)
    ...     for i in range(20)
    ...     for l in range(13)
    ... ]
    >>> claims = {claim.id: claim for claim in judge({"measurements": to_table("measurements", rows)})}
    >>> claims["4"].verdict, claims["5"].verdict
    ('supported', 'not measured')
    """
    records = Records(subject, tables)
    return settle((part for parts in _PARTS for part in parts(records)), subject=subject, seed=seed)

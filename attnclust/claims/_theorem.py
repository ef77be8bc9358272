"""Claims 1 to 3: Theorem 3.1 and what it is said to explain, from theorem steps and diameters (condition
clean).

A step is one cluster of at least two tokens in one block (and head). For claims about steps, the value of an
image is the share of its steps; images are what is resampled.

Claim 2's mechanism is judged on the paper's own layer, the simplified one. Claim 3 is judged where it can be
meant: on both forms of a step, and from level to level relative to all tokens (raw diameters grow with the
residual stream, angular ones ignore it); those, and what each bound certifies, stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from attnclust.records import PER_HEAD, SIMPLIFIED

from ._evidence import MAJORITY, Evidence, Exact, Sampled
from ._tables import Records, Steps, complete, row_keys, trends

FORMS = {
    SIMPLIFIED: ("", "the simplified layer"),
    PER_HEAD: (f".{PER_HEAD}", "each head on its values"),
}
"""Form -> suffix of a part's id, and the form in words."""

WHOLE = "contraction"
"""The rung that speaks of the whole token set, which is recorded as cluster -1."""

PAPER_RUNGS = {"paper_main": "eq. (1) of the main text", "paper_appendix": "eq. (2) of the appendix"}

DIAMETERS = {
    "raw": "the raw diameter of clusters",
    "relative": "the diameter of clusters relative to all tokens'",
    "angular": "the angular diameter of clusters",
}


def whole_contracts(records: Records) -> Iterator[Evidence]:
    """Claim 1: diam(Z') <= diam(Z)."""
    steps = records.steps
    for form, (_, words) in FORMS.items():
        rows = steps.where("form", form) & steps.where("rung", WHOLE)
        yield _violations(
            steps,
            rows,
            row_id=f"1.{form}",
            claim=1,
            statement=f"The diameter of all tokens never grows ({words}).",
            absent=f"the records hold no step of all tokens in the form {form}",
        )


def theorem_holds(records: Records) -> Iterator[Evidence]:
    """Claim 2, first half: the bounds of Theorem 3.1(ii) hold."""
    steps = records.steps
    for form, (suffix, words) in FORMS.items():
        for rung, source in PAPER_RUNGS.items():
            yield _violations(
                steps,
                _clusters(steps, form) & steps.where("rung", rung),
                row_id=f"2.{rung}{suffix}",
                claim=2,
                statement=f"The bound of Theorem 3.1(ii), {source}, holds ({words}).",
                absent=f"the records hold no step with {rung} in the form {form}",
            )


def mechanism(records: Records) -> Iterator[Evidence]:
    """Claim 2, second half: eps_u and m eps_u, the weights across clusters, fall with depth."""
    steps = records.steps
    upper = steps.columns["eps_upper"]
    quantities = {
        "eps_upper": ("eps_u", "the largest weight on a token outside", upper),
        "m_eps_upper": ("m eps_u", "the cap on all weight outside", steps.columns["outside"] * upper),
    }
    for form, (suffix, words) in FORMS.items():
        rows = _once(steps, _clusters(steps, form) & (steps.columns["outside"] > 0))
        for name, (symbol, meaning, of) in quantities.items():
            means = steps.by_block(rows, of)
            yield Sampled(
                id=f"2.{name}{suffix}",
                claim=2,
                primary=form == SIMPLIFIED,
                statement=f"{symbol}, {meaning}, falls with depth ({words}).",
                statistic=f"Spearman's rho of {symbol} (mean over clusters; {words}) against the block",
                values=complete(trends(means, np.arange(means.shape[1]))),
                high=0,
                absent=f"the records hold no clusters at two blocks or more in the form {form}",
            )


def clusters_shrink(records: Records) -> Iterator[Evidence]:
    """Claim 3, first half: clusters shrink from level to level."""
    curves, steps = records.curves, records.steps
    for name, words in DIAMETERS.items():
        metric = f"{name}_diameter"
        curve = complete(curves.of("clean", metric))
        yield Sampled(
            id=f"3.{name}",
            claim=3,
            primary=name == "relative",
            statement=f"From level to level, {words} falls.",
            statistic=f"The share of blocks over which {words} falls",
            values=(np.diff(curve) < 0).mean(axis=1) if curves.levels.size > 1 else np.empty(0),
            low=MAJORITY,
            absent=curves.absent(metric, "clean"),
        )
    for form, (_, words) in FORMS.items():
        yield Sampled(
            id=f"3.{form}",
            claim=3,
            statement=f"Clusters shrink ({words}).",
            statistic=f"The share of steps in which a cluster shrinks ({words})",
            values=steps.share(_once(steps, _clusters(steps, form)), steps.columns["shrinks"]),
            low=MAJORITY,
            absent=f"the records hold no steps in the form {form}",
        )


def certified(records: Records) -> Iterator[Evidence]:
    """Claim 3, second half: a bound explains the shrinking, by certifying it before it is seen."""
    steps = records.steps
    rungs = [*PAPER_RUNGS, *(rung for rung in steps.names["rung"] if rung not in {*PAPER_RUNGS, WHOLE})]
    for form, (suffix, words) in FORMS.items():
        for rung in rungs:
            yield Sampled(
                id=f"3.certified.{rung}{suffix}",
                claim=3,
                primary=False,
                statement=f"The bound {rung} certifies that clusters shrink ({words}).",
                statistic=f"The share of steps that {rung} certifies ({words})",
                values=steps.share(
                    _clusters(steps, form) & steps.where("rung", rung), steps.columns["certified"]
                ),
                low=MAJORITY,
                absent=f"the records hold no step with {rung} in the form {form}",
            )


def _clusters(steps: Steps, form: str) -> np.ndarray:
    """Steps of clusters that count: a lone token has no diameter to lose."""
    return steps.where("form", form) & (steps.columns["cluster"] >= 0) & (steps.columns["tokens"] > 1)


def _once(steps: Steps, rows: np.ndarray) -> np.ndarray:
    """One of the chosen rows for each image, block, head and cluster, whatever the rung."""
    chosen = np.flatnonzero(rows)
    key = np.stack([steps.columns[name] for name in ("image", "block", "head", "cluster")], axis=1)[chosen]
    once = np.zeros(rows.size, dtype=bool)
    once[chosen[np.unique(row_keys(key), return_index=True)[1]]] = True
    return once


def _violations(
    steps: Steps, rows: np.ndarray, *, row_id: str, claim: int, statement: str, absent: str
) -> Exact:
    every = np.ones(rows.size)
    return Exact(
        id=row_id,
        claim=claim,
        statement=statement,
        violations=steps.total(rows, ~steps.columns["holds"] * every),
        steps=steps.total(rows, every),
        absent=absent,
    )

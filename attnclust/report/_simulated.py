"""The records of simulations, as the section on the simulator needs them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
from markupsafe import Markup

from attnclust.bounds import THEOREMS
from attnclust.plots import Curve
from attnclust.report._figures import PageFigure, Table, as_csv
from attnclust.report._study import Study
from attnclust.report._text import count, formula, number

FLOOR = 1e-9
"""Below this, quantities drawn on a logarithmic axis are rounding, or on their way there."""

Series = Mapping[str, list[dict[str, Any]]]
"""Rows of ``simulated_curves`` by series, in order of level."""


@dataclass(frozen=True)
class Exhibit:
    """Figures, and under them what they illustrate: statements by name, and how to read them."""

    title: str
    figures: list[PageFigure]
    statements: Sequence[tuple[str, Markup]]
    reading: Markup


def statements(*labels: str) -> list[tuple[str, Markup]]:
    """Theorems of the ladder: label and formula."""
    return [(label, formula(THEOREMS[label].statement)) for label in labels]


def series_of(study: Study, experiment: str, quantity: str) -> dict[str, list[dict[str, Any]]]:
    """A quantity's rows by series, in the order in which they were written; empty if there are none."""
    table = study.table("simulated_curves")
    found: dict[str, list[dict[str, Any]]] = {}
    if table is not None:
        chosen = (pc.field("experiment") == experiment) & (pc.field("quantity") == quantity)
        for row in table.filter(chosen).to_pylist():
            found.setdefault(row["series"], []).append(row)
    return {name: sorted(rows, key=lambda row: row["level"]) for name, rows in found.items()}


def curves_of(
    series: Series, *, floor: float = -math.inf, styles: Mapping[str, int] | None = None
) -> list[Curve]:
    """Medians with the middle 80 % of the runs; gaps where the median is not finite, or not above `floor`.

    `styles`: by series; otherwise in order.
    """
    return [
        Curve(
            name,
            [row["level"] for row in rows],
            [_shown(row, "median", floor) for row in rows],
            [_shown(row, "low", floor) for row in rows],
            [_shown(row, "high", floor) for row in rows],
            place if styles is None else styles[name],
        )
        for place, (name, rows) in enumerate(series.items())
    ]


def _shown(row: Mapping[str, Any], what: str, floor: float) -> float | None:
    known = math.isfinite(row["median"]) and math.isfinite(row[what]) and row["median"] > floor
    return max(row[what], floor) if known else None


def over_runs(series: Series) -> str:
    """What a curve's middle and band are."""
    return f"median and middle 80 % of {count(next(iter(series.values()))[0]['runs'], 'run')}"


def scenes_of(study: Study, experiment: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By series: tokens ``(levels, n, 2)``, and the cluster of each."""
    table = study.table("simulated_tokens")
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    if table is None:
        return found
    chosen = table.filter(pc.field("experiment") == experiment)
    for name in dict.fromkeys(chosen["series"].to_pylist()):
        rows = chosen.filter(pc.field("series") == name)
        rows = rows.sort_by([("level", "ascending"), ("token", "ascending")])
        n = 1 + max(rows["token"].to_pylist())
        tokens = np.stack([rows["x"].to_numpy(), rows["y"].to_numpy()], axis=1).reshape(-1, n, 2)
        found[name] = (tokens, rows["cluster"].to_numpy()[:n])
    return found


def places_table(scenes: Mapping[str, tuple[np.ndarray, np.ndarray]], levels: Sequence[int]) -> Table:
    """Where tokens stand at some levels: on the page the middle of each cluster, to save every token."""
    shown, saved = [], []
    for name, (tokens, clusters) in scenes.items():
        for level in levels:
            for cluster in np.unique(clusters):
                middle = tokens[level, clusters == cluster].mean(axis=0)
                shown.append([name, str(level), str(cluster), *(number(float(x), 3) for x in middle)])
            saved += [
                [name, level, token, int(clusters[token]), float(x), float(y)]
                for token, (x, y) in enumerate(tokens[level])
            ]
    return Table(
        ["layer", "level", "cluster", "x of its middle", "y"],
        shown,
        as_csv(["layer", "level", "token", "cluster", "x", "y"], saved),
    )


def checks_of(study: Study, **fields: str) -> tuple[int, int]:
    """How many comparisons with these fields were made, and how many broke a bound."""
    table = study.table("simulated_checks")
    rows = [] if table is None else table.to_pylist()
    chosen = [row for row in rows if all(row[name] == value for name, value in fields.items())]
    return sum(row["checked"] for row in chosen), sum(row["violations"] for row in chosen)

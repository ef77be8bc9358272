"""The worst ratio that a seeded search finds for every theorem, kept in the package for the report."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import attnclust
from attnclust.testing._assert import assert_bound
from attnclust.testing._checks import CHECKS, SLOW
from attnclust.testing._draws import TOKEN_KINDS, Recipe, draw_steps

EVIDENCE = Path(attnclust.__file__).parent / "bounds" / "evidence.json"
"""Where the search's result lies: label -> worst ratio and number of cases."""
SOURCES = (
    "_array.py",
    "_blocks.py",
    "_labels.py",
    "geometry",
    "attention/_step.py",
    "bounds",
    "verify.py",
    "testing",
)
"""What the result depends on: it is stale when one of these changes."""


CROSSING_KINDS = ("generic", "uniform", "block")
"""Attention without zeros: where nothing crosses a cluster's border most bounds are trivially attained."""
COLDEST = -0.3
"""The lowest temperature (decimal logarithm): below it attention is nearly one-hot, where the same
happens.
"""


def sources_hash() -> str:
    """SHA-256 of the sources, in order of their paths."""
    root = Path(attnclust.__file__).parent
    files = [each for name in SOURCES for each in (sorted((root / name).rglob("*.py")) or [root / name])]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def search(label: str, *, rounds: int = 240) -> dict[str, Any]:
    """The worst ratio over seeded recipes where every weight is positive and every cluster has an
    outside, then over neighbours of the worst; deterministic.

    Args:
        label: of a theorem.
        rounds: recipes to try, half of them all over the place and half around the worst so far.

    Returns:
        ``{"worst_ratio": float, "cases": int}``.

    Raises:
        AssertionError: a case violates the theorem.
        KeyError: no such label.

    >>> search("sharp", rounds=4)["cases"]
    256
    """
    slow = label in SLOW
    rng = np.random.default_rng(2026)
    worst, cases, best = 0.0, 0, Recipe()
    for i, recipe in enumerate(_anywhere(rng, rounds, batch=4 if slow else 64, largest=6 if slow else 11)):
        if i >= rounds // 2:
            recipe = replace(
                best,
                seed=recipe.seed,
                temperature=float(np.clip(best.temperature + 0.3 * rng.normal(), COLDEST, 2)),
                tightness=float(np.clip(best.tightness + 0.3 * rng.normal(), -4, 0)),
            )
        check = CHECKS[label](draw_steps(recipe))
        ratios = assert_bound(check.measured, check.bound, tolerance=check.tolerance, label=label)
        cases += recipe.batch
        ratio = float(ratios.max(initial=0.0))
        if ratio > worst:
            worst, best = ratio, recipe
    return {"worst_ratio": round(worst, 6), "cases": cases}


def _anywhere(rng: np.random.Generator, rounds: int, *, batch: int, largest: int) -> Iterator[Recipe]:
    for _ in range(rounds):
        yield Recipe(
            seed=int(rng.integers(2**32)),
            batch=batch,
            n=int(rng.integers(3, largest + 1)),
            d=int(rng.integers(1, 4)),
            clusters=int(rng.integers(1, 4)),
            attention=str(rng.choice(CROSSING_KINDS)),
            tokens=str(rng.choice(TOKEN_KINDS)),
            temperature=float(rng.uniform(COLDEST, 2)),
            tightness=float(rng.uniform(-4, 0)),
            outsider=True,
            order=float(rng.choice([1.0, 2.0, math.inf])),
        )


def write_evidence(path: Path = EVIDENCE) -> None:
    """Search for every theorem and write the result with the hash of the sources."""
    table = {
        "made_by": "python -m attnclust.testing",
        "sources_sha256": sources_hash(),
        "theorems": {label: search(label) for label in CHECKS},
    }
    path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")

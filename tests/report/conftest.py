"""Synthetic records with planted numbers: they look like a study's, and no model made them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnclust.records import MODEL, PER_HEAD, SIMPLIFIED, TWIN, to_table, write_json, write_table
from attnclust.report import build_page

LEVELS, BLOCKS = 13, 12
CONDITIONS = ("clean", "shuffle-2", "shuffle-8", "random-0.4", "salient-0.4", "non-salient-1.0")
METRICS = {
    "purity": (0.4317, 0.7351),
    "silhouette": (0.0213, 0.3391),
    "in_cluster_cosine": (0.61, 0.87),
    "in_object_cosine": (0.41, 0.66),
    "unique_label_ratio": (0.39, 0.83),
    "nearest_same_object": (0.85, 0.98),
    "clusters": (1.4, 3.2),
    "noise_share": (0.22, 0.04),
    "adjusted_mutual_info": (0.11, 0.52),
    "eps": (5.0, 11.0),
}
DIAMETERS = {
    "raw_diameter": (3.21, 15.09),
    "relative_diameter": (0.93, 0.58),
    "angular_diameter": (81.5, 47.25),
}
CERTIFIED = {
    "contraction": 0.0,
    "paper_main": 0.0,
    "paper_appendix": 0.0,
    "linear": 0.0,
    "product": 0.0,
    "sharp": 0.137,
    "overlap": 0.21,
    "cluster_dobrushin": 0.748,
}
VIEW_LEVELS, PATCH, GRID, FILTERS = (0, 1, 4, 8, 12), 8, (3, 5), 7


def curve(first: float, last: float, n: int, width: float = 0.04, count: int = LEVELS) -> dict[str, Any]:
    mean = np.linspace(first, last, count)
    return {"mean": mean, "ci_low": mean - width, "ci_high": mean + width, "n": n}


def steps(shrinks: float, n: int) -> dict[str, Any]:
    ramp = np.linspace(0.8, 1.2, BLOCKS)
    return {
        "shrinks": np.full(BLOCKS, shrinks),
        "ratio": np.linspace(0.91, 0.37, BLOCKS),
        "eps_upper": 0.05 / ramp,
        "outside_mass_bound": 9.5 / ramp,
        "certified": {rung: np.minimum(share * ramp, 1) for rung, share in CERTIFIED.items()},
        "violations": dict.fromkeys(CERTIFIED, 0),
        "n": n,
    }


def layers(grow: float = 1.0, n: int = 32) -> dict[str, Any]:
    return {
        "levels": {name: curve(a * grow, b * grow, n, 0.05 * b) for name, (a, b) in DIAMETERS.items()},
        "steps": {PER_HEAD: steps(0.9987, 5021), SIMPLIFIED: steps(0.9712, 1674)},
    }


def results() -> dict[str, Any]:
    sizes = dict(zip(CONDITIONS, (32, 32, 31, 23, 19, 32), strict=True))
    return {
        "provenance": {
            "study": "0123456789",
            "settings": {
                "model": "attnclust_student",
                "weights": "embedded",
                "data": {"kind": "scenes"},
                "conditions": list(CONDITIONS),
                "protocol": "official",
                "images": [],
                "limit": 32,
                "device": "cpu",
                "seed": 7,
            },
            "data": "scenes",
            "model": {
                "name": "attnclust_student",
                "weights": "embedded",
                "checkpoint": None,
                "sha256": "5eed" * 16,
            },
            "date": "2026-11-21T16:49:53+00:00",
            "device": "x86_64",
            "versions": {"numpy": "2.4.6", "torch": "2.15.0"},
        },
        "theory": {
            "contraction": {
                "statement": "diam(Z') <= diam(Z)",
                "kind": "tight",
                "proof": {"name": "contraction", "status": "proved", "sha256": "ab" * 32},
                "worst_ratio": 1.0,
                "examples": 12345,
            },
            "sharp": {
                "statement": "d' <= (1 - x_u) d + (x_u - x_l) D",
                "kind": "tight",
                "proof": None,
                "worst_ratio": None,
                "examples": None,
            },
        },
        "layers": layers(),
        "metrics": {
            condition: {
                name: curve(a, b - 0.02 * place, sizes[condition]) for name, (a, b) in METRICS.items()
            }
            for place, condition in enumerate(CONDITIONS)
        },
        "random_twin": {
            "layers": layers(0.5),
            "metrics": {
                condition: {name: curve(a, 0.9 * a, sizes[condition]) for name, (a, _) in METRICS.items()}
                for condition in CONDITIONS
            },
        },
        "images": {
            condition: {
                "seen": 47,
                "selected": n,
                "reasons": {"fewer than two objects": 44 - n, "unreadable": 3},
            }
            for condition, n in sizes.items()
        },
        "claims": [],
        "skipped": [{"image": "2007_000042", "reason": "mask is 10 x 20, image 20 x 10"}],
    }


def claims() -> list[dict[str, Any]]:
    verdicts = (
        ("1", 1, "claim", "No diameter grows.", "supported", 0.0, 0.0, 0.109),
        ("1.simplified", 1, "part", "No diameter grows in one layer.", "supported", 0.0, 0.0, 0.109),
        ("1.raw", 1, "beside", "No raw diameter grows.", "contradicted", 1.5, 1.25, 1.75),
        ("4", 4, "claim", "Purity rises with depth.", "supported", 0.8123, 0.71, 0.89),
        ("5", 5, "claim", "The silhouette rises with depth.", "undecided", 0.0456, -0.12, 0.2),
        ("8", 8, "claim", "The unique-label ratio rises with depth.", "contradicted", -0.3, -0.41, -0.2),
        ("11", 11, "claim", "Metrics fall with the share dropped.", "not measured", None, None, None),
    )
    return [
        {
            "id": id_,
            "claim": claim,
            "role": role,
            "statement": statement,
            "verdict": verdict if subject == MODEL else "undecided",
            "sentence": f"Sentence of claim {id_}.",
            "statistic": "Spearman's rho",
            "value": value,
            "ci_low": low,
            "ci_high": high,
            "n": 0 if value is None else 32,
            "detectable": None if value is None else 0.0625,
            "p_value": None if value is None else 0.0125,
            "subject": subject,
        }
        for subject in (MODEL, TWIN)
        for id_, claim, role, statement, verdict, value, low, high in verdicts
    ]


def view_tables(
    image: str = "scene-3", role: str = "dog"
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Seven filters, one image clean and under a drop, and roll-out rows of four tokens."""
    rng = np.random.default_rng(3)
    height, width = GRID[0] * PATCH, GRID[1] * PATCH

    def picture(
        kind: str, array: np.ndarray, dtype: str, condition: str = "", of: str = ""
    ) -> dict[str, Any]:
        data = np.ascontiguousarray(array, dtype).tobytes()
        shape = list(array.shape)
        return {
            "image": of,
            "condition": condition,
            "kind": kind,
            "shape": shape,
            "dtype": dtype,
            "data": data,
        }

    pixels = rng.integers(0, 256, (height, width, 3))
    pictures = [
        picture("filters", rng.normal(size=(FILTERS, 3, PATCH, PATCH)), "<f2"),
        picture("mean", np.array([0.4, 0.5, 0.6]), "<f8"),
        picture("std", np.array([0.2, 0.25, 0.3]), "<f8"),
        picture("input", pixels, "uint8", "clean", image),
        picture("input", pixels // 2, "uint8", "random-0.4", image),
        picture("mask", np.eye(*GRID), "uint8", "clean", image),
    ]
    patches = GRID[0] * GRID[1]
    tokens = [(0, "class token"), (2, "background"), (9, role), (12, f"{role}, another patch")]
    views = []
    for condition, form in itertools.product(("clean", "random-0.4"), ("attention", "residual")):
        for token, name in tokens if condition == "clean" else tokens[:1]:
            for level in VIEW_LEVELS:
                if level or token:
                    one = np.eye(patches)[token - 1] if token else np.zeros(patches)
                    mixed = level / (12 if form == "attention" else 24)
                    weights = (1 - mixed) * one + mixed / patches
                    views.append(
                        {
                            "image": image,
                            "condition": condition,
                            "form": form,
                            "token": token,
                            "role": name,
                            "level": level,
                            "weights": weights.tolist(),
                        }
                    )
    return pictures, views


def filter_rows() -> list[dict[str, Any]]:
    """Filter 4 tells all objects; filter 1 one class; the others nothing."""
    rows = []
    for image, (name, one) in enumerate((("cat", 0.8), ("dog", 0.2), ("cat", 0.6))):
        values = [0.1] * FILTERS
        values[4], values[1] = -0.9, one
        for subject, sign in (("model", 1), ("random_twin", 0)):
            rows.append(
                {
                    "subject": subject,
                    "image": f"scene-{image}",
                    "object": 1,
                    "class": name,
                    "selectivity": [sign * value for value in values],
                }
            )
    return rows


FAMILIES = {"random": 4, "salient": 4, "non-salient": 5, "shuffle": 2, "noise": 1}


def seventeen(summary: dict[str, Any]) -> None:
    """All conditions of the paper, every one with the numbers of the clean images."""
    names = ["clean"] + [f"{family}-{i}" for family, n in FAMILIES.items() for i in range(n)]
    summary["metrics"] = dict.fromkeys(names, summary["metrics"]["clean"])
    summary["random_twin"] = None
    summary["images"] = {}


def write_study(
    folder: Path,
    change: Callable[[dict[str, Any]], None] = lambda _: None,
    *,
    tables: tuple[str, ...] = ("claims", "views", "pictures", "filters"),
    image: str = "scene-3",
    role: str = "dog",
    claim_rows: list[dict[str, Any]] | None = None,
) -> Path:
    """Write the records: `change` edits the summary, `tables` names the tables to write."""
    summary = results()
    change(summary)
    pictures, views = view_tables(image, role)
    rows = {
        "claims": claims() if claim_rows is None else claim_rows,
        "views": views,
        "pictures": pictures,
        "filters": filter_rows(),
    }
    for table in tables:
        write_table(folder, table, to_table(table, rows[table]))
    write_json(folder / "results.json", summary)
    return folder


def lighten(summary: dict[str, Any]) -> None:
    """Keep two conditions, one metric and one diameter: few figures are drawn quickly."""
    for subject in (summary, summary["random_twin"]):
        subject["metrics"] = {
            condition: {"purity": subject["metrics"][condition]["purity"]}
            for condition in ("clean", "shuffle-8")
        }
        subject["layers"]["levels"] = {"raw_diameter": subject["layers"]["levels"]["raw_diameter"]}
        subject["layers"]["steps"] = {PER_HEAD: subject["layers"]["steps"][PER_HEAD]}


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Path]:
    """``study(change, **options)`` writes a light study's folder (see :func:`write_study`)."""

    def write(
        change: Callable[[dict[str, Any]], None] = lambda _: None, *, name: str = "study", **options: Any
    ) -> Path:
        def both(summary: dict[str, Any]) -> None:
            lighten(summary)
            change(summary)

        return write_study(tmp_path / name, both, **options)

    return write


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole study, with its page; for tests that only read."""
    folder = write_study(tmp_path_factory.mktemp("whole") / "study")
    build_page(folder)
    return folder

"""A study's tables in one page of numbers: ``results.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from attnclust.bounds import THEOREMS
from attnclust.claims import judge
from attnclust.records import MODEL, OBJECTS, TABLES, TWIN, read_table, to_table, write_table
from attnclust.study.comparisons import comparisons
from attnclust.study.curves import curves
from attnclust.study.stages_summary import summarise_stages
from attnclust.study.steps_summary import summarise_steps

DIAMETERS = ("raw_diameter", "relative_diameter", "angular_diameter")


def summarise(folder: Path, provenance: Mapping[str, Any], *, seed: int) -> dict[str, Any]:
    """Turn the tables in ``folder`` into the content of ``results.json``; writes the table ``claims``."""
    written = [name for name in TABLES if name != "claims" and (folder / f"{name}.parquet").is_file()]
    tables = {name: read_table(folder, name) for name in written}
    measurements, steps, images = tables["measurements"], tables["steps"], tables["images"]
    subjects = [MODEL, TWIN] if provenance["random_twin"] else [MODEL]
    # The claims speak of objects, and of each cluster's own range.
    judged = tables | {"steps": steps.filter((pc.field("partition") == OBJECTS) & ~pc.field("pooled"))}
    claims = [claim.row() for subject in subjects for claim in judge(judged, subject=subject, seed=seed)]
    write_table(folder, "claims", to_table("claims", claims))
    stages = tables["stages"]
    summaries = {subject: _subject(measurements, steps, stages, subject, seed) for subject in subjects}
    ledgers = {subject: [_claim(row) for row in claims if row["subject"] == subject] for subject in subjects}
    return {
        "provenance": provenance,
        "theory": theory(),
        **summaries[MODEL],
        **({"random_twin": summaries[TWIN] | {"claims": ledgers[TWIN]}} if TWIN in summaries else {}),
        "simulator": _simulator(read_table(folder, "simulated_checks")),
        "images": _images(images),
        **comparisons(tables, subjects, seed=seed),
        "claims": ledgers[MODEL],
        "skipped": [
            {"image": row["image"], "reason": row["reason"]}
            for row in images.to_pylist()
            if not row["readable"]
        ],
    }


def theory() -> dict[str, Any]:
    """Every theorem of the package: statement, kind, proof, and what its property tests found."""
    evidence, proofs = _packaged("evidence.json")["theorems"], _packaged("proofs.json")
    found = {}
    for label, theorem in THEOREMS.items():
        proof, tested = proofs.get(label), evidence.get(label, {})
        found[label] = {
            "statement": theorem.statement,
            "kind": theorem.kind,
            "source": theorem.source,
            "proof": proof and {key: proof[key] for key in ("name", "status", "sha256")},
            "worst_ratio": tested.get("worst_ratio"),
            "examples": tested.get("cases"),
        }
    return found


def _packaged(name: str) -> dict[str, Any]:
    return json.loads((resources.files("attnclust.bounds") / name).read_text("utf-8"))


def _subject(
    measurements: pa.Table, steps: pa.Table, stages: pa.Table, subject: str, seed: int
) -> dict[str, Any]:
    found = curves(measurements.filter(pc.field("subject") == subject), seed)
    clean = found["clean"]
    own = steps.filter(pc.field("subject") == subject)
    ledger = summarise_stages(stages, own, seed=seed) if subject == MODEL else None
    return {
        "layers": {
            "levels": {metric: clean.pop(metric) for metric in DIAMETERS},
            "steps": summarise_steps(own, seed=seed),
            **({} if ledger is None else {"stages": ledger}),
        },
        "metrics": found,
    }


def _simulator(checks: pa.Table) -> dict[str, Any]:
    """How often the ladder was held against simulated layers, by form and rung, and how often it failed."""
    counted = checks.group_by(["form", "rung"], use_threads=False)
    found: dict[str, Any] = {}
    for row in counted.aggregate([("checked", "sum"), ("violations", "sum")]).to_pylist():
        found.setdefault(row["form"], {})[row["rung"]] = {
            "checked": row["checked_sum"],
            "violations": row["violations_sum"],
        }
    return found


def _images(table: pa.Table) -> dict[str, Any]:
    """Per condition, how many images were seen, how many passed, and why the others did not."""
    found: dict[str, Any] = {}
    for row in table.to_pylist():
        entry = found.setdefault(row["condition"], {"seen": 0, "selected": 0, "reasons": {}})
        entry["seen"] += 1
        entry["selected"] += row["selected"]
        if not row["selected"]:
            reason = row["reason"] if row["readable"] else "could not be read"
            entry["reasons"][reason] = entry["reasons"].get(reason, 0) + 1
    return found


def _claim(row: Mapping[str, Any]) -> dict[str, Any]:
    """A claim as ``results.json`` tells it."""
    told = ("id", "claim", "role", "statement", "verdict", "sentence", "statistic", "value")
    return {
        **{name: row[name] for name in told},
        "ci": [row["ci_low"], row["ci_high"]],
        **{name: row[name] for name in ("n", "detectable", "p_value")},
    }

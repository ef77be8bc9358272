"""Tables of comparisons on the same images: survivors, agreement, protocols, controls; notes on the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attnclust.records import CONVERTED, NO_MASK, PIXELS, POSITIONS, TWIN
from attnclust.report._figures import Table, as_csv
from attnclust.report._study import Study
from attnclust.report._text import ABSENT, interval, number

CLEAN = "clean"

PAPER_COUNTS = {
    **{f"random-{r}": n for r, n in ((0.2, 494), (0.4, 438), (0.6, 337), (0.8, 177))},
    **{f"salient-{r}": n for r, n in ((0.2, 494), (0.4, 441), (0.6, 355), (0.8, 194))},
    **{f"non-salient-{r}": 530 for r in (0.2, 0.4, 0.6, 0.8, 1.0)},
}
"""Images that the paper measured of VOC 2009's 1,499 (appendix B), by condition."""

METRICS = {
    "purity": "purity",
    "silhouette": "silhouette",
    "in_cluster_cosine": "cosine inside clusters",
    "in_object_cosine": "cosine inside objects",
    "unique_label_ratio": "unique-label ratio",
    "adjusted_mutual_info": "adjusted mutual information",
    "nearest_same_object": "nearest neighbour on the same object",
    "clusters": "clusters found",
    "noise_share": "share of patches in no cluster",
}
"""Metrics in words."""


def survivors(study: Study) -> Table | None:
    """By condition: images that pass the selection rule, why others do not, agreement with the clean image.

    Where VOC 2009 was measured, the paper's own counts stand beside.
    """
    images = study.results.get("images") or {}
    if not images:
        return None
    agreement = study.results.get("agreement") or {}
    voc2009 = _year(study) == "VOC2009"
    head = ["condition", "images seen", "selected"]
    head += ["the paper's images"] if voc2009 else []
    head += [f"top 1 as on the clean image{' (random twin)' if name == TWIN else ''}" for name in agreement]
    head += ["why the others are out"]
    rows = []
    for condition, entry in images.items():
        same = [_with_interval(found.get(condition)) for found in agreement.values()]
        reasons = "; ".join(f"{reason}: {n}" for reason, n in (entry.get("reasons") or {}).items()) or ABSENT
        theirs = [str(PAPER_COUNTS.get(condition, ABSENT))] if voc2009 else []
        rows.append(
            [
                condition,
                str(entry.get("seen", ABSENT)),
                str(entry.get("selected", ABSENT)),
                *theirs,
                *same,
                reasons,
            ]
        )
    return Table(head, rows, as_csv(head, rows))


def protocols(study: Study) -> Table | None:
    """What each difference between the protocols does to each metric, on the same clean images."""
    differences = (study.results.get("protocols") or {}).get("differences") or []
    head = ["metric", "what changes", "from", "to", "before", "after", "difference", "images"]
    rows = [
        [
            METRICS.get(found["metric"], found["metric"]),
            found["difference"],
            found["from"],
            found["to"],
            number(found["before"]),
            number(found["after"]),
            _with_interval(found, digits=3),
            str(found["n"]),
        ]
        for found in differences
    ]
    return Table(head, rows, as_csv(head, rows)) if rows else None


def controls(study: Study) -> Table | None:
    """The metrics of clean images beside those of tokens that no trained block has touched."""
    held = study.results.get("controls") or {}
    if not held:
        return None
    columns = [("model, level 0", "model", 0), ("model, last level", "model", -1)]
    columns += [("random twin, last level", TWIN, -1)] if study.has_twin else []
    head = ["metric", *(words for words, _, _ in columns), "raw pixels", "position embeddings alone"]
    rows = []
    for metric, words in METRICS.items():
        cells = []
        for _, subject, level in columns:
            summary = study.metric(metric, CLEAN, subject)
            whole = summary and summary.at(level)
            cells.append(interval(*whole) if whole else number(summary.mean[level] if summary else None))
        for control in (PIXELS, POSITIONS):
            found = ((held.get(control) or {}).get(CLEAN) or {}).get(metric)
            cells.append(
                _with_interval(found and {key: value[0] for key, value in found.items() if key != "n"})
            )
        if any(cell != ABSENT for cell in cells):
            rows.append([words, *cells])
    return Table(head, rows, as_csv(head, rows)) if rows else None


def notes(study: Study) -> list[tuple[str, list[str]]]:
    """What was not as it should be in the data and kept no image out: (words and count, names)."""
    found = study.results.get("notes") or {}
    words = {
        NO_MASK: "pictures without a mask, which are no part of the data",
        CONVERTED: "pictures not in RGB",
    }
    return [
        (f"{found[kind]['n']} {told}", found[kind]["first"]) for kind, told in words.items() if kind in found
    ]


def contested(study: Study) -> str:
    """How often two objects claim one patch, in a sentence; empty if it is not known."""
    table = study.table("images")
    if table is None:
        return ""
    clean = [row for row in table.to_pylist() if row["condition"] == CLEAN and row["selected"]]
    patches, twice = sum(row["patches"] for row in clean), sum(row["contested"] for row in clean)
    return (
        f"Two objects each cover 40 % of one patch in {twice} of {patches} object patches; it goes to the "
        "one that covers more (the authors' notebook adds the objects' numbers up there)."
    )


def _year(study: Study) -> str | None:
    data = study.settings.get("data")
    return data.get("year") if isinstance(data, Mapping) else None


def _with_interval(found: Mapping[str, Any] | None, digits: int = 2) -> str:
    return interval(found["mean"], found["ci_low"], found["ci_high"], digits) if found else ABSENT

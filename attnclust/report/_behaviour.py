"""Section "how neurons behave": the metrics of clustering, level by level, under every condition."""

from __future__ import annotations

from dataclasses import dataclass

from attnclust.plots import Curve, Panel
from attnclust.records import MODEL, TWIN
from attnclust.report._authors import NAME as AUTHORS
from attnclust.report._authors import authors_curve, source
from attnclust.report._comparisons import contested, controls, notes, protocols, survivors
from attnclust.report._figures import Gallery, PageFigure, Table
from attnclust.report._study import Study, Summary
from attnclust.report._text import interval

CLEAN = "clean"
SUBJECT_NAMES = {MODEL: "model", TWIN: "random twin"}
_MOST_CURVES = 7
_SHARE = (-0.02, 1.02)


@dataclass(frozen=True)
class Metric:
    """A metric: its record's name, what it is called and means here, its axis, and its fixed range."""

    name: str
    title: str
    meaning: str
    axis: str
    limits: tuple[float, float] | None = None


METRICS = (
    Metric(
        "purity",
        "Purity",
        "share of object patches that lie in a cluster dominated by their own object",
        "purity (share)",
        _SHARE,
    ),
    Metric(
        "silhouette",
        "Silhouette",
        "how much closer a patch is to its own cluster than to the next one, by cosine distance",
        "silhouette (−1 to 1)",
    ),
    Metric(
        "in_cluster_cosine",
        "Cosine inside clusters",
        "mean cosine similarity of pairs of patches in one cluster",
        "cosine",
    ),
    Metric(
        "in_object_cosine",
        "Cosine inside objects",
        "mean cosine similarity of pairs of patches on one object",
        "cosine",
    ),
    Metric(
        "unique_label_ratio",
        "Unique-label ratio",
        "share of the classes present that dominate some cluster",
        "share of classes",
        _SHARE,
    ),
    Metric(
        "adjusted_mutual_info",
        "Adjusted mutual information",
        "what clusters tell of objects beyond chance (0), up to all (1)",
        "adjusted mutual information",
    ),
    Metric(
        "nearest_same_object",
        "Nearest neighbour on the same object",
        "share of object patches whose nearest other object patch lies on the same object",
        "share of patches",
        _SHARE,
    ),
)

BESIDE = {
    "clusters": ("clusters found", 1),
    "noise_share": ("share of patches in no cluster", 2),
    "eps": ("DBSCAN's radius", 2),
}
"""Metrics that stand in a table only: name -> words and decimals."""


@dataclass(frozen=True)
class Behaviour:
    """What the section shows; `groups` are (heading, figures), one group unless there are many conditions."""

    groups: list[tuple[str, list[PageFigure]]]
    survivors: Table | None
    protocols: Table | None
    controls: Table | None
    contested: str
    notes: list[tuple[str, list[str]]]
    beside: Table | None
    sizes: str
    protocol: str
    authors: str


def behaviour(study: Study, gallery: Gallery) -> Behaviour | None:
    """The section, or None if no metric was measured."""
    groups = []
    for heading, conditions in _groups(study.conditions):
        figures = [_figure(study, gallery, metric, heading, conditions) for metric in METRICS]
        if any(figures):
            groups.append((heading, [figure for figure in figures if figure is not None]))
    if not groups:
        return None
    return Behaviour(
        groups,
        survivors(study),
        protocols(study),
        controls(study),
        contested(study),
        notes(study),
        _beside(study),
        _sizes(study),
        str(study.settings.get("protocol", "official")),
        source() if any(AUTHORS in figure.caption for _, figures in groups for figure in figures) else "",
    )


def curve_of(summary: Summary, label: str, style: int, *, twin: bool, first: int = 0) -> Curve:
    """A summary as a curve over levels (from 0) or blocks (from 1)."""
    places = range(first, first + len(summary.mean))
    return Curve(label, places, summary.mean, summary.low, summary.high, style, dashed=twin)


def _groups(conditions: list[str]) -> list[tuple[str, list[str]]]:
    """All conditions at once if a figure can show them, else by family, each beside the clean condition."""
    if len(conditions) <= _MOST_CURVES:
        return [("", conditions)]
    families: dict[str, list[str]] = {}
    for condition in conditions:
        if condition != CLEAN:
            families.setdefault(condition.rpartition("-")[0] or condition, []).append(condition)
    first = [CLEAN] if CLEAN in conditions else []
    return [(family, first + members) for family, members in families.items()]


def _figure(
    study: Study, gallery: Gallery, metric: Metric, heading: str, conditions: list[str]
) -> PageFigure | None:
    panels = []
    for subject in study.subjects:
        twin = subject != MODEL
        curves = [
            curve_of(summary, _label(condition, summary), style, twin=twin)
            for style, condition in enumerate(conditions)
            if (summary := study.metric(metric.name, condition, subject)) is not None
        ]
        if curves and not twin:
            levels = len(curves[0].mean)
            theirs = (
                authors_curve(study, metric.name, condition, style, levels=levels)
                for style, condition in enumerate(conditions)
            )
            curves += [curve for curve in theirs if curve is not None]
        if curves:
            title = SUBJECT_NAMES[subject] if study.has_twin else ""
            panels.append(Panel(title, curves, metric.axis))
    if not panels:
        return None
    panels += _on_common_images(study, metric, heading or "all", conditions)
    return gallery.curves(
        f"{metric.name}-{heading}" if heading else metric.name,
        panels,
        title=f"{metric.title}, {heading}" if heading else metric.title,
        caption=f"{metric.title}: {metric.meaning}." + _theirs(panels),
        x_label="level",
        y_limits=metric.limits,
        columns=2,
        height=265,
    )


def _on_common_images(study: Study, metric: Metric, family: str, conditions: list[str]) -> list[Panel]:
    """The model once more, on the images that all these conditions let in; nothing if all let in the same."""
    common = (study.results.get("common") or {}).get(family) or {}
    all_images = {condition: study.metric(metric.name, condition) for condition in conditions}
    # Under the same labels, so that one legend serves all panels.
    curves = [
        curve_of(summary, _label(condition, own), style, twin=False)
        for style, (condition, own) in enumerate(all_images.items())
        if own and (summary := study.common(metric.name, condition, family)) is not None
    ]
    if not curves or {own.n for own in all_images.values() if own} == {common.get("n")}:
        return []
    return [Panel(f"common n = {common['n']}", curves, metric.axis)]


def _theirs(panels: list[Panel]) -> str:
    dotted = any(curve.reference for panel in panels for curve in panel.curves)
    return f" Dotted, in the condition's colour: {AUTHORS}." if dotted else ""


def _label(condition: str, summary: Summary) -> str:
    return condition if summary.n is None else f"{condition} (n = {summary.n})"


def _sizes(study: Study) -> str:
    sizes = {
        summary.n
        for condition in study.conditions
        for metric in METRICS
        if (summary := study.metric(metric.name, condition)) is not None and summary.n is not None
    }
    if not sizes:
        return ""
    least, most = min(sizes), max(sizes)
    return f"n = {least} images" if least == most else f"n = {least} to {most} images"


def _beside(study: Study) -> Table | None:
    rows = []
    for name, (words, digits) in BESIDE.items():
        for subject in study.subjects:
            summary = study.metric(name, CLEAN, subject)
            if summary is not None:
                cells = [
                    interval(*(summary.at(level) or (mean,)), digits=digits)
                    for level, mean in enumerate(summary.mean)
                ]
                rows.append([f"{words} ({SUBJECT_NAMES[subject]})", *cells])
    if not rows:
        return None
    return Table(["level", *(str(i) for i in range(max(map(len, rows)) - 1))], rows)

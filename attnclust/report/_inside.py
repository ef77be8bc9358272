"""Section "inside the ViT": diameters level by level, theorem steps block by block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attnclust.plots import Curve, Panel, rung_style
from attnclust.records import MODEL, OBJECTS, PER_HEAD, SIMPLIFIED
from attnclust.report._behaviour import SUBJECT_NAMES, curve_of
from attnclust.report._blocks import Blocks, blocks, curve_by_block
from attnclust.report._figures import Gallery, PageFigure
from attnclust.report._study import Study, Summary
from attnclust.report._text import count, join, number

FORMS = {
    PER_HEAD: (
        "one head on its values",
        "Each head's attention applied to its own value vectors, where the theorem is exact.",
    ),
    SIMPLIFIED: (
        "simplified layer",
        "The mean attention of a block's heads applied to its input tokens: the paper's simplified layer "
        "(values = tokens, no residual, no MLP).",
    ),
}
"""The forms of a step: name, and what it is."""

_DIAMETERS = (
    ("raw_diameter", "Raw diameter", "diameter (token units)", "the largest distance of two of its tokens"),
    (
        "relative_diameter",
        "Relative diameter",
        "share of diam(Z)",
        "the same as a share of the diameter of all tokens",
    ),
    ("angular_diameter", "Angular diameter", "angle (degrees)", "the widest angle of two of its tokens"),
)
_LOG_FROM = 20


@dataclass(frozen=True)
class Inside:
    """What the section shows. `violated` counts violations over all forms, rungs and subjects."""

    diameters: list[PageFigure]
    steps: list[PageFigure]
    ranges: list[PageFigure]
    violations: list[tuple[str, list[tuple[str, int]]]]
    rungs: list[str]
    violated: int
    measured: str
    blocks: Blocks | None


def inside(study: Study, gallery: Gallery) -> Inside | None:
    """The section, or None if neither diameters nor steps were measured."""
    diameters = [figure for entry in _DIAMETERS if (figure := _diameter(study, gallery, *entry))]
    forms = [form for form in FORMS if study.steps(form)]
    steps = [_certified(study, gallery, form) for form in forms] + _ratio(study, gallery, forms)
    violations = _violations(study, forms)
    if not diameters and not forms:
        return None
    return Inside(
        diameters,
        steps,
        _ranges(study, gallery, forms),
        violations,
        [rung for rung, _ in violations[0][1]] if violations else [],
        sum(n for _, row in violations for _, n in row),
        _measured(study, forms),
        blocks(study, gallery),
    )


def _diameter(
    study: Study, gallery: Gallery, name: str, title: str, axis: str, meaning: str
) -> PageFigure | None:
    curves = [
        curve_of(summary, SUBJECT_NAMES[subject], style, twin=subject != MODEL)
        for style, subject in enumerate(study.subjects)
        if (summary := study.diameter(name, subject)) is not None
    ]
    if not curves:
        return None
    alone = study.of_objects(name.removesuffix("_diameter"))
    if alone is not None:
        curves.append(curve_of(alone, "model, objects alone", len(SUBJECT_NAMES), twin=False))
    known = [y for curve in curves for y in curve.mean if y is not None]
    return gallery.curves(
        name,
        [Panel("", curves, axis)],
        title=title,
        caption=f"{title} of a cluster: {meaning}; mean over clusters (objects and background) and images."
        f"{_ends(study.diameter(name), alone)}",
        x_label="level",
        log=min(known) > 0 and max(known) > _LOG_FROM * min(known),
        height=230,
    )


def _ends(together: Summary | None, alone: Summary | None) -> str:
    """How far the model's clusters come from the first level to the last, with the background and without."""
    if together is None or alone is None:
        return ""
    told = [f"{number(summary.mean[0])} → {number(summary.mean[-1])}" for summary in (together, alone)]
    return f" Of the model, first level → last: {told[0]}; objects alone, without background: {told[1]}."


def _certified(study: Study, gallery: Gallery, form: str) -> PageFigure:
    steps = study.steps(form) or {}
    certified = {rung: _by_block(steps, "certified", rung) for rung in steps.get("certified") or {}}
    silent = [rung for rung, shares in certified.items() if not any(shares["mean"])]
    curves = []
    if steps.get("shrinks"):
        curves = [curve_by_block("clusters that shrink", _by_block(steps, "shrinks"), 0, scale=100.0)]
    curves += [
        curve_by_block(rung, shares, rung_style(rung), scale=100.0)
        for rung, shares in certified.items()
        if rung not in silent
    ]
    if silent:
        label = f"{count(len(silent), 'rung')} that never certify" if len(silent) > 1 else silent[0]
        curves.append(curve_by_block(label, certified[silent[0]], rung_style(silent[0]), scale=100.0))
    title, meaning = FORMS[form]
    return gallery.curves(
        f"certified-{form}",
        [Panel("", curves, "share of steps (%)")],
        title=f"Certified: {title}",
        caption=f"{meaning} A rung certifies a step if its bound on the cluster's next diameter is below the "
        f"present one.{f' Never: {join(silent)}.' if silent else ''}{_bands(curves)}",
        x_label="block",
        digits=1,
        y_limits=(-3, 103),
        columns=2,
        height=235 + 7 * len(curves),
    )


def _ratio(study: Study, gallery: Gallery, forms: list[str]) -> list[PageFigure]:
    curves = _by_subject_and_form(study, forms, "ratio")
    if not curves:
        return []
    return [
        gallery.curves(
            "ratio",
            [Panel("", curves, "diameter after / before")],
            title="How much a step shrinks a cluster",
            caption="Mean over clusters of the diameter after a step divided by the one before; below 1 the "
            f"cluster shrinks.{_bands(curves)}",
            x_label="block",
            columns=1,
            height=235 + 14 * len(curves),
        )
    ]


def _ranges(study: Study, gallery: Gallery, forms: list[str]) -> list[PageFigure]:
    entries = (
        (
            "eps_lower",
            "Smallest weight on an outside token",
            "εₗ",
            "εₗ: the smallest weight that a token of a cluster gives to one outside it; mean over clusters "
            "and images.",
        ),
        (
            "eps_upper",
            "Largest weight on an outside token",
            "εᵤ",
            "εᵤ: the largest weight that a token of a cluster gives to one outside it; mean over clusters "
            "and images.",
        ),
        (
            "outside_mass_bound",
            "The theorem's outside mass",
            "m εᵤ",
            "m εᵤ, m the number of tokens outside: the quantity that the paper expects to fall with depth. "
            "Above 1 it no longer limits anything.",
        ),
    )
    return [
        gallery.curves(
            name.removesuffix("_bound"),
            [Panel("", curves, axis)],
            title=title,
            caption=caption + _bands(curves),
            x_label="block",
            digits=3,
            columns=1,
            height=235 + 14 * len(curves),
            log=_spread(curves) > _LOG_FROM,
        )
        for name, title, axis, caption in entries
        if (curves := _by_subject_and_form(study, forms, name))
    ]


def _by_subject_and_form(study: Study, forms: list[str], name: str) -> list[Curve]:
    """The numbers `name` of the steps' summary as curves over blocks, one a subject and form."""
    curves = []
    for subject in study.subjects:
        for place, form in enumerate(forms):
            summary = _by_block(study.steps(form, subject) or {}, name)
            if any(value is not None for value in summary["mean"]):
                label = f"{SUBJECT_NAMES[subject]}, {FORMS[form][0]}"
                curves.append(curve_by_block(label, summary, place, dashed=subject != MODEL))
    return curves


def _by_block(steps: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """What was measured of the objects, mean over images with interval; records of old have the mean over
    all steps alone.
    """
    whole: Any = (steps.get("by_partition") or {}).get(OBJECTS) or {}
    plain: Any = steps
    for name in path:
        whole, plain = whole.get(name) or {}, plain.get(name) or {}
    return whole or {"mean": plain or [], "ci_low": None, "ci_high": None}


def _bands(curves: list[Curve]) -> str:
    return " Bands: 95 % intervals over images." if any(curve.low is not None for curve in curves) else ""


def _violations(study: Study, forms: list[str]) -> list[tuple[str, list[tuple[str, int]]]]:
    found = [
        (f"{SUBJECT_NAMES[subject]}, {FORMS[form][0]}", (study.steps(form, subject) or {}).get("violations"))
        for subject in study.subjects
        for form in forms
    ]
    rungs = list(dict.fromkeys(rung for _, counts in found for rung in counts or {}))
    return [(label, [(rung, counts.get(rung, 0)) for rung in rungs]) for label, counts in found if counts]


def _measured(study: Study, forms: list[str]) -> str:
    parts = [
        f"{count(steps['n'], 'step')} ({FORMS[form][0]})"
        for form in forms
        if (steps := study.steps(form)) and steps.get("n")
    ]
    return join(parts)


def _spread(curves: list[Curve]) -> float:
    known = [y for curve in curves for y in curve.mean if y is not None]
    return max(known) / min(known) if known and min(known) > 0 else 1.0

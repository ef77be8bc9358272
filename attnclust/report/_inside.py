"""Section "inside the ViT": diameters level by level, theorem steps block by block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from attnclust.plots import Curve, Panel
from attnclust.records import MODEL, PER_HEAD, SIMPLIFIED
from attnclust.report._behaviour import SUBJECT_NAMES, curve_of
from attnclust.report._blocks import Blocks, blocks
from attnclust.report._figures import Gallery, PageFigure
from attnclust.report._study import Numbers, Study
from attnclust.report._text import count, join

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
    known = [y for curve in curves for y in curve.mean if y is not None]
    return gallery.curves(
        name,
        [Panel("", curves, axis)],
        title=title,
        caption=f"{title} of a cluster: {meaning}; mean over clusters (objects and background) and images.",
        x_label="level",
        log=min(known) > 0 and max(known) > _LOG_FROM * min(known),
        height=230,
    )


def _certified(study: Study, gallery: Gallery, form: str) -> PageFigure:
    steps = study.steps(form) or {}
    certified: Mapping[str, Numbers] = steps.get("certified") or {}
    silent = [rung for rung, shares in certified.items() if not any(shares)]
    shown = {"clusters that shrink": steps.get("shrinks") or []}
    shown |= {rung: shares for rung, shares in certified.items() if rung not in silent}
    if silent:
        shown[f"{count(len(silent), 'rung')} that never certify" if len(silent) > 1 else silent[0]] = (
            certified[silent[0]]
        )
    curves = [
        Curve(rung, range(1, len(shares) + 1), _in_percent(shares), style=style)
        for style, (rung, shares) in enumerate(shown.items())
        if shares
    ]
    title, meaning = FORMS[form]
    return gallery.curves(
        f"certified-{form}",
        [Panel("", curves, "share of steps (%)")],
        title=f"Certified: {title}",
        caption=f"{meaning} A rung certifies a step if its bound on the cluster's next diameter is below the "
        f"present one.{f' Never: {join(silent)}.' if silent else ''}",
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
            "cluster shrinks.",
            x_label="block",
            columns=1,
            height=235 + 14 * len(curves),
        )
    ]


def _ranges(study: Study, gallery: Gallery, forms: list[str]) -> list[PageFigure]:
    largest = _by_subject_and_form(study, forms, "eps_upper")
    mass = _by_subject_and_form(study, forms, "outside_mass_bound")
    entries = (
        (
            "eps_upper",
            largest,
            "Largest weight on an outside token",
            "εᵤ",
            "εᵤ: the largest weight that a token of a cluster gives to one outside it; mean over clusters "
            "and images.",
        ),
        (
            "outside_mass",
            mass,
            "The theorem's outside mass",
            "m εᵤ",
            "m εᵤ, m the number of tokens outside: the quantity that the paper expects to fall with depth. "
            "Above 1 it no longer limits anything.",
        ),
    )
    return [
        gallery.curves(
            name,
            [Panel("", curves, axis)],
            title=title,
            caption=caption,
            x_label="block",
            digits=3,
            columns=1,
            height=235 + 14 * len(curves),
            log=_spread(curves) > _LOG_FROM,
        )
        for name, curves, title, axis, caption in entries
        if curves
    ]


def _by_subject_and_form(study: Study, forms: list[str], name: str) -> list[Curve]:
    """The numbers `name` of the steps' summary as curves over blocks, one a subject and form."""
    curves = []
    for subject in study.subjects:
        for place, form in enumerate(forms):
            numbers: Numbers | None = (study.steps(form, subject) or {}).get(name)
            if numbers and any(number is not None for number in numbers):
                curves.append(
                    Curve(
                        f"{SUBJECT_NAMES[subject]}, {FORMS[form][0]}",
                        range(1, len(numbers) + 1),
                        numbers,
                        style=place + (0 if subject == MODEL else len(forms)),
                        dashed=subject != MODEL,
                    )
                )
    return curves


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


def _in_percent(shares: Numbers) -> list[float | int | None]:
    return [None if share is None else 100 * share for share in shares]

"""What the views' numbers say: likeness, objects, occlusion, position, and whether views are faithful."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attnclust.plots import Curve, Panel
from attnclust.records import MODEL, TWIN
from attnclust.report._figures import Gallery, PageFigure
from attnclust.report._study import Study, Summary
from attnclust.report._text import count, interval, join, number

CLEAN = "clean"
FORMS = {"": "attention alone", "_residual": "with residual path"}
SUBJECTS = {MODEL: "model", TWIN: "random twin"}
FAITHFUL = {
    "rollout": "views, attention alone",
    "residual": "views, with residual path",
    "attention": "last block’s attention",
    "random": "random weights",
    "uniform": "equal weights",
}


@dataclass(frozen=True)
class Numbers:
    """Figures of the section; `faithful` are sentences on the score of `masked` images ("" where that is not
    known), `sums` one on the exact check.
    """

    figures: list[PageFigure]
    faithfulness: PageFigure | None
    faithful: list[str]
    masked: str
    sums: str


def numbers(study: Study, gallery: Gallery) -> Numbers:
    """All that the records hold of views."""
    figures = [
        _forms(
            study,
            gallery,
            "view-likeness",
            {"view_same_object_cosine": "on one object", "view_elsewhere_cosine": "across"},
            title="Are views on one object alike?",
            caption="Mean cosine of the views of two patches: both on one object; one on it and one not. At "
            "level 0 views of two patches share no pixel.",
            axis="cosine of views",
            limits=(-0.02, 1.02),
        ),
        _forms(
            study,
            gallery,
            "view-objects",
            {
                "view_lift_class": "class token",
                "view_lift_foreground": "object patches",
                "view_lift_background": "background patches",
            },
            title="Do views show the objects?",
            caption="Share of a view on object patches less those patches’ share of the image; 0: no "
            "preference.",
            axis="share on objects − their area",
        ),
        _retained(study, gallery),
        _position(study, gallery),
    ]
    return Numbers(
        [figure for figure in figures if figure is not None],
        _faithfulness(study, gallery),
        _verdict(study),
        _masked(study),
        _sums(study),
    )


def _curve(summary: Summary, label: str, style: int, *, dashed: bool = False) -> Curve:
    return Curve(label, range(len(summary.mean)), summary.mean, summary.low, summary.high, style, dashed)


def _forms(
    study: Study,
    gallery: Gallery,
    name: str,
    metrics: dict[str, str],
    *,
    title: str,
    caption: str,
    axis: str,
    limits: tuple[float, float] | None = None,
) -> PageFigure | None:
    """Metrics with and without the residual path, side by side; the random twin dashed."""
    panels = []
    for suffix, words in FORMS.items():
        curves = [
            _curve(
                summary,
                label if subject == MODEL else f"{label}, twin",
                style,
                dashed=subject != MODEL,
            )
            for subject in study.subjects
            for style, (metric, label) in enumerate(metrics.items())
            if (summary := study.metric(metric + suffix, CLEAN, subject)) is not None
        ]
        if curves:
            panels.append(Panel(words, curves, axis))
    if not panels:
        return None
    return gallery.curves(
        name, panels, title=title, caption=caption, x_label="level", y_limits=limits, columns=2, height=280
    )


def _retained(study: Study, gallery: Gallery) -> PageFigure | None:
    panels = []
    for suffix, words in FORMS.items():
        found = {c: study.metric(f"view_retained{suffix}", c) for c in study.conditions}
        curves = [
            _curve(summary, condition, style)
            for style, (condition, summary) in enumerate((c, s) for c, s in found.items() if s is not None)
        ]
        if curves:
            panels.append(Panel(words, curves, "share still shown"))
    if not panels:
        return None
    return gallery.curves(
        "view-retained",
        panels,
        title="What is left of the objects when patches are dropped?",
        caption="Of what the clean class token’s view showed of the objects, the share that is still shown.",
        x_label="level",
        y_limits=(-0.02, 1.02),
        columns=3,
        height=270,
    )


def _position(study: Study, gallery: Gallery) -> PageFigure | None:
    metrics = {"position_r2_tokens": "tokens"} | {
        f"position_r2_views{suffix}": f"views, {words}" for suffix, words in FORMS.items()
    }
    return _subjects(
        study,
        gallery,
        "view-position",
        metrics,
        title="Is position retained?",
        caption="Cross-validated R² of a patch’s row and column from its token, and from its view (ridge "
        "regression; differences under a tenth of a feature’s length do not count).",
        axis="R² of patch coordinates",
        limits=(-0.3, 1.02),
    )


def _faithfulness(study: Study, gallery: Gallery) -> PageFigure | None:
    return _subjects(
        study,
        gallery,
        "view-faithfulness",
        {f"faithfulness_{name}": words for name, words in FAITHFUL.items()},
        title="Do views predict what masking changes?",
        caption="Correlation, over blocks of masked patches, of what a view shows there with how much its "
        "neuron changes; mean over neurons and tokens. Random and equal weights keep pixels and filter.",
        axis="correlation",
        limits=(-0.3, 1.02),
    )


def _subjects(
    study: Study,
    gallery: Gallery,
    name: str,
    metrics: dict[str, str],
    *,
    title: str,
    caption: str,
    axis: str,
    limits: tuple[float, float],
) -> PageFigure | None:
    """Metrics of the model, and beside them those of the twin."""
    panels = []
    for subject in study.subjects:
        found = {words: study.metric(metric, CLEAN, subject) for metric, words in metrics.items()}
        curves = [
            _curve(summary, words, style, dashed=subject != MODEL)
            for style, (words, summary) in enumerate(found.items())
            if summary is not None
        ]
        if curves:
            panels.append(Panel(SUBJECTS[subject] if study.has_twin else "", curves, axis))
    if not panels:
        return None
    sizes = {s.n for metric in metrics if (s := study.metric(metric, CLEAN)) is not None and s.n}
    caption += f" n = {count(max(sizes), 'image')}." if sizes else ""
    return gallery.curves(
        name, panels, title=title, caption=caption, x_label="level", y_limits=limits, columns=2, height=290
    )


def _verdict(study: Study) -> list[str]:
    """Up to which level each kind of view beats random weights, and how it fares against the last block's
    attention: by intervals that do not touch.
    """
    scores = {name: study.metric(f"faithfulness_{name}", CLEAN) for name in FAITHFUL}
    random, attention = scores["random"], scores["attention"]
    sentences = []
    for name in ("rollout", "residual"):
        ours = scores[name]
        if ours is None or random is None or attention is None:
            continue
        levels = range(1, len(ours.mean))
        better = [level for level in levels if _apart(ours, random, level)]
        words = FAITHFUL[name][0].upper() + FAITHFUL[name][1:]
        if len(better) == len(levels):
            sentence = f"{words}, predict better than random weights at every level"
        elif better:
            sentence = (
                f"{words}, predict better than random weights at {_levels(better)} alone; at the others they "
                "are not faithful"
            )
        else:
            sentence = f"{words}, are not faithful: at no level better than random weights"
        above = [level for level in levels if _apart(ours, attention, level)]
        below = [level for level in levels if _apart(attention, ours, level)]
        last = ours.at(len(ours.mean) - 1)
        sentences.append(
            f"{sentence}. Against the last block’s attention alone they are better at {_levels(above)}, "
            f"worse at {_levels(below)}." + (f" At the last level: {interval(*last)}." if last else "")
        )
    return sentences


def _masked(study: Study) -> str:
    """How many images were masked, of all."""
    score, whole = (study.metric(name, CLEAN) for name in ("faithfulness_rollout", "view_lift_class"))
    return f"{score.n} of {whole.n}" if score and whole and score.n and whole.n else ""


def _apart(one: Summary, other: Summary, level: int) -> bool:
    """Whether the whole interval of one lies above the other's."""
    a, b = one.at(level), other.at(level)
    return a is not None and b is not None and a[1] > b[2]


def _levels(levels: Sequence[int]) -> str:
    """Levels in words, runs joined.

    >>> _levels([1, 2, 3, 7]), _levels([5]), _levels([])
    ('levels 1 to 3 and 7', 'level 5', 'no level')
    """
    if not levels:
        return "no level"
    runs: list[list[int]] = []
    for level in levels:
        if runs and level == runs[-1][-1] + 1:
            runs[-1].append(level)
        else:
            runs.append([level])
    words = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return f"level{'s' if len(levels) > 1 else ''} {join(words)}"


def _sums(study: Study) -> str:
    gap = study.metric("view_sum_gap", CLEAN)
    if gap is None or gap.mean[0] is None:
        return ""
    exact = (
        "the sum of a level-0 view, plus bias and position embedding, is the neuron"
        if gap.mean[0] < 1e-4
        else "something before block 1 changes the neurons, so a view’s sum is not the neuron"
    )
    return (
        f"Checked on {count(gap.n or 0, 'image')}, all patches and neurons: {exact} (largest gap, on average "
        f"over images: {number(gap.mean[0])} of the largest neuron)."
    )

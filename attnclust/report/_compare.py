"""Studies side by side, model by model, claim by claim, curve over curve; reads ``results.json`` only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from attnclust._array import ArgumentError
from attnclust.plots import Curve, Panel
from attnclust.records import read_results
from attnclust.report._behaviour import CLEAN, METRICS
from attnclust.report._claims import ledger
from attnclust.report._figures import Gallery, PageFigure, Table, as_csv
from attnclust.report._files import EXPORT, FIGURES, PAGE, for_papers, write, write_folder
from attnclust.report._inside import FORMS
from attnclust.report._methods import flat
from attnclust.report._opening import data_name, mean_share
from attnclust.report._study import Numbers, Study, Summary
from attnclust.report._templates import render
from attnclust.report._text import ABSENT, count, interval, percent

_DIAMETERS = {
    "raw_diameter": ("Raw diameter", "diameter (token units)"),
    "relative_diameter": ("Relative diameter", "share of diam(Z)"),
    "angular_diameter": ("Angular diameter", "angle (degrees)"),
}
_TOLD_ELSEWHERE = ("date", "seconds", "study", "model · name", "model · weights", "model · sha256")
"""Entries of the provenance that say when, or repeat a setting."""
_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


def compare_studies(folders: Sequence[Path], output: Path | None = None, *, export: bool = False) -> Path:
    """Write a page that lays studies side by side; it reads their ``results.json`` and measures nothing.

    The same results give the same bytes, wherever their folders lie.

    Args:
        folders: two or more folders of finished studies, in the order they are to stand in.
        output: folder to write; ``reports/compare-DIGEST`` if None, the digest being that of the results.
        export: write ``export/`` as well: every figure as PDF and SVG, every table of the page as CSV.

    Returns:
        The page's path.

    Raises:
        ArgumentError: fewer than two folders, one without results, or `output` holds a study's records.
    """
    if len(folders) < 2:
        raise ArgumentError(
            "--compare", "must name two or more studies", list(map(str, folders)), "Name their folders."
        )
    studies = [Study(read_results(folder), {}) for folder in folders]
    if output is None:
        digests = [hashlib.sha256((folder / "results.json").read_bytes()).digest() for folder in folders]
        output = Path("reports") / f"compare-{hashlib.sha256(b''.join(digests)).hexdigest()[:10]}"
    if (output / "results.json").exists():
        raise ArgumentError(
            "--output",
            "must not hold a study's records",
            str(output),
            "Name another folder for the comparison.",
        )
    letters = [chr(ord("A") + i) if i < 26 else str(i + 1) for i in range(len(studies))]
    runs = [f"{letter}: {_named(study)}" for letter, study in zip(letters, studies, strict=True)]
    gallery = Gallery()
    relative = len({depth for study in studies if (depth := _depth(study))}) > 1
    claims, agreement = _claims(studies, letters)
    page = render(
        "compare.html",
        runs=runs,
        settings=_settings(studies, letters),
        agreement=agreement,
        numbers=_numbers(studies, letters),
        endings=_endings(studies, letters),
        claims=claims,
        relative=relative,
        curves=list(_curves(studies, runs, gallery, relative=relative)),
    )
    output.mkdir(parents=True, exist_ok=True)
    write_folder(output / FIGURES, gallery.files)
    if export:
        write_folder(output / EXPORT, for_papers(gallery, page))
    write(output / PAGE, page.encode())
    return output / PAGE


def _named(study: Study) -> str:
    model = study.provenance.get("model") or {}
    untrained = " (random weights)" if model.get("weights") == "random" else ""
    return f"{model.get('name') or 'a vision transformer'}{untrained} on {data_name(study)}"


def _depth(study: Study) -> int:
    """Blocks of the model; 0 if nothing was measured level by level."""
    known = [study.diameter(name) for name in _DIAMETERS]
    known += [study.metric(metric.name, CLEAN) for metric in METRICS]
    return max((len(summary.mean) - 1 for summary in known if summary), default=0)


def _table(head: Sequence[str], rows: list[list[str]]) -> Table | None:
    return Table(head, rows, as_csv(head, rows)) if rows else None


def _settings(studies: list[Study], letters: list[str]) -> Table | None:
    """Those entries of the provenance that are not the same in all studies."""
    flats = [dict(flat(study.provenance)) for study in studies]
    keys = dict.fromkeys(key for entries in flats for key in entries if key not in _TOLD_ELSEWHERE)
    rows = [[key, *(_DIGEST.sub(r"\1…", entries.get(key, ABSENT)) for entries in flats)] for key in keys]
    return _table(["setting", *letters], [row for row in rows if len(set(row[1:])) > 1])


def _numbers(studies: list[Study], letters: list[str]) -> Table | None:
    rows: list[list[str]] = []
    images = [(study.results.get("images") or {}).get(CLEAN) or {} for study in studies]
    rows.append(["images that pass the selection", *(str(entry.get("selected", ABSENT)) for entry in images)])
    for form, (title, _) in FORMS.items():
        steps = [study.steps(form) or {} for study in studies]
        rows.append([f"steps that shrink ({title})", *(percent(mean_share(s.get("shrinks"))) for s in steps)])
        for rung in dict.fromkeys(rung for s in steps for rung in s.get("certified") or {}):
            shares = [mean_share((s.get("certified") or {}).get(rung)) for s in steps]
            rows.append([f"certified by {rung} ({title})", *map(percent, shares)])
        broken = [s.get("violations") for s in steps]
        rows.append(
            [f"violations ({title})", *(ABSENT if v is None else str(sum(v.values())) for v in broken)]
        )
    for metric in METRICS:
        rows.append([metric.title, *(_ending(study.metric(metric.name, CLEAN)) for study in studies)])
    return _table(["number", *letters], [row for row in rows if set(row[1:]) != {ABSENT}])


def _endings(studies: list[Study], letters: list[str]) -> Table | None:
    """Every metric at the last level under the conditions that more than one study measured, but clean."""
    conditions = dict.fromkeys(name for study in studies for name in study.conditions if name != CLEAN)
    rows = [
        [
            f"{metric.title}, {condition}",
            *(_ending(study.metric(metric.name, condition)) for study in studies),
        ]
        for condition in conditions
        for metric in METRICS
    ]
    return _table(["metric", *letters], [row for row in rows if sum(cell != ABSENT for cell in row[1:]) > 1])


def _ending(summary: Summary | None) -> str:
    if summary is None:
        return ABSENT
    return interval(*(summary.at(-1) or (summary.mean[-1], None, None)))


def _claims(studies: list[Study], letters: list[str]) -> tuple[Table | None, str]:
    ledgers = [ledger(study) for study in studies]
    found = [{group.number: group.claim for group in book.groups} if book else {} for book in ledgers]
    numbers = dict.fromkeys(number for claims in found for number in claims)
    rows, judged, alike = [], 0, 0
    for number in numbers:
        said = [claims.get(number) for claims in found]
        verdicts = {claim.verdict if claim else "not measured" for claim in said}
        judged += "not measured" not in verdicts
        alike += len(verdicts) == 1 and "not measured" not in verdicts
        statement = next(claim.statement for claim in said if claim)
        cells = [f"{claim.symbol} {claim.verdict}, {claim.value}" if claim else ABSENT for claim in said]
        rows.append([f"{'' if len(verdicts) == 1 else '≠ '}{number}. {statement}", *cells])
    words = f"All studies could judge {count(judged, 'claim')}, and agree on {alike}." if rows else ""
    return _table(["claim", *letters], rows), words


@dataclass(frozen=True)
class _Quantity:
    """What is drawn over depth: one summary a study, over levels from 0 or (`first` = 1) over blocks."""

    name: str
    title: str
    axis: str
    caption: str
    found: list[Summary | None]
    first: int = 0
    limits: tuple[float, float] | None = None


def _quantities(studies: list[Study]) -> Iterator[_Quantity]:
    """Steps that shrink or are certain to, diameters, and metrics of the condition clean."""
    for form, (words, _) in FORMS.items():
        steps = [study.steps(form) or {} for study in studies]
        certified = [s.get("certified") or {} for s in steps]
        rungs = dict.fromkeys(rung for shares in certified for rung in shares if any(shares[rung]))
        kinds = [
            ("shrinks", "Clusters that shrink", "the cluster shrinks", [s.get("shrinks") for s in steps])
        ]
        kinds += [
            (
                rung,
                f"Certified by {rung}",
                "the bound promises that the cluster shrinks",
                [s.get(rung) for s in certified],
            )
            for rung in rungs
        ]
        for kind, title, what, shares in kinds:
            yield _Quantity(
                f"{form}-{kind}",
                f"{title}: {words}",
                "share of steps",
                f"Share of steps at which {what}.",
                [_plain(numbers) for numbers in shares],
                1,
                (-0.03, 1.03),
            )
    for name, (title, axis) in _DIAMETERS.items():
        caption = f"{title} of a cluster, mean over clusters and images."
        yield _Quantity(name, title, axis, caption, [study.diameter(name) for study in studies])
    for metric in METRICS:
        found = [study.metric(metric.name, CLEAN) for study in studies]
        caption = f"{metric.title}: {metric.meaning}."
        yield _Quantity(metric.name, metric.title, metric.axis, caption, found, limits=metric.limits)


def _curves(
    studies: list[Study], runs: list[str], gallery: Gallery, *, relative: bool
) -> Iterator[PageFigure]:
    """Every quantity that more than one study measured, their curves overlaid."""
    for quantity in _quantities(studies):
        curves = [
            Curve(run, _places(len(s.mean), quantity.first, relative=relative), s.mean, s.low, s.high, style)
            for style, (run, s) in enumerate(zip(runs, quantity.found, strict=True))
            if s is not None
        ]
        if len(curves) > 1:
            yield gallery.curves(
                quantity.name,
                [Panel("", curves, quantity.axis)],
                title=quantity.title,
                caption=quantity.caption,
                x_label="share of depth" if relative else "block" if quantity.first else "level",
                y_limits=quantity.limits,
                columns=1,
                height=235 + 14 * len(curves),
            )


def _plain(numbers: Numbers | None) -> Summary | None:
    return Summary(numbers) if numbers and any(number is not None for number in numbers) else None


def _places(n: int, first: int, *, relative: bool) -> list[float | int]:
    """Levels from 0 or blocks from 1; of models that differ in depth, as shares of it."""
    depth = max(n - 1 + first, 1)
    return [round((first + i) / depth, 4) if relative else first + i for i in range(n)]

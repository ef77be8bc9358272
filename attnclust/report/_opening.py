"""The opening card: what was measured, and the findings that matter, each by a rule from the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attnclust.records import PER_HEAD, SIMPLIFIED, TWIN
from attnclust.report._claims import Ledger
from attnclust.report._inside import FORMS, Inside
from attnclust.report._study import Numbers, Study
from attnclust.report._text import count, interval, join, number, percent

CLEAN = "clean"
FEW = 10
"""Images: with fewer, the page says that they are few."""

_WEIGHTS = {
    "embedded": "trained: the student that comes with this package, distilled from a trained ViT",
    "checkpoint": "trained: from a checkpoint file",
    "pretrained": "trained: downloaded through timm",
    "random": "random: an untrained model",
}
_PAPER = ("paper_main", "paper_appendix")
_TELLING = ("sharp", "cluster_dobrushin", "block_transport")


@dataclass(frozen=True)
class Tile:
    """A number to see at once."""

    value: str
    label: str
    alarm: bool = False


@dataclass(frozen=True)
class Opening:
    """The card's content."""

    model: str
    data: str
    facts: list[tuple[str, str]]
    tiles: list[Tile]
    findings: list[str]
    caution: str


def opening(study: Study, inside: Inside | None, ledger: Ledger | None) -> Opening:
    """The card: only what the records hold."""
    shrinking = _shrinking(study)
    trends = [_trend(study, name, words) for name, words in _TRENDS]
    findings = [
        _violations(inside),
        shrinking.sentence if shrinking else None,
        _diameters(study),
        *trends,
        _against_twin(study),
        _verdicts(ledger),
    ]
    n = _images(study)
    caution = (
        ""
        if n is None or n >= FEW
        else (f"Only {count(n, 'image')} passed the selection: intervals over so few images are rough.")
    )
    return Opening(
        describe(study.provenance.get("model"), "a vision transformer"),
        _data(study.provenance.get("data")),
        _facts(study),
        _tiles(study, inside, shrinking),
        [finding for finding in findings if finding],
        caution,
    )


_TRENDS = (("purity", "Purity"), ("silhouette", "The silhouette"))


def describe(entry: Any, otherwise: str) -> str:
    """A name from a record that may be a text or a mapping with one."""
    if isinstance(entry, Mapping):
        named = [str(entry[key]) for key in ("name", "kind") if entry.get(key)]
        return named[0] if named else otherwise
    return str(entry) if entry else otherwise


@dataclass(frozen=True)
class _Shrinking:
    share: float
    certified: dict[str, float]
    sentence: str


def _shrinking(study: Study) -> _Shrinking | None:
    """Over all blocks of the form in which the theorem is exact (else the other): shares of steps."""
    form = next((form for form in (PER_HEAD, SIMPLIFIED) if study.steps(form)), None)
    steps = (study.steps(form) or {}) if form else {}
    share = _mean(steps.get("shrinks"))
    if form is None or share is None:
        return None
    certified = {rung: _mean(shares) for rung, shares in (steps.get("certified") or {}).items()}
    known = {rung: value for rung, value in certified.items() if value is not None}
    paper = [known[rung] for rung in _PAPER if rung in known]
    parts = [f"the paper's own bounds certify {percent(max(paper))} of them"] if paper else []
    parts += [f"{rung.replace('_', ' ')} {percent(known[rung])}" for rung in _TELLING if rung in known]
    sentence = f"Clusters shrink in {percent(share)} of steps ({FORMS[form][0]}"
    sentence += f"; {count(steps['n'], 'step')})" if steps.get("n") else ")"
    return _Shrinking(share, known, f"{sentence}; {join(parts)}." if parts else f"{sentence}.")


def _violations(inside: Inside | None) -> str | None:
    if inside is None or not inside.violations:
        return None
    if inside.violated:
        return f"A bound is violated {inside.violated} times: see the table of violations below."
    return f"No bound is violated in {inside.measured}." if inside.measured else "No bound is violated."


def _diameters(study: Study) -> str | None:
    parts = []
    for name, words in (("raw", "raw"), ("relative", "relative to all tokens"), ("angular", "as an angle")):
        summary = study.diameter(f"{name}_diameter")
        if summary is not None:
            first, last = summary.mean[0], summary.mean[-1]
            if first and last is not None:
                parts.append(f"{number(last / first)} times {words}")
    if not parts:
        return None
    return f"From level 0 to the last, the diameter of a cluster becomes {join(parts)}."


def _trend(study: Study, name: str, words: str) -> str | None:
    summary = study.metric(name, CLEAN)
    if summary is None:
        return None
    first, last, level = summary.at(0), summary.at(-1), len(summary.mean) - 1
    if first is None or last is None:
        return None
    change = _compared(last, first)
    if change == 0:
        return (
            f"{words} is {interval(*first)} at level 0 and {interval(*last)} at level {level}: "
            "the intervals overlap, so no change is shown."
        )
    peak = max((mean, -place) for place, mean in enumerate(summary.mean) if mean is not None)
    inside_peak = -peak[1] not in (0, level)
    top = f" Its highest mean is {number(peak[0])}, at level {-peak[1]}." if inside_peak else ""
    return f"{words} {'rises' if change > 0 else 'falls'} from {interval(*first)} at level 0 to {interval(*last)} at level {level}.{top}"


def _against_twin(study: Study) -> str | None:
    verdicts: dict[int, list[str]] = {1: [], -1: [], 0: []}
    for name, words in (
        ("purity", "purity"),
        ("silhouette", "silhouette"),
        ("nearest_same_object", "nearest neighbour on the same object"),
    ):
        mine, twins = study.metric(name, CLEAN), study.metric(name, CLEAN, TWIN)
        if mine is None or twins is None:
            continue
        a, b = mine.at(-1), twins.at(-1)
        if a is not None and b is not None:
            verdicts[_compared(a, b)].append(f"{words} ({interval(*a)} against {interval(*b)})")
    parts = [
        f"{lead} {join(verdicts[sign])}"
        for sign, lead in (
            (1, "above its random twin in"),
            (-1, "below it in"),
            (0, "not told apart from it in"),
        )
        if verdicts[sign]
    ]
    return f"At the last level the model is {'; '.join(parts)}." if parts else None


def _verdicts(ledger: Ledger | None) -> str | None:
    if ledger is None:
        return None
    counts = join([f"{n} {verdict}" for _, verdict, n in ledger.counts])
    return f"Of the paper's claims, as split in the ledger, {counts}."


def _compared(a: tuple[float, float, float], b: tuple[float, float, float]) -> int:
    """1 if a's interval lies above b's, -1 if below, 0 if they overlap."""
    return 1 if a[1] > b[2] else -1 if a[2] < b[1] else 0


def _tiles(study: Study, inside: Inside | None, shrinking: _Shrinking | None) -> list[Tile]:
    tiles = []
    if shrinking:
        tiles.append(Tile(percent(shrinking.share), "of steps shrink their cluster"))
        paper = [shrinking.certified[rung] for rung in _PAPER if rung in shrinking.certified]
        if paper:
            tiles.append(Tile(percent(max(paper)), "certified by the paper's bounds"))
        telling = [rung for rung in _TELLING if rung in shrinking.certified]
        if telling:
            best = max(telling, key=lambda rung: shrinking.certified[rung])
            tiles.append(Tile(percent(shrinking.certified[best]), f"certified by {best.replace('_', ' ')}"))
    purity = study.metric("purity", CLEAN)
    if purity is not None:
        tiles.append(
            Tile(f"{number(purity.mean[0])} → {number(purity.mean[-1])}", "purity, first level to last")
        )
    if inside is not None and inside.violations:
        tiles.append(Tile(str(inside.violated), "violations of a theorem", alarm=inside.violated > 0))
    return tiles


def _facts(study: Study) -> list[tuple[str, str]]:
    provenance = study.provenance
    images = (study.results.get("images") or {}).get(CLEAN) or {}
    skipped = study.results.get("skipped") or []
    facts = []
    if provenance.get("weights"):
        kind = describe(provenance["weights"], "")
        facts.append(("Weights", _WEIGHTS.get(kind, kind)))
    if images:
        text = f"{images.get('selected', '–')} selected of {images.get('seen', '–')} seen"
        facts.append(("Images", f"{text}, {len(skipped)} skipped" if skipped else f"{text}, none skipped"))
    if study.conditions:
        facts.append(("Conditions", ", ".join(study.conditions)))
    for label, key in (("Protocol", "protocol"), ("Device", "device"), ("Date", "date"), ("Seed", "seed")):
        if provenance.get(key) is not None:
            facts.append((label, describe(provenance[key], "–")))
    if study.has_twin:
        facts.append(("Compared with", "a twin of the same architecture with random weights"))
    return facts


def _data(entry: Any) -> str:
    name = describe(entry, "")
    return {"scenes": "procedural scenes", "voc": "a Pascal VOC folder", "": "its data"}.get(name, name)


def _images(study: Study) -> int | None:
    return ((study.results.get("images") or {}).get(CLEAN) or {}).get("selected")


def _mean(shares: Numbers | None) -> float | None:
    known = [share for share in shares or [] if share is not None]
    return sum(known) / len(known) if known else None

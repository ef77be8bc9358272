"""The opening card: what was measured, and the findings that matter, each by a rule from the records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from attnclust.records import PER_HEAD, SIMPLIFIED, TWIN
from attnclust.report._claims import Ledger
from attnclust.report._inside import FORMS, Inside
from attnclust.report._study import Interval, Numbers, Study
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
_TELLING = {
    "sharp": "the sharp bound",
    "cluster_dobrushin": "cluster Dobrushin",
    "block_transport": "block transport",
}


@dataclass(frozen=True)
class Tile:
    """A number to see at once."""

    value: str
    label: str
    alarm: bool = False


MOST = 5
"""So many findings stand on the card: those that matter most, where more could be said."""


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
        _verdicts(ledger),
        _against_twin(study),
        trends[0],
        _diameters(study),
        *trends[1:],
    ]
    n = _images(study)
    caution = (
        ""
        if n is None or n >= FEW
        else (f"Only {count(n, 'image')} passed the selection: intervals over so few images are rough.")
    )
    return Opening(
        (study.provenance.get("model") or {}).get("name") or "A vision transformer",
        data_name(study),
        _facts(study),
        _tiles(study, inside, shrinking),
        [finding for finding in findings if finding][:MOST],
        caution,
    )


_TRENDS = (("purity", "Purity"), ("silhouette", "The silhouette"))


@dataclass(frozen=True)
class _Shrinking:
    share: float | int
    certified: dict[str, float | int]
    sentence: str


def _shrinking(study: Study) -> _Shrinking | None:
    """Over all blocks of the form in which the theorem is exact (else the other): shares of steps."""
    form = next((form for form in (PER_HEAD, SIMPLIFIED) if study.steps(form)), None)
    steps = (study.steps(form) or {}) if form else {}
    share = mean_share(steps.get("shrinks"))
    if form is None or share is None:
        return None
    certified = {rung: mean_share(shares) for rung, shares in (steps.get("certified") or {}).items()}
    known = {rung: value for rung, value in certified.items() if value is not None}
    paper = [known[rung] for rung in _PAPER if rung in known]
    parts = [f"the paper's own bounds certify {percent(max(paper))} of them"] if paper else []
    parts += [f"{words} {percent(known[rung])}" for rung, words in _TELLING.items() if rung in known]
    sentence = f"Clusters shrink in {percent(share)} of steps ({FORMS[form][0]}"
    sentence += f"; {count(steps['n'], 'step')})" if steps.get("n") else ")"
    sentence += f"; {join(parts)}." if parts else "."
    twins = mean_share((study.steps(form, TWIN) or {}).get("shrinks"))
    if twins is not None:
        sentence += f" In the random twin {percent(twins)} shrink."
    return _Shrinking(share, known, sentence)


def _violations(inside: Inside | None) -> str | None:
    if inside is None or not inside.violated:
        return None
    return f"A bound is violated {count(inside.violated, 'time')}: see the table of violations."


def _diameters(study: Study) -> str | None:
    parts = []
    for name, words in (("raw", "raw"), ("relative", "relative to all tokens"), ("angular", "as an angle")):
        summary = study.diameter(f"{name}_diameter")
        if summary is not None:
            first, last = summary.mean[0], summary.mean[-1]
            if first and last is not None:
                parts.append(f"{number(last / first)}-fold {words}")
    if not parts:
        return None
    return f"From level 0 to the last, the mean diameter of a cluster changes {join(parts)}."


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
    verb = "rises" if change > 0 else "falls"
    return f"{words} {verb} from {interval(*first)} at level 0 to {interval(*last)} at level {level}.{top}"


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
            (-1, "below its random twin in"),
            (0, "not told apart from its random twin in"),
        )
        if verdicts[sign]
    ]
    return f"At the last level the model is {'; '.join(parts)}." if parts else None


def _verdicts(ledger: Ledger | None) -> str | None:
    if ledger is None:
        return None
    counts = join([f"{n} {verdict}" for _, verdict, n in ledger.counts])
    return f"Of {count(len(ledger.groups), 'claim')} of the paper, {counts}."


def _compared(a: Interval, b: Interval) -> int:
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
            tiles.append(Tile(percent(shrinking.certified[best]), f"certified by {_TELLING[best]}"))
    purity = study.metric("purity", CLEAN)
    if purity is not None:
        tiles.append(
            Tile(f"{number(purity.mean[0])} → {number(purity.mean[-1])}", "purity, first level to last")
        )
    if inside is not None and inside.violations:
        tiles.append(Tile(str(inside.violated), "violations of a theorem", alarm=inside.violated > 0))
    return tiles


def _facts(study: Study) -> list[tuple[str, str]]:
    provenance, settings = study.provenance, study.settings
    facts = []
    weights = (provenance.get("model") or {}).get("weights")
    if weights:
        facts.append(("Weights", _WEIGHTS.get(weights, weights)))
    images = (study.results.get("images") or {}).get(CLEAN) or {}
    if images:
        skipped = len(study.results.get("skipped") or [])
        words = f"{images.get('selected')} selected of {images.get('seen')} seen"
        facts.append(("Images", f"{words}, {skipped or 'none'} skipped as unreadable"))
    if study.conditions:
        facts.append(("Conditions", ", ".join(study.conditions)))
    if settings.get("protocol"):
        facts.append(("Protocol", settings["protocol"]))
    if settings.get("device"):
        facts.append(("Device", f"{settings['device']} ({provenance.get('device', 'unknown')})"))
    if provenance.get("date"):
        facts.append(("Date", provenance["date"].partition("T")[0]))
    if settings.get("seed") is not None:
        facts.append(("Seed", str(settings["seed"])))
    if study.has_twin:
        facts.append(("Compared with", "a twin of the same architecture with random weights"))
    return facts


def data_name(study: Study) -> str:
    kind = (study.settings.get("data") or {}).get("kind")
    named = PurePath(study.provenance.get("data") or "").name
    return "procedural scenes" if kind == "scenes" else named or "its data"


def _images(study: Study) -> int | None:
    return ((study.results.get("images") or {}).get(CLEAN) or {}).get("selected")


def mean_share(shares: Numbers | None) -> float | int | None:
    known = [share for share in shares or [] if share is not None]
    return sum(known) / len(known) if known else None

"""Make reports/findings.md from two studies, so that no number in it is typed.

    python reports/findings.py [SCENES_FOLDER IMAGES_FOLDER]

The folders hold results.json: of the embedded model on scenes and of DeiT-Tiny on real images, by default the
samples beside this file (measured with --conditions all). The prose stands in findings.md.j2; verdicts and
numbers are filled in, and what it reads into them was written from studies of 25 November: read it again when
they change.
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from attnclust.records import read_results

HERE = Path(__file__).parent
SAMPLES = (HERE / "samples" / "scenes", HERE / "samples" / "voc2007-deit-tiny")


class Run:
    """One study, read for the template."""

    def __init__(self, folder: Path) -> None:
        self.results = read_results(folder)
        self.ledger = {row["id"]: row for row in self.results["claims"]}
        self.twin = {row["id"]: row for row in self.results["random_twin"]["claims"]}

    @property
    def images(self) -> int:
        return self.results["images"]["clean"]["selected"]

    @property
    def conditions(self) -> int:
        return len(self.results["images"])

    def certified(self, rung: str, form: str = "per_head") -> str:
        """The share of steps that a rung certifies, over all blocks."""
        return percent(_mean(self.results["layers"]["steps"][form]["certified"][rung]))

    def shrinks(self, form: str = "per_head", *, twin: bool = False) -> str:
        """The share of steps that shrink their cluster, over all blocks."""
        part = self.results["random_twin"] if twin else self.results
        return percent(_mean(part["layers"]["steps"][form]["shrinks"]))

    def tally(self, *, twin: bool = False) -> str:
        """How many of the claims got which verdict."""
        rows = [row for row in (self.twin if twin else self.ledger).values() if row["role"] == "claim"]
        verdicts = [row["verdict"] for row in rows]
        words = ("supported", "contradicted", "undecided", "not measured")
        return ", ".join(f"{verdicts.count(word)} {word}" for word in words if word in verdicts)

    def value(self, row_id: str, *, twin: bool = False) -> str:
        """A row's mean with its interval."""
        row = (self.twin if twin else self.ledger)[row_id]
        if row["value"] is None:
            return "–"
        mean, low, high = (decimals(number) for number in (row["value"], *row["ci"]))
        return f"{mean} [{low}, {high}]"

    def at(self, metric: str, level: int, condition: str = "clean", *, twin: bool = False) -> str:
        """A metric's mean over images at a level."""
        part = self.results["random_twin"] if twin else self.results
        return decimals(part["metrics"][condition][metric]["mean"][level])

    def verdict(self, row_id: str, *, twin: bool = False) -> str:
        """A row's verdict, in bold."""
        return f"**{(self.twin if twin else self.ledger)[row_id]['verdict']}**"

    def shared(self, number: int, name: str) -> str:
        """The verdict that all parts of a claim with such a last name have, in bold, or all of theirs."""
        rows = [row for row in self.ledger.values() if row["claim"] == number and row["role"] == "part"]
        verdicts = [row["verdict"] for row in rows if row["id"].endswith(f".{name}")]
        return ", ".join(f"**{verdict}**" for verdict in dict.fromkeys(verdicts))

    def parts(self, number: int, verdict: str) -> str:
        """The ids of a claim's parts with a verdict, without the claim's number."""
        return ", ".join(
            row["id"].partition(".")[2]
            for row in self.ledger.values()
            if row["claim"] == number and row["role"] == "part" and row["verdict"] == verdict
        )


def authors_change(metric: str, condition: str) -> str:
    """How the authors' own curve moves from clean to a condition (mean over blocks)."""
    curves = json.loads((files("attnclust.report") / "authors.json").read_text("utf-8"))["metrics"]
    return f"{_mean(curves[condition][metric]) - _mean(curves['clean'][metric]):.3f}".replace("-", "−")


def decimals(value: float) -> str:
    """Two of them, and no minus before 0.00."""
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def findings(scenes: Path, images: Path) -> str:
    """The page, as Markdown."""
    environment = Environment(
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.get_template("findings.md.j2")
    runs = {"student": Run(scenes), "deit": Run(images)}
    return template.render(**runs, authors_change=authors_change) + "\n"


def _mean(numbers: list[Any]) -> float:
    known = [number for number in numbers if number is not None]
    return sum(known) / len(known)


if __name__ == "__main__":
    chosen = [Path(argument) for argument in sys.argv[1:]] or list(SAMPLES)
    (HERE / "findings.md").write_text(findings(*chosen), "utf-8")

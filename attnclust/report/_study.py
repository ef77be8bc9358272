"""A study's folder, read once: the summary and the tables that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from attnclust.records import MODEL, TABLES, TWIN, read_results, read_table

Numbers = Sequence[float | int | None]
Interval = tuple[float | int, float | int, float | int]
"""A mean and the ends of its interval."""


@dataclass(frozen=True)
class Summary:
    """A mean with its 95 % interval, by level or block; None where nothing was measured."""

    mean: Numbers
    low: Numbers | None = None
    high: Numbers | None = None
    n: int | None = None

    def at(self, index: int) -> Interval | None:
        """Mean and interval at one place; None if any of the three is missing."""
        if self.low is None or self.high is None:
            return None
        mean, low, high = self.mean[index], self.low[index], self.high[index]
        return None if mean is None or low is None or high is None else (mean, low, high)


@dataclass(frozen=True)
class Study:
    """What a folder holds. Whatever was not measured is absent, and asking for it gives None."""

    results: Mapping[str, Any]
    tables: Mapping[str, pa.Table]

    @property
    def provenance(self) -> Mapping[str, Any]:
        return self.results.get("provenance") or {}

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was asked for: the part of the provenance that decides the numbers."""
        return self.provenance.get("settings") or {}

    @property
    def conditions(self) -> list[str]:
        """All conditions that were measured, in the study's order."""
        return list(dict.fromkeys([*self._part(MODEL, "metrics"), *(self.results.get("images") or {})]))

    @property
    def has_twin(self) -> bool:
        return bool(self.results.get("random_twin"))

    @property
    def subjects(self) -> list[str]:
        return [MODEL, TWIN] if self.has_twin else [MODEL]

    def metric(self, name: str, condition: str, subject: str = MODEL) -> Summary | None:
        return _summary((self._part(subject, "metrics").get(condition) or {}).get(name))

    def common(self, name: str, condition: str, family: str) -> Summary | None:
        """A metric of the model on the images that every condition of a family lets in."""
        found = (self.results.get("common") or {}).get(family) or {}
        return _summary(((found.get("metrics") or {}).get(condition) or {}).get(name))

    def diameter(self, name: str, subject: str = MODEL) -> Summary | None:
        return _summary((self._part(subject, "layers").get("levels") or {}).get(name))

    def steps(self, form: str, subject: str = MODEL) -> Mapping[str, Any] | None:
        """The summary of theorem steps of one form, or None."""
        return (self._part(subject, "layers").get("steps") or {}).get(form) or None

    @property
    def stages(self) -> Mapping[str, Any] | None:
        """The summary of the stage ledger, or None; it is the model's alone."""
        return self._part(MODEL, "layers").get("stages") or None

    def of_objects(self, quantity: str) -> Summary | None:
        """The diameters by level of the model's objects alone, without the background."""
        return _summary(((self.stages or {}).get("objects") or {}).get(quantity))

    def table(self, name: str) -> pa.Table | None:
        """A table with at least one row, or None."""
        return self.tables.get(name)

    def _part(self, subject: str, part: str) -> Mapping[str, Any]:
        whole = self.results if subject == MODEL else self.results.get("random_twin") or {}
        return whole.get(part) or {}


def open_study(folder: Path) -> Study:
    """Read ``results.json`` and those tables that are there and hold rows."""
    tables = {}
    for name in TABLES:
        if (folder / f"{name}.parquet").is_file():
            table = read_table(folder, name)
            if table.num_rows:
                tables[name] = table
    return Study(read_results(folder), tables)


def _summary(form: Mapping[str, Any] | None) -> Summary | None:
    if not form or not form.get("mean") or all(number is None for number in form["mean"]):
        return None
    return Summary(form["mean"], form.get("ci_low"), form.get("ci_high"), form.get("n"))

"""Section "methods": how it was measured, with what, and how to do it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attnclust.report._figures import Table
from attnclust.report._study import Study

_COMMAND = "command"


@dataclass(frozen=True)
class Methods:
    """The command to reproduce the study, its provenance as rows of (key, value), and what was skipped."""

    command: str
    provenance: list[tuple[str, str]]
    skipped: Table | None
    protocol: str


def methods(study: Study) -> Methods:
    """The section; its definitions stand in the template."""
    provenance = study.provenance
    command = provenance.get(_COMMAND) or ""
    skipped = [
        [str(entry.get("image", "–")), str(entry.get("reason", "–"))]
        for entry in study.results.get("skipped") or []
    ]
    return Methods(
        command if isinstance(command, str) else " ".join(map(str, command)),
        list(_flat({key: value for key, value in provenance.items() if key != _COMMAND})),
        Table(["image", "reason"], skipped) if skipped else None,
        str(provenance.get("protocol", "official")),
    )


def _flat(entries: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    rows = []
    for key, value in entries.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            rows += _flat(value, f"{name} · ")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            if any(isinstance(item, Mapping) for item in value):
                for place, item in enumerate(value, start=1):
                    rows += _flat(item if isinstance(item, Mapping) else {"": item}, f"{name} {place} · ")
            elif value:
                rows.append((name, ", ".join(map(str, value))))
        elif value is not None and value != "":
            rows.append((name, str(value)))
    return rows

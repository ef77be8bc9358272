"""Section "methods": how it was measured, with what, and how to do it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attnclust.report._figures import Table
from attnclust.report._study import Study


@dataclass(frozen=True)
class Methods:
    """The command to reproduce the study, its provenance as rows of (key, value), and what was skipped."""

    command: str
    provenance: list[tuple[str, str]]
    skipped: Table | None
    protocol: str


def methods(study: Study) -> Methods:
    """The section; its definitions stand in the template."""
    skipped = [
        [str(entry.get("image", "–")), str(entry.get("reason", "–"))]
        for entry in study.results.get("skipped") or []
    ]
    return Methods(
        _command(study),
        flat(study.provenance),
        Table(["image", "reason"], skipped) if skipped else None,
        study.settings.get("protocol", "official"),
    )


def _command(study: Study) -> str:
    """The command that measures the same again, every option spelled out; empty without settings."""
    settings, model = study.settings, study.provenance.get("model") or {}
    if not settings:
        return ""
    words = ["python", "-m", "attnclust.report", "--model", settings["model"]]
    weights = settings["weights"]
    if weights == "checkpoint":
        words += ["--checkpoint", model.get("checkpoint") or "FILE"]
    elif weights in ("pretrained", "random"):
        words += ["--pretrained" if weights == "pretrained" else "--random-weights"]
    words += ["--data", study.provenance.get("data") or settings["data"]["kind"]]
    words += ["--conditions", ",".join(settings["conditions"]), "--protocol", settings["protocol"]]
    for image in settings.get("images") or []:
        words += ["--image", image["name"]]
    if settings.get("limit") is not None:
        words += ["--limit", str(settings["limit"])]
    words += ["--device", settings["device"], "--seed", str(settings["seed"])]
    return shlex.join(words)


def flat(entries: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    rows = []
    for key, value in entries.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            rows += flat(value, f"{name} · ")
        elif isinstance(value, Sequence) and not isinstance(value, str):
            if any(isinstance(item, Mapping) for item in value):
                for place, item in enumerate(value, start=1):
                    rows += flat(item if isinstance(item, Mapping) else {"": item}, f"{name} {place} · ")
            elif value:
                rows.append((name, ", ".join(map(str, value))))
        elif value is not None and value != "":
            rows.append((name, str(value)))
    return rows

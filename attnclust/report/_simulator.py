"""Section "the simulator": simulated layers, each picture with the statement that it illustrates."""

from __future__ import annotations

from dataclasses import dataclass

from attnclust.report._figures import Gallery
from attnclust.report._simulated import Exhibit, checks_of
from attnclust.report._simulator_bounds import ladder, phases
from attnclust.report._simulator_layers import emergence, stages, variants
from attnclust.report._study import Study


@dataclass(frozen=True)
class Simulator:
    """What the section shows; `checked` counts comparisons of a bound with a simulated diameter."""

    exhibits: list[Exhibit]
    checked: int
    violated: int


def simulator(study: Study, gallery: Gallery) -> Simulator | None:
    """The section, or None if nothing was simulated."""
    parts = (stages, variants, ladder, phases, emergence)
    exhibits = [exhibit for part in parts if (exhibit := part(study, gallery)) is not None]
    return Simulator(exhibits, *checks_of(study)) if exhibits else None

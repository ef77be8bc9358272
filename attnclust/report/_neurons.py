"""Section "what neurons tell": the paper's figures 1 to 5 on this study's images, and the numbers behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attnclust.report._figures import Gallery
from attnclust.report._neurons_numbers import Numbers, numbers
from attnclust.report._neurons_pictures import (
    FORMS,
    Cell,
    PatchSheet,
    Sheet,
    clipped,
    conditions,
    filters,
    overview,
    patch_sheet,
    tokens,
)
from attnclust.report._neurons_records import CLEAN, Ranked, rank_filters, read_drawn
from attnclust.report._study import Study
from attnclust.report._text import count

_MOST_PHOTOGRAPHS = 8


@dataclass(frozen=True)
class Neurons:
    """What the section shows; a part without records is empty or None."""

    overview: list[Cell]
    overview_image: str
    own: bool
    neuron: int
    patches: int
    patch: PatchSheet
    filters: Sheet | None
    answered: str
    tokens: list[Sheet]
    clipped: list[Cell]
    conditions: list[Sheet]
    photographs: list[Sheet]
    left_out: int
    image: str
    numbers: Numbers


def neurons(study: Study, gallery: Gallery) -> Neurons | None:
    """The section, or None if the records hold no views."""
    drawn = read_drawn(study)
    if drawn is None:
        return None
    ranked = rank_filters(study, drawn)
    neuron = ranked[0].neuron
    image = (drawn.images or drawn.photographs)[0]
    shown = (drawn.photographs or [image])[0]
    photographs = drawn.photographs[:_MOST_PHOTOGRAPHS]
    return Neurons(
        overview=overview(drawn, neuron, shown),
        overview_image=shown,
        own=bool(drawn.photographs),
        neuron=neuron,
        patches=drawn.inputs[image, CLEAN].shape[0]
        * drawn.inputs[image, CLEAN].shape[1]
        // (drawn.filters.shape[2] * drawn.filters.shape[3]),
        patch=patch_sheet(drawn, shown),
        filters=filters(drawn, ranked) if drawn.images and ranked[0].objects else None,
        answered=_answered(ranked),
        tokens=[
            tokens(drawn, neuron, image, form, levels=5, save=(gallery, f"views-{form}")) for form in FORMS
        ],
        clipped=clipped(drawn, neuron, image),
        conditions=[sheet for form in FORMS if (sheet := conditions(drawn, neuron, image, form, gallery))],
        photographs=[tokens(drawn, neuron, name, form, levels=4) for name in photographs for form in FORMS]
        if drawn.images
        else [],
        left_out=len(drawn.photographs) - len(photographs),
        image=image,
        numbers=numbers(study, gallery),
    )


def _answered(ranked: list[Ranked]) -> str:
    """How many classes filters answer to, in a sentence."""
    best = ranked[0]
    if not best.objects:
        return ""
    counts = np.array([each.answers for each in ranked])
    several, one, none = int((counts > 1).sum()), int((counts == 1).sum()), int((counts == 0).sum())
    return (
        f"Over {count(best.objects, 'object')} of {count(best.classes, 'object type')}, {several} of "
        f"{count(len(ranked), 'filter')} answer to two types or more (their mean 2 AUC − 1 is 0.5 or more in "
        f"size), {one} to one, {none} to none."
    )

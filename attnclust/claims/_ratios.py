"""What a claim says of every ratio of a drop, as one number an image: a mean over the ratios.

A part for each ratio and metric would make a claim of two dozen parts, of which few images decide nothing:
to be supported the weakest has to pass, to be contradicted the plainest has to stand out among all. So the
verdict rests on one part a metric. The ratios stand beside it one by one, for a mean cannot tell "at every
ratio" from "at most of them", and changes of opposite directions at two ratios cancel in it. Directions taken
from the images would keep them from it, but the same images could not test them then.

An image counts with the ratios at which it was measured. Were only those to count that were measured at every
one, the few images that pass the selection under the heaviest drop would speak alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._tables import Curves


@dataclass(frozen=True)
class OverRatios:
    """Numbers at the ratios of one drop.

    Attributes:
        drop: ``"random"``, ``"salient"`` or ``"non-salient"``.
        numbers: each condition of the drop -> ``(images,)``, NaN where an image has no number.
    """

    drop: str
    numbers: Mapping[str, Float[np.ndarray, " images"]]

    @property
    def words(self) -> str:
        """What the mean is over; a ratio at which no image was measured has no part in it."""
        measured = [name for name, numbers in self.numbers.items() if not np.isnan(numbers).all()]
        ratios = ", ".join(name.rpartition("-")[2] for name in measured or self.numbers)
        return f"an image's mean over r = {ratios}, where measured"

    def mean(self) -> Float[np.ndarray, " some"]:
        """An image's mean over the ratios, for those with a number at one; opposite numbers cancel."""
        if not self.numbers:
            return np.empty(0)
        numbers = np.stack(list(self.numbers.values()), axis=1)
        seen = ~np.isnan(numbers)
        count = seen.sum(axis=1)
        return np.where(seen, numbers, 0).sum(axis=1)[count > 0] / count[count > 0]

    def absent(self, curves: Curves, metric: str, *others: str) -> str:
        """Why no image has a number, which takes `metric` under the drop and the conditions `others`."""
        if not self.numbers:
            return f"the records hold no condition of {self.drop} drop"
        return curves.absent(metric, *others, *self.numbers)

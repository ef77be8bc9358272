"""Who is measured: a model, or its twin with random weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from attnclust.models import LoadedModel
from attnclust.vit import Level, stream


@dataclass(frozen=True)
class Subject:
    """A model under study, or its random twin."""

    name: str
    loaded: LoadedModel
    device: torch.device

    def layout(self) -> Level:
        """Level 0 of a grey image: the grid of patches and the number of prefix tokens.

        A model that cannot be traced is refused here, by name and with the reason.
        """
        height, width = self.loaded.size
        return next(iter(stream(self.loaded.model, torch.zeros(1, 3, height, width, device=self.device))))

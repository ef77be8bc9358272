"""Drawn layers for property tests: tokens, weights of every kind, masks, labels, from shrinkable dials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from attnclust.attention import (
    WEIGHT_KINDS,
    Trajectory,
    adversarial_weights,
    block_mask,
    causal_mask,
    draw_weights,
    ring_mask,
    simulate,
)

KINDS = (*WEIGHT_KINDS, "adversarial")
MASKS = ("none", "causal", "ring", "block")


@dataclass(frozen=True)
class Drawn:
    """A stack of simplified layers; the same dials give the same arrays."""

    seed: int
    n: int
    d: int
    clusters: int
    kind: str
    mask: str
    temperature: float  # decimal logarithm of the weights' scale
    tightness: float  # decimal logarithm of a cluster's spread against the distances between them
    scale: float
    offset: float
    order: float
    tied_over_depth: bool
    heads: int | None
    runs: int = 4
    steps: int = 6

    @property
    def labels(self) -> np.ndarray:
        labels = np.random.default_rng(self.seed).integers(-1, self.clusters, size=self.n)
        labels[:2], labels[-1] = 0, -1  # one cluster can shrink, and has an outside
        return labels

    def mask_array(self) -> np.ndarray | None:
        masks = {
            "causal": lambda: causal_mask(self.n),
            "ring": lambda: ring_mask(self.n),
            "block": lambda: block_mask(self.labels),
        }
        return masks[self.mask]() if self.mask in masks else None

    def tokens(self) -> np.ndarray:
        """Clusters of unit distance, before scale and offset."""
        rng = np.random.default_rng(self.seed + 1)
        centres = rng.normal(size=(self.runs, self.clusters + 1, self.d))
        noise = rng.normal(size=(self.runs, self.n, self.d))
        return centres[:, self.labels] + 10**self.tightness * noise

    def weights(self, tokens: np.ndarray) -> tuple:
        rng = np.random.default_rng(self.seed + 2)
        many = 1 if self.tied_over_depth else self.steps
        batch = (self.runs,) if self.heads is None else (self.runs, self.heads)
        drawn = []
        for _ in range(many):
            if self.kind == "adversarial":
                w_q, w_k, _ = adversarial_weights(tokens, self.labels, scale=10**self.temperature)
                if self.heads is not None:
                    w_q, w_k = (np.repeat(w[:, None], self.heads, axis=1) for w in (w_q, w_k))
            else:
                w_q, w_k, _ = draw_weights(
                    self.kind, self.d, generator=rng, scale=10**self.temperature, batch=batch
                )
            drawn.append((w_q, w_k))
        queries, keys = zip(*drawn, strict=True)
        return (queries[0], keys[0]) if many == 1 else (list(queries), list(keys))

    def run(self, **changes: object) -> Trajectory:
        """The simplified layer, unless `changes` say otherwise; logits do not feel the tokens' scale."""
        tokens = self.tokens()
        w_q, w_k = self.weights(tokens)
        moved = self.scale * (tokens + self.offset)
        given = {"steps": self.steps, "mask": self.mask_array(), "heads": self.heads}
        shrunk = [
            [w / self.scale for w in each] if isinstance(each, list) else each / self.scale
            for each in (w_q, w_k)
        ]
        return simulate(moved, *shrunk, **(given | changes))  # pyright: ignore[reportArgumentType]


def drawn(*, masks: tuple[str, ...] = MASKS, kinds: tuple[str, ...] = KINDS) -> st.SearchStrategy[Drawn]:
    return st.builds(
        Drawn,
        seed=st.integers(0, 2**31),
        n=st.integers(4, 11),
        d=st.integers(2, 5),
        clusters=st.integers(1, 3),
        kind=st.sampled_from(kinds),
        mask=st.sampled_from(masks),
        temperature=st.floats(-2, 2),
        tightness=st.floats(-3, 0),
        scale=st.sampled_from((1.0, 1e-6, 1e6)),
        offset=st.sampled_from((0.0, 1.0, 1e3)),
        order=st.sampled_from((1.0, 2.0, np.inf, 3.0)),
        tied_over_depth=st.booleans(),
        heads=st.sampled_from((None, 2)),
    )

"""Wrong input to the simulator: one clear error, naming the argument, the rule, what came, the remedy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.attention import (
    adversarial_weights,
    block_mask,
    causal_mask,
    draw_weights,
    ring_mask,
    simulate,
)

Z, W, MASK = np.arange(12.0).reshape(4, 3), np.eye(3), np.eye(4, dtype=bool)
LABELS = np.array([0, 0, 1, -1])
RNG = np.random.default_rng(0)
NAN = np.where(W == 1, np.nan, W)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"tokens": Z.astype(int)}, ArgumentTypeError, "tokens: must have a real floating dtype; got int64"),
        ({"tokens": Z.tolist()}, ArgumentTypeError, "tokens: must be a NumPy array or a torch tensor"),
        ({"tokens": Z[0]}, ArgumentError, "tokens: must have at least 2 axes"),
        ({"tokens": np.full((4, 3), np.inf)}, ArgumentError, "tokens: must be finite"),
        ({"tokens": Z[:0]}, ArgumentError, r"tokens: must hold a token .* got shape \(0, 3\)\. "),
        (
            {"tokens": np.ones((5, 4, 0))},
            ArgumentError,
            r"tokens: must hold a token of a coordinate; got shape \(4, 0\)\. ",
        ),
        ({"tokens": torch.tensor(Z)}, ArgumentTypeError, "w_q: must be of one kind with tokens"),
        ({"w_q": np.eye(4)}, ArgumentError, r"w_q: must be \(d, d_k\) .* d = 3; got shape \(4, 4\)"),
        ({"w_q": W[:, :0]}, ArgumentError, "w_q: must be"),
        ({"w_q": 1.0}, ArgumentTypeError, "w_q: must be an array; got float"),
        ({"w_k": NAN}, ArgumentError, "w_k: must be finite; got 3 NaN or infinite of 9"),
        ({"w_k": W[:, :2]}, ArgumentError, r"w_q and w_k: must both be \(d, d_k\); got d_k of \[2, 3\]"),
        ({"w_k": W.astype(int)}, ArgumentTypeError, "w_k: must have a real floating dtype"),
        ({"w_q": [W]}, ArgumentError, "w_q: a list must hold one weight a step, so 2; got 1"),
        ({"w_q": [W, NAN]}, ArgumentError, r"w_q\[1\]: must be finite"),
        ({"w_v": W[:, :2]}, ArgumentError, r"w_v: must be \(d, d\)"),
        ({"steps": -1}, ArgumentError, "steps: must be at least 0; got -1"),
        ({"steps": 2.0}, ArgumentTypeError, "steps: must be a whole number; got float"),
        ({"steps": True}, ArgumentTypeError, "steps: must be a whole number; got bool"),
        ({"residual": 1}, ArgumentTypeError, "residual: must be True or False"),
        ({"residual": True, "step_size": 0}, ArgumentError, "step_size: must be a positive number; got 0"),
        ({"step_size": 0.5}, ArgumentError, "step_size: .*residual=False. Set residual=True"),
        ({"norm": "batchnorm"}, ArgumentError, "norm: must be None, layernorm or sphere; got 'batchnorm'"),
        ({"norm": W}, ArgumentError, "norm: must be None"),
        ({"mask": MASK.astype(float)}, ArgumentTypeError, "mask: must be boolean; got float64"),
        ({"mask": True}, ArgumentTypeError, "mask: must be"),
        ({"mask": MASK[:3, :3]}, ArgumentError, r"mask: must be \(n, n\) .* n = 4"),
        ({"mask": MASK & False}, ArgumentError, "mask: every query must see a key"),
        ({"mask": torch.tensor(MASK)}, ArgumentTypeError, "mask: must be of one kind with tokens"),
        ({"scale": 0.0}, ArgumentError, "scale: must be a positive number"),
        ({"scale": math.nan}, ArgumentError, "scale: must be a positive number"),
        ({"scale": W}, ArgumentError, "scale: must be a positive number"),
        ({"heads": 0}, ArgumentError, "heads: must be at least 1"),
        ({"heads": 1}, ArgumentError, "w_q: must have at least 3 axes"),
        ({"heads": 2, "w_q": np.stack([W] * 3)}, ArgumentError, r"w_q: must be \(heads, d, d_k\)"),
        (
            {"tokens": np.stack([Z] * 2), "w_q": np.stack([W] * 3)},
            ArgumentError,
            r"w_q: leading \(batch\) axes must broadcast against tokens; got \(3,\) beside \(2,\)\.",
        ),
        ({"w_v": 1e200 * W, "steps": 5}, ArgumentError, "steps: .* an overflow in step 2"),
    ],
)  # fmt: skip
def test_simulate(changes: dict[str, Any], error: type[Exception], said: str) -> None:
    given = {"tokens": Z, "w_q": W, "w_k": W, "steps": 2} | changes
    with pytest.raises(error, match=said):
        simulate(given.pop("tokens"), given.pop("w_q"), given.pop("w_k"), **given)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"kind": "uniform"}, ArgumentError, "kind: must be one of gaussian, orthogonal, tied; got"),
        ({"d": 0}, ArgumentError, "d: must be at least 1"),
        ({"d_k": 1.5}, ArgumentTypeError, "d_k: must be a whole number"),
        ({"scale": -1.0}, ArgumentError, "scale: must be a positive number"),
        ({"batch": 5}, ArgumentTypeError, "batch: must be a tuple"),
        ({"batch": (-1,)}, ArgumentError, "batch: must be at least 0"),
        ({"generator": 0}, ArgumentTypeError, "generator: must be a numpy.random.Generator or a torch.Gen"),
        ({"generator": np.random}, ArgumentTypeError, "generator: must be"),
    ],
)  # fmt: skip
def test_draw_weights(changes: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        draw_weights(**({"kind": "gaussian", "d": 3, "generator": RNG} | changes))


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"cluster": 1}, ArgumentError, "cluster: must hold two tokens or more, and not all; got 1 of 4"),
        ({"cluster": 7}, ArgumentError, "cluster: must hold two tokens or more, and not all; got 0 of 4"),
        ({"labels": np.zeros(4, int)}, ArgumentError, "cluster: must hold two tokens or more, and not all"),
        ({"labels": LABELS[:2]}, ArgumentError, "labels: must have one entry a token"),
        ({"scale": 0}, ArgumentError, "scale: must be a positive number"),
    ],
)
def test_adversarial_weights(changes: dict[str, Any], error: type[Exception], said: str) -> None:
    given = {"tokens": Z, "labels": LABELS} | changes
    with pytest.raises(error, match=said):
        adversarial_weights(given.pop("tokens"), given.pop("labels"), **given)


def test_masks() -> None:
    with pytest.raises(ArgumentError, match="n: must be at least 1; got 0"):
        causal_mask(0)
    with pytest.raises(ArgumentError, match="width: must be at least 0; got -1"):
        ring_mask(3, width=-1)
    with pytest.raises(ArgumentTypeError, match="n: must be a whole number"):
        ring_mask(3.0)
    with pytest.raises(ArgumentTypeError, match="like: must be a NumPy array or a torch tensor"):
        causal_mask(3, like="cpu")
    with pytest.raises(ArgumentTypeError, match="labels: must have an integer dtype"):
        block_mask(Z)
    with pytest.raises(ArgumentError, match=r"labels: must .* got -2"):
        block_mask(np.array([0, -2, 1]))

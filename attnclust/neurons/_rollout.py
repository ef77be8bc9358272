"""How much each token owes to each patch, level by level."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from attnclust._array import ArgumentError, ArgumentTypeError, namespace, stochastic

Maps = Any
"""L row-stochastic arrays ``(*batch, T, T)``, in a sequence or stacked; entry l - 1 is that of block l."""


def rollout(
    attention: Maps, *, prefix_tokens: int = 1, residual: bool = False
) -> Float[Any, "levels *batch tokens patches"]:
    """The weight of every patch in every token's view: R_1 = A_1 without prefix columns, R_l = A_l R_(l-1).

    As in the paper, what a token takes from the prefix tokens at block 1 is left out, since they belong to no
    patch. So the rows of R_l sum to 1 less what went to prefix tokens there.

    Source: the paper, section 3.1.2, and the closed form of :mod:`attnclust.neurons`, proved by induction.

    Args:
        attention: the maps of blocks 1..L, averaged over heads as in the paper, or one head's.
        prefix_tokens: how many tokens (class, distillation, registers) stand before the patches.
        residual: replace each A by (A + I) / 2, its row-normalised sum with the identity, which counts the
            residual path as one more unit of attention to oneself (Abnar and Zuidema's attention rollout).
            The paper's text has none.

    Returns:
        ``(L, *batch, T, N)`` with N = T - prefix_tokens, of the maps' kind, dtype and device; entry l - 1 is
        R_l.

    Raises:
        ArgumentTypeError: maps of different kinds, or not floating.
        ArgumentError: no map, maps of different shapes, not row-stochastic; no patch left.

    Examples:
        A class token and two patches, two blocks:

        >>> import numpy as np
        >>> first = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.0, 0.5, 0.5]])
        >>> second = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]])
        >>> rollout([first, second])
        array([[[0.25, 0.25],
                [1.  , 0.  ],
                [0.5 , 0.5 ]],
        <BLANKLINE>
               [[0.25, 0.25],
                [0.75, 0.25],
                [0.5 , 0.5 ]]])
    """
    maps = list(attention)
    if not maps:
        raise ArgumentError("attention", "must hold a map a block", "none", "Trace with attention='mean'.")
    named = {f"attention[{index}]": each for index, each in enumerate(maps)}
    xp = namespace(**named)
    maps = [stochastic(xp, name, each) for name, each in named.items()]
    for name, each in zip(named, maps, strict=True):
        if each.shape != maps[0].shape:
            raise ArgumentError(
                name,
                f"must have the shape of attention[0], {tuple(maps[0].shape)}",
                f"shape {tuple(each.shape)}",
                "Pass the maps of one trace.",
            )
    tokens = maps[0].shape[-1]
    if isinstance(prefix_tokens, bool) or not isinstance(prefix_tokens, int):
        raise ArgumentTypeError(
            "prefix_tokens", "must be an int", type(prefix_tokens).__name__, "Take a trace's prefix_tokens."
        )
    if not 0 <= prefix_tokens < tokens:
        raise ArgumentError(
            "prefix_tokens",
            f"must leave a patch: 0..{tokens - 1} for {tokens} tokens",
            prefix_tokens,
            "Take a trace's prefix_tokens.",
        )
    if residual:
        identity = xp.eye(tokens, dtype=maps[0].dtype, device=maps[0].device)
        maps = [(each + identity) / 2 for each in maps]
    levels = [maps[0][..., prefix_tokens:]]
    for each in maps[1:]:
        levels.append(each @ levels[-1])
    return xp.stack(levels)

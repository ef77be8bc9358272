"""How much each token owes to each patch, level by level."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from attnclust._array import ArgumentError, ArgumentTypeError, Namespace, namespace, stochastic

Maps = Any
"""L row-stochastic arrays ``(*batch, T, T)`` (with a head to choose: ``(*batch, H, T, T)``), in a sequence or
stacked; entry l - 1 is that of block l."""
Head = Any
"""None, ``"mean"``, or an int from 0 to H - 1."""
Prefix = Any
"""``"drop"``, ``"rescale"`` or ``"cut"``."""

_PREFIX = ("drop", "rescale", "cut")


def rollout(
    attention: Maps,
    *,
    prefix_tokens: int = 1,
    residual: bool = False,
    head: Head = None,
    prefix: Prefix = "drop",
) -> Float[Any, "levels *batch tokens patches"]:
    """The weight of every patch in every token's view: R_1 = A_1 without prefix columns, R_l = A_l R_(l-1).

    Without options this is the paper's text: attention alone, averaged over heads, and what a token takes
    from the prefix tokens at block 1 left out, since they belong to no patch. So the rows of R_l sum to 1
    less what went to prefix tokens there. Each option changes one thing:

    - ``residual=True`` counts the residual path as one more unit of attention to oneself: each A becomes its
      row-normalised sum with the identity, (A + I) / 2 (Abnar and Zuidema's attention rollout). The paper's
      text has none, but its authors' published pictures look like it. Without it the rows of R_l grow
      alike within a few blocks, and with them the views of all tokens.
    - ``head``: the average over heads, as in the paper, or one head's maps all the way up.
    - ``prefix``: what becomes of the prefix tokens (class, distillation, registers). ``"drop"`` leaves them
      out at block 1 only, as in the paper: from block 2 on they hand on what they have read. ``"rescale"``
      does the same and then divides each row by its sum: shares of what the view shows. ``"cut"`` takes them
      out as sources at every block and lets each row's weights on patches sum to 1: what reaches a token
      through patches alone. Without prefix tokens all three are the same.

    Source: the paper, section 3.1.2, and the closed form of :mod:`attnclust.neurons`, proved by induction.

    Args:
        attention: the maps of blocks 1..L.
        prefix_tokens: how many tokens (class, distillation, registers) stand before the patches.
        residual: whether the residual path counts.
        head: None if the maps have no axis for heads: they are averaged already, or one head's. ``"mean"`` or
            a head's number, 0..H-1, for maps ``(*batch, H, T, T)``.
        prefix: ``"drop"``, ``"rescale"`` or ``"cut"``.

    Returns:
        ``(L, *batch, T, N)`` with N = T - prefix_tokens, of the maps' kind, dtype and device; entry l - 1 is
        R_l.

    Raises:
        ArgumentTypeError: maps of different kinds, or not floating; a head or a number of prefix tokens that
            is no int.
        ArgumentError: no map, maps of different shapes, not row-stochastic; no patch left; a head that is not
            there; an unknown treatment of prefix tokens, or one that divides by a sum of 0.

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

        As shares, the class token's row sums to 1:

        >>> rollout([first, second], prefix="rescale")[1, 0]
        array([0.5, 0.5])
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
    maps = _of_head(xp, maps, head)
    tokens = maps[0].shape[-1]
    _check_prefix(prefix_tokens, tokens, prefix)
    if residual:
        identity = xp.eye(tokens, dtype=maps[0].dtype, device=maps[0].device)
        maps = [(each + identity) / 2 for each in maps]
    if prefix == "cut":
        steps = [_shares(xp, each[..., prefix_tokens:]) for each in maps]
        levels = steps[:1]
        for each in steps[1:]:
            levels.append(each @ levels[-1][..., prefix_tokens:, :])
        return xp.stack(levels)
    levels = [maps[0][..., prefix_tokens:]]
    for each in maps[1:]:
        levels.append(each @ levels[-1])
    if prefix == "rescale":
        levels = [_shares(xp, each) for each in levels]
    return xp.stack(levels)


def _of_head(xp: Namespace, maps: list[Any], head: Head) -> list[Any]:
    """Maps without the axis of heads."""
    if head is None:
        return maps
    shape = tuple(maps[0].shape)
    if maps[0].ndim < 3:
        raise ArgumentError(
            "head", "needs maps (*batch, H, T, T)", f"maps of shape {shape}", "Trace with attention='heads'."
        )
    if isinstance(head, str) and head == "mean":
        return [xp.mean(each, axis=-3) for each in maps]
    if isinstance(head, bool) or not isinstance(head, int):
        raise ArgumentTypeError("head", "must be None, 'mean' or an int", repr(head), "Count from 0.")
    heads = maps[0].shape[-3]
    if not 0 <= head < heads:
        raise ArgumentError("head", f"must be in 0..{heads - 1} ({heads} heads)", head, "Count from 0.")
    return [each[..., head, :, :] for each in maps]


def _check_prefix(count: Any, tokens: int, treatment: Prefix) -> None:
    if isinstance(count, bool) or not isinstance(count, int):
        raise ArgumentTypeError(
            "prefix_tokens", "must be an int", type(count).__name__, "Take a trace's prefix_tokens."
        )
    if not 0 <= count < tokens:
        raise ArgumentError(
            "prefix_tokens",
            f"must leave a patch: 0..{tokens - 1} for {tokens} tokens",
            count,
            "Take a trace's prefix_tokens.",
        )
    if treatment not in _PREFIX:
        raise ArgumentError(
            "prefix", f"must be one of {', '.join(_PREFIX)}", repr(treatment), "Choose one of them."
        )


def _shares(xp: Namespace, weights: Any) -> Any:
    """Rows that sum to 1."""
    sums = xp.sum(weights, axis=-1, keepdims=True)
    if not bool(xp.all(sums > 0)):
        raise ArgumentError(
            "prefix",
            "'rescale' and 'cut' need every token to give some weight to patches",
            "a row of 0",
            "Use 'drop'.",
        )
    return weights / sums

"""Work cut into blocks, so that no temporary outgrows what it may hold."""

from __future__ import annotations


def blocks(count: int, cost: int, budget: int) -> list[slice]:
    """`count` things in slices as long as `budget` allows where each costs `cost`; at least one thing each.

    Without things: one slice, empty.
    """
    step = max(1, budget // max(1, cost))
    return [slice(start, min(start + step, count)) for start in range(0, max(1, count), step)]

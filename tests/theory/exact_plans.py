"""The rungs that carry mass between tokens or cells, in exact rational arithmetic: the oracle for the
package's transports, written from the statements alone.

Least costs come with a proof: prices for which no plan could be cheaper, checked where they are found.
Nothing here imports the package.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product

from .exact import Case, Matrix, Vector, diameter, distance

ZERO = Fraction(0)
Cells = list[list[int]]


def least_cost(supply: Vector, demand: Vector, cost: Matrix) -> Fraction:
    """The least cost of a plan with these marginals, of equal sums: shortest paths from supply to demand,
    one after the other, and a dual solution of the same value.
    """
    rows, columns = range(len(supply)), range(len(demand))
    flow = [[ZERO for _ in columns] for _ in rows]
    left, wanted = list(supply), list(demand)
    assert sum(left) == sum(wanted)
    while any(left):
        source, before = _distances(flow, cost, [ZERO if x else None for x in left])
        end = min((s for s in columns if wanted[s] and source[1][s] is not None), key=lambda s: source[1][s])
        path, (side, node) = [], (1, end)
        while (came := before[side][node]) is not None:
            path.append((came, node) if side else (node, came))
            side, node = 1 - side, came
        forward = path[::2]  # from the end: rows to columns, with steps back between them
        amount = min([wanted[end], left[node], *(flow[r][s] for r, s in path[1::2])])
        for r, s in forward:
            flow[r][s] += amount
        for r, s in path[1::2]:
            flow[r][s] -= amount
        left[node] -= amount
        wanted[end] -= amount
    (u, v), _ = _distances(flow, cost, [ZERO for _ in rows])
    assert all(v[s] - u[r] <= cost[r][s] for r in rows for s in columns)
    value = sum((cost[r][s] * flow[r][s] for r in rows for s in columns), ZERO)
    dual = sum((v[s] * demand[s] for s in columns), ZERO) - sum((u[r] * supply[r] for r in rows), ZERO)
    assert value == dual
    return value


def _distances(flow: Matrix, cost: Matrix, start: list[Fraction | None]) -> tuple[list[list], list[list]]:
    """Shortest paths by Bellman and Ford: to rows and columns, and the node before each."""
    rows, columns = range(len(cost)), range(len(cost[0]))
    far: list[list] = [list(start), [None for _ in columns]]
    before: list[list] = [[None for _ in rows], [None for _ in columns]]
    changed = True
    while changed:
        changed = False
        for r, s in product(rows, columns):
            steps = [(0, r, 1, s, cost[r][s])] + ([(1, s, 0, r, -cost[r][s])] if flow[r][s] else [])
            for side, node, other, to, price in steps:
                if far[side][node] is None:
                    continue
                reached = far[side][node] + price
                if far[other][to] is None or reached < far[other][to]:
                    far[other][to], before[other][to], changed = reached, node, True
    return far, before


def parts(a: Matrix, j: int, i: int) -> tuple[Vector, Vector]:
    """The positive and the negative part of A[j] - A[i]."""
    differences = [x - y for x, y in zip(a[j], a[i], strict=True)]
    return [max(x, ZERO) for x in differences], [max(-x, ZERO) for x in differences]


def on_cells(masses: Vector, cells: Cells) -> Vector:
    return [sum((masses[k] for k in cell), ZERO) for cell in cells]


def table(case: Case, cells: Cells) -> Matrix:
    """Largest distances between two cells' tokens, and within one."""

    def entry(r: int, s: int) -> Fraction:
        if r == s:
            return diameter(case.norm, case.z, cells[r])
        return max(
            (distance(case.norm, case.z[j], case.z[k]) for j in cells[r] for k in cells[s]), default=ZERO
        )

    return [[entry(r, s) for s in range(len(cells))] for r in range(len(cells))]


def distances(case: Case) -> Matrix:
    return [[distance(case.norm, x, y) for y in case.z] for x in case.z]


def pairs_of(case: Case) -> list[tuple[Vector, Vector]]:
    return [parts(case.a, j, i) for j, i in combinations(case.inside, 2)]


def transport(case: Case) -> Fraction:
    return max(least_cost(p, q, distances(case)) for p, q in pairs_of(case))


def block_transport(case: Case, cells: Cells, prices: Matrix) -> Fraction:
    return max(least_cost(on_cells(p, cells), on_cells(q, cells), prices) for p, q in pairs_of(case))


def independent(case: Case) -> Fraction:
    prices = distances(case)

    def cost(p: Vector, q: Vector) -> Fraction:
        tokens = range(len(p))
        carried = sum((p[k] * q[m] * prices[k][m] for k in tokens for m in tokens), ZERO)
        return carried / sum(p) if any(p) else ZERO

    return max(cost(p, q) for p, q in pairs_of(case))


def star(case: Case, centre: Vector) -> Fraction:
    radii = [distance(case.norm, x, centre) for x in case.z]
    return max(
        sum((r * (x + y) for r, x, y in zip(radii, p, q, strict=True)), ZERO) for p, q in pairs_of(case)
    )


def recursion(a: Matrix, cells: Cells, prices: Matrix) -> Matrix:
    """F_A(C): the least cost between the cells' masses of a row of one cell and a row of another."""

    def entry(r: int, s: int) -> Fraction:
        rows = [parts(a, j, i) for j in cells[r] for i in cells[s]]
        return max(least_cost(on_cells(p, cells), on_cells(q, cells), prices) for p, q in rows)

    return [[entry(r, s) for s in range(len(cells))] for r in range(len(cells))]


def separation_dobrushin(a: Matrix, g: list[int], h: list[int], s: Fraction, big: Fraction) -> Fraction:
    def kept(j: int, i: int) -> Fraction:
        p, q = parts(a, j, i)
        from_g, from_h = sum((p[k] for k in g), ZERO), sum((q[k] for k in h), ZERO)
        return s * max(from_g, from_h) + big * min(from_g, from_h) - big * sum(p)

    return min(kept(j, i) for j in g for i in h)

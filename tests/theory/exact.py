"""The ladder in exact rational arithmetic, written from the statements alone: the oracle for the
package's bounds.

Plain lists of fractions, plain loops over pairs; nothing here imports the package. Norms: 1, infinity,
and both with positive rational weights on the coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

Vector = list[Fraction]
Matrix = list[Vector]


@dataclass(frozen=True)
class Norm:
    """The weighted 1-norm or infinity-norm."""

    order: float
    weights: tuple[Fraction, ...]

    def of(self, x: Vector) -> Fraction:
        entries = [w * abs(v) for w, v in zip(self.weights, x, strict=True)]
        return sum(entries, Fraction(0)) if self.order == 1 else max(entries)


def distance(norm: Norm, x: Vector, y: Vector) -> Fraction:
    return norm.of([a - b for a, b in zip(x, y, strict=True)])


def diameter(norm: Norm, z: Matrix, members: list[int]) -> Fraction:
    return max((distance(norm, z[j], z[k]) for j, k in combinations(members, 2)), default=Fraction(0))


def step(a: Matrix, z: Matrix) -> Matrix:
    columns = range(len(z[0]))
    return [[sum((w * z[k][c] for k, w in enumerate(row)), Fraction(0)) for c in columns] for row in a]


@dataclass(frozen=True)
class Case:
    """One step seen from one cluster."""

    a: Matrix
    z: Matrix
    inside: list[int]
    norm: Norm

    @property
    def outside(self) -> list[int]:
        return [k for k in range(len(self.z)) if k not in self.inside]

    @property
    def d(self) -> Fraction:
        return diameter(self.norm, self.z, self.inside)

    @property
    def big(self) -> Fraction:
        return diameter(self.norm, self.z, list(range(len(self.z))))

    @property
    def measured(self) -> Fraction:
        return diameter(self.norm, step(self.a, self.z), self.inside)

    @property
    def eps(self) -> tuple[Fraction, Fraction]:
        crossing = [self.a[j][k] for j in self.inside for k in self.outside]
        return (min(crossing), max(crossing)) if crossing else (Fraction(0), Fraction(0))

    def ladder(self) -> dict[str, Fraction]:
        """Every rung from ranges and from pairs, by label."""
        (low, high), m, d, big = self.eps, len(self.outside), self.d, self.big
        xl, xu = m * low, min(Fraction(1), m * high)
        rungs = {
            "paper_main": (1 - m * low) ** 2 * d + m * high * big * (m * high * big + 2),
            "paper_appendix": (1 - m * low) ** 2 * d + m * high * big * (m * high + 2),
            "linear": (1 - xl) ** 2 * d + 2 * m * high * big,
            "product": (1 - xu) ** 2 * d + (1 - (1 - xu) ** 2) * big,
            "sharp": (1 - xu) * d + (xu - xl) * big,
            "overlap": Fraction(0),
            "cluster_dobrushin": Fraction(0),
        }
        for j, i in combinations(self.inside, 2):
            mass = max(sum(self.a[row][k] for k in self.outside) for row in (j, i))
            common = sum(min(self.a[j][k], self.a[i][k]) for k in self.outside)
            rungs["overlap"] = max(rungs["overlap"], (1 - mass) * d + (mass - common) * big)
            tau, kappa = self.tau(j, i), self.kappa(j, i)
            rungs["cluster_dobrushin"] = max(rungs["cluster_dobrushin"], (tau - kappa) * d + kappa * big)
        return rungs

    def tau(self, j: int, i: int) -> Fraction:
        return sum((abs(x - y) for x, y in zip(self.a[j], self.a[i], strict=True)), Fraction(0)) / 2

    def kappa(self, j: int, i: int) -> Fraction:
        gains = [self.a[j][k] - self.a[i][k] for k in self.outside]
        return max(
            sum((g for g in gains if g > 0), Fraction(0)), -sum((g for g in gains if g < 0), Fraction(0))
        )

    def dobrushin(self) -> Fraction:
        return max((self.tau(j, i) for j, i in combinations(range(len(self.a)), 2)), default=Fraction(0))

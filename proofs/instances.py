"""Writes instances.v: small layers with rational weights, evaluated here with fractions and there by Coq.

    python proofs/instances.py            write proofs/instances.v
    python proofs/instances.py --check    exit 1 if it is not what this script writes

Plain loops over the statements' formulas; neither the package nor NumPy is used. Coq proves for every
instance that the vocabulary of definitions.v gives these numbers; tests/proofs checks that the package
gives them too. So all three mean the same row, the same column and the same outside.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

Matrix = list[list[Fraction]]
TARGET = Path(__file__).with_name("instances.v")


@dataclass(frozen=True)
class Instance:
    """One layer and one cluster: row j of `rows` is what token j attends to."""

    rows: Matrix
    tokens: Matrix
    members: list[bool]
    sup: bool

    def distance(self, z: Matrix, j: int, k: int) -> Fraction:
        entries = [abs(a - b) for a, b in zip(z[j], z[k], strict=True)]
        return max(entries) if self.sup else sum(entries, Fraction(0))

    def diameter(self, z: Matrix, of: list[int]) -> Fraction:
        return max(self.distance(z, j, k) for j in of for k in of)

    def values(self) -> dict[str, Fraction]:
        """Every number of the Coq record `values`, in its order."""
        a, tokens = self.rows, range(len(self.rows))
        inside = [k for k in tokens if self.members[k]]
        outside = [k for k in tokens if not self.members[k]]
        new = [
            [sum((a[j][k] * z[c] for k, z in enumerate(self.tokens)), Fraction(0)) for c in columns(self)]
            for j in tokens
        ]
        d, big = self.diameter(self.tokens, inside), self.diameter(self.tokens, list(tokens))
        m = Fraction(len(outside))
        crossing = [a[j][k] for j in inside for k in outside]
        low, high = min(crossing), max(crossing)
        xl, xu = m * low, min(Fraction(1), m * high)

        def variation(j: int, i: int) -> Fraction:
            return sum((abs(a[j][k] - a[i][k]) for k in tokens), Fraction(0)) / 2

        def cluster_dobrushin(j: int, i: int) -> Fraction:
            one_sided = [
                sum((max(a[x][k] - a[y][k], Fraction(0)) for k in outside), Fraction(0))
                for x, y in ((j, i), (i, j))
            ]
            kappa = max(one_sided)
            return (variation(j, i) - kappa) * d + kappa * big

        def overlap(j: int, i: int) -> Fraction:
            larger = max(sum((a[x][k] for k in outside), Fraction(0)) for x in (j, i))
            common = sum((min(a[j][k], a[i][k]) for k in outside), Fraction(0))
            return (1 - larger) * d + (larger - common) * big

        return {
            "cluster_diameter": d,
            "all_diameter": big,
            "next_cluster_diameter": self.diameter(new, inside),
            "next_all_diameter": self.diameter(new, list(tokens)),
            "outside_tokens": m,
            "eps_lower": low,
            "eps_upper": high,
            "coefficient": max(variation(j, i) for j in tokens for i in tokens),
            "cluster_dobrushin_is": max(cluster_dobrushin(j, i) for j in inside for i in inside),
            "overlap_is": max(overlap(j, i) for j in inside for i in inside),
            "sharp_is": (1 - xu) * d + (xu - xl) * big,
            "product_is": (1 - xu) ** 2 * d + (1 - (1 - xu) ** 2) * big,
            "linear_is": (1 - xl) ** 2 * d + 2 * m * high * big,
            "paper_appendix_is": (1 - m * low) ** 2 * d + m * high * big * (m * high + 2),
            "paper_main_is": (1 - m * low) ** 2 * d + m * high * big * (m * high * big + 2),
        }


def columns(instance: Instance) -> range:
    return range(len(instance.tokens[0]))


def extremal() -> Instance:
    """The configuration that attains `sharp`, for m = 2, eps in [1/10, 1/5], d = 1, D = 3."""
    low, high, zero = Fraction(1, 10), Fraction(1, 5), Fraction(0)
    rows = [
        [1 - 2 * high, zero, zero, high, high],
        *([[zero, 1 - 2 * low, zero, low, low]] * 4),
    ]
    tokens = [[Fraction(x)] for x in (1, 0, 0, 3, 3)]
    return Instance(rows, tokens, [True, True, True, False, False], sup=True)


def capped() -> Instance:
    """More than 1 as m eps_upper: the upper outside mass is capped at 1."""
    rows = [
        [Fraction(x, 10) for x in row] for row in ([1, 0, 8, 1], [3, 3, 2, 2], [0, 9, 1, 0], [4, 1, 0, 5])
    ]
    tokens = [[Fraction(x), Fraction(y, 2)] for x, y in ((0, 1), (1, 3), (-2, 0), (2, -5))]
    return Instance(rows, tokens, [True, True, False, False], sup=False)


def drawn(seed: int) -> Instance:
    """A random layer of 3 to 5 tokens in 1 to 3 dimensions; rows, columns and clusters are all unlike."""
    rng = random.Random(seed)
    n, dim = rng.randint(3, 5), rng.randint(1, 3)
    parts = [[rng.randint(0, 6) for _ in range(n)] for _ in range(n)]
    for j, row in enumerate(parts):
        row[rng.randrange(n)] += j + 1
    rows = [[Fraction(x, sum(row)) for x in row] for row in parts]
    tokens = [[Fraction(rng.randint(-12, 12), rng.randint(1, 4)) for _ in range(dim)] for _ in range(n)]
    size = rng.randint(2, n - 1)
    chosen = set(rng.sample(range(n), size))
    return Instance(rows, tokens, [k in chosen for k in range(n)], sup=seed % 2 == 0)


def instances() -> list[Instance]:
    return [extremal(), capped(), *(drawn(seed) for seed in range(1, 23))]


def fraction(x: Fraction) -> str:
    return f"frac {f'({x.numerator})' if x < 0 else x.numerator} {x.denominator}"


def listed(rows: list[str]) -> str:
    return "[:: " + "; ".join(rows) + "]"


def matrix(rows: Matrix) -> str:
    return "[:: " + ";\n      ".join(listed([fraction(x) for x in row]) for row in rows) + "]"


def lemma(number: int, x: Instance) -> str:
    fields = ";\n    ".join(f"{name} := {fraction(value)}" for name, value in x.values().items())
    members = listed([str(member).lower() for member in x.members])
    return f"""Lemma instance_{number:02d} : @agrees {len(x.rows)} {len(columns(x))}
  (* rows *) {matrix(x.rows)}
  (* tokens *) {matrix(x.tokens)}
  (* in the cluster *) {members}
  (* supremum norm, else the sum *) {str(x.sup).lower()}
  {{| {fields} |}}.
Proof. by apply: by_evaluation; vm_compute. Qed.
"""


def source() -> str:
    head = """(* Written by instances.py: do not edit. *)
From Coq Require Import ZArith QArith.
From mathcomp Require Import all_ssreflect all_algebra.
From Attnclust Require Import statements fractions evaluate.

"""
    lemmas = [lemma(number, x) for number, x in enumerate(instances(), start=1)]
    names = ", ".join(f"instance_{number:02d}" for number in range(1, len(lemmas) + 1))
    return head + "\n".join(lemmas) + f"\nDefinition all_instances := ({names}).\n"


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        current = TARGET.exists() and TARGET.read_text() == source()
        print(f"{TARGET.name} is {'current' if current else 'stale: run python proofs/instances.py'}")
        return 0 if current else 1
    TARGET.write_text(source())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

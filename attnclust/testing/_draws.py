"""Seeded random steps of attention, of kinds chosen to be unlike each other: the volume behind the
property tests.

A plain generator fills the arrays, so that a batch of cases costs microseconds; Hypothesis draws what
shrinks well: the kind, the sizes, the seed, and the two dials that steer towards the worst case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

ATTENTION_KINDS = ("generic", "one-hot", "uniform", "block", "permutation", "duplicates", "ties", "mixed")
"""Generic; nearly one-hot; nearly uniform; nearly block-diagonal; a permutation; equal rows; multiples
of 1/8 with zeros; rows of different kinds."""
TOKEN_KINDS = ("distinct", "duplicates", "clustered", "line")
"""All different; few different; tight clusters far apart; on a line."""


@dataclass(frozen=True)
class Recipe:
    """What a batch of steps is made from; the same recipe gives the same arrays.

    Attributes:
        seed: of the generator.
        batch: number of steps.
        n: tokens.
        d: coordinates.
        clusters: M.
        attention: one of :data:`ATTENTION_KINDS`.
        tokens: one of :data:`TOKEN_KINDS`.
        temperature: decimal logarithm of the logits' temperature: low is nearly one-hot.
        tightness: decimal logarithm of a cluster's spread against the distance between clusters.
        scale: of the tokens.
        offset: of the tokens from the origin, in units of the scale.
        order: p of the norm.
        outsider: the last token is in no cluster, so that every cluster has an outside.
    """

    seed: int = 0
    batch: int = 16
    n: int = 7
    d: int = 3
    clusters: int = 2
    attention: str = "generic"
    tokens: str = "distinct"
    temperature: float = 0.0
    tightness: float = -1.0
    scale: float = 1.0
    offset: float = 0.0
    order: float = 2.0
    outsider: bool = False

    def again(self, salt: int) -> Recipe:
        """The same recipe with another seed, for a further layer."""
        return replace(self, seed=self.seed * 1_000_003 + salt)


@dataclass(frozen=True)
class Steps:
    """A batch of steps: attention ``(b, n, n)``, tokens ``(b, n, d)``, labels ``(n,)``."""

    attention: Float[np.ndarray, "b n n"]
    tokens: Float[np.ndarray, "b n d"]
    labels: Int[np.ndarray, " n"]
    recipe: Recipe


def draw_steps(recipe: Recipe) -> Steps:
    """The batch of steps that `recipe` describes.

    >>> steps = draw_steps(Recipe(seed=1, n=5, d=2))
    >>> steps.attention.shape, steps.tokens.shape, steps.labels.shape
    ((16, 5, 5), (16, 5, 2), (5,))
    """
    rng = np.random.default_rng(recipe.seed)
    labels = rng.integers(-1, recipe.clusters, size=recipe.n)
    labels[:2] = 0  # one cluster at least can shrink
    if recipe.outsider:
        labels[-1] = -1
    attention = draw_attention(rng, recipe, labels)
    return Steps(attention, draw_tokens(rng, recipe, labels), labels, recipe)


def draw_attention(
    rng: np.random.Generator, recipe: Recipe, labels: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "b n n"]:
    """Row-stochastic matrices of the recipe's kind."""
    shape = (recipe.batch, recipe.n, recipe.n)
    kind, n = recipe.attention, recipe.n
    if kind == "permutation":
        return np.eye(n)[np.argsort(rng.random((recipe.batch, n)), axis=1)]
    if kind == "ties":
        counts = rng.multinomial(8, rng.dirichlet(np.ones(n)), size=shape[:2])
        return counts / 8.0
    if kind == "duplicates":
        rows = _softmax(rng.normal(size=shape), recipe.temperature)
        return np.take_along_axis(rows, rng.integers(0, 2, size=shape[:2])[:, :, None] % n, axis=1)
    if kind == "mixed":
        dials = rng.uniform(-2, 2, size=(recipe.batch, n, 1))
        return _softmax(rng.normal(size=shape), dials)
    logits = rng.normal(size=shape)
    if kind == "one-hot":
        return _softmax(logits, min(recipe.temperature, 0.0) - 1.5)
    if kind == "uniform":
        return _softmax(logits, max(recipe.temperature, 0.0) + 1.5)
    if kind == "block":
        logits = logits + 3.0 * (labels[:, None] == labels[None, :])
    return _softmax(logits, recipe.temperature)


def _softmax(logits: np.ndarray, temperature: np.ndarray | float) -> np.ndarray:
    logits = logits / np.power(10.0, temperature)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def draw_tokens(
    rng: np.random.Generator, recipe: Recipe, labels: Int[np.ndarray, " n"]
) -> Float[np.ndarray, "b n d"]:
    """Tokens of the recipe's kind, scale and offset."""
    shape = (recipe.batch, recipe.n, recipe.d)
    points = rng.normal(size=shape)
    if recipe.tokens == "duplicates":
        points = np.take_along_axis(points, rng.integers(0, 2, size=shape[:2])[:, :, None] % recipe.n, axis=1)
    elif recipe.tokens == "line":
        points = rng.choice([0.0, 0.5, 1.0], size=(*shape[:2], 1)) * np.eye(recipe.d)[0]
    elif recipe.tokens == "clustered":
        centres = rng.normal(size=(recipe.batch, recipe.clusters + 1, recipe.d))
        points = centres[:, labels, :] + np.power(10.0, recipe.tightness) * points
    return recipe.scale * (points + recipe.offset * rng.normal(size=(recipe.batch, 1, recipe.d)))

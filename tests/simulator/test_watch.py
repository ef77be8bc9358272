"""What is watched, against independent computations; kinds, blocks, batches; wrong input."""

from __future__ import annotations

import dataclasses
from typing import Any

import array_api_strict
import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist, pdist

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.attention import simulate
from attnclust.bounds import certify, cross_attention
from attnclust.geometry import hull_distance
from attnclust.verify import verify
from attnclust.watch import RUNGS, Watch, chained_clusters, watch

LABELS = np.array([0, 0, 1, 1, 1, -1, 2])


def stack(runs: tuple[int, ...] = (), seed: int = 0, **options: Any) -> Any:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(*runs, 4, 5))
    z = centres[..., LABELS, :] + 0.2 * rng.normal(size=(*runs, 7, 5))
    return simulate(z, *rng.normal(size=(2, 5, 3)), **({"steps": 3} | options))


def test_levels_against_independent_computations() -> None:
    got = stack(residual=True, norm="layernorm")
    seen = watch(got, LABELS, hulls=True, radius=0.3)
    for level, z in enumerate(got.tokens):
        whole = pdist(z).max()
        assert seen.diameter[level] == pytest.approx(whole, rel=1e-13)
        gaps = []
        for g in (0, 1):
            members = z[g == LABELS]
            assert seen.raw[level, g] == pytest.approx(pdist(members).max(), rel=1e-12)
            assert seen.relative[level, g] == pytest.approx(pdist(members).max() / whole, rel=1e-12)
            angle = np.degrees(np.arccos(1 - pdist(members, "cosine").max()))
            assert seen.angular[level, g] == pytest.approx(angle, rel=1e-6)
            gaps += [float(hull_distance(members, z[h == LABELS])) for h in range(g + 1, 3)]
        assert seen.raw[level, 2] == 0
        found = seen.separation[level][np.triu_indices(3, 1)]
        np.testing.assert_allclose(found, gaps, rtol=1e-12)
        assert seen.dunn[level] == pytest.approx(seen.raw[level].max() / min(gaps), rel=1e-12)
        near = cdist(z, z) <= 0.3 * pdist(got.tokens[0]).max()
        assert seen.clusters_found[level] == connected_components(csr_array(near))[0]


@pytest.mark.parametrize("order", [1, 2, np.inf])
def test_steps_are_those_of_verify_and_certify(order: float) -> None:
    got = stack((2, 3), w_v=np.diag([1, 2, 0.5, 1, -1.0]))
    seen = watch(got, LABELS, ord=order, certificates=True)
    step = verify(got.attention, got.tokens[:-1], LABELS, ord=order)
    ranges = cross_attention(got.attention, LABELS)
    for name in ("eps_lower", "eps_upper", "outside"):
        np.testing.assert_array_equal(getattr(seen, name), getattr(ranges, name))
    np.testing.assert_allclose(seen.stepped, step.measured, atol=1e-13)
    assert set(seen.bounds) == set(RUNGS) == set(step.bounds)
    for rung in RUNGS:
        np.testing.assert_allclose(seen.bounds[rung], step.bounds[rung], rtol=1e-10, atol=1e-12)
        assert (seen.certified[rung] == step.certified[rung]).all()
    assert (seen.stage == certify(got.attention, got.tokens[:-1], LABELS, ord=order).stage).all()


def test_the_composition_by_hand() -> None:
    """Two steps with given ranges: sharp from level 0, token by token, as a reader would compute it."""
    got = stack(steps=2)
    seen = watch(got, LABELS)
    inside = LABELS == 1
    d, whole = pdist(got.tokens[0][inside]).max(), pdist(got.tokens[0]).max()
    for at in range(2):
        weights = got.attention[at][inside][:, ~inside]
        lower, upper = 4 * weights.min(), min(1, 4 * weights.max())
        d = min((1 - upper) * d + (upper - lower) * whole, whole)
        assert seen.composed["sharp"][at + 1, 1] == pytest.approx(d, rel=1e-11)
    tau = [max(0.5 * np.abs(a[j] - a[k]).sum() for j in range(7) for k in range(7)) for a in got.attention]
    assert (seen.composed["cluster_dobrushin"][2] <= tau[0] * tau[1] * whole + 1e-12).all()
    d = float(pdist(got.tokens[0][inside]).max())
    for at, weights in enumerate(got.attention):
        d = min(_dobrushin(weights, inside, d, whole), tau[at] * whole)
        whole = tau[at] * whole
    assert seen.composed["cluster_dobrushin"][2, 1] == pytest.approx(d, rel=1e-11)


def _dobrushin(a: np.ndarray, inside: np.ndarray, d: float, whole: float) -> float:
    worst = 0.0
    for j in np.flatnonzero(inside):
        for k in np.flatnonzero(inside):
            delta = a[j] - a[k]
            kappa = max(np.maximum(delta, 0)[~inside].sum(), np.maximum(-delta, 0)[~inside].sum())
            worst = max(worst, (np.abs(delta).sum() / 2 - kappa) * d + kappa * whole)
    return worst


def same(one: Watch, other: Watch, pick: Any = lambda x: x) -> None:
    for field in dataclasses.fields(Watch):
        ours, theirs = getattr(one, field.name), getattr(other, field.name)
        pairs = [(ours[rung], theirs[rung]) for rung in ours] if isinstance(ours, dict) else [(ours, theirs)]
        for a, b in pairs:
            if a is None:
                assert b is None
            else:
                np.testing.assert_allclose(np.asarray(a), pick(np.asarray(b)), rtol=1e-9, atol=1e-13)


def test_a_batch_is_its_runs_in_blocks_of_any_size(monkeypatch: Any) -> None:
    got = stack((2, 3))
    whole = watch(got, LABELS, hulls=True, certificates=True)
    monkeypatch.setattr("attnclust.watch._watch.ENTRIES", 2 * 3 * 49)
    same(whole, watch(got, LABELS, hulls=True, certificates=True))
    one = watch(type(got)(got.tokens[:, 1, 2], got.attention[:, 1, 2]), LABELS, hulls=True, certificates=True)
    same(one, whole, lambda x: x[:, 1, 2])


def test_labels_may_differ_by_run() -> None:
    got, rungs = stack((2,)), ("sharp", "cluster_dobrushin")
    both = np.stack([LABELS, LABELS[::-1]])
    seen = watch(got, both, rungs=rungs)
    for run in range(2):
        one = watch(type(got)(got.tokens[:, run], got.attention[:, run]), both[run], rungs=rungs)
        same(one, seen, lambda x, run=run: x[:, run])


@pytest.mark.parametrize("convert", [torch.tensor, array_api_strict.asarray])
def test_torch_and_the_strict_array_api_agree_with_numpy(convert: Any) -> None:
    got = stack((2,))
    seen = watch(
        type(got)(*map(convert, got)), convert(LABELS), hulls=True, certificates=convert is torch.tensor
    )
    assert type(seen.raw) is type(convert(LABELS))
    expected = watch(got, LABELS, hulls=True, certificates=convert is torch.tensor)
    same(seen, expected)


def test_single_precision_is_watched_with_its_own_rounding() -> None:
    rng = np.random.default_rng(1)
    z, w = (rng.normal(size=s).astype(np.float32) for s in ((3, 7, 5), (5, 5)))
    seen = watch(simulate(z + np.float32(100), w / 50, w / 50, steps=4), LABELS)
    assert seen.simplified.all()
    assert 1e-5 < seen.tolerance.max() < 1e-2
    for rung in RUNGS:
        assert seen.holds[rung].all(), rung
        assert seen.composed_holds[rung].all(), rung


def test_heads_are_watched_as_their_mean() -> None:
    rng = np.random.default_rng(2)
    z, w_q, w_k = rng.normal(size=(7, 5)), *rng.normal(size=(2, 2, 5, 3))
    got = simulate(z, w_q, w_k, steps=3, heads=2)
    same(watch(got, LABELS), watch(got._replace(attention=got.attention.mean(axis=1)), LABELS))
    assert watch(got, LABELS).simplified.all()


def test_no_step_and_no_cluster() -> None:
    got = simulate(np.eye(7), np.eye(7), np.eye(7), steps=0)
    seen = watch(got, LABELS, hulls=True)
    assert seen.raw.shape == (1, 3)
    assert seen.composed["block_transport"].shape == (1, 3)
    assert seen.bounds["sharp"].shape == (0, 3)
    assert watch(stack(), np.full(7, -1)).raw.shape == (4, 0)
    alone = watch(stack(), np.zeros(7, int), hulls=True)
    assert np.isnan(alone.dunn).all()
    assert (alone.raw[:, 0] == alone.diameter).all()


def test_no_run() -> None:
    none = simulate(np.zeros((0, 6, 2)), np.eye(2), np.eye(2), steps=3)
    seen = watch(none, np.repeat([0, 1], 3), hulls=True, certificates=True)
    assert seen.raw.shape == (4, 0, 2)
    assert {bounds.shape for bounds in seen.composed.values()} == {(4, 0, 2)}


def test_chains_by_hand() -> None:
    line = np.array([[0.0], [1.0], [2.0], [4.0], [5.0]])
    assert chained_clusters(line, radius=1.0).tolist() == [0, 0, 0, 1, 1]
    assert chained_clusters(line[::-1], radius=1.5).tolist() == [0, 0, 1, 1, 1]
    assert chained_clusters(line, radius=0).tolist() == [0, 1, 2, 3, 4]
    assert chained_clusters(line, radius=2).max() == 0
    both = chained_clusters(np.stack([line, line]), radius=np.array([0.5, 1.0]))
    assert both.max(axis=-1).tolist() == [4, 1]
    long = np.arange(301.0)[:, None]
    assert chained_clusters(np.delete(long, 128, axis=0), radius=1.01).max() == 1
    assert chained_clusters(np.zeros((0, 3, 2)), radius=1.0).shape == (0, 3)


GOT = stack()


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"trajectory": GOT.tokens}, ArgumentTypeError, "trajectory: must be a Trajectory"),
        ({"trajectory": (GOT.tokens[:-1], GOT.attention)}, ArgumentError, "trajectory: must hold tokens"),
        (
            {"trajectory": (GOT.tokens, 2 * GOT.attention)},
            ArgumentError,
            "attention: every row must sum to 1",
        ),
        ({"trajectory": (GOT.tokens * np.nan, GOT.attention)}, ArgumentError, "tokens: must be finite"),
        ({"labels": LABELS[:5]}, ArgumentError, "labels: must have one entry a token"),
        ({"labels": LABELS * 1.0}, ArgumentTypeError, "labels: must have an integer dtype"),
        ({"labels": torch.tensor(LABELS)}, ArgumentTypeError, "labels: must be of one kind with tokens"),
        ({"rungs": ("sharp", "best")}, ArgumentError, "rungs: must be among .*; got 'best'"),
        ({"radius": -0.1}, ArgumentError, "radius: must be a number of at least 0"),
        ({"ord": 0.5}, ArgumentError, "ord: must be at least 1"),
        ({"clusters": 2}, ArgumentError, "labels: must be below clusters=2"),
    ],
)
def test_wrong_input(changes: dict[str, Any], error: type[Exception], said: str) -> None:
    given = {"trajectory": GOT, "labels": LABELS} | changes
    with pytest.raises(error, match=said):
        watch(given.pop("trajectory"), given.pop("labels"), **given)


def test_what_needs_one_labelling_says_so() -> None:
    with pytest.raises(ArgumentError, match=r"labels: must be \(n,\) where block_transport or hulls"):
        watch(stack((2,)), np.stack([LABELS, LABELS]))
    with pytest.raises(ArgumentError, match="radius: must not be negative"):
        chained_clusters(np.zeros((2, 1)), radius=-1.0)
    with pytest.raises(ArgumentError, match="radius: must broadcast"):
        chained_clusters(np.zeros((2, 1)), radius=np.ones(3))

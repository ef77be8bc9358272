"""The metrics of a level: by hand, against slow scikit-learn calls, and where they degenerate."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.metrics import adjusted_mutual_info_score, silhouette_score
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.clustering import PROTOCOLS, measure_level, measure_levels
from attnclust.clustering._objects import as_objects
from attnclust.clustering.protocols import _measure_some

COMMON = {
    *("purity", "silhouette", "in_cluster_cosine", "in_object_cosine", "unique_label_ratio", "clusters"),
    *("noise_share", "adjusted_mutual_info", "nearest_same_object"),
}


def slow(tokens, objects, names, protocol):
    """Every metric by its own scikit-learn call or loop, one patch at a time where that is simplest."""
    tokens = np.asarray(tokens, dtype=np.float64)
    objects = {i: sorted(int(p) for p in patches) for i, patches in objects.items()}
    label_of = {p: i for i, patches in objects.items() for p in patches}
    steps = [
        np.mean([np.linalg.norm(tokens[b] - tokens[a]) for a, b in pairwise(patches)])
        for patches in objects.values()
    ]
    eps = float(np.mean(steps))
    official = protocol == "official"
    used = list(label_of) if official else list(range(len(tokens)))
    truth = np.array([list(objects).index(label_of[p]) if p in label_of else len(objects) for p in used])
    z = tokens[used]
    if protocol == "blind":
        labels = HDBSCAN(min_cluster_size=5, copy=True).fit_predict(z)  # pyright: ignore[reportArgumentType]
    else:
        labels = DBSCAN(eps=eps, min_samples=3, algorithm="brute").fit_predict(z)
    found = sorted(set(labels.tolist()) - {-1})
    kept = labels >= 0
    if len(found) < 2:
        silhouette = 0.0 if found else -1.0
    else:
        metric = "cosine" if official else "euclidean"
        silhouette = silhouette_score(z[kept], labels[kept], metric=metric)

    def pairs(group):
        return cosine_similarity(group)[np.triu_indices(len(group), 1)].mean()

    dominant = [int(np.argmax(np.bincount(truth[labels == c]))) for c in found]
    classes = list(names.values())
    dominant_classes = {classes[k] for k in dominant if k < len(objects)}
    by_class = len(dominant_classes) / len(set(classes))
    patches = list(label_of)
    distances = euclidean_distances(tokens[patches])
    np.fill_diagonal(distances, np.inf)
    nearest = [label_of[patches[k]] for k in distances.argmin(axis=1)]
    answer = {
        "purity": sum(np.bincount(truth[labels == c]).max() for c in found) / len(used),
        "silhouette": silhouette,
        "in_cluster_cosine": np.mean([pairs(z[labels == c]) for c in found]) if found else -1.0,
        "in_object_cosine": np.mean([pairs(tokens[p]) for p in objects.values()]),
        "unique_label_ratio": by_class if official else len(set(dominant)) / (len(objects) + 1),
        "clusters": len(found),
        "noise_share": np.mean(~kept),
        "adjusted_mutual_info": adjusted_mutual_info_score(truth, labels),
        "nearest_same_object": np.mean([label_of[p] == n for p, n in zip(patches, nearest, strict=True)]),
    }
    if not official:
        answer["unique_label_ratio_appendix"] = by_class
        answer["silhouette_cosine"] = silhouette
        if len(found) > 1:
            answer["silhouette_cosine"] = silhouette_score(z[kept], labels[kept], metric="cosine")
    if protocol != "blind":
        answer["eps"] = eps
    return answer


def scene(seed: int, spread: float = 1.0, dimension: int = 11):
    """Three objects of two classes and background on 60 patches, each a blob around its own centre."""
    rng = np.random.default_rng(seed)
    patches = rng.permutation(60)
    objects = {2: patches[:13], 3: patches[13:20], 7: patches[20:37]}
    tokens = rng.normal(size=(60, dimension)) + rng.normal(size=dimension)
    for place, members in enumerate(objects.values()):
        tokens[members] += spread * rng.normal(size=dimension) * (place + 1)
    return tokens, objects, {2: "cat", 3: "dog", 7: "cat"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("spread", [0.0, 1.0, 3.0])
def test_metrics_agree_with_scikit_learn(protocol, spread):
    clusters = set()
    for seed in range(12):
        tokens, objects, names = scene(seed, spread, dimension=3 + seed)
        expected = slow(tokens, objects, names, protocol)
        found = measure_level(tokens, objects, names, protocol=protocol)
        assert set(found) == set(expected)
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=1e-10, abs=1e-12), name
        clusters.add(found["clusters"])
    assert len(clusters) > 1 or spread != 1


@pytest.mark.parametrize("protocol", ["official", "paper"])
def test_metrics_agree_with_scikit_learn_on_real_levels(real_levels, protocol):
    for image in real_levels[::4]:
        found = measure_levels(image.levels, image.objects, image.class_names, protocol=protocol)
        for level in (0, 1, 4, 12):
            expected = slow(image.levels[level], image.objects, image.class_names, protocol)
            for name, value in expected.items():
                assert found[name][level] == pytest.approx(value, rel=1e-9, abs=1e-9), (name, level)


def test_real_levels_cluster_by_object(real_levels):
    curves = [measure_levels(image.levels, image.objects, image.class_names) for image in real_levels]
    mean = {name: np.mean([curve[name] for curve in curves], axis=0) for name in curves[0]}
    assert len(curves) == 21
    assert all(values.shape == (13,) for values in mean.values())
    # The trained model separates objects better inside than at level 0, where there is position and colour.
    for name in ("purity", "silhouette", "unique_label_ratio", "adjusted_mutual_info"):
        assert mean[name][4:].mean() > mean[name][0], name
    assert mean["nearest_same_object"].min() > 0.8


def test_official_by_hand():
    # eps: object 1 has steps 0, 0, 1, object 2 steps 0, 0: (1/3 + 0) / 2 = 1/6. Patch 3 is noise.
    tokens = np.array([[1, 0], [1, 0], [1, 0], [2, 0], [0, 1], [0, 1], [0, 1], [9, 9]], dtype=np.float64)
    found = measure_level(tokens, {1: [0, 1, 2, 3], 2: [4, 5, 6]}, {1: "cat", 2: "dog"})
    assert found == pytest.approx(
        {
            "purity": 6 / 7,
            "silhouette": 1.0,
            "in_cluster_cosine": 1.0,
            "in_object_cosine": 1.0,
            "unique_label_ratio": 1.0,
            "clusters": 2,
            "noise_share": 1 / 7,
            "eps": 1 / 6,
            "adjusted_mutual_info": found["adjusted_mutual_info"],
            "nearest_same_object": 1.0,
        }
    )
    assert isinstance(found["clusters"], int)
    assert all(isinstance(value, float) for name, value in found.items() if name != "clusters")


def test_paper_by_hand():
    # The same objects; background: three patches at (0, -1), which are a cluster, and one far away.
    tokens = np.array(
        [[1, 0], [1, 0], [1, 0], [2, 0], [0, 1], [0, 1], [0, 1], [0, -1], [0, -1], [0, -1], [9, 9]],
        dtype=np.float64,
    )
    found = measure_level(tokens, {1: [0, 1, 2, 3], 2: [4, 5, 6]}, ["cat", "cat"], protocol="paper")
    assert found["eps"] == pytest.approx(1 / 6)
    assert (found["clusters"], found["noise_share"]) == (3, pytest.approx(2 / 11))
    assert found["purity"] == pytest.approx(9 / 11)
    assert found["silhouette"] == pytest.approx(1.0)
    assert found["unique_label_ratio"] == pytest.approx(3 / 3)
    assert found["unique_label_ratio_appendix"] == 1.0
    assert found["in_object_cosine"] == pytest.approx(1.0)


def test_silhouettes_by_hand():
    # eps = (2 + 0.2) / 2 = 1.1 splits object 1 into two clusters on one ray, at cosine distance 0 from one
    # another, so their six patches score 0; those of object 2, on another ray, score 1. Euclidean distances
    # tell all three clusters apart.
    a, b = np.array([1.0, 0.0]), np.array([0.6, 0.8])
    tokens = np.array([a, 3 * a, a, 3 * a, a, 3 * a, 30 * b, 30.2 * b, 30 * b, 30.2 * b, 30 * b, 30.2 * b])
    objects = {1: range(6), 2: range(6, 12)}
    official = measure_level(tokens, objects, ["x", "y"])
    assert official["eps"] == pytest.approx(1.1)
    assert official["clusters"] == 3
    assert official["silhouette"] == pytest.approx(0.5)
    # Within object 2: 3 of 5 others at 0.2. To the cluster at 3 a: |r b - 3 a|, with b a = 0.6.
    scores = [1 - 0.12 / np.sqrt(r * r - 2 * r * 3 * 0.6 + 9) for r in (30, 30.2)]
    paper = measure_level(tokens, objects, ["x", "y"], protocol="paper")
    assert paper["silhouette"] == pytest.approx((6 + 3 * sum(scores)) / 12)


def test_tokens_on_one_ray_have_no_silhouette_of_rounding():
    # All cosine distances are 0 in exact arithmetic: each token scores 0, whatever the rounding.
    ray = np.random.default_rng(0).normal(size=23)
    scale = np.array([1, 1.02, 1.01, 3, 3.02, 3.01])
    found = measure_level(scale[:, None] * ray, {1: [0, 1, 2], 2: [3, 4, 5]}, ["x", "y"])
    assert found["clusters"] == 2
    assert found["silhouette"] == 0
    assert found["in_cluster_cosine"] == found["in_object_cosine"] == 1


def test_small_angles_are_not_lost():
    # Two clusters 1e-4 apart in angle, 2e-6 wide: cosine distances near 5e-9 and 1e-12.
    angle = np.array([0, 2e-6, 1e-6, 1e-4, 1.02e-4, 1.01e-4])
    tokens = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = measure_level(tokens, {1: [0, 1, 2], 2: [3, 4, 5]}, ["x", "y"])
    assert found["clusters"] == 2
    # Squared angles, in units of 1e-12 / 2: 1e4 to the other cluster; within, (4 + 1, 4 + 1, 1 + 1) / 2.
    assert found["silhouette"] == pytest.approx(1 - 2e-4, abs=2e-5)


@pytest.mark.parametrize("protocol", ["official", "paper"])
def test_equal_tokens_are_one_cluster(protocol):
    tokens = np.full((13, 5), 0.3)
    found = measure_level(tokens, {1: [0, 1, 2], 2: [5, 6, 7, 8, 9]}, ["cat", "dog"], protocol=protocol)
    assert (found["clusters"], found["eps"], found["noise_share"], found["silhouette"]) == (1, 0, 0, 0)
    assert found["purity"] == pytest.approx(5 / 8 if protocol == "official" else 5 / 13)
    assert found["in_cluster_cosine"] == found["in_object_cosine"] == 1
    assert found["unique_label_ratio"] == pytest.approx(1 / 2 if protocol == "official" else 1 / 3)
    assert found["nearest_same_object"] == 1
    assert found["adjusted_mutual_info"] == pytest.approx(0, abs=1e-12)


def test_eps_zero_counts_as_one_cluster_even_of_two_places():
    tokens = np.repeat([[1.0, 0.0], [0.0, 1.0]], 3, axis=0)
    found = measure_level(tokens, {1: [0, 1, 2], 2: [3, 4, 5]}, ["cat", "dog"])
    assert (found["eps"], found["clusters"], found["purity"], found["silhouette"]) == (0, 1, 0.5, 0)
    assert found["in_cluster_cosine"] == pytest.approx(6 / 15)


def test_equal_tokens_blind():
    found = measure_level(np.ones((13, 5)), {1: [0, 1, 2], 2: [5, 6]}, ["cat", "dog"], protocol="blind")
    assert found["clusters"] in (0, 1)
    assert found["silhouette"] in (-1, 0)
    assert "eps" not in found


def test_no_cluster_at_all():
    # Steps of 1 and 4 give eps 2.5 over gaps that grow: every patch sees at most one other.
    tokens = np.array([[0, 1], [1, 1], [10, 1], [14, 1]], dtype=np.float64)
    found = measure_level(tokens, {1: [0, 1], 2: [2, 3]}, ["cat", "dog"])
    assert found["eps"] == 2.5
    assert (found["clusters"], found["noise_share"], found["purity"]) == (0, 1, 0)
    assert found["silhouette"] == found["in_cluster_cosine"] == -1
    assert found["unique_label_ratio"] == 0


def test_a_level_without_clusters_beside_one_with_many():
    tokens, objects, names = scene(3, 3.0)
    none = tokens.copy()
    none[np.concatenate(list(objects.values()))] = 10.0 ** np.arange(1, 38)[:, None] * np.ones(11)
    found = measure_levels(np.stack([none, tokens, np.ones_like(tokens)]), objects, names)
    assert found["clusters"][1] > 1
    for level, one in enumerate((none, tokens, np.ones_like(tokens))):
        for name, value in measure_level(one, objects, names).items():
            assert found[name][level] == pytest.approx(value, rel=1e-12), name


def test_ties_for_dominance_go_to_the_first_object():
    # One cluster, 3 patches of each object: object 9 comes first, its class alone is dominant.
    tokens = np.array([[0, 1], [1, 1], [2, 1], [0, 1], [1, 1], [2, 1]], dtype=np.float64)
    for protocol, ratio in (("official", 1 / 2), ("paper", 1 / 3)):
        found = measure_level(tokens, {9: [0, 1, 2], 4: [3, 4, 5]}, {9: "a", 4: "b"}, protocol=protocol)
        assert (found["clusters"], found["purity"]) == (1, 0.5)
        assert found["unique_label_ratio"] == pytest.approx(ratio)
    # Background loses a tie: 3 of 6 are background, yet the object is dominant.
    found = measure_level(tokens, {9: [0, 1, 2]}, ["a"], protocol="paper")
    assert (found["purity"], found["unique_label_ratio_appendix"]) == (0.5, 1.0)


def test_class_names_repeated_across_objects_count_once():
    tokens, objects, _ = scene(0, 3.0)
    found = [
        measure_level(tokens, objects, names)
        for names in (["cat", "dog", "sofa"], ["cat", "dog", "cat"], ["cat", "cat", "cat"])
    ]
    assert found[0]["clusters"] >= 2
    assert found[2]["unique_label_ratio"] == 1
    for name in COMMON - {"unique_label_ratio"}:
        assert found[0][name] == found[1][name] == found[2][name]


def test_zero_tokens_have_cosine_zero():
    tokens = np.array([[0, 0], [0, 0], [0, 0], [0, 0], [5, 5], [5, 5], [5, 5.1]])
    found = measure_level(tokens, {1: [0, 1, 2, 3], 2: [4, 5, 6]}, ["a", "b"])
    assert found == pytest.approx(slow(tokens, {1: [0, 1, 2, 3], 2: [4, 5, 6]}, {1: "a", 2: "b"}, "official"))
    assert found["in_object_cosine"] == pytest.approx(0.5, abs=1e-3)


def test_nearest_of_another_object_counts():
    tokens = np.array([[0.0], [1.0], [5.0], [5.9], [9.0], [12.0]])
    # Nearest: 0-1 same, 1-0 same, 2-3 other, 3-2 other, 4-(5: 3.0, 3: 3.1) same, 5-4 same.
    found = measure_level(tokens, {1: [0, 1, 2], 2: [3, 4, 5]}, ["a", "b"])
    assert found["nearest_same_object"] == pytest.approx(4 / 6)


def test_ties_for_the_nearest_count_as_the_same_object_and_near_ties_do_not():
    objects = {1: [0, 1], 2: [2, 3]}
    # Patch 1 lies between 0, on its own object, and 2, on the other; 2 between 1 and 3.
    assert measure_level(np.array([[0.0], [1], [2], [3]]), objects, ["a", "b"])["nearest_same_object"] == 1
    nearer = measure_level(np.array([[0.0], [1], [2 - 1e-9], [3]]), objects, ["a", "b"])
    assert nearer["nearest_same_object"] == 1 / 2
    # As near as float32 can tell, which is less than its distances are off by; the other patches are clear.
    clear = 10 + np.arange(60) * 0.25
    narrow = np.array([0, 1, *clear[:30], 2 - 2.0**-22, 3, *(30 + clear[30:])], dtype=np.float32)[:, None]
    objects = {1: range(32), 2: range(32, 64)}
    assert measure_level(narrow, objects, ["a", "b"])["nearest_same_object"] == 62 / 64
    assert measure_level(narrow.round(2), objects, ["a", "b"])["nearest_same_object"] == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_batch_is_its_levels(protocol):
    _, objects, names = scene(0)
    levels = np.stack([scene(seed, spread)[0] for seed, spread in ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4))])
    found = measure_levels(levels, objects, names, protocol=protocol)
    for level in range(5):
        for name, value in measure_level(levels[level], objects, names, protocol=protocol).items():
            assert found[name][level] == pytest.approx(value, rel=1e-12), name
    assert found["clusters"].dtype.kind == "i"


def test_official_looks_at_object_patches_alone():
    tokens, objects, names = scene(1, 2.0)
    others = np.setdiff1d(np.arange(60), np.concatenate(list(objects.values())))
    moved = tokens.copy()
    moved[others] = 1e3
    assert measure_level(moved, objects, names) == measure_level(tokens, objects, names)
    assert measure_level(moved, objects, names, protocol="paper") != measure_level(
        tokens, objects, names, protocol="paper"
    )


@pytest.mark.parametrize("protocol", ["official", "paper"])
def test_invariances(protocol):
    tokens, objects, names = scene(5, 2.0)
    base = measure_level(tokens, objects, names, protocol=protocol)
    assert base["clusters"] > 1
    # Patches read from the last to the first: the same neighbours in raster order.
    backwards = {i: 59 - patches for i, patches in objects.items()}
    assert measure_level(tokens[::-1], backwards, names, protocol=protocol) == pytest.approx(base)
    # Objects in another order, their patches too; names by id.
    shuffled = {i: objects[i][::-1] for i in (7, 2, 3)}
    assert measure_level(tokens, shuffled, names, protocol=protocol) == pytest.approx(base)
    # Dimensions permuted or turned, and another unit of length.
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(11, 11)))[0]
    assert measure_level(tokens @ turn, objects, names, protocol=protocol) == pytest.approx(base)
    for unit in (1e-8, 1e8):
        scaled = measure_level(unit * tokens, objects, names, protocol=protocol)
        assert scaled == pytest.approx(base | {"eps": unit * base["eps"]})
    # Moved far away, distances stay: the same clusters, although all angles vanish.
    far = measure_level(tokens + 1e5, objects, names, protocol=protocol)
    for name in ("purity", "clusters", "noise_share", "nearest_same_object", "adjusted_mutual_info"):
        assert far[name] == pytest.approx(base[name])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_torch_tensors_give_the_same(dtype):
    tokens, objects, names = scene(2, 2.0)
    tensor = torch.from_numpy(tokens).to(dtype)
    expected = measure_level(tensor.double().numpy(), objects, names)
    assert measure_level(tensor.requires_grad_(), objects, names) == expected
    stacked = measure_levels(torch.stack([tensor, tensor]), objects, names)
    assert {name: values[1] for name, values in stacked.items()} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_levels_of_another_device_are_measured_by_torch_alike(protocol, dtype):
    """The road that a tensor of a GPU takes: it stays a tensor, as one of the host here does too."""
    _, objects, names = scene(0)
    levels = torch.stack(
        [torch.from_numpy(scene(seed, spread)[0]) for seed, spread in ((1, 1), (2, 2), (3, 3))]
    )
    tensor = levels.to(dtype)
    kept = tensor.clone()
    found = _measure_some(tensor, as_objects(objects, names, 60), protocol)
    assert torch.equal(tensor, kept)
    for name, values in measure_levels(tensor.numpy(), objects, names, protocol=protocol).items():
        np.testing.assert_allclose(found[name], values, rtol=1e-12, atol=1e-12, err_msg=name)


def test_wrong_arguments_are_refused():
    tokens, objects, names = scene(0)
    good = (tokens, objects, names)
    assert measure_level(*good)
    with pytest.raises(ArgumentError, match="official, paper, blind"):
        measure_level(*good, protocol="Official")
    with pytest.raises(ArgumentError, match=r"\(tokens, dimensions\)"):
        measure_level(tokens[None], objects, names)
    with pytest.raises(ArgumentError, match=r"\(levels, tokens, dimensions\)"):
        measure_levels(tokens, objects, names)
    with pytest.raises(ArgumentTypeError, match="real floating"):
        measure_level(tokens.astype(int), objects, names)
    for wrong in (np.nan, -np.inf):
        spoilt = tokens.copy()
        spoilt[59, 10] = wrong
        for protocol in PROTOCOLS:
            with pytest.raises(ArgumentError, match="1 NaN or infinite of 660"):
                measure_level(spoilt, objects, names, protocol=protocol)
    with pytest.raises(ArgumentError, match="blind needs 5"):
        measure_level(tokens[:4], {1: [0, 1], 2: [2, 3]}, ["a", "b"], protocol="blind")


@pytest.mark.parametrize(
    ("objects", "error", "match"),
    [
        ({}, ArgumentError, "at least one object"),
        ([[0, 1, 2]], ArgumentError, "must map"),
        ({1: [0, 1, 2], 2: [2, 3]}, ArgumentError, "patch 2 twice"),
        ({1: [0, 0, 1], 2: [2, 3]}, ArgumentError, "patch 0 twice"),
        ({1: [0, 1, 60], 2: [2, 3]}, ArgumentError, r"0\.\.59.*for object 1.*prefix"),
        ({1: [-1, 1], 2: [2, 3]}, ArgumentError, r"0\.\.59"),
        ({1: [0], 2: [2, 3]}, ArgumentError, "at least two patches"),
        ({1: [], 2: [2, 3]}, ArgumentError, "at least two patches"),
        ({1: [[0, 1]], 2: [2, 3]}, ArgumentError, "at least two patches"),
        ({1: [0.0, 1.0], 2: [2, 3]}, ArgumentTypeError, "integers"),
        ({1: np.ones(60, bool), 2: [2, 3]}, ArgumentTypeError, "integers"),
    ],
)
def test_wrong_objects_are_refused(objects, error, match):
    with pytest.raises(error, match=match):
        measure_level(np.random.default_rng(0).normal(size=(60, 3)), objects, {1: "a", 2: "b"})


@pytest.mark.parametrize("names", [{1: "a"}, ["a"], ("a", "b", "c"), "ab", None])
def test_wrong_class_names_are_refused(names):
    with pytest.raises(ArgumentError, match="class_names"):
        measure_level(np.random.default_rng(0).normal(size=(60, 3)), {1: [0, 1], 2: [2, 3]}, names)

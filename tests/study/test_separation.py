"""Separation, the background's clusters, class attention: by hand, by scikit-learn, on planted tokens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from sklearn.metrics import silhouette_samples

from attnclust.neurons import rollout
from attnclust.records import read_table
from attnclust.study.background import background
from attnclust.study.class_attention import ClassAttention, contrasts
from attnclust.study.separation import margins, separation
from attnclust.vit import stream, trace

GRID = (7, 11)
N, D, LEVELS = 77, 5, 3
OBJECTS = {2: np.array([0, 1, 2, 11, 12]), 5: np.array([30, 31, 42]), 6: np.array([60, 61, 71, 72])}
NAMES = {2: "cat", 5: "dog", 6: "cat"}
REST = np.setdiff1d(np.arange(N), np.concatenate(list(OBJECTS.values())))


@pytest.fixture(scope="module")
def levels() -> np.ndarray:
    return np.random.default_rng(5).normal(size=(LEVELS, N, D)) + 0.5


def labels_of(*groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    chosen = np.concatenate(groups)
    return chosen, np.repeat(np.arange(len(groups)), [len(group) for group in groups])


def sampled(tokens: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.asarray(silhouette_samples(tokens, labels, metric="cosine"))


class TestSeparation:
    def test_silhouettes_are_scikit_learns(self, levels: np.ndarray):
        found = separation(levels, OBJECTS, NAMES)
        objects = list(OBJECTS.values())
        for level, tokens in enumerate(levels):
            chosen, labels = labels_of(*objects, REST)
            scores = sampled(tokens[chosen], labels)
            assert found["object_silhouette"][level] == pytest.approx(scores[labels < 3].mean())
            chosen, labels = labels_of(*objects)
            scores = sampled(tokens[chosen], labels)
            assert found["object_silhouette_among"][level] == pytest.approx(scores.mean())
            each = []
            for patches in objects:
                chosen, labels = labels_of(patches, REST)
                each.append(sampled(tokens[chosen], labels)[labels == 0])
            assert found["object_background_silhouette"][level] == pytest.approx(np.concatenate(each).mean())

    def test_pairs_by_class(self, levels: np.ndarray):
        found = separation(levels, OBJECTS, NAMES)

        def pair(a: int, b: int, tokens: np.ndarray) -> float:
            chosen, labels = labels_of(OBJECTS[a], OBJECTS[b])
            return float(sampled(tokens[chosen], labels).mean())

        for level, tokens in enumerate(levels):
            assert found["silhouette_same_class"][level] == pytest.approx(pair(2, 6, tokens))
            different = (pair(2, 5, tokens) + pair(5, 6, tokens)) / 2
            assert found["silhouette_different_class"][level] == pytest.approx(different)

    def test_a_kind_of_pair_that_is_not_there_has_no_number(self, levels: np.ndarray):
        two = {key: OBJECTS[key] for key in (2, 6)}
        assert "silhouette_different_class" not in separation(levels, two, NAMES)
        assert "silhouette_same_class" not in separation(levels, two, {2: "cat", 6: "dog"})

    def test_without_a_background(self, levels: np.ndarray):
        halves = {1: np.arange(40), 2: np.arange(40, N)}
        assert set(separation(levels, halves, {1: "a", 2: "b"})) == {
            "object_silhouette_among",
            "silhouette_different_class",
        }

    def test_extremes_and_zero_tokens(self):
        tokens = np.zeros((1, N, D))
        assert not any(values.any() for values in separation(tokens, OBJECTS, NAMES).values())
        for index, patches in enumerate(OBJECTS.values()):
            tokens[0, patches, index] = 3.0
        tokens[0, REST, 4] = 1.0
        assert separation(tokens, OBJECTS, NAMES)["object_silhouette"] == pytest.approx([1.0])


class TestMargins:
    def test_by_hand(self):
        """Four patches in a row, the first two an object: same 1; outside 3, 4, 2 and 3."""
        tokens = np.array([[[0.0], [1.0], [3.0], [4.0]]])
        found = margins(tokens, {1: np.array([0, 1])}, (1, 4))
        assert found["object_margin"] == pytest.approx([1 - 1 / 3])
        # Neighbours: 1 on the object, and one pair (2 apart) across.
        assert found["object_margin_matched"] == pytest.approx([1 - 1 / 2])

    def test_position_alone_leaves_no_margin_at_equal_distance(self):
        """Tokens that only say where they lie: one object is closer to itself, but not beyond its place."""
        place = np.stack(np.divmod(np.arange(N), GRID[1]), axis=1).astype(float)
        found = margins(place[None], {1: np.array([36, 37, 47, 48])}, GRID)
        assert found["object_margin"][0] > 0.5
        assert found["object_margin_matched"] == pytest.approx([0.0], abs=1e-12)

    def test_slow_version(self, levels: np.ndarray):
        within, across = [], []
        owner = {int(patch): name for name, patches in OBJECTS.items() for patch in patches}
        for i in owner:
            for j in range(N):
                if i != j:
                    distance = float(np.linalg.norm(levels[1, i] - levels[1, j]))
                    (within if owner.get(j) == owner[i] else across).append(distance)
        expected = 1 - np.mean(within) / np.mean(across)
        assert margins(levels, OBJECTS, GRID)["object_margin"][1] == pytest.approx(expected)

    def test_equal_tokens(self):
        found = margins(np.ones((1, N, D)), OBJECTS, GRID)
        assert found == {"object_margin": pytest.approx([0.0]), "object_margin_matched": pytest.approx([0.0])}


class TestBackground:
    CORNER = np.array([0, 1, 11, 12])
    DROPPED = np.setdiff1d(np.arange(N), CORNER)

    def tokens(self, second: np.ndarray) -> np.ndarray:
        """Noise about one direction, `second` about another; the object lies along the second."""
        tokens = np.random.default_rng(3).normal(0, 0.05, (1, N, D))
        tokens[0, :, 0] += 1
        moved = np.concatenate([second, self.CORNER])
        tokens[0, moved, :2] += [-1, 1]
        return tokens

    def columns(self, first: int, last: int) -> np.ndarray:
        column = self.DROPPED % GRID[1]
        return self.DROPPED[(column >= first) & (column < last)]

    def measured(self, tokens: np.ndarray) -> dict[str, float]:
        return {
            name: values[0]
            for name, values in background(tokens, self.DROPPED, {1: self.CORNER}, GRID).items()
        }

    def test_one_cluster(self):
        one = self.measured(self.tokens(np.array([], dtype=int)))
        assert one["background_split"] < 0.5  # where the claim draws the line
        assert one["background_clusters"] == 1

    def test_two_clusters_by_distance(self):
        near = self.measured(self.tokens(self.columns(0, 5)))
        assert near["background_split"] > 0.9
        assert near["background_split_near"] > 0.9
        assert near["background_clusters"] == 2
        assert near["background_split_share"] == pytest.approx(self.columns(0, 5).size / self.DROPPED.size)

    def test_two_clusters_the_other_way_round_and_by_chance(self):
        far = self.measured(self.tokens(self.columns(6, 11)))
        assert far["background_split"] > 0.9
        assert far["background_split_near"] < -0.9
        rng = np.random.default_rng(0)
        chance = [self.measured(self.tokens(rng.choice(self.DROPPED, 36, replace=False))) for _ in range(9)]
        assert all(each["background_split"] > 0.9 for each in chance)
        assert abs(np.mean([each["background_split_near"] for each in chance])) < 0.15

    def test_equal_tokens_and_few_patches(self):
        same = self.measured(np.ones((1, N, D)))
        assert (same["background_split"], same["background_split_near"]) == (0, 0)
        assert same["background_clusters"] == 1
        assert background(np.ones((1, N, D)), self.DROPPED[:7], {1: self.CORNER}, GRID) == {}


class TestClassAttention:
    @pytest.mark.parametrize("attention", ["mean", "heads"])
    def test_is_the_class_row_of_the_residual_rollout(self, attention: str):
        torch.manual_seed(0)
        model = timm.create_model("vit_tiny_patch16_224", img_size=48, depth=3, num_classes=0)
        images = torch.rand(2, 3, 48, 48)
        gathered = ClassAttention()
        for level in stream(model, images, attention=attention):
            gathered.add(level)
        maps = trace(model, images).attention
        assert maps is not None
        expected = rollout(maps, prefix_tokens=1, residual=True)
        for at in range(2):
            rows = gathered.rows(at)
            assert rows is not None
            np.testing.assert_allclose(rows[0], expected[:, at, 0].numpy(), rtol=1e-4)
            np.testing.assert_allclose(rows[1], np.stack([each[at, 0, 1:] for each in maps]), rtol=1e-4)

    def test_a_model_without_a_class_token_has_none(self):
        model = timm.create_model(
            "vit_tiny_patch16_224", img_size=32, depth=1, class_token=False, global_pool="avg", num_classes=0
        )
        gathered = ClassAttention()
        for level in stream(model, torch.rand(1, 3, 32, 32)):
            gathered.add(level)
        assert gathered.rows(0) is None

    def test_contrast_by_hand(self):
        rolled = np.array([[0.2, 0.2, 0.1, 0.1], [0.0, 0.1, 0.4, 0.4]])
        found = contrasts(rolled, rolled[::-1], {1: np.array([0, 1])})
        np.testing.assert_allclose(found["class_rollout_contrast"], [0, 1, -3])
        np.testing.assert_allclose(found["class_attention_contrast"], [0, -3, 1])

    def test_all_objects_and_underflow(self):
        assert contrasts(np.ones((1, 2)), np.ones((1, 2)), {1: np.array([0, 1])}) == {}
        found = contrasts(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]]), {1: np.array([0])})
        assert np.isfinite(found["class_rollout_contrast"][1])


def test_a_study_records_them(finished: Path):
    rows = read_table(finished, "measurements").to_pylist()
    metrics = {(row["condition"], row["metric"]) for row in rows}
    for metric in ("object_silhouette", "object_background_silhouette", "class_rollout_contrast"):
        assert {("clean", metric), ("shuffle-2", metric)} <= metrics
    assert ("clean", "object_margin") in metrics
    assert ("shuffle-2", "object_margin") not in metrics
    contrast = [row for row in rows if row["metric"] == "class_rollout_contrast"]
    assert {row["value"] for row in contrast if row["level"] == 0} == {0}
    assert all(row["value"] for row in contrast if row["level"])

"""The embedded scenes: the same bits for ever, objects as the measurement needs them, and wrong arguments."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.data import LabelledImage, VOCObjects, make_scenes, select_objects, write_voc
from attnclust.data.scenes import CLASSES, SceneSet

# The embedded model was trained on these bits: they must not change.
HASHES = {
    (0, 0, 224): "5db37268e5ae07c4734ab34e6e180ad9c43305a250228a915ab8100543219728",
    (0, 1, 224): "d94e18563cb797e00b651d9c4aaf99644e4897a905bc78e8b0f77352b6dca430",
    (7, 123456, 224): "c877068630f143a0d77f6e2b72efc5e82b1c2b28b41f07266867c37dddca9d3e",
    (2**64 - 1, 5, 224): "3d920ab4235a3b222b5de966614dbe37a4e64f27d5d9f9b26bfe68f76aa1a472",
    (3, 2, 97): "bc8ce4e0a079e5e61704b27a7191c80e6830cfa30590dca22f1a4a35eb9d00cb",
}


@pytest.fixture(scope="module")
def scenes() -> list[LabelledImage]:
    return list(make_scenes(150, seed=17))


def _digest(scene: LabelledImage) -> str:
    text = "|".join((scene.name, *scene.classes)).encode()
    return hashlib.sha256(scene.image.tobytes() + scene.instances.tobytes() + text).hexdigest()


def _objects(scenes: list[LabelledImage]) -> Iterator[tuple[str, np.ndarray]]:
    for scene in scenes:
        for number, name in enumerate(scene.classes, start=1):
            yield name, scene.instances == number


@pytest.mark.parametrize(("seed", "index", "size"), HASHES)
def test_the_bits_are_those_the_model_was_trained_on(seed: int, index: int, size: int) -> None:
    scene = make_scenes(index + 1, seed=seed, size=size)[index]
    assert _digest(scene) == HASHES[seed, index, size]


def test_a_scene_depends_on_seed_and_index_alone() -> None:
    alone = _digest(make_scenes(12, seed=4)[11])
    many = make_scenes(1000, seed=4)
    np.random.default_rng(0).random(5)
    assert _digest(many[500]) != alone
    assert _digest(many[11]) == alone
    assert _digest(list(make_scenes(12, seed=4))[-1]) == alone
    assert _digest(make_scenes(12, seed=4)[-1]) == alone
    assert _digest(many[3:40:4][2]) == alone
    assert _digest(pickle.loads(pickle.dumps(many))[np.int64(11)]) == alone


def test_no_two_seeds_and_indices_give_one_scene() -> None:
    # Seeds beyond 32 bits among them: no mixture of the words of seed and index may meet another.
    seeds = (0, 1, 2, 3, 2**32, 2**32 + 1, 2**33 + 1, 3 * 2**32)
    pictures = {make_scenes(4, seed=seed)[i].image.tobytes() for seed in seeds for i in range(4)}
    assert len(pictures) == 4 * len(seeds)


def test_a_scene_can_be_changed_without_changing_the_set() -> None:
    data = make_scenes(2)
    first = data[0]
    before = _digest(first)
    first.image[:] = 0
    first.instances[:] = 0
    assert _digest(data[0]) == before


def test_a_set_is_a_sequence() -> None:
    data = make_scenes(9, seed=2)
    assert isinstance(data[2:5], SceneSet)
    assert [s.name for s in data[2:5]] == [f"scene-2-{i:06d}" for i in (2, 3, 4)]
    assert len(data) == 9
    assert len(data[4:100]) == 5
    for index in (9, -10):
        with pytest.raises(IndexError):
            data[index]


@pytest.mark.parametrize("size", [64, 97, 224, 301])
def test_form(size: int) -> None:
    for scene in make_scenes(5, seed=1, size=size):
        assert scene.image.shape == (size, size, 3)
        assert scene.instances.shape == (size, size)
        assert scene.image.dtype == scene.instances.dtype == np.uint8
        assert scene.image.flags.c_contiguous
        assert 2 <= len(scene.classes) <= 4
        assert set(np.unique(scene.instances)) == set(range(len(scene.classes) + 1))


def test_every_object_shows_6_to_25_percent(scenes: list[LabelledImage]) -> None:
    seen = np.array([mask.mean() for _, mask in _objects(scenes)])
    assert seen.min() >= 0.06
    assert seen.max() <= 0.25
    # Not all alike: a quarter each below 10 % and above 13 %.
    assert np.quantile(seen, 0.25) < 0.10
    assert np.quantile(seen, 0.75) > 0.13


def test_numbers_and_classes_of_objects(scenes: list[LabelledImage]) -> None:
    counts = np.bincount([len(scene.classes) for scene in scenes], minlength=5)
    assert counts[:2].tolist() == [0, 0]
    assert counts[2:].min() > 0.2 * len(scenes)
    used = {name for scene in scenes for name in scene.classes}
    assert len(CLASSES) == len(set(CLASSES)) == 25
    assert used == set(CLASSES)
    twice = np.mean([len(set(scene.classes)) < len(scene.classes) for scene in scenes])
    assert 0.1 < twice < 0.6


def test_an_object_is_in_one_piece(scenes: list[LabelledImage]) -> None:
    shares = []
    for _, mask in _objects(scenes):
        pieces = np.zeros(mask.shape, np.int32)
        ndimage.label(mask, output=pieces)
        shares.append(np.bincount(pieces.ravel())[1:].max() / mask.sum())
    assert min(shares) >= 0.6
    assert np.mean(np.array(shares) > 0.95) > 0.98


def test_the_selection_takes_them(scenes: list[LabelledImage]) -> None:
    reasons = [select_objects(scene.instances, scene.classes, grid=14).reason for scene in scenes]
    assert np.mean([reason is None for reason in reasons]) >= 0.95


def test_written_as_voc_and_read_back(tmp_path: Path) -> None:
    data = make_scenes(5, seed=31)
    write_voc(tmp_path / "voc", data)
    back = VOCObjects(tmp_path / "voc")
    assert len(back) == 5
    for scene, read in zip(data, back, strict=True):
        assert (read.name, read.classes) == (scene.name, scene.classes)
        assert np.array_equal(read.instances, scene.instances)
        assert np.abs(read.image.astype(float) - scene.image).mean() < 6


@pytest.mark.parametrize(
    ("arguments", "error", "name"),
    [
        ({"count": 0}, ArgumentError, "count"),
        ({"count": -3}, ArgumentError, "count"),
        ({"count": 2.0}, ArgumentTypeError, "count"),
        ({"count": True}, ArgumentTypeError, "count"),
        ({"count": "8"}, ArgumentTypeError, "count"),
        ({"count": 1, "seed": -1}, ArgumentError, "seed"),
        ({"count": 1, "seed": 2**64}, ArgumentError, "seed"),
        ({"count": 1, "seed": None}, ArgumentTypeError, "seed"),
        ({"count": 1, "size": 63}, ArgumentError, "size"),
        ({"count": 1, "size": 1025}, ArgumentError, "size"),
        ({"count": 1, "size": (224, 224)}, ArgumentTypeError, "size"),
        ({"count": np.ones(3, int)}, ArgumentTypeError, "count"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments: dict, error: type[Exception], name: str) -> None:
    with pytest.raises(error, match=f"^{name}: .*got "):
        make_scenes(**arguments)


def test_numpy_integers_are_integers() -> None:
    assert _digest(make_scenes(np.int32(2), seed=np.uint64(3))[1]) == _digest(make_scenes(2, seed=3)[1])

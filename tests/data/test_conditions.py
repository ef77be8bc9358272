"""Conditions: what is moved or dropped, how much of it, and that the drawing is the same everywhere."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.data import (
    ALL_CONDITIONS,
    DEFAULT_CONDITIONS,
    apply_condition,
    occlude,
    parse_condition,
    salient_patches,
    shuffle_grid,
)


def picture(height: int = 30, width: int = 42) -> tuple[np.ndarray, np.ndarray]:
    """Every pixel another colour, none black; three objects, one tiny, and void; 5 x 7 cells of 6 x 6."""
    flat = np.arange(1, height * width + 1)
    image = np.stack([flat % 251 + 1, flat // 251 + 1, flat % 7 + 1], axis=1).astype(np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[0:12, 0:12] = 1
    mask[14:24, 20:37] = 2
    mask[28, 40] = 3
    mask[12, 0:12] = 255
    return image.reshape(height, width, 3), mask


def dropped_cells(before: np.ndarray, after: np.ndarray, side: int = 6) -> set[int]:
    """Raster numbers of the cells that changed, with a check that each changed as a whole."""
    changed = (before != after).any(axis=2)
    rows, columns = changed.shape[0] // side, changed.shape[1] // side
    cells = changed[: rows * side, : columns * side].reshape(rows, side, columns, side).mean(axis=(1, 3))
    assert set(np.unique(cells)) <= {0.0, 1.0}
    return set(np.flatnonzero(cells).tolist())


SALIENT = {0, 1, 7, 8, 17, 18, 19, 24, 25, 26, 27}


def test_salient_cells_by_hand():
    # Object 1 fills cells 0, 1, 7, 8. Object 2 covers rows 14..23, columns 20..36. Of the cells in grid row 2
    # and columns 3..6 it has 4 x 4, 4 x 6, 4 x 6 and 4 x 1 of 36 pixels, in row 3 6 x 4, 6 x 6, 6 x 6, 6 x 1;
    # 4 and 6 of 36 are 11 % and 17 %. The tiny object 3 has 1 of 36, void does not count.
    _, mask = picture()
    assert set(np.flatnonzero(salient_patches(mask, grid=(5, 7))).tolist()) == SALIENT


def test_objects_count_together_and_strictly_above_fifteen_per_cent():
    mask = np.zeros((10, 30), np.uint8)
    mask[0, 0:10], mask[1, 0:5] = 1, 2  # 15 of 100
    mask[0, 10:20], mask[1, 10:16] = 1, 2  # 16 of 100
    mask[:, 20:30] = 255
    assert salient_patches(mask, grid=(1, 3)).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("kind", "ratio", "candidates", "count"),
    [
        ("random", 0.4, set(range(35)), 14),
        ("random", 0.5, set(range(35)), 17),
        ("salient", 0.4, SALIENT, 4),
        ("salient", 1.0, SALIENT, 11),
        ("non-salient", 0.6, set(range(35)) - SALIENT, 14),
        ("non-salient", 1.0, set(range(35)) - SALIENT, 24),
        ("noise", 1.0, set(range(35)) - SALIENT, 24),
    ],
)
def test_occlusion_drops_that_many_of_those_cells(kind, ratio, candidates, count):
    image, mask = picture()
    after, left = occlude(image, mask, kind, ratio, grid=(5, 7), rng=np.random.default_rng(2))
    cells = dropped_cells(image, after)
    assert len(cells) == count
    assert cells <= candidates
    dark = np.repeat(np.repeat(np.isin(np.arange(35), list(cells)).reshape(5, 7), 6, 0), 6, 1)
    np.testing.assert_array_equal(left, np.where(dark, 0, mask))
    if kind == "noise":
        pixels = after[dark]
        assert len(np.unique(pixels)) > 250
        assert abs(pixels.mean() - 127.5) < 4
    else:
        assert (after[dark] == 0).all()
    np.testing.assert_array_equal(after[~dark], image[~dark])


def test_two_hundred_runs_drop_each_cell_about_equally_often():
    image, mask = picture()
    hits = np.zeros(35)
    for seed in range(200):
        after, _ = occlude(image, mask, "random", 0.4, grid=(5, 7), rng=np.random.default_rng(seed))
        hits[list(dropped_cells(image, after))] += 1
    # Binomial(200, 0.4): mean 80, standard deviation 7; five of them.
    assert hits.min() > 45
    assert hits.max() < 115


def test_no_patch_to_drop_leaves_the_image():
    image, _ = picture()
    after, left = occlude(
        image, np.zeros((30, 42), int), "salient", 1.0, grid=5, rng=np.random.default_rng(0)
    )
    np.testing.assert_array_equal(after, image)
    assert not left.any()


def test_pixels_left_over_by_the_grid_are_kept():
    image, mask = picture()
    after, _ = occlude(image, mask, "random", 1.0, grid=(4, 8), rng=np.random.default_rng(0))
    assert (after[:28, :40] == 0).all()
    np.testing.assert_array_equal(after[28:], image[28:])
    np.testing.assert_array_equal(after[:, 40:], image[:, 40:])


@given(rows=st.integers(1, 5), columns=st.integers(1, 7), seed=st.integers(0, 2**32))
def test_shuffling_moves_whole_cells_of_image_and_mask_alike(rows, columns, seed):
    image, _ = picture()
    mask = np.arange(30 * 42).reshape(30, 42)  # each pixel known by name
    shuffled, names = shuffle_grid(image, mask, (rows, columns), np.random.default_rng(seed))
    # The mask tells where each pixel came from: the image must agree, and no pixel come twice.
    np.testing.assert_array_equal(shuffled, image.reshape(-1, 3)[names])
    assert np.array_equal(np.sort(names, axis=None), np.arange(30 * 42))
    height, width = 30 // rows, 42 // columns
    for r in range(rows):
        for c in range(columns):
            cell = names[r * height : (r + 1) * height, c * width : (c + 1) * width]
            top, left = divmod(int(cell[0, 0]), 42)
            assert top % height == left % width == 0
            np.testing.assert_array_equal(cell, mask[top : top + height, left : left + width])
    np.testing.assert_array_equal(names[rows * height :], mask[rows * height :])
    np.testing.assert_array_equal(names[:, columns * width :], mask[:, columns * width :])


def test_all_orders_of_four_cells_occur():
    image, mask = np.zeros((2, 2, 3), np.uint8), np.arange(4).reshape(2, 2)
    seen = {
        tuple(shuffle_grid(image, mask, 2, np.random.default_rng(seed))[1].ravel().tolist())
        for seed in range(400)
    }
    assert len(seen) == 24


def test_names_in_the_paper_s_list():
    assert len(ALL_CONDITIONS) == len(set(ALL_CONDITIONS)) == 17
    assert DEFAULT_CONDITIONS == (
        "clean", "shuffle-2", "shuffle-8", "random-0.4", "salient-0.4", "non-salient-1.0",
    )  # fmt: skip
    assert set(DEFAULT_CONDITIONS) < set(ALL_CONDITIONS)
    for name in ALL_CONDITIONS:
        assert parse_condition(name).name == name


@pytest.mark.parametrize(
    ("name", "kind", "amount"),
    [
        ("clean", "clean", 0),
        ("shuffle-14", "shuffle", 14),
        ("random-0.35", "random", 0.35),
        ("salient-1", "salient", 1.0),
        ("non-salient-0.05", "non-salient", 0.05),
        ("noise-.5", "noise", 0.5),
    ],
)
def test_names_are_read(name, kind, amount):
    condition = parse_condition(name)
    assert (condition.kind, condition.amount) == (kind, amount)


@pytest.mark.parametrize(
    "name",
    [
        *("", "Clean", " clean", "shuffle", "shuffle-1", "shuffle-2x2", "shuffle-2.0", "shuffle--2"),
        *("random-0", "random-1.1", "random--0.4", "random-nan", "random-1e-1", "random-0.4\n"),
        *("blur-0.4", "salient 0.4", "noise-"),
    ],
)
def test_unknown_names_are_refused_with_the_known(name):
    with pytest.raises(ArgumentError, match="condition") as caught:
        parse_condition(name)
    assert all(known in str(caught.value) for known in ALL_CONDITIONS)
    image, mask = picture()
    with pytest.raises(ArgumentError, match="condition"):
        apply_condition(name, image, mask, grid=(5, 7), seed=0, name="a")


def digest(seed: int, name: str, condition: str) -> str:
    image, mask = picture()
    before = image.copy(), mask.copy()
    after = apply_condition(condition, image, mask, grid=(5, 7), seed=seed, name=name)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(mask, before[1])
    assert not any(np.shares_memory(a, b) for a, b in zip(after, (image, mask), strict=True))
    return hashlib.sha256(b"".join(array.tobytes() for array in after)).hexdigest()


def test_the_drawing_depends_on_seed_image_and_condition_alone():
    base = digest(0, "a", "random-0.4")
    assert base == digest(0, "a", "random-0.4") == digest(0, "a", "random-0.40")
    # 0.41 drops as many patches as 0.4, but others.
    others = {digest(1, "a", "random-0.4"), digest(0, "b", "random-0.4"), digest(0, "a", "random-0.41")}
    assert len(others | {base}) == 4


def test_clean_changes_nothing():
    image, mask = picture()
    after, left = apply_condition("clean", image, mask, grid=(5, 7), seed=0, name="a")
    assert not np.shares_memory(after, image)
    assert not np.shares_memory(left, mask)
    np.testing.assert_array_equal(after, image)
    np.testing.assert_array_equal(left, mask)


def test_the_drawing_is_the_same_in_another_process():
    program = (
        "import numpy as np, hashlib\n"
        "from attnclust.data import apply_condition\n"
        "image = np.arange(1, 30 * 42 * 3 + 1).astype(np.uint8).reshape(30, 42, 3)\n"
        "mask = np.zeros((30, 42), int)\n"
        "a = apply_condition('noise-1.0', image, mask, grid=(5, 7), seed=3, name='2007_1')\n"
        "b = apply_condition('shuffle-2', image, mask, grid=(5, 7), seed=3, name='2007_1')\n"
        "print(hashlib.sha256(a[0].tobytes() + b[0].tobytes()).hexdigest())"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


def test_a_shuffle_is_the_same_for_models_of_other_grids():
    image, mask = picture()
    one = apply_condition("shuffle-2", image, mask, grid=(5, 7), seed=0, name="a")
    other = apply_condition("shuffle-2", image, mask, grid=(10, 14), seed=0, name="a")
    np.testing.assert_array_equal(one[0], other[0])


def test_wrong_arguments_are_refused():
    image, mask = picture()
    rng = np.random.default_rng(0)
    with pytest.raises(ArgumentError, match="random, salient, non-salient, noise"):
        occlude(image, mask, "blur", 0.4, grid=5, rng=rng)
    for ratio in (0, -0.1, 1.2, float("nan")):
        with pytest.raises(ArgumentError, match="ratio"):
            occlude(image, mask, "random", ratio, grid=5, rng=rng)
    with pytest.raises(ArgumentTypeError, match="8-bit"):
        occlude(image / 255, mask, "random", 0.4, grid=5, rng=rng)
    with pytest.raises(ArgumentError, match=r"\(height, width, 3\)"):
        shuffle_grid(image[..., 0], mask, 2, rng)
    with pytest.raises(ArgumentError, match="as high and wide"):
        shuffle_grid(image, mask.T, 2, rng)
    with pytest.raises(ArgumentError, match="31 x 31 cells"):
        shuffle_grid(image, mask, 31, rng)

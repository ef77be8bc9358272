"""Squashing, patch labels and the selection rule, against sums by hand and a slow independent count."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.data import (
    TOO_FEW_OBJECTS,
    TOO_FEW_PATCHES,
    LabelledImage,
    VOCObjects,
    contested_patches,
    patch_coverage,
    patch_labels,
    select_objects,
    squash,
)


def filled(shape: tuple[int, int], **rectangles: tuple[int, int, int, int, int]) -> np.ndarray:
    """Rectangles name=(value, top, left, height, width) on background."""
    mask = np.zeros(shape, np.uint8)
    for value, top, left, height, width in rectangles.values():
        mask[top : top + height, left : left + width] = value
    return mask


def slow_label(cell: np.ndarray, overlap: Fraction) -> tuple[int, bool]:
    """A patch's object and whether it is contested, in exact arithmetic, pixel by pixel."""
    pixels = [int(value) for row in cell for value in row]
    shares = {i: Fraction(pixels.count(i), len(pixels)) for i in range(1, 201) if i in pixels}
    able = [i for i in sorted(shares) if shares[i] >= overlap]
    best = max((shares[i] for i in able), default=Fraction(0))
    return next((i for i in able if shares[i] == best), 0), len(able) > 1


@given(
    mask=hnp.arrays(
        np.uint8,
        st.tuples(st.integers(3, 13), st.integers(5, 17)),
        elements=st.sampled_from([0, 1, 2, 7, 255]),
    ),
    rows=st.integers(1, 3),
    columns=st.integers(1, 5),
    tenths=st.integers(1, 10),
)
def test_labels_agree_with_a_slow_exact_count(mask, rows, columns, tenths):
    height, width = mask.shape[0] // rows, mask.shape[1] // columns
    expected = [
        slow_label(mask[r * height : (r + 1) * height, c * width : (c + 1) * width], Fraction(tenths, 10))
        for r in range(rows)
        for c in range(columns)
    ]
    labels = patch_labels(mask, grid=(rows, columns), overlap=tenths / 10)
    contested = contested_patches(mask, grid=(rows, columns), overlap=tenths / 10)
    assert list(zip(labels.tolist(), contested.tolist(), strict=True)) == expected


def test_exactly_forty_per_cent_is_enough():
    # Cells of 5 x 5 pixels: 10 are 40 %.
    mask = filled((5, 15), ten=(1, 0, 0, 2, 5), nine=(1, 0, 5, 3, 3), eleven=(1, 0, 10, 3, 4))
    mask[2, 13] = 0
    assert (mask[:, :5].sum(), mask[:, 5:10].sum(), mask[:, 10:].sum()) == (10, 9, 11)
    assert patch_labels(mask, grid=(1, 3)).tolist() == [1, 0, 1]


def test_a_contested_patch_goes_to_the_larger_share_and_the_first_on_a_tie():
    mask = filled(
        (10, 30),
        a=(1, 0, 0, 4, 10), b=(2, 4, 0, 6, 10),  # 40 % and 60 %: object 2
        c=(3, 0, 10, 5, 10), d=(1, 5, 10, 5, 10),  # half and half: the first, 1
        e=(2, 0, 20, 4, 10), f=(1, 4, 20, 3, 10),  # 40 % and 30 %: no contest
    )  # fmt: skip
    assert patch_labels(mask, grid=(1, 3)).tolist() == [2, 1, 2]
    assert contested_patches(mask, grid=(1, 3)).tolist() == [True, True, False]


def test_void_is_background_and_two_hundred_is_not():
    mask = filled((2, 6), void=(201, 0, 0, 2, 2), last=(200, 0, 2, 2, 2), rim=(255, 0, 4, 2, 2))
    assert patch_labels(mask, grid=(1, 3)).tolist() == [0, 200, 0]


def test_grids_need_be_neither_square_nor_divide_the_sides():
    # 7 x 11 pixels in 2 x 5 cells: cells of 3 x 2, row 6 and column 10 left over.
    mask = np.zeros((7, 11), np.uint8)
    mask[6], mask[:, 10] = 3, 3
    mask[3:6, 8:10] = 1
    assert patch_coverage(mask, grid=(2, 5)).shape == (10, 200)
    assert patch_labels(mask, grid=(2, 5)).tolist() == [0] * 9 + [1]


@pytest.mark.parametrize("grid", [0, (3, -1), (2, 2, 2), (2.0, 2)])
def test_wrong_grids_are_refused(grid):
    with pytest.raises(ArgumentError, match="grid"):
        patch_labels(np.zeros((8, 8), int), grid=grid)


def test_wrong_masks_are_refused():
    with pytest.raises(ArgumentTypeError, match="integers"):
        patch_labels(np.zeros((8, 8)), grid=2)
    with pytest.raises(ArgumentError, match="shape"):
        patch_labels(np.zeros((8, 8, 3), int), grid=2)
    with pytest.raises(ArgumentError, match=r"-1\.\.0"):
        patch_labels(np.array([[-1, 0]]), grid=1)
    with pytest.raises(ArgumentError, match=r"0\.\.256"):
        patch_labels(np.array([[256, 0]]), grid=1)
    with pytest.raises(ArgumentError, match=r"9 x 9 cells on \(8, 8\) pixels"):
        patch_labels(np.zeros((8, 8), int), grid=9)
    for overlap in (0, 1.01, float("nan")):
        with pytest.raises(ArgumentError, match="overlap"):
            patch_labels(np.zeros((8, 8), int), grid=2, overlap=overlap)


def test_squashing_is_bicubic_for_pixels_and_nearest_for_masks():
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (31, 47, 3), dtype=np.uint8)
    mask = rng.choice(np.array([0, 1, 7, 255], np.uint8), (31, 47))
    squashed = squash(LabelledImage("a", image, mask, ("x",) * 7), (29, 37))
    assert (squashed.name, squashed.classes) == ("a", ("x",) * 7)
    assert squashed.image.shape == (29, 37, 3)
    bicubic = np.asarray(Image.fromarray(image).resize((37, 29), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(squashed.image, bicubic)
    # Nearest: the pixel that holds the centre of the new one.
    rows = ((np.arange(29) + 0.5) * 31 / 29).astype(int)
    columns = ((np.arange(37) + 0.5) * 47 / 37).astype(int)
    np.testing.assert_array_equal(squashed.instances, mask[rows][:, columns])
    assert squash(LabelledImage("a", image, mask, ()), 17).instances.shape == (17, 17)


def test_an_object_counts_above_the_limit_not_at_it():
    # 0.14 of 100 pixels is 14: 196 pixels are too few, 197 are enough.
    mask = filled((100, 100), a=(1, 0, 0, 14, 14), b=(2, 50, 50, 40, 40))
    assert select_objects(mask, ("cat", "dog"), grid=20).reason == TOO_FEW_OBJECTS
    mask[14, 0] = 1
    assert select_objects(mask, ("cat", "dog"), grid=20).reason is None


def test_the_paper_s_limit_is_983_pixels():
    for area, reason in ((983, TOO_FEW_OBJECTS), (984, None)):
        mask = filled((224, 224), big=(2, 100, 100, 100, 100))
        block = np.zeros(41 * 24, np.uint8)
        block[:area] = 1
        mask[:41, :24] = block.reshape(41, 24)
        assert (mask == 1).sum() == area
        assert select_objects(mask, ("cat", "dog"), grid=14).reason == reason


def test_selection_gives_patches_and_names_of_the_objects_that_count():
    # 4 x 4 cells of 10 x 10 pixels; object 1 is small, 2 and 3 count.
    mask = filled((40, 40), a=(1, 0, 30, 5, 5), b=(2, 0, 0, 20, 20), c=(3, 20, 10, 20, 30))
    found = select_objects(mask, ("cup", "cat", "sofa"), grid=4)
    assert found.reason is None
    assert {i: patches.tolist() for i, patches in found.objects.items()} == {
        2: [0, 1, 4, 5],
        3: [9, 10, 11, 13, 14, 15],
    }
    assert found.class_names == {2: "cat", 3: "sofa"}
    assert found.contested == 0


def test_an_object_that_does_not_count_claims_no_patch():
    # In the first cell the small object 1 covers 56 %, the counted object 2 covers 44 %.
    mask = filled((40, 40), b=(2, 0, 0, 40, 10), c=(3, 0, 20, 40, 20))
    mask[:5, :10], mask[5, :6] = 1, 1
    assert (mask == 1).sum() == 56
    assert select_objects(mask, ("cup", "cat", "sofa"), grid=4).reason == TOO_FEW_PATCHES
    found = select_objects(mask, ("cup", "cat", "sofa"), grid=4, side=0.2)
    assert found.objects[2].tolist() == [0, 4, 8, 12]
    assert found.contested == 0


def test_contests_are_counted():
    mask = filled((40, 40), b=(1, 0, 0, 20, 40), c=(2, 20, 0, 20, 40))
    mask[20:25, :] = 1  # the third row of cells is half 1, half 2
    found = select_objects(mask, ("cat", "dog"), grid=4)
    assert found.contested == 4
    assert found.objects[1].tolist() == list(range(12))
    assert found.objects[2].tolist() == list(range(12, 16))


def test_an_object_with_two_patches_puts_the_image_out():
    mask = filled((40, 40), b=(1, 0, 0, 10, 20), c=(2, 20, 0, 20, 40))
    found = select_objects(mask, ("cat", "dog"), grid=4)
    assert found.reason == TOO_FEW_PATCHES
    assert found.objects == {}
    assert select_objects(mask, ("cat", "dog"), grid=4, min_patches=2).reason is None


def test_void_only_or_one_object_only_is_out():
    assert select_objects(np.full((40, 40), 255), (), grid=4).reason == TOO_FEW_OBJECTS
    assert select_objects(np.full((40, 40), 1), ("cat",), grid=4).reason == TOO_FEW_OBJECTS


def test_an_object_without_a_class_is_refused():
    with pytest.raises(ArgumentError, match="2 classes for object 3"):
        select_objects(np.full((40, 40), 3), ("cat", "dog"), grid=4)


def test_selection_depends_on_fractions_not_on_the_size():
    mask = filled((56, 56), a=(1, 0, 0, 16, 16), b=(2, 24, 24, 20, 28))
    small = select_objects(mask, ("cat", "dog"), grid=14)
    large = select_objects(mask.repeat(4, 0).repeat(4, 1), ("cat", "dog"), grid=14)
    assert small.reason is large.reason is None
    for i in (1, 2):
        np.testing.assert_array_equal(small.objects[i], large.objects[i])


def test_twenty_one_of_the_real_images_pass(real_data):
    samples = [squash(sample, 224) for sample in VOCObjects(real_data / "VOCdevkit")]
    found = [select_objects(sample.instances, sample.classes, grid=14) for sample in samples]
    reasons = [selection.reason for selection in found]
    assert len(reasons) == 44
    assert reasons.count(None) == 21
    for sample, selection in zip(samples, found, strict=True):
        for i, patches in selection.objects.items():
            assert patches.size >= 3
            assert (sample.instances == i).sum() > 983.4496
            assert selection.class_names[i] == sample.classes[i - 1]

"""What the embedded scenes show: named shapes and textures, occlusion, light, masks true to the pixel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import ConvexHull

from attnclust.data import LabelledImage, make_scenes
from attnclust.data.scenes import CLASSES

CONVEX = ("disc", "square", "triangle")


@pytest.fixture(scope="module")
def scenes() -> list[LabelledImage]:
    return list(make_scenes(300, seed=17))


def _solidity(mask: np.ndarray) -> float:
    """Area over the area of the convex hull: the mean of the hulls of pixel corners and of pixel centres."""
    centres = np.argwhere(mask)
    corners = np.concatenate([centres + np.array([dy, dx]) for dy in (-0.5, 0.5) for dx in (-0.5, 0.5)])
    return 2 * mask.sum() / (ConvexHull(corners).volume + ConvexHull(centres).volume)


def test_later_objects_hide_parts_of_earlier_ones(scenes: list[LabelledImage]) -> None:
    """Only a neighbour in front can dent a convex shape: so the front object has no dent, and others do."""
    front, behind = [], []
    for scene in scenes:
        for number, name in enumerate(scene.classes, start=1):
            if name.split()[1] in CONVEX:
                solidity = _solidity(scene.instances == number)
                (front if number == len(scene.classes) else behind).append(solidity)
    assert min(front) > 0.96
    assert np.mean(np.array(behind) < 0.95) > 0.15


def test_shapes_are_what_their_names_say(scenes: list[LabelledImage]) -> None:
    """Area over the hull's area, of undisturbed shapes: 1 for convex ones; a cross (arms of 0.36) and a star
    (two triangles) by hand: 2.3616 over 4 minus four corner triangles of 0.64**2 / 2; and 4 / 6.
    """
    expected = {"cross": 2.3616 / (4 - 2 * 0.64**2), "star": 2 / 3}
    solidity = defaultdict(list)
    fill = defaultdict(list)
    for scene in scenes:
        mask = scene.instances == len(scene.classes)
        border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        if not border.any():
            shape = scene.classes[-1].split()[1]
            solidity[shape].append(_solidity(mask))
            centred = np.argwhere(mask) - np.argwhere(mask).mean(0)
            fill[shape].append(mask.sum() / np.sqrt(np.linalg.det(np.cov(centred.T))))
    for shape, values in solidity.items():
        assert np.allclose(values, expected.get(shape, 1.0), atol=0.03), shape
    # Area over the root of the determinant of the covariance, which no stretch or turn changes: 4 pi for an
    # ellipse, 12 for a parallelogram, 6 sqrt(3) for a triangle.
    for shape, ratio in {"disc": 4 * np.pi, "square": 12.0, "triangle": 6 * 3**0.5}.items():
        assert np.allclose(fill[shape], ratio, rtol=0.004), shape
    assert len(solidity) == 5


def _surfaces(scene: LabelledImage) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The class of each object with enough pixels deep inside, these pixels, and the picture in grey."""
    grey = scene.image @ np.array([0.3, 0.6, 0.1])
    for number, name in enumerate(scene.classes, start=1):
        deep = ndimage.binary_erosion(scene.instances == number, iterations=6)
        if deep.sum() > 400:
            yield name, deep, grey


def test_textures_are_what_their_names_say(scenes: list[LabelledImage]) -> None:
    """Gradients as complex numbers g: |sum g^2| / sum |g|^2 is 1 if all lie on one line, and 0 for two lines
    at right angles, for which |sum g^4| / sum |g|^4 is 1; both are 0 for round dots.
    """
    found = defaultdict(list)
    for scene in scenes:
        for name, deep, grey in _surfaces(scene):
            smooth = ndimage.gaussian_filter(grey, 1)
            g = (np.gradient(smooth, axis=1) + 1j * np.gradient(smooth, axis=0))[deep]
            lines, crosses = (abs((g**k).sum()) / (np.abs(g) ** k).sum() for k in (2, 4))
            found[name.split()[0]].append((lines, crosses, np.abs(g).mean()))
    lines, crosses, steepness = (
        {texture: np.median(np.array(values)[:, k]) for texture, values in found.items()} for k in range(3)
    )
    assert len(found) == 5
    assert lines["striped"] > 0.9
    assert max(lines["checked"], lines["dotted"]) < 0.2 < lines["marbled"] < 0.5
    assert crosses["checked"] > 0.8
    assert crosses["dotted"] < 0.15 < crosses["marbled"] < 0.5
    assert steepness.pop("plain") < 2 < 4 < min(steepness.values())


def test_one_light_falls_on_all_objects_of_a_scene(scenes: list[LabelledImage]) -> None:
    """Planes fitted to the brightness of plain objects rise in about the same direction, and from scene to
    scene in all directions.
    """
    towards, agreement = [], []
    for scene in scenes:
        slopes = []
        for name, deep, grey in _surfaces(scene):
            if name.startswith("plain"):
                y, x = np.nonzero(deep)
                plane = np.stack([x, y, np.ones(len(x))], axis=1)
                slope = np.linalg.lstsq(plane, grey[deep], rcond=None)[0][:2]
                slopes.append(slope / np.linalg.norm(slope))
        towards += slopes
        agreement += [a @ b for a, b in combinations(slopes, 2)]
    assert len(agreement) > 20
    assert np.mean(agreement) > 0.7
    assert np.linalg.norm(np.mean(towards, axis=0)) < 0.3


def _steps(scene: LabelledImage, shift: tuple[int, int]) -> float:
    """The mean difference of neighbouring pixels on the two sides of a mask border, the mask moved."""
    mask = np.roll(scene.instances, shift, axis=(0, 1))
    picture = scene.image.astype(float)
    total, count = 0.0, 0
    for axis in (0, 1):
        difference = np.abs(np.diff(picture, axis=axis)).sum(-1)
        edge = np.diff(mask.astype(int), axis=axis) != 0
        total += difference[edge].sum()
        count += int(edge.sum())
    return total / count


def test_masks_fit_the_pictures_to_the_pixel(scenes: list[LabelledImage]) -> None:
    shifts = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    steps = {shift: np.mean([_steps(scene, shift) for scene in scenes[:40]]) for shift in shifts}
    best = steps.pop((0, 0))
    assert best > 1.4 * max(steps.values())


def test_edges_are_soft_and_short(scenes: list[LabelledImage]) -> None:
    """Across a border the step between the two nearest pixels is a good part of the whole, not all of it."""
    near, far = [], []
    for scene in scenes[:60]:
        picture, mask = scene.image.astype(float).sum(-1), scene.instances
        for number, name in enumerate(scene.classes, start=1):
            if name.startswith("plain"):
                inside = mask == number
                out = mask == 0
                # Rows where two pixels of the object are followed by two of the background.
                edge = inside[:, :-3] & inside[:, 1:-2] & out[:, 2:-1] & out[:, 3:]
                near.append(np.abs(picture[:, 1:-2] - picture[:, 2:-1])[edge])
                far.append(np.abs(picture[:, :-3] - picture[:, 3:])[edge])
    share = np.concatenate(near).mean() / np.concatenate(far).mean()
    assert 0.4 < share < 0.85


def test_colour_does_not_tell_the_class(scenes: list[LabelledImage]) -> None:
    """The nearest mean colour of a class, learned on one half, is right on the other hardly beyond chance."""
    objects = [(scene, i) for scene in scenes for i in range(len(scene.classes))]
    x = np.array([scene.image[scene.instances == i + 1].mean(0) for scene, i in objects])
    y = np.array([CLASSES.index(scene.classes[i]) for scene, i in objects])
    half = len(y) // 2
    means = np.stack([x[:half][y[:half] == c].mean(0) for c in range(len(CLASSES))])
    guess = ((x[half:, None] - means) ** 2).sum(-1).argmin(1)
    assert np.mean(guess == y[half:]) < 0.12


def test_light_varies_and_colours_fill_the_range(scenes: list[LabelledImage]) -> None:
    brightness = np.array([scene.image.mean() for scene in scenes])
    assert brightness.std() > 15
    levels = np.bincount(np.concatenate([scene.image.ravel() for scene in scenes[:20]]), minlength=256)
    assert (levels > 0).all()
    assert levels[[0, 255]].sum() < 0.1 * levels.sum()


def test_backgrounds_are_cluttered(scenes: list[LabelledImage]) -> None:
    """Away from all objects, most backgrounds hold sharp edges of their own."""
    rough = []
    for scene in scenes[:60]:
        free = np.logical_not(ndimage.binary_dilation(scene.instances > 0, iterations=20))[:, 1:]
        rough.append((np.abs(np.diff(scene.image.astype(float).mean(-1), axis=1)) > 20)[free].mean())
    assert np.median(rough) > 0.005

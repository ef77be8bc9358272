"""From one scene's draws to its picture and mask."""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import Any

import numpy as np

from attnclust.data.sample import LabelledImage
from attnclust.data.scenes.draws import Dice, pixel_grid
from attnclust.data.scenes.shapes import SHAPES, Placed, Shape, place
from attnclust.data.scenes.textures import BACKGROUND_TEXTURES, OBJECT_TEXTURES, ObjectTexture

# Every class by its name: its outline and its texture.
KINDS: dict[str, tuple[Shape, ObjectTexture]] = {
    f"{texture} {shape}": (SHAPES[shape], OBJECT_TEXTURES[texture])
    for shape in SHAPES
    for texture in OBJECT_TEXTURES
}
CLASSES: tuple[str, ...] = tuple(KINDS)

Colour = tuple[float, float, float]

_VISIBLE = (0.06, 0.25)  # visible share of the scene that every object keeps
_KEEP = 0.6  # share of an object that stays in sight
# Share of the scene an object covers before occlusion, by the number of objects.
_AREA: dict[int, tuple[float, float]] = {2: (0.09, 0.245), 3: (0.08, 0.19), 4: (0.072, 0.14)}
_TRIES = 10  # random places tried for an object before the next one is placed
# In pixels of a scene of 224: how far a shadow is moved; and what it needs around the object, blurred.
_SHADOW = 8.0
_MARGIN = 17


def render(seed: int, index: int, size: int) -> LabelledImage:
    """Scene ``index`` of ``seed``, bit for bit the same wherever and whenever it is made."""
    # Three words of 32 bits: seeds of one word and of two never meet.
    dice = Dice((seed % 2**32, index, seed // 2**32))
    classes = _draw_classes(dice)
    objects, mask = _lay_out(dice, classes, size)
    light = dice.direction()
    picture, ground = _background(dice, size, light)
    _clutter(dice, picture, size)
    taken = [ground]
    for name, placed in zip(classes, objects, strict=True):
        main = _distinct_colour(dice, taken)
        taken.append(main)
        _paint(dice, picture, placed, KINDS[name][1], main, light)
    return LabelledImage(f"scene-{seed}-{index:06d}", _develop(dice, picture), mask, classes)


def _develop(dice: Dice, picture: Any) -> Any:
    """Tint and grain, as a camera adds them; then bytes, with the channels last."""
    for channel in range(3):
        picture[channel] *= np.float32(dice.uniform(0.88, 1.08))
    picture *= np.float32(255)
    strength = dice.uniform(2.0, 10.0)
    # Half is added so that cutting off the fraction rounds.
    picture += dice.bytes(picture.shape) * np.float32(strength / 255) + np.float32(0.5 - strength / 2)
    np.clip(picture, 0, 255, out=picture)
    return np.ascontiguousarray(picture.astype(np.uint8).transpose(1, 2, 0))


def _draw_classes(dice: Dice) -> tuple[str, ...]:
    """The classes of 2 to 4 objects, from back to front; now and then two objects share one."""
    classes: list[str] = []
    for _ in range(2 + dice.integer(3)):
        again = bool(classes) and dice.chance(0.15)
        classes.append(dice.choice(classes if again else CLASSES))
    return tuple(classes)


def _lay_out(dice: Dice, classes: tuple[str, ...], size: int) -> tuple[list[Placed], np.ndarray]:
    """Place the objects so that each keeps its share of the scene in sight; try again until they do."""
    low, high = (share * size * size for share in _VISIBLE)
    areas = _AREA[len(classes)]
    while True:
        objects: list[Placed] = []
        for name in classes:
            shape, _ = KINDS[name]
            area = dice.uniform(*areas) * size * size
            stretch = dice.uniform(0.85, 1.18)
            scatter = partial(
                place,
                dice,
                shape,
                area=area,
                stretch=stretch,
                size=size,
                inset=0.75,
                margin=_MARGIN * size // 224,
            )
            new, tries = scatter(), 1
            while tries < _TRIES and not all(_apart(new, old) for old in objects):
                new, tries = scatter(), tries + 1
            objects.append(new)
        mask = np.zeros((size, size), dtype=np.uint8)
        full = []
        for number, placed in enumerate(objects, start=1):
            inside = placed.inside
            full.append(int(np.count_nonzero(inside)))
            mask[placed.box][inside] = number
        seen = np.bincount(mask.ravel(), minlength=len(objects) + 1)[1:].tolist()
        if all(low <= s <= high and s >= _KEEP * f for s, f in zip(seen, full, strict=True)):
            return objects, mask


def _apart(a: Placed, b: Placed) -> bool:
    """Whether two objects overlap by little enough that both are likely to stay in sight."""
    dy, dx = a.centre[0] - b.centre[0], a.centre[1] - b.centre[1]
    between = 0.8 * (sqrt(a.shape.area) * a.scale + sqrt(b.shape.area) * b.scale) / 1.7724538509055159
    return dy * dy + dx * dx >= between * between


def _distinct_colour(dice: Dice, taken: list[Colour]) -> Colour:
    """Of a few random colours, the one that differs most from the nearest of those taken."""
    offers = [dice.colour((0.2, 1.0), (0.25, 1.0)) for _ in range(4)]
    return max(offers, key=lambda offer: min(_difference(offer, other) for other in taken))


def _difference(a: Colour, b: Colour) -> float:
    """The sum of the channels' differences (by hand: Python's sum rounds differently from 3.12 on)."""
    return abs(a[0] - b[0]) + abs(a[1] - b[1]) + abs(a[2] - b[2])


def _background(dice: Dice, size: int, light: tuple[float, float]) -> tuple[Any, Colour]:
    """A lit ground: a gradient of two colours, a texture in a third; and the colour in its middle."""
    y, x = pixel_grid(size)
    first = dice.colour((0.05, 0.6), (0.2, 0.9))
    second = _jitter(dice, first, 0.25)
    third = dice.colour((0.05, 0.6), (0.15, 0.95)) if dice.chance(0.6) else _jitter(dice, first, 0.4)
    cosine, sine = dice.direction()
    along = (cosine * (x - size / 2) + sine * (y - size / 2)) * np.float32(0.7 / size) + np.float32(0.5)
    slope = np.clip(along * 0.6 + dice.noise("coarse", size, (size, size)) * 0.4, 0, 1)
    texture, periods, kind = dice.choice(BACKGROUND_TEXTURES)
    period = dice.uniform(*periods) * size / 224
    cosine, sine = dice.direction()
    noise = dice.noise(kind, size, (size, size))
    bend = noise * (dice.uniform(0.0, 14.0) * (size / 224))
    cover = texture(cosine * x + sine * y + bend, cosine * y - sine * x + bend, period, noise)
    cover = cover * np.float32(dice.uniform(0.35, 0.9))
    gain = dice.uniform(0.05, 0.35) / size
    shade = (light[0] * gain) * (x - size / 2) + (light[1] * gain) * (y - size / 2) + dice.uniform(0.85, 1.1)
    shade = shade * (dice.noise("fine", size, (size, size)) * 0.16 + 0.92)
    picture = np.empty((3, size, size), dtype=np.float32)
    for channel in range(3):
        plane = picture[channel]
        np.multiply(slope, np.float32(second[channel] - first[channel]), out=plane)
        plane += np.float32(first[channel])
        plane += cover * (np.float32(third[channel]) - plane)
        plane *= shade
    middle = tuple(0.35 * a + 0.35 * b + 0.3 * c for a, b, c in zip(first, second, third, strict=True))
    return picture, (middle[0], middle[1], middle[2])


def _jitter(dice: Dice, colour: Colour, width: float) -> Colour:
    """The colour moved a little in each channel and in brightness."""
    step = dice.uniform(-width, width)
    red, green, blue = (min(max(c + step + dice.uniform(-0.3, 0.3) * width, 0.0), 1.0) for c in colour)
    return red, green, blue


def _clutter(dice: Dice, picture: Any, size: int) -> None:
    """Scatter small shapes that are no objects."""
    for _ in range(8 + dice.integer(15)):
        shape = SHAPES[dice.choice(tuple(SHAPES))]
        side = dice.uniform(5.0, 24.0) * size / 224
        placed = place(
            dice, shape, area=side * side, stretch=dice.uniform(0.5, 2.0), size=size, inset=0.0, margin=2
        )
        alpha = np.clip(placed.depth + 0.5, 0, 1) * dice.uniform(0.5, 1.0)
        colour = dice.colour((0.0, 0.8), (0.15, 0.95))
        window = picture[(slice(None), *placed.box)]
        for channel in range(3):
            window[channel] += alpha * (np.float32(colour[channel]) - window[channel])


def _paint(
    dice: Dice, picture: Any, placed: Placed, texture: ObjectTexture, main: Colour, light: tuple[float, float]
) -> None:
    """Put one object, with its shadow, on the picture."""
    size = placed.size
    unit = size / 224
    box, depth = placed.box, placed.depth
    window = picture[(slice(None), *box)]
    # The shadow falls away from the light: the object's outline, moved and blurred.
    down, right = (int(-c * dice.uniform(3.0, _SHADOW) * unit) for c in (light[1], light[0]))
    shadow = (
        np.clip(depth * np.float32(0.09 / unit) + np.float32(0.6), 0, 1) * np.float32(-dice.uniform(0.2, 0.5))
        + 1
    )
    rows, columns = depth.shape
    target = slice(max(down, 0), rows + min(down, 0)), slice(max(right, 0), columns + min(right, 0))
    source = slice(max(-down, 0), rows - max(down, 0)), slice(max(-right, 0), columns - max(right, 0))
    window[(slice(None), *target)] *= shadow[source]
    # Its surface: two colours by the texture, mottled, brighter towards the light and darker at the rim.
    second = _second_colour(dice, main)
    pattern, periods = texture
    noise = dice.noise("medium", size, depth.shape)
    cover = pattern(*placed.local, dice.uniform(*periods) * unit, noise)
    y, x = pixel_grid(size)
    tilt = dice.uniform(0.2, 0.65) / placed.radius
    shade = (light[0] * tilt) * (x[:, box[1]] - placed.centre[1]) + (light[1] * tilt) * (
        y[box[0]] - placed.centre[0]
    )
    rim = np.clip(depth * np.float32(1 / (16 * unit)), 0, 1) * np.float32(0.25)
    shade = shade + rim + noise * np.float32(0.2) + np.float32(dice.uniform(0.6, 0.75))
    alpha = np.clip(depth * np.float32(dice.uniform(0.55, 1.0)) + 0.5, 0, 1)
    for channel in range(3):
        surface = (cover * np.float32(second[channel] - main[channel]) + np.float32(main[channel])) * shade
        window[channel] += alpha * (surface - window[channel])


def _second_colour(dice: Dice, main: Colour) -> Colour:
    """The texture's other colour: mostly a darker or lighter tone of the first, sometimes any."""
    kind = dice.integer(7)
    amount = dice.uniform(0.4, 0.75)
    if kind < 2:
        return main[0] * amount, main[1] * amount, main[2] * amount
    if kind < 4:
        red, green, blue = (c + (1 - c) * amount for c in main)
        return red, green, blue
    return _distinct_colour(dice, [main])

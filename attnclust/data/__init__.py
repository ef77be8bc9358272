"""Labelled images: Pascal VOC folders, which patch belongs to which object, the conditions of a study."""

from .conditions import (
    ALL_CONDITIONS,
    DEFAULT_CONDITIONS,
    Condition,
    apply_condition,
    occlude,
    parse_condition,
    salient_patches,
    shuffle_grid,
)
from .patches import (
    TOO_FEW_OBJECTS,
    TOO_FEW_PATCHES,
    Selection,
    contested_patches,
    patch_coverage,
    patch_labels,
    select_objects,
    squash,
)
from .photo import mosaic, open_photo
from .sample import LabelledImage, UnreadableImageError
from .scenes import SceneSet, make_scenes
from .voc import VOCObjects
from .write import write_voc

__all__ = [
    "ALL_CONDITIONS",
    "DEFAULT_CONDITIONS",
    "TOO_FEW_OBJECTS",
    "TOO_FEW_PATCHES",
    "Condition",
    "LabelledImage",
    "SceneSet",
    "Selection",
    "UnreadableImageError",
    "VOCObjects",
    "apply_condition",
    "contested_patches",
    "make_scenes",
    "mosaic",
    "occlude",
    "open_photo",
    "parse_condition",
    "patch_coverage",
    "patch_labels",
    "salient_patches",
    "select_objects",
    "shuffle_grid",
    "squash",
    "write_voc",
]

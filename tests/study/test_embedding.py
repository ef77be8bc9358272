"""The t-SNE pictures: what is embedded, how patches are labelled, and that the same study draws the same."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.manifold import TSNE, trustworthiness

from attnclust.data import LabelledImage, make_scenes
from attnclust.models import open_model
from attnclust.records import read_table
from attnclust.study.embedding import ITERATIONS, embed, embedding_rows, shown_levels
from attnclust.study.measure import Subject
from attnclust.study.prepare import views_of
from tests.study.conftest import SMALL

GRID = (10, 10)  # of the small model


@pytest.fixture(scope="module")
def subject() -> Subject:
    return Subject("model", open_model(SMALL, random_weights=True, seed=0), torch.device("cpu"))


def scene_views(subject: Subject, count: int, conditions: tuple[str, ...] = ()) -> list:
    scenes = [make_scenes(12, seed=0)[index] for index in range(count)]
    return [
        view
        for scene in scenes
        for view in views_of(scene, conditions, size=subject.loaded.size, grid=GRID, seed=0)
    ]


def test_tokens_that_lie_together_are_drawn_together():
    rng = np.random.default_rng(1)
    centres = rng.normal(0, 8, (3, 20))
    tokens = (centres.repeat(30, 0) + rng.normal(size=(90, 20))).astype(np.float32)
    points, perplexity, divergence = embed(tokens, seed=3)
    assert (perplexity, points.shape) == (pytest.approx(89 / 3), (90, 2))
    assert 0 < divergence < 2
    assert trustworthiness(tokens, points, n_neighbors=10) > 0.85
    labels = np.arange(90) // 30
    nearest = np.square(points[:, None] - points).sum(axis=2) + 1e9 * np.eye(90)
    assert (labels[nearest.argmin(axis=1)] == labels).all()


def test_the_settings_are_those_that_are_told():
    tokens = np.random.default_rng(0).normal(size=(120, 4)).astype(np.float32)
    points, perplexity, divergence = embed(tokens, seed=5)
    theirs = TSNE(perplexity=30, max_iter=1000, init="pca", random_state=5, n_jobs=1)  # pyright: ignore[reportArgumentType]
    expected = theirs.fit_transform(tokens)
    np.testing.assert_allclose(points, expected, rtol=1e-4)
    assert (perplexity, ITERATIONS) == (30, 1000)
    assert divergence == pytest.approx(theirs.kl_divergence_)
    assert np.abs(embed(tokens, seed=5)[0] - points).max() == 0


def test_levels_of_models_of_any_depth():
    assert [shown_levels(blocks) for blocks in (12, 6, 3, 2, 1)] == [
        [1, 7, 12],
        [1, 4, 6],
        [1, 2, 3],
        [1, 2],
        [1],
    ]


def test_patches_are_labelled_by_the_objects_that_count_in_the_clean_image(subject: Subject):
    views = scene_views(subject, 1, ("salient-1.0", "non-salient-1.0"))
    rows = embedding_rows(subject, views, GRID, seed=0)["embedding"]
    clean = views[0].selection
    for picture in ("clean", "non-salient-1.0", "salient-1.0"):
        here = [row for row in rows if row["picture"] == picture and row["level"] == 1]
        assert [row["patch"] for row in here] == list(range(100))
        found = {row["object"] for row in here} - {0}
        assert found == (set() if picture == "salient-1.0" else set(clean.objects))
    labelled = [row for row in rows if row["picture"] == "clean" and row["level"] == 1]
    for identifier, patches in clean.objects.items():
        assert [row["patch"] for row in labelled if row["object"] == identifier] == patches.tolist()


def test_the_mosaic_is_four_images_with_all_their_objects(subject: Subject):
    views = [view for view in scene_views(subject, 8) if view.selection.reason is None]
    assert len(views) >= 4
    rows = embedding_rows(subject, views, GRID, seed=0)
    assert {row["picture"] for row in rows["embedding"]} == {"clean", "mosaic"}
    mosaic = next(row for row in rows["embedding_pictures"] if row["picture"] == "mosaic")
    assert mosaic["image"] == " + ".join(view.image for view in views[:4])
    here = [row for row in rows["embedding"] if row["picture"] == "mosaic" and row["level"] == 1]
    objects = sum(len(view.selection.objects) for view in views[:4])
    assert len({row["name"] for row in here if row["object"]}) == len({row["object"] for row in here} - {0})
    assert max(row["object"] for row in here) <= objects
    # The objects of an image lie in its quarter, and that looks like it.
    ends = np.cumsum([len(view.selection.objects) for view in views[:4]])
    for row in here:
        if row["object"]:
            place = int(np.searchsorted(ends, row["object"]))
            assert (row["patch"] // 50, row["patch"] % 10 // 5) == divmod(place, 2)
    picture = np.asarray(Image.open(io.BytesIO(mosaic["jpeg"])).convert("RGB"), float)
    half = picture.shape[0] // 2
    for place, view in enumerate(views[:4]):
        down, across = divmod(place, 2)
        part = picture[down * half : (down + 1) * half, across * half : (across + 1) * half]
        small = np.asarray(Image.fromarray(view.pixels).resize((half, half), Image.Resampling.BICUBIC), float)
        assert np.abs(part - small).mean() < 12


def test_an_image_with_two_classes_goes_before_others(subject: Subject):
    mask = np.zeros((160, 160), np.uint8)
    mask[:60, :60], mask[80:150, 80:150] = 1, 2
    image = np.zeros((160, 160, 3), np.uint8)
    views = [
        view
        for name, classes in (("twins", ("cat", "cat")), ("pair", ("cat", "dog")))
        for view in views_of(
            LabelledImage(name, image, mask, classes), ("shuffle-2",), size=(160, 160), grid=GRID, seed=0
        )
    ]
    for given, expected in ((views, "pair"), (views[:2], "twins")):
        rows = embedding_rows(subject, given, GRID, seed=0)["embedding_pictures"]
        assert {row["image"] for row in rows} == {expected}
        assert [row["picture"] for row in rows] == ["clean", "shuffle-2"]


def test_three_images_make_no_mosaic(subject: Subject):
    views = [view for view in scene_views(subject, 8) if view.selection.reason is None][:3]
    assert {row["picture"] for row in embedding_rows(subject, views, GRID, seed=0)["embedding"]} == {"clean"}


def test_objects_of_one_class_have_names_of_their_own(subject: Subject):
    image = np.zeros((160, 160, 3), np.uint8)
    mask = np.zeros((160, 160), np.uint8)
    mask[:60, :60], mask[80:150, 80:150], mask[100:, :50] = 1, 2, 3
    views = views_of(
        LabelledImage("a", image, mask, ("cat", "cat", "dog")), (), size=(160, 160), grid=GRID, seed=0
    )
    rows = embedding_rows(subject, views, GRID, seed=0)["embedding"]
    assert {row["name"] for row in rows} == {"cat 1", "cat 2", "dog", "background"}


def test_a_study_keeps_points_attention_and_settings(finished: Path):
    rows = read_table(finished, "embedding").to_pylist()
    assert {row["picture"] for row in rows} == {"clean", "shuffle-2"}
    assert {row["level"] for row in rows} == {1, 4, 6}
    assert {(row["iterations"], row["seed"], row["perplexity"]) for row in rows} == {(ITERATIONS, 0, 30)}
    for picture in ("clean", "shuffle-2"):
        for level in (1, 4, 6):
            here = [row for row in rows if (row["picture"], row["level"]) == (picture, level)]
            assert len(here) == 100
            assert len({row["kl_divergence"] for row in here}) == 1
            assert 0 < sum(row["attention"] for row in here) <= 1

"""Opening models: where weights come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from attnclust._array import ArgumentError
from attnclust.models import STUDENT_NAME, open_model, random_twin
from attnclust.models.loading import weights_digest

SMALL = "test_vit"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    model = open_model(SMALL, random_weights=True, seed=7).model
    file = tmp_path / "small.safetensors"
    save_file(model.state_dict(), file)
    return file


def test_random_weights_follow_the_seed_and_leave_the_global_state_alone():
    state = torch.get_rng_state()
    one, same, other = (open_model(SMALL, random_weights=True, seed=seed) for seed in (1, 1, 2))
    assert one.sha256 == same.sha256 != other.sha256
    assert torch.equal(torch.get_rng_state(), state)


def test_a_checkpoint_gives_exactly_its_weights(checkpoint: Path):
    opened = open_model(SMALL, checkpoint=checkpoint)
    assert opened.weights == "checkpoint"
    assert opened.sha256 == open_model(SMALL, random_weights=True, seed=7).sha256
    assert not opened.model.training


def test_a_torch_state_file_is_read_too(tmp_path: Path):
    model = open_model(SMALL, random_weights=True, seed=3).model
    torch.save(model.state_dict(), tmp_path / "small.pth")
    assert open_model(SMALL, checkpoint=tmp_path / "small.pth").sha256 == weights_digest(model)


def test_one_changed_number_changes_the_digest():
    model = open_model(SMALL, random_weights=True).model
    before = weights_digest(model)
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] += 1e-3
    assert weights_digest(model) != before


def test_preprocessing_is_the_models_own():
    config = timm.get_pretrained_cfg(SMALL)
    assert config is not None
    opened = open_model(SMALL, random_weights=True)
    assert (opened.mean, opened.std) == (tuple(config.mean), tuple(config.std))
    assert opened.size == tuple(config.input_size[1:])


def test_a_name_without_weights_is_refused():
    with pytest.raises(ArgumentError, match=r"--checkpoint FILE, --pretrained .* or --random-weights"):
        open_model(SMALL)


def test_an_unknown_name_is_refused_with_the_nearest_ones():
    with pytest.raises(ArgumentError, match=r"deit_tinny_patch16_224.*Did you mean deit_tiny_patch16_224"):
        open_model("deit_tinny_patch16_224", random_weights=True)


def test_two_sources_of_weights_are_refused(checkpoint: Path):
    with pytest.raises(ArgumentError, match="at most one"):
        open_model(SMALL, checkpoint=checkpoint, random_weights=True)


def test_the_embedded_model_is_not_downloaded():
    with pytest.raises(ArgumentError, match="--pretrained"):
        open_model(STUDENT_NAME, pretrained=True)


def test_a_checkpoint_of_another_model_is_refused(checkpoint: Path):
    with pytest.raises(ArgumentError, match=r"must hold exactly the weights of test_vit2"):
        open_model("test_vit2", checkpoint=checkpoint)


def test_a_missing_or_foreign_checkpoint_is_refused(tmp_path: Path):
    with pytest.raises(ArgumentError, match=r"must be a file.*nowhere"):
        open_model(SMALL, checkpoint=tmp_path / "nowhere.safetensors")
    (tmp_path / "letter.safetensors").write_text("Dear reader")
    with pytest.raises(ArgumentError, match="must hold exactly the weights"):
        open_model(SMALL, checkpoint=tmp_path / "letter.safetensors")


def test_a_twin_shares_the_architecture_and_nothing_else(checkpoint: Path):
    model, twin = open_model(SMALL, checkpoint=checkpoint), random_twin(SMALL, seed=0)
    assert model.parameters == twin.parameters
    assert (model.size, model.mean, model.std) == (twin.size, twin.mean, twin.std)
    assert model.sha256 != twin.sha256

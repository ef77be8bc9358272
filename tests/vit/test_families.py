"""Every family of timm's vision transformers: levels, maps and values against timm's own."""

from __future__ import annotations

import pytest
import torch

from attnclust.vit import stream, trace

from .small_models import FAMILIES, Family, plain, unfused_weights

EACH = pytest.mark.parametrize("family", FAMILIES, ids=[f.name for f in FAMILIES])
HALVES = [
    f
    for f in FAMILIES
    if f.name in {"vit", "dinov2-registers", "eva02", "siglip", "beit", "qk-norm", "layer-scale"}
]


@EACH
def test_levels_are_those_of_the_plain_forward_bit_for_bit(family: Family) -> None:
    model, images = family.build(), family.images()
    seen = trace(model, images)
    levels, _ = plain(model, images)
    assert len(seen.levels) == len(levels) == 3
    for ours, theirs in zip(seen.levels, levels, strict=True):
        assert torch.equal(ours, theirs)
    tokens = family.prefix + family.grid[0] * family.grid[1]
    assert seen.levels[0].shape == (5, tokens, 24)
    assert (seen.prefix_tokens, seen.grid) == (family.prefix, family.grid)


@EACH
def test_weights_are_timms_own_unfused_ones(family: Family) -> None:
    model, images = family.build(), family.images()
    heads = trace(model, images, attention="heads").attention
    mean = trace(model, images, attention="mean").attention
    assert heads is not None
    assert mean is not None
    for ours, averaged, theirs in zip(heads, mean, unfused_weights(model, images), strict=True):
        assert ours.shape == theirs.shape == (5, 3, averaged.shape[1], averaged.shape[1])
        # Both sides are float32 softmaxes of logits below 100: a few hundred units of 2^-24 apart at most.
        assert float((ours - theirs).abs().max()) < 2e-5
        assert float((averaged - theirs.mean(dim=1)).abs().max()) < 2e-5
        assert float((averaged.sum(dim=-1) - 1).abs().max()) < 1e-5
        assert float(averaged.std(dim=-1).max()) > 1e-3, "uniform maps would hide a transpose"


@EACH
def test_weights_times_values_give_the_attention_modules_output(family: Family) -> None:
    model, images = family.build(), family.images(batch=2)
    seen = trace(model, images, attention="heads", values=True)
    assert seen.attention is not None
    assert seen.values is not None
    block = model.get_submodule("blocks.1")
    attention = block.get_submodule("attn")
    mixed_in: list[torch.Tensor] = []
    # What enters the inner normalisation or the projection is the heads' outputs side by side.
    first = "norm" if not isinstance(getattr(attention, "norm", None), torch.nn.Identity | None) else "proj"
    handle = attention.get_submodule(first).register_forward_pre_hook(
        lambda _m, args: mixed_in.append(args[0])
    )
    plain(model, images)
    handle.remove()
    mixed = (seen.attention[1] @ seen.values[1]).transpose(1, 2).flatten(2)
    assert float((mixed - mixed_in[0]).abs().max()) < 2e-5 * max(1.0, float(seen.values[1].abs().max()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
@pytest.mark.parametrize("family", HALVES, ids=[f.name for f in HALVES])
def test_other_dtypes(family: Family, dtype: torch.dtype) -> None:
    model, images = family.build(dtype), family.images(batch=2, dtype=dtype)
    seen = trace(model, images, attention="heads", values=True)
    levels, _ = plain(model, images)
    assert seen.attention is not None
    assert seen.values is not None
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(seen.levels, levels, strict=True))
    assert seen.values[0].dtype == dtype
    maps = seen.attention[0]
    assert maps.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert float((maps.sum(dim=-1) - 1).abs().max()) < 1e-5
    # timm's unfused path rounds logits and weights to the dtype, ours does not: a logit, about as large as
    # its row's weights spread in logarithm, is off by that many units; the model's tokens are bitwise the
    # same up to block 1.
    for ours, theirs in zip(seen.attention, unfused_weights(model, images), strict=True):
        logs = ours.double().log()
        spread = float((logs.amax(dim=-1) - logs.amin(dim=-1)).max())
        units = 64 if dtype == torch.float64 else 1  # in float64 both sides round sums of products as well
        assert float((ours - theirs).abs().max()) <= units * torch.finfo(dtype).eps / 2 * (1 + spread)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_any_batch(batch: int) -> None:
    family = FAMILIES[0]
    model, images = family.build(), family.images(7)
    seen, whole = trace(model, images[:batch]), trace(model, images)
    assert seen.attention is not None
    assert whole.attention is not None
    for part, full in zip(seen.attention + seen.levels, whole.attention + whole.levels, strict=True):
        assert part.shape[0] == batch
        torch.testing.assert_close(part, full[:batch], rtol=1e-4, atol=1e-4)


def test_one_model_takes_sizes_in_turn() -> None:
    family = next(f for f in FAMILIES if f.name == "dynamic")
    model = family.build()
    grids = [trace(model, torch.randn(1, 3, 16 * r, 16 * c)).grid for r, c in [(3, 4), (2, 2), (1, 5)]]
    assert grids == [(3, 4), (2, 2), (1, 5)]


def test_padded_images_have_the_padded_grid() -> None:
    options = {"dynamic_img_size": True, "dynamic_img_pad": True, "img_size": 32}
    family = Family("padded", "vit_tiny_patch16_224", 1, options=options)
    assert trace(family.build(), torch.randn(1, 3, 17, 40)).grid == (2, 3)


def test_mean_maps_done_a_few_images_at_a_time_equal_those_done_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    family = next(f for f in FAMILIES if f.name == "beit")
    model, images = family.build(), family.images(5)
    at_once = trace(model, images).attention
    # Room for two images' maps of 3 heads and 7 x 7 tokens: chunks of 2, 2 and 1.
    monkeypatch.setattr("attnclust.vit._heads._CPU_CHUNK_BYTES", 2 * 3 * 7 * 7 * 4)
    in_parts = trace(model, images).attention
    assert at_once is not None
    assert in_parts is not None
    for one, other in zip(at_once, in_parts, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


def test_a_mask_per_image_is_cut_with_its_images(monkeypatch: pytest.MonkeyPatch) -> None:
    from attnclust.vit import Heads

    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(5, 3, 7, 2, generator=generator) for _ in range(3))
    seen = torch.rand(5, 1, 7, 7, generator=generator) > 0.4
    seen[..., 0] = True
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=0.5)
    weights = Heads(query, key, value, 0.5, seen).weights()
    torch.testing.assert_close(weights @ value, expected)
    assert torch.equal(weights > 0, seen.expand(5, 3, 7, 7))
    monkeypatch.setattr("attnclust.vit._heads._CPU_CHUNK_BYTES", 2 * 3 * 7 * 7 * 4)  # two images at a time
    averaged = Heads(query, key, value, 0.5, seen).mean_weights()
    torch.testing.assert_close(averaged, weights.mean(dim=1))


@pytest.mark.parametrize("shift", [0.0, 60.0, -60.0, 200.0, -200.0])
def test_maps_of_logits_far_from_zero_average_as_softmaxes_do(shift: float) -> None:
    from attnclust.vit import Heads

    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(3, 2, 7, 4, generator=generator) for _ in range(3))
    # The logits of one image's second head are shifted: exp(200) overflows, exp(-200) vanishes in float32.
    bias = torch.zeros(3, 2, 7, 7)
    bias[1, 1] = shift
    heads = Heads(query, key, value, 0.5, bias)
    exact = (0.5 * query.double() @ key.double().mT + bias.double()).softmax(dim=-1).mean(dim=1)
    # A logit near 200 is rounded by 200 u, and moves its weight by that.
    torch.testing.assert_close(heads.mean_weights().double(), exact, rtol=4e-5, atol=1e-7)


def test_weights_of_heads_can_be_differentiated() -> None:
    from attnclust.vit import Heads

    query = torch.ones(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    key = torch.arange(24, dtype=torch.float64).reshape(1, 2, 3, 4)
    bias = torch.zeros(3, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda q: Heads(q, key, key, 0.1, bias).weights(), query)


def test_an_attention_to_nothing_is_not_averaged_away() -> None:
    from attnclust.vit import Heads

    query = torch.ones(2, 2, 3, 4)
    unseen = torch.zeros(2, 1, 3, 3)
    unseen[1, 0, 2] = -torch.inf
    averaged = Heads(query, query, query, 0.5, unseen).mean_weights()
    assert bool(averaged[1, 2].isnan().all())
    torch.testing.assert_close(averaged[0], torch.full((3, 3), 1 / 3))


def test_a_callers_autocast_reaches_the_model_but_not_the_maps() -> None:
    family = FAMILIES[0]
    model, images = family.build(), family.images(2)
    with torch.autocast("cpu", torch.bfloat16):
        seen = trace(model, images, attention="heads", values=True)
        averaged = trace(model, images).attention
        levels, _ = plain(model, images)
    assert seen.attention is not None
    assert seen.values is not None
    assert averaged is not None
    assert seen.values[0].dtype == torch.bfloat16
    assert all(torch.equal(a, b) for a, b in zip(seen.levels, levels, strict=True))
    for maps, mean in zip(seen.attention, averaged, strict=True):
        assert maps.dtype == mean.dtype == torch.float32
        assert float((maps.sum(dim=-1) - 1).abs().max()) < 1e-6
        torch.testing.assert_close(maps.mean(dim=1), mean)


def test_not_asked_for_is_none_and_the_levels_are_the_same() -> None:
    family = FAMILIES[0]
    model, images = family.build(), family.images(2)
    bare, full = trace(model, images, attention=None), trace(model, images, values=True)
    assert bare.attention is None
    assert bare.values is None
    assert all(torch.equal(a, b) for a, b in zip(bare.levels, full.levels, strict=True))
    only_values = trace(model, images, attention=None, values=True)
    assert only_values.attention is None
    assert only_values.values is not None
    assert [level.attention is None for level in stream(model, images)] == [True, False, False]

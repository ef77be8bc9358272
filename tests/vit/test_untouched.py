"""A trace leaves the model as it found it, whatever happens; streaming keeps nothing."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
import torch
from torch import nn

from attnclust.vit import Level, stream, trace

from .small_models import FAMILIES, Family, plain


def vit(**options: Any) -> nn.Module:
    return Family("vit", "vit_tiny_patch16_224", 1, options=options).build()


def state(model: nn.Module) -> dict[str, Any]:
    """All of a module tree that a tracer could disturb."""
    hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return {
        name: (
            id(module),
            module.training,
            [dict(getattr(module, h)) for h in hooks],
            "forward" in vars(module),
            [(n, id(c)) for n, c in module.named_children()],
            [(n, p.requires_grad, p.grad is None, id(p)) for n, p in module.named_parameters(recurse=False)],
        )
        for name, module in model.named_modules()
    }


def test_a_model_in_training_stays_so_and_is_traced_as_if_in_evaluation() -> None:
    model = vit(drop_path_rate=0.5, proj_drop_rate=0.5, attn_drop_rate=0.5, pos_drop_rate=0.5)
    images = FAMILIES[0].images(2)
    truth, _ = plain(model.eval(), images)
    model.train()
    model.get_submodule("blocks.1.mlp").eval()
    before = state(model)
    seen = trace(model, images)
    assert state(model) == before
    assert all(torch.equal(a, b) for a, b in zip(seen.levels, truth, strict=True))


def test_hooks_and_modules_are_restored_after_an_exception_in_a_block() -> None:
    model: Any = vit().train()
    images = FAMILIES[0].images(2)
    trace(model, images)

    class BrokenError(Exception):
        pass

    def breaks(*_: Any) -> None:
        raise BrokenError

    for place in (model.patch_embed, model.blocks[0].attn.qkv, model.blocks[1].mlp, model.head):
        handle = place.register_forward_hook(breaks)
        before = state(model)
        with pytest.raises(BrokenError):
            trace(model, images)
        assert state(model) == before
        fresh = vit().train()
        fresh.load_state_dict(model.state_dict())
        handle.remove()


def test_hooks_are_removed_when_the_check_itself_breaks() -> None:
    model: Any = vit().train()
    model.blocks[1].attn.fused_attn = False
    before = state(model)
    with pytest.raises(ValueError, match="block 2"):
        trace(model, FAMILIES[0].images(2))
    assert state(model) == before


def test_between_levels_the_model_is_free() -> None:
    model = vit().train()
    before = state(model)
    images = FAMILIES[0].images(2)
    levels = stream(model, images)
    assert state(model) == before
    for level in levels:
        assert state(model) == before
        assert torch.is_grad_enabled()
        assert not level.tokens.requires_grad
        if level.index == 1:
            break
    del levels
    assert state(model) == before
    out = model(images)
    out.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_the_users_hooks_on_blocks_see_no_stand_in() -> None:
    model: Any = vit()
    images = FAMILIES[0].images(2)
    truth, _ = plain(model, images)
    trace(model, images)
    outputs: list[torch.Tensor] = []
    model.blocks[1].register_forward_hook(lambda _m, _a, out: outputs.append(out))
    trace(model, images)
    assert len(outputs) == 1
    assert torch.equal(outputs[0], truth[2])


def test_stream_gives_what_trace_keeps() -> None:
    model = vit()
    images = FAMILIES[0].images(3)
    seen = trace(model, images, attention="heads", values=True)
    assert seen.attention is not None
    assert seen.values is not None
    for level in stream(model, images, attention="heads", values=True):
        assert torch.equal(level.tokens, seen.levels[level.index])
        assert (level.prefix_tokens, level.grid) == (1, (2, 3))
        if level.index:
            assert level.attention is not None
            assert level.values is not None
            assert torch.equal(level.attention, seen.attention[level.index - 1])
            assert torch.equal(level.values, seen.values[level.index - 1])


def test_stream_keeps_nothing_but_the_level_it_stands_on() -> None:
    model = vit(depth=4)
    gone: list[tuple[int, weakref.ref[Any]]] = []
    for level in stream(model, FAMILIES[0].images(2), attention="heads", values=True):
        alive = {index for index, reference in gone if reference() is not None}
        # The tokens of the level just consumed went into this one's block; its maps and values are gone.
        assert alive <= {level.index - 1} if level.index else not alive
        gone += remember(level)
        del level
    assert all(reference() is None for _, reference in gone)


def remember(level: Level) -> list[tuple[int, weakref.ref[Any]]]:
    tensors = (level.tokens, level.attention, level.values)
    return [(level.index, weakref.ref(t)) for t in tensors if t is not None]


def test_values_do_not_hold_queries_and_keys() -> None:
    seen = trace(vit(), FAMILIES[0].images(2), values=True)
    assert seen.values is not None
    for values in seen.values:
        assert values.untyped_storage().nbytes() == values.numel() * values.element_size()


def test_gradient_checkpointing_and_frozen_weights_make_no_difference() -> None:
    model: Any = vit()
    images = FAMILIES[0].images(2)
    truth, _ = plain(model, images)
    model.requires_grad_(False)
    model.set_grad_checkpointing(True)
    seen = trace(model, images)
    assert all(torch.equal(a, b) for a, b in zip(seen.levels, truth, strict=True))


def test_a_trace_is_deterministic() -> None:
    model = vit().train()
    images = FAMILIES[0].images(2)
    first, second = (trace(model, images, attention="heads", values=True) for _ in range(2))
    assert first.attention is not None
    assert second.attention is not None
    for a, b in zip(first.levels + first.attention, second.levels + second.attention, strict=True):
        assert torch.equal(a, b)


def test_weights_shared_between_blocks_are_traced() -> None:
    model: Any = vit()
    model.blocks[1] = model.blocks[0]
    images = FAMILIES[0].images(2)
    levels: list[torch.Tensor] = []
    handle = model.blocks[0].register_forward_hook(lambda _m, _a, out: levels.append(out))
    with torch.no_grad():
        model(images)
    handle.remove()
    seen = trace(model, images)
    assert torch.equal(seen.levels[1], levels[0])
    assert torch.equal(seen.levels[2], levels[1])

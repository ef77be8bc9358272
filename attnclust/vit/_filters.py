"""The filters with which a model looks at patches."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from attnclust.vit._errors import UntraceableError


def patch_filters(model: Any) -> Float[Tensor, "width channels patch_height patch_width"]:
    """The kernels of a timm model's patch embedding: filter j times a patch, summed, is neuron j of that
    patch.

    (Up to the filter's bias, and the position embedding.) For the views of :mod:`attnclust.neurons`.

    Source: the paper, section 3.1.1.

    Args:
        model: a model whose ``patch_embed.proj`` is a convolution that cuts the image into patches.

    Returns:
        ``(D, C, P, P)``, detached, in the model's dtype and on its device; it shares the model's memory.

    Raises:
        UntraceableError: the patch embedding is no plain convolution (a stem of several layers, overlapping
            or dilated patches, a normalisation after it), so that no filter makes a neuron.

    Examples:
        >>> import timm
        >>> patch_filters(timm.create_model("vit_tiny_patch16_224", depth=1)).shape
        torch.Size([192, 3, 16, 16])
    """
    embed = getattr(model, "patch_embed", None)
    convolution = getattr(embed, "proj", None)
    reason = None
    if not isinstance(convolution, nn.Conv2d) or hasattr(embed, "backbone"):
        reason = "is no single convolution"
    elif tuple(convolution.stride) != tuple(convolution.kernel_size):
        sizes = f"kernel {convolution.kernel_size} but stride {convolution.stride}"
        reason = f"has {sizes}: its patches overlap or leave gaps"
    elif (
        convolution.padding not in ((0, 0), "valid")
        or set(convolution.dilation) != {1}
        or convolution.groups != 1
    ):
        reason = "is padded, dilated or grouped"
    elif not isinstance(getattr(embed, "norm", None), nn.Identity | None):
        reason = f"is followed by a {type(getattr(embed, 'norm', None)).__name__}"
    if reason or not isinstance(convolution, nn.Conv2d):
        raise UntraceableError(
            "model",
            "its patch embedding must be one plain convolution, one filter a neuron",
            f"{type(model).__name__}, whose patch_embed ({type(embed).__name__}) {reason}",
            "Choose a model with timm's PatchEmbed; levels and maps can be traced all the same.",
        )
    return convolution.weight.detach()

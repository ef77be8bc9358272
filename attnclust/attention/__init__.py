"""Attention: weights, one step of the simplified layer, the simulator, and the configurations that are
worst for it.
"""

from attnclust.attention._extremal import (
    Configuration,
    cluster_dobrushin_configuration,
    dobrushin_configuration,
    sharp_configuration,
)
from attnclust.attention._extremal_cells import (
    block_transport_configuration,
    separation_configuration,
    separation_dobrushin_configuration,
)
from attnclust.attention._layer import NORMS
from attnclust.attention._masks import block_mask, causal_mask, ring_mask
from attnclust.attention._simulate import Trajectory, simulate
from attnclust.attention._step import attend, attention_weights
from attnclust.attention._weights import WEIGHT_KINDS, Weights, adversarial_weights, draw_weights

__all__ = [
    "NORMS",
    "WEIGHT_KINDS",
    "Configuration",
    "Trajectory",
    "Weights",
    "adversarial_weights",
    "attend",
    "attention_weights",
    "block_mask",
    "block_transport_configuration",
    "causal_mask",
    "cluster_dobrushin_configuration",
    "dobrushin_configuration",
    "draw_weights",
    "ring_mask",
    "separation_configuration",
    "separation_dobrushin_configuration",
    "sharp_configuration",
    "simulate",
]

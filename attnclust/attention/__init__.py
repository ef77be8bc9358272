"""Single-head attention: weights, one step of the simplified layer, and the configurations that are
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
from attnclust.attention._step import attend, attention_weights

__all__ = [
    "Configuration",
    "attend",
    "attention_weights",
    "block_transport_configuration",
    "cluster_dobrushin_configuration",
    "dobrushin_configuration",
    "separation_configuration",
    "separation_dobrushin_configuration",
    "sharp_configuration",
]

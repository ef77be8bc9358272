"""All that knows torch and the insides of models: levels, attention and values of vision transformers."""

from attnclust.vit._adapters import Adapter, HeadsAdapter, Layout, Parts, TimmAdapter
from attnclust.vit._errors import UntraceableError
from attnclust.vit._factors import BlockFactors, NormFactor, block_factors
from attnclust.vit._filters import patch_filters
from attnclust.vit._heads import Heads
from attnclust.vit._stages import STAGES, stage_ledger, stream_stages
from attnclust.vit._stream import Level, stream
from attnclust.vit._torchvision import TorchvisionAdapter
from attnclust.vit._trace import Trace, trace

__all__ = [
    "STAGES",
    "Adapter",
    "BlockFactors",
    "Heads",
    "HeadsAdapter",
    "Layout",
    "Level",
    "NormFactor",
    "Parts",
    "TimmAdapter",
    "TorchvisionAdapter",
    "Trace",
    "UntraceableError",
    "block_factors",
    "patch_filters",
    "stage_ledger",
    "stream",
    "stream_stages",
    "trace",
]

"""All that knows torch and the insides of models: levels, attention and values of vision transformers."""

from attnclust.vit._adapters import Adapter, HeadsAdapter, Layout, Parts, TimmAdapter
from attnclust.vit._errors import UntraceableError
from attnclust.vit._filters import patch_filters
from attnclust.vit._heads import Heads
from attnclust.vit._stages import STAGES, stage_ledger
from attnclust.vit._stream import Level, stream
from attnclust.vit._torchvision import TorchvisionAdapter
from attnclust.vit._trace import Trace, trace

__all__ = [
    "STAGES",
    "Adapter",
    "Heads",
    "HeadsAdapter",
    "Layout",
    "Level",
    "Parts",
    "TimmAdapter",
    "TorchvisionAdapter",
    "Trace",
    "UntraceableError",
    "patch_filters",
    "stage_ledger",
    "stream",
    "trace",
]

"""All that knows torch and the insides of models: levels, attention and values of vision transformers."""

from attnclust.vit._adapters import Adapter, HeadsAdapter, Layout, TimmAdapter
from attnclust.vit._errors import UntraceableError
from attnclust.vit._heads import Heads
from attnclust.vit._stream import Level, stream
from attnclust.vit._torchvision import TorchvisionAdapter
from attnclust.vit._trace import Trace, trace

__all__ = [
    "Adapter",
    "Heads",
    "HeadsAdapter",
    "Layout",
    "Level",
    "TimmAdapter",
    "TorchvisionAdapter",
    "Trace",
    "UntraceableError",
    "stream",
    "trace",
]

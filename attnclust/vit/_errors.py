"""How the tracer says no."""

from __future__ import annotations

from attnclust._array import ArgumentError


class UntraceableError(ArgumentError):
    """The model cannot be traced truthfully: the message names the module, the reason and the remedy."""

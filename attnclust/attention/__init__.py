"""Single-head attention: weights, and one step of the simplified layer."""

from attnclust.attention._step import attend, attention_weights

__all__ = ["attend", "attention_weights"]

"""Tests, as science, why vision transformers cluster their patch embeddings.

The rooms of the package are its modules: :mod:`attnclust.geometry`, :mod:`attnclust.attention`,
:mod:`attnclust.bounds` and :mod:`attnclust.verify` for the theory, :mod:`attnclust.vit` and
:mod:`attnclust.neurons` for what happens inside a model, :mod:`attnclust.data` and
:mod:`attnclust.clustering` for the experiment, and ``python -m attnclust.report`` for all of it at once.

Importing the package imports none of them, so that the bounds can be used without torch.
"""

__all__ = ["__version__"]
__version__ = "0.1.0"

"""The smallest step with a cluster and a token outside it, which the tests of arguments share."""

from __future__ import annotations

import numpy as np

from attnclust.geometry import cell_distances

A = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
Z = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 8.0]])
L = np.array([0, 0, 1])
TABLE = cell_distances(Z, L)

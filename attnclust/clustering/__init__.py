"""Clusters of patch tokens and how well they fit the objects: DBSCAN, the metrics, three protocols."""

from ._dbscan import dbscan
from .protocols import PROTOCOLS, measure_level, measure_levels

__all__ = ["PROTOCOLS", "dbscan", "measure_level", "measure_levels"]

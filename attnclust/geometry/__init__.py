"""Distances between tokens: diameters of sets and clusters, tables between cells, distances between hulls."""

from attnclust.geometry._diameters import cell_distances, cluster_diameters, diameter
from attnclust.geometry._hull import hull_distance

__all__ = ["cell_distances", "cluster_diameters", "diameter", "hull_distance"]

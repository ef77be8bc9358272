"""A simulation watched: diameters, attention ranges, the ladder of bounds by step and composed over depth,
clusters and their separation.
"""

from attnclust.watch._chains import chained_clusters
from attnclust.watch._ladder import RUNGS
from attnclust.watch._watch import Watch, watch

__all__ = ["RUNGS", "Watch", "chained_clusters", "watch"]

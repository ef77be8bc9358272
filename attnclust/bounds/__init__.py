"""The ladder of bounds around Theorem 3.1, one theorem a file, and `THEOREMS`, the index that all share.

From the paper's bounds down to the truth, each at most the one before::

    paper_main, paper_appendix >= linear >= product >= sharp >= overlap >= cluster_dobrushin >= measured

The bounds take numbers, NumPy arrays or torch tensors; importing them imports no torch.
"""

from types import MappingProxyType

from attnclust.bounds._theorem import Theorem
from attnclust.bounds.cluster_dobrushin import CLUSTER_DOBRUSHIN, cluster_dobrushin_bound
from attnclust.bounds.cross_attention import CrossAttention, cross_attention
from attnclust.bounds.dobrushin import CONTRACTION, DOBRUSHIN, contraction_bound, dobrushin_coefficient
from attnclust.bounds.linear import LINEAR, linear_bound
from attnclust.bounds.overlap import OVERLAP, overlap_bound
from attnclust.bounds.paper import PAPER_APPENDIX, PAPER_MAIN, paper_appendix_bound, paper_main_bound
from attnclust.bounds.product import PRODUCT, product_bound
from attnclust.bounds.sharp import SHARP, sharp_bound

THEOREMS = MappingProxyType(
    {
        theorem.label: theorem
        for theorem in (
            CONTRACTION,
            DOBRUSHIN,
            PAPER_MAIN,
            PAPER_APPENDIX,
            LINEAR,
            PRODUCT,
            SHARP,
            OVERLAP,
            CLUSTER_DOBRUSHIN,
        )
    }
)
"""Label -> record, for every theorem of the package."""

__all__ = [
    "THEOREMS",
    "CrossAttention",
    "Theorem",
    "cluster_dobrushin_bound",
    "contraction_bound",
    "cross_attention",
    "dobrushin_coefficient",
    "linear_bound",
    "overlap_bound",
    "paper_appendix_bound",
    "paper_main_bound",
    "product_bound",
    "sharp_bound",
]

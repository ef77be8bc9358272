"""The ladder of bounds around Theorem 3.1, one theorem a file, and `THEOREMS`, the index that all share.

From the paper's bounds down to the truth, each at most the one before::

    paper_main, paper_appendix >= linear >= product >= sharp >= overlap >= cluster_dobrushin
        >= block_transport (clusters) >= block_transport (finer cells) >= transport >= measured

Beside the chain: independent, star, chi. Over depth: iteration, block_recursion. Between clusters:
    separation.
For softmax rows: cubic, cluster_cubic, softmax_cluster. In real blocks: value_matrix, multi_head,
    residual, convex.

The bounds take numbers, NumPy arrays or torch tensors; importing them imports no torch.
"""

from types import MappingProxyType

from attnclust.bounds._theorem import Theorem
from attnclust.bounds.block_recursion import (
    BLOCK_RECURSION,
    BLOCK_RECURSION_LINEAR,
    block_recursion,
    block_recursion_linear,
)
from attnclust.bounds.block_transport import BLOCK_TRANSPORT, block_transport_bound
from attnclust.bounds.certify import STAGES, Certificate, certify
from attnclust.bounds.chi import CHI, chi_bound
from attnclust.bounds.cluster_dobrushin import CLUSTER_DOBRUSHIN, cluster_dobrushin_bound
from attnclust.bounds.cross_attention import CrossAttention, cross_attention
from attnclust.bounds.dobrushin import CONTRACTION, DOBRUSHIN, contraction_bound, dobrushin_coefficient
from attnclust.bounds.forms import (
    CONVEX,
    MULTI_HEAD,
    RESIDUAL,
    VALUE_MATRIX,
    convex_bound,
    multi_head_bound,
    residual_bound,
    value_matrix_bound,
)
from attnclust.bounds.independent import INDEPENDENT, independent_bound
from attnclust.bounds.linear import LINEAR, linear_bound
from attnclust.bounds.overlap import OVERLAP, overlap_bound
from attnclust.bounds.paper import PAPER_APPENDIX, PAPER_MAIN, paper_appendix_bound, paper_main_bound
from attnclust.bounds.product import PRODUCT, product_bound
from attnclust.bounds.separation import (
    SEPARATION,
    SEPARATION_DOBRUSHIN,
    separation_bound,
    separation_dobrushin_bound,
)
from attnclust.bounds.sharp import (
    CERTIFICATE,
    ITERATION,
    SHARP,
    SHARP_TOTAL,
    iteration_bound,
    sharp_bound,
    sharp_certificate,
    sharp_total_bound,
)
from attnclust.bounds.softmax import (
    CLUSTER_CUBIC,
    CUBIC,
    SOFTMAX_CLUSTER,
    cluster_cubic_bound,
    cubic_bound,
    softmax_beta,
    softmax_cluster_bound,
)
from attnclust.bounds.star import STAR, star_bound
from attnclust.bounds.transport import TRANSPORT, transport_bound

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
            BLOCK_TRANSPORT,
            TRANSPORT,
            INDEPENDENT,
            STAR,
            CHI,
            SHARP_TOTAL,
            CERTIFICATE,
            ITERATION,
            BLOCK_RECURSION,
            BLOCK_RECURSION_LINEAR,
            SEPARATION,
            SEPARATION_DOBRUSHIN,
            CUBIC,
            CLUSTER_CUBIC,
            SOFTMAX_CLUSTER,
            VALUE_MATRIX,
            MULTI_HEAD,
            RESIDUAL,
            CONVEX,
        )
    }
)
"""Label -> record, for every theorem of the package."""

__all__ = [
    "STAGES",
    "THEOREMS",
    "Certificate",
    "CrossAttention",
    "Theorem",
    "block_recursion",
    "block_recursion_linear",
    "block_transport_bound",
    "certify",
    "chi_bound",
    "cluster_cubic_bound",
    "cluster_dobrushin_bound",
    "contraction_bound",
    "convex_bound",
    "cross_attention",
    "cubic_bound",
    "dobrushin_coefficient",
    "independent_bound",
    "iteration_bound",
    "linear_bound",
    "multi_head_bound",
    "overlap_bound",
    "paper_appendix_bound",
    "paper_main_bound",
    "product_bound",
    "residual_bound",
    "separation_bound",
    "separation_dobrushin_bound",
    "sharp_bound",
    "sharp_certificate",
    "sharp_total_bound",
    "softmax_beta",
    "softmax_cluster_bound",
    "star_bound",
    "transport_bound",
    "value_matrix_bound",
]

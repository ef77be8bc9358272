"""What neurons tell: the paper's views of neurons and embeddings, section 3.1, at every level in closed form.

At level 0 a neuron is a filter times a patch, summed; its view is that product before the sum, V_0^{p,j} =
f_j * x_p. At level 1 the views of all patches are laid side by side, weighted by the attention of block 1,
and from then on each block's attention averages the views of the level before. By induction the view of
token i and neuron j at level l is, on patch p,

    V_l^{i,j}[p] = R_l[i, p] (f_j * x_p),        R_1 = A_1[:, prefix:],  R_l = A_l R_{l-1}:

the roll-out R_l alone distinguishes tokens and levels, and the filter alone the neurons.

What that implies, and a reader of such pictures should know:

* Between tokens and levels of one image, views differ only by R_l: one number a patch. Whatever a view seems
  to show inside a patch was in the pixels and the filter from the start; depth only makes patches brighter or
  darker. All D views of a token share these numbers.
* Values, projections, MLPs, layer norms and (without ``residual=True``) the residual path play no part. A
  view tells what attention could have carried to a neuron, not what the neuron holds: how far it predicts the
  neuron has to be measured, by masking patches (a study does).
* R_l is a product of row-stochastic matrices. Each factor draws the rows together (by its Dobrushin
  coefficient), so views of different tokens grow alike with depth whatever the image shows.

Options: :func:`rollout` says how the residual path, heads and prefix tokens are treated, :func:`pixel_space`
in which space the pixels are, and the ``overlay`` of :func:`embedding_view` how D views are laid over one
another. Two displays of a view are in :mod:`attnclust.plots`: a signed colour map on a stated scale, and the
paper's clipped one (negative values black).
"""

from attnclust.neurons._pixels import pixel_space
from attnclust.neurons._rollout import rollout
from attnclust.neurons._views import column_view, embedding_view, neuron_view, patch_views

__all__ = ["column_view", "embedding_view", "neuron_view", "patch_views", "pixel_space", "rollout"]

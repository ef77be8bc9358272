"""What neurons tell: the paper's views of neurons and embeddings, section 3.1, at every level in closed form.

At level 0 a neuron is a filter times a patch, summed; its view is that product before the sum, V_0^{p,j} =
f_j * x_p. At level 1 the views of all patches are laid side by side, weighted by the attention of block 1,
and from then on each block's attention averages the views of the level before. By induction the view of
token i and neuron j at level l is, on patch p,

    V_l^{i,j}[p] = R_l[i, p] (f_j * x_p),        R_1 = A_1[:, prefix:],  R_l = A_l R_{l-1}:

the roll-out R_l alone distinguishes tokens and levels, and the filter alone the neurons.
"""

from attnclust.neurons._rollout import rollout
from attnclust.neurons._views import column_view, embedding_view, neuron_view

__all__ = ["column_view", "embedding_view", "neuron_view", "rollout"]

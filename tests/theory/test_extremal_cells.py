"""The potential on the cells of a table: how far it moves the rows, which way, and in what unit."""

from __future__ import annotations

import numpy as np
import pytest

from attnclust.attention import attend, block_transport_configuration

A = np.array([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5], [0.0, 0.0, 1.0]])


@pytest.mark.parametrize("scale", [1e-12, 1e-8, 1.0, 1e12])
@pytest.mark.parametrize(("near", "far"), [(1.0, 8.0), (0.0, 8.0), (16.0, 8.0)])
def test_block_transport_is_attained_in_every_unit_and_moves_the_first_row_up(
    near: float, far: float, scale: float
) -> None:
    """A quarter of the mass goes from cell 1 to cell 0, so the rows end far / 4 apart, whatever a cell's own
    size and the unit; Kantorovich's potential is the larger the more of row j is there, so j ends above j'.
    """
    table = scale * np.array([[near, far], [far, 0.0]])
    for pair in ((0, 1), (1, 0)):
        tokens = block_transport_configuration(A, pair=pair, cells=np.array([0, 0, 1]), distances=table)
        assert abs(tokens[0, 0] - tokens[1, 0]) <= scale * near * (1 + 1e-9)
        assert (abs(tokens[:2, 0] - tokens[2, 0]) <= scale * far * (1 + 1e-9)).all()
        after = attend(A, tokens)
        assert float(after[pair[0], 0] - after[pair[1], 0]) == pytest.approx(scale * far / 4, rel=1e-9)

"""The potential on the cells of a table: how far it moves the rows, which way, and in what unit; and what a
configuration is where two would do.
"""

from __future__ import annotations

import numpy as np
import pytest

from attnclust.attention import (
    attend,
    block_transport_configuration,
    dobrushin_configuration,
    separation_configuration,
    separation_dobrushin_configuration,
)

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


def test_tokens_lie_at_the_points_of_their_cells_and_signs() -> None:
    """Rows that agree on a token count it with the smaller ones; the first point is where the line begins."""
    rows = np.array([[0.5, 0.25, 0.25, 0.0], [0.25, 0.25, 0.5, 0.0]])
    attention, table = np.vstack([rows, np.eye(4)[2:]]), np.array([[1.0, 8.0], [8.0, 1.0]])
    cells = np.array([0, 0, 0, 1])
    at = block_transport_configuration(attention, pair=(0, 1), cells=cells, distances=table)[:, 0]
    assert at[0] == 0
    assert at[1] == at[2] == pytest.approx(-1, rel=1e-9)
    even = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    assert (
        block_transport_configuration(even, pair=(0, 1), cells=np.array([0, 0, 1]), distances=table)[0] == 0
    )


def test_of_two_that_would_do_the_documented_one_is_given() -> None:
    assert dobrushin_configuration(np.array([[0.75, 0.25], [0.25, 0.75]]), d_all=2.0).tolist() == [
        [2.0],
        [0.0],
    ]
    equal = separation_configuration(mass_g=0.25, mass_h=0.25, separation=2.0, d_all=4.0)
    assert equal.attention[0].tolist() == [0.75, 0.0, 0.25]
    labels = np.array([0, 1, -1])
    kept = separation_dobrushin_configuration(np.eye(3), labels, separation=2.0, d_all=4.0)
    assert kept.tolist() == [[2.0], [0.0], [2.0]]

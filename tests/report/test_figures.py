"""What every figure and table of the page carries: words, numbers, files."""

from __future__ import annotations

import csv
import io
import math
import re
import xml.etree.ElementTree as ET
from urllib.parse import unquote

import numpy as np
import pytest

from attnclust.plots import Curve, Panel, draw_curves
from attnclust.report._figures import Gallery, Table, as_csv
from attnclust.report._math import display
from attnclust.report._math import math as formula


def rows_of(address: str) -> list[list[str]]:
    kind, _, text = address.partition(",")
    assert kind == "data:text/csv;charset=utf-8"
    return list(csv.reader(io.StringIO(unquote(text), newline="")))


@pytest.mark.parametrize("name", ['a,b "c"\nd', "<b>&amp;#?%41", "Ünïcode − ‖", "\u202edog", "100 %", "a'b"])
def test_csv_gives_back_what_went_in(name: str) -> None:
    address = as_csv([name, "x"], [[name, 1], ["", 2]])
    assert rows_of(address) == [[name, "x"], [name, "1"], ["", "2"]]
    assert not re.search(r"[\s\"<>#&'`]", address)


@pytest.mark.parametrize("name", ["=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(name: str) -> None:
    assert rows_of(as_csv([name], [[name], [" " + name]])) == [["'" + name], ["'" + name], [" " + name]]


def test_numbers_of_csv() -> None:
    cells = [-0.5, "-0.5", np.float32(0.1), 1 / 3, 2.0, 123456789, True, None, math.nan, np.int64(-3), 1e-12]
    (row,) = rows_of(as_csv([], [cells]))[1:]
    expected = ["-0.5", "-0.5", "0.1", "0.333333", "2", "123456789", "True", "", "", "-3", "1e-12"]
    assert row == expected


def drawing(points: int, gallery: Gallery):
    curve = Curve("a <b>", range(points), np.linspace(0.25, 0.75, points).tolist())
    figure = draw_curves([Panel("", [curve], "y")], x_label="level")
    table = Table(["x"], [["1"]], as_csv(["x"], [[1]]))
    return gallery.drawing("many", figure, title="T", caption="C.", alt='Says "a" < b', table=table)


def test_a_small_figure_is_vector_and_a_large_one_a_picture_and_both_speak() -> None:
    gallery = Gallery()
    small, large = drawing(5, gallery), drawing(4000, gallery)
    assert ET.fromstring(str(small.markup)).get("aria-label") == 'Says "a" < b'
    picture = ET.fromstring(str(large.markup).replace(">", "/>"))
    assert picture.tag == "img"
    assert picture.get("alt") == 'Says "a" < b'
    assert len(large.markup) < len(gallery.files["many.svg"])
    assert gallery.files["many.svg"].startswith(b"<svg")


def test_formulas_are_mathml_without_an_address() -> None:
    root = ET.fromstring(
        str(display(r"d' < {(1 - m\varepsilon_l)}^2\, d + m\varepsilon_u D\,(m\varepsilon_u D + 2)"))
    )
    assert root.get("tabindex") == "0"
    assert "".join("".join(root.itertext()).split()) == "d′<(1−mεl)2d+mεuD(mεuD+2)"
    assert [node.tag for node in root.iter("msub")] == ["msub"] * 3
    assert root.find("math").get("display") == "block"  # pyright: ignore[reportOptionalMemberAccess]
    assert "http" not in formula("x")
    assert "tabindex" not in display("x")
    assert "<b>" not in formula("a<b>c")

"""The looks: all can be read, differ in how they paint, and are suggested by tags of the music."""

import re

import pytest

from aimv_engine import looks
from aimv_engine.errors import AimvError

STYLES_THAT_HOLD_STILL = {0, 2, 5, 12, 14}  # the others flicker or are harsh


@pytest.mark.parametrize("name", looks.names())
def test_values_are_in_range(name):
    look = looks.load(name)
    assert look.title
    assert look.words
    assert look.suits
    assert {style for style, _ in look.styles} <= STYLES_THAT_HOLD_STILL
    assert 0 <= look.strength <= 1
    assert 0 <= look.toning <= 1
    assert (look.toning > 0) == bool(look.palette)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in look.palette)
    assert look.levels == 0 or 3 <= look.levels <= 8
    assert 0 <= look.transition <= 5
    assert look.styles or look.brush, "a look without network needs a brush"


def test_there_are_enough_and_no_two_paint_alike():
    ways = [looks.load(name).painting for name in looks.names()]
    assert len(ways) >= 8
    assert len(set(ways)) == len(ways)


def test_some_paint_without_the_network():
    assert any(not looks.load(name).styles for name in looks.names())


def test_an_unknown_look_is_an_error_that_names_the_others():
    with pytest.raises(AimvError, match="oil"):
        looks.load("oils")


def test_a_broken_look_says_which_file(tmp_path, monkeypatch):
    monkeypatch.setattr(looks, "FOLDER", tmp_path)
    (tmp_path / "broken.toml").write_text("title = ")
    with pytest.raises(AimvError, match=r"broken\.toml"):
        looks.load("broken")

"""The storyboard as JSON: back unchanged, and clear about a slip of the hand."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimv_engine.errors import AimvError
from aimv_engine.storyboard.scene import CAMERAS, Candidate, Scene, Storyboard, from_dict, to_dict

texts = st.text(min_size=1).filter(lambda text: bool(text.strip()))
numbers = st.floats(allow_nan=False, allow_infinity=False)
tags = st.lists(st.tuples(texts, numbers), max_size=3).map(tuple)
times = st.tuples(st.floats(0, 1e4), st.floats(0.5, 100)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    start, end = draw(times)
    candidates = draw(st.lists(st.builds(Candidate, texts, numbers), max_size=3).map(tuple))
    seed = draw(st.integers(0, 2**31 - 1))
    direction = draw(st.tuples(st.text(), st.sampled_from(CAMERAS), st.floats(0, 2), st.floats(0, 2)))
    return Scene(start, end, draw(texts), draw(texts), candidates, draw(tags), seed, draw(texts), *direction)


@given(st.builds(Storyboard, tags, texts, texts, st.lists(scenes(), max_size=3).map(tuple)))
def test_json_takes_a_storyboard_there_and_back(storyboard: Storyboard) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(storyboard)))) == storyboard


def example() -> dict[str, Any]:
    candidate = Candidate("In a snowy field, a white horse walks through the mist.", 0.1)
    scene = Scene(0.0, 10.0, "A", candidate.sentence, (candidate,), (("slow", 0.3),), 7, "oil")
    return to_dict(Storyboard((("slow", 0.3),), "by Claude Monet", "oil", (scene,)))


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (["artist"], 3, "artist"),
        (["scenes"], {}, "scenes"),
        (["scenes", 0], "A", "scene 1"),
        (["scenes", 0, "sentence"], " ", "scene 1: sentence"),
        (["scenes", 0, "start"], "zero", "scene 1: start"),
        (["scenes", 0, "start"], float("nan"), "scene 1: start"),
        (["scenes", 0, "end"], -1, "scene 1: end"),
        (["scenes", 0, "seed"], 1.5, "scene 1: seed"),
        (["scenes", 0, "seed"], True, "scene 1: seed"),
        (["scenes", 0, "seed"], -1, "scene 1: seed"),
        (["scenes", 0, "cluster"], 3, "scene 1: cluster"),
        (["scenes", 0, "negative"], None, "scene 1: negative"),
        (["scenes", 0, "camera"], "fly", "scene 1: camera"),
        (["scenes", 0, "camera"], [], "scene 1: camera"),
        (["scenes", 0, "intensity"], -0.1, "scene 1: intensity"),
        (["scenes", 0, "style"], 2.1, "scene 1: style"),
        (["scenes", 0, "tags", 0], ["slow"], "scene 1: tags, number 1,"),
        (["scenes", 0, "tags", 0, 1], "much", "scene 1: tags, number 1, the weight"),
        (["scenes", 0, "candidates", 0, "score"], None, "scene 1, candidate 1: score"),
    ],
)
def test_a_wrong_value_is_named(path: list[Any], value: Any, named: str) -> None:
    data = example()
    place: Any = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(AimvError) as caught:
        from_dict(data)
    assert str(caught.value).startswith(f"{named} ")


@pytest.mark.parametrize("name", ["artist", "look", "main_tags", "scenes"])
def test_a_missing_field_is_named(name: str) -> None:
    data = example()
    del data[name]
    with pytest.raises(AimvError, match=f"{name} is missing"):
        from_dict(data)


def test_a_missing_field_of_a_scene_is_named() -> None:
    data = example()
    del data["scenes"][0]["sentence"]
    with pytest.raises(AimvError, match=r"^scene 1: sentence is missing"):
        from_dict(data)


def test_what_nobody_chose_is_not_written() -> None:
    assert set(example()["scenes"][0]).isdisjoint({"negative", "camera", "intensity", "style"})


def test_a_scene_added_by_hand_needs_a_start_and_a_sentence() -> None:
    data = example()
    other = {**data["scenes"][0], "start": 10.0, "end": 20.0, "cluster": "B", "seed": 8, "tags": [["loud", 0.9]]}
    added = [{"start": start, "sentence": "A boat on a lake."} for start in (20.0, 40.0)]
    again = {**added[1], "cluster": "A"}
    data["scenes"] += [other, added[0], {**again, "start": 30.0}, {**again, "cluster": "C"}]
    first, second, third, fourth, last = from_dict(data, song_end=50.0).scenes
    assert (third.end, third.cluster, third.seed, third.tags) == (30.0, "B", 8, second.tags)
    assert (fourth.end, fourth.seed, fourth.tags) == (40.0, first.seed, first.tags)
    assert (last.end, last.look, last.candidates, last.tags) == (50.0, "oil", (), (("slow", 0.3),))
    assert last.seed not in (7, 8)
    with pytest.raises(AimvError, match=r"^scene 5: end is missing"):
        from_dict(data)


def test_what_is_no_storyboard_at_all_is_refused() -> None:
    with pytest.raises(AimvError, match=r"^it must be an object"):
        from_dict([1, 2])


def test_own_notes_in_the_file_do_no_harm() -> None:
    data = example()
    data["note"] = "the horse again?"
    assert from_dict(data) == from_dict(example())

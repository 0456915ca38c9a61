"""The word tables, designed openings and endings, and the filters."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimv_engine.storyboard import endings, filters, openings
from aimv_engine.storyboard.vocabulary import artists, vocabulary, words
from aimv_engine.tagging import vocabulary as tagging

TAGS = [tag for tags in tagging.TAGS.values() for tag in tags]
tag_sets = st.lists(st.tuples(st.sampled_from(TAGS), st.floats(0, 1)), max_size=8).map(tuple)


def test_every_tag_of_both_taggers_has_a_meaning() -> None:
    assert len(TAGS) == 100
    assert {tag.lower() for tag in TAGS} <= set(vocabulary().tags)


def test_the_tables_fit_together() -> None:
    tables = vocabulary()
    for name, meaning in tables.tags.items():
        assert set(meaning.places) <= set(tables.places), name
        assert set(meaning.who) <= set(tables.subjects), name
    assert {subject.acts for rows in tables.subjects.values() for subject in rows} == set(tables.actions)
    settings = {place.setting for rows in tables.places.values() for place in rows}
    assert {where for action in tables.actions.values() for where in action.where} == settings
    assert set(tables.endings) == settings | {"open"}
    assert all(action.seat for action in tables.actions.values() if "seat" in action.where)
    assert len(artists()) >= 30


def test_no_word_about_music_reaches_the_model() -> None:
    tables = vocabulary()
    said = [place.words for rows in tables.places.values() for place in rows]
    said += [subject.words for rows in tables.subjects.values() for subject in rows]
    said += [phrase for action in tables.actions.values() for phrase in action.slow + action.fast + action.seat]
    said += [adjective for meaning in tables.tags.values() for adjective in meaning.adjectives]
    said += [phrase for rows in tables.variations.values() for phrase in rows]
    said += [phrase for paces in tables.endings.values() for rows in paces.values() for phrase in rows]
    said += [text for shot in tables.shots for text in shot]
    for text in said:
        assert not words().music & set(filters.split(text)), text


@given(tag_sets, st.floats(0, 1), st.integers(0, 2**31 - 1))
def test_openings_fit_and_use_nothing_twice(tags: tuple[tuple[str, float], ...], energy: float, seed: int) -> None:
    mood = openings.mood(tags, energy)
    assert 1 <= len(mood.adjectives) <= openings.ADJECTIVES
    places: set[str] = set()
    subjects: set[str] = set()
    for step in range(12):
        (made,) = openings.openings(mood, 1, random.Random(seed + step), places, subjects)
        assert made.place.words not in places
        assert openings.identity(made.subject) not in subjects
        assert made.place.setting in vocabulary().actions[made.subject.acts].where
        assert made.subject.words in made.text.lower()
        assert made.place.words in made.text[0].lower() + made.text[1:]
        places.add(made.place.words)
        subjects.add(openings.identity(made.subject))


def test_openings_go_on_when_everything_that_fits_is_used() -> None:
    mood = openings.mood((("harpsichord", 1.0),), 0.5)
    court = {openings.identity(subject) for subject in vocabulary().subjects["court"]}
    palace = {place.words for place in vocabulary().places["palace"]}
    for made in openings.openings(mood, 20, random.Random(1), palace, court):
        assert made.place.words not in palace
        assert openings.identity(made.subject) not in court


def test_tags_decide_who_where_and_how_wild() -> None:
    metal = openings.mood((("metal", 0.7), ("loud", 0.5)), 0.9)
    ambient = openings.mood((("ambient", 0.7), ("slow", 0.5)), 0.2)
    assert metal.pace > 0 > ambient.pace
    assert metal.adjectives[:2] == ("fierce", "violent")
    assert "nature" in ambient.who
    assert max(metal.places, key=lambda kind: metal.places[kind]) in ("storm", "ruin")


def test_a_song_without_tags_is_quiet() -> None:
    mood = openings.mood((), 0.0)
    assert mood.pace < 0
    assert mood.adjectives == ("quiet", "still")


def test_a_scene_returns_with_its_place_and_subject() -> None:
    mood = openings.mood((("ambient", 0.5),), 0.3)
    (first,) = openings.openings(mood, 1, random.Random(3), (), ())
    groups = openings.variations(first, mood.pace, count=5, tries=2, chance=random.Random(4))
    assert [len(group) for group in groups] == [2] * 5
    assert len({group[0].text.split(",")[0] for group in groups}) > 1
    for group in groups:
        assert all(first.place.words in again.text and first.subject.words in again.text for again in group)


FIELD = "In a snowy field, a white horse walks through"


@pytest.mark.parametrize(
    ("rest", "fault"),
    [
        (" the deep grey fog.", ""),
        (" the deep white", "unfinished"),
        (" snow. It", "unfinished"),
        (" mud.", "length"),
        (" 3 red gates.", "sign"),
        (" the song of a bird.", "banned word"),
        (" the memory of a tree.", "banned word"),
        (" the white white fog.", "repeats"),
        (" the door of a bathroom.", "second place"),
        (" the fog under a noon moon.", "contradiction"),
        (" the gate of a burning barn.", "contradiction"),
        (" the gate as if in fog.", "cliche"),
        (" the gate to the horizon of the.", "dangling"),
    ],
)
def test_faults_are_found(rest: str, fault: str) -> None:
    assert filters.fault(FIELD + rest, FIELD, -1.0, "wild", ()) == fault


def test_faults_that_depend_on_the_rest_of_the_film() -> None:
    sentence = FIELD + " a ring of burned stones."
    said = "On a pier, a woman steps over a ring of burned stones."
    assert filters.fault(sentence, FIELD, -1.0, "wild", ()) == ""
    assert filters.fault(sentence, FIELD, -1.0, "wild", [said]) == "said before"
    assert filters.fault(sentence, FIELD, -3.0, "wild", ()) == "unlikely"


def test_settings_rule_out_other_places() -> None:
    opening = "In a warm attic, a girl with a red scarf walks slowly toward"
    assert filters.fault(opening + " a tower of books.", opening, -1.0, "room", ()) == "second place"
    assert filters.fault(opening + " the falling rain.", opening, -1.0, "room", ()) == "sky in a room"
    assert filters.fault(opening + " his green window.", opening, -1.0, "room", ()) == "pronoun"
    assert filters.fault(opening + " her green window.", opening, -1.0, "room", ()) == ""


def test_where_a_subject_ends() -> None:
    assert filters.subject_part("On a pier, a woman steps over a rope.") == "On a pier, a woman"


def test_an_ending_repeats_and_contradicts_nothing() -> None:
    sentence = "In a field of sunflowers, a fox looks up at a bird."
    found = endings.endings(sentence, "wild", pace=-1.0, used=["as mist drifts past"])
    assert "as the sky turns rose and silver" in found
    assert "while snow begins to fall" not in found
    assert "as mist drifts past" not in found

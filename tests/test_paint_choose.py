"""Sentences lead to the places, lights and things they speak of; tags lean where a sentence leaves it open."""

import pytest

from aimv_engine.frames.generators.paint.catalogue import catalogue
from aimv_engine.frames.generators.paint.choose import COLLECTIVE, COLOURS, Chooser
from aimv_engine.frames.generators.paint.scene import AFTER, STEPS, steps_of
from aimv_engine.text_embedding import TextEmbedder


@pytest.fixture(scope="module")
def chooser() -> Chooser:
    return Chooser(TextEmbedder())


@pytest.mark.parametrize(
    ("sentence", "places"),
    [
        ("A beautiful and mysterious forest is shrouded in a soft, misty light", {"forest"}),
        ("Waves roll towards an empty beach while seagulls circle in the red evening sky", {"beach", "sea"}),
        ("A woman walks alone through neon streets in the rain", {"street"}),
        ("A quiet lake below snowy peaks at sunrise", {"lake"}),
        ("Two lovers sit by the camp fire under the stars", {"fire"}),
        ("An astronaut drifts past a giant ringed planet", {"planet"}),
        ("Dancing bodies and laser beams in a sweaty warehouse", {"club"}),
        ("Wild poppies sway in the summer breeze", {"meadow"}),
        ("A wanderer crosses endless dunes in the golden heat", {"desert"}),
        ("Skyscrapers glitter across the harbour at midnight", {"skyline"}),
        ("Falling into a glowing wormhole", {"tunnel"}),
        ("An empty highway leads into the distance at dusk", {"road"}),
        ("In a ruined cathedral, a crowd with torches drives a chariot through the flames.", {"hall"}),
        ("In a server room full of blue lights, a paper boat lies on a pool of water.", {"machine"}),
        ("In a dusty ballroom, thick fog rolls up the walls and falls on the floor.", {"palace"}),
        ("In a field of marigolds, a tired man with a suitcase closes his eyes.", {"marigolds"}),
        ("On a rooftop above the city, a black horse lowers its head.", {"rooftop"}),
        ("An old man in a grey hat in a wheat field sits on a fence.", {"wheat"}),
        ("In a corridor of red light, a woman with a lantern walks across a bridge.", {"corridor"}),
        ("In the surf at sunset, a child in a raincoat runs.", {"beach", "sea"}),
    ],
)
def test_places(chooser, sentence, places):
    assert chooser.choose(sentence).place in places


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("in a corridor of red light", "corridor"),
        ("in a parking garage lit by green tubes", "station"),
        ("in a glass laboratory", "machine"),
        ("at the foot of a lighthouse", "cliff"),
        ("in a marsh full of reeds", "lake"),
        ("on a desert highway", "canyon"),
        ("on a hill above a sea of clouds", "clouds"),
        ("on a long wooden pier", "sea"),
        ("in a snowy field", "snow"),
        ("in a burned forest", "burned"),
        ("on a ferry full of flowers", "lake"),
    ],
)
@pytest.mark.parametrize(
    "said",
    [
        "{}, a woman made of mirrors leans against a white pillar as violet neon blinks on and off.",
        "Seen from behind, {}, a woman made of mirrors leans against a pillar.",
        "In falling rain, {}, a man drives past a row of palm trees.",
        "A woman made of mirrors {} leans against a pillar as flames race up the walls.",
    ],
)
def test_the_words_that_say_where_decide_whatever_else_is_said(chooser, where, place, said):
    assert chooser.choose(said.format(where)).place == place


@pytest.mark.parametrize(
    ("sentence", "light"),
    [
        ("A lake at dawn", "dawn"),
        ("A mountain valley at night under the moon", "night"),
        ("A field under a black thundercloud", "storm"),
        ("Fog over the fields", "mist"),
        ("A street of neon signs", "neon"),
    ],
)
def test_lights(chooser, sentence, light):
    assert chooser.choose(sentence).light == light


def test_things_and_their_colours(chooser):
    things = dict(chooser.choose("On a snowy bridge, a girl in a yellow dress holds a red balloon.").things)
    assert things["woman"] == COLOURS["yellow"]
    assert things["balloon"] == COLOURS["red"]


def test_nothing_is_added_that_was_not_said(chooser):
    for sentence in ("A mountain valley", "A quiet street", "Endless dunes", "An empty road to the horizon"):
        assert chooser.choose(sentence).things == ()


def test_boats_need_water_and_birds_a_sky(chooser):
    assert "boat" not in dict(chooser.choose("A boat in a long corridor").things)
    assert "birds" not in dict(chooser.choose("Birds in a server room").things)
    assert "boat" in dict(chooser.choose("A boat on a lake").things)


def test_tags_lean_the_light_where_the_sentence_leaves_it_open(chooser):
    sentence = "A street between houses"
    hard = chooser.choose(sentence, (("techno", 0.5), ("fast", 0.3)))
    soft = chooser.choose(sentence, (("folk", 0.5), ("soft", 0.3)))
    assert hard.light != soft.light
    assert hard.place == soft.place == "street"


def test_the_catalogue_names_only_painters_and_lights_that_exist():
    known, entries = {*STEPS, *AFTER}, catalogue()
    for entry in (*entries.places.values(), *entries.things.values()):
        assert set(entry.steps) <= known, entry.name
    for place in entries.places.values():
        assert place.light in entries.lights
        assert place.phrases
        assert not place.lends or place.lends in known


MISTY = "A man and a woman walk in a misty forest at night as birds fly over"


@pytest.mark.parametrize(
    ("negative", "kind", "name"),
    [
        ("forest", "place", "forest"),
        ("haze", "light", "mist"),
        ("birds", "things", "birds"),
        ("ugly, a flock of seagulls flying", "things", "birds"),
        ("man", "things", "man"),
        ("blurry, people", "things", "woman"),
        ("animals", "things", "birds"),
        ("Forests", "place", "forest"),
    ],
)
def test_what_a_negative_prompt_names_is_not_chosen(chooser, negative, kind, name):
    def chosen(negative):
        found = getattr(chooser.choose(MISTY, (), negative), kind)
        return [thing for thing, _ in found] if kind == "things" else [found]

    assert name in chosen("")
    assert name not in chosen(negative)
    assert chosen(negative)


def test_a_negative_prompt_about_something_else_changes_nothing(chooser):
    assert chooser.choose(MISTY, (), "blurry, low quality, text, watermark") == chooser.choose(MISTY)


def test_what_the_sentence_calls_for_by_another_word_stays(chooser):
    street = "A woman walks alone through neon streets in the rain"
    assert chooser.choose(street, (), "cars").place == "street"
    assert chooser.choose(street, (), "street").place != "street"


def test_collective_names_are_those_of_the_catalogue():
    assert {name for names in COLLECTIVE.values() for name in names} <= set(catalogue().things)


def test_a_place_does_without_what_is_not_wanted(chooser):
    club = "Dancing bodies and laser beams in a sweaty warehouse"
    assert "crowd" in steps_of(chooser.choose(club))
    assert "crowd" not in steps_of(chooser.choose(club, (), "crowd"))
    everything = " ".join(word for entry in catalogue().places.values() for word in entry.words)
    assert chooser.choose(club, (), everything).place in catalogue().places

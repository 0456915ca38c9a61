"""Writes the storyboard: a scene for each cluster of the song, varied each time its music comes back."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from aimv_engine import looks
from aimv_engine.heartbeat import Heartbeat, meanwhile
from aimv_engine.progress import Progress, silent
from aimv_engine.storyboard import fewshot, filters, language_model, sampling
from aimv_engine.storyboard import openings as design
from aimv_engine.storyboard.artist import choose_artist
from aimv_engine.storyboard.endings import endings_in, finish
from aimv_engine.storyboard.language_model import LanguageModel
from aimv_engine.storyboard.ranking import Ranker, Taste, remembering
from aimv_engine.storyboard.sampling import Draft, Recipe
from aimv_engine.storyboard.scene import Candidate, Scene, Storyboard, Tags, cluster_seed
from aimv_engine.storyboard.vocabulary import vocabulary, words
from aimv_engine.text_embedding import TextEmbedder

if TYPE_CHECKING:  # the types only: segmentation brings scikit-learn along
    from aimv_engine.segmentation import Segment

DRAFTS = 32  # sentences written for a new scene ...
RETURN_DRAFTS = 10  # ... and for each return of it
ATTEMPTS = 3  # batches before a designed sentence takes the place of a written one
KEPT = 6  # candidates that a person can choose from
PROMPTS, SHOTS = 4, 6  # different sets of examples in a batch, and examples in each
LIFT = 1.5  # how much more a tag counts that is heavier in its cluster than in the song
DESIGNED = -1.0  # the score of a sentence that nobody wrote
LIGHTS = ("last", "pale", "golden", "blue")


@dataclass
class _Film:
    """What has been written so far, and with what."""

    model: LanguageModel
    ranker: Ranker
    masks: sampling.Masks
    guided: bool
    tick: Heartbeat
    examples: sampling.Reading  # read once for the whole film
    said: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    endings: set[str] = field(default_factory=set)
    props: set[str] = field(default_factory=set)  # what sentences end with: one lantern a film is enough


@dataclass(frozen=True)
class _Start:
    """The first words that the model is given: designed ones, or none where it finds the place itself."""

    text: str
    opening: design.Opening | None

    @property
    def setting(self) -> str | None:
        return self.opening.place.setting if self.opening else None


def write_storyboard(
    segments: "Sequence[Segment]",
    main_tags: Tags,
    *,
    seed: int,
    look: str | None = None,
    model: LanguageModel | str | None = None,
    ranker: Ranker | None = None,
    guided: bool | None = None,
    progress: Progress = silent,
) -> Storyboard:
    """The storyboard of a song: one scene a segment; segments of a cluster share place, subject and seed.

    `look` is the name of a preset (the one that suits the main tags when left out), `model` what `language_model.load`
    gives or takes (None: the embedded one), `ranker` a `TextEmbedder` or a `ClipText` (the former). `guided` turns
    guided sampling on or off: by measurement it is off for the embedded model, and on for larger ones.
    Equal arguments give equal storyboards. Raises AimvError when a model or a look is missing.
    """
    look = looks.load(look).name if look else suggest_look(main_tags)
    if not isinstance(model, LanguageModel):
        model = language_model.load(model, progress=progress)
    clusters = list(dict.fromkeys(segment.cluster for segment in segments))
    done = 0
    sentences: dict[int, tuple[Candidate, ...]] = {}
    with language_model.fixed_threads(model.threads):
        film = _open(model, ranker, seed, guided, lambda: progress("storyboard", done, len(clusters)))
        for done, cluster in enumerate(clusters):  # noqa: B007  (read by the progress above)
            numbers = [i for i, segment in enumerate(segments) if segment.cluster == cluster]
            written = _write_cluster(film, [segments[i] for i in numbers], main_tags, cluster_seed(seed, cluster))
            sentences.update(zip(numbers, written, strict=True))
    scenes = tuple(
        Scene(
            start=segment.start,
            end=segment.end,
            cluster=segment.cluster,
            sentence=sentences[i][0].sentence,
            candidates=sentences[i],
            tags=segment.tags,
            seed=cluster_seed(seed, segment.cluster),
            look=look,
        )
        for i, segment in enumerate(segments)
    )
    artist = choose_artist(design.mood(main_tags, energy=0.5).adjectives, seed, film.ranker)
    progress("storyboard", len(clusters), len(clusters))
    return Storyboard(main_tags=main_tags, artist=artist, look=look, scenes=scenes)


def rewrite(
    tags: Tags,
    main_tags: Tags,
    energy: float,
    cluster: str,
    seed: int,
    avoid: Sequence[str],
    *,
    model: LanguageModel | str | None = None,
    ranker: Ranker | None = None,
    guided: bool | None = None,
    progress: Progress = silent,
) -> tuple[Candidate, ...]:
    """Other sentences for one scene, at most KEPT and the best first, none like those in `avoid`.

    `tags` and `energy` (0 to 1) are those of the scene; for the rest see `write_storyboard`. Equal arguments give equal
    sentences, and another `seed` gives others.
    """
    if not isinstance(model, LanguageModel):
        model = language_model.load(model, progress=progress)
    with language_model.fixed_threads(model.threads):
        film = _open(model, ranker, seed, guided, lambda: progress("rewriting", 0, 1), avoid)
        mood = design.mood(characteristic(tags, main_tags), energy)
        _, candidates = _new_scene(film, mood, random.Random(cluster_seed(seed, cluster)))
    progress("rewriting", 1, 1)
    return candidates


def suggest_look(main_tags: Tags) -> str:
    """The look whose `suits` weigh most among the main tags; the first in the alphabet where none suits."""
    weight = {tag.lower(): value for tag, value in main_tags}
    return max(looks.names(), key=lambda name: sum(weight.get(tag.lower(), 0.0) for tag in looks.load(name).suits))


def characteristic(tags: Tags, main_tags: Tags) -> Tags:
    """A cluster's tags, heaviest first, with those lifted that set it apart from the rest of the song."""
    usual = dict(main_tags)
    lifted = [(tag, weight + LIFT * max(0.0, weight - usual.get(tag, 0.0))) for tag, weight in tags]
    return tuple(sorted(lifted, key=lambda pair: -pair[1]))


def _open(
    model: LanguageModel,
    ranker: Ranker | None,
    seed: int,
    guided: bool | None,
    tick: Heartbeat,
    said: Sequence[str] = (),
) -> _Film:
    tick()
    ranker = ranker or meanwhile(TextEmbedder, tick)
    examples = design.examples if model.embedded else fewshot.examples
    chance = random.Random(seed)
    return _Film(
        model=model,
        ranker=remembering(lambda texts: meanwhile(partial(ranker, texts), tick)),
        masks=meanwhile(lambda: sampling.masks(model, words().banned, words().function), tick),
        guided=not model.embedded if guided is None else guided,
        tick=tick,
        examples=meanwhile(partial(sampling.Reading, model, [examples(SHOTS, chance) for _ in range(PROMPTS)]), tick),
        said=list(said),
        places=design.places_in(said),
        subjects=design.subjects_in(said) if model.embedded else {_head(sentence) for sentence in said},
        endings=endings_in(said),
    )


def _write_cluster(
    film: _Film, segments: "Sequence[Segment]", main_tags: Tags, seed: int
) -> list[tuple[Candidate, ...]]:
    """The candidates for each segment of a cluster, the best first."""
    chance = random.Random(seed)
    energy = sum(segment.energy for segment in segments) / len(segments)
    mood = design.mood(characteristic(segments[0].tags, main_tags), energy)
    start, candidates = _new_scene(film, mood, chance)
    earlier = list(film.said)  # the returns of this scene may be alike, but not like other scenes
    film.said.append(candidates[0].sentence)
    if start.opening:
        film.places.add(start.opening.place.words)
        film.subjects.add(design.identity(start.opening.subject))
    else:
        film.subjects.add(_head(candidates[0].sentence))
    returns = _returns(film, start, candidates[0].sentence, mood, len(segments) - 1, earlier, chance)
    film.said.extend(row[0].sentence for row in returns)
    return [candidates, *returns]


def _new_scene(film: _Film, mood: design.Mood, chance: random.Random) -> tuple[_Start, tuple[Candidate, ...]]:
    """A place and a subject that the film has not had yet, and sentences about such, the first about this one."""
    taste = Taste(film.ranker, mood.adjectives, film.said)
    for _ in range(ATTEMPTS):
        starts = [_Start("", None)] * DRAFTS
        if film.model.embedded:
            made = design.openings(mood, DRAFTS, chance, film.places, film.subjects)
            starts = [_Start(opening.text, opening) for opening in made]
        drafts = _write(film, starts, mood, chance, taste.partial if film.guided else None)
        fit = [draft for draft in drafts if not _fault(film, draft, starts[draft.choice], film.said)]
        ranked = taste.rank(fit)
        if ranked:
            film.props.add(filters.split(ranked[0][0].text)[-1])
            return starts[ranked[0][0].choice], _finish(film, _varied(ranked, starts), mood)
    opening = design.openings(mood, 1, chance, film.places, film.subjects)[0]
    return _Start(opening.text, opening), (_designed(opening, chance),)


def _varied(ranked: Sequence[tuple[Draft, Candidate]], starts: Sequence[_Start]) -> list[tuple[_Start, Candidate]]:
    """The best candidates with no subject twice, so that a person has a real choice."""
    kept: dict[str, tuple[_Start, Candidate]] = {}
    for draft, candidate in ranked:
        start = starts[draft.choice]
        kept.setdefault(design.identity(start.opening.subject) if start.opening else draft.text, (start, candidate))
    return list(kept.values())[:KEPT]


def _finish(film: _Film, choices: Sequence[tuple[_Start, Candidate]], mood: design.Mood) -> tuple[Candidate, ...]:
    """The candidates with a designed ending where they bear one; that of the first is used up."""
    finished: list[Candidate] = []
    used = set(film.endings)
    for start, candidate in choices:
        sentence, ending = candidate.sentence, ""
        if start.opening:
            sentence, ending = finish(sentence, start.opening, mood, used, film.ranker)
        used.add(ending)
        if not finished:
            film.endings.add(ending)
        finished.append(Candidate(sentence, candidate.score))
    return tuple(finished)


def _returns(
    film: _Film,
    first: _Start,
    sentence: str,
    mood: design.Mood,
    count: int,
    earlier: Sequence[str],
    chance: random.Random,
) -> list[tuple[Candidate, ...]]:
    """Candidates for each of `count` further scenes with the place and subject of the first."""
    if not count:
        return []
    if first.opening:
        groups = design.variations(first.opening, mood.pace, count, RETURN_DRAFTS, chance)
        starts = [_Start(opening.text, opening) for group in groups for opening in group]
    else:
        begins = design.seen_again(filters.subject_part(sentence), count, chance)
        starts = [_Start(text, None) for text in begins for _ in range(RETURN_DRAFTS)]
    drafts = _write(film, starts, mood, chance, guide=None)
    said = [*earlier, sentence]
    found = []
    for i in range(count):
        group = range(i * RETURN_DRAFTS, (i + 1) * RETURN_DRAFTS)
        fit = [drafts[n] for n in group if not _fault(film, drafts[n], starts[n], said)]
        chosen = Taste(film.ranker, mood.adjectives, earlier).rank(fit)[:KEPT]
        candidates = _finish(film, [(starts[draft.choice], candidate) for draft, candidate in chosen], mood)
        found.append(candidates or (_again(starts[group[0]], sentence),))
        said.append(found[-1][0].sentence)
    return found


def _write(
    film: _Film, starts: Sequence[_Start], mood: design.Mood, chance: random.Random, guide: sampling.Guide | None
) -> list[Draft]:
    import torch

    request = design.request if film.model.embedded else fewshot.request
    ids = sampling.tokens(film.model, request(mood.adjectives))
    return sampling.complete(
        film.model,
        film.examples.branch(range(PROMPTS), [ids] * PROMPTS),
        [start.text for start in starts],
        film.masks,
        torch.Generator().manual_seed(chance.getrandbits(32)),
        Recipe(),
        guide,
        film.tick,
    )


def _fault(film: _Film, draft: Draft, start: _Start, said: Sequence[str]) -> str:
    if not start.text and _head(draft.text) in film.subjects:
        return "subject used"
    if draft.text and filters.split(draft.text)[-1] in film.props:
        return "prop used"
    return filters.fault(draft.text, draft.opening, draft.likelihood, start.setting, said)


def _head(sentence: str) -> str:
    """The word that a sentence's subject ends with, where nobody designed it."""
    return filters.split(filters.subject_part(sentence))[-1]


def _designed(opening: design.Opening, chance: random.Random) -> Candidate:
    """A sentence without the language model, so that no scene is ever empty."""
    verb = "wait" if vocabulary().actions[opening.subject.acts].plural else "waits"
    place = opening.place.words[0].upper() + opening.place.words[1:]
    return Candidate(f"{place}, {opening.subject.words} {verb} in the {chance.choice(LIGHTS)} light.", DESIGNED)


def _again(start: _Start, sentence: str) -> Candidate:
    """The first sentence in the way that a return of it was to be seen, where none was written that could be used."""
    way = start.text.split(",")[0]
    if filters.contradicts(filters.split(way), filters.split(sentence)):
        return Candidate(sentence, DESIGNED)
    return Candidate(f"{way}, {sentence[0].lower()}{sentence[1:]}", DESIGNED)

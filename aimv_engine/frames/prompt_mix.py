"""Mixes the texts of a keyframe into what a diffusion model is told. docs/mixing.md shows what each way does, and why.

Texts are read by the model's own encoders, and mixed in the space of what these give: rows of token embeddings. A
single text of weight 1 is handed on untouched.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import torch

from aimv_engine.frames.generators.diffusion.adapter import Adapter
from aimv_engine.frames.generators.diffusion.encoding import Encoding
from aimv_engine.frames.plan import Role, WeightedText
from aimv_engine.storyboard.vocabulary import vocabulary

Pieces = tuple[tuple[str, float], ...]  # of a text, with their weights
Read = Callable[[Pieces], Encoding]
Told = list[tuple[Pieces, float]]  # texts, with theirs

NONE = ""  # what a model takes for no text at all (zeros for some): as a negative, and to fill up
BLANK = " "  # a text without words, which every model reads like any other
REMEMBERED = 32  # encodings: a scene and its neighbor need a dozen; one takes from 0.2 MB (SD 1.5) to 5 MB (SD 3)
NUMBER = r"(\d++(?:\.\d++)?+)"
MARKED = re.compile(rf"(?<!\w)\(([^()]*)(?::\s*{NUMBER}\)|\){NUMBER})(?!\w)")  # (words:1.3) or (words)1.3


@dataclass(frozen=True)
class Part:
    """Texts that are mixed with each other. `behind`: roles whose texts each of them ends with, as one text.

    slerp         turned from one into the next by their weights (the rest up to 1 is the blank text's)
    average       added up by their weights (likewise)
    concatenate   one after the other, each drawn towards the blank text as far as its weight is below 1
    heaviest      the one with the greatest weight alone, for models whose texts can't be mixed
    """

    roles: tuple[Role, ...]
    way: Literal["slerp", "average", "concatenate", "heaviest"]
    behind: tuple[Role, ...] = ()


@dataclass(frozen=True)
class MixRecipe:
    """What becomes of the roles: the parts follow one another, each in token blocks of its own. A role that no part
    names is left out."""

    positive: tuple[Part, ...]
    negative: tuple[Part, ...]


STYLE: tuple[Role, ...] = ("artist", "look")
TAGS: tuple[Role, ...] = ("tag", "heard tag")
# The reasons are in docs/mixing.md, one a part.
DEFAULT = MixRecipe(
    positive=(Part(("scene", "next scene"), "slerp", behind=STYLE), Part(("heard tag",), "average")),
    negative=(Part(("negative", "next negative"), "slerp"),),
)
UNMIXED = MixRecipe(
    positive=(Part(("scene", "next scene"), "heaviest", behind=STYLE),),
    negative=(Part(("negative", "next negative"), "heaviest"),),
)


def recipe_for(adapter: Adapter) -> MixRecipe:
    """The recipe that suits a family."""
    return UNMIXED if adapter.mixable else DEFAULT


def mix(texts: Sequence[WeightedText], read: Read, recipe: MixRecipe = DEFAULT) -> tuple[Encoding, Encoding]:
    """What a model is told for a keyframe: (what is to be seen, what is not)."""
    seen = [block for part in recipe.positive for block in _blocks(part, texts, read, BLANK)]
    unseen = [block for part in recipe.negative for block in _blocks(part, texts, read, NONE)]
    return concatenate(seen or [read(_whole(BLANK))]), concatenate(unseen or [read(_whole(NONE))])


def _blocks(part: Part, texts: Sequence[WeightedText], read: Read, rest: str) -> list[Encoding]:
    """A part's token blocks; none when the keyframe has no text of its roles."""
    told = [(_words(text), text.weight) for role in part.roles for text in texts if text.role == role]
    tail = [
        (f", {words}", weight * text.weight)
        for role in part.behind
        for text in texts
        if text.role == role
        for words, weight in _words(text)
    ]
    told = [((*_unended(words), *tail) if tail else words, weight) for words, weight in told if words]
    if not told:
        return []
    if part.way == "heaviest":
        return [read(max(told, key=lambda text: text[1])[0])]
    if part.way == "concatenate":
        return [_averaged([(words, weight), (_whole(rest), 1.0 - weight)], read) for words, weight in told]
    missing = 1.0 - math.fsum(weight for _, weight in told)
    if missing > 1e-6:
        told.append((_whole(rest), missing))
    return [_averaged(told, read) if part.way == "average" else _turned(told, read)]


def _averaged(told: Told, read: Read) -> Encoding:
    told = [(words, weight) for words, weight in told if weight]
    encodings = fitted([read(words) for words, _ in told], read(_whole(NONE)))
    return average(list(zip(encodings, (weight for _, weight in told), strict=True)))


def _turned(told: Told, read: Read) -> Encoding:
    turned, *others = fitted([read(words) for words, _ in told], read(_whole(NONE)))
    passed = told[0][1]
    for other, (_, weight) in zip(others, told[1:], strict=True):
        passed += weight
        turned = slerp(turned, other, weight / passed) if weight else turned
    return turned


def _words(text: WeightedText) -> Pieces:
    """What a model reads of a text: of a tag of music what it means for a picture, its adjectives."""
    meaning = vocabulary().tags.get(text.text.lower()) if text.role in TAGS else None
    return pieces_of(", ".join(meaning.adjectives) if meaning else text.text)


def _whole(text: str) -> Pieces:
    return ((text, 1.0),)


def _unended(pieces: Pieces) -> Pieces:
    """Without the full stop, for more to follow."""
    *before, (words, weight) = pieces
    return (*before, (words.rstrip(" ."), weight))


# pure functions on encodings of one length ----------------------------------------------------------------------


def average(pairs: Sequence[tuple[Encoding, float]]) -> Encoding:
    """The weighted mean, row by row. Weights are made to add up to 1; one below 0 leads away from its text."""
    if len(pairs) == 1:
        return pairs[0][0]
    total = math.fsum(weight for _, weight in pairs)

    def mean(rows: Sequence[torch.Tensor]) -> torch.Tensor:
        weighted = [row * (weight / total) for row, (_, weight) in zip(rows, pairs, strict=True)]
        return torch.stack(weighted).sum(0)

    return _by_field(mean, [encoding for encoding, _ in pairs])


def slerp(one: Encoding, other: Encoding, t: float) -> Encoding:
    """On the way from one text (t = 0) to the other (1) along the great circle, row by row (Shoemake 1985).

    The lengths of rows go evenly from one to the other; a straight way would lead nearer to zero, where texts say less.
    """

    def turn(rows: Sequence[torch.Tensor]) -> torch.Tensor:
        first, last = rows
        begin, end = (row.norm(dim=-1, keepdim=True) for row in rows)
        u, v = first / begin, last / end
        # Kahan's formula for an angle, exact for small ones too
        angle = 2 * torch.atan2((u - v).norm(dim=-1, keepdim=True), (u + v).norm(dim=-1, keepdim=True))
        circle = (u * ((1 - t) * angle).sin() + v * (t * angle).sin()) / angle.sin() * torch.lerp(begin, end, t)
        # rows without a length and rows alike have no circle between them, opposite ones have many
        clear = (angle > 1e-4) & (angle < math.pi - 1e-2)
        return torch.where(clear, circle, torch.lerp(first, last, t))

    if t in (0.0, 1.0):
        return other if t else one
    return _by_field(turn, [one, other])


def concatenate(blocks: Sequence[Encoding]) -> Encoding:
    """The blocks as one text, one after the other. What stands for the text as a whole is the first one's."""
    if len(blocks) == 1:
        return blocks[0]
    return replace(blocks[0], tokens=torch.cat([block.tokens for block in blocks]))


def fitted(encodings: Sequence[Encoding], none: Encoding) -> list[Encoding]:
    """The encodings filled up to the length of the longest, by that of no text."""
    longest = max(len(encoding.tokens) for encoding in encodings)

    def fit(encoding: Encoding) -> Encoding:
        missing = longest - len(encoding.tokens)
        if not missing:
            return encoding
        filling = none.tokens.repeat(math.ceil(missing / len(none.tokens)), 1)[:missing]
        return replace(encoding, tokens=torch.cat([encoding.tokens, filling]))

    return [fit(encoding) for encoding in encodings]


def _by_field(join: Callable[[Sequence[torch.Tensor]], torch.Tensor], encodings: Sequence[Encoding]) -> Encoding:
    tokens = join([encoding.tokens for encoding in encodings])
    pooled = [encoding.pooled for encoding in encodings if encoding.pooled is not None]
    return Encoding(tokens, join(pooled) if pooled else None)


# weights within a text ------------------------------------------------------------------------------------------


def pieces_of(text: str) -> Pieces:
    """A text in pieces: "a (red:1.3) sea" has three. Other parentheses are the text's own."""
    found, end = [], 0
    for mark in MARKED.finditer(text):
        found += [(text[end : mark.start()], 1.0), (mark[1], float(mark[2] or mark[3]))]
        end = mark.end()
    return tuple((words, weight) for words, weight in [*found, (text[end:], 1.0)] if words)


def reader(adapter: Adapter) -> Read:
    """Reads texts through an adapter, with the weights of their words; what is read once is remembered for a while.

    A weight below 1 is the share of the text with these words; the rest is the text without them. A weight above 1
    leads the words' rows away from those of the blank text. A family that can't mix leaves out words below 0.5.
    """
    encode = lru_cache(REMEMBERED)(adapter.encode)

    def raised(pieces: Pieces) -> Encoding:
        encoding = encode("".join(words for words, _ in pieces))
        if all(weight == 1.0 for _, weight in pieces):
            return encoding
        weights = adapter.row_weights(pieces)[:, None]
        _, blank = fitted([encoding, encode(BLANK)], encode(BLANK))
        away = blank.tokens + weights * (encoding.tokens - blank.tokens)
        return replace(encoding, tokens=torch.where(weights == 1.0, encoding.tokens, away))

    def read(pieces: Pieces) -> Encoding:
        if adapter.mixable:
            return encode("".join(words for words, weight in pieces if weight >= 0.5))
        layers, below = [], 0.0
        for level in sorted({min(weight, 1.0) for _, weight in (*pieces, ("", 1.0))}):
            kept = tuple((words, max(weight, 1.0)) for words, weight in pieces if weight >= level)
            layers.append((raised(kept or _whole(BLANK)), level - below))
            below = level
        layers = [layer for layer in layers if layer[1]]
        encodings = fitted([encoding for encoding, _ in layers], encode(NONE))
        return average(list(zip(encodings, (share for _, share in layers), strict=True)))

    return read

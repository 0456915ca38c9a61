"""Many sentences at once from a language model: min-p sampling, masks, and guidance of unfinished sentences."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from aimv_engine.arrays import F32
from aimv_engine.heartbeat import Heartbeat, meanwhile, nothing
from aimv_engine.storyboard.language_model import LanguageModel

SCORE_TEMPERATURE = 0.05  # of guidance: how strongly a better partial sentence is preferred
ALLOWED = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ,.'-")

Guide = Callable[[Sequence[str]], F32]  # partial sentences -> scores [n], higher is better


@dataclass(frozen=True)
class Recipe:
    """How tokens are drawn. Measured for the embedded model; larger ones bear them too."""

    temperature: float = 0.5
    min_p: float = 0.08  # tokens less likely than this share of the likeliest are never drawn (Nguyen et al. 2024)
    repetition: float = 1.0  # taken from the logit of a word that the sentence has already
    shortest: int = 2  # tokens before a full stop may come
    soft_stop: int = 5  # tokens after which the full stop gets likelier ...
    stop_push: float = 0.4  # ... by this logit a token
    longest: int = 20
    guide_every: int = 4  # tokens between two rounds of guidance


@dataclass(frozen=True)
class Draft:
    """A sentence as the model left it."""

    opening: str
    text: str  # with the opening
    likelihood: float  # mean log-likelihood of the tokens that the model wrote
    choice: int  # which of the openings it goes on from (guidance copies drafts)


@dataclass(frozen=True)
class Masks:
    """Kinds of tokens, as booleans [vocabulary]."""

    stop: Any
    banned: Any
    function: Any


def masks(model: LanguageModel, banned: frozenset[str], function: frozenset[str]) -> Masks:
    """The masks of a model's vocabulary: `banned` words are never begun, `function` words may recur."""
    import torch

    stop = [piece.strip() == "." for piece in model.pieces]
    refused = [
        not piece.strip()
        or not ALLOWED.issuperset(piece)
        or ("." in piece and not full_stop)
        or (piece.startswith(" ") and piece.strip().lower() in banned)
        for piece, full_stop in zip(model.pieces, stop, strict=True)
    ]
    recurring = [piece.strip().lower() in function for piece in model.pieces]
    return Masks(torch.tensor(stop), torch.tensor(refused), torch.tensor(recurring))


class Reading:
    """What the network has read so far: n growing texts, padded on the left. Texts that begin alike share that part."""

    def __init__(self, model: LanguageModel, prompts: Sequence[str]) -> None:
        import torch
        from transformers import DynamicCache

        device = model.network.device
        self._model = model
        self._cache = DynamicCache(config=model.network.config)
        self._mask = torch.zeros((len(prompts), 0), dtype=torch.long, device=device)
        self._last = torch.full((len(prompts), 1), -1, device=device)  # position of the latest token
        self.logits = torch.zeros(0)  # of the next token, [n, vocabulary]
        self._read([model.tokenizer(prompt)["input_ids"] for prompt in prompts])

    def branch(self, rows: Sequence[int], texts: Sequence[list[int]]) -> "Reading":
        """A new reading that goes on from these rows, each with its text (token ids); this one stays as it is."""
        new = copy.copy(self)
        new._cache = copy.deepcopy(self._cache)
        new._select(rows)
        if any(texts):
            new._read(texts)
        return new

    def advance(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """Goes on with these rows only (a row may come twice), each with its next token."""
        self._select(rows)
        self._read([[token] for token in tokens])

    def _select(self, rows: Sequence[int]) -> None:
        import torch

        if list(rows) == list(range(len(self.logits))):
            return
        index = torch.tensor(rows, device=self._mask.device)
        self._cache.batch_select_indices(index)
        self._mask, self._last, self.logits = self._mask[index], self._last[index], self.logits[index.cpu()]

    def _read(self, texts: Sequence[list[int]]) -> None:
        import torch

        longest = max(map(len, texts))
        padding = [longest - len(ids) for ids in texts]
        ids = torch.tensor([[0] * pad + ids for pad, ids in zip(padding, texts, strict=True)])
        fresh = torch.tensor([[0] * pad + [1] * (longest - pad) for pad in padding], device=self._mask.device)
        self._mask = torch.cat([self._mask, fresh], 1)
        positions = (self._last + fresh.cumsum(1)).clamp(min=0)
        with torch.inference_mode():
            out = self._model.network(
                input_ids=ids.to(self._mask.device),
                attention_mask=self._mask,
                position_ids=positions,
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
        self._last = positions[:, -1:]
        self.logits = out.logits[:, -1].float().cpu()


def tokens(model: LanguageModel, text: str) -> list[int]:
    """The token ids of a text that goes on from another."""
    ids: list[int] = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def complete(
    model: LanguageModel,
    reading: Reading,
    openings: Sequence[str],
    masks: Masks,
    generator: Any,
    recipe: Recipe = Recipe(),
    guide: Guide | None = None,
    tick: Heartbeat = nothing,
) -> list[Draft]:
    """One sentence for each opening (all may be empty), drawn in one batch with the torch `generator`.

    The rows of the `reading` (different prompts) take turns. With a `guide`, every few tokens the unfinished sentences
    are drawn anew from among themselves, the better ones more often: sequential importance resampling, as in Lew et al.
    2023, with the guide's score as the potential. `tick` is called before every token and while one takes long.
    """
    import torch

    begun = [tokens(model, f" {text}") if text else [] for text in openings]
    tick()
    state = meanwhile(partial(reading.branch, [i % len(reading.logits) for i in range(len(openings))], begun), tick)
    sentences = [_Sentence(i, ids) for i, ids in enumerate(begun)]
    live = list(sentences)
    with torch.inference_mode():
        for step in range(recipe.longest):
            tick()
            logits = _shape(state.logits.clone(), live, masks, recipe, step)
            chances = (logits / recipe.temperature).softmax(1)
            chances *= chances >= recipe.min_p * chances.max(1, keepdim=True).values
            drawn = torch.multinomial(chances, 1, generator=generator)[:, 0]
            likelihood = state.logits.log_softmax(1)
            for row, sentence in enumerate(live):
                sentence.ids.append(int(drawn[row]))
                sentence.likelihoods.append(float(likelihood[row, drawn[row]]))
            going = [row for row, sentence in enumerate(live) if not masks.stop[sentence.ids[-1]]]
            if not going or step == recipe.longest - 1:
                break
            sources = going
            if guide is not None and (step + 1) % recipe.guide_every == 0:
                sources = _resample(model, live, going, guide, generator)
            live = [live[row] for row in going]
            meanwhile(partial(state.advance, sources, [sentence.ids[-1] for sentence in live]), tick)
    return [
        Draft(
            opening=openings[sentence.choice],
            text=_decode(model, sentence.ids),
            likelihood=float(np.mean(sentence.likelihoods)),
            choice=sentence.choice,
        )
        for sentence in sentences
    ]


@dataclass
class _Sentence:
    choice: int
    ids: list[int]
    likelihoods: list[float] = field(default_factory=list)


def _shape(logits: Any, live: Sequence[_Sentence], masks: Masks, recipe: Recipe, step: int) -> Any:
    """The logits [n, vocabulary] with the recipe's pushes and bans."""
    for row, sentence in enumerate(live):
        said = [token for token in set(sentence.ids) if not masks.function[token]]
        logits[row, said] -= recipe.repetition
    logits[:, masks.stop] += recipe.stop_push * max(0, step - recipe.soft_stop + 1)
    if step < recipe.shortest:
        logits[:, masks.stop] = -float("inf")
    logits[:, masks.banned] = -float("inf")
    return logits


def _resample(
    model: LanguageModel, live: Sequence[_Sentence], going: Sequence[int], guide: Guide, generator: Any
) -> list[int]:
    """Makes each unfinished sentence a copy of one of them, good ones more often; from which rows they were copied."""
    import torch

    scores = torch.from_numpy(guide([_decode(model, live[row].ids) for row in going]))
    drawn = torch.multinomial(
        (scores / SCORE_TEMPERATURE).softmax(0), len(going), replacement=True, generator=generator
    )
    rows = [going[i] for i in drawn.tolist()]
    copies = [(live[row].choice, list(live[row].ids), list(live[row].likelihoods)) for row in rows]
    for row, (choice, ids, likelihoods) in zip(going, copies, strict=True):
        live[row].choice, live[row].ids, live[row].likelihoods = choice, ids, likelihoods
    return rows


def _decode(model: LanguageModel, ids: Sequence[int]) -> str:
    return str(model.tokenizer.decode(ids)).strip()

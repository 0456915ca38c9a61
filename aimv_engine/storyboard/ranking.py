"""Which sentences fit best: nearness of meaning to the mood and to what can be photographed, and distance from music.

Works in any space of texts: MiniLM's, which is always there, or that of CLIP's text tower, through which diffusion
models read.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aimv_engine.arrays import F32
from aimv_engine.errors import AimvError
from aimv_engine.storyboard.sampling import Draft
from aimv_engine.storyboard.scene import Candidate
from aimv_engine.storyboard.vocabulary import vocabulary

Ranker = Callable[[Sequence[str]], F32]  # texts -> unit rows [n, d]

MUSIC = ("music", "a song", "singing", "a band on stage", "a musical instrument", "a concert")
PHOTOGRAPH = (
    "a photograph of a place",
    "a film still of a person in a landscape",
    "a photo of an object lit by light",
)
# weights of the terms of a score, from reading several hundred ranked sentences
TOWARDS_MOOD = 1.0
AWAY_FROM_MUSIC = 0.7
TOWARDS_PHOTOGRAPH = 0.4
LIKELY = 0.25
AWAY_FROM_SHOTS = 0.5
AWAY_FROM_SAID = 0.6
ORDINARY = -1.0  # more likely than this is no merit: the likeliest sentence is the dullest
SHOT_FREE, SAID_FREE = 0.4, 0.2  # likeness to an example or an earlier scene that costs nothing
DOUBLE = 0.75  # candidates more alike than this are the same idea


class ClipText:
    """The text tower of a CLIP model (Radford et al. 2021), from a local folder of safetensors.

    CLIP's texts all lie in one narrow cone; seen from the cone's middle they spread like MiniLM's.
    """

    def __init__(self, folder: Path) -> None:
        """Raises AimvError when the folder holds no CLIP text model."""
        from transformers import AutoTokenizer, CLIPTextModelWithProjection
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # progress is ours to tell
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._network: Any = CLIPTextModelWithProjection.from_pretrained(
                folder, local_files_only=True, use_safetensors=True
            ).train(False)
        except (OSError, ValueError) as error:
            raise AimvError(f"the folder {folder} holds no CLIP text model that can be loaded: {error}") from error
        self._middle = np.zeros((1, 1), np.float32)
        self._middle = self._project([sentence for _, sentence in vocabulary().shots]).mean(0, keepdims=True)

    def __call__(self, texts: Sequence[str]) -> F32:
        """Unit rows [n, d], one a text."""
        rows = self._project(texts) - self._middle
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)

    def _project(self, texts: Sequence[str]) -> F32:
        import torch

        longest = self._network.config.max_position_embeddings
        read = self._tokenizer(list(texts), padding=True, truncation=True, max_length=longest, return_tensors="pt")
        with torch.inference_mode():
            rows = self._network(**read).text_embeds
        return np.asarray(torch.nn.functional.normalize(rows, dim=1).float().numpy(), np.float32)


def remembering(ranker: Ranker) -> Ranker:
    """The same ranker, asked only once about each text: endings and anchors are compared again and again."""
    known: dict[str, F32] = {}

    def rank(texts: Sequence[str]) -> F32:
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        known.update(zip(fresh, ranker(fresh), strict=True))
        return np.stack([known[text] for text in texts])

    return rank


class Taste:
    """How a mood's sentences are scored. Raters for guidance and for the final choice share its anchors."""

    def __init__(self, ranker: Ranker, adjectives: Sequence[str], said: Sequence[str] = ()) -> None:
        self._ranker = ranker
        self._mood = ranker([", ".join(adjectives), *(f"a {adjective} place" for adjective in adjectives[:3])])
        self._music = ranker(MUSIC)
        self._photograph = ranker(PHOTOGRAPH)
        self._shots = ranker([sentence for _, sentence in vocabulary().shots])
        self._said = ranker(list(said)) if said else None

    def partial(self, texts: Sequence[str]) -> F32:
        """Scores [n] of unfinished sentences: the mood, and no music."""
        return self._tone(self._ranker(texts))

    def rank(self, drafts: Sequence[Draft]) -> list[tuple[Draft, Candidate]]:
        """The drafts as candidates, the best first, without near doubles of each other and of what was said."""
        if not drafts:
            return []
        rows = self._ranker([draft.text for draft in drafts])
        scores = self._tone(rows)
        scores += TOWARDS_PHOTOGRAPH * (rows @ self._photograph.T).mean(1)
        scores += LIKELY * np.minimum([draft.likelihood for draft in drafts], ORDINARY)
        scores -= AWAY_FROM_SHOTS * np.maximum((rows @ self._shots.T).max(1), SHOT_FREE)
        taken: list[F32] = []
        if self._said is not None:
            scores -= AWAY_FROM_SAID * np.maximum((rows @ self._said.T).max(1), SAID_FREE)
            taken += list(self._said)
        kept: list[int] = []
        for index in np.argsort(-scores, kind="stable").tolist():
            if all(rows[index] @ other < DOUBLE for other in taken):
                kept.append(index)
                taken.append(rows[index])
        return [(drafts[i], Candidate(drafts[i].text, round(float(scores[i]), 3))) for i in kept]

    def _tone(self, rows: F32) -> F32:
        music = np.maximum((rows @ self._music.T).max(1), 0)
        tone = TOWARDS_MOOD * (rows @ self._mood.T).mean(1) - AWAY_FROM_MUSIC * music
        return np.asarray(tone, np.float32)

"""What is slow to load or to start, kept from one job to the next: language model, ranker, generator, in-betweens."""

import contextlib
import ctypes
import gc
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aimv_engine.frames.generators import Generator, making
from aimv_engine.heartbeat import meanwhile
from aimv_engine.interpolation import InbetweenPool
from aimv_engine.progress import Progress
from aimv_engine.settings import AUTOMATIC, Settings
from aimv_engine.storyboard import language_model
from aimv_engine.storyboard.language_model import LanguageModel
from aimv_engine.storyboard.ranking import ClipText, Ranker
from aimv_engine.text_embedding import TextEmbedder


class Models:
    """Each is loaded when it is first needed, and stays until `release`."""

    def __init__(self) -> None:
        self.inbetweens = InbetweenPool()
        self._generators: dict[object, Generator] = {}  # at most one, and so the others
        self._writers: dict[str, LanguageModel] = {}
        self._rankers: dict[str, Ranker] = {}

    def generator(self, settings: Settings, progress: Progress, tell: Callable[[str], None]) -> Generator:
        """What makes the keyframes, as the settings say. See `making.make`."""
        film = (settings.diffusion_model, settings.mode, settings.follow, settings.steps, settings.guidance)
        wish = (*film, settings.best_of, settings.clip) if settings.diffusion else "paint"
        if wish not in self._generators:
            self._close_generator()
            self._generators[wish] = making.make(settings, progress, tell)
        return self._generators[wish]

    def writer(self, name: str, progress: Progress) -> LanguageModel:
        """The language model that the settings name."""
        if name not in self._writers:
            self._writers.clear()  # before another one takes its place in memory
            self._writers[name] = language_model.load(None if name == AUTOMATIC else name, progress=progress)
        return self._writers[name]

    def ranker(self, name: str, progress: Progress) -> Ranker:
        """The ranker that the settings name."""
        if name not in self._rankers:
            self._rankers.clear()
            load: Callable[[], Ranker] = TextEmbedder if name == AUTOMATIC else partial(ClipText, Path(name))
            self._rankers[name] = meanwhile(load, lambda: progress("loading the ranker", 0, 1))
            progress("loading the ranker", 1, 1)
        return self._rankers[name]

    def release(self) -> None:
        """Frees all memory and ends all helper processes. What is needed again is loaded again."""
        self._close_generator()
        self.inbetweens.close()
        self.inbetweens = InbetweenPool()
        self._writers.clear()
        self._rankers.clear()
        gc.collect()
        with contextlib.suppress(OSError, AttributeError, TypeError):  # other systems give it back by themselves
            ctypes.CDLL(None).malloc_trim(0)  # glibc keeps what was freed

    def _close_generator(self) -> None:
        for generator in self._generators.values():
            generator.close()
        self._generators.clear()

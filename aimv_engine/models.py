"""What is slow to load or to start, kept from one job to the next: language model, ranker, painters, in-betweens."""

import contextlib
import ctypes
import gc
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aimv_engine.frames.generators.paint.generator import Paint
from aimv_engine.heartbeat import meanwhile
from aimv_engine.interpolation import InbetweenPool
from aimv_engine.progress import Progress
from aimv_engine.settings import AUTOMATIC
from aimv_engine.storyboard import language_model
from aimv_engine.storyboard.language_model import LanguageModel
from aimv_engine.storyboard.ranking import ClipText, Ranker
from aimv_engine.text_embedding import TextEmbedder


class Models:
    """Each is loaded when it is first needed, and stays until `release`."""

    def __init__(self) -> None:
        self.painter = Paint()
        self.inbetweens = InbetweenPool()
        self._writers: dict[str, LanguageModel] = {}  # at most one, and so the rankers
        self._rankers: dict[str, Ranker] = {}

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
        self.painter.close()
        self.inbetweens.close()
        self.painter, self.inbetweens = Paint(), InbetweenPool()
        self._writers.clear()
        self._rankers.clear()
        gc.collect()
        with contextlib.suppress(OSError, AttributeError, TypeError):  # other systems give it back by themselves
            ctypes.CDLL(None).malloc_trim(0)  # glibc keeps what was freed

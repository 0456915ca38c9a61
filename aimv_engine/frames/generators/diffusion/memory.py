"""How many pictures are made at once: as many as the memory of the device holds, and fewer when it turns out full."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from aimv_engine.errors import NO_MEMORY, AimvError

log = logging.getLogger(__name__)

LARGEST = 32  # pictures at once: beyond that even the largest GPU gets no faster
SHARE = 0.6  # of the free memory that a batch may take: decoding goes on beside it


def is_full(error: BaseException) -> bool:
    """Whether an error says that there is no memory left."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or bool(NO_MEMORY.search(str(error)))


class Memory:
    """The size of batches for one pipeline on its device, and what its threads may do beside each other.

    On CUDA and ROCm the first picture is made alone and measured, and the batches after it take what is free. Elsewhere
    pictures are made one by one: a CPU gains nothing from batches, and Metal little.
    """

    def __init__(self, pipeline: Any, device: torch.device, most: int | None = None) -> None:
        """`most` pictures at once are tried at the first go; None leaves it to the device."""
        self._pipeline = pipeline
        self._device = device
        self._cuda = device.type == "cuda"
        self._measures = most is None and self._cuda
        self._side = torch.cuda.Stream(device) if self._cuda else None  # type: ignore[no-untyped-call]
        # also by who loaded it, where it was too large
        self._offloaded = bool(getattr(pipeline, "_all_hooks", ()))
        self.batch = 1 if most is None else most

    @property
    def one_at_a_time(self) -> bool:
        """Whether only one part of the pipeline may work at a time: those that rest have left the device; and Metal's
        one queue of commands is no place for two threads."""
        return self._offloaded or self._device.type == "mps"

    @contextmanager
    def denoising(self) -> Iterator[None]:
        """Around the denoising of a batch, which is done when this ends. The first one decides about the next ones."""
        if not self._cuda:
            yield
            return
        if self._measures:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self._device)
        before = torch.cuda.memory_allocated(self._device)
        yield
        torch.cuda.current_stream(self._device).synchronize()
        if self._measures:
            self._measures = False
            one = max(1, torch.cuda.max_memory_allocated(self._device) - before)
            torch.cuda.empty_cache()
            free, _ = torch.cuda.mem_get_info(self._device)
            self.batch = max(1, min(LARGEST, int(SHARE * free / one)))
            log.info("%d MB a picture, %d MB free: %d pictures at once", one >> 20, free >> 20, self.batch)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Around encoding and decoding: on a stream of their own, so that a GPU does them while it denoises."""
        if self._side is None:
            yield
            return
        with torch.cuda.stream(self._side):
            yield
            self._side.synchronize()

    def shrink(self) -> None:
        """After memory ran out: half the batch, then the parts of the model that rest leave the device.

        Raises AimvError when neither is left to do. Nobody may use the pipeline meanwhile.
        """
        self._measures = False
        if self._cuda:
            torch.cuda.empty_cache()
        if self.batch > 1:
            self.batch //= 2
            log.warning("the memory is full: pictures are made %d at a time from here on", self.batch)
        elif self._device.type != "cpu" and not self._offloaded:
            self._pipeline.enable_model_cpu_offload(device=self._device)
            self._offloaded = True
            log.warning("the memory is full: parts of the model that rest wait in main memory, which is slower")
        else:
            raise AimvError(
                f"the memory of the {self._device.type} is too small for one picture of this model and size; close "
                "other programs, or choose a smaller size or a smaller model (docs/models.md): what is finished is kept"
            )

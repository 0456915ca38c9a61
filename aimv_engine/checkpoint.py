"""Safetensors files: whether one is whole, what is in it, and which one it is. Read from its header, without torch.

The format (huggingface.co/docs/safetensors): eight bytes that say how long the header is, the header in JSON (name to
type, shape and place of each tensor), and the tensors' bytes.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from aimv_engine.errors import AimvError

PICKLES = {".bin", ".ckpt", ".pt", ".pth", ".pkl"}
SAMPLE = 4096  # bytes of each tensor that say which file it is: training changes every one of them
LONGEST_HEADER = 100_000_000  # bytes, as in the safetensors library


@dataclass(frozen=True)
class Header:
    """What a file says that it holds."""

    shapes: dict[str, tuple[int, ...]]  # by the tensors' names
    starts: tuple[int, ...]  # where each tensor's bytes begin in the file


def read_header(path: Path) -> Header:
    """The header of a whole safetensors file. Raises AimvError for a pickle, a broken file and no file."""
    if path.suffix.lower() in PICKLES:
        raise AimvError(
            f"{path} is a pickle, which can run programs when it is opened; get the model as .safetensors instead"
        )
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= min(size - 8, LONGEST_HEADER):
                raise ValueError("its header is cut off or isn't one")
            entries: dict[str, dict[str, list[int]]] = json.loads(stream.read(length))
        entries.pop("__metadata__", None)
        body = 8 + length
        end = body + max((entry["data_offsets"][1] for entry in entries.values()), default=0)
        if end != size:
            raise ValueError(f"it has {size} bytes instead of {end}")
        return Header(
            shapes={name: tuple(entry["shape"]) for name, entry in entries.items()},
            starts=tuple(body + entry["data_offsets"][0] for entry in entries.values()),
        )
    except OSError as error:
        raise AimvError(f"{path} can't be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise AimvError(f"{path} is broken or no safetensors file ({error}); get it again") from error


def digest(path: Path) -> str:
    """16 letters that name the file's content: its header, its size and the beginning of every tensor.

    Fine-tuned models have the same header and size as what they come from, so these alone would not do; to read
    all of some gigabytes for every film would take longer than need be. Raises AimvError like `read_header`.
    """
    header = read_header(path)
    state = hashlib.blake2b(str(path.stat().st_size).encode(), digest_size=8)
    with path.open("rb") as stream:
        state.update(stream.read(min(header.starts, default=0)))
        for start in sorted(header.starts):
            stream.seek(start)
            state.update(stream.read(SAMPLE))
    return state.hexdigest()

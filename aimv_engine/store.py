"""Names and immutable files: a picture is named by the hash of all it depends on, and never changes.

So to make a film is to list the names that it needs and to make those that are missing. Interrupting, resuming,
undoing and "only what changed" need no code of their own. Nothing else in the engine writes pictures.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from aimv_engine.arrays import Picture
from aimv_engine.errors import AimvError
from aimv_engine.progress import Progress, silent

END_OF_JPEG = b"\xff\xd9"
PART = ".aimv-part-"  # how the names of files begin that are not yet whole
NAME = re.compile(r"[0-9a-f]{32}")  # what name_of gives
QUALITY = 95  # JPEG, without chroma subsampling: a third of a PNG's size, and Blender plays it three times as fast


def name_of(*parts: Any) -> str:
    """A name of 32 hexadecimal digits for what `parts` (JSON-able values, dataclasses, Fractions) say.

    Floats are written with nine decimals, so that a name survives the last bits of a curve's arithmetic.
    """
    text = json.dumps([_plain(part) for part in parts], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, float):
        return f"{round(value, 9) + 0.0:.9f}"  # + 0.0: minus zero is zero
    return value


@dataclass(frozen=True)
class Usage:
    """Pictures of a store, and the disk space that they take."""

    names: tuple[str, ...]
    bytes: int

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.names)


class Store:
    """A folder of pictures. Two processes may write into it at once: equal names are equal pictures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where the picture of that name lies, or will lie."""
        return self.folder / name[:2] / f"{name}.jpg"

    def __contains__(self, name: str) -> bool:
        """Whether the picture is there with its end: a crash of the machine can leave an empty or a half file."""
        try:
            with self.path(name).open("rb") as stream:
                stream.seek(-len(END_OF_JPEG), os.SEEK_END)
                return stream.read() == END_OF_JPEG
        except OSError:
            return False

    def write(self, name: str, picture: Picture) -> None:
        """Keeps a picture ([height, width, 3] uint8 sRGB) under its name, whole or not at all."""
        flags = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        flags += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), flags)[1]
        path = self.path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, encoded.tobytes())
        except OSError as error:
            raise AimvError(f"{self.folder} can't be written ({error.strerror}); what is finished is kept") from error

    def read(self, name: str) -> Picture:
        """The picture of that name. Raises AimvError when it is missing or damaged (a damaged file is removed)."""
        return load_picture(self.path(name))

    def usage(self) -> Usage:
        """All pictures that are there."""
        return self.unused(())

    def unused(self, keep: Collection[str]) -> Usage:
        """All pictures that are there but those of these names. Files that aren't ours don't count."""
        sizes: dict[str, int] = {}
        for path in self.folder.glob("??/*.jpg"):
            if NAME.fullmatch(path.stem) and path == self.path(path.stem) and path.stem not in keep:
                with contextlib.suppress(FileNotFoundError):  # somebody else has just removed it
                    sizes[path.stem] = path.stat().st_size
        return Usage(tuple(sorted(sizes)), sum(sizes.values()))

    def remove(self, unused: Usage, progress: Progress = silent) -> None:
        """Deletes these pictures, half-written files and folders that are empty. Nobody may write meanwhile.

        Raises AimvError when a file can't be deleted; those before it are.
        """
        try:
            for done, name in enumerate(unused.names):
                progress("cleaning up", done, unused.count)
                self.path(name).unlink(missing_ok=True)
            for part in self.folder.glob(f"??/{PART}*"):
                part.unlink(missing_ok=True)
            for folder in self.folder.glob("??"):
                if not any(folder.iterdir()):
                    folder.rmdir()
        except OSError as error:
            raise AimvError(f"{error.filename} can't be deleted ({error.strerror})") from error
        progress("cleaning up", unused.count, unused.count)


def load_picture(path: Path) -> Picture:
    """A picture of an edit, [height, width, 3] uint8 sRGB; the store's own are JPEG, but an edit may name others.

    Raises AimvError; removes a damaged file, to be made anew.
    """
    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise AimvError(f"{path} is missing; run again to make it anew") from error
    ends = path.suffix != ".jpg" or encoded[-len(END_OF_JPEG) :].tobytes() == END_OF_JPEG
    # OpenCV makes up what is missing of a half JPEG
    picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size and ends else None
    if picture is None:
        path.unlink(missing_ok=True)
        raise AimvError(f"{path} was damaged and has been removed; run again to make it anew")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that it is there whole or not at all, whenever the process dies."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=PART)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        part.chmod(0o644)  # mkstemp's files are private, but a project is shared
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise

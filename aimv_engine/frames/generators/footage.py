"""Pictures and films of the user's as a source of pictures: what they show at a keyframe's moment of the song."""

import hashlib
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np

from aimv_engine.arrays import Picture
from aimv_engine.errors import AimvError
from aimv_engine.frames.generators import Read, nothing_there
from aimv_engine.frames.plan import KeyframeSpec, Link, LinkedSpec
from aimv_engine.heartbeat import Heartbeat, nothing

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"}
SECONDS = 4  # that each picture of a folder is shown
RATE = 24  # frames a second that a film is read at
KEPT = 3 * RATE  # frames that are kept: scenes overlap, and a film is read forwards only


class Footage:
    """A Generator whose pictures are the user's own: a film (its time is the song's), a picture, or a folder of them
    (4 seconds each, by name). What is shorter than the song starts again. Pictures are scaled and cut to the size.
    """

    links: frozenset[Link] = frozenset({"time"})

    def __init__(self, path: Path) -> None:
        """Raises AimvError when there is nothing to be seen."""
        self._path = path
        self._pictures = _pictures_of(path)
        self._film: _Film | None = None
        digest = hashlib.blake2b(digest_size=16)
        for file in self._pictures or [path]:
            try:
                with file.open("rb") as stream:
                    digest.update(hashlib.file_digest(stream, "blake2b").digest())
            except OSError as error:
                raise AimvError(
                    f"{file} can't be read ({error.strerror}); give a film, a picture or a folder"
                ) from None
        self.identity = f"footage-{digest.hexdigest()}"

    def pictures(
        self,
        specs: Sequence[KeyframeSpec],
        size: tuple[int, int],
        heartbeat: Heartbeat = nothing,
        read: Read = nothing_there,
    ) -> Iterator[Picture]:
        """What is to be seen at each keyframe's time (see Generator)."""
        for spec in specs:
            assert isinstance(spec, LinkedSpec)
            assert spec.time is not None
            heartbeat()
            if self._pictures:
                picture = _load(self._pictures[int(spec.time / SECONDS) % len(self._pictures)])
            else:
                picture = self._opened(size).at(spec.time, heartbeat)
            yield filling(picture, size)

    def close(self) -> None:
        """Ends the process that reads the film."""
        if self._film is not None:
            self._film.close()
            self._film = None

    def _opened(self, size: tuple[int, int]) -> "_Film":
        if self._film is None or self._film.size != size:
            self.close()
            self._film = _Film(self._path, size)
        return self._film


class _Film:
    """The frames of a film file by time, filling a size. They are read forwards by ffmpeg from the first one on, so
    that each is exactly the same however it was come by."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.size = size
        self._path = path
        try:
            _, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
        except RuntimeError:
            seconds = 0.0
        self._count = int(seconds * RATE)
        if not self._count:
            raise AimvError(f"{path} is no film that can be read; give a film, a picture or a folder of pictures")
        self._kept: deque[bytes] = deque(maxlen=KEPT)
        self._frames = self._open()

    def at(self, time: Fraction, heartbeat: Heartbeat) -> Picture:
        """The frame at that time (seconds). Where the sound goes on after the picture, the last frame stays."""
        wanted = int(time * RATE) % self._count
        if wanted < self._read - len(self._kept):
            self.close()
            self._frames = self._open()
        while self._read <= wanted and (frame := next(self._frames, None)) is not None:
            heartbeat()
            self._kept.append(frame)
            self._read += 1
        width, height = self.size
        shown = self._kept[min(wanted - self._read, -1)]
        return np.frombuffer(shown, np.uint8).reshape(height, width, 3)

    def close(self) -> None:
        """Ends ffmpeg."""
        self._frames.close()

    def _open(self) -> Generator[bytes, None, None]:
        width, height = self.size
        filling = f"scale={width}:{height}:force_original_aspect_ratio=increase,crop={width}:{height}"
        frames: Generator[Any, None, None] = imageio_ffmpeg.read_frames(
            str(self._path), output_params=["-vf", f"fps={RATE},{filling}"]
        )
        next(frames)  # what is known of the film
        self._kept.clear()
        self._read = 0
        return frames


def filling(picture: Picture, size: tuple[int, int]) -> Picture:
    """The picture scaled to fill `size` (width, height), its middle where the shapes differ."""
    width, height = size
    scale = max(width / picture.shape[1], height / picture.shape[0])
    columns, rows = max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale))
    scaled = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (columns - width) // 2, (rows - height) // 2
    return np.ascontiguousarray(scaled[top : top + height, left : left + width])


def _pictures_of(path: Path) -> list[Path]:
    """The pictures at a path; none where it is a film."""
    if path.is_dir():
        found = sorted(each for each in path.iterdir() if each.suffix.lower() in SUFFIXES)
        if not found:
            raise AimvError(f"there are no pictures ({', '.join(sorted(SUFFIXES))}) in {path}")
        return found
    return [path] if path.suffix.lower() in SUFFIXES else []


def _load(path: Path) -> Picture:
    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise AimvError(f"{path} can't be read ({error.strerror})") from None
    picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
    if picture is None:
        raise AimvError(f"{path} is no picture that can be read; remove it from the folder")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)

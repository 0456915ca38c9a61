"""The user's own pictures and films, by the time of the song."""

import subprocess
from fractions import Fraction

import cv2
import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from aimv_engine.errors import AimvError
from aimv_engine.frames.generators import footage
from aimv_engine.frames.generators.footage import Footage, filling
from aimv_engine.frames.plan import Camera, KeyframeSpec, LinkedSpec
from tests.films import texture

SIZE = (64, 36)
PLAIN = KeyframeSpec(5, 3.0, (), "oil", Camera(), 0.5, 0.5, 0.2)


def at(*times):
    """Specs of these times in seconds."""
    return [LinkedSpec(**vars(PLAIN), time=Fraction(time)) for time in times]


@pytest.fixture
def folder(tmp_path):
    """Three pictures of one colour each, in another order of names than of making."""
    for name, red in (("c.png", 200), ("a.png", 20), ("b.JPG", 100)):
        cv2.imwrite(str(tmp_path / name), np.full((50, 90, 3), (0, 0, red), np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Four seconds that get brighter: 10 levels a frame at 6 frames a second."""
    path = tmp_path_factory.mktemp("film") / "brighter.mp4"
    command = [
        get_ffmpeg_exe(),
        "-v",
        "error",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-s",
        "128x96",
        "-r",
        "6",
        "-i",
        "-",
    ]
    frames = b"".join(bytes([10 * number]) * (128 * 96) for number in range(24))
    subprocess.run([*command, "-pix_fmt", "yuv420p", "-crf", "1", path], input=frames, check=True)
    return path


def shown(source, *times):
    """The mean red of the pictures at these times."""
    return [float(picture[..., 0].mean()) for picture in source.pictures(at(*times), SIZE)]


def test_a_folders_pictures_take_turns_by_name_and_begin_again(folder):
    assert shown(Footage(folder), 0, "3.9", 4, 8, 12, 17) == pytest.approx([20, 20, 100, 200, 20, 100], abs=2)


def test_one_picture_is_shown_throughout(folder):
    assert shown(Footage(folder / "c.png"), 0, 100) == pytest.approx([200, 200], abs=2)


def test_a_films_time_is_the_songs_and_it_begins_again(film):
    source = Footage(film)
    times = [Fraction(number, 6) + Fraction(1, 12) for number in range(48)]
    assert shown(source, *times) == pytest.approx([10 * (number % 24) for number in range(48)], abs=2)
    source.close()
    source.close()


def test_a_frame_is_the_same_however_it_was_come_by(film, monkeypatch):
    monkeypatch.setattr(footage, "KEPT", 8)
    times = ["3.2", "3.1", "0.4", "3.2", "2.3"]
    together = list(Footage(film).pictures(at(*times), SIZE))
    for time, picture in zip(times, together, strict=True):
        (alone,) = Footage(film).pictures(at(time), SIZE)
        np.testing.assert_array_equal(picture, alone)


def test_another_content_is_another_identity(folder, film):
    before = Footage(folder).identity
    assert Footage(folder).identity == before != Footage(film).identity
    cv2.imwrite(str(folder / "a.png"), np.zeros((50, 90, 3), np.uint8))
    assert Footage(folder).identity != before


def test_any_shape_fills_the_size_with_its_middle():
    picture = texture(3, 200, 100)
    assert filling(picture, (50, 50)).shape == (50, 50, 3)
    np.testing.assert_array_equal(filling(picture, (100, 100)), picture[:, 50:150])
    assert filling(picture, (640, 360)).shape == (360, 640, 3)


def test_what_cannot_be_seen_is_said(tmp_path, film):
    with pytest.raises(AimvError, match="can't be read"):
        Footage(tmp_path / "nothing.mp4")
    with pytest.raises(AimvError, match="no pictures"):
        Footage(tmp_path)
    (tmp_path / "text.mp4").write_text("this is no film")
    with pytest.raises(AimvError, match="no film that can be read"):
        shown(Footage(tmp_path / "text.mp4"), 0)
    (tmp_path / "half.png").write_bytes(b"\x89PNG")
    with pytest.raises(AimvError, match="no picture that can be read"):
        shown(Footage(tmp_path), 0)

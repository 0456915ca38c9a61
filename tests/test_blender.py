"""The Blender side, in real Blenders: each test that asks for `film` or `blender` runs once in every one there is."""

import json
import re
import shutil
import signal
import subprocess
import wave
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from aimv_engine.video import finished_frames
from tests.films import psnr, texture

ROOT = Path(__file__).resolve().parents[1]
HEADLESS = ROOT / "blender_addon" / "headless.py"
SCRIPTS = Path(__file__).parent / "blender"

FPS = Fraction(24000, 1001)
SIZE = (160, 96)
SONG_START = 0.51  # not a whole number of frames
CLICK = 1.3  # seconds into the song
HANDLE = 4  # frames beyond the segment
BORDERS = (0, 20, 40, 64)
NAMES = ("A1", "B1", "A2")
RATE = 44100


def run(blender: list[str], script: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(blender, script, *arguments), capture_output=True, encoding="utf-8", check=False)


def command(blender: list[str], script: Path, *arguments: object) -> list[str]:
    separator = ["--"] if "--python" in blender else []
    return [*blender, str(script), *separator, *map(str, arguments)]


def write_song(path: Path, seconds: float = 6.0) -> None:
    """Silence, a click, silence."""
    samples = np.zeros(round(seconds * RATE), "<i2")
    samples[round(CLICK * RATE) :][:200] = 28000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def write_project(folder: Path, repeat: int = 1) -> dict[str, Any]:
    """A project of three scenes that overlap, with effects in the last one. Returns its edit."""
    store = folder / "Lied.aimv" / "store"
    store.mkdir(parents=True)
    write_song(folder / "Lied.wav")
    colors = {"A": [0.9, 0.3, 0.2], "B": [0.2, 0.5, 0.9]}
    count = BORDERS[-1] * repeat
    scenes = []
    for index, name in enumerate(NAMES):
        first, last = BORDERS[index] * repeat, BORDERS[index + 1] * repeat
        begin, end = max(0, first - HANDLE), min(count, last + HANDLE)
        still = cv2.cvtColor(texture(index, *SIZE), cv2.COLOR_RGB2BGR)
        for shift in range(32):  # every frame of a strip looks different
            cv2.imwrite(str(store / f"{index}-{shift}.png"), np.roll(still, 2 * shift, axis=1))
        files = [f"store/{index}-{(frame - begin) % 32}.png" for frame in range(begin, end)]
        scenes.append(
            {
                "name": name,
                "cluster": name[0],
                "color": colors[name[0]],
                "first_frame": first,
                "last_frame": last,
                "strip_first_frame": begin,
                "frames": files,
                "sentence": f"Nebel über dem See, Bild {index}",
                "negative": "text",
                "tags": [["ambient", 0.31], ["slow", 0.2]],
                "seed": 2**31 - 1 - index,
                "look": "oil",
                "camera": "push in",
                "intensity": 0.5,
                "style": 1.5,
            }
        )
    edit = {
        "version": 1,
        "song": "../Lied.wav",
        "song_start": SONG_START,
        "fps": [FPS.numerator, FPS.denominator],
        "size": list(SIZE),
        "frame_count": count,
        "keyframe_rate": 5.0,
        "artist": "by Albert Bierstadt",
        "main_tags": [["ambient", 0.31], ["slow", 0.2]],
        "scenes": scenes,
        "effects": {"frames": [49, 50, 60], "scale": [1.0, 1.2, 1.0], "brightness": [1.0, 1.3, 1.0]},
        "output": str(folder / "Lied.mp4"),
        "blend": str(folder / "Lied.blend"),
    }
    write_edit(folder, edit)
    return edit


def write_edit(folder: Path, edit: dict[str, Any]) -> Path:
    path = folder / "Lied.aimv" / "edit.json"
    path.write_text(json.dumps(edit), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Film:
    """What headless.py made in one Blender."""

    blender: list[str]
    folder: Path
    edit: dict[str, Any]
    messages: list[dict[str, Any]]

    @property
    def result(self) -> dict[str, Any]:
        return self.messages[-1]

    def pictures(self) -> list[np.ndarray]:
        """The finished pictures as the engine's own video writer would make them."""
        return list(finished_frames(self.edit, self.folder / "Lied.aimv"))


@pytest.fixture(scope="session")
def film(blender: list[str], tmp_path_factory: pytest.TempPathFactory) -> Film:
    folder = tmp_path_factory.mktemp("film") / "Lied #1 {x} äöü"
    edit = write_project(folder)
    done = run(blender, HEADLESS, folder / "Lied.aimv" / "edit.json", "--render")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return Film(blender, folder, edit, [json.loads(line) for line in lines])


def inspect(film: Film, folder: Path, out: Path, *frames: int) -> dict[str, Any]:
    out.mkdir()
    done = run(film.blender, SCRIPTS / "inspect_blend.py", folder / "Lied.blend", out, *frames)
    assert done.returncode == 0, done.stderr
    return json.loads((out / "blend.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def facts(film: Film, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return inspect(film, film.folder, tmp_path_factory.mktemp("facts") / "out")


def test_it_tells_what_it_does_and_what_it_made(film: Film) -> None:
    assert film.result.keys() == {"blend", "output", "sound", "blender"}
    assert film.result["output"] == film.edit["output"]
    assert {"stage": "timeline", "done": 1, "total": 1} in film.messages
    rendered = [message["done"] for message in film.messages if message.get("stage") == "render"]
    assert rendered == sorted(rendered)
    assert (rendered[0], rendered[-1]) == (0, film.edit["frame_count"])


def test_nothing_but_the_blend_and_the_film_is_left(film: Film) -> None:
    left = sorted(path.name for path in film.folder.iterdir())
    assert left == ["Lied.aimv", "Lied.blend", "Lied.mp4", "Lied.wav"]


def test_format(facts: dict[str, Any]) -> None:
    assert Fraction(facts["fps"][0]) / Fraction(str(round(facts["fps"][1], 6))) == FPS
    assert facts["size"] == [*SIZE, 100]
    assert facts["frames"] == [1, BORDERS[-1]]
    assert facts["view"] == "Standard"
    assert facts["format"] == ["FFMPEG", "MPEG4", "H264", "AAC"]
    assert facts["output"] == "//Lied.mp4"
    assert facts["project"] == "//Lied.aimv"
    assert re.fullmatch("[0-9a-f]{32}", facts["uid"])


def test_the_add_on_can_go_on_from_there(film: Film, facts: dict[str, Any]) -> None:
    assert facts["song"] == "//Lied.wav"
    assert facts["song_frame"] == pytest.approx(1 - SONG_START * float(FPS), abs=1e-4)
    assert [facts["keyframe_rate"], facts["artist"]] == [5.0, "by Albert Bierstadt"]
    assert facts["main_tags"] == film.edit["main_tags"]
    assert [strip["scene"] for strip in facts["strips"] if strip["type"] == "IMAGE"] == facts["uids"]
    assert len(set(facts["uids"])) == len(NAMES)
    assert {strip["role"] for strip in facts["strips"] if strip["type"] != "SOUND"} == {"SCENE", "FADE", "BEATS"}


def test_image_strips_overlap_under_their_cross_fades(film: Film, facts: dict[str, Any]) -> None:
    images = [strip for strip in facts["strips"] if strip["type"] == "IMAGE"]
    assert [(strip["name"], strip["channel"]) for strip in images] == [("A1", 2), ("B1", 3), ("A2", 2)]
    assert [(strip["start"], strip["end"]) for strip in images] == [(1, 25), (17, 45), (37, 65)]
    assert [strip["files"] for strip in images] == [scene["frames"] for scene in film.edit["scenes"]]
    assert {strip["directory"] for strip in images} == {"//Lied.aimv/"}
    colors = [strip["color"] for strip in images]
    assert colors[0] == colors[2] != colors[1]
    assert "NONE" not in colors

    fades = [strip for strip in facts["strips"] if strip["type"] == "CROSS"]
    assert [(fade["channel"], fade["start"], fade["end"]) for fade in fades] == [(4, 17, 25), (4, 37, 45)]
    (beats,) = (strip for strip in facts["strips"] if strip["type"] == "ADJUSTMENT")
    assert (beats["channel"], beats["start"], beats["end"]) == (5, 1, 65)
    assert not any(strip["selected"] for strip in facts["strips"])


def test_the_song_is_cut_to_the_film(film: Film, facts: dict[str, Any]) -> None:
    songs = [strip for strip in facts["strips"] if strip["type"] == "SOUND"]
    assert len(songs) == film.result["sound"]
    for song in songs:
        assert (song["channel"], song["start"], song["end"]) == (1, 1, 65)
        assert song["file"] == "//Lied.wav"


def test_markers_remember_the_scenes(film: Film, facts: dict[str, Any]) -> None:
    kept = ("name", "cluster", "sentence", "negative", "look", "seed", "camera", "intensity", "style", "tags")
    expected = [
        {key: scene[key] for key in kept} | {"frame": scene["first_frame"] + 1} for scene in film.edit["scenes"]
    ]
    assert facts["markers"] == expected
    assert facts["states"] == ["READY"] * 3
    assert facts["segments"] == [["A1", 1, 21], ["B1", 21, 41], ["A2", 41, 65]]


def test_a_window_opens_on_the_edit(facts: dict[str, Any]) -> None:
    assert facts["workspace"] == "Video Editing"
    assert facts["sequencers"] == 2  # the timeline and its preview
    assert all(facts["shown"])


def test_the_film_is_the_engines_film(film: Film) -> None:
    frames = imageio_ffmpeg.read_frames(film.edit["output"], pix_fmt="rgb24")
    meta = next(frames)
    assert meta["size"] == SIZE
    assert meta["codec"] == "h264"
    assert meta["fps"] == pytest.approx(float(FPS), abs=0.01)
    assert ("audio_codec" in meta) == film.result["sound"]
    rendered = [np.frombuffer(frame, np.uint8).reshape(SIZE[1], SIZE[0], 3) for frame in frames]
    assert len(rendered) == BORDERS[-1]
    for frame, (picture, expected) in enumerate(zip(rendered, film.pictures(), strict=True)):
        assert psnr(picture, expected) > 26, frame  # what H.264 leaves of so small a picture; the next frame's is 22


def test_the_sound_starts_with_the_picture(film: Film) -> None:
    if not film.result["sound"]:
        return  # the engine adds the song to the film of a Blender without sound
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", film.edit["output"]]
    raw = subprocess.run([*ffmpeg, "-f", "f32le", "-ac", "1", "-ar", str(RATE), "-"], capture_output=True, check=True)
    heard = np.flatnonzero(np.abs(np.frombuffer(raw.stdout, "<f4")) > 0.4)[0] / RATE
    assert heard == pytest.approx(CLICK - SONG_START, abs=0.001)


def test_moved_it_still_shows_the_pictures_as_they_are(film: Film, tmp_path: Path) -> None:
    there = tmp_path / "elsewhere"
    shutil.copytree(film.folder, there)
    hidden = film.folder.rename(film.folder.with_name("hidden"))
    try:
        plain, fading, pulsing = 10, 18, 54
        out = tmp_path / "out"
        facts = inspect(film, there, out, plain + 1, fading + 1, pulsing + 1)
    finally:
        hidden.rename(film.folder)
    assert all(strip.get("found", True) for strip in facts["strips"])
    expected = film.pictures()
    # 5.0 and newer brighten before they zoom: where highlights are clipped, single pixels differ
    for frame, tolerance, share in ((plain, 0, 1.0), (fading, 1, 1.0), (pulsing, 3, 0.99)):
        still = cv2.cvtColor(cv2.imread(str(out / f"{frame + 1}.png")), cv2.COLOR_BGR2RGB)
        near = np.abs(still.astype(int) - expected[frame]) <= tolerance
        assert near.mean() >= share, frame


def test_register_and_unregister(blender: list[str]) -> None:
    done = run(blender, SCRIPTS / "register_again.py")
    assert done.returncode == 0, done.stderr
    assert "arning" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": 2}, "version 2 instead of 1"),
        ({"frame_count": 65}, "don't cover its 65 frames"),
        ({"size": "large"}, "is not an edit"),
        ({"blend": "/nowhere/at/all/Lied.blend"}, "can't be saved"),
    ],
)
def test_an_edit_that_can_not_be_made_gets_one_clear_line(
    newest_blender: list[str], tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    edit = write_project(tmp_path)
    done = run(newest_blender, HEADLESS, write_edit(tmp_path, edit | change))
    assert done.returncode == 1
    assert complaint in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_missing_picture_is_named(newest_blender: list[str], tmp_path: Path) -> None:
    write_project(tmp_path)
    picture = tmp_path / "Lied.aimv" / "store" / "1-7.png"
    picture.unlink()
    done = run(newest_blender, HEADLESS, tmp_path / "Lied.aimv" / "edit.json", "--render")
    assert done.returncode == 1
    assert str(picture) in done.stderr.splitlines()[-1]
    assert not (tmp_path / "Lied.mp4").exists()


def test_cancelled_it_leaves_no_half_a_film(blender: list[str], tmp_path: Path) -> None:
    write_project(tmp_path, repeat=30)
    (tmp_path / "Lied.mp4").write_text("the film of before")
    line = command(blender, HEADLESS, tmp_path / "Lied.aimv" / "edit.json", "--render")
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", errors="replace"
    ) as process:
        for message in process.stdout:
            if '"render"' in message and json.loads(message)["done"] > 0:
                process.send_signal(signal.SIGTERM)
                break
        process.stdout.read()
    assert process.returncode == 128 + signal.SIGTERM
    assert (tmp_path / "Lied.mp4").read_text() == "the film of before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Lied.aimv", "Lied.blend", "Lied.mp4", "Lied.wav"]

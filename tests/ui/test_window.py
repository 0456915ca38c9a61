"""The add-on in a window, clicked through as a person does. `python3 aimv.py test --ui` runs this.

It takes a `blender` on the PATH and the display that there is, or the command in the variable AIMV_UI_BLENDER: that one
is given Blender's arguments, and all files lie in the folder that the variable AIMV_UI_FOLDER names. The pictures of
the window are kept in the folder AIMV_UI_PICTURES, if that variable is set.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest

from aimv_engine.song.demo import compose
from tests.test_blender import run

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "scripts" / "build_extension.py"
PROMPT = "A lighthouse in the snow at night"


def windowed_blender() -> list[str]:
    """The command of a Blender that opens a window; without one all tests here are skipped, in one line."""
    if command := os.environ.get("AIMV_UI_BLENDER"):
        return shlex.split(command)
    blender = shutil.which("blender")
    if blender is None:
        pytest.skip("no blender on the PATH", allow_module_level=True)
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        pytest.skip("no display", allow_module_level=True)
    return [blender]


if "AIMV_TEST_UI" not in os.environ:
    pytest.skip("a windowed test: run it by aimv.py test --ui", allow_module_level=True)
WINDOWED = windowed_blender()


@pytest.fixture(scope="module")
def folder(newest_blender: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is left of the walk: pictures, project, .blend and told.json."""
    folder = tmp_path_factory.mktemp("window")
    compose(folder / "song.wav", 16.0)
    assert run(newest_blender, BUILD, folder).returncode == 0
    for script in ("robot.py", "walk.py"):
        shutil.copy(HERE / script, folder)
    (package,) = folder.glob("*.zip")
    variables = {**os.environ, "AIMV_UI_FOLDER": str(folder), "BLENDER_USER_RESOURCES": str(folder / "profile")}
    variables.pop("AIMV_HOME", None)
    install = ["--command", "extension", "install-file", "--repo", "user_default", "--enable", str(package)]
    walk = ["--enable-event-simulate", "--python", str(folder / "walk.py"), "--", str(folder), sys.executable, PROMPT]
    for arguments in (install, walk):
        done = subprocess.run(
            [*WINDOWED, *arguments],
            env=variables,
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        (folder / "blender.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
        assert done.returncode == 0, done.stdout + done.stderr
    if kept := os.environ.get("AIMV_UI_PICTURES"):
        for picture in folder.glob("*.png"):
            shutil.copy(picture, kept)
    return folder


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Any]:
    told = json.loads((folder / "told.json").read_text(encoding="utf-8"))
    assert told["error"] is None, told["error"] + (folder / "blender.txt").read_text(encoding="utf-8")
    return told


def test_a_song_becomes_a_storyboard(told: dict[str, Any]) -> None:
    assert told["asked"] == ["Analyze Song", "Write Storyboard"]
    assert all(sentence for _, sentence in told["storyboard"])
    assert set(told["after storyboard"]) == {"EMPTY"}


def test_this_scene_gets_pictures_and_no_other(told: dict[str, Any], folder: Path) -> None:
    assert told["3 while it is made"] == ["READY", "EMPTY"]
    assert told["first"]
    assert all((folder / "song.aimv" / name).is_file() for name in told["first"])


def test_another_prompt_makes_the_scene_stale_and_then_other_pictures(told: dict[str, Any], folder: Path) -> None:
    assert told["prompt"] == PROMPT
    assert told["after the prompt"] == ["STALE", "EMPTY"]
    assert told["6 while it is made again"] == ["READY", "EMPTY"]
    assert len(told["second"]) == len(told["first"])
    assert not set(told["second"]) & set(told["first"])
    assert all((folder / "song.aimv" / name).is_file() for name in told["second"])


def test_nothing_went_wrong_on_the_way(told: dict[str, Any], folder: Path) -> None:
    assert told["line"] == ""
    printed = (folder / "blender.txt").read_text(encoding="utf-8")
    assert "Traceback" not in printed
    assert "arning" not in printed


def test_the_pictures_show_the_scenes(told: dict[str, Any], folder: Path) -> None:
    """The first frame fills the preview: what is seen there changes with the pictures, and all else does not much."""
    seen = [cv2.imread(str(path)) for path in sorted(folder.glob("[0-9] *.png"))]
    assert len(seen) == 7
    storyboard, made, again = seen[1], seen[3], seen[6]
    upper = slice(0, storyboard.shape[0] // 2)
    for one, other in ((storyboard, made), (made, again)):
        changed = (cv2.absdiff(one[upper], other[upper]).max(axis=2) > 16).mean()
        assert changed > 0.2

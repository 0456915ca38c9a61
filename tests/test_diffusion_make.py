"""Films by diffusion through the command line, as a person makes them: tiny models of each family, from folders."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import count_frames_and_secs

from aimv_engine.frames.generators.diffusion import cards
from aimv_engine.song.demo import compose
from aimv_engine.store import load_picture
from tests import tiny_pipelines

ROOT = Path(__file__).resolve().parents[1]
FPS = 6
SMALL = ["--size", "96x64", "--fps", str(FPS), "--keyframe-rate", "2", "--no-blender", "--steps", "2"]
FAMILIES = {
    "sd": tiny_pipelines.stable_diffusion,
    "sdxl": tiny_pipelines.sdxl,
    "sd3": tiny_pipelines.stable_diffusion_3,
    "z-image": tiny_pipelines.z_image,
}


def aimv(*arguments, folder, python=()):
    """Runs one command as its own process, in a folder."""
    command = [sys.executable, *python, "-m", "aimv_engine.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)


def stored(project):
    return {path.name: path.read_bytes() for path in (project / "store").rglob("*.jpg")}


def shown(project):
    """The pictures of a film, in order."""
    edit = json.loads((project / "edit.json").read_text(encoding="utf-8"))
    return [load_picture(project / frame) for scene in edit["scenes"] for frame in scene["frames"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a song and a model of each family."""
    folder = tmp_path_factory.mktemp("Mein schöner Film")
    compose(folder / "Lied.wav", 10.0)
    for name, family in FAMILIES.items():
        family().save_pretrained(folder / "models" / name)
    return folder


@pytest.fixture(scope="module")
def made(folder):
    """The whole way, once: the folder of the project."""
    done = aimv("make", "Lied.wav", *SMALL, "--diffusion-model", "models/sd", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "torchvision" not in done.stderr
    return folder / "Lied.aimv"


@pytest.fixture
def project(made, tmp_path):
    """A project of the same song, heard and written, without pictures."""
    shutil.copytree(made, tmp_path / "Lied.aimv", ignore=shutil.ignore_patterns("store", "*.log"))
    return tmp_path / "Lied.aimv"


def test_make_goes_the_whole_way(folder, made):
    frames, seconds = count_frames_and_secs(str(folder / "Lied.mp4"))
    song = json.loads((made / "song.json").read_text(encoding="utf-8"))
    assert frames == round(song["duration"] * FPS)
    assert seconds == pytest.approx(song["duration"], abs=0.2)
    pictures = shown(made)
    assert all(picture.shape == (64, 96, 3) and picture.std() > 1 for picture in pictures)
    moved = [np.abs(after.astype(int) - before).mean() for before, after in pairwise(pictures)]
    assert np.median(moved) > 0.1
    settings = json.loads((made / "settings.json").read_text(encoding="utf-8"))
    assert settings["diffusion_model"] == str(folder / "models" / "sd")
    assert "download" not in settings


def test_a_second_run_loads_no_model_and_changes_nothing(folder, made):
    before = stored(made)
    stamp = (folder / "Lied.mp4").stat().st_mtime_ns
    done = aimv("make", "Lied.wav", "--no-blender", folder=folder, python=["-X", "importtime"])
    assert done.returncode == 0, done.stderr
    assert "| diffusers\n" not in done.stderr
    assert stored(made) == before
    assert (folder / "Lied.mp4").stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("family", "mode"), [("sdxl", "feedback"), ("sd3", "follow"), ("z-image", "walk")], ids=lambda value: value
)
def test_every_family_and_mode_makes_a_film(folder, project, family, mode):
    window = ["--start", "4", "--end", "6", "--project", project]
    model = ["--diffusion-model", f"models/{family}", "--mode", mode]
    done = aimv("make", "Lied.wav", *SMALL, *window, *model, folder=folder)
    assert done.returncode == 0, done.stderr
    assert count_frames_and_secs(str(project.with_name("Lied.mp4")))[0] == 2 * FPS
    pictures = shown(project)
    assert all(picture.std() > 1 for picture in pictures)
    assert not np.array_equal(pictures[0], pictures[-1])


def test_a_killed_run_goes_on_and_makes_only_what_is_missing(folder, made, project):
    command = [sys.executable, "-m", "aimv_engine.cli", "make", "Lied.wav", *SMALL, "--project", str(project)]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        while len(stored(project)) < 3:
            assert process.poll() is None, "ended before it could be killed"
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    before = {path: path.stat().st_mtime_ns for path in (project / "store").rglob("[!.]*.jpg")}
    assert before.keys() < {project / path.relative_to(made) for path in (made / "store").rglob("*.jpg")}
    assert aimv("make", "Lied.wav", *SMALL, "--project", project, folder=folder).returncode == 0
    assert stored(project) == stored(made)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())


def test_paint_needs_nothing_of_diffusion(folder, project):
    window = ["--start", "4", "--end", "5", "--project", project]
    generator = ["--generator", "paint"]
    done = aimv("make", "Lied.wav", *SMALL, *window, *generator, folder=folder, python=["-X", "importtime"])
    assert done.returncode == 0, done.stderr
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "aimv_engine.frames.generators.paint.generator" in modules
    assert not {"diffusers", "aimv_engine.frames.generators.diffusion.loading"} & modules


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("no-such-model", "there is no model 'no-such-model'"),
        ("nobody/nothing", "add --download"),
        ("weights.ckpt", "is a pickle"),
        ("models", "has no model_index.json"),
        ("models/torn", "get it again"),
    ],
)
def test_a_model_that_can_not_be_used_is_said_in_one_line_before_any_work(folder, made, tmp_path, model, says):
    (folder / "weights.ckpt").write_bytes(b"\x80\x04pickle")
    torn = folder / "models" / "torn"
    shutil.copytree(folder / "models" / "sd", torn, dirs_exist_ok=True)
    weights = torn / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    done = aimv("make", "Lied.wav", "--diffusion-model", model, "--project", tmp_path / "new.aimv", folder=folder)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("aimv: ")
    assert says in line
    assert not (tmp_path / "new.aimv" / "song.json").exists()


def test_the_documentation_names_every_preset_with_its_figures():
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    rows = {row[1].strip(" `"): row for line in text.splitlines() if len(row := line.split("|")) == 9}
    for name in cards.names():
        card = cards.load(name)
        _, _, title, licence, steps, size, download, memory, _ = (cell.strip() for cell in rows[name])
        assert card.title == title
        assert card.licence.startswith(licence)
        assert (card.steps, card.size) == (int(steps), int(size))
        assert (f"{card.download_gb} GB", f"{card.memory_gb} GB") == (download, memory)

"""The whole way through the command line, as a person goes it: the real engine process, the real weights."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from imageio_ffmpeg import count_frames_and_secs, read_frames

from aimv_engine.song.demo import compose

SMALL = ["--size", "160x90", "--fps", "12", "--keyframe-rate", "3", "--no-blender"]


def aimv(*arguments, folder):
    """Runs one command as its own process, in a folder."""
    command = [sys.executable, "-m", "aimv_engine.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)


def copied(project, to):
    """The project's documents without its pictures: what was heard and written need not be heard and written again."""
    shutil.copytree(project, to, ignore=shutil.ignore_patterns("store"))
    return to


def lives(group):
    """Whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def stored(project):
    return {path.name: path.read_bytes() for path in (project / "store").rglob("*.jpg")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a space and an umlaut in its name, and the demo song in it."""
    folder = tmp_path_factory.mktemp("Mein schöner Film")
    compose(folder / "Lied.wav")
    return folder


@pytest.fixture(scope="module")
def made(folder):
    """The demo song's film, made once."""
    done = aimv("make", "Lied.wav", *SMALL, "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_make_leaves_the_video_and_the_project(folder, made):
    project = folder / "Lied.aimv"
    assert made[-1]["result"]["video"] == str(folder / "Lied.mp4")
    frames, seconds = count_frames_and_secs(str(folder / "Lied.mp4"))
    song = json.loads((project / "song.json").read_text(encoding="utf-8"))
    assert frames == round(song["duration"] * 12)
    assert seconds == pytest.approx(song["duration"], abs=0.1)
    for name in ("overview.png", "storyboard.png"):
        assert (project / name).read_bytes().startswith(b"\x89PNG")


def test_song_json_and_taggram_hold_what_the_readme_says(folder, made):
    song = json.loads((folder / "Lied.aimv" / "song.json").read_text(encoding="utf-8"))
    for name in ("duration", "tempo", "beats", "downbeats", "key", "main_tags", "segments"):
        assert song[name], name
    assert {"start", "end", "cluster", "tags"} <= set(song["segments"][0])
    with np.load(folder / "Lied.aimv" / "taggram.npz") as file:
        assert file["taggram"].shape == (len(file["times"]), 50) == (len(file["times"]), len(file["tags"]))
        assert file["taggram"].dtype == np.float32


def test_progress_is_told_stage_by_stage_and_reaches_the_end(made):
    steps = [message["progress"] for message in made if "progress" in message]
    stages = list(dict.fromkeys(step["stage"] for step in steps))
    assert stages[0] == "decoding"
    assert [stage for stage in stages if stage in ("keyframes", "in-betweens", "video")] == [
        "keyframes",
        "in-betweens",
        "video",
    ]
    for stage in stages:
        last = [step for step in steps if step["stage"] == stage][-1]
        assert last["done"] == last["total"]


def test_scenes_differ_and_the_picture_moves(folder, made):
    reader = read_frames(str(folder / "Lied.mp4"))
    width, height = next(reader)["size"]
    frames = [np.frombuffer(frame, np.uint8).reshape(height, width, 3).astype(float) for frame in reader]
    edit = json.loads((folder / "Lied.aimv" / "edit.json").read_text(encoding="utf-8"))
    middles = {scene["cluster"]: frames[(scene["first_frame"] + scene["last_frame"]) // 2] for scene in edit["scenes"]}
    assert len(middles) >= 2
    pictures = list(middles.values())
    for index, one in enumerate(pictures):
        for other in pictures[index + 1 :]:
            assert np.abs(one - other).mean() > 12
    moved = [np.abs(after - before).mean() for before, after in zip(frames, frames[6:], strict=False)]
    assert np.median(moved) > 1.0


def test_a_second_run_makes_nothing_anew(folder, made):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.suffix in (".jpg", ".mp4", ".json")}
    done = aimv("make", "Lied.wav", "--no-blender", folder=folder)
    assert done.returncode == 0, done.stderr
    after = {path: path.stat().st_mtime_ns for path in before}
    changed = {path.name for path in before if before[path] != after[path]}
    assert changed <= {"settings.json", "edit.json"}


def test_another_sentence_in_the_storyboard_changes_only_its_scene(folder, made):
    project = folder / "Lied.aimv"
    file = project / "storyboard.json"
    old, board, edit = (
        stored(project),
        json.loads(file.read_text(encoding="utf-8")),
        (project / "edit.json").read_text(),
    )
    board["scenes"][-1]["sentence"] = "In a snowy forest, a red fox runs under the northern lights."
    file.write_text(json.dumps(board), encoding="utf-8")
    done = aimv("render", "Lied.wav", "--no-blender", folder=folder)
    assert done.returncode == 0, done.stderr
    new = set(stored(project)) - set(old)
    strips = [len(scene["frames"]) for scene in json.loads(edit)["scenes"]]
    assert 0 < len(new) < strips[-1] + 0.5 * 12 * 4  # its own strip, its keyframes between frames, the fade into it
    assert all(stored(project)[name] == content for name, content in old.items())


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(folder, made, tmp_path):
    window = [*SMALL, "--start", "10", "--end", "16"]
    whole, broken = (copied(folder / "Lied.aimv", tmp_path / name) for name in ("whole.aimv", "broken.aimv"))
    assert aimv("make", "Lied.wav", *window, "--project", whole, folder=folder).returncode == 0
    command = [sys.executable, "-m", "aimv_engine.cli", "make", "Lied.wav", *window, "--project", str(broken)]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        while len(stored(broken)) < 5:
            assert process.poll() is None, "ended before it could be killed"
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    assert aimv("make", "Lied.wav", *window, "--project", broken, folder=folder).returncode == 0
    assert stored(broken) == stored(whole)


def test_ctrl_c_stops_at_once_leaves_no_process_and_says_how_to_go_on(folder, made, tmp_path):
    command = [sys.executable, "-m", "aimv_engine.cli", "make", "Lied.wav", *SMALL, "--size", "320x180"]
    project = copied(folder / "Lied.aimv", tmp_path / "stopped.aimv")
    process = subprocess.Popen(
        [*command, "--project", str(project)],
        cwd=folder,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    while not stored(project):
        assert process.poll() is None, "ended before it could be stopped"
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "run the same command to go on" in said
    assert "Traceback" not in said
    deadline = time.monotonic() + 5  # the system takes a moment to bury them
    while lives(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not lives(process.pid)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["make"], "give a song"),
        (["make", "missing.wav"], "missing.wav"),
        (["make", "Lied.wav", "--size", "big"], "--size"),
        (["make", "Lied.wav", "--preset", "velvet"], "velvet"),
        (["make", "Lied.wav", "--demo"], "not both"),
        (["make", "Lied.wav", "--start", "500"], "--start"),
        (["analyze", "notes.txt"], "notes.txt"),
    ],
)
def test_bad_input_is_one_clear_line(folder, made, arguments, says):
    (folder / "notes.txt").write_text("not music")
    done = aimv(*arguments, *(["--no-blender"] if arguments[0] == "make" else []), folder=folder)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line and "% |" not in line]  # one line, beside the bars
    assert line.startswith("aimv: ")
    assert says in line


def test_a_storyboard_that_is_broken_by_hand_is_said_with_its_place(folder, made, tmp_path):
    project = copied(folder / "Lied.aimv", tmp_path / "edited.aimv")
    file = project / "storyboard.json"
    text = file.read_text(encoding="utf-8")
    head, _, tail = text.rpartition('"start"')
    file.write_text(f'{head}"strat"{tail}', encoding="utf-8")
    done = aimv("render", "Lied.wav", "--no-blender", "--project", project, folder=folder)
    assert (done.returncode, ": start is missing" in done.stderr) == (1, True)
    file.write_text(text[:-20], encoding="utf-8")
    done = aimv("render", "Lied.wav", "--no-blender", "--project", project, folder=folder)
    assert (done.returncode, "line" in done.stderr) == (1, True)
    assert file.read_text(encoding="utf-8") == text[:-20]


def test_silence_is_a_warning_and_one_quiet_scene(tmp_path):
    import wave

    with wave.open(str(tmp_path / "quiet.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(22050)
        file.writeframes(bytes(2 * 22050 * 8))
    done = aimv("make", "quiet.wav", *SMALL, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "silent" in done.stderr
    board = json.loads((tmp_path / "quiet.aimv" / "storyboard.json").read_text(encoding="utf-8"))
    assert len(board["scenes"]) == 1


def test_a_reader_that_leaves_early_is_no_error(folder, made):
    engine = f'"{sys.executable}" -m aimv_engine.cli'
    line = f"{{ {engine} analyze Lied.wav --json; echo status $? >&2; }} | true"
    done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert done.stderr == "status 1\n"

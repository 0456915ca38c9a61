"""A project's folder: damaged documents, half written files, two processes."""

import subprocess
import sys

import numpy as np
import pytest

from aimv_engine.errors import AimvError
from aimv_engine.project import Analysis, Project
from aimv_engine.segmentation import Segment
from aimv_engine.song.energy import Energy
from aimv_engine.song.rhythm import Rhythm
from aimv_engine.song.tonality import Tonality
from aimv_engine.storyboard.scene import Storyboard
from aimv_engine.tagging.taggram import Taggram

CURVE = np.zeros(40, np.float32)
ANALYSIS = Analysis(
    made_from={},
    duration=8.0,
    rhythm=Rhythm(np.arange(8.0), np.arange(0.0, 8.0, 4.0), 60.0, 4, 1.0, False),
    energy=Energy(5.0, CURVE, CURVE, CURVE, CURVE),
    tonality=Tonality(5.0, np.zeros((40, 12), np.float32)),
    taggram=Taggram(np.arange(8.0), ("slow",), np.zeros((8, 1), np.float32)),
    key="A minor",
    main_tags=(("slow", 0.5),),
    segments=(Segment(0.0, 8.0, "A", (("slow", 0.5),), "A minor", 0.5),),
    silent=False,
)
HOLD = """
import sys
from pathlib import Path
from aimv_engine.project import Project
project = Project(Path(sys.argv[1]))
project.create()
print("taken", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_to_wait_and_a_killed_one_lets_go(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path / "song.aimv")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(AimvError, match="another AIMV is at work"):
            Project(tmp_path / "song.aimv").create()
        other.kill()
    Project(tmp_path / "song.aimv").create()


def test_a_storyboard_that_is_there_is_kept_beside_the_new_one(tmp_path):
    project = Project(tmp_path)
    board = Storyboard((), "by Albert Bierstadt", "oil", ())
    assert project.write_storyboard({"seed": 1}, board) is None
    (tmp_path / "storyboard.json").write_text("written by hand", encoding="utf-8")
    aside = project.write_storyboard({"seed": 2}, board)
    assert aside == tmp_path / "storyboard-1.json"
    assert aside.read_text(encoding="utf-8") == "written by hand"


def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    project = Project(tmp_path)
    (tmp_path / "store" / "ab").mkdir(parents=True)
    left = [tmp_path / ".aimv-part-1", tmp_path / "store" / "ab" / ".aimv-part-2"]
    kept = [tmp_path / "song.json", tmp_path / "store" / "ab" / "ab12.jpg"]
    for path in left + kept:
        path.touch()
    project.create()
    assert [path.exists() for path in left + kept] == [False, False, True, True]


@pytest.mark.parametrize("content", [b"", b"{", b'{"made_from": 1}', b"\xff", b"[]"])
def test_a_damaged_document_of_aimvs_own_is_as_good_as_none(tmp_path, content):
    (tmp_path / "song.json").write_bytes(content)
    assert Project(tmp_path).analysis() is None


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
@pytest.mark.parametrize("name", ["taggram.npz", "curves.npz", "song.json"])
def test_half_an_analysis_is_none(tmp_path, name, share):
    project = Project(tmp_path)
    project.write_analysis(ANALYSIS)
    assert project.analysis() is not None
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    assert project.analysis() is None

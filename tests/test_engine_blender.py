"""How the engine listens to Blender's process, and ends it. test_blender.py has the real Blenders."""

import sys

import pytest

from aimv_engine import blender
from aimv_engine.errors import Cancelled
from aimv_engine.project import Project

RENDERING = """
import json, pathlib, signal, sys, time
part = pathlib.Path(sys.argv[2]).with_name("film.part")
def tidy(*_):
    part.unlink()
    sys.exit(1)
signal.signal(signal.SIGTERM, tidy)
part.touch()
print(json.dumps({"stage": "render", "done": 1, "total": 9}), flush=True)
time.sleep(60)
"""


def test_a_stopped_blender_may_remove_what_it_is_at(tmp_path):
    project = Project(tmp_path / "song.aimv")
    project.create()

    def stop(stage, done, total):
        assert (project.folder / "film.part").exists()
        raise Cancelled

    with pytest.raises(Cancelled):
        blender.build([sys.executable, "-c", RENDERING], project, {}, stop)
    assert not (project.folder / "film.part").exists()

"""What a stage does to files that are there already."""

from aimv_engine.edit import Outputs
from aimv_engine.project import Project
from aimv_engine.stages import describe, put_aside


def test_a_film_as_aimv_left_it_may_be_replaced_and_anything_else_is_kept(tmp_path):
    project = Project(tmp_path / "song.aimv")
    project.create()
    outputs = Outputs(tmp_path / "song.mp4", tmp_path / "song.blend")
    outputs.video.write_bytes(b"made by AIMV")
    outputs.blend.write_bytes(b"made by AIMV")
    project.write_json("film.json", {"files": describe(outputs, ["blender"])})
    told: list[str] = []
    put_aside(project, outputs, ["blender"], told.append)
    assert told == []

    outputs.blend.write_bytes(b"edited for a whole day")
    put_aside(project, outputs, ["blender"], told.append)
    assert (tmp_path / "song-1.blend").read_bytes() == b"edited for a whole day"
    assert outputs.video.is_file()
    assert not outputs.blend.exists()
    assert len(told) == 1
    assert "song-1.blend" in told[0]


def test_somebodys_own_video_of_the_songs_name_is_never_overwritten(tmp_path):
    project = Project(tmp_path / "song.aimv")
    project.create()
    outputs = Outputs(tmp_path / "song.mp4", tmp_path / "song.blend")
    for number in (1, 2):
        outputs.video.write_bytes(b"a wedding, part %d" % number)
        put_aside(project, outputs, None, lambda line: None)
        assert (tmp_path / f"song-{number}.mp4").read_bytes() == b"a wedding, part %d" % number


def test_a_damaged_record_of_the_film_is_as_good_as_none(tmp_path):
    project = Project(tmp_path / "song.aimv")
    project.create()
    (project.folder / "film.json").write_text("{", encoding="utf-8")
    outputs = Outputs(tmp_path / "song.mp4", tmp_path / "song.blend")
    outputs.video.write_bytes(b"of whom?")
    put_aside(project, outputs, None, lambda line: None)
    assert (tmp_path / "song-1.mp4").read_bytes() == b"of whom?"

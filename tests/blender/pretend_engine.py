"""A well-behaved engine that only pretends: it answers at once, and goes on just as far as a test lets it.

It speaks the protocol. What it does lies in files of the project's folder, so that a test decides what happens when:

    allowed     how many steps of generating it may take (a number); without the file as many as there are
    manner      "fail" (the request fails), "die" or "hang", when the next step would come
"""

import json
import os
import struct
import sys
import threading
import time
import zlib
from pathlib import Path

HANDLE = 2  # frames beyond a scene
CHUNK = 10  # frames told at a time

writing = threading.Lock()
cancelled = set()
alive = threading.Event()


def send(**message):
    with writing:
        sys.stdout.buffer.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        sys.stdout.buffer.flush()


def beat():
    while not alive.wait(0.2):
        send(method="alive", params={})


class StopError(Exception):
    """The request was cancelled, or is to fail."""


def step(request, folder, number):
    """Waits until step `number` may be taken."""
    while True:
        if request in cancelled:
            raise StopError(-32800, "cancelled")
        allowed = read(folder / "allowed")
        if not allowed or number <= int(allowed):
            break
        time.sleep(0.01)
    match read(folder / "manner"):
        case "fail":
            raise StopError(-32000, "the disk is full: make room")
        case "die":
            print("MemoryError: all is lost", file=sys.stderr, flush=True)
            os._exit(3)
        case "hang":
            alive.set()
            time.sleep(3600)


def read(path):
    try:
        return path.read_text()
    except OSError:
        return ""


def picture(folder, name, grey):
    """A picture of one grey in the store. Returns its name as the protocol says it."""
    path = folder / "store" / name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = (b"\0" + bytes([grey]) * 3 * 16) * 16
        chunks = [
            (b"IHDR", struct.pack(">2I5B", 16, 16, 8, 2, 0, 0, 0)),
            (b"IDAT", zlib.compress(rows)),
            (b"IEND", b""),
        ]
        data = b"".join(struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks)
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return f"store/{name}"


def generate(request, params):
    folder = Path(params["project"])
    if params.get("download"):
        (folder / "model").touch()
    if params["settings"]["diffusion_model"] and not (folder / "model").exists():
        raise StopError(-32000, "the model isn't on this computer; add --download to have it downloaded once (2.6 GB)")
    blank = picture(folder, "placeholder.png", 64)
    begins = [scene["first_frame"] for scene in params["scenes"]]
    ends = [*begins[1:], params["frame_count"]]
    number = 0
    for done, index in enumerate(params["make"]):
        step(request, folder, number := number + 1)
        send(
            method="progress",
            params={"id": request, "stage": "keyframes", "done": done, "total": len(params["make"]), "eta": None},
        )
        first = max(0, begins[index] - HANDLE)
        count = min(params["frame_count"], ends[index] + HANDLE) - first
        about = {"id": request, "scene": index}
        frames = [None] * count
        send(
            method="strip",
            params={**about, "first_frame": first, "size": params["size"], "placeholder": blank, "frames": frames},
        )
        for begin in range(0, count, CHUNK):
            step(request, folder, number := number + 1)
            seed = zlib.crc32(params["scenes"][index]["sentence"].encode()) % 200
            names = [
                picture(folder, f"{seed:03d}/{frame:04d}.png", seed)
                for frame in range(begin, min(count, begin + CHUNK))
            ]
            send(method="frames", params={**about, "index": begin, "frames": names})
        step(request, folder, number := number + 1)
        send(method="made", params=about)
    step(request, folder, number + 1)
    return {}


def scenes(request, params):
    """Half the song each: the two scenes of analysis and storyboard."""
    step(request, Path(params["project"]), 1)
    parts = []
    for index, name in enumerate(("A1", "B1")):
        parts.append(
            {
                "name": name,
                "start": 4.0 * index,
                "end": 4.0 * index + 4.0,
                "cluster": name[0],
                "color": [0.5, 0.2 + 0.4 * index, 0.3],
                "key": "A minor",
                "energy": 0.5,
                "tags": [["ambient", 0.5], ["slow", 0.25]],
                "sentence": f"A quiet lake, picture {index}",
                "candidates": [{"sentence": f"A quiet lake, picture {index}", "score": 0.5}],
                "seed": 7 + index,
                "look": "oil",
                "negative": "",
                "camera": "auto",
                "intensity": 1.0,
                "style": 1.0,
            }
        )
    return parts


def analyze(request, params):
    heard = [
        {name: part[name] for name in ("name", "start", "end", "cluster", "color", "key", "energy", "tags")}
        for part in scenes(request, params)
    ]
    return {
        "duration": 8.0,
        "silent": False,
        "tempo": 120.0,
        "meter": 4,
        "beatless": False,
        "key": "A minor",
        "main_tags": [["ambient", 0.5]],
        "segments": heard,
        "overview": "overview.png",
    }


def storyboard(request, params):
    parts = scenes(request, params)
    return {"artist": "by Albert Bierstadt", "look": "oil", "main_tags": [["ambient", 0.5]], "scenes": parts}


def rewrite(request, params):
    step(request, Path(params["project"]), 1)
    sentences = [f"Picture {number}" for number in range(4)]
    others = [sentence for sentence in sentences if sentence not in params["avoid"]]
    return {"candidates": [{"sentence": sentence, "score": 0.5} for sentence in others[:2]]}


METHODS = {"analyze": analyze, "storyboard": storyboard, "generate": generate, "rewrite": rewrite}


def work(request, method, params):
    try:
        send(id=request, result=METHODS[method](request, params))
    except StopError as stop:
        send(id=request, error={"code": stop.args[0], "message": stop.args[1]})
    except Exception as error:
        send(id=request, error={"code": -32603, "message": repr(error)})


def main():
    threading.Thread(target=beat, daemon=True).start()
    for line in sys.stdin:
        message = json.loads(line)
        match message:
            case {"method": "initialize", "id": request}:
                about = {"protocol": 1, "version": "0", "python": "3", "device": "cpu"}
                send(id=request, result=about)
            case {"method": "cancel", "params": {"id": request}}:
                cancelled.add(request)
            case {"method": "shutdown"}:
                break
            case {"method": method, "id": request, "params": params}:
                threading.Thread(target=work, args=(request, method, params), daemon=True).start()


if __name__ == "__main__":
    main()

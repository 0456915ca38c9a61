"""A fake engine with every evil manner: hostile_engine.py [MANNER ...]

Without manners it speaks the protocol properly: `echo` answers with its params, `count` tells progress and notices up
to params.number, `wait` goes on until it is cancelled. A manner makes it go wrong, most of them once a request comes.
"""

import json
import os
import signal
import sys
import threading
import time

MANNERS = set(sys.argv[1:])
FOREVER = 3600.0

writing = threading.Lock()
cancelled = threading.Event()


def write(data: bytes) -> None:
    with writing:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def send(**message: object) -> None:
    write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


def beat() -> None:
    while "silent" not in MANNERS:
        send(method="alive", params={})
        time.sleep(0.1)


def initialize(request: object) -> None:
    protocol = 99 if "another-version" in MANNERS else 1
    if "no-handshake" in MANNERS:
        send(id=request, error={"code": -32601, "message": "what?"})
    elif "silent" not in MANNERS:
        send(id=request, result={"protocol": protocol, "version": "7.8.9", "python": "3.11.0", "device": "cpu"})


def misbehave() -> None:
    if "garbage" in MANNERS:
        write(b'Segmentation fault?\n\n{}\n[1, 2]\n"text"\nnull\n{"method": 7}\n{"id": "one", "result": 1}\n')
        write(b'{"method": "progress", "params": {"id": 1}}\n{"method": "progress", "params": [1]}\n')
        write(b'{"id": 1, "error": "no object"}\n{"id": 1, "error": {"code": "x", "message": 1}}\n')
    if "not-utf8" in MANNERS:
        write(b'{"id": 1, "result": "\xff\xfe\xc3"}\n\x00\x01\x02\n')
    if "deep" in MANNERS:
        write(b"[" * 100_000 + b"\n" + b'{"id": 1, "result": ' + b"9" * 10_000 + b"}\n")
    if "long-line" in MANNERS:
        for _ in range(100):
            write(b"x" * 2**20)
        write(b"\n")
    if "endless-line" in MANNERS:
        while True:
            write(b"x" * 2**20)
    if "endless-garbage" in MANNERS:
        while True:
            write(b"garbage\n")
    if "unknown-ids" in MANNERS:
        for request in (0, 2, 77, -1, 10**30, None, "1"):
            send(id=request, result="not yours")
            send(method="progress", params={"id": request, "stage": "x", "done": 1, "total": 2, "eta": None})
    if "half-a-line" in MANNERS:
        write(b'{"jsonrpc": "2.0", "id": 1, "res')
        os._exit(0)
    if "dies" in MANNERS:
        print("Traceback (most recent call last):\n  ...\nRuntimeError: all is lost", file=sys.stderr, flush=True)
        os._exit(3)
    if "killed" in MANNERS:
        os.kill(os.getpid(), signal.SIGKILL)
    if "closes-stdout" in MANNERS:
        os.close(1)
        time.sleep(FOREVER)
    if "leaves-a-child" in MANNERS:
        child = os.fork()
        if child == 0:
            time.sleep(FOREVER)  # holds stdout open
        print(child, file=sys.stderr, flush=True)
        os._exit(0)
    if "hangs" in MANNERS:
        writing.acquire()
        time.sleep(FOREVER)


def work(request: int, method: str, params: dict[str, object]) -> None:
    if method == "count":
        number = int(str(params["number"]))
        for index in range(number):
            send(
                method="progress", params={"id": request, "stage": "counting", "done": index, "total": number, "eta": 1}
            )
            send(method="frames", params={"id": request, "index": index})
        send(id=request, result=number)
    elif method == "wait":
        while not cancelled.wait(0.02) or "ignores-cancel" in MANNERS:
            pass
        send(id=request, error={"code": -32800, "message": "cancelled"})
    else:
        send(id=request, result=params)


def main() -> None:
    if "stubborn" in MANNERS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=beat, daemon=True).start()
    if "deaf" in MANNERS:  # never reads again
        initialize(json.loads(sys.stdin.buffer.readline())["id"])
        time.sleep(FOREVER)
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if message["method"] == "initialize":
            initialize(message["id"])
        elif message["method"] == "shutdown" and "stubborn" not in MANNERS:
            break
        elif message["method"] == "cancel":
            cancelled.set()
        elif message["method"] != "shutdown":
            misbehave()
            arguments = (message["id"], message["method"], message["params"])
            threading.Thread(target=work, args=arguments, daemon=True).start()
    if "stubborn" in MANNERS:
        time.sleep(FOREVER)
    os._exit(0)


main()

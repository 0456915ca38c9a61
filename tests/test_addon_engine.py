"""The add-on's end of the protocol, against the real engine and against one with every evil manner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.modules import load

ROOT = Path(__file__).resolve().parent.parent
FAKE = ROOT / "tests" / "hostile_engine.py"
REAL = [sys.executable, "-P", "-m", "aimv_engine.cli", "serve"]
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and process groups")


link = load("addon_engine", ROOT / "blender_addon" / "engine.py")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds of waiting takes less."""
    for name, seconds in (("PATIENCE_AT_START", 1.0), ("PATIENCE", 1.0), ("CANCEL_PATIENCE", 0.5), ("TICK", 0.05)):
        monkeypatch.setattr(link, name, seconds)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts the fake engine with the manners given; whatever becomes of it, it is gone afterwards."""
    engines = []

    def start(*manners: str, command: list[str] | None = None) -> Any:
        command = command or [sys.executable, str(FAKE), *manners]
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
        engine = link.Engine(command, variables, tmp_path, tmp_path / "logs" / "engine.log")
        engine.start()
        engines.append(engine)
        return engine

    yield start
    for engine in engines:
        engine.stop()
        until(lambda engine=engine: engine._ended.is_set())
        assert not runs(engine)


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def runs(engine: Any) -> bool:
    return engine._process is not None and engine._process.poll() is None


def hear(engine: Any, *last: type) -> list[Any]:
    """All messages up to one of the kinds `last`."""
    messages: list[Any] = []

    def heard() -> bool:
        messages.extend(engine.poll())
        return any(isinstance(message, last) for message in messages)

    until(heard)
    return messages


def ended(engine: Any) -> str:
    """The text of the one Ended, which is one line, names the log and is the last of all messages."""
    messages = hear(engine, link.Ended)
    assert [type(message) for message in messages].count(link.Ended) == 1
    assert isinstance(messages[-1], link.Ended)
    text: str = messages[-1].text
    assert engine.dead
    assert engine.reason == text
    assert engine.poll() == []
    assert not runs(engine)
    assert "\n" not in text
    assert "engine.log" in text
    return text


def test_it_shakes_hands_and_answers_in_order(start: Callable[..., Any]) -> None:
    engine = start()
    ids = [engine.request("echo", {"text": f"Grüße {number} \udcff"}) for number in range(3)]
    messages: list[Any] = []
    while len(messages) < 4:
        messages += hear(engine, link.Answer)
    assert messages[0] == link.Ready("7.8.9", "3.11.0", "cpu")
    assert {message.id: message.result for message in messages[1:]} == {
        request: {"text": f"Grüße {number} \udcff"} for number, request in enumerate(ids)
    }
    assert not engine.dead


def test_a_request_that_the_engine_would_not_read_fails_at_once(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "LONGEST_LINE", 1000)
    engine = start()
    too_long = engine.request("usage", {"keep": ["x" * 1000]})
    (failure,) = engine.poll()
    assert (failure.id, failure.code) == (too_long, link.TOO_LONG)
    request = engine.request("usage", {})
    assert hear(engine, link.Answer)[-1].id == request


def test_progress_and_notices_come_before_the_answer(start: Callable[..., Any]) -> None:
    engine = start()
    request = engine.request("count", {"number": 50})
    messages = hear(engine, link.Answer)
    notices = [message for message in messages if isinstance(message, link.Notice)]
    assert [notice.params["index"] for notice in notices] == list(range(50))
    assert {notice.method for notice in notices} == {"frames"}
    assert link.Progress(request, "counting", 49, 50, 1) in messages
    assert messages[-1] == link.Answer(request, 50)


def test_a_cancelled_request_fails_as_cancelled(start: Callable[..., Any]) -> None:
    engine = start()
    request = engine.request("wait", {})
    engine.cancel(request)
    engine.cancel(request)
    engine.cancel(12345)
    assert hear(engine, link.Failure)[-1] == link.Failure(request, link.CANCELLED, "cancelled")
    engine.cancel(request)


@pytest.mark.parametrize("manner", ["garbage", "not-utf8", "deep", "long-line", "unknown-ids"])
def test_what_is_no_message_is_dropped_and_counted(manner: str, start: Callable[..., Any]) -> None:
    engine = start(manner)
    request = engine.request("echo", {"text": "still here"})
    assert hear(engine, link.Answer, link.Failure)[1:] == [link.Answer(request, {"text": "still here"})]
    assert engine.dropped > 0
    assert not engine.dead


def test_a_line_of_100_megabytes_is_never_held_as_a_whole(start: Callable[..., Any]) -> None:
    import tracemalloc

    engine = start("long-line")
    tracemalloc.start()
    engine.request("echo", {})
    hear(engine, link.Answer)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * link.LONGEST_LINE


@pytest.mark.parametrize("manner", ["endless-garbage", "endless-line"])
def test_one_that_talks_nonsense_for_ever_is_ended(manner: str, start: Callable[..., Any], impatient: None) -> None:
    engine = start(manner)
    engine.request("echo", {})
    assert ("nonsense" if manner == "endless-garbage" else "hangs") in ended(engine)


def test_messages_that_nobody_polls_make_the_engine_wait(
    start: Callable[..., Any], impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "MOST_WAITING", 100)
    engine = start()
    request = engine.request("count", {"number": 20_000})
    until(lambda: len(engine._inbox) >= 100)
    time.sleep(1.5)  # longer than its patience: who waits for us doesn't hang
    assert len(engine._inbox) <= 101
    assert len(engine.poll()) <= 101
    assert hear(engine, link.Answer)[-1] == link.Answer(request, 20_000)


def test_a_poll_takes_a_bounded_number(start: Callable[..., Any]) -> None:
    engine = start()
    engine.request("count", {"number": 1000})
    until(lambda: len(engine._inbox) > 1000)
    assert len(engine.poll()) == 200
    assert len(engine.poll(7)) == 7


@pytest.mark.parametrize("manner", ["silent", "hangs"])
def test_one_that_gives_no_sign_of_life_is_ended(manner: str, start: Callable[..., Any], impatient: None) -> None:
    engine = start(manner)
    engine.request("echo", {})
    assert "hangs" in ended(engine)


def test_one_that_ignores_a_cancel_is_ended(start: Callable[..., Any], impatient: None) -> None:
    engine = start("ignores-cancel")
    engine.cancel(engine.request("wait", {}))
    assert "did not heed Cancel" in ended(engine)


def test_a_cancelled_request_that_waits_behind_another_is_not_called_deaf(
    start: Callable[..., Any], impatient: None
) -> None:
    engine = start("ignores-cancel")
    engine.request("wait", {})
    engine.cancel(engine.request("wait", {}))
    time.sleep(1.5)
    assert not engine.dead


@pytest.mark.parametrize("manner", ["another-version", "no-handshake"])
def test_another_version_is_refused(manner: str, start: Callable[..., Any]) -> None:
    engine = start(manner)
    engine.request("echo", {})
    assert "another version" in ended(engine)


@pytest.mark.parametrize("manner", ["half-a-line", "dies", "closes-stdout"])
def test_sudden_death_is_told_in_one_line(manner: str, start: Callable[..., Any]) -> None:
    engine = start(manner)
    engine.request("echo", {})
    text = ended(engine)
    said = {
        "half-a-line": "ended with status 0",
        "dies": "status 3: RuntimeError: all is lost",
        "closes-stdout": "fell silent",
    }
    assert said[manner] in text


@POSIX
def test_death_by_signal_9_hints_at_memory(start: Callable[..., Any]) -> None:
    engine = start("killed")
    engine.request("echo", {})
    assert "want of memory" in ended(engine)


@POSIX
def test_what_an_engine_leaves_behind_is_ended_with_it(start: Callable[..., Any]) -> None:
    engine = start("leaves-a-child")
    engine.request("echo", {})
    child = int(ended(engine).split(": ")[1].split()[0])
    until(lambda: not exists(child))


def test_a_python_that_is_not_there_or_has_no_engine(start: Callable[..., Any], tmp_path: Path) -> None:
    assert "can't be started" in ended(start(command=[str(tmp_path / "python"), "x"]))
    assert "No module named" in ended(start(command=[sys.executable, "-m", "no_such_module"]))


@pytest.mark.parametrize("manner", ["", "stubborn", "deaf", "ignores-cancel", "silent"])
def test_stop_returns_at_once_and_the_engine_ends(manner: str, start: Callable[..., Any]) -> None:
    engine = start(*[manner][: bool(manner)])
    if manner != "silent":
        hear(engine, link.Ready)
    for _ in range(100):
        engine.request("wait", {"text": "x" * 10_000})  # more than a pipe holds: the writer may be stuck
    began = time.monotonic()
    engine.stop()
    engine.stop()
    assert time.monotonic() - began < 0.5
    assert engine.dead
    assert engine.poll() == []
    until(lambda: not runs(engine), 10)


def test_stop_before_it_was_really_there(start: Callable[..., Any]) -> None:
    engine = start("stubborn")
    engine.stop()
    until(lambda: engine._ended.is_set() and not runs(engine), 10)


def test_a_log_does_not_grow_for_ever(start: Callable[..., Any], tmp_path: Path) -> None:
    log = tmp_path / "logs" / "engine.log"
    log.parent.mkdir()
    log.write_bytes(b"old line\n" * 1_000_000)
    engine = start("dies")
    engine.request("echo", {})
    assert "all is lost" in ended(engine)
    assert log.stat().st_size < 1000


PARENT = """
import importlib.util, os, sys, time
from pathlib import Path
spec = importlib.util.spec_from_file_location("addon_engine", sys.argv[1])
link = importlib.util.module_from_spec(spec)
sys.modules["addon_engine"] = link
spec.loader.exec_module(link)
engine = link.Engine(sys.argv[3:], dict(os.environ), Path(sys.argv[2]), Path(sys.argv[2], "engine.log"))
engine.start()
while not any(isinstance(message, link.Ready) for message in engine.poll()):
    time.sleep(0.01)
    if engine.dead:
        sys.exit(engine.reason)
print(engine._process.pid, flush=True)
if os.environ.get("LEAVE"):
    if os.environ["LEAVE"] == "stop":
        engine.stop()
    sys.exit()
time.sleep(600)
"""


@POSIX
@pytest.mark.parametrize("leave", ["", "stop", "without a word"])
@pytest.mark.parametrize("command", [[sys.executable, str(FAKE)], REAL], ids=["fake", "real"])
def test_an_engine_ends_with_its_parent(command: list[str], leave: str, tmp_path: Path) -> None:
    line = [sys.executable, "-c", PARENT, str(ROOT / "blender_addon" / "engine.py"), str(tmp_path), *command]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "LEAVE": leave, "OMP_WAIT_POLICY": "PASSIVE"}
    with subprocess.Popen(line, stdout=subprocess.PIPE, env=variables, encoding="utf-8") as parent:
        assert parent.stdout is not None
        engine = int(parent.stdout.readline())
        if not leave:
            parent.send_signal(signal.SIGKILL)
    until(lambda: not exists(engine), 15)


def exists(process: int) -> bool:
    """Whether there is such a process, one that is dead and not yet buried left out."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def test_the_real_engine_answers(start: Callable[..., Any]) -> None:
    engine = start(command=REAL)
    request = engine.request("no such method", {})
    ready, *_, failure = hear(engine, link.Failure, link.Ended)
    assert isinstance(ready, link.Ready)
    assert isinstance(failure, link.Failure)
    assert failure.id == request
    assert not engine.dead

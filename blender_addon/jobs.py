"""Work that the engine does for scenes: one queue, one engine process, and what comes of it put into the scene.

A job belongs to a scene by the scene's uid, never by a reference: undo and loading a file free what a reference points
to. What the engine says about a job waits in the job's mailbox until a scene with its uid is open, so that results
find the right file whatever was opened in between. All of this runs on Blender's main thread; the engine's threads
only fill its mailbox.
"""

import atexit
import contextlib
import time
import traceback
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

import bpy
from bpy.types import Scene, TimelineMarker

from . import engine, files, preferences, segments
from .errors import AddonError

State = Literal["QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED"]
Land = Callable[[Scene, Any], None]  # (scene, result)
Notice = Callable[[Scene, "Job", str, dict[str, Any]], None]  # (scene, job, method, params)
Restore = Callable[[Scene], None]

BUSY, IDLE = 0.1, 1.0  # seconds between two looks at the engine
REMEMBERED = 20  # jobs that have ended
RESULT = "result"  # in a mailbox, beside the names of notifications

_numbers = count(1)


@dataclass(eq=False)
class Job:
    """One request to the engine, from asking for it until its result is in the scene."""

    scene_uid: str
    kind: str  # the protocol's method
    title: str  # what the person reads
    params: dict[str, Any]
    land: Land
    notice: Notice | None = None
    restore: Restore | None = None  # puts into the scene what has landed before, when undo or a reload took it away
    making: dict[str, tuple[str, str]] = field(default_factory=dict)  # uid of marker: what is asked for, and its size
    only_looks: bool = False  # it changes nothing in the file
    needs: "Job | None" = None  # it is given up when that one comes to nothing
    fractions: dict[str, float] = field(default_factory=dict)  # uid of marker: how much of it is there
    id: int = field(default_factory=lambda: next(_numbers))
    state: State = "QUEUED"
    stage: str = ""
    done: float = 0
    total: float = 0
    eta: float | None = None
    error: str = ""
    request: int | None = None  # the engine's number for it, while it runs there
    cancelled: bool = False  # asked to be; it is still running until the engine lets go of it
    mailbox: deque[tuple[str, Any]] = field(default_factory=deque)

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come from the engine."""
        return self.state not in ("QUEUED", "RUNNING")

    @property
    def fraction(self) -> float:
        """How far its stage has come, 0 to 1."""
        return self.done / self.total if self.total else 0.0


@dataclass
class Shown:
    """What panels show beside the jobs themselves."""

    error: str = ""  # the last line of trouble
    engine_ended: bool = False  # it is about an engine that ended by itself: its log says more


state = Shown()
_jobs: list[Job] = []  # in the order in which they were asked for
_engine: engine.Engine | None = None
_ended: list[Job] = []  # whose end has not been told to the undo history


# Asking --------------------------------------------------------------------------------------------------------------


def submit(
    scene: Scene,
    kind: str,
    title: str,
    params: dict[str, Any],
    land: Land,
    notice: Notice | None = None,
    restore: Restore | None = None,
    making: dict[str, tuple[str, str]] | None = None,
    only_looks: bool = False,
    needs: Job | None = None,
) -> Job:
    """Queues a request. `land` and `notice` are called on the main thread while the scene is open. One that
    `only_looks` changes nothing in the file: it makes no undo step, and no line of trouble goes away."""
    job = Job(scene.aimv.uid, kind, title, params, land, notice, restore, making or {}, only_looks, needs)
    for old in [old for old in _jobs if old.ended and not old.mailbox][:-REMEMBERED]:
        _jobs.remove(old)
    _jobs.append(job)
    _wake()
    return job


def cancel(job: Job) -> None:
    """Gives a job up; what it has made is kept. A running one ends when the engine lets go of it, within a second."""
    if job.state == "QUEUED":
        _end(job, "CANCELLED")
    elif job.state == "RUNNING":
        job.cancelled = True
        if _engine is not None and job.request is not None:
            _engine.cancel(job.request)


def wait(job: Job, step: bool = True) -> None:
    """Works until the job has ended. Raises AddonError when it came to nothing. An operator that leaves a step in the
    undo history itself wants no other inside, without `step` (Blender 5.0 can crash there)."""
    while not job.ended or (job.mailbox and scene_of(job.scene_uid) is not None):
        if not pump(deadline=1.0, step=step):
            time.sleep(0.01)
    if not step and job in _ended:
        _ended.remove(job)
    if job.state != "DONE":
        raise AddonError(job.error or f"{job.title} was cancelled")


# Looking -------------------------------------------------------------------------------------------------------------


def of(scene: Scene) -> list[Job]:
    """The jobs of a scene, those under way first, then what has ended, the last one first."""
    own = [job for job in _jobs if job.scene_uid == scene.aimv.uid]
    return [job for job in own if not job.ended] + [job for job in reversed(own) if job.ended]


def unfinished() -> list[Job]:
    """All jobs of all scenes that are under way, in the order in which they are done."""
    return [job for job in _jobs if not job.ended]


def undelivered() -> list[Job]:
    """The jobs that have ended and whose results wait for their scene: its file is not open."""
    return [job for job in _jobs if job.ended and job.mailbox]


def state_of(scene: Scene, marker: TimelineMarker) -> tuple[str, float]:
    """What a list shows for a scene: EMPTY, STALE, READY, QUEUED, MAKING (and how much of it is there), FAILED or
    MISSING (pictures are not on the disk any more)."""
    uid = marker.aimv.uid
    newest = [job for job in reversed(_jobs) if uid in job.making and job.scene_uid == scene.aimv.uid]
    for job in newest:
        there = job.fractions.get(uid, 0.0)
        if job.state == "RUNNING" and there < 1.0:
            return ("MAKING", there) if uid in job.fractions else ("QUEUED", 0.0)
        if job.state == "QUEUED":
            return "QUEUED", 0.0
    if newest and newest[0].state == "FAILED" and newest[0].fractions.get(uid, 0.0) < 1.0:
        return "FAILED", 0.0
    state_there = segments.state(scene, marker)
    return "MISSING" if state_there != segments.EMPTY and files.are_missing(scene, marker) else state_there, 0.0


def is_asked(scene: Scene, uid: str, wish: tuple[str, str]) -> bool:
    """Whether a job under way makes that marker's pictures already, of the same and in the same size."""
    return any(job.making.get(uid) == wish for job in unfinished() if job.scene_uid == scene.aimv.uid)


def withdraw(scene: Scene, uids: Collection[str]) -> None:
    """Takes markers out of the jobs that wait: other pictures of them are asked for."""
    for job in of(scene):
        if job.state == "QUEUED" and not job.making.keys().isdisjoint(uids):
            order = list(job.making)  # as in what is asked for
            job.params["make"] = [
                index for uid, index in zip(order, job.params["make"], strict=True) if uid not in uids
            ]
            for uid in order:
                if uid in uids:
                    del job.making[uid]
            if not job.making:
                _end(job, "CANCELLED")


def dismiss_error() -> None:
    """Takes the line of trouble away, and the marks of what failed."""
    state.error, state.engine_ended = "", False
    for job in [job for job in _jobs if job.state == "FAILED" and not job.mailbox]:
        _jobs.remove(job)


# Working -------------------------------------------------------------------------------------------------------------


def pump(deadline: float = 0.003, step: bool = True) -> bool:
    """Takes in what the engine said, for about so many seconds. Returns whether anything happened. With `step` what
    ended leaves a step in the undo history."""
    until = time.perf_counter() + deadline
    happened = _receive()
    if not _is_in_use():
        happened |= _deliver(until)
    happened |= _start_next()
    if step:
        _remember_undo()
    if happened:
        redraw()
    return happened


def scene_of(uid: str) -> Scene | None:
    """The scene with that uid, if its file is open."""
    return next((scene for scene in segments.own_scenes() if scene.aimv.uid == uid), None) if uid else None


def restore_all() -> None:
    """After undo, redo or loading: what jobs under way have put into the scene so far is put there again."""
    for job in _jobs:
        scene = scene_of(job.scene_uid)
        if scene is not None and job.restore is not None and (not job.ended or job.mailbox):
            _guarded(job, job.restore, scene)
    redraw()


def redraw() -> None:
    """Lets every sequencer and its sidebar show what is new."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "SEQUENCE_EDITOR":
                area.tag_redraw()


def stop_engine() -> None:
    """Ends the engine. The next job starts another one."""
    if _engine is not None:
        _engine.stop()
    _engine_ended("The engine was stopped")


def _receive() -> bool:
    """Sorts what the engine said into the mailboxes of the jobs."""
    if _engine is None:
        return False
    messages = _engine.poll()
    for message in messages:
        if isinstance(message, engine.Ended):
            _engine_ended(message.text)
            break
        job = next((job for job in _jobs if job.request is not None and job.request == getattr(message, "id", 0)), None)
        if job is None:
            continue
        match message:
            case engine.Progress():
                job.stage, job.done, job.total, job.eta = message.stage, message.done, message.total, message.eta
            case engine.Notice():
                job.mailbox.append((message.method, message.params))
            case engine.Answer():
                job.request = None
                job.mailbox.append((RESULT, message.result))
            case engine.Failure():
                job.request = None
                _fail(job, "" if message.code == engine.CANCELLED else message.text)
    return bool(messages)


def _engine_ended(reason: str) -> None:
    global _engine
    _engine = None
    for job in _jobs:
        if job.request is not None:
            job.request = None
            _fail(job, "" if job.cancelled else reason)
            state.engine_ended = not job.cancelled


def _is_in_use() -> bool:
    """Whether strips and markers must stay as they are: while a film is rendered, or while somebody moves them."""
    if bpy.app.is_job_running("RENDER"):
        return True
    modal = [operator.bl_idname for window in bpy.context.window_manager.windows for operator in window.modal_operators]
    return any(name.startswith(("TRANSFORM_OT_", "SEQUENCER_OT_", "MARKER_OT_")) for name in modal)


def _deliver(until: float) -> bool:
    """Hands the jobs' mail to their scenes, as far as these are open and time allows."""
    happened = False
    for job in [job for job in _jobs if job.mailbox]:
        while job.mailbox and (scene := scene_of(job.scene_uid)) is not None:
            if happened and time.perf_counter() > until:
                return True
            happened = True
            method, content = job.mailbox.popleft()
            if method == RESULT:
                if not job.only_looks:
                    state.error = ""
                if _guarded(job, job.land, scene, content):
                    _end(job, "DONE")
            elif job.notice is not None:
                _guarded(job, job.notice, scene, job, method, content)
        if job.mailbox and job.mailbox[-1][0] == RESULT and not job.ended:
            _end(job, "DONE")  # what it made waits for its file
    return happened


def _guarded(job: Job, work: Callable[..., None], *arguments: Any) -> bool:
    """Does something for a job; when that goes wrong the job has failed, and says why."""
    try:
        work(*arguments)
    except Exception as error:
        if not isinstance(error, AddonError):
            traceback.print_exc()
        if job.request is not None and _engine is not None:
            _engine.cancel(job.request)
            job.request = None
        job.mailbox.clear()
        _fail(job, str(error) if isinstance(error, AddonError) else f"{job.title}: {type(error).__name__}: {error}")
        return False
    return True


def _start_next() -> bool:
    """Sends the next job to the engine when that has none; starts the engine where there is none."""
    for job in _jobs:
        if job.state == "QUEUED" and job.needs is not None and job.needs.state in ("FAILED", "CANCELLED"):
            _end(job, "CANCELLED")
    waiting = next((job for job in _jobs if job.state == "QUEUED"), None)
    if waiting is None or any(job.state == "RUNNING" for job in _jobs):
        return False
    _guarded(waiting, _send, waiting)
    return True


def _send(job: Job) -> None:
    global _engine
    if _engine is None:
        started = preferences.new_engine()
        started.start()
        _engine = started
    job.request = _engine.request(job.kind, job.params)
    job.state = "RUNNING"


def _fail(job: Job, error: str) -> None:
    """Ends a job that came to nothing; without an error it was cancelled."""
    job.error = error
    if error:
        state.error, state.engine_ended = error, False
    _end(job, "FAILED" if error else "CANCELLED")


def _end(job: Job, how: State) -> None:
    if not job.ended and not job.only_looks and (how == "DONE" or job.fractions):
        _ended.append(job)
    job.state = how


def _remember_undo() -> None:
    """One step in the undo history for all that a job put into the scene."""
    for job in [job for job in _ended if not job.mailbox]:
        _ended.remove(job)
        windows = bpy.context.window_manager.windows
        override = bpy.context.temp_override(window=windows[0]) if windows else contextlib.nullcontext()
        with override:
            if bpy.ops.ed.undo_push.poll():
                bpy.ops.ed.undo_push(message=job.title)


# Blender's clock -----------------------------------------------------------------------------------------------------


def _tick() -> float:
    """What Blender calls: without a window it never does, and wait() pumps."""
    try:
        pump()
    except Exception:  # a timer that raises is never called again
        traceback.print_exc()
    return BUSY if unfinished() or any(job.mailbox for job in _jobs) else IDLE


def _wake() -> None:
    """Lets the clock tick soon."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    bpy.app.timers.register(_tick, first_interval=0.01, persistent=True)


def register() -> None:
    atexit.register(stop_engine)
    _wake()


def unregister() -> None:
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    stop_engine()
    atexit.unregister(stop_engine)
    _jobs.clear()
    _ended.clear()
    state.error = ""

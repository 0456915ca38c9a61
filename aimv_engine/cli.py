"""The command line: `aimv make SONG` and its parts. What a person reads goes to stderr, results to stdout."""

import argparse
import json
import logging
import os
import signal
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from aimv_engine import __version__
from aimv_engine.errors import AimvError, mendable
from aimv_engine.logs import log_file

if TYPE_CHECKING:  # the heavy modules load only when there is work: `--help` answers at once
    from aimv_engine.edit import Outputs
    from aimv_engine.project import Analysis, Project
    from aimv_engine.settings import Settings

log = logging.getLogger("aimv")

EPILOG = """\
examples:
  aimv.py make song.mp3                       the whole way: song.mp4, song.blend and the folder song.aimv
  aimv.py make song.mp3 --size 1280x720 --fps 60 --preset watercolour
  aimv.py make song.mp3 --start 60 --end 75   try 15 seconds first
  aimv.py make --demo                         no song at hand? AIMV composes one

Options other than --start and --end are remembered in the project: --fps 60 stays 60 until you give another.
Edit song.aimv/storyboard.json (sentences, seeds, looks) and run `render` again: only what changed is made anew.
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command. The exit status: 0 done, 1 something to mend, 2 wrong usage, 130 stopped by the user."""
    options = _parser().parse_args(arguments)
    _stop_at_signals()
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a log that can't be written is no reason for a traceback
    logging.getLogger().addHandler(logging.NullHandler())  # what is logged is never shown, log file or not
    try:
        status = _run(options, Talk(options.json))
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever read what we say has left (`| head -1`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(options: argparse.Namespace, talk: "Talk") -> int:
    try:
        return int(options.run(options, talk))
    except BrokenPipeError:
        raise
    except AimvError as error:
        log.error("%s", error)
        talk.fail(str(error))
        return 1
    except KeyboardInterrupt:
        talk.fail("stopped; what is finished is kept, run the same command to go on")
        return 130
    except Exception as error:
        log.exception("unexpected")
        where = log_file() or "the messages above"
        unexpected = f"AIMV did not expect this: {type(error).__name__}: {error} (details in {where})"
        talk.fail(mendable(error) or unexpected)
        return 1


# what a person, or a program, sees -------------------------------------------------------------------------------


class Talk:
    """Progress bars and lines for a person, or JSON lines for a program."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._bar: Any = None
        self._stage = ""
        self._told = 0.0

    def progress(self, stage: str, done: int, total: int) -> None:
        """A Progress: what, how many of how many, and the time left."""
        if self.as_json:
            if time.monotonic() - self._told > 0.2 or done == total or stage != self._stage:
                self._told, self._stage = time.monotonic(), stage
                self._print({"progress": {"stage": stage, "done": done, "total": total}})
            return
        from tqdm import tqdm

        if self._bar is None or stage != self._stage or total != self._bar.total:
            self.close()
            shape = "{desc:<14} {percentage:3.0f} % |{bar:28}| {n_fmt} of {total_fmt}, {remaining} left"
            self._bar = tqdm(
                total=total, desc=stage, bar_format=shape, file=sys.stderr, initial=done, mininterval=0.2, leave=True
            )
            self._stage = stage
        self._bar.update(done - self._bar.n)
        if done >= total:
            self.close()

    def tell(self, line: str) -> None:
        """One line of what happens."""
        self.close()
        if self.as_json:
            self._print({"message": line})
        else:
            print(line, file=sys.stderr)

    def result(self, data: dict[str, Any], lines: list[str]) -> None:
        """What came out: the data for a program, the lines for a person."""
        self.close()
        if self.as_json:
            self._print({"result": data})
        else:
            print("\n".join(lines))

    def fail(self, line: str) -> None:
        """What went wrong."""
        self.close()
        if self.as_json:
            self._print({"error": line})
        print(f"aimv: {line}", file=sys.stderr)

    def close(self) -> None:
        """Ends the bar that is shown."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    @staticmethod
    def _print(data: dict[str, Any]) -> None:
        print(json.dumps(data, ensure_ascii=False), flush=True)


# commands --------------------------------------------------------------------------------------------------------


def _make(options: argparse.Namespace, talk: Talk) -> int:
    from aimv_engine import stages
    from aimv_engine.environment import blender_host
    from aimv_engine.frames.generators import making
    from aimv_engine.models import Models

    song, project, settings = _open(options, talk)
    making.have(settings, options.download, talk.progress)
    host: list[str] | None = None
    if not options.no_blender:
        found = blender_host()
        host = found.command
        if host is None:
            talk.tell(f"no .blend will be written: {found.reason}")
    analysis = _analysis(song, project, settings, talk)
    storyboard = stages.write_storyboard(project, analysis, settings, Models(), talk.progress, talk.tell)
    outputs = _outputs(song, project)
    stages.render(project, song, analysis, storyboard, settings, outputs, host, talk.progress, talk.tell)
    made = [outputs.video, outputs.blend] if host else [outputs.video]
    talk.result(
        {"video": str(outputs.video), "blend": str(outputs.blend) if host else None, "project": str(project.folder)},
        [f"{path}" for path in (*made, project.folder)],
    )
    return 0


def _analyze(options: argparse.Namespace, talk: Talk) -> int:
    song, project, settings = _open(options, talk)
    analysis = _analysis(song, project, settings, talk)
    data = {name: value for name, value in project.read_json("song.json").items() if name != "made_from"}
    talk.result({**data, "project": str(project.folder)}, _describe(analysis, project))
    return 0


def _storyboard(options: argparse.Namespace, talk: Talk) -> int:
    from aimv_engine import stages
    from aimv_engine.models import Models

    song, project, settings = _open(options, talk)
    analysis = _analysis(song, project, settings, talk)
    storyboard = stages.write_storyboard(project, analysis, settings, Models(), talk.progress, talk.tell)
    lines = [f"{scene.start:7.1f} s  {scene.cluster}  {scene.sentence}" for scene in storyboard.scenes]
    file = project.folder / "storyboard.json"
    head = f"{storyboard.artist}, look: {storyboard.look}"
    talk.result({"storyboard": str(file)}, [head, *lines, f"{file} can be edited by hand"])
    return 0


def _doctor(options: argparse.Namespace, talk: Talk) -> int:
    from aimv_engine import doctor

    return doctor.main(options.json)


def _serve(options: argparse.Namespace, talk: Talk) -> int:
    from aimv_engine import server

    server.serve()


def _open(options: argparse.Namespace, talk: Talk) -> "tuple[Path, Project, Settings]":
    """The song, its project and the settings with what was given on the command line, checked and remembered."""
    import dataclasses

    from aimv_engine.project import Project
    from aimv_engine.settings import Settings

    song = _song(options, talk)
    given = {field.name: getattr(options, field.name, None) for field in dataclasses.fields(Settings)}
    for name in ("diffusion_model", "follow"):  # found again from another folder
        if (path := Path(given[name] or "").expanduser()).exists() and given[name]:
            given[name] = str(path.resolve())
    project = Project(options.project.resolve() if options.project else song.with_name(f"{song.stem}.aimv"))
    if not song.is_file():
        raise AimvError(f"there is no song {song}; give the path of an audio or video file")
    settings = dataclasses.replace(project.settings(), start=0.0, end=None).changed(**given)
    project.create()
    log.info("aimv %s %s", __version__, " ".join(sys.argv[1:]))
    project.write_json("settings.json", dataclasses.asdict(settings))
    return song, project, settings


def _song(options: argparse.Namespace, talk: Talk) -> Path:
    if getattr(options, "demo", False):
        if options.song:
            raise AimvError("give a song or --demo, not both")
        from aimv_engine.song.demo import compose

        song = Path("aimv-demo.wav").resolve()
        if not song.is_file():
            talk.tell(f"composing {song.name}")
            compose(song)
        return song
    if not options.song:
        raise AimvError("give a song: an audio or video file (or --demo, and AIMV composes one)")
    return Path(options.song).resolve()


def _analysis(song: Path, project: "Project", settings: "Settings", talk: Talk) -> "Analysis":
    from aimv_engine import stages

    analysis = stages.analyze(project, song, settings, talk.progress)
    if analysis.silent:
        talk.tell(f"{song.name} is silent: the film will be one quiet scene")
    return analysis


def _outputs(song: Path, project: "Project") -> "Outputs":
    """The video and the .blend lie beside the project folder; a song that is itself an mp4 is never overwritten."""
    from aimv_engine.edit import Outputs

    video = project.folder.parent / f"{song.stem}.mp4"
    if video == song:
        video = video.with_name(f"{song.stem}-aimv.mp4")
    return Outputs(video, video.with_suffix(".blend"))


def _describe(analysis: "Analysis", project: "Project") -> list[str]:
    rhythm = analysis.rhythm
    tempo = "no steady beat" if rhythm.beatless else f"{rhythm.tempo:.1f} BPM"
    lines = [f"{analysis.duration:.1f} s, {tempo}, {analysis.key}"]
    lines += ["main tags: " + ", ".join(f"{tag} {weight:.2f}" for tag, weight in analysis.main_tags[:6])]
    for segment in analysis.segments:
        tags = ", ".join(tag for tag, _ in segment.tags[:4])
        lines.append(f"{segment.start:7.1f} s  {segment.cluster}  {segment.key:<9} {tags}")
    return [*lines, str(project.folder / "overview.png")]


# options ---------------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aimv.py",
        description="Turns a song into a music video and an editable Blender project.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"AIMV {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _command(commands, "make", _make, "song in, video and Blender project out", ("song", "story", "film"))
    _command(commands, "analyze", _analyze, "hear the song: tempo, beats, key, tags, segments", ("song",))
    _command(commands, "storyboard", _storyboard, "write a scene for each segment", ("song", "story"))
    _command(
        commands, "render", _make, "make the film again after the storyboard was edited", ("song", "story", "film")
    )
    doctor = commands.add_parser("doctor", help="what is installed, what is missing and what to do about it")
    doctor.add_argument("--json", action="store_true", help="for programs")
    doctor.set_defaults(run=_doctor)
    serve = commands.add_parser("serve", help="for programs: JSON-RPC on stdin and stdout, as the add-on speaks it")
    serve.set_defaults(run=_serve, json=False)
    commands.add_parser(
        "setup", help="make or mend the engine's environment now (aimv.py does that before it comes here)"
    )
    commands.add_parser("test", help="run AIMV's own tests (aimv.py does that before it comes here)")
    commands.add_parser("build", help="build the Blender extension (aimv.py does that before it comes here)")
    return parser


def _command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace, Talk], int],
    text: str,
    groups: tuple[str, ...],
) -> None:
    parser = commands.add_parser(
        name, help=text, description=text, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("song", nargs="?", metavar="SONG", help="wav, flac, mp3, ogg, opus, m4a, or a video with sound")
    if name in ("make", "render"):
        add("--demo", action="store_true", help="compose a 40-second song first (aimv-demo.wav) and take that")
    add("--project", type=Path, metavar="FOLDER", help="the project folder (default: SONG.aimv beside the song)")
    add("--json", action="store_true", help="progress and results as JSON lines, for programs")
    add("--model", dest="tagger", metavar="MTT|MSD", help="what musicnn was trained on (default MTT)")
    add("--hop", type=float, metavar="SECONDS", help="between two rows of the taggram (default 1)")
    add("--clusters", type=int, metavar="N", help="how many different scenes (default 0: as many as the music has)")
    if "story" in groups:
        add("--seed", type=int, metavar="N", help="another number, another film (default 0)")
        add("--preset", metavar="LOOK", help="the look, one of presets/looks (default auto: suggested by the music)")
        add(
            "--writer",
            metavar="MODEL",
            help="your own language model, by folder or name (default auto: embedded)",
        )
        add("--clip", metavar="FOLDER", help="rank the sentences by this CLIP model (default auto: by MiniLM)")
    if "film" in groups:
        add("--generator", metavar="NAME", help="auto, paint or diffusion (default auto: diffusion if it has a model)")
        add("--size", metavar="WxH", help="of the video in pixels (default 640x360)")
        add("--fps", metavar="RATE", help="frames a second: 24, 25, 23.976, 59.94, 60 ... (default 24)")
        add("--keyframe-rate", type=float, metavar="RATE", help="keyframes a second (default 6)")
        add("--start", type=float, metavar="SECONDS", help="where in the song the film begins (default 0)")
        add("--end", type=float, metavar="SECONDS", help="where in the song the film ends (default: its end)")
        add("--no-blender", action="store_true", help="write the video without Blender, and no .blend")
        add = parser.add_argument_group("diffusion").add_argument
        add("--diffusion-model", metavar="MODEL", help="preset, folder, file or hub's name (docs/models.md)")
        add("--download", action="store_true", help="fetch the model from the hub if it isn't here")
        add("--mode", metavar="MODE", help="walk, feedback or follow (default auto: walk)")
        add("--follow", metavar="PATH", help="images or a movie to restyle (default paint: AIMV's own pictures)")
        add("--steps", type=int, metavar="N", help="of denoising (default 0: as many as the model wants)")
        add("--guidance", type=float, metavar="X", help="how strictly texts are heeded (default -1: the model's own)")
        add("--best-of", type=int, metavar="N", help="CLIP takes a scene's first keyframe from N (default 1)")


# signals -----------------------------------------------------------------------------------------------------------


def _stop_at_signals() -> None:
    """Ctrl-C, `kill` and a closed terminal all mean: end the helper processes and leave nothing half written."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # nohup stays nohup
            signal.signal(number, _stop)


def _stop(number: int, frame: types.FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # an impatient second Ctrl-C must not disturb the tidying up
    raise KeyboardInterrupt


if __name__ == "__main__":
    os._exit(main())  # torch and its threads take half a second to be taken apart in order

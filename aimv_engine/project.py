"""A video project on disk: the folder SONG.aimv with everything that AIMV knows and makes about a song.

settings.json     what was chosen last
song.json         what the music is: tempo, beats, key, segments ...
taggram.npz       the taggram
curves.npz        energy and chroma over time
storyboard.json   what the film shows: made to be edited by hand
edit.json         the film as Blender, or the video writer, gets it
overview.png, storyboard.png
uses/             which pictures each .blend of the song shows, written by the add-on
store/            keyframes and frames, named by their content
aimv.log          what happened
"""

import contextlib
import io
import json
import logging
import re
import zipfile
import zlib
from dataclasses import dataclass, replace
from itertools import count, pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np

from aimv_engine import settings as settings_module
from aimv_engine.environment import try_lock
from aimv_engine.errors import AimvError
from aimv_engine.logs import log_to
from aimv_engine.segmentation import Segment
from aimv_engine.settings import Settings
from aimv_engine.song.energy import Energy
from aimv_engine.song.rhythm import Rhythm
from aimv_engine.song.tonality import Tonality
from aimv_engine.store import PART, Store, write_whole
from aimv_engine.storyboard.scene import Storyboard, from_dict, to_dict
from aimv_engine.tagging.taggram import Taggram


@dataclass(frozen=True)
class Analysis:
    """All that the engine heard in a song."""

    made_from: dict[str, Any]  # the song's hash and the settings; equal ones need no new analysis
    duration: float
    rhythm: Rhythm
    energy: Energy
    tonality: Tonality
    taggram: Taggram
    key: str  # of the whole song
    main_tags: tuple[tuple[str, float], ...]
    segments: tuple[Segment, ...]
    silent: bool


@dataclass(frozen=True)
class Use:
    """What a .blend file shows."""

    blend: str  # its path
    frames: tuple[str, ...]  # paths relative to the project's folder


class Project:
    """The folder of one song's film. Reads and writes its documents whole; pictures are the store's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / "store")
        self.log = folder / "aimv.log"
        self.edit_file = folder / "edit.json"
        self._lock: IO[bytes] | None = None
        self._logging: logging.Handler | None = None

    def create(self) -> None:
        """Makes the folder and takes it for this process, until `close`; what is logged meanwhile goes to its log.

        What a killed process left half written is removed. Raises AimvError when it can't be had or written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / ".lock").open("a+b")
            if not try_lock(self._lock):
                raise AimvError(f"another AIMV is at work in {self.folder}; wait for its end, or stop it")
            for part in (*self.folder.glob(f"{PART}*"), *self.store.folder.glob(f"??/{PART}*")):
                part.unlink()
            self._logging = log_to(logging.FileHandler(self.log, encoding="utf-8"))
        except OSError as error:
            raise AimvError(
                f"the project folder {self.folder} can't be written ({error.strerror}); choose another project folder"
            ) from error

    def close(self) -> None:
        """Lets others have the folder."""
        if self._logging is not None:
            logging.getLogger().removeHandler(self._logging)
            with contextlib.suppress(OSError):  # on a full disk its last lines can't be written
                self._logging.close()
            self._logging = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # documents ---------------------------------------------------------------------------------------------------

    def read_json(self, name: str) -> Any:
        """A document of the project, or None when it isn't there. Raises AimvError for one that can't be read."""
        path = self.folder / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise AimvError(f"{path} can't be read: {error}") from error
        except json.JSONDecodeError as error:
            raise AimvError(
                f"{path} is not valid JSON in line {error.lineno}, column {error.colno} ({error.msg}); "
                "mend it there, or delete the file to have a new one"
            ) from error

    def read_made(self, name: str) -> Any:
        """A document that AIMV alone writes, or None: a damaged one is made again like one that isn't there."""
        with contextlib.suppress(AimvError):
            return self.read_json(name)
        return None

    def write_json(self, name: str, data: Any) -> None:
        """Writes a document, whole or not at all; lists of numbers stay on one line."""
        text = json.dumps(data, ensure_ascii=False, indent=1)
        text = re.sub(r"\[\n[^\[\]{}]*?\n *\]", lambda found: re.sub(r"\s*\n\s*", " ", found[0]), text)
        self.write(name, (text.replace("[ ", "[").replace(" ]", "]") + "\n").encode())

    def write(self, name: str, content: bytes) -> None:
        """Writes a file of the project, whole or not at all."""
        try:
            write_whole(self.folder / name, content)
        except OSError as error:
            raise AimvError(f"{self.folder / name} can't be written ({error.strerror})") from error

    # settings ----------------------------------------------------------------------------------------------------

    def settings(self) -> Settings:
        """What was chosen last, or the defaults."""
        data = self.read_json("settings.json")
        return Settings() if data is None else settings_module.from_json(data)

    # analysis ----------------------------------------------------------------------------------------------------

    def analysis(self) -> Analysis | None:
        """The analysis that is there, or None."""
        data = self.read_made("song.json")
        if data is None:
            return None
        try:
            with np.load(self.folder / "taggram.npz") as file:
                taggram = Taggram(file["times"], tuple(str(tag) for tag in file["tags"]), file["taggram"])
            with np.load(self.folder / "curves.npz") as file:
                energy = Energy(
                    float(file["rate"]), file["onset"], file["percussive"], file["loudness"], file["brightness"]
                )
                tonality = Tonality(float(file["chroma_rate"]), file["chroma"])
            return Analysis(
                made_from=data["made_from"],
                duration=data["duration"],
                rhythm=Rhythm(
                    beats=np.array(data["beats"]),
                    downbeats=np.array(data["downbeats"]),
                    tempo=data["tempo"],
                    meter=data["meter"],
                    confidence=data["confidence"],
                    beatless=data["beatless"],
                ),
                energy=energy,
                tonality=tonality,
                taggram=taggram,
                key=data["key"],
                main_tags=_pairs(data["main_tags"]),
                segments=tuple(Segment(**{**item, "tags": _pairs(item["tags"])}) for item in data["segments"]),
                silent=data["silent"],
            )
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile, zlib.error):
            return None  # from another version, or half of it was deleted: it is made again

    def write_analysis(self, analysis: Analysis) -> None:
        """Writes song.json, taggram.npz and curves.npz; song.json last, so that it speaks for all."""
        taggram, energy, tonality, rhythm = analysis.taggram, analysis.energy, analysis.tonality, analysis.rhythm
        self._write_arrays("taggram.npz", taggram=taggram.likelihoods, times=taggram.times, tags=np.array(taggram.tags))
        self._write_arrays(
            "curves.npz",
            rate=np.array(energy.rate),
            onset=energy.onset,
            percussive=energy.percussive,
            loudness=energy.loudness,
            brightness=energy.brightness,
            chroma_rate=np.array(tonality.rate),
            chroma=tonality.chroma,
        )
        self.write_json(
            "song.json",
            {
                "made_from": analysis.made_from,
                "duration": round(analysis.duration, 3),
                "silent": analysis.silent,
                "tempo": round(rhythm.tempo, 3),
                "meter": rhythm.meter,
                "beatless": rhythm.beatless,
                "confidence": round(rhythm.confidence, 3),
                "key": analysis.key,
                "main_tags": [[tag, round(weight, 3)] for tag, weight in analysis.main_tags],
                "segments": [
                    {
                        "start": round(segment.start, 3),
                        "end": round(segment.end, 3),
                        "cluster": segment.cluster,
                        "tags": [[tag, round(weight, 3)] for tag, weight in segment.tags],
                        "key": segment.key,
                        "energy": round(segment.energy, 3),
                    }
                    for segment in analysis.segments
                ],
                "beats": [round(float(time), 3) for time in rhythm.beats],
                "downbeats": [round(float(time), 3) for time in rhythm.downbeats],
            },
        )

    def _write_arrays(self, name: str, **arrays: Any) -> None:
        stream = io.BytesIO()
        np.savez_compressed(stream, allow_pickle=False, **arrays)
        self.write(name, stream.getvalue())

    # storyboard --------------------------------------------------------------------------------------------------

    def storyboard(self, song_end: float | None = None) -> tuple[dict[str, Any], Storyboard] | None:
        """What the storyboard was made from, and the storyboard as it stands, with a person's changes.

        A scene ends where the next begins, whatever its own end says: to move a boundary is to edit one number.
        """
        data = self.read_json("storyboard.json")
        if data is None:
            return None
        try:
            board = from_dict(data, song_end)
            starts = [scene.start for scene in board.scenes]
            if not starts or any(after <= before for before, after in pairwise(starts)):
                raise AimvError("its scenes must be one or more, each starting later than the one before")
        except AimvError as error:
            raise AimvError(f"{self.folder / 'storyboard.json'}: {error}") from error
        ends = [*starts[1:], board.scenes[-1].end]
        board = replace(
            board, scenes=tuple(replace(scene, end=end) for scene, end in zip(board.scenes, ends, strict=True))
        )
        return data.get("made_from", {}), board

    def write_storyboard(self, made_from: dict[str, Any], storyboard: Storyboard) -> Path | None:
        """Writes storyboard.json; one that is there is kept under another name (storyboard-1.json ...), the result."""
        path = self.folder / "storyboard.json"
        aside = None
        if path.exists():
            names = (path.with_name(f"storyboard-{number}.json") for number in count(1))
            aside = next(name for name in names if not name.exists())
            path.rename(aside)
        self.write_json("storyboard.json", {"made_from": made_from, **to_dict(storyboard)})
        return aside

    # uses --------------------------------------------------------------------------------------------------------

    def uses(self) -> dict[Path, Use]:
        """What .blend files show of the store, by the files that the add-on wrote when they were saved.

        Raises AimvError for one that can't be read: its pictures could be taken for unused.
        """
        uses = {}
        for path in sorted((self.folder / "uses").glob("*.json")):
            data = self.read_json(f"uses/{path.name}")
            try:
                uses[path] = Use(str(data["blend"]), tuple(map(str, data["frames"])))
            except (KeyError, TypeError) as error:
                raise AimvError(
                    f"{path} is damaged; save the .blend file that it is of again, or delete it if there is none"
                ) from error
        return uses


def _pairs(items: Any) -> tuple[tuple[str, float], ...]:
    return tuple((str(tag), float(weight)) for tag, weight in items)

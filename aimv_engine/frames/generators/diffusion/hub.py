"""Models of the Hugging Face hub: found in the hub's own cache, and brought there when that was asked for."""

import json
import re
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from aimv_engine.checkpoint import PICKLES
from aimv_engine.errors import AimvError, mendable
from aimv_engine.heartbeat import meanwhile
from aimv_engine.progress import Progress

INDEX = "model_index.json"  # names the parts of a model: each lies in a folder of that name
DESCRIPTIONS = {".json", ".txt", ".model", ".jinja"}  # configurations and what tokenizers know
WEIGHTS = re.compile(r"[^.]+?(?:\.(?P<variant>[^.]+?))?(?:-\d{5}-of-(?P<parts>\d{5}))?\.safetensors")


def weights(names: Iterable[str]) -> list[str]:
    """Which of the file names in a part's folder are its weights: those in half precision, where there are any."""
    found: dict[str | None, list[str]] = {}
    for name in sorted(names):
        if match := WEIGHTS.fullmatch(name):
            found.setdefault(match["variant"], []).append(name)
    return found.get("fp16") or found.get(None, [])


def complete(names: Collection[str]) -> bool:
    """Whether weights that are told in several files are all there, and whether there are any at all."""
    counts = [match["parts"] for match in map(WEIGHTS.fullmatch, names) if match]
    return bool(counts) and all(count is None or int(count) == len(names) for count in counts)


def needed(sizes: Mapping[str, int], index: Mapping[str, Any], with_weights: bool = True) -> list[str]:
    """Which of a model's files (path to bytes) AIMV needs. Raises AimvError where weights are there as pickles only."""
    files = [INDEX]
    for part in parts(index):
        inside = [name.removeprefix(f"{part}/") for name in sizes if name.startswith(f"{part}/")]
        chosen = [name for name in inside if Path(name).suffix in DESCRIPTIONS]
        if with_weights:
            chosen += weights(inside)
            if "config.json" in inside and not weights(inside) and any(Path(name).suffix in PICKLES for name in inside):
                raise AimvError(
                    f"{part} of this model is a pickle, which can run programs when it is opened; choose a model that "
                    "is offered as .safetensors"
                )
        files += [f"{part}/{name}" for name in chosen if "/" not in name]
    return files


def parts(index: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The parts that model_index.json names, with the library and the class of each."""
    pairs = {name: value for name, value in index.items() if isinstance(value, list) and len(value) == 2}
    return {name: (str(library), str(kind)) for name, (library, kind) in pairs.items() if library and kind}


def read_json(path: Path) -> dict[str, Any]:
    """What a configuration file holds. Raises AimvError when it can't be read."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AimvError(f"{path} can't be read ({_line(error)}); get the model again") from error
    if not isinstance(data, dict):
        raise AimvError(f"{path} is no configuration; get the model again")
    return data


def cached(hub_id: str) -> Path | None:
    """The folder of a model that was downloaded earlier, perhaps in part."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(hub_id, INDEX)
    return Path(found).parent if isinstance(found, str) else None


def download(hub_id: str, progress: Progress, with_weights: bool = True) -> Path:
    """The folder of the model in the hub's cache; what isn't there yet is downloaded, told of in bytes.

    Files that arrived whole are kept when it is cancelled or breaks off. Raises AimvError when it can't be had.
    """
    tally = _Tally()
    stage = f"downloading {hub_id}"

    def heartbeat() -> None:
        try:
            progress(stage, min(tally.done, tally.total), tally.total)
        except BaseException:
            tally.cancelled = True
            raise

    return meanwhile(lambda: _download(hub_id, with_weights, tally), heartbeat)


class _Tally:
    """What the thread that downloads tells the one that waits for it, and the other way round."""

    def __init__(self) -> None:
        self.done = 0
        self.total = 1
        self.cancelled = False


def _download(hub_id: str, with_weights: bool, tally: _Tally) -> Path:
    from huggingface_hub import HfApi, constants, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # what it says of tries that fail is ours to tell
    constants.HF_HUB_DISABLE_XET = True  # its downloads can't be cancelled
    try:
        information = HfApi().model_info(hub_id, files_metadata=True)
        folder = Path(hf_hub_download(hub_id, INDEX)).parent  # which is named by the revision
        sizes = {file.rfilename: file.size or 0 for file in information.siblings or []}
        missing = [
            name
            for name in needed(sizes, read_json(folder / INDEX), with_weights)
            if not isinstance(try_to_load_from_cache(hub_id, name, revision=folder.name), str)
        ]
        tally.total = max(1, sum(sizes[name] for name in missing))
        _check_space(folder, tally.total)
        for name in missing:
            hf_hub_download(hub_id, name, revision=folder.name, tqdm_class=_bar(tally))
        return folder
    except AimvError:
        raise
    except GatedRepoError as error:
        raise AimvError(
            f"the makers of {hub_id} want their licence accepted first: do so on the model's page of the hub, "
            "then log in here once with 'hf auth login'"
        ) from error
    except RepositoryNotFoundError as error:
        raise AimvError(f"there is no model {hub_id} on the hub, or it is private; check how it is written") from error
    except OfflineModeIsEnabled as error:
        raise AimvError(
            f"{hub_id} can't be downloaded, as HF_HUB_OFFLINE is set; unset it, or give a model's folder"
        ) from error
    except Exception as error:  # the network has many, and they change with the library
        if tally.cancelled:
            raise
        raise AimvError(
            mendable(error)
            or f"{hub_id} can't be downloaded ({_line(error)}); check the network and run again: "
            "files that arrived whole are kept"
        ) from error


def _bar(tally: _Tally) -> Any:
    """A class of progress bars that show nothing and tell the tally."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]  # which has no types
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(disable=True)

        def update(self, n: float | None = 1) -> None:
            tally.done += int(n or 0)
            if tally.cancelled:
                raise InterruptedError("cancelled")

    return Bar


def _check_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise AimvError(
            f"the model takes {size / 1e9:.1f} GB and the disk of {folder.parents[2]} has {free / 1e9:.1f} GB left: "
            "make room, or set HF_HOME to a folder on another disk"
        )


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__

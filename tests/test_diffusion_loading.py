"""Models: found, loaded, named and refused; what looks add to them."""

import json
import shutil
from pathlib import Path

import diffusers
import pytest
import tiny_pipelines
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from safetensors.torch import load_file, save_file
from same_weights import same, weights_of
from single_files import save_single_file
from transformers import CLIPConfig, CLIPImageProcessor, CLIPTextModelWithProjection

from aimv_engine import checkpoint
from aimv_engine.errors import AimvError
from aimv_engine.frames.generators.diffusion import cards, hub, loading

FAMILIES = {
    "sd": tiny_pipelines.stable_diffusion,
    "sdxl": tiny_pipelines.sdxl,
    "sd3": tiny_pipelines.stable_diffusion_3,
    "z-image": tiny_pipelines.z_image,
}
TEXT = "a quiet sea in the morning"


@pytest.fixture(scope="module", autouse=True)
def _quiet():
    loading.quiet_diffusers()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with a tiny model of each family, by the family's name. Not to be changed: `copied` is."""
    folder = tmp_path_factory.mktemp("models")
    for family, make in FAMILIES.items():
        make().save_pretrained(folder / family)
    return folder


@pytest.fixture
def copied(saved, tmp_path):
    """A copy of the tiny Stable Diffusion, to be broken."""
    return Path(shutil.copytree(saved / "sd", tmp_path / "sd"))


def loaded(path):
    return loading.load(loading.find(str(path)), "cpu", torch.float32)


# cards


@pytest.mark.parametrize("name", cards.names())
def test_a_card_is_whole(name):
    card = cards.load(name)
    assert all([card.title, card.licence, card.note])
    assert loading.HUB_ID.fullmatch(card.source)
    assert 1 <= card.steps <= 50
    assert 0 <= card.guidance <= 10
    assert card.size in (512, 768, 1024)
    assert 1 < card.download_gb < 40
    assert 1 < card.memory_gb < 40
    if card.scheduler:
        scheduler = getattr(diffusers, card.scheduler.name)(**dict(card.scheduler.options))
        scheduler.set_timesteps(card.steps)
        assert len(scheduler.timesteps) == card.steps


def test_cards_of_few_steps_name_their_scheduler():
    few = {name for name in cards.names() if cards.load(name).steps < 9}
    assert few == {"sd-turbo", "sdxl-turbo", "lcm"}
    assert all(cards.load(name).scheduler for name in few)


def test_there_is_a_card_for_every_family():
    assert {cards.load(name).family for name in cards.names()} == set(cards.FAMILIES) == set(FAMILIES)


def test_a_broken_card_says_which_file(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "FOLDER", tmp_path)
    (tmp_path / "mine.toml").write_text('title = "Mine"\nfamily = "sd4"')
    with pytest.raises(AimvError, match=r"mine\.toml.*sd, sdxl, sd3, z-image"):
        cards.load("mine")


# folders


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_is_loaded_as_it_was_saved(saved, family):
    source = loading.find(str(saved / family))
    assert source.family == family
    assert source.card.family == family
    pipeline = loading.load(source, "cpu", torch.float32)
    assert type(pipeline) is type(FAMILIES[family]())
    assert same(weights_of(pipeline), weights_of(FAMILIES[family]()))


def test_files_of_half_precision_are_taken_where_there_are_any(tmp_path):
    pipeline = tiny_pipelines.stable_diffusion()
    pipeline.save_pretrained(tmp_path)
    pipeline.unet.half().save_pretrained(tmp_path / "unet", variant="fp16")
    read = loaded(tmp_path)
    assert torch.equal(read.unet.conv_in.weight, pipeline.unet.conv_in.weight.float())
    assert torch.equal(read.vae.quant_conv.weight, pipeline.vae.quant_conv.weight)


def test_the_dtype_is_what_was_asked_for(saved):
    pipeline = loading.load(loading.find(str(saved / "sd")), "cpu", torch.bfloat16)
    assert {part.dtype for part in (pipeline.unet, pipeline.vae, pipeline.text_encoder)} == {torch.bfloat16}


def test_a_model_that_the_device_has_no_room_for_takes_turns_there(saved, monkeypatch):
    plain = diffusers.StableDiffusionPipeline.to

    def full(pipeline, device, *arguments, **options):
        if device == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(pipeline, device, *arguments, **options)

    monkeypatch.setattr(diffusers.StableDiffusionPipeline, "to", full)
    pipeline = loading.load(loading.find(str(saved / "sd")), "cuda", torch.float32)
    assert pipeline._execution_device == torch.device("cuda:0")
    assert pipeline.device == torch.device("cpu")


def test_steps_are_advised_by_the_models_scheduler(saved, copied):
    def described(**values):
        path = copied / "scheduler" / "scheduler_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))
        return loading.find(str(copied)).card.name

    assert loading.find(str(saved / "sd")).card.name == "sd15"
    assert described(timestep_spacing="trailing") == "sd-turbo"
    assert described(_class_name="LCMScheduler") == "lcm"


def test_a_safety_checker_that_comes_with_a_model_stays_on(tmp_path):
    pipeline = tiny_pipelines.stable_diffusion()
    tower = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    checker = StableDiffusionSafetyChecker(
        CLIPConfig(text_config=tower, vision_config={**tower, "image_size": 32, "patch_size": 16}, projection_dim=8)
    )
    pipeline.register_modules(safety_checker=checker.eval(), feature_extractor=CLIPImageProcessor())
    pipeline.save_pretrained(tmp_path)
    assert isinstance(loaded(tmp_path).safety_checker, StableDiffusionSafetyChecker)
    (tmp_path / "safety_checker" / "model.safetensors").unlink()
    with pytest.raises(AimvError, match="safety_checker are not all there"):
        loading.find(str(tmp_path))


def test_a_models_name_follows_its_content_not_its_place(saved, copied):
    first = loading.identity(loading.find(str(saved / "sd")))
    assert loading.identity(loading.find(str(copied))) == first
    path = copied / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    tensors["decoder.conv_out.bias"] += 0.001  # the header and the size stay as they are
    save_file(tensors, path, metadata={"format": "pt"})
    assert path.stat().st_size == (saved / "sd" / "vae" / path.name).stat().st_size
    second = loading.identity(loading.find(str(copied)))
    assert second != first
    (copied / "scheduler" / "scheduler_config.json").write_text('{"_class_name": "DDIMScheduler"}')
    assert loading.identity(loading.find(str(copied))) not in (first, second)


# what is refused


def broken(folder, how):
    unet = folder / "unet" / "diffusion_pytorch_model.safetensors"
    index = folder / hub.INDEX
    data = json.loads(index.read_text())
    if how == "truncated":
        unet.write_bytes(unet.read_bytes()[:-100])
    elif how == "empty":
        unet.write_bytes(b"")
    elif how == "no safetensors":
        unet.write_text("<html>not found</html>")
    elif how == "pickle":
        torch.save({}, unet.with_suffix(".bin"))
        unet.unlink()
    elif how == "no weights":
        unet.unlink()
    elif how == "no part":
        shutil.rmtree(folder / "vae")
    elif how == "shard":
        unet.rename(unet.with_name("diffusion_pytorch_model-00001-of-00002.safetensors"))
    elif how == "another class":
        index.write_text(json.dumps(data | {"_class_name": "StableVideoDiffusionPipeline"}))
    elif how == "a program":
        index.write_text(json.dumps(data | {"unet": ["my_unet", "MyUnet"]}))
    elif how == "index":
        index.write_text("{")
    elif how == "controlnet":
        index.unlink()
        (folder / "config.json").write_text('{"_class_name": "ControlNetModel"}')
    elif how == "nothing":
        shutil.rmtree(folder)
        folder.mkdir()
    elif how == "another part":
        shutil.copytree(folder / "vae", folder / "unet", dirs_exist_ok=True)
    return folder


@pytest.mark.parametrize(
    ("how", "said"),
    {
        "truncated": "is broken.*get it again",
        "empty": "is broken",
        "no safetensors": "is broken or no safetensors file",
        "pickle": r"is a pickle, which can run programs.*safetensors instead",
        "no weights": "weights in .*unet are not all there",
        "no part": "has no vae",
        "shard": "weights in .*unet are not all there",
        "another class": "StableVideoDiffusionPipeline; AIMV draws with .*StableDiffusionPipeline",
        "a program": "unet of .* brings a program of its own",
        "index": r"model_index\.json can't be read",
        "controlnet": "holds a ControlNetModel.*give a whole model",
        "nothing": r"no model_index\.json",
    }.items(),
)
def test_a_folder_that_is_no_model_is_refused_in_one_line(copied, how, said):
    with pytest.raises(AimvError, match=said) as refused:
        loading.find(str(broken(copied, how)))
    assert "\n" not in str(refused.value)


def test_what_only_loading_finds_is_said_in_one_line(copied):
    source = loading.find(str(broken(copied, "another part")))
    with pytest.raises(AimvError, match="weights of its unet don't fit its configuration") as refused:
        loading.load(source, "cpu", torch.float32)
    assert "\n" not in str(refused.value)


def test_an_unknown_model_is_refused_with_what_there_is():
    with pytest.raises(AimvError, match=r"no model 'sd16'.*sd-turbo.*an id of the hub"):
        loading.find("sd16")


def test_a_pickle_is_refused_before_it_is_opened(tmp_path):
    path = tmp_path / "model.ckpt"
    path.write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(AimvError, match="is a pickle"):
        loading.find(str(path))


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": (4, 8)}, "is a LoRA.*name it in a look"),
        ({"unet.down_blocks.0.attentions.0.to_q.lora_A.weight": (4, 8)}, "is a LoRA"),
        ({"emb_params": (2, 32)}, "is a textual inversion; name it in a look"),
        ({"control_model.input_blocks.0.0.weight": (8, 4, 3, 3)}, "is a ControlNet"),
        ({"double_blocks.0.img_attn.qkv.weight": (8, 4), "a": (1,), "b": (1,)}, "single files of Stable Diffusion 1.5"),
        ({"model.diffusion_model.input_blocks.0.0.weight": (8, 9, 3, 3)}, "is for inpainting"),
        ({"model.diffusion_model.input_blocks.0.0.weight": (8, 4, 3, 3)}, "text encoders are missing"),
        (
            {
                "model.diffusion_model.input_blocks.0.0.weight": (8, 4, 3, 3),
                "cond_stage_model.model.ln_final.weight": (8,),
            },
            "Stable Diffusion 2 don't say which one",
        ),
    ],
)
def test_a_file_that_is_no_model_is_refused_for_what_it_is(tmp_path, tensors, said):
    path = tmp_path / "file.safetensors"
    save_file({name: torch.zeros(shape) for name, shape in tensors.items()}, path)
    with pytest.raises(AimvError, match=said):
        loading.find(str(path))


# single files


def wide_sdxl():
    """SDXL with encoders of different widths, as the real one has: that is how its single files are told apart."""
    pipeline = tiny_pipelines.sdxl()
    config = pipeline.text_encoder_2.config
    config.hidden_size = 2 * config.hidden_size
    pipeline.register_modules(text_encoder_2=CLIPTextModelWithProjection(config).eval())
    unet = dict(pipeline.unet.config) | {"cross_attention_dim": pipeline.text_encoder.config.hidden_size * 3}
    pipeline.register_modules(unet=diffusers.UNet2DConditionModel.from_config(unet).eval())
    return pipeline


@pytest.mark.parametrize(("family", "make"), [("sd", tiny_pipelines.stable_diffusion), ("sdxl", wide_sdxl)])
def test_a_single_file_in_a_models_folder_is_loaded_with_that_models_parts(tmp_path, family, make):
    pipeline = make()
    pipeline.save_pretrained(tmp_path)
    save_single_file(pipeline, tmp_path / "whole.safetensors")
    source = loading.find(str(tmp_path / "whole.safetensors"))
    assert source.family == family
    assert same(weights_of(loading.load(source, "cpu", torch.float32)), weights_of(pipeline))
    assert loading.identity(source) != loading.identity(loading.find(str(tmp_path)))


# safetensors


def test_a_digest_knows_every_tensor(tmp_path):
    path = tmp_path / "some.safetensors"
    tensors = {"first": torch.zeros(3000), "second": torch.zeros(7), "third": torch.zeros(2)}

    def digest(**changed):
        save_file(tensors | changed, path)
        return checkpoint.digest(path)

    digests = [digest(), *(digest(**{name: torch.ones_like(tensor)}) for name, tensor in tensors.items())]
    assert len(set(digests)) == 4
    assert digest() == digests[0]
    assert checkpoint.read_header(path).shapes == {name: tuple(tensor.shape) for name, tensor in tensors.items()}

"""What looks add to models: LoRA files and textual inversions, worn, taken off without trace, and refused."""

from dataclasses import replace

import pytest
import tiny_pipelines
import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from same_weights import same, weights_of

from aimv_engine import looks
from aimv_engine.errors import AimvError
from aimv_engine.frames.generators.diffusion.adapters import adapter_for
from aimv_engine.frames.generators.diffusion.generator import Choices, Diffusion
from aimv_engine.frames.generators.diffusion.wardrobe import Wardrobe
from aimv_engine.frames.plan import Camera, KeyframeSpec, WeightedText

TEXT = "a quiet sea in the morning"


def look_with(lora=(), embeddings=()):
    return replace(looks.load("oil"), lora=tuple(lora), embeddings=tuple(embeddings))


def lora_file(path, pipeline, seed):
    """A LoRA for the denoiser of a tiny pipeline, with weights that can be seen."""
    torch.manual_seed(seed)
    pipeline.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False))
    layers = get_peft_model_state_dict(pipeline.unet)
    pipeline.save_lora_weights(path.parent, unet_lora_layers=layers, weight_name=path.name)
    return path


def drawn(pipeline):
    return pipeline(TEXT, num_inference_steps=2, output_type="latent", generator=torch.manual_seed(0)).images


def read(pipeline, text):
    return pipeline.encode_prompt(text, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False)[0]


def test_a_lora_is_worn_as_much_as_the_look_says_and_taken_off_without_trace(tmp_path):
    file = lora_file(tmp_path / "brush.safetensors", tiny_pipelines.stable_diffusion(), 1)
    other = lora_file(tmp_path / "other.safetensors", tiny_pipelines.stable_diffusion(), 2)
    pipeline = tiny_pipelines.stable_diffusion()
    pipeline.set_progress_bar_config(disable=True)
    wardrobe = Wardrobe(pipeline)
    plain = drawn(pipeline)
    pictures = []
    for worn in ([(file, 1.0)], [(file, 0.5)], [(other, 1.0)], [(file, 1.0), (other, 1.0)]):
        assert wardrobe.wear(look_with(worn))
        assert not wardrobe.wear(look_with(worn))
        pictures.append(drawn(pipeline))
    assert all(not torch.equal(one, plain) for one in pictures)
    assert not any(torch.equal(one, two) for number, one in enumerate(pictures) for two in pictures[:number])
    assert (pictures[0] - plain).norm() > (pictures[1] - plain).norm()
    wardrobe.wear(look_with([(file, 1.0)]))
    assert torch.equal(drawn(pipeline), pictures[0])
    wardrobe.wear(look_with())
    assert torch.equal(drawn(pipeline), plain)


def test_a_lora_of_another_model_is_refused_and_leaves_none_on(tmp_path):
    file = lora_file(tmp_path / "brush.safetensors", tiny_pipelines.stable_diffusion(), 1)
    pipeline = tiny_pipelines.sdxl()
    before = weights_of(pipeline)
    for suspect in (file, empty_lora(tmp_path / "nothing.safetensors")):
        with pytest.raises(AimvError, match=rf"the LoRA .*{suspect.name}"):
            Wardrobe(pipeline).wear(look_with([(suspect, 1.0)]))
        assert same(weights_of(pipeline), before)


def empty_lora(path):
    save_file({"transformer.blocks.0.to_q.lora_A.weight": torch.zeros(2, 8)}, path)
    return path


@pytest.mark.parametrize("word", ["river", "MyStyle-2"])  # one that means something without it, and one that doesn't
def test_an_embedding_is_a_word_that_is_learned_and_forgotten(tmp_path, word):
    files = [tmp_path / f"{word}.safetensors", tmp_path / f"{word}_1.safetensors"]
    vectors = torch.randn(3, tiny_pipelines.WIDTH, generator=torch.manual_seed(0))
    save_file({"emb_params": vectors}, files[0])
    save_file({"emb_params": vectors}, files[1])
    pipeline = tiny_pipelines.stable_diffusion()
    wardrobe = Wardrobe(pipeline)
    text = f"a {word.lower()} in the night"
    before, size = read(pipeline, text), len(pipeline.tokenizer)
    wardrobe.wear(look_with(embeddings=files[:1]))
    numbers = pipeline.tokenizer(pipeline.maybe_convert_prompt(text, pipeline.tokenizer)).input_ids
    learned = [number for number in numbers if number >= size]
    assert torch.equal(pipeline.text_encoder.get_input_embeddings().weight[learned], vectors)
    assert not torch.equal(read(pipeline, text), before)
    for worn in ([], files[1:], []):
        wardrobe.wear(look_with(embeddings=worn))
    assert len(pipeline.tokenizer) == size
    assert torch.equal(read(pipeline, text), before)


def test_models_with_two_encoders_take_embeddings_for_both(tmp_path):
    width = tiny_pipelines.WIDTH
    both, one = tmp_path / "mystyle.safetensors", tmp_path / "single.safetensors"
    save_file({"clip_l": torch.randn(1, width), "clip_g": torch.randn(1, width)}, both)
    save_file({"emb_params": torch.randn(1, width)}, one)
    pipeline = tiny_pipelines.sdxl()
    wardrobe = Wardrobe(pipeline)
    before = read(pipeline, "mystyle sea")
    wardrobe.wear(look_with(embeddings=[both]))
    changed = (read(pipeline, "mystyle sea") != before).any(dim=(0, 1))
    assert changed[:width].any()
    assert changed[width:].any()
    with pytest.raises(AimvError, match=r"single\.safetensors doesn't suit this model: .* 1 text encoders.* has 2"):
        wardrobe.wear(look_with(embeddings=[one]))
    wardrobe.wear(look_with())
    assert torch.equal(read(pipeline, "mystyle sea"), before)


def test_models_that_take_no_embeddings_say_so(tmp_path):
    save_file({"emb_params": torch.randn(1, 32)}, tmp_path / "style.safetensors")
    with pytest.raises(AimvError, match="takes no textual inversions"):
        Wardrobe(tiny_pipelines.z_image()).wear(look_with(embeddings=[tmp_path / "style.safetensors"]))


@pytest.mark.parametrize("field", ["lora", "embeddings"])
@pytest.mark.parametrize(("file", "said"), [("gone.safetensors", "can't be read"), ("style.pt", "is a pickle")])
def test_files_of_a_look_that_are_missing_or_pickles_are_named(tmp_path, field, file, said):
    path = tmp_path / file
    look = look_with(**{field: [(path, 1.0)] if field == "lora" else [path]})
    with pytest.raises(AimvError, match=f"{file} {said}"):
        Wardrobe(tiny_pipelines.stable_diffusion()).wear(look)


def test_a_look_names_its_files_in_its_table(tmp_path, monkeypatch):
    text = (looks.FOLDER / "oil.toml").read_text()
    table = '[diffusion]\nlora = [["brush.safetensors", 0.8]]\nembeddings = ["style.safetensors"]\n'
    (tmp_path / "mine.toml").write_text(text + table)
    plain = looks.load("oil")
    monkeypatch.setattr(looks, "FOLDER", tmp_path)
    mine = looks.load("mine")
    assert mine.lora == ((tmp_path / "brush.safetensors", 0.8),)
    assert mine.embeddings == (tmp_path / "style.safetensors",)
    without = mine.painting
    save_file({"emb_params": torch.zeros(1, 4)}, tmp_path / "style.safetensors")
    first = mine.painting
    save_file({"emb_params": torch.ones(1, 4)}, tmp_path / "style.safetensors")
    assert len({plain.painting, without, first, mine.painting}) == 4
    assert plain.additions == ()


@pytest.mark.parametrize("mode", ["walk", "feedback"])
def test_each_keyframe_is_drawn_with_its_looks_files_alone(tmp_path, monkeypatch, mode):
    oil = (looks.FOLDER / "oil.toml").read_text()  # looks are loaded once: each mode has names of its own
    save_file({"emb_params": torch.randn(2, tiny_pipelines.WIDTH)}, tmp_path / "river.safetensors")
    (tmp_path / f"bare {mode}.toml").write_text(oil)
    (tmp_path / f"river {mode}.toml").write_text(f'{oil}\n[diffusion]\nembeddings = ["river.safetensors"]\n')
    monkeypatch.setattr(looks, "FOLDER", tmp_path)
    texts = (WeightedText("a quiet river", 1.0, "scene"),)
    bare = KeyframeSpec(5, 3.0, texts, f"bare {mode}", Camera(), 0.5, 0.5, 0.2)
    mine = replace(bare, look=f"river {mode}")
    generator = Diffusion(lambda heartbeat: adapter_for(tiny_pipelines.stable_diffusion()), Choices(2, 4.0, mode), "")
    first, worn, again = generator.pictures([bare, mine, bare], (96, 54))
    generator.close()
    assert (first != worn).any()
    assert (first == again).all()

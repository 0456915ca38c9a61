"""The other form that models come in: one file with the tensors' names of the first programs (CompVis)."""

import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

RESNETS = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
UNET = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}
AUTOENCODER = {
    "conv_norm_out": "norm_out",
    "mid_block.resnets.0": "mid.block_1",
    "mid_block.resnets.1": "mid.block_2",
    "mid_block.attentions.0": "mid.attn_1",
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
    "conv_shortcut": "nin_shortcut",
    "downsamplers.0": "downsample",
    "upsamplers.0": "upsample",
}
OPEN_CLIP = {
    "text_model.encoder.layers": "transformer.resblocks",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.embeddings.token_embedding": "token_embedding",
    "text_model.final_layer_norm": "ln_final",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "fc1": "c_fc",
    "fc2": "c_proj",
    "self_attn": "attn",
}


def save_single_file(pipeline: Any, path: Path) -> None:
    """Writes a pipeline of Stable Diffusion 1.5 or XL as one file."""
    tensors = {f"model.diffusion_model.{name}": tensor for name, tensor in _unet(pipeline.unet).items()}
    tensors |= {f"first_stage_model.{name}": tensor for name, tensor in _autoencoder(pipeline.vae).items()}
    second = getattr(pipeline, "text_encoder_2", None)
    first = "conditioner.embedders.0" if second else "cond_stage_model"
    tensors |= {
        f"{first}.transformer.text_model.{name.removeprefix('text_model.')}": tensor
        for name, tensor in pipeline.text_encoder.state_dict().items()
    }
    if second:
        tensors |= {f"conditioner.embedders.1.model.{name}": tensor for name, tensor in _open_clip(second).items()}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)


def _unet(unet: Any) -> dict[str, torch.Tensor]:
    layers = unet.config.layers_per_block

    def place(match: re.Match[str]) -> str:
        side, block, kind, number = match[1], int(match[2]), match[3], int(match[4])
        if side == "down":
            position = (layers + 1) * block + 1 + (layers if kind == "downsamplers" else number)
            return f"input_blocks.{position}.{1 if kind == 'attentions' else 0}" + (
                ".op" if kind == "downsamplers" else ""
            )
        attends = hasattr(unet.up_blocks[block], "attentions")
        position = (layers + 1) * block + (layers if kind == "upsamplers" else number)
        slot = {"resnets": 0, "attentions": 1, "upsamplers": 2 if attends else 1}[kind]
        return f"output_blocks.{position}.{slot}"

    renamed = {}
    for name, tensor in unet.state_dict().items():
        new = re.sub(r"(down|up)_blocks\.(\d+)\.(\w+)\.(\d+)", place, name).replace(".op.conv.", ".op.")
        new = _replaced(new, UNET)
        renamed[_replaced(new, RESNETS) if "attentions" not in name and "blocks." in name else new] = tensor
    for name in [name for name in renamed if name.startswith("middle_block.") and name[13] in "02"]:
        renamed[_replaced(name, RESNETS)] = renamed.pop(name)
    return renamed


def _autoencoder(vae: Any) -> dict[str, torch.Tensor]:
    top = len(vae.config.up_block_types) - 1
    renamed = {}
    for name, tensor in vae.state_dict().items():
        new = re.sub(r"up_blocks\.(\d+)", lambda match: f"up.{top - int(match[1])}", name)
        new = re.sub(r"\.resnets\.", ".block.", re.sub(r"down_blocks\.", "down.", _replaced(new, AUTOENCODER)))
        linear = ".attn_1." in new and tensor.dim() == 2
        renamed[new] = tensor[:, :, None, None] if linear else tensor
    return renamed


def _open_clip(encoder: Any) -> dict[str, torch.Tensor]:
    tensors = encoder.state_dict()
    renamed = {"text_projection": tensors.pop("text_projection.weight").T}
    for name, tensor in tensors.items():
        if match := re.fullmatch(r"(.*self_attn)\.q_proj\.(\w+)", name):
            together = [tensors[f"{match[1]}.{letter}_proj.{match[2]}"] for letter in "qkv"]
            renamed[_replaced(f"{match[1]}.in_proj_{match[2]}", OPEN_CLIP)] = torch.cat(together)
        elif not re.search(r"[kv]_proj", name):
            renamed[_replaced(name, OPEN_CLIP)] = tensor
    return renamed


def _replaced(name: str, words: dict[str, str]) -> str:
    for old, new in words.items():
        name = re.sub(rf"(^|\.){re.escape(old)}(\.|$)", rf"\g<1>{new}\g<2>", name)
    return name

"""Draws docs/mixing.png: what the ways of mixing texts do, by AIMV's own functions; true for every model.

    python benchmarks/mixing.py

Rows of random directions stand for a model's token embeddings, since only their lengths and angles matter here. The
tags are those that are heard in AIMV's demo song.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aimv_engine.frames.generators.diffusion.encoding import Encoding
from aimv_engine.frames.prompt_mix import average, slerp
from aimv_engine.frames.tag_curves import tag_curves
from aimv_engine.segmentation import main_tags
from aimv_engine.song.audio import decode
from aimv_engine.song.demo import compose
from aimv_engine.tagging.taggram import tag

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "mixing.png"
ANGLES = {60: "#4878a8", 90: "#3c8a5a", 120: "#c06030"}  # degrees between two texts' rows
COLOURS = {"scene": "#7a9cc6", "next": "#d8a05c", "tags": "#8ab87c", "fill": "#e6e6e6"}
SHOWN = 5  # tags


def main() -> None:
    """Draws it."""
    figure = Figure(figsize=(12, 7.5), layout="constrained")
    blocks, lengths, tags, paces = figure.subplots(2, 2).flat
    draw_blocks(blocks)
    draw_ways(lengths, paces)
    draw_tags(tags)
    figure.savefig(PICTURE, dpi=100)


def draw_blocks(axes: Axes) -> None:
    """Which rows a model is told, for each way."""
    axes.set(title="what a model is told, row by row (grey: rows without a word)", xlim=(-0.5, 33), ylim=(-0.6, 3.6))
    axes.axis("off")
    rows = {
        "the scene": [("scene", 6, 1.0)],
        "concatenate, of weight 0.4": [("scene", 6, 1.0), ("tags", 3, 0.4)],
        "average or slerp, 0.3": [("scene", 6, 0.7, 9)],
        "the recipe, in a turn": [("scene", 6, 0.7, 9), ("tags", 3, 0.4)],
    }
    for y, (name, told) in enumerate(reversed(rows.items())):
        axes.text(10.2, y + 0.3, name, ha="right", va="center", fontsize=9)
        for block, (kind, words, share, *next_words) in enumerate(told):
            for row in range(11):
                place = (10.7 + block * 11.3 + row, y)
                axes.add_patch(Rectangle(place, 0.9, 0.6, color=COLOURS["fill"]))
                if 1 <= row <= words:
                    axes.add_patch(Rectangle(place, 0.9, 0.6 * share, color=COLOURS[kind]))
                if next_words and 1 <= row <= next_words[0]:
                    above = (place[0], y + 0.6 * share)
                    axes.add_patch(Rectangle(above, 0.9, 0.6 * (1 - share), color=COLOURS["next"]))


def draw_ways(lengths: Axes, paces: Axes) -> None:
    """Length and pace on the way from one text to another: averaging cuts the corner and hurries through the middle."""
    ts = np.linspace(0, 1, 41)
    for angle, colour in ANGLES.items():
        one, other = (Encoding(row) for row in rows_at(angle))
        ways = {
            "slerp": [slerp(one, other, float(t)) for t in ts],
            "average": [average([(one, 1 - float(t)), (other, float(t))]) for t in ts],
        }
        for (name, way), line in zip(ways.items(), ("-", "--"), strict=True):
            rows = torch.cat([encoding.tokens for encoding in way])
            label = f"{name}, {angle}°"
            lengths.plot(ts, rows.norm(dim=1), line, color=colour, label=label)
            turned = torch.acos((rows / rows.norm(dim=1, keepdim=True) @ one.tokens[0]).clamp(-1, 1))
            steps = np.diff(np.rad2deg(turned.numpy())) / (angle / (len(ts) - 1))
            paces.plot((ts[1:] + ts[:-1]) / 2, steps, line, color=colour, label=label)
    lengths.set(title="how much a row says: its length", xlabel="t", ylim=(0, 1.1))
    paces.set(title="how fast it turns, beside an even pace", xlabel="t", ylim=(0, 2.2))
    lengths.legend(fontsize=8, ncols=3)


def rows_at(degrees: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Two rows [1, 768] of length 1 and that angle."""
    random = torch.randn(768, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    one, aside = torch.linalg.qr(random).Q.T
    angle = np.deg2rad(degrees)
    return one[None], (np.cos(angle) * one + np.sin(angle) * aside)[None]


def draw_tags(axes: Axes) -> None:
    """The tags of a song as a keyframe hears them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo.wav"
        compose(path, seconds=80.0)
        taggram = tag(decode(path))
    curves, tags = tag_curves(taggram), main_tags(taggram)[:SHOWN]
    times = np.arange(0, 80, 1 / 6)
    heard = np.array([[weight for _, weight in curves.heard(tags, time)] for time in times])
    for (name, weight), course in zip(tags, heard.T, strict=True):
        (line,) = axes.plot(times, course, label=name)
        axes.axhline(weight, color=line.get_color(), linewidth=0.6, linestyle=":")
    axes.set(
        title="tags of the demo song as they are heard; dotted: in the storyboard", xlabel="seconds", ylim=(0, None)
    )
    axes.legend(fontsize=8, ncols=SHOWN)


if __name__ == "__main__":
    main()

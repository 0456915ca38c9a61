"""Pictures of what happened: overview.png (what the engine heard) and storyboard.png (what the film shows)."""

import io
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from aimv_engine.arrays import F32
from aimv_engine.edit import cluster_color, frame_rate
from aimv_engine.project import Analysis
from aimv_engine.song.tonality import PITCHES
from aimv_engine.store import load_picture
from aimv_engine.storyboard.scene import Storyboard

PAPER, INK, FAINT = "#14161a", "#e8e6e1", "#8b8f98"
TAGS_SHOWN = 18


# overview --------------------------------------------------------------------------------------------------------


def overview(analysis: Analysis, title: str) -> bytes:
    """The song at a glance as PNG: segments, taggram, chroma, energy and beats over one time axis."""
    figure = Figure(figsize=(15, 8.6), dpi=110, facecolor=PAPER)
    axes = figure.subplots(4, 1, sharex=True, height_ratios=[0.55, 5.0, 2.2, 1.8])
    figure.subplots_adjust(left=0.1, right=0.985, top=0.9, bottom=0.065, hspace=0.09)
    rhythm = analysis.rhythm
    tempo = "no steady beat" if rhythm.beatless else f"{rhythm.tempo:.1f} BPM, {rhythm.meter} beats a bar"
    minutes, seconds = divmod(round(analysis.duration), 60)
    figure.text(0.1, 0.958, title, color=INK, fontsize=17, fontweight="bold", va="center")
    figure.text(0.1, 0.922, f"{minutes}:{seconds:02d}   ·   {tempo}   ·   {analysis.key}", color=FAINT, fontsize=11)
    main = "   ".join(f"{tag} {weight:.2f}" for tag, weight in analysis.main_tags[:6])
    figure.text(0.985, 0.922, main, color=FAINT, fontsize=11, ha="right")
    _draw_segments(axes[0], analysis)
    _draw_taggram(axes[1], analysis)
    _draw_chroma(axes[2], analysis)
    _draw_energy(axes[3], analysis)
    for axis in axes:
        axis.set_facecolor(PAPER)
        axis.tick_params(colors=FAINT, labelsize=8.5, length=0)
        for spine in axis.spines.values():
            spine.set_visible(False)
        for segment in analysis.segments[1:]:
            axis.axvline(segment.start, color=INK, linewidth=0.8, alpha=0.75)
    axes[-1].set_xlim(0, analysis.duration)
    step = next(step for step in (5, 10, 15, 30, 60, 120, 300, 600) if analysis.duration / step <= 16 or step == 600)
    axes[-1].xaxis.set_major_locator(MultipleLocator(step))
    axes[-1].xaxis.set_major_formatter(lambda value, _: f"{int(value) // 60}:{int(value) % 60:02d}")
    axes[-1].tick_params(axis="x", labelsize=10, pad=5)
    return _png(figure)


def _draw_segments(axis: Axes, analysis: Analysis) -> None:
    for segment in analysis.segments:
        length = segment.end - segment.start
        axis.barh(0.5, length, left=segment.start, height=1.0, color=cluster_color(segment.cluster), edgecolor=PAPER)
        wide = length > analysis.duration / 18
        label = f"{segment.cluster}  {segment.key}" if wide else segment.cluster
        axis.text(segment.start + length / 2, 0.5, label, ha="center", va="center", fontsize=9, color=PAPER)
    axis.set_ylim(0, 1)
    axis.set_yticks([])


def _draw_taggram(axis: Axes, analysis: Analysis) -> None:
    taggram = analysis.taggram
    strength = np.quantile(taggram.likelihoods, 0.8, axis=0)
    shown = np.argsort(-strength)[:TAGS_SHOWN]
    step = float(taggram.times[1] - taggram.times[0]) if len(taggram.times) > 1 else analysis.duration
    rows = taggram.likelihoods[:, shown].T ** 0.6  # the eye sees more in the low half
    extent = (float(taggram.times[0]) - step / 2, float(taggram.times[-1]) + step / 2, len(shown) - 0.5, -0.5)
    axis.imshow(rows, aspect="auto", extent=extent, cmap="magma", interpolation="nearest", vmin=0, vmax=0.95)
    axis.set_yticks(range(len(shown)), [taggram.tags[index] for index in shown])


def _draw_chroma(axis: Axes, analysis: Analysis) -> None:
    chroma = _shrunk(analysis.tonality.chroma, 1500)
    extent = (0.0, analysis.duration, -0.5, 11.5)
    axis.imshow(chroma.T, aspect="auto", origin="lower", extent=extent, cmap="cividis", interpolation="nearest", vmin=0)
    names = [pitch.replace("#", "♯").replace("b", "♭") for pitch in PITCHES]
    axis.set_yticks(range(12), names, fontsize=7)


def _draw_energy(axis: Axes, analysis: Analysis) -> None:
    energy = analysis.energy
    loudness, percussive = _shrunk(energy.loudness, 1500), _shrunk(energy.percussive, 1500)
    times = np.linspace(0, analysis.duration, len(loudness))
    axis.fill_between(times, loudness, color="#4f6d8f", linewidth=0, alpha=0.9)
    axis.fill_between(times, percussive, color="#e59f4c", linewidth=0, alpha=0.85)
    axis.vlines(analysis.rhythm.beats, -0.16, -0.05, color=FAINT, linewidth=0.35)
    axis.vlines(analysis.rhythm.downbeats, -0.24, -0.05, color=INK, linewidth=0.6)
    axis.set_ylim(-0.26, 1.02)
    axis.set_yticks([-0.15, 0.3, 0.75], ["beats", "percussion", "loudness"])
    axis.get_yticklabels()[1].set_color("#e59f4c")
    axis.get_yticklabels()[2].set_color("#7f9fc4")


def _shrunk(curve: F32, columns: int) -> F32:
    """Means over equal stretches, so that a picture of `columns` pixels hides no peak by chance."""
    if len(curve) <= columns:
        return curve
    edges = np.linspace(0, len(curve), columns, endpoint=False).astype(int)
    widths = np.diff(np.append(edges, len(curve)))
    sums = np.add.reduceat(curve, edges, axis=0)
    return np.asarray(sums / widths.reshape(-1, *[1] * (curve.ndim - 1)), dtype=np.float32)


# storyboard ------------------------------------------------------------------------------------------------------


def contact_sheet(edit: dict[str, Any], folder: Path, storyboard: Storyboard) -> bytes:
    """One picture a scene as PNG, with its name, time, sentence and tags."""
    scenes = edit["scenes"]
    columns = min(4, len(scenes))
    rows = -(-len(scenes) // columns)
    width, height = edit["size"]
    cell_width = 4.1
    picture_height = cell_width * min(height / width, 1.2)
    cell_height = picture_height + 1.12
    figure = Figure(figsize=(columns * cell_width + 0.4, rows * cell_height + 0.75), dpi=110, facecolor=PAPER)
    total_width, total_height = figure.get_size_inches()
    title = f"Storyboard   {storyboard.artist}, look: {storyboard.look}"
    figure.text(0.3 / total_width, 1 - 0.38 / total_height, title, color=INK, fontsize=13, va="center")
    fps = float(frame_rate(edit))
    for index, scene in enumerate(scenes):
        row, column = divmod(index, columns)
        left, top = 0.3 + column * cell_width, 0.72 + row * cell_height
        box = (
            left / total_width,
            1 - (top + picture_height) / total_height,
            (cell_width - 0.2) / total_width,
            picture_height / total_height,
        )
        axis = figure.add_axes(box)
        axis.set_axis_off()
        middle = (scene["first_frame"] + scene["last_frame"]) // 2 - scene["strip_first_frame"]
        axis.imshow(load_picture(folder / scene["frames"][middle]), interpolation="lanczos")
        begin = scene["first_frame"] / fps + edit["song_start"]
        head = f"{scene['name']}   {int(begin) // 60}:{begin % 60:04.1f}"
        x = left / total_width
        below = top + picture_height
        figure.text(x, 1 - (below + 0.16) / total_height, head, color=scene["color"], fontsize=10, fontweight="bold")
        tags = ", ".join(tag for tag, _ in scene["tags"][:4])
        figure.text(
            (left + cell_width - 0.2) / total_width,
            1 - (below + 0.16) / total_height,
            tags,
            color=FAINT,
            fontsize=8,
            ha="right",
        )
        sentence = "\n".join(textwrap.wrap(scene["sentence"], 58)[:4])
        figure.text(x, 1 - (below + 0.26) / total_height, sentence, color=INK, fontsize=8.5, va="top", linespacing=1.25)
    return _png(figure)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", facecolor=figure.get_facecolor(), metadata={"Software": None})
    return stream.getvalue()

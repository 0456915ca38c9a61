"""The taggram over the timeline: the song's main tags as a heat strip, its energy as a curve, its beats as ticks.

What never changes is put on the GPU once, in seconds of the song; a redraw only says where these seconds are, whatever
the zoom. The numbers come from the engine, once for each project, and are never kept in the .blend.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import blf
import bpy
import gpu
from bpy.app.handlers import persistent
from bpy.types import Context, Region, Scene, SpaceSequenceEditor
from gpu.types import GPUBatch, GPUTexture
from gpu_extras.batch import batch_for_shader

from . import compat, jobs, requests, segments

# in pixels of the interface at scale 1
RULER = 30  # Blender's, with the lines of the cache below it
ROW = 12
ENERGY = 20
TEXT = 9.5
MARGIN = 6
NEAREST_BEATS = 6  # closer ticks would make a grey area

MOST_OF_HEIGHT = 0.35  # of the editor: below the overlay there must be room for strips
WIDEST = 8192  # pixels of a texture that every GPU can hold
ENERGY_RATE = 20  # points a second of the curve

BACKGROUND = (0.07, 0.07, 0.08, 0.75)
LEGEND = (0.07, 0.07, 0.08, 0.75)
WORDS = (0.9, 0.9, 0.9, 1.0)
HEAT = (  # from "not heard" to "heard for sure"
    (0.10, 0.10, 0.12),
    (0.24, 0.17, 0.42),
    (0.66, 0.24, 0.45),
    (0.96, 0.52, 0.26),
    (0.99, 0.90, 0.55),
)
CURVE, AREA = (0.55, 0.78, 0.95, 1.0), (0.35, 0.58, 0.80, 0.45)
BEAT, DOWNBEAT = (1.0, 1.0, 1.0, 0.13), (1.0, 1.0, 1.0, 0.35)


@dataclass(frozen=True)
class Picture:
    """A project's taggram on the GPU. Across lie seconds; up and down every part goes from 0 to 1."""

    tags: tuple[str, ...]
    texture: GPUTexture
    heat: tuple[GPUBatch, ...]  # one row a tag
    area: GPUBatch
    curve: GPUBatch
    beats: GPUBatch
    downbeats: GPUBatch
    beat: float  # seconds from one to the next; 0 without a steady beat
    bar: float


_pictures: dict[tuple[Any, ...], Picture | jobs.Job | None] = {}  # while it is not there the job that is to read it
_handle: Any = None


# What the engine knows


@persistent
def forget(*_: object) -> None:
    """Lets all taggrams go, so that they are asked for anew: when another file is opened."""
    _pictures.clear()


def _key(scene: Scene) -> tuple[Any, ...]:
    """What a taggram depends on."""
    own = scene.aimv
    return bpy.path.abspath(own.project), own.song, own.tagger, round(own.hop, 3), round(own.duration, 3)


def picture(scene: Scene) -> Picture | None:
    """The scene's taggram. The first call asks for it; None until it has come. When it could not be read it is asked
    for again as soon as the engine has done something else for the scene."""
    if not (scene.aimv.duration and scene.aimv.project):
        return None
    key = _key(scene)
    found = _pictures.get(key)
    if key not in _pictures or (isinstance(found, jobs.Job) and _is_worth_another_try(scene, found)):
        found = _pictures[key] = None
        # not from here: this is called while Blender draws
        bpy.app.timers.register(partial(_ask, scene.aimv.uid, key), first_interval=0.0)
    return found if isinstance(found, Picture) else None


def _is_worth_another_try(scene: Scene, asked: jobs.Job) -> bool:
    failed = asked.state in ("FAILED", "CANCELLED")
    return failed and any(job.state == "DONE" and job.id > asked.id for job in jobs.of(scene))


def _ask(uid: str, key: tuple[Any, ...]) -> None:
    scene = jobs.scene_of(uid)
    if scene is None:
        _pictures.pop(key, None)
    else:
        params = {"project": str(requests.project(scene))}
        job = jobs.submit(scene, "taggram", "Read Taggram", params, partial(_land, key), only_looks=True)
        _pictures[key] = job


def _land(key: tuple[Any, ...], _scene: Scene, answer: dict[str, Any]) -> None:
    if answer["times"] and answer["tags"] and not bpy.app.background:  # without a window there is no GPU
        _pictures[key] = to_gpu(answer)


# To the GPU


def to_gpu(answer: dict[str, Any]) -> Picture:
    """Puts an answer of the engine where it can be drawn from."""
    tags = answer["tags"]
    step = -(-len(answer["times"]) // WIDEST)
    times, rows = answer["times"][::step], answer["rows"][::step]
    pixels = [channel for tag in range(len(tags)) for row in rows for channel in (*heat(row[tag] / 255), 1.0)]
    texture = GPUTexture((len(rows), len(tags)), format="RGBA16F", data=gpu.types.Buffer("FLOAT", len(pixels), pixels))
    curve = energy_curve(answer["energy"], answer["energy_rate"])
    plain = gpu.shader.from_builtin("UNIFORM_COLOR")
    beats, downbeats = answer["beats"], answer["downbeats"]
    return Picture(
        tags=tuple(tags),
        texture=texture,
        heat=tuple(_heat_row(times, (index + 0.5) / len(tags)) for index in range(len(tags))),
        area=batch_for_shader(plain, "TRI_STRIP", {"pos": [point for x, y in curve for point in ((x, 0.0), (x, y))]}),
        curve=batch_for_shader(plain, "LINE_STRIP", {"pos": curve}),
        beats=_ticks(beats),
        downbeats=_ticks(downbeats),
        beat=typical_gap(beats),
        bar=typical_gap(downbeats),
    )


def _heat_row(times: Sequence[float], height: float) -> GPUBatch:
    """A band that shows one row of the texture, whose first and last colours reach to the song's ends.

    The times are the centres of what was listened to at once; so the first one is half of that from the beginning.
    """
    inset = 0.5 / len(times)
    columns = ((0.0, inset), (times[0], inset), (times[-1], 1 - inset), (times[-1] + times[0], 1 - inset))
    corners = {
        "pos": [(second, edge) for second, _ in columns for edge in (0.0, 1.0)],
        "texCoord": [(across, height) for _, across in columns for _ in range(2)],
    }
    return batch_for_shader(gpu.shader.from_builtin("IMAGE"), "TRI_STRIP", corners)


def _ticks(times: Sequence[float]) -> GPUBatch:
    points = [point for time in times for point in ((time, 0.0), (time, 1.0))]
    return batch_for_shader(gpu.shader.from_builtin("UNIFORM_COLOR"), "LINES", {"pos": points or [(0.0, 0.0)] * 2})


def heat(value: float) -> tuple[float, float, float]:
    """The colour of a likelihood of 0 to 1. The root spreads out the low ones, which most are."""
    place = min(max(value, 0.0), 1.0) ** 0.5 * (len(HEAT) - 1)
    index = min(int(place), len(HEAT) - 2)
    return tuple(a + (b - a) * (place - index) for a, b in zip(HEAT[index], HEAT[index + 1], strict=True))


def energy_curve(energy: Sequence[int], rate: float) -> list[tuple[float, float]]:
    """Points (second, 0 to 1): of the energy's many values the highest of each stretch, so that no hit is lost."""
    step = max(1, round(rate / ENERGY_RATE))
    return [(start / rate, max(energy[start : start + step]) / 255) for start in range(0, len(energy), step)] or [
        (0.0, 0.0)
    ]


def typical_gap(times: Sequence[float]) -> float:
    """The median of the gaps between times; 0 when there are none."""
    gaps = sorted(after - before for before, after in pairwise(times))
    return gaps[len(gaps) // 2] if gaps else 0.0


# Drawing


@dataclass(frozen=True)
class Place:
    """Where the seconds of the song are in the region, in pixels."""

    zero: float  # of the song's beginning
    second: float  # of a second, how many

    @classmethod
    def of(cls, scene: Scene, region: Region) -> "Place":
        far = 100_000  # frames: the region's own numbers are whole pixels
        left, right = (region.view2d.view_to_region(frame, 0, clip=False)[0] for frame in (0, far))
        frame = (right - left) / far
        return cls(left + scene.aimv.song_frame * frame, frame * float(segments.fps(scene)))

    def draw(self, batch: GPUBatch, shader: gpu.types.GPUShader, bottom: float, height: float) -> None:
        """Draws something whose coordinates are seconds, and 0 to 1."""
        with gpu.matrix.push_pop():
            gpu.matrix.translate((self.zero, bottom))
            gpu.matrix.scale((self.second, height))
            batch.draw(shader)


def draw() -> None:
    """Draws over the timeline of the editor that Blender is drawing."""
    context = bpy.context
    scene = compat.sequencer_scene(context)
    if not scene.aimv.show_overlay:
        if not isinstance(_pictures.get(_key(scene)), Picture):
            _pictures.pop(_key(scene), None)  # what did not come is asked for again when it is switched on again
        return
    if not context.space_data.show_overlays:
        return
    shown = picture(scene)
    if shown is not None:
        _draw(context, scene, shown)


def _draw(context: Context, scene: Scene, shown: Picture) -> None:
    region, scale = context.region, context.preferences.system.ui_scale
    row, energy = ROW * scale, ENERGY * scale
    room = region.height * MOST_OF_HEIGHT - energy
    count = min(len(shown.tags), int(room // row))
    if count < 1:
        return
    place = Place.of(scene, region)
    top = region.height - RULER * scale
    bottom = top - count * row - energy
    plain, image = (gpu.shader.from_builtin(name) for name in ("UNIFORM_COLOR", "IMAGE"))

    gpu.state.blend_set("ALPHA")
    _fill(plain, BACKGROUND, 0, bottom, region.width, top - bottom)
    image.bind()
    image.uniform_sampler("image", shown.texture)
    for index in range(count):
        place.draw(shown.heat[index], image, top - (index + 1) * row + 1, row - 1)
    plain.bind()
    for color, batch in ((AREA, shown.area), (CURVE, shown.curve)):
        plain.uniform_float("color", color)
        place.draw(batch, plain, bottom + 1, energy - 3)
    for color, batch, gap in ((BEAT, shown.beats, shown.beat), (DOWNBEAT, shown.downbeats, shown.bar)):
        if gap * place.second >= NEAREST_BEATS * scale:
            plain.uniform_float("color", color)
            place.draw(batch, plain, bottom, energy)
    _draw_legend(context, shown.tags[:count], top, row, bottom)
    gpu.state.blend_set("NONE")


def _draw_legend(context: Context, tags: Sequence[str], top: float, row: float, bottom: float) -> None:
    """The names of the rows, at the left edge of what is seen of the timeline."""
    scale = context.preferences.system.ui_scale
    blf.size(0, TEXT * scale)
    names = [*tags, "energy"]
    width = max(blf.dimensions(0, name)[0] for name in names) + 2 * MARGIN * scale
    left = _covered(context)
    plain = gpu.shader.from_builtin("UNIFORM_COLOR")
    _fill(plain, LEGEND, left, bottom, width, top - bottom)
    blf.color(0, *WORDS)
    heights = [top - (index + 0.72) * row for index in range(len(tags))] + [bottom + (ENERGY / 2 - 3) * scale]
    for name, height in zip(names, heights, strict=True):
        blf.position(0, left + MARGIN * scale, height, 0)
        blf.draw(0, name)


def _covered(context: Context) -> int:
    """How much of the timeline's left other regions lie over."""
    own = context.region
    return max(
        (
            region.x + region.width - own.x
            for region in context.area.regions
            if region.alignment == "LEFT" and region.width > 1 and own.x <= region.x < own.x + own.width / 2
        ),
        default=0,
    )


def _fill(shader: gpu.types.GPUShader, color: Sequence[float], x: float, y: float, width: float, height: float) -> None:
    corners = ((x, y), (x + width, y), (x, y + height), (x + width, y + height))
    shader.bind()
    shader.uniform_float("color", color)
    batch_for_shader(shader, "TRI_STRIP", {"pos": corners}).draw(shader)


def draw_option(self: bpy.types.Panel, context: Context) -> None:
    """The switch, beside Blender's own overlays."""
    self.layout.prop(compat.sequencer_scene(context).aimv, "show_overlay", text="Taggram")


def register() -> None:
    global _handle
    if not bpy.app.background:
        _handle = SpaceSequenceEditor.draw_handler_add(draw, (), "WINDOW", "POST_PIXEL")
    bpy.types.SEQUENCER_PT_sequencer_overlay.append(draw_option)
    bpy.app.handlers.load_post.append(forget)


def unregister() -> None:
    global _handle
    bpy.app.handlers.load_post.remove(forget)
    bpy.types.SEQUENCER_PT_sequencer_overlay.remove(draw_option)
    if _handle is not None:
        SpaceSequenceEditor.draw_handler_remove(_handle, "WINDOW")
        _handle = None
    forget()

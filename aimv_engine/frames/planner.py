"""Makes the frame plan from the music and the storyboard: pure, without a model, a second for a whole song."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

from aimv_engine import looks
from aimv_engine.frames.motion import Motion, camera_at, walk_at
from aimv_engine.frames.plan import FilmPlan, KeyframeSpec, ScenePlan, WeightedText
from aimv_engine.frames.tag_curves import TagCurves
from aimv_engine.storyboard.scene import Scene, Storyboard, Tags


def plan_film(
    storyboard: Storyboard,
    motion: Motion,
    hues: Sequence[float],
    fps: Fraction,
    keyframe_rate: Fraction,
    start: Fraction,
    end: Fraction,
    curves: TagCurves | None = None,
) -> FilmPlan:
    """The plan of the film from `start` to `end` (seconds of the song); `hues` holds one value a scene, 0 to 1.

    With `curves` there are also the tags as they are heard from keyframe to keyframe, for generators that mix texts.
    """
    frame_count = max(1, round((end - start) * fps))
    scenes: list[ScenePlan] = []
    for index, scene in enumerate(storyboard.scenes):
        look = looks.load(scene.look)
        first = max(0, round((Fraction(scene.start) - start) * fps)) if index else 0
        is_last = index + 1 == len(storyboard.scenes)
        last = frame_count if is_last else min(frame_count, round((Fraction(scene.end) - start) * fps))
        if last <= first:
            continue  # outside of what is wanted
        following = None if is_last else storyboard.scenes[index + 1]
        before = _half_fade(storyboard.scenes[index - 1], scene, fps) if first > 0 else 0
        after = _half_fade(scene, following, fps) if following and last < frame_count else 0
        strip_first, strip_last = max(0, first - before), min(frame_count, last + after)
        first_keyframe = floor((start + strip_first / fps) * keyframe_rate)
        last_keyframe = ceil((start + (strip_last - 1) / fps) * keyframe_rate)
        fade = 2 * after / float(fps)
        specs = []
        for number in range(first_keyframe, last_keyframe + 1):
            time = float(number / keyframe_rate)
            turn = (time - (scene.end - fade / 2)) / fade if following and fade else 0.0
            heard = curves.heard(scene.tags, time) if curves else ()
            specs.append(
                KeyframeSpec(
                    seed=scene.seed,
                    walk=walk_at(motion, time, scene.intensity * look.walk),
                    texts=texts_at(storyboard, scene, following, min(1.0, max(0.0, turn)), heard),
                    look=scene.look,
                    camera=camera_at(motion, time, scene, look),
                    energy=motion.at(motion.energy, time),
                    brightness=motion.at(motion.brightness, time),
                    hue=hues[index],
                )
            )
        scenes.append(ScenePlan(index, first, last, strip_first, strip_last, first_keyframe, tuple(specs)))
    return FilmPlan(fps, keyframe_rate, start, frame_count, tuple(scenes))


def texts_at(
    storyboard: Storyboard, scene: Scene, following: Scene | None, turn: float, heard: Tags
) -> tuple[WeightedText, ...]:
    """The texts of a keyframe. `turn` goes from 0 to 1 over the cross-fade at the scene's end: as the picture
    dissolves into the next one, the words already speak of it."""
    texts = [WeightedText(scene.sentence, 1.0 - turn, "scene")]
    if following is not None and turn > 0.0:
        texts.append(WeightedText(following.sentence, turn, "next scene"))
    texts += [WeightedText(tag, weight, "tag") for tag, weight in scene.tags]
    texts += [WeightedText(tag, weight, "heard tag") for tag, weight in heard]
    if storyboard.artist:
        texts.append(WeightedText(storyboard.artist, 1.0, "artist"))
    texts.append(WeightedText(looks.load(scene.look).words, scene.style, "look"))
    if scene.negative:
        texts.append(WeightedText(scene.negative, 1.0 - turn, "negative"))
    if following is not None and following.negative and turn > 0.0:
        texts.append(WeightedText(following.negative, turn, "next negative"))
    return tuple(texts)


def _half_fade(scene: Scene, following: Scene, fps: Fraction) -> int:
    """Half the cross-fade between two scenes in film frames: the shorter wish of the two looks, and never more than
    a quarter of the shorter scene."""
    wish = min(looks.load(scene.look).transition, looks.load(following.look).transition)
    shorter = min(scene.end - scene.start, following.end - following.start)
    return round(min(wish, shorter / 2) / 2 * fps)

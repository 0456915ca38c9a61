"""What a keyframe goes on from in feedback mode: the picture before it, seen by the camera of now."""

import cv2
import numpy as np

from aimv_engine.arrays import F32, F64, Picture
from aimv_engine.frames.plan import Camera
from aimv_engine.store import name_of

STILL, WILD = 0.3, 0.65  # how much of the picture is made anew (the strength) at energy 0 and 1
GRAIN = 4.0  # standard deviation of the grain, in levels of 255


def strength(energy: float) -> float:
    """How much is made anew: little in still music, so that things stay, and much where it is wild."""
    return STILL + (WILD - STILL) * min(1.0, max(0.0, energy))


def starting_picture(before: Picture, opening: Picture, camera_before: Camera, camera: Camera, name: str) -> Picture:
    """The picture that image-to-image starts from; all are [height, width, 3]. `name` names its grain."""
    return grained(coloured_like(moved(before, camera_before, camera), opening), name)


def moved(picture: Picture, before: Camera, now: Camera) -> Picture:
    """What the camera `before` saw, as the camera `now` sees it: as if all lay at one depth. What comes in at the
    edges is mirrored; image-to-image makes something of it."""
    height, width = picture.shape[:2]
    back = _from_scene(before, width, height) @ np.linalg.inv(_from_scene(now, width, height))
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(picture, back[:2], (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(warped, np.uint8)


def _from_scene(camera: Camera, width: int, height: int) -> F64:
    """The matrix [3, 3] from scene points (picture heights from the middle) to pixels; see Camera."""
    cosine, sine = camera.zoom * np.cos(camera.roll), camera.zoom * np.sin(camera.roll)
    turn = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    pan = np.array([[1.0, 0.0, -camera.pan_x], [0.0, 1.0, -camera.pan_y], [0.0, 0.0, 1.0]])
    pixels = np.array([[height, 0.0, width / 2 - 0.5], [0.0, height, height / 2 - 0.5], [0.0, 0.0, 1.0]])
    return np.asarray(pixels @ turn @ pan, np.float64)


def coloured_like(picture: Picture, reference: Picture) -> Picture:
    """The picture with the mean and spread of the reference's colours in L*a*b* (Reinhard et al. 2001, "Color transfer
    between images"): without it each turn of the loop adds a little saturation, and a minute later all is neon."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    wanted = cv2.cvtColor(reference.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    mean, spread = lab.mean((0, 1)), lab.std((0, 1))
    matched = (lab - mean) * (wanted.std((0, 1)) / np.maximum(spread, 1e-3)) + wanted.mean((0, 1))
    return _levels(cv2.cvtColor(matched.astype(np.float32), cv2.COLOR_LAB2RGB) * 255)


def grained(picture: Picture, name: str) -> Picture:
    """The picture with fine grain: the loop smooths whatever it is given, and would end in flat colours that stand."""
    random = np.random.default_rng(int(name_of("grain", name)[:16], 16))
    return _levels(picture + GRAIN * random.standard_normal(picture.shape, np.float32))


def _levels(values: F32) -> Picture:
    return np.asarray(np.round(np.clip(values, 0, 255)), np.uint8)

"""How a rendered scene becomes a painting: neural style transfer, and brushes that need no network."""

import cv2
import numpy as np

from aimv_engine import weights
from aimv_engine.arrays import F32
from aimv_engine.looks import Look

from .colours import LUMA

STYLES = 26  # the network's painters
SEEN = 216 * 384  # pixels the network sees: half as many as the 480 x 272 it was judged at, at half the time
KEEP_COLOUR = 0.7  # how much of the scene's own colour stays
KEEP_LIGHT = 0.82  # how much of the slow changes of light the network would make is taken out
FORM = 0.5  # how much what differs from its wide surroundings is set off, before it becomes flat tones
EVEN = 0.03  # differences of brightness much below this are no edges of flat tones
DARKEST = 0.07  # the darkest flat tone: ink with a little of the colour it covers
FLAT = 0.2  # how much of the stroke plain surfaces get, where the network invents texture


class StyleNetwork:
    """Fast style transfer with conditional instance normalisation (Dumoulin et al. 2017), 26 styles in one network."""

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(weights.packaged("style")), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, picture: F32, mixture: tuple[tuple[int, float], ...]) -> F32:
        """The picture [height, width, 3] 0..1 in a mixture of styles (number, share); sides are multiples of 8."""
        shares = np.zeros(STYLES, np.float32)
        for style, share in mixture:
            shares[style] = share
        planes = np.ascontiguousarray(picture.transpose(2, 0, 1)[None])
        (painted,) = self._session.run(None, {"image": planes, "style_weights": shares / shares.sum()})
        return np.asarray(np.clip(painted[0].transpose(1, 2, 0), 0, 1), np.float32)


def stylise(picture: F32, network: StyleNetwork, look: Look, strength: float) -> F32:
    """Lays so much of the network's brush strokes over the picture, at the picture's full size.

    Only the difference between styled and plain goes over (so that a small network input paints a large picture), with
    most of its hue and of its slow light taken out, and little of it where the picture is flat.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, (SEEN / (width * height)) ** 0.5)
    size = (max(64, round(width * scale / 8) * 8), max(64, round(height * scale / 8) * 8))
    small: F32 = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
    styled = network(small, look.styles)
    grey = np.repeat(LUMA[None], 3, 0)
    change = styled - small
    hue_change = change - cv2.transform(change, grey)
    change -= np.float32(KEEP_COLOUR * (1 - look.recolour)) * hue_change

    eighth = (size[0] // 8, size[1] // 8)
    slow = cv2.GaussianBlur(cv2.resize(change, eighth, interpolation=cv2.INTER_AREA), (0, 0), 3.0)
    change -= np.float32(KEEP_LIGHT) * cv2.resize(slow, size, interpolation=cv2.INTER_LINEAR)

    half = cv2.resize(cv2.transform(small, LUMA[None]), (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_AREA)
    detail = half - cv2.GaussianBlur(half, (0, 0), 4)  # a glow's slope is no detail
    busy = np.clip((np.sqrt(cv2.boxFilter(detail * detail, -1, (13, 13))) - 0.006) / 0.04, 0, 1)
    share = cv2.resize(FLAT + (1 - FLAT) * cv2.GaussianBlur(busy, (0, 0), 5), size, interpolation=cv2.INTER_LINEAR)
    change *= np.asarray(share, np.float32)[..., None]
    stroke = cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(picture + np.float32(strength) * stroke, 0, 1), np.float32)


def brush(picture: F32, radius: float) -> F32:
    """Flat touches of a soft brush (Kuwahara 1976): each pixel takes the mean of its calmest neighbouring quadrant.

    `radius` counts at 360 lines. The quadrants are soft (Gaussian), and blended by how calm they are: that holds still
    in motion and shows no squares.
    """
    height, width = picture.shape[:2]
    spread = max(0.7, radius * height / 900)
    grey = cv2.transform(picture, LUMA[None])
    mean, grey_mean, square = (cv2.GaussianBlur(field, (0, 0), spread) for field in (picture, grey, grey * grey))
    unrest = square - grey_mean * grey_mean
    calm = 1 / (np.maximum(unrest, 0) + np.float32(2e-5)) ** 2
    weighted = cv2.multiply(mean, cv2.merge((calm, calm, calm)))
    total, weight = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    step = max(1, round(1.4 * spread))
    padded = cv2.copyMakeBorder(weighted, step, step, step, step, cv2.BORDER_REFLECT)
    padded_calm = cv2.copyMakeBorder(calm, step, step, step, step, cv2.BORDER_REFLECT)
    for down in (0, 2 * step):
        for across in (0, 2 * step):
            region = (slice(down, down + height), slice(across, across + width))
            total = np.add(total, padded[region])
            weight = np.add(weight, padded_calm[region])
    brushed = cv2.divide(total, cv2.merge((weight, weight, weight)))
    sparks = np.clip(picture - brushed - np.float32(0.10), 0, 1)  # stars, lamps, glints are set on top
    return np.asarray(brushed + sparks, np.float32)


def outline(picture: F32, amount: float) -> F32:
    """Ink lines where tones meet: a soft threshold on the difference of two Gaussians (Winnemoeller 2006)."""
    height = picture.shape[0]
    grey = cv2.transform(picture, LUMA[None])
    unit = max(0.6, height / 450)
    fine, wide = cv2.GaussianBlur(grey, (0, 0), unit), cv2.GaussianBlur(grey, (0, 0), unit * 1.6)
    edge = np.clip((wide * np.float32(0.985) - fine) * 26, 0, 1)
    return np.asarray(picture * (1 - np.float32(amount) * edge)[..., None], np.float32)


def flatten(picture: F32, levels: int) -> F32:
    """Few tones with clean edges, as in a silk-screen print: brightness in steps, colours kept.

    Brightness is first made even where it changes little (guided filter, He 2010), or its texture would fray the edges
    of the tones, and forms are set off against the slow fall of light, which would make blots. An edge is as wide as a
    pixel however slowly brightness changes across it, and hard edges stay where they are: nothing boils in motion.
    """
    grey = cv2.transform(picture, LUMA[None])
    wide = 2 * max(2, picture.shape[0] // 60) + 1
    mean = cv2.blur(grey, (wide, wide))
    share = np.maximum(cv2.blur(grey * grey, (wide, wide)) - mean * mean, 0)
    share /= share + np.float32(EVEN**2)
    even = cv2.blur(share, (wide, wide)) * grey + cv2.blur(mean - share * mean, (wide, wide))
    height, width = grey.shape
    slow = cv2.resize(even, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
    slow = cv2.resize(cv2.GaussianBlur(slow, (0, 0), height / 60), (width, height), interpolation=cv2.INTER_LINEAR)
    even += np.float32(FORM) * (even - slow)
    scaled = np.clip(even, 0, 1) * np.float32(levels - 1)
    slope = cv2.magnitude(*(cv2.Sobel(scaled, -1, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1))))
    base = np.floor(scaled)
    stepped = base + np.clip((scaled - base - 0.5) / np.maximum(slope, np.float32(0.004)) + 0.5, 0, 1)
    tone = DARKEST + (1 - DARKEST) * stepped / np.float32(levels - 1)
    return np.asarray(
        np.clip(picture * (tone / np.maximum(grey, np.float32(DARKEST / 2)))[..., None], 0, 1), np.float32
    )

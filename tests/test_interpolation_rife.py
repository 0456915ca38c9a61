"""In-betweens are near the truth, at any time, in any size, and always the same."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from aimv_engine.arrays import Picture
from aimv_engine.interpolation.flownet import Doubling, warp
from aimv_engine.interpolation.joining import dissolve, join
from aimv_engine.interpolation.rife import Rife
from aimv_engine.storyboard.language_model import fixed_threads
from tests.films import bikes, moved, psnr, texture


@pytest.fixture(scope="module")
def rife() -> Iterator[Rife]:
    with fixed_threads(1):
        yield Rife("cpu")


@pytest.fixture(scope="module")
def film() -> list[Picture]:
    return bikes()


def test_missing_frames_of_a_film_come_back(rife: Rife, film: list[Picture]) -> None:
    """Every 4th frame kept (of every third group, for time's sake): cuts and wild motion included."""
    times = (0.25, 0.5, 0.75)
    made, dissolved = [], []
    for start in range(0, len(film) - 4, 12):
        first, *missing, second = film[start : start + 5]
        made += [psnr(*pair) for pair in zip(join(rife, first, second, times), missing, strict=True)]
        dissolved += [psnr(dissolve(first, second, t), true) for t, true in zip(times, missing, strict=True)]
    assert np.mean(made) >= 28.5
    assert np.mean(made) >= np.mean(dissolved) + 2.5


def test_quarters_agree_with_midpoints_of_midpoints(rife: Rife, film: list[Picture]) -> None:
    agreements = []
    for start in (60, 148, 216):
        first, second = film[start], film[start + 4]
        quarter, middle, late = rife.between(first, second, (0.25, 0.5, 0.75))
        agreements += [
            psnr(quarter, rife.between(first, middle, [0.5])[0]),
            psnr(late, rife.between(middle, second, [0.5])[0]),
        ]
    assert np.mean(agreements) >= 33


@pytest.mark.parametrize("t", [0.1, 0.37, 0.5, 0.9])
def test_a_camera_move_is_followed_to_any_time(rife: Rife, t: float) -> None:
    scene = texture(1)
    first, second = moved(scene, 0), moved(scene, 12, 6, zoom=1.05)
    truth = moved(scene, 12 * t, 6 * t, zoom=1 + 0.05 * t)
    (made,) = rife.between(first, second, [t])
    assert psnr(made, truth) >= 30
    assert psnr(made, truth) >= psnr(dissolve(first, second, t), truth) + 5


def test_ends_are_the_given_pictures(rife: Rife, film: list[Picture]) -> None:
    start, end = rife.between(film[40], film[44], (0.0, 1.0))
    np.testing.assert_array_equal(start, film[40])
    np.testing.assert_array_equal(end, film[44])


def test_a_standing_picture_stands(rife: Rife) -> None:
    scene = texture(2)
    times = (0.2, 0.5, 0.8)
    for made in rife.between(scene, scene, times):
        difference = np.abs(made.astype(int) - scene)
        assert np.quantile(difference, 0.999) <= 1
        assert difference.mean() < 0.05
    for made in join(rife, scene, scene.copy(), times):
        np.testing.assert_array_equal(made, scene)


def test_same_bytes_with_any_number_of_threads(rife: Rife) -> None:
    scene = texture(3)
    results = []
    for count in (1, 2, 1):
        with fixed_threads(count):
            results.append(np.stack(rife.between(moved(scene, 0), moved(scene, 9, 4), (1 / 3, 2 / 3))))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.parametrize(("width", "height"), [(85, 63), (199, 121), (40, 130), (16, 16)])
def test_odd_sizes(rife: Rife, width: int, height: int) -> None:
    scene = texture(4, width + 64, height + 64)
    first, second, truth = (moved(scene, x) for x in (0, 2, 1))
    (made,) = rife.between(first, second, [0.5])
    assert made.shape == (height, width, 3)
    assert made.dtype == np.uint8
    assert psnr(made, truth) >= 28


def test_a_doubling_is_a_transposed_convolution() -> None:
    random = torch.Generator().manual_seed(0)
    features, kernel = (torch.randn(shape, generator=random) for shape in ((2, 6, 5, 7), (6, 3, 4, 4)))
    bias = torch.randn(3, generator=random)
    doubling = Doubling(6, 3)
    doubling.load_state_dict({"phases.weight": Doubling.weights(kernel), "phases.bias": bias.repeat_interleave(4)})
    expected = torch.nn.functional.conv_transpose2d(features, kernel, bias, stride=2, padding=1)
    torch.testing.assert_close(doubling(features), expected)


def test_warp_looks_up_and_repeats_the_border() -> None:
    picture = torch.arange(20.0).reshape(1, 1, 4, 5)
    flow = torch.zeros(1, 2, 4, 5)
    flow[:, 0], flow[:, 1] = 2, -1
    rows, columns = [0, 0, 1, 2], [2, 3, 4, 4, 4]
    torch.testing.assert_close(warp(picture, flow), picture[:, :, rows][..., columns])

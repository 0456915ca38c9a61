"""Tags: upstream's own numbers, patches that share work, and the reader of checkpoints."""

from pathlib import Path

import librosa
import numpy as np
import pytest
import torch

from aimv_engine import weights
from aimv_engine.arrays import F32
from aimv_engine.errors import AimvError, Cancelled
from aimv_engine.tagging.checkpoint import read_checkpoint
from aimv_engine.tagging.mel import frame_count, log_mel
from aimv_engine.tagging.network import PATCH, Musicnn
from aimv_engine.tagging.taggram import tag
from tests.songs import song_of, three_scenes, tone

# Made once by musicnn 0.1.0 on TensorFlow 2.21 from the sound of `three_scenes`, its spectrogram left in float32
REFERENCE = np.load(Path(__file__).parent / "reference" / "musicnn_three_scenes.npz")
STEP = 62  # frames of 16 ms: a hop of one second


def pinned_variables() -> dict[str, F32]:
    """The variables of the packaged MTT_musicnn."""
    return read_checkpoint(weights.packaged("musicnn/MTT_musicnn/index"), weights.packaged("musicnn/MTT_musicnn"))


@pytest.mark.parametrize("model", ["MTT_musicnn", "MSD_musicnn"])
def test_every_likelihood_is_what_tensorflow_says(model: str) -> None:
    taggram = tag(song_of(three_scenes(), 16000), model, hop=3.0)
    assert taggram.likelihoods.dtype == np.float32
    np.testing.assert_allclose(taggram.likelihoods, REFERENCE[model], atol=2e-5)


def test_the_three_scenes_are_told_apart() -> None:
    """Which also shows that the tags are named in the right order."""
    taggram = tag(song_of(three_scenes(), 16000), hop=3.0)
    tags, (chord, drum, fifth) = taggram.tags, taggram.likelihoods
    assert len(set(tags)) == 50
    assert max((chord, drum, fifth), key=lambda row: row[tags.index("quiet")]) is chord
    assert max((chord, drum, fifth), key=lambda row: row[tags.index("drums")]) is drum
    assert max((chord, drum, fifth), key=lambda row: row[tags.index("loud")]) is not chord


def test_overlapping_patches_are_as_if_each_were_alone() -> None:
    samples = np.tile(three_scenes(), 3)[: 21 * 16000]  # more than one stretch
    taggram = tag(song_of(samples, 16000), hop=1.0)
    network = Musicnn(pinned_variables())
    mel = log_mel(torch.from_numpy(samples), 0, frame_count(len(samples)))
    assert len(taggram.times) == (len(mel) - PATCH) // STEP + 1
    for row, likelihoods in enumerate(taggram.likelihoods):
        alone = network(mel[row * STEP : row * STEP + PATCH], [0])[0]
        np.testing.assert_allclose(likelihoods, alone, atol=1e-5)


def test_times_are_the_centres_of_the_patches() -> None:
    taggram = tag(song_of(three_scenes(), 16000), hop=1.0)
    assert taggram.times[0] == pytest.approx(1.5, abs=0.016)
    np.testing.assert_allclose(np.diff(taggram.times), 1.0, atol=0.016)
    assert taggram.times[-1] <= 9.0 - 1.5 + 0.016


def test_a_click_is_heard_at_its_time() -> None:
    """In patches around it, and in no other: the others are those of silence."""
    samples = np.zeros(12 * 16000, np.float32)
    samples[6 * 16000] = 1.0
    taggram = tag(song_of(samples, 16000), hop=0.25)
    deaf = np.abs(taggram.likelihoods - taggram.likelihoods[0]).max(axis=1) < 1e-6
    np.testing.assert_array_equal(deaf, np.abs(taggram.times - 6.0) > 1.51)


def test_the_rate_of_the_file_hardly_matters() -> None:
    """Below 8 kHz, which is all that the network hears."""
    there, here = (tag(song_of(tone(440.0, 6.0, rate), rate), hop=3.0).likelihoods for rate in (16000, 44100))
    np.testing.assert_allclose(here, there, atol=0.01)


def test_the_spectrogram_is_librosas() -> None:
    samples = three_scenes()
    power = librosa.feature.melspectrogram(y=samples, sr=16000, n_fft=512, hop_length=256, n_mels=96)
    whole = log_mel(torch.from_numpy(samples), 0, frame_count(len(samples)))
    np.testing.assert_allclose(whole, np.log10(10000 * power + 1).T, atol=1e-5)
    np.testing.assert_allclose(log_mel(torch.from_numpy(samples), 100, 150), whole[100:150], atol=1e-6)


def test_the_largest_sounds_do_not_overflow() -> None:
    noise = np.random.default_rng(1).uniform(-1, 1, 6 * 16000).astype(np.float32)
    quieter, louder = (tag(song_of(level * noise, 16000)).likelihoods for level in (0.01, 1.0))
    assert np.isfinite(louder).all()
    assert np.abs(louder - quieter).max() > 0.01


def test_an_unknown_model_or_hop_is_said() -> None:
    song = song_of(three_scenes(), 16000)
    with pytest.raises(AimvError, match="MTT_musicnn, MSD_musicnn"):
        tag(song, "VGG")
    for hop in (0.0, -1.0, float("nan")):
        with pytest.raises(AimvError, match="hop above 0"):
            tag(song, hop=hop)


def test_progress_reaches_its_total_and_can_stop_the_work() -> None:
    song = song_of(np.tile(three_scenes(), 3), 16000)
    seen: list[tuple[int, int]] = []
    tag(song, hop=1.0, progress=lambda stage, done, total: seen.append((done, total)))
    assert seen[0] == (0, 25)
    assert seen[-1] == (25, 25)

    def stop(stage: str, done: int, total: int) -> None:
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        tag(song, progress=stop)


def test_a_checkpoint_holds_the_variables_of_the_network() -> None:
    variables = pinned_variables()
    assert variables["conv2d/kernel"].shape == (7, 38, 1, 204)
    assert variables["dense_1/bias"].shape == (50,)
    assert all((variables[name] > 0).all() for name in variables if name.endswith("moving_variance"))


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".index").write_bytes(b"something else entirely" * 10)
    (tmp_path / ".data").write_bytes(b"")
    with pytest.raises(ValueError, match="LevelDB"):
        read_checkpoint(tmp_path / ".index", tmp_path / ".data")

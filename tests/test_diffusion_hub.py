"""Models of the hub: downloaded when asked, told of, cancelled, found again; what the hub and the disk refuse."""

import shutil

import diffusers
import pytest
import tiny_hub
import tiny_pipelines
import torch
from same_weights import same, weights_of
from single_files import save_single_file

from aimv_engine.errors import AimvError, Cancelled
from aimv_engine.frames.generators.diffusion import cards, hub, loading


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of a tiny Stable Diffusion. Not to be changed."""
    folder = tmp_path_factory.mktemp("models") / "sd"
    tiny_pipelines.stable_diffusion().save_pretrained(folder)
    return folder


@pytest.fixture
def tiny(saved, tmp_path, monkeypatch):
    """A hub with the tiny Stable Diffusion as me/tiny and as the one that is meant by sd15; an empty cache."""
    from huggingface_hub import constants

    models = tmp_path / "hub"
    for name in ("me/tiny", cards.load("sd15").source):
        shutil.copytree(saved, models / name)
        (models / name / "README.md").write_text("What nobody needs")
        (models / name / "unet" / "diffusion_pytorch_model.non_ema.safetensors").write_bytes(bytes(9999))
        (models / name / "unet" / "diffusion_pytorch_model.bin").write_bytes(bytes(9999))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with tiny_hub.opened(tiny_hub.TinyHub(models)) as opened:
        monkeypatch.setattr(constants, "ENDPOINT", opened.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", opened.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        yield opened


def test_nothing_is_downloaded_that_was_not_asked_for(tiny):
    with pytest.raises(AimvError, match=r"me/tiny isn't on this computer; add --download"):
        loading.find("me/tiny")
    with pytest.raises(AimvError, match=r"add --download .*2\.7 GB, licence: CreativeML OpenRAIL-M"):
        loading.find("sd15")
    assert not tiny.served


def test_a_download_brings_what_is_needed_and_tells_the_bytes(tiny, saved):
    told = []
    source = loading.find("me/tiny", True, lambda *news: told.append(news))
    assert same(weights_of(loading.load(source, "cpu", torch.float32)), weights_of(tiny_pipelines.stable_diffusion()))
    assert loading.identity(source) == loading.identity(loading.find(str(saved)))
    assert sorted(tiny.served) == sorted(
        path.relative_to(saved).as_posix() for path in (saved).rglob("*") if path.is_file()
    )
    stages, done, total = zip(*told, strict=True)
    assert set(stages) == {"downloading me/tiny"}
    assert list(done) == sorted(done)
    assert done[-1] <= total[-1]
    tiny.served.clear()
    assert loading.find("me/tiny").path == source.path
    assert not tiny.served


def test_a_card_brings_its_scheduler(tiny):
    source = loading.find("sd15", allow_download=True)
    assert source.card.name == "sd15"
    pipeline = loading.load(source, "cpu", torch.float32)
    assert type(pipeline.scheduler) is diffusers.DPMSolverMultistepScheduler
    assert pipeline.scheduler.config.beta_start == tiny_pipelines.BETAS["beta_start"]


def test_what_arrived_before_a_download_was_cancelled_is_kept(tiny):
    slow = "unet/diffusion_pytorch_model.safetensors"
    tiny.delays[slow] = 1.0

    def cancel(stage, done, total):
        if "unet/config.json" in tiny.served:
            raise Cancelled

    with pytest.raises(Cancelled):
        loading.find("me/tiny", True, cancel)
    tiny.delays.clear()
    with pytest.raises(AimvError, match="add --download"):
        loading.find("me/tiny")
    loading.find("me/tiny", allow_download=True)
    assert tiny.served.index(slow) > 3
    twice = {name for name in tiny.served if tiny.served.count(name) > 1}
    assert twice <= {slow, "unet/config.json"}, "only what was on its way is sent again"


def test_a_single_file_needs_few_small_files_of_the_hub(tiny, tmp_path):
    pipeline = tiny_pipelines.stable_diffusion()
    path = tmp_path / "mine.safetensors"
    save_single_file(pipeline, path)
    with pytest.raises(AimvError, match=r"holds weights only.*add --download.*few MB"):
        loading.find(str(path))
    source = loading.find(str(path), allow_download=True)
    assert not any(name.endswith(".safetensors") for name in tiny.served)
    assert same(weights_of(loading.load(source, "cpu", torch.float32)), weights_of(pipeline))
    assert loading.find(str(path)) == source


def test_what_the_hub_refuses_is_said_with_what_to_do(tiny):
    with pytest.raises(AimvError, match="no model me/nobody on the hub"):
        loading.find("me/nobody", allow_download=True)
    tiny.refusals.add("me/tiny")
    with pytest.raises(AimvError, match=r"licence accepted first.*hf auth login"):
        loading.find("me/tiny", allow_download=True)


def test_a_model_of_pickles_is_refused_before_they_are_downloaded(tiny):
    (tiny.folder / "me/tiny/unet/diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(AimvError, match=r"unet of this model is a pickle"):
        loading.find("me/tiny", allow_download=True)
    assert tiny.served == [hub.INDEX]


def test_a_full_disk_is_said_before_the_download(tiny):
    tiny.pretended["unet/diffusion_pytorch_model.safetensors"] = 10**18
    with pytest.raises(AimvError, match=r"takes 1000000000\.0 GB .* GB left: make room, or set HF_HOME"):
        loading.find("me/tiny", allow_download=True)
    assert tiny.served == [hub.INDEX]


def test_no_network_is_said_in_one_line(tiny, monkeypatch):
    from huggingface_hub import constants

    with tiny_hub.opened(tiny_hub.TinyHub(tiny.folder)) as gone:
        pass
    monkeypatch.setattr(constants, "ENDPOINT", gone.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", gone.url + "/{repo_id}/resolve/{revision}/{filename}")
    with pytest.raises(AimvError, match=r"can't be downloaded .*check the network") as refused:
        loading.find("me/tiny", allow_download=True)
    assert "\n" not in str(refused.value)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(AimvError, match="HF_HUB_OFFLINE is set"):
        loading.find("me/tiny", allow_download=True)

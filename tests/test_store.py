"""The store keeps pictures whole, and a name says all that a picture depends on."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimv_engine.errors import AimvError
from aimv_engine.frames.plan import Camera, KeyframeSpec, WeightedText
from aimv_engine.store import Store, Usage, name_of, write_whole

SPEC = KeyframeSpec(
    seed=7,
    walk=1.5,
    texts=(WeightedText("a lake at dawn", 1.0, "scene"),),
    look="oil",
    camera=Camera(),
    energy=0.4,
    brightness=0.5,
    hue=0.1,
)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def painted(seed=0):
    """A smooth picture: JPEG keeps those well."""
    rows, columns = np.mgrid[0:72, 0:128]
    return np.stack([rows * 2 + seed, columns, 255 - rows - seed], axis=-1).astype(np.uint8)


def test_a_picture_comes_back_as_it_was_stored(store):
    store.write("ab12", painted())
    assert "ab12" in store
    difference = np.abs(store.read("ab12").astype(int) - painted().astype(int))
    assert difference.max() <= 3
    assert difference.mean() < 0.7


def test_equal_pictures_are_equal_bytes(store):
    store.write("one", painted())
    store.write("two", painted())
    assert store.path("one").read_bytes() == store.path("two").read_bytes()


def test_a_missing_picture_is_said_and_not_in_the_store(store):
    assert "nothing" not in store
    with pytest.raises(AimvError, match="missing"):
        store.read("nothing")


def test_a_damaged_picture_is_removed_so_that_it_is_made_anew(store):
    store.write("ab12", painted())
    store.path("ab12").write_bytes(b"\xff\xd8 half a pic")
    with pytest.raises(AimvError, match="damaged"):
        store.read("ab12")
    assert "ab12" not in store


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_part_of_a_file_left_by_a_crash_does_not_count(store, share):
    store.write("ab12", painted())
    whole = store.path("ab12").read_bytes()
    store.path("ab12").write_bytes(whole[: int(share * len(whole))])
    assert "ab12" not in store
    with pytest.raises(AimvError, match="damaged"):
        store.read("ab12")


def test_what_nobody_uses_is_counted_and_removed_and_the_rest_stays(store):
    used, near, far = "ab12" * 8, "ab34" * 8, "cd56" * 8
    for name in (used, near, far):
        store.write(name, painted())
    size = store.path(used).stat().st_size
    (store.folder / "ab" / ".aimv-part-half").write_bytes(b"half")
    assert (store.usage().bytes, store.usage().count) == (3 * size, 3)
    unused = store.unused({used, "gone"})
    assert unused == Usage((near, far), 2 * size)
    store.path(far).unlink()  # by somebody else, meanwhile
    told = []
    store.remove(unused, lambda *progress: told.append(progress))
    assert store.usage().names == (used,)
    assert used in store
    assert [path.name for path in store.folder.rglob("*")] == ["ab", f"{used}.jpg"]
    assert told[-1] == ("cleaning up", 2, 2)


def test_files_that_are_not_the_stores_are_left_alone(store):
    for name in ("ph/photo.jpg", f"ab/{'cd' * 16}.jpg", f"{'ab' * 16}.jpg"):
        path = store.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    store.remove(store.unused(()))
    assert store.usage() == Usage((), 0)
    assert len(list(store.folder.rglob("*.jpg"))) == 3


def test_an_empty_store_uses_nothing(store):
    assert store.usage() == Usage((), 0)
    store.remove(store.usage())


def test_what_cannot_be_deleted_is_named(store):
    store.path("ab12" * 8).mkdir(parents=True)  # a folder in a file's place is the one that even root can't unlink
    with pytest.raises(AimvError, match=r"ab12\.jpg can't be deleted"):
        store.remove(store.usage())


def test_a_write_that_fails_leaves_neither_a_part_nor_the_old_file_broken(tmp_path):
    target = tmp_path / "document"
    write_whole(target, b"old")
    with pytest.raises(TypeError):
        write_whole(target, "not bytes")  # type: ignore[arg-type]
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["document"]


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(KeyframeSpec)])
def test_every_part_of_a_spec_is_part_of_its_name(field):
    other = {
        "seed": 8,
        "walk": 1.5001,
        "texts": (WeightedText("a lake at dusk", 1.0, "scene"),),
        "look": "ink",
        "camera": Camera(zoom=1.001),
        "energy": 0.41,
        "brightness": 0.51,
        "hue": 0.11,
    }
    changed = dataclasses.replace(SPEC, **{field: other[field]})
    assert name_of("keyframe", changed) != name_of("keyframe", SPEC)


@given(st.integers(-(10**6), 10**6))
def test_names_do_not_depend_on_the_last_bits_of_arithmetic(thousandths):
    value = thousandths / 1000
    assert name_of(value) == name_of(value + 1e-12) == name_of(value - 1e-12)
    assert name_of(value) != name_of(value + 1e-6)


def test_names_tell_numbers_from_texts_and_lists_from_each_other():
    names = {name_of("1"), name_of(1), name_of([1]), name_of(1, 2), name_of([1, 2]), name_of(12)}
    assert len(names) == 6

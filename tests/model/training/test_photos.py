"""Photos on their way into a training: which of them, and what each is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drivers.camera.jpeg import encode_jpeg
from model.tensors import Decoder, jpeg_frame
from model.training.data.samples import BadDataset, Sample, Split
from model.training.photos import FEWEST, Photos, load_photos, parts, twins_measured
from model.types import Label
from tests.model.pictures import ripples

pytestmark = pytest.mark.real

SIDE = 32


def photos(folder: Path, *, each: int, alike: bool = False) -> list[Sample]:
    """So many of each class, of different things unless they are `alike`."""
    samples = []
    for number in range(2 * each):
        path = folder / f"{number:03}.jpg"
        path.write_bytes(encode_jpeg(_picture(0 if alike else number)))
        label = Label.DIRTY if number % 2 else Label.CLEAN
        samples.append(Sample(name=path.name, path=path, label=label))
    return samples


def _picture(number: int) -> np.ndarray:
    random = np.random.default_rng(number)
    blocks = random.integers(0, 255, (6, 8, 3), np.uint8)
    return np.clip(blocks.repeat(20, 0).repeat(20, 1) * 0.8 + ripples(160, 120) * 0.2, 0, 255).astype(np.uint8)


def loaded(
    count: int, *, groups: list[int] | None = None, test: int = 0, copies: Sequence[tuple[int, int]] = ()
) -> Photos:
    """`count` photos in memory, every second dirty; the first `test` in test/. Those of one group are twins."""
    group = np.array(groups or range(count))
    samples = tuple(
        Sample(name=str(n), path=Path(str(n)), label=Label.CLEAN, split=Split.TEST if n < test else Split.ANY)
        for n in range(count)
    )
    return Photos(
        samples=samples,
        rgb=np.zeros((count, SIDE, SIDE, 3), np.uint8),
        dirty=np.arange(count) % 2 == 1,
        prints=np.random.default_rng(0).integers(2**64, size=(group.max() + 1, 4), dtype=np.uint64)[group],
        group=group,
        copies=np.array(copies, np.intp).reshape(-1, 2),
        unusable=(),
    )


def test_photos_are_decoded_at_the_size_of_the_input_with_their_labels(tmp_path: Path) -> None:
    found = load_photos(photos(tmp_path, each=FEWEST), SIDE)

    assert found.rgb.shape == (2 * FEWEST, SIDE, SIDE, 3)
    assert found.dirty.tolist() == [False, True] * FEWEST
    assert found.unusable == ()


def test_a_photo_of_a_camera_held_on_its_side_is_learned_upright(tmp_path: Path) -> None:
    samples = photos(tmp_path, each=FEWEST)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(_picture(0))).save(samples[0].path, exif=exif, quality=95)

    found = load_photos(samples, SIDE)

    upright = Decoder(SIDE, SIDE).decode(jpeg_frame(encode_jpeg(_picture(0)), "upright"))
    assert np.abs(found.rgb[0].astype(int) - upright).mean() < 4


def test_one_broken_file_is_named_and_left_out(tmp_path: Path) -> None:
    samples = photos(tmp_path, each=FEWEST + 1)
    samples[4].path.write_bytes(b"no picture")

    found = load_photos(samples, SIDE)

    assert [name for name, _ in found.unusable] == ["004.jpg"]
    assert len(found.rgb) == len(samples) - 1


def test_many_broken_files_are_no_data(tmp_path: Path) -> None:
    samples = photos(tmp_path, each=FEWEST + 5)
    for sample in samples[:12]:
        sample.path.write_bytes(b"no picture")

    with pytest.raises(BadDataset, match=r"12 of 110 pictures cannot be used, such as 000.jpg: .*ductwatch model data"):
        load_photos(samples, SIDE)


def test_pictures_that_are_all_alike_teach_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="of different things, the 20 CLEAN pictures show only 1, "):
        load_photos(photos(tmp_path, each=20, alike=True), SIDE)


def of_fixed_cameras(folder: Path) -> list[Sample]:
    """A fixed camera's view of one thing, each time a little otherwise; every fifth was put into test/."""
    samples = []
    for number in range(2 * FEWEST + 25):
        picture = _picture(0).copy()
        picture[: number % 60 + 1, number // 60] = 255
        path = folder / f"{number:03}.jpg"
        path.write_bytes(encode_jpeg(picture))
        split = Split.TEST if number // 2 % 5 == 0 else Split.TRAIN
        samples.append(Sample(name=path.name, path=path, label=Label.DIRTY if number % 2 else Label.CLEAN, split=split))
    return samples


def test_fixed_cameras_show_another_day_each_time(tmp_path: Path) -> None:
    samples = of_fixed_cameras(tmp_path)
    with pytest.raises(BadDataset, match=r"show only 1, .* see --fixed-cameras"):
        load_photos(samples, SIDE)

    found = load_photos(samples, SIDE, fixed_cameras=True)

    which = parts(found, seed=1)
    assert (which.measured.sum(), which.learned.sum() + which.measured.sum()) == (26, len(samples))


def test_the_same_file_counts_once_for_fixed_cameras_too(tmp_path: Path) -> None:
    samples = of_fixed_cameras(tmp_path)
    samples[2].path.write_bytes(samples[0].path.read_bytes())  # the latter is in test/

    found = load_photos(samples, SIDE, fixed_cameras=True)

    assert found.copies.tolist() == [[0, 2]]
    assert parts(found, seed=1).left_out == 1


def test_photos_of_fixed_cameras_are_not_split_by_chance(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match="Put the photos of later days into test/"):
        load_photos(photos(tmp_path, each=3), SIDE, fixed_cameras=True)


def test_each_photo_is_for_one_purpose() -> None:
    found = parts(loaded(200), seed=1)

    assert (found.learned ^ found.measured).all()
    assert (found.measured.sum(), [mask.sum() for mask in found.aside]) == (40, [20, 20])
    assert not (found.aside[0] & found.aside[1]).any()
    assert not (found.measured & (found.aside[0] | found.aside[1])).any()


def test_twins_are_for_the_same_purpose() -> None:
    found = parts(loaded(200, groups=[number // 4 for number in range(200)]), seed=1)

    for mask in (found.learned, *found.aside, found.measured):
        assert mask.reshape(-1, 4).all(axis=1).sum() * 4 == mask.sum()


def test_whoever_has_split_is_believed_but_for_the_same_pictures_as_are_measured_on() -> None:
    groups = list(range(100))
    groups[40] = groups[50] = 3  # twins of a photo in test/, and one of them the same picture

    found = parts(loaded(100, groups=groups, test=20, copies=[(3, 50), (60, 61)]), seed=1)

    assert np.flatnonzero(found.measured).tolist() == list(range(20))
    assert not found.learned[50]
    assert (found.learned.sum(), found.left_out) == (79, 1)


def test_a_test_part_may_be_a_series_of_one_thing_if_somebody_chose_it() -> None:
    """Smooth surfaces look like twins: 234 photos of unlike tiles were one group."""
    groups = [0 if number < 20 else number for number in range(100)]

    found = parts(loaded(100, groups=groups, test=20), seed=1)

    assert found.measured.sum() == 20


def test_a_test_part_without_one_class_is_said() -> None:
    with pytest.raises(BadDataset, match="measured on, fewer than 3 pictures are"):
        parts(loaded(100, test=4), seed=1)


def test_a_part_that_lacks_a_class_is_said_before_any_time_is_spent() -> None:
    """All dirty photos but a few are one and the same thing, from which a series was taken."""
    groups = [1000 if number % 2 and number > 20 else number for number in range(200)]

    with pytest.raises(BadDataset, match="fewer than 3 different things are DIRTY"):
        parts(loaded(200, groups=groups), seed=1)


def test_twins_of_what_is_learned_from_are_counted_where_somebody_has_split() -> None:
    alike = [*range(8), *(n % 8 if n < 11 else n for n in range(8, 80))]
    photos = loaded(80, groups=alike, test=8)

    assert twins_measured(photos, parts(photos, seed=0)) == 3


def test_a_twin_of_a_twin_is_none() -> None:
    """As on smooth surfaces, where a third of all photos hang together by chains of twins."""
    photos = loaded(80, groups=[0 if n in (0, 9) else n for n in range(80)], test=8)
    in_a_chain = replace(photos, group=np.where(np.isin(photos.group, (0, 1, 10)), 0, photos.group))

    assert twins_measured(in_a_chain, parts(in_a_chain, seed=0)) == 1


def test_without_a_split_no_twin_is_measured_on() -> None:
    photos = loaded(160, groups=[n // 4 * 2 + n % 2 for n in range(160)])

    assert twins_measured(photos, parts(photos, seed=0)) == 0


def test_what_does_not_fit_into_memory_is_said_before_any_photo_is_read(tmp_path: Path) -> None:
    gone = [Sample(name=str(n), path=tmp_path / "gone.jpg", label=Label.CLEAN) for n in range(20_000)]

    with pytest.raises(BadDataset, match=r"20000 photos takes some 10 GB of memory, and this machine has 4\.0"):
        load_photos(gone, 224, memory_bytes=4_000_000_000)

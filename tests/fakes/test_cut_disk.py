"""What the power cuts are tried with has to be right itself: as a real disk without a cut, and no milder with one."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ota.storage import HALF, Disk
from tests.fakes.cut_disk import CHANGES, CutDisk, Fault, PowerCut

ROOT = Path("/data")
FILE = ROOT / "file"
ALL = 10_000


def left(disk: CutDisk, path: Path = FILE, *, most: int = ALL) -> set[bytes | None]:
    return {one.files().get(path) for one in disk.after_cut(most, Random(0))}


def disk_with(content: bytes) -> CutDisk:
    disk = CutDisk(ROOT)
    disk.write(FILE, content)
    disk.sync(FILE)
    disk.sync(ROOT)
    return disk


def cut_after(disk: CutDisk, operation: int) -> CutDisk:
    return disk.fork(Fault(operation))


FILES = st.sampled_from([Path(name) for name in ("a", "b", "a.half", "f/a", "f/b", "f/g/a")])
FOLDERS = st.sampled_from([Path("f"), Path("f/g")])
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["write", "append", "replace"]), FILES, st.binary(max_size=5)),
        st.tuples(st.just("rename"), FILES, FILES),
        st.tuples(st.just("read"), FILES, st.integers(min_value=0, max_value=6)),
        st.tuples(st.sampled_from(["size", "pieces", "sync", "remove"]), FILES),
        st.tuples(st.sampled_from(["names", "sync", "make_folder"]), FOLDERS),
    ),
    max_size=25,
)


def told(disk: Disk, root: Path, name: str, *arguments: object) -> object:
    """What it returns, or which error it ends with."""
    try:
        found = getattr(disk, name)(*(root / one if isinstance(one, Path) else one for one in arguments))
        return b"".join(found) if name == "pieces" else found
    except OSError as error:
        return error.errno


@pytest.mark.real
@settings(max_examples=150)
@given(operations=OPERATIONS)
def test_without_a_cut_it_is_as_a_real_disk(operations: list[tuple[str, *tuple[object, ...]]]) -> None:
    with a_folder() as real_root:
        fake, real = CutDisk(ROOT), Disk()

        for operation in operations:
            assert told(fake, ROOT, *operation) == told(real, real_root, *operation), operation

        found = {path.relative_to(real_root): path.read_bytes() for path in real_root.rglob("*") if path.is_file()}
        assert {path.relative_to(ROOT): content for path, content in fake.files().items()} == found


@contextmanager
def a_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ductwatch-disk-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def test_what_was_not_synced_is_lost_kept_torn_at_any_byte_or_zeros() -> None:
    disk = CutDisk(ROOT)
    disk.write(FILE, b"abc")

    assert {None, b"", b"a", b"ab", b"abc", b"\0\0\0", b"a\0\0", b"ab\0", b"\0bc", b"\0\0c"} == left(disk)


def test_what_was_synced_stays_but_for_its_name() -> None:
    disk = CutDisk(ROOT)
    disk.write(FILE, b"abc")
    disk.sync(FILE)
    assert left(disk) == {None, b"abc"}

    disk.sync(ROOT)
    assert left(disk) == {b"abc"}


def test_a_name_that_lasts_does_not_make_the_content_last() -> None:
    disk = CutDisk(ROOT)
    disk.write(FILE, b"abc")
    disk.sync(ROOT)

    assert {b"", b"\0\0\0", b"ab", b"abc"} < left(disk)
    assert None not in left(disk)


def test_of_what_is_appended_only_the_new_can_be_torn() -> None:
    disk = disk_with(b"abc")
    disk.append(FILE, b"de")

    assert left(disk) == {b"abc", b"abcd", b"abcde", b"abc\0\0", b"abcd\0", b"abc\0e"}


def test_of_what_is_written_anew_the_old_may_be_gone_and_the_new_not_there() -> None:
    disk = disk_with(b"old")
    disk.write(FILE, b"new")

    assert {b"old", b"", b"new", b"n", b"\0\0\0"} < left(disk)


def test_a_rename_is_kept_or_lost_at_each_of_its_ends_by_itself() -> None:
    disk = disk_with(b"old")
    half = ROOT / "half"
    disk.write(half, b"new")
    disk.sync(half)
    disk.rename(half, FILE)

    ends = {(one.files().get(half), one.files().get(FILE)) for one in disk.after_cut(ALL, Random(0))}
    assert ends == {(None, b"old"), (None, b"new"), (b"new", b"old"), (b"new", b"new")}

    disk.sync(ROOT)
    assert left(disk) == {b"new"}
    assert left(disk, half) == {None}


def test_a_removal_may_be_undone_until_the_folder_is_synced() -> None:
    disk = disk_with(b"abc")
    disk.remove(FILE)
    assert left(disk) == {None, b"abc"}

    disk.sync(ROOT)
    assert left(disk) == {None}


def test_a_folder_is_gone_with_all_in_it_until_its_own_folder_is_synced() -> None:
    disk = CutDisk(ROOT)
    inner = ROOT / "folder" / "file"
    disk.make_folder(inner.parent)
    disk.write(inner, b"abc")
    disk.sync(inner)
    disk.sync(inner.parent)
    assert left(disk, inner) == {None, b"abc"}

    disk.sync(ROOT)
    assert left(disk, inner) == {b"abc"}


def test_what_a_failed_sync_should_have_written_no_later_one_does() -> None:
    disk = disk_with(b"").fork(Fault(1, errno.EIO))
    disk.append(FILE, b"abc")
    with pytest.raises(OSError, match="Input/output"):
        disk.sync(FILE)
    disk.sync(FILE)

    assert b"" in left(disk)
    disk.write(FILE, b"abc")
    disk.sync(FILE)
    assert left(disk) == {b"abc"}


def test_after_a_cut_all_that_is_left_lasts() -> None:
    disk = CutDisk(ROOT)
    disk.write(FILE, b"abc")

    assert all(left(one) == {one.files().get(FILE)} for one in disk.after_cut(ALL, Random(0)))


def test_a_process_that_is_killed_leaves_what_does_not_last_yet() -> None:
    disk = CutDisk(ROOT)
    disk.write(FILE, b"abc")

    assert disk.fork().files() == {FILE: b"abc"}
    assert None in left(disk.fork())


@pytest.mark.parametrize("operation", range(3))
def test_no_operation_is_done_after_the_power_is_cut(operation: int) -> None:
    disk = cut_after(CutDisk(ROOT), operation)

    with pytest.raises(PowerCut):
        disk.replace(FILE, b"abc")
    with pytest.raises(PowerCut):
        disk.read(FILE, 10)
    assert [one.kind for one in disk.operations] == ["remove", "write", "sync"][: operation + 1]


def test_of_too_many_states_the_extremes_are_tried_and_some_others() -> None:
    disk = CutDisk(ROOT)
    disk.write(FILE, bytes(range(1, 200)))
    found = left(disk, most=20)

    assert len(list(disk.after_cut(20, Random(0)))) == 20
    assert {None, b"", bytes(range(1, 200)), bytes(199)} < found


def test_replacing_leaves_the_old_or_the_new_at_every_cut() -> None:
    whole = disk_with(b"old").fork()
    whole.replace(FILE, b"new")
    for number, _ in enumerate(whole.operations):
        disk = cut_after(disk_with(b"old"), number)
        with pytest.raises(PowerCut):
            disk.replace(FILE, b"new")
        assert left(disk) <= {b"old", b"new"}
    assert left(whole) == {b"new"}


def test_replacing_after_a_cut_amid_a_rename_does_not_write_into_the_file_that_it_replaces() -> None:
    disk = disk_with(b"old")
    half = FILE.with_name(FILE.name + HALF)
    disk.write(half, b"new")
    disk.sync(half)
    disk.rename(half, FILE)
    for one in disk.after_cut(ALL, Random(0)):
        refused = one.fork(Fault(0, errno.EIO))
        with pytest.raises(OSError, match="Input/output"):
            refused.replace(FILE, b"newer")
        assert refused.files()[FILE] in {b"old", b"new"}
        again = one.fork(Fault(1))
        with pytest.raises(PowerCut):
            again.replace(FILE, b"newer")
        assert left(again) <= {b"old", b"new"}


def test_replacing_without_a_sync_would_be_found_out() -> None:
    class Careless(CutDisk):
        def sync(self, path: Path) -> None:
            pass

    disk = Careless(ROOT)
    disk.replace(FILE, b"new")

    assert {None, b"", b"\0\0\0"} < left(disk)


def test_replacing_that_is_refused_leaves_the_old_and_no_half() -> None:
    for number, name in enumerate(["remove", "write", "sync", "rename"]):
        disk = disk_with(b"old").fork(Fault(number, errno.ENOSPC))
        with pytest.raises(OSError, match="No space"):
            disk.replace(FILE, b"new")
        assert disk.files() == {FILE: b"old"}, name


def test_an_error_lasts_for_the_operations_that_it_is_said_to() -> None:
    disk = disk_with(b"old").fork(Fault(0, errno.ENOSPC, CHANGES - {"remove"}))
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            disk.write(ROOT / ("b" + HALF), b"new")

    disk.remove(ROOT / ("b" + HALF))
    assert disk.files() == {FILE: b"old"}


def test_a_full_disk_takes_what_fits_and_says_that_it_is_full() -> None:
    disk = CutDisk(ROOT, room_bytes=5)
    disk.write(FILE, b"abc")
    with pytest.raises(OSError, match="No space"):
        disk.append(FILE, b"def")

    assert disk.files() == {FILE: b"abcde"}
    disk.write(FILE, b"xyz")
    assert disk.free(ROOT) == 2

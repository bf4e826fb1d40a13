from __future__ import annotations

import errno

import pytest

from drivers.camera.faults import at_opening, hung, while_streaming
from drivers.errors import Absent, DriverError, Lost
from drivers.types import SourceId

DUCT = SourceId("duct-left")


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (
            errno.ENOENT,
            Absent,
            "no camera at /dev/cam. Check its cable and the hub's supply, then ls -l /dev/v4l/by-id",
        ),
        (errno.ENODEV, Absent, "no camera at /dev/cam."),
        (errno.EBUSY, Absent, "another program, or another camera of this configuration, has /dev/cam. Find it: fuser"),
        (errno.EACCES, Absent, "no permission for /dev/cam. Add the user to the group `video`"),
        (errno.ENOTTY, Absent, "/dev/cam does not capture pictures. See what there is: ductwatch check"),
        (errno.EIO, Lost, "Input/output error (/dev/cam). Check its cable"),
    ],
)
def test_why_a_camera_does_not_open(number: int, kind: type[DriverError], said: str) -> None:
    fault = at_opening(DUCT, "/dev/cam", OSError(number, "as the system says"))

    assert type(fault) is kind
    assert str(fault).startswith(f"duct-left: {said}")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENODEV, "unplugged. Check its cable"),
        (errno.ENOSPC, "the USB bus has no room for another camera. Use MJPG, a smaller size"),
        (errno.EPROTO, "Protocol error (/dev/cam). Check its cable"),
    ],
)
def test_why_a_camera_stops(number: int, said: str) -> None:
    fault = while_streaming(DUCT, "/dev/cam", OSError(number, "as the system says"))

    assert type(fault) is Lost
    assert str(fault).startswith(f"duct-left: {said}")


def test_a_call_that_hangs_is_a_lost_camera() -> None:
    assert str(hung(DUCT, 6.0)).startswith("duct-left: hangs in the kernel, no answer within 6 s. Unplug it")

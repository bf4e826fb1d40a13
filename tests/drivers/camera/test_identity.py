from __future__ import annotations

from pathlib import Path

import pytest

from drivers.camera.identity import NotThere, System, Wanted, bus_of, discover, find

pytestmark = pytest.mark.real

PI4 = "/sys/devices/platform/scb/fd500000.pcie/pci0000:00/0000:00:00.0/0000:01:00.0"
USB = "devices/pci0000:00/0000:00:14.0/usb1"


def plug(
    root: Path, node: str, port: str, *, serial: str | None = None, name: str = "HD Camera", index: str = "0"
) -> System:
    """Lay down what kernel and udev show of a USB camera in `port`, such as `1-1.3`."""
    system = System(sys=root / "sys", dev=root / "dev")
    usb_device = system.sys / USB / port
    place = usb_device / f"{port}:1.0/video4linux" / node
    place.mkdir(parents=True)
    (place / "name").write_text(f"{name}\n")
    (place / "index").write_text(f"{index}\n")
    for attribute, value in (("serial", serial), ("idVendor", "046d"), ("idProduct", "0825")):
        if value is not None:
            (usb_device / attribute).write_text(f"{value}\n")
    entries = system.sys / "class/video4linux"
    entries.mkdir(parents=True, exist_ok=True)
    (entries / node).symlink_to(place)
    system.dev.mkdir(exist_ok=True)
    (system.dev / node).touch()
    if index == "0":
        _link(system.dev / f"v4l/by-id/usb-{name.replace(' ', '_')}_{serial}-video-index0", node)
        _link(system.dev / f"v4l/by-path/pci-0000:00:14.0-usb-0:{port[2:]}:1.0-video-index0", node)
    return system


def _link(link: Path, node: str) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)  # udev: the last one of twins has the link
    link.symlink_to(Path("../..") / node)


@pytest.mark.parametrize("number", [0, 2, 17])
def test_a_bare_number_is_refused_with_the_remedy(number: int) -> None:
    with pytest.raises(ValueError, match=r"may be another camera after the next start.*ls -l /dev/v4l/by-id"):
        Wanted(path=Path(f"/dev/video{number}"))


@pytest.mark.parametrize(
    "keys", [{}, {"serial": "A1", "bus": "usb-1"}, {"path": Path("/dev/v4l/by-id/a"), "serial": "A1"}]
)
def test_a_camera_is_named_in_exactly_one_way(keys: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="one of `path`, `serial`, `bus`"):
        Wanted(**keys)  # type: ignore[arg-type]  # what a configuration may hold


def test_a_camera_is_found_by_its_serial_whatever_number_it_has(tmp_path: Path) -> None:
    plug(tmp_path, "video0", "1-1", serial="LEFT")
    system = plug(tmp_path, "video12", "1-1.3", serial="RIGHT")

    assert find(Wanted(serial="RIGHT"), system) == system.dev / "video12"


def test_a_camera_is_found_by_the_port_it_is_plugged_into(tmp_path: Path) -> None:
    plug(tmp_path, "video0", "1-1")
    system = plug(tmp_path, "video2", "1-1.3")

    assert find(Wanted(bus="usb-0000:00:14.0-1.3"), system) == system.dev / "video2"


def test_a_camera_is_found_by_its_link(tmp_path: Path) -> None:
    system = plug(tmp_path, "video4", "1-2", serial="A1")

    assert find(Wanted(path=system.dev / "v4l/by-id/usb-HD_Camera_A1-video-index0"), system) == system.dev / "video4"


def test_an_unplugged_camera_is_not_there_and_the_others_are_named(tmp_path: Path) -> None:
    system = plug(tmp_path, "video0", "1-1", serial="LEFT")

    with pytest.raises(NotThere, match=r"no camera with serial RIGHT. There is HD Camera at .*LEFT-video-index0"):
        find(Wanted(serial="RIGHT"), system)


def test_of_two_cameras_with_one_serial_none_is_taken_for_the_other(tmp_path: Path) -> None:
    plug(tmp_path, "video0", "1-1", serial="SN0001")
    system = plug(tmp_path, "video2", "1-2", serial="SN0001")

    with pytest.raises(NotThere, match="2 cameras have serial SN0001: use `bus` or a link in /dev/v4l/by-path"):
        find(Wanted(serial="SN0001"), system)


def test_twins_are_shown_by_path_because_they_share_their_link_by_id(tmp_path: Path) -> None:
    plug(tmp_path, "video0", "1-1", serial="SN0001")
    system = plug(tmp_path, "video2", "1-2", serial="SN0001")

    stable = [found.stable for found in discover(system)]

    by_path = system.dev / "v4l/by-path"
    assert stable == [by_path / f"pci-0000:00:14.0-usb-0:{port}:1.0-video-index0" for port in (1, 2)]


def test_the_node_that_carries_metadata_is_no_camera(tmp_path: Path) -> None:
    plug(tmp_path, "video0", "1-1", serial="A1")
    system = plug(tmp_path, "video1", "1-9", index="1")

    shown = [str(found) for found in discover(system)]

    link = system.dev / "v4l/by-id/usb-HD_Camera_A1-video-index0"
    assert shown == [f"HD Camera at {link} (bus usb-0000:00:14.0-1, serial A1)"]


def test_a_machine_without_video_has_no_cameras(tmp_path: Path) -> None:
    assert discover(System(sys=tmp_path, dev=tmp_path)) == []


@pytest.mark.parametrize(
    ("place", "bus"),
    [
        ("/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/video4linux/video0", "usb-0000:00:14.0-1"),
        ("/sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.4/1-1.4:1.0/video4linux/video3", "usb-0000:00:14.0-1.4"),
        (f"{PI4}/usb2/2-2/2-2:1.0/video4linux/video0", "usb-0000:01:00.0-2"),
        ("/sys/devices/platform/soc/fe801000.csi/video4linux/video0", "platform:fe801000.csi"),
    ],
    ids=["root port", "behind a hub", "Raspberry Pi 4", "not on USB"],
)
def test_bus_is_spelled_as_v4l2_does(place: str, bus: str) -> None:
    assert bus_of(Path(place)) == bus

"""A bench of real hardware has a broker and a web server where its board looks for them, and works its switches."""

from __future__ import annotations

import asyncio
import urllib.request
from pathlib import Path

import aiomqtt
import pytest

from hil.card import PRESET, sensors_in
from hil.physical import PhysicalBench
from tests.mosquitto import free_port

pytestmark = pytest.mark.real

GAS_AND_DUST = """
[uplink]
port = $broker_port
[[sensor]]
name = "gas"
[[sensor]]
name = "dust"
"""
LIMIT_S = 30.0


class Switch:
    """What labgrid's power drivers have in common."""

    def __init__(self) -> None:
        self.is_on = True

    def on(self) -> None:
        self.is_on = True

    def off(self) -> None:
        self.is_on = False


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    file = tmp_path / "bench.toml"
    file.write_text(GAS_AND_DUST)
    return file


def publish(port: int, payload: bytes) -> None:
    async def sent() -> None:
        async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.publish("ductwatch/rig/availability", payload, qos=1)

    asyncio.run(sent())


def test_its_broker_is_where_the_preset_says_and_again_after_it_was_killed(tmp_path: Path, preset: Path) -> None:
    port = free_port()
    with PhysicalBench(tmp_path, "127.0.0.1", port, preset, {}) as bench:
        publish(port, b"before")
        bench.messages.until(lambda message: message.payload == b"before", since=0, limit_s=LIMIT_S)
        bench.broker.kill()
        with pytest.raises(aiomqtt.MqttError):
            publish(port, b"meanwhile")
        bench.restore()
        publish(port, b"after")
        bench.messages.until(lambda message: message.payload == b"after", since=0, limit_s=LIMIT_S)
        assert [message.payload for message in bench.messages.since(0)] == [b"before", b"after"]


def test_a_camera_that_was_unplugged_is_plugged_in_again(tmp_path: Path, preset: Path) -> None:
    switch = Switch()
    with PhysicalBench(tmp_path, "127.0.0.1", free_port(), preset, {"upstream": switch}) as bench:
        bench.cameras["upstream"].unplug()
        assert not switch.is_on
        bench.restore()
        assert switch.is_on


def test_its_web_server_has_what_is_put_into_its_folder(tmp_path: Path, preset: Path) -> None:
    with PhysicalBench(tmp_path, "127.0.0.1", free_port(), preset, {}) as bench:
        (bench.files.folder / "bundle").write_bytes(b"a bundle")
        with urllib.request.urlopen(f"http://{bench.host}:{bench.files.port}/bundle", timeout=LIMIT_S) as answer:
            assert answer.read() == b"a bundle"


def test_its_sensors_are_those_of_its_boards_preset(preset: Path) -> None:
    assert sensors_in(preset) == ("gas", "dust")
    assert sensors_in(PRESET) == ("duct-gas", "duct-pm", "duct-pm-i2c")

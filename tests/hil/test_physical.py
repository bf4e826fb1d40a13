"""A bench of real hardware has a broker and a web server where its board looks for them, and works its switches."""

from __future__ import annotations

import ast
import asyncio
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import aiomqtt
import pytest

from hil.card import PRESET, sensors_in
from hil.features import MARK, words
from hil.physical import PhysicalBench
from tests.hil.test_features import HIL, features_of
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


def test_it_has_what_tests_use_whose_features_its_environment_promises(tmp_path: Path, preset: Path) -> None:
    promised = features_of(HIL / "bench.example.yaml", promised=True)
    ready = functions(HIL / "ready.py")
    used: dict[str, set[str]] = {}
    for file in sorted(HIL.glob("test_*.py")):
        own = functions(file)
        for name, function in own.items():
            if name.startswith("test_") and needs(file, function) <= promised:
                used[f"{file.name}::{name}"] = set(uses(function, ready | own))

    with PhysicalBench(tmp_path, "127.0.0.1", free_port(), preset, {}) as bench:
        assert {test: lacking for test, names in used.items() if (lacking := names - set(dir(bench)))} == {}
    assert any("files" in names for names in used.values())
    assert any("sensors" in names for names in used.values())


def functions(file: Path) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)}


def needs(file: Path, test: ast.FunctionDef) -> set[str]:
    """Features, from the marks of a test and of its module."""
    named = {
        node.targets[0].id: node.value
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    marks = [named.get(mark.id, mark) if isinstance(mark, ast.Name) else mark for mark in test.decorator_list]
    marks += [named["pytestmark"]] if "pytestmark" in named else []
    return {
        feature
        for mark in marks
        if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute) and mark.func.attr == MARK
        for feature in words(ast.literal_eval(mark.args[0]))
    }


def uses(function: ast.FunctionDef, known: Mapping[str, ast.FunctionDef]) -> Iterator[str]:
    """Names of the bench that a function uses, and those that its fixtures and what it calls of `ready` do."""
    others = {argument.arg for argument in function.args.args}
    others |= {"reach"} & known.keys() if "ready" in others else set()
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute):
            if ast.unparse(node.value).split(".")[-1] == "bench":
                yield node.attr
            elif ast.unparse(node.value) in {"ready", "bare", "self"}:
                others.add(node.attr)
    rest = {name: it for name, it in known.items() if name not in {function.name, *others}}
    for name in others & known.keys() - {function.name}:
        yield from uses(known[name], rest)

"""`python -m bench.footprint`: loads one library after another, and prints what is resident after each.

Nothing but the interpreter is imported at the top of this file: it would count for whatever comes first.
"""

import os
import sys

BYTES_PER_MB = 1_000_000


def resident() -> float:
    with open("/proc/self/statm") as file:  # noqa: PTH123  # pathlib is not free of charge
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / BYTES_PER_MB


def load_model(bundle: str | None) -> object:
    from pathlib import Path

    from model.shipped import shipped_bundle
    from ota.bundle import open_bundle

    return open_bundle(Path(bundle) if bundle else shipped_bundle()).files["model.tflite"]


def main() -> None:
    steps = [("bare Python", resident())]

    def note(name: str) -> None:
        steps.append((name, resident()))

    import asyncio  # noqa: F401

    note("asyncio")
    import numpy  # noqa: F401

    note("numpy")
    import simplejpeg  # noqa: F401

    note("simplejpeg")
    import msgspec

    note("msgspec")
    import structlog  # noqa: F401

    note("structlog")
    import sqlite3  # noqa: F401

    note("sqlite3")
    from ai_edge_litert.interpreter import Interpreter

    note("LiteRT")
    model = load_model(sys.argv[1] if len(sys.argv) > 1 else None)
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.invoke()
    note("the network, loaded and run")
    import aiomqtt  # noqa: F401

    note("aiomqtt")
    import serial  # noqa: F401

    note("pyserial")
    import linuxpy.video.device

    note("linuxpy")
    import gpiozero  # noqa: F401
    import linuxpy.gpio.device  # noqa: F401

    note("gpiozero")
    import firmware.run  # noqa: F401

    note("the firmware's own modules")
    sys.stdout.buffer.write(msgspec.json.encode([{"name": name, "resident": value} for name, value in steps]))


if __name__ == "__main__":
    main()

"""One target until its time is over: `python -m tests.fuzz.one NAME SECONDS FOLDER`. libFuzzer ends the process."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import atheris

INSTRUMENTED = ["firmware", "drivers", "ota", "tomllib"]
LIMIT_S = 60  # for one input: a machine with other work is ten times slower than one without
MOST_MIB = 2_048


def main(name: str, seconds: str, folder: str) -> None:
    with atheris.instrument_imports(include=INSTRUMENTED):
        target = importlib.import_module(f"tests.fuzz.{name}")
    corpus = Path(folder) / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    words = Path(folder) / "words.dict"
    words.write_text("# libFuzzer takes no empty file\n" + "".join(f'"{_escaped(word)}"\n' for word in target.WORDS))
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={LIMIT_S}",
        f"-rss_limit_mb={MOST_MIB}",
        f"-max_len={target.MAX_BYTES}",
        f"-dict={words}",
        f"-artifact_prefix={folder}/",
        "-print_final_stats=1",
        "-use_value_profile=1",
    ]
    atheris.Setup([name, *options, str(corpus)], target.check)
    atheris.Fuzz()


def _escaped(word: str) -> str:
    """As libFuzzer reads a dictionary: what is not plain is written in hexadecimal."""
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}" for byte in word.encode())
    return "".join(plain)


if __name__ == "__main__":
    main(*sys.argv[1:])

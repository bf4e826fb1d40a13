from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FAIL = """
import logging
from firmware import logs
logs.set_up()
try:
    password = "s3cret"
    raise OSError(9, "Bad file descriptor")
except OSError as error:
    {say}
"""


@pytest.mark.real
@pytest.mark.parametrize(
    "say",
    [
        'logging.getLogger("asyncio").error("a callback failed", exc_info=error)',
        'logs.fail("a callback failed", exc_info=error)',
    ],
    ids=["a library's", "our own"],
)
def test_a_logged_exception_can_be_read_and_holds_no_values(say: str) -> None:
    done = subprocess.run([sys.executable, "-c", FAIL.format(say=say)], capture_output=True, text=True, check=True)

    said = json.loads(done.stderr)
    (exception,) = said["exception"]
    assert (said["event"], exception["exc_value"]) == ("a callback failed", "[Errno 9] Bad file descriptor")
    assert "s3cret" not in done.stderr


@pytest.mark.real
def test_a_full_disk_silences_the_log_and_nothing_else() -> None:
    watching = "from firmware import logs; logs.set_up(); logs.fail('camera lost'); print('still watching')"
    with Path("/dev/full").open("wb") as full:  # each write fails with ENOSPC: full(4)
        done = subprocess.run([sys.executable, "-c", watching], stdout=subprocess.PIPE, stderr=full, check=True)

    assert done.stdout == b"still watching\n"

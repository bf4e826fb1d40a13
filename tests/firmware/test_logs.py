from __future__ import annotations

import json
import subprocess
import sys

import pytest

FAIL = """
import logging
import sys
from firmware import logs
logs.set_up(lambda line: print(line, file=sys.stderr))
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

"""What failed in the suite's last run, to run it again: by the junit file that the run left."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path


class NothingFailed(Exception):
    """There is no last run, or it was cut short, or nothing failed in it."""


def failed_tests(junit: Path, suite: Path) -> list[str]:
    """Their names, as pytest takes them. Raises `NothingFailed`."""
    try:
        cases = ElementTree.parse(junit).iter("testcase")
    except (OSError, ElementTree.ParseError) as error:
        raise NothingFailed(f"{junit}: {error}: run the suite first, whole") from error
    found = [
        f"{suite / case.attrib['classname'].replace('.', '/')}.py::{case.attrib['name']}"
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    ]
    if not found:
        raise NothingFailed(f"{junit}: nothing failed")
    return list(dict.fromkeys(found))  # a test that failed may have ended badly, too

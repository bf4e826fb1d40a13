from __future__ import annotations

import pytest

from drivers.errors import Absent, DriverError, Lost
from drivers.faults import Fault, reported_as
from drivers.types import SourceId


@pytest.mark.parametrize("kind", [Absent, Lost])
def test_a_fault_becomes_the_error_that_its_place_asks_for_with_problem_and_remedy(kind: type[DriverError]) -> None:
    with (
        pytest.raises(kind, match=r"^duct-gas: no answer\. Check the cable\.$"),
        reported_as(kind, SourceId("duct-gas")),
    ):
        raise Fault("no answer", "Check the cable.")

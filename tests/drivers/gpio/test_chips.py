from __future__ import annotations

from drivers.faults import Fault
from drivers.gpio.lines import open_chip
from tests.drivers.gpio.test_lines import needs_lgpio


@needs_lgpio
def test_a_line_is_found_by_number_and_by_the_kernels_name_if_it_is_the_only_one_with_it() -> None:
    try:
        open_chip("none")  # imports lgpio where it leaves nothing behind
    except Fault:
        from drivers.gpio.chips import chip_info
    board = chip_info("gpiochip0 pinctrl-test", ["ID_SDA", "-", "-", "FAN"])

    found = {name: [pin.name for _, pin in board.find_pin(name)] for name in (0, 3, "GPIO2", "FAN", "-", 4, "RELAY")}
    assert found == {0: ["GPIO0"], 3: ["GPIO3"], "GPIO2": ["GPIO2"], "FAN": ["GPIO3"], "-": [], 4: [], "RELAY": []}
    assert board.model == "gpiochip0 pinctrl-test"

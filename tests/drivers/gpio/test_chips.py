from __future__ import annotations

from drivers.gpio.chips import chip_info, output


def test_a_line_is_found_by_number_and_by_the_kernels_name_if_it_is_the_only_one_with_it() -> None:
    board = chip_info("gpiochip0 pinctrl-test", ["ID_SDA", "-", "-", "FAN"])

    found = {name: [pin.name for _, pin in board.find_pin(name)] for name in (0, 3, "GPIO2", "FAN", "-", 4, "RELAY")}
    assert found == {0: ["GPIO0"], 3: ["GPIO3"], "GPIO2": ["GPIO2"], "FAN": ["GPIO3"], "-": [], 4: [], "RELAY": []}
    assert board.model == "gpiochip0 pinctrl-test"


def test_an_output_begins_with_its_level() -> None:
    """Flags OUTPUT; one attribute, OUTPUT_VALUES, for the first line (struct gpio_v2_line_config in <linux/gpio.h>)."""
    for high in (False, True):
        config = output(high)
        attribute = config.attrs[0]
        assert (config.flags, config.num_attrs, attribute.mask) == (1 << 3, 1, 1)
        assert (attribute.attr.id, attribute.attr.values) == (2, int(high))

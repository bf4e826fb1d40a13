"""`ductwatch rules check`: is a file of alarm rules sound?"""

from __future__ import annotations

from argparse import Namespace

from firmware.plan import DEFAULT_RULES, load_rules


def main(arguments: Namespace) -> int:
    """List the rules of a file. Raises `ConfigError`, with file and line, for one that is not sound."""
    path = arguments.file or DEFAULT_RULES
    rules = load_rules(path)
    for rule in rules:
        print(f"{rule.name:<28} {rule.severity.value:<9} {rule.condition}")
    print(f"{path}: {len(rules)} rules, all sound")
    return 0

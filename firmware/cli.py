"""The command line: what can be asked for, and with which options."""

from __future__ import annotations

import argparse
from pathlib import Path

from drivers.settings import Duration
from drivers.simulated.faults import FORM, explain, parse_fault
from firmware import __version__
from firmware.cli_model import add_model
from firmware.cli_ota import add_ota
from firmware.cli_values import broker

EXIT_CODES = """exit status:
  0   all is well
  1   something that was asked about is not: a device is missing, a file cannot be judged
  2   the command line or the configuration is wrong
  70  the firmware ended by a fault of its own (EX_SOFTWARE, sysexits.h)
"""


HIL = "The board image in QEMU, on real kernel drivers, with all hardware around it played by programs."


def parser() -> argparse.ArgumentParser:
    """All commands with their options and their help."""
    root = argparse.ArgumentParser(
        prog="ductwatch",
        description="Watches an air duct: two cameras, gas, particulates, local alarms, MQTT.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--version", action="version", version=f"ductwatch {__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _run(commands)
    _check(commands)
    _detect(commands)
    _alarms(commands)
    _cleaning(commands)
    _rules(commands)
    _preset(commands)
    add_model(commands)
    add_ota(commands)
    _hil(commands)
    return root


def _run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    run = commands.add_parser(
        "run",
        help="run the firmware: on the board that a configuration describes, or on a simulated board",
        description="Run the firmware. Without --config it runs on a simulated board whose duct gets dirty while "
        "you watch; nothing is needed for that, and nothing is kept.",
        epilog=f"faults for --fault, as {FORM}:\n{_indented(explain())}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _config(run)
    run.add_argument(
        "--for",
        dest="run_for",
        type=_seconds,
        metavar="SECONDS",
        help="stop by itself after this long, in the duct's time",
    )
    run.add_argument(
        "--events",
        choices=["-"],
        metavar="-",
        help="write every event to stdout as one JSON object a line (docs/events.md)",
    )
    run.add_argument("--quiet", action="store_true", help="no view on stdout; the log stays on stderr")
    run.add_argument("--verbose", action="store_true", help="log more")
    run.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="keep alarms, outbox and pictures here instead of where the configuration says",
    )
    run.add_argument(
        "--broker", type=broker, metavar="HOST[:PORT]", help="send to this MQTT broker, instead of the configured one"
    )
    run.add_argument(
        "--aim",
        type=_rate,
        metavar="RATE",
        help="instead of snapshots: light on, and this many frames a second, for aiming the cameras",
    )
    simulated = run.add_argument_group("on a simulated board")
    simulated.add_argument(
        "--seed", type=int, default=1, metavar="N", help="one seed gives the same duct and the same run (default 1)"
    )
    simulated.add_argument(
        "--time-factor",
        type=_factor,
        default=1.0,
        metavar="X",
        help="let the duct's time go X times as fast, 0.1 to 1000",
    )
    simulated.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="FAULT",
        help="make something go wrong; may be repeated; see below",
    )


def _check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser(
        "check",
        help="check the configuration and probe each device",
        description="Check the configuration, then look for each device: found, what it is, one sample, or what to do. "
        "Nothing is switched. Without --config the simulated board is checked.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _config(check)
    check.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def _detect(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    detect = commands.add_parser(
        "detect",
        help="say of image files whether the duct is clean",
        description="Judge JPEG files with the model that the board runs: CLEAN, DIRTY or CANNOT_TELL with reasons, "
        "score (0 clean to 1 dirty), and milliseconds of decoding (with the image checks), of the model, and in total.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    detect.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="a JPEG file")
    detect.add_argument("--json", action="store_true", help="one JSON object a line instead of a table")
    detect.add_argument("--model", type=Path, metavar="BUNDLE", help="another model bundle than the one that ships")


def _alarms(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    alarms = commands.add_parser(
        "alarms",
        help="look at the alarms of the running firmware, and act on them",
        description="The alarms of the firmware that runs on this board. Without an action: list. Who may use the data "
        "directory's socket may do this: its user and group.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _door(alarms)
    actions = alarms.add_subparsers(dest="action", metavar="ACTION")
    _door(actions.add_parser("list", help="alarms that stand, and those that nobody is told of (the default)"))
    history = actions.add_parser("history", help="which alarm moved when, why, by whom and with which value")
    history.add_argument("--limit", type=_count, default=50, metavar="N", help="the last N moves (default %(default)s)")
    _door(history)
    ack = actions.add_parser("ack", help="somebody has seen this alarm")
    ack.add_argument("alarm", metavar="RULE/SOURCE")
    reset = actions.add_parser("reset", help="it is mended: this alarm, or all that latch")
    reset.add_argument("alarm", nargs="?", metavar="RULE/SOURCE")
    shelve = actions.add_parser("shelve", help="tell nobody of this alarm for a while, at most 7d")
    shelve.add_argument("alarm", metavar="RULE/SOURCE")
    shelve.add_argument("--for", required=True, metavar="DURATION", help="such as 2h")
    out = actions.add_parser("out-of-service", help="tell nobody of this alarm until it is returned to service")
    out.add_argument("alarm", metavar="RULE/SOURCE")
    for action in (shelve, out):
        action.add_argument("--reason", required=True, metavar="WORDS", help="kept in the journal")
    unshelve = actions.add_parser("unshelve", help="tell of it again")
    back = actions.add_parser("in-service", help="tell of it again")
    for action in (unshelve, back):
        action.add_argument("alarm", metavar="RULE/SOURCE")
        action.add_argument("--reason", metavar="WORDS", help="kept in the journal")
    for action in (ack, reset, shelve, unshelve, out, back):
        action.add_argument("--by", metavar="NAME", help="who does it (default: the user of this shell)")
        _door(action)


def _cleaning(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    cleaning = commands.add_parser(
        "cleaning",
        help="clean the duct: from a picture before to a report that can be signed",
        description="A cleaning of the duct. While it lasts, alarms that it makes meaningless are quiet; when it is "
        "finished, the cameras look whether the duct is clean, and a report is written. Without an action: status.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _door(cleaning, page="docs/cleaning.md")
    actions = cleaning.add_subparsers(dest="action", metavar="ACTION")
    start = actions.add_parser("start", help="it begins: the pictures from before are taken at once")
    finish = actions.add_parser("finish", help="the duct is clean: let the cameras see, and write the report")
    cancel = actions.add_parser("cancel", help="it was no cleaning: all is as it was, and there is no report")
    for action in (start, finish, cancel):
        signs = action is not cancel
        action.add_argument("--by", required=signs, metavar="NAME", help="who does it, as the report is to name them")
        action.add_argument("--reason", metavar="WORDS", help="a remark for the report")
    report = actions.add_parser("report", help="where the last report is")
    report.add_argument("--list", action="store_true", help="all reports that are kept, oldest first")
    for action in (start, finish, cancel, report, actions.add_parser("status", help="how far it is (the default)")):
        _door(action, page="docs/cleaning.md")


def _door(command: argparse.ArgumentParser, *, page: str = "docs/alarms.md") -> None:
    """Where the firmware is, and how to answer; also after the action, where people write it."""
    command.add_argument(
        "--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="the board's configuration"
    )
    command.add_argument(
        "--data",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="its data directory (default: that of --config, or /var/lib/ductwatch)",
    )
    command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=f"JSON ({page})")


def _rules(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    rules = commands.add_parser(
        "rules", help="check and test alarm rules", description="Work with files of alarm rules."
    )
    actions = rules.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser(
        "check", help="check a rules file", description="Check a file of alarm rules: unknown keys, signals, units."
    )
    check.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: the rules that ship")
    test = actions.add_parser(
        "test",
        help="do the alarms come and go as they must?",
        description="Run files of tests: what is measured when, and how the alarms must stand then. Time is "
        "compressed, nothing else runs. docs/rules.md explains the form. The exit status is 1 if a test fails.",
    )
    test.add_argument("files", nargs="*", type=Path, metavar="FILE", help="default: the tests of the rules that ship")
    test.add_argument("--rules", type=Path, metavar="FILE", help="the rules to test, instead of those that FILE names")
    test.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    replay = actions.add_parser(
        "replay",
        help="what would these rules have done with what was recorded?",
        description="Let rules judge what a board recorded: which alarms would have come how often, and how long they "
        "would have stood. Nobody acknowledges or resets anything; alarms of the recording itself are not looked at.",
    )
    replay.add_argument("file", nargs="?", type=Path, metavar="FILE", help="rules; default: those that ship")
    replay.add_argument(
        "--events",
        type=Path,
        required=True,
        metavar="FILE",
        help="what `ductwatch run --events -` wrote, one event a line; - for stdin",
    )
    replay.add_argument("--report", type=Path, metavar="DIR", help="write a page with the timeline as a picture")
    replay.add_argument("--json", action="store_true", help="one JSON object with every move")


def _preset(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    preset = commands.add_parser(
        "preset",
        help="preset a board image: name, time, network, keys, files",
        description="Write the system files that [system] of a configuration asks for (docs/board-image.md). "
        "Without that file nothing is written; with a wrong [system], neither.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    preset.add_argument("--config", type=Path, required=True, metavar="FILE", help="the board's configuration")
    preset.add_argument(
        "--root",
        type=Path,
        default=Path("/"),
        metavar="DIR",
        help="write below this directory, to look at; groups and the running machine's name stay as they are",
    )
    preset.add_argument("--json", action="store_true", help="one JSON object instead of a list of files")


def _hil(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    hil = commands.add_parser("hil", help="the virtual bench, in a checkout of the repository", description=HIL)
    actions = hil.add_subparsers(dest="action", required=True, metavar="ACTION")
    play = actions.add_parser(
        "play",
        help="start a board in an emulator, and play its hardware on a web page",
        description=f"{HIL} The page shows what the cameras look at, the board's lines, verdicts, readings, alarms and "
        "journal. On it you show a clean or dirty duct, set the air, pull plugs, choose faults, cut the power. It is "
        "for this machine only. Without KVM the start takes a minute or more. Ctrl-C stops everything.",
        epilog="`make play` installs what the rig needs, and starts this.",
    )
    play.add_argument(
        "--port", type=_port, default=8400, metavar="N", help="of the page; 0 takes a free one (default %(default)s)"
    )
    play.add_argument("--photos", type=Path, metavar="DIR", help="JPEG and PNG files that the cameras can look at, too")


def _config(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="the board's configuration (see config.example.toml)"
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = Duration.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r}: write seconds, or a duration such as 5min") from error
    if not 0 < seconds < 10**9:
        raise argparse.ArgumentTypeError(f"{text!r}: must be above 0")
    return seconds


def _factor(text: str) -> float:
    return _within(text, 0.1, 1000, "a factor from 0.1 to 1000")


def _rate(text: str) -> float:
    return _within(text, 0.1, 60, "frames a second from 0.1 to 60")


def _within(text: str, least: float, most: float, form: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r}: write {form}")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r}: write a number from 1 to 10000")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r}: write a port from 0 to 65535")
    return int(text)


def _fault(text: str) -> object:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())

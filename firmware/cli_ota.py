"""The command line of `ductwatch ota`: publishing models to boards, and rolling them out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from firmware.cli_rollout import add_jobs_server, add_rollout
from firmware.cli_update import add_technician
from ota.offer import MAX_COUNTER

REPOSITORY = Path("updates")
"""The one that commands are about, if they name no other one."""
CHANNEL_NAMES = "stable, canary or lab"
EXIT_CODES = """exit status:
  0  done
  1  not done, or not enough: you said no, signatures are missing, a change is not finished yet; of `show`: a role has
     expired or does so within 30 days (snapshot and timestamp: has expired), or a file is missing or damaged
  2  it cannot be done so; the message says what to do. Nothing was changed
"""
KEYS = """KEY is a private key file, a public one (then its keeper signs elsewhere), or a key of a security module or a
cloud: hsm:[ID][?label=TOKEN], awskms:ID, gcpkms:NAME, azurekms://VAULT.vault.azure.net/keys/NAME. Passphrases are
asked for at a terminal; else they come from --passphrase-file, or from DUCTWATCH_OTA_PASSPHRASE and
DUCTWATCH_OTA_ONLINE_PASSPHRASE. Of hsm:, ID is the key's CKA_ID as a decimal number (default: 2), PYKCS11LIB in the
environment names the module's library, and its PIN is asked for, or comes from --pin-file."""

Actions: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_ota(commands: Actions) -> None:
    """`ota` with its actions."""
    ota = commands.add_parser(
        "ota",
        help="publish models for boards to update from, and roll them out",
        description="Publish signed models: a folder of files for any web server, S3 or a USB stick. What changes "
        "something shows first what it will do, and asks. docs/ota.md explains keys, ceremonies and what to do when "
        "something is lost. docs/ota-rollout.md is about fleets.",
    )
    actions = ota.add_subparsers(dest="action", required=True, metavar="ACTION")
    for add in ADDED:
        add(actions)


def _init(actions: Actions) -> None:
    init = _action(actions, "init", "make a repository, and the keys that it lacks")
    init.add_argument("repository", type=Path, metavar="DIR", help="the new folder, to be put on a server as it is")
    init.add_argument(
        "--keys", type=Path, metavar="DIR", help="where new keys are written (default: DIR.keys, beside it)"
    )
    init.add_argument(
        "--signers",
        type=_quorum,
        action="append",
        default=[],
        metavar="ROLE=M/N",
        help="so many of so many keys must sign (default: root=2/3, targets=2/3, each other one 1/1); may be repeated",
    )
    init.add_argument(
        "--key",
        dest="role_keys",
        type=_role_key,
        action="append",
        default=[],
        metavar="ROLE=KEY",
        help="a key that is there already; may be repeated",
    )
    _secrets(init)
    init.add_argument(
        "--online-passphrase-file",
        type=Path,
        metavar="FILE",
        help="another passphrase for new keys of snapshot and timestamp, which a machine signs with by itself",
    )
    _ceremony(init)
    _answers(init)


def _key(actions: Actions) -> None:
    key = _action(actions, "key", "make a key of your own: FILE, and FILE.pub for whoever publishes")
    key.add_argument("file", type=Path, metavar="FILE", help="of the new private key, such as ann.pem")
    _passphrases(key)
    key.add_argument("--json", action="store_true", help="one JSON object")


def _publish(actions: Actions) -> None:
    publish = _action(actions, "publish", "offer a bundle in a channel")
    publish.add_argument("bundle", type=Path, metavar="BUNDLE", help="a model bundle: a folder or a tar")
    publish.add_argument("--channel", required=True, metavar="CHANNEL", help=CHANNEL_NAMES)
    counters = publish.add_mutually_exclusive_group()
    counters.add_argument(
        "--again",
        action="store_true",
        help="the same model under the next free release counter: so boards go back to older bytes",
    )
    counters.add_argument(
        "--release-counter",
        type=_counter,
        metavar="N",
        help="the same model under this counter, above all that any channel offers: for when boards have seen "
        "more than this copy of the repository has",
    )
    publish.add_argument(
        "--base",
        dest="bases",
        type=Path,
        action="append",
        default=[],
        metavar="BUNDLE",
        help="boards may have this one, such as the one from the factory: make a delta from it, too; may be repeated",
    )
    _changes(publish)


def _promote(actions: Actions) -> None:
    promote = _action(actions, "promote", "offer in one channel what another one offers, byte for byte")
    promote.add_argument("model", metavar="MODEL", help="such as visual-clean")
    promote.add_argument("--from", dest="source", required=True, metavar="CHANNEL", help=CHANNEL_NAMES)
    promote.add_argument("--to", dest="channel", required=True, metavar="CHANNEL", help=CHANNEL_NAMES)
    _changes(promote)


def _sign(actions: Actions) -> None:
    sign = _action(actions, "sign", "sign what a ceremony's folder proposes, after you have read it")
    sign.add_argument("ceremony", type=Path, metavar="CEREMONY", help="the folder")
    sign.add_argument("--key", dest="keys", required=True, action="append", metavar="KEY", help="yours")
    _secrets(sign)
    _answers(sign)


def _merge(actions: Actions) -> None:
    merge = _action(actions, "merge", "publish what keyholders have signed")
    merge.add_argument("ceremonies", type=Path, nargs="+", metavar="CEREMONY", help="the folder, and copies of it")
    _repository(merge)
    _keys(merge)
    _answers(merge)


def _refresh(actions: Actions) -> None:
    refresh = _action(actions, "refresh", "sign timestamp and, when it is time, snapshot again; for cron")
    refresh.add_argument(
        "--role",
        dest="roles",
        action="append",
        default=[],
        metavar="ROLE",
        help="renew this one, too: root, targets or a channel; may be repeated",
    )
    refresh.add_argument(
        "--for",
        dest="days",
        type=int,
        metavar="DAYS",
        help="the timestamp is good for 1 to 14 days (default: 2): for a stick; docs/ota.md says what that costs",
    )
    _changes(refresh)


def _rotate(actions: Actions) -> None:
    rotate = _action(actions, "rotate-key", "put a new key in the place of another")
    rotate.add_argument("role", metavar="ROLE", help="whose key it is")
    rotate.add_argument("old", metavar="OLD", help="its name, or the begin of its keyid, as `ota show` has it")
    rotate.add_argument("new", metavar="NEW", help="a key, as above")
    _changes(rotate)


def _revoke(actions: Actions) -> None:
    revoke = _action(actions, "revoke", "take away a key, or withdraw a release")
    revoke.add_argument(
        "what", metavar="KEY|MODEL", help="a key's name or the begin of its keyid; with --from, a model"
    )
    what = revoke.add_mutually_exclusive_group(required=True)
    what.add_argument("--role", metavar="ROLE", help="whose key it is")
    what.add_argument("--from", dest="channel", metavar="CHANNEL", help="where the model is withdrawn")
    _changes(revoke)


def _show(actions: Actions) -> None:
    show = _action(
        actions, "show", "what a repository offers, who signs it, when that expires, and whether all is there"
    )
    _repository(show)
    show.add_argument("--json", action="store_true", help="one JSON object")


ADDED: tuple[Callable[[Actions], None], ...] = (
    _init,
    _key,
    _publish,
    _promote,
    _sign,
    _merge,
    _refresh,
    _rotate,
    _revoke,
    _show,
    add_technician,
    add_rollout,
    add_jobs_server,
)


def _action(actions: Actions, name: str, does: str) -> argparse.ArgumentParser:
    return actions.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.\n\n{KEYS}",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _changes(command: argparse.ArgumentParser) -> None:
    _repository(command)
    _keys(command)
    _ceremony(command)
    _answers(command)


def _repository(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--repository",
        type=Path,
        default=REPOSITORY,
        metavar="DIR",
        help="the folder that is published (default: %(default)s)",
    )


def _keys(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--key",
        dest="keys",
        action="append",
        default=[],
        metavar="KEY",
        help="sign with this one, too, beside those that lie where they were made; may be repeated",
    )
    _secrets(command)


def _secrets(command: argparse.ArgumentParser) -> None:
    _passphrases(command)
    command.add_argument(
        "--pin-file", type=Path, metavar="FILE", help="its first line is the PIN of the security module"
    )


def _passphrases(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--passphrase-file",
        dest="passphrase_files",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="its first line is a passphrase; may be repeated",
    )


def _ceremony(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--ceremony",
        type=Path,
        metavar="FOLDER",
        help="publish nothing yet: write into a new FOLDER what keyholders are to sign",
    )


def _answers(command: argparse.ArgumentParser) -> None:
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument("--json", action="store_true", help="one JSON object instead of sentences; needs --yes")


def _counter(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_COUNTER:
        raise argparse.ArgumentTypeError(f"{text!r}: a release counter is a number from 1 to {MAX_COUNTER}")
    return int(text)


def _quorum(text: str) -> tuple[str, int, int]:
    role, _, counts = text.partition("=")
    threshold, _, keys = counts.partition("/")
    if not role or not threshold.isdecimal() or not keys.isdecimal() or not 1 <= int(threshold) <= int(keys) <= 9:
        raise argparse.ArgumentTypeError(
            f"{text!r}: write ROLE=M/N, such as root=2/3: M of at most 9 keys, N, must sign"
        )
    return role, int(threshold), int(keys)


def _role_key(text: str) -> tuple[str, str]:
    role, equals, key = text.partition("=")
    if not equals or not role or not key:
        raise argparse.ArgumentTypeError(f"{text!r}: write ROLE=KEY, such as root=ann.pub")
    return role, key

"""`ductwatch ota`, as the publisher uses it: says what it will do, asks, and only then signs and writes."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from firmware.errors import ConfigError
from firmware.publisher.begin import init, make_key
from firmware.publisher.desk import BUNDLES, DONE, KEYS, NOT_DONE, Desk, MakeDelta
from ota.bundle import Bundle, open_bundle, pack, recounted
from ota.delta.make import make
from ota.errors import OtaError
from ota.publish import ceremony, drafts, keyring, keys, offers, signing, store, words
from ota.publish.errors import AlreadySo, Refused, Unfinished, Unsigned
from ota.publish.files import Folder, problem, remedy
from ota.publish.roles import LIFETIMES, SNAPSHOT, TIMESTAMP
from ota.publish.state import State, channels, targets, titled
from ota.storage import Disk
from ota.types import Release

WRONG = 2
WORTH_A_DELTA = 0.6  # of the whole bundle: above that, putting it together costs boards more than it saves
COPY_BACK = "Copy it back from the repository's server"
MOST_BASES = 4  # beside store.KEPT: boards read no more than 8 deltas of a release


def main(
    arguments: Namespace,
    *,
    now: datetime | None = None,
    disk: Disk | None = None,
    make_delta: MakeDelta = make,
) -> int:
    """All but the arguments are for tests. Raises `ConfigError`."""
    desk = Desk(arguments, now or datetime.now(UTC), disk or Disk(), make_delta)
    try:
        return ACTIONS[arguments.action](desk)
    except AlreadySo as error:
        desk.tell({"done": True, "changes": [], "roles": [], "files": []}, f"{error}.")
        return DONE
    except OtaError as error:
        desk.warn([str(error)])
        return NOT_DONE if isinstance(error, Unsigned | Unfinished) else WRONG
    except BrokenPipeError:
        raise  # nobody reads on: no matter of the repository's
    except OSError as error:
        desk.warn([f"{problem(error)}. {remedy(error)}, then give the command again"])
        return WRONG


def _publish(desk: Desk) -> int:
    arguments = desk.arguments
    if len(arguments.bases) > MOST_BASES:
        raise ConfigError(f"--base was given more than {MOST_BASES} times. Boards with other bundles load it whole")
    bundle = _bundle(arguments.bundle)
    further = {offers.target_of("", each).sha256: each for each in map(pack, map(_bundle, arguments.bases))}
    with desk.repository(of=bundle.digest) as folder:
        before = folder.load()
        drafts.known_channel(before, arguments.channel)
        if arguments.release_counter is not None:
            bundle = recounted(bundle, arguments.release_counter)
        elif arguments.again:
            model = offers.release_of(bundle, b"", arguments.channel).model
            bundle = recounted(bundle, drafts.highest(before, model) + 1)
        tar = pack(bundle)
        release = offers.release_of(bundle, tar, arguments.channel)
        drafts.check_new(before, arguments.channel, release, desk.where)
        return _offer(desk, folder, before, release, tar, further)


def _bundle(path: Path) -> Bundle:
    if not path.exists():
        raise Refused(
            f"{path}: there is no such file or folder", remedy="Name a bundle, such as `ductwatch model train` writes"
        )
    return open_bundle(path)


def _promote(desk: Desk) -> int:
    arguments = desk.arguments
    with desk.repository() as folder:
        before = folder.load()
        source = targets(before, drafts.known_channel(before, arguments.source))
        release = offers.offered(source).get(arguments.model)
        if release is None:
            offered = ", ".join(sorted(offers.offered(source))) or "nothing"
            raise Refused(f"{arguments.source} offers no {arguments.model}", remedy=f"It offers {offered}")
        drafts.check_counter(before, arguments.channel, release)
        return _offer(desk, folder, before, release, folder.target(release.target.path, release.target.sha256), {})


def _offer(
    desk: Desk, folder: Folder, before: State, release: Release, tar: bytes, further: Mapping[str, bytes]
) -> int:
    channel = desk.arguments.channel
    bases = {**store.bases(folder.own / BUNDLES, channel, release, desk.disk), **further}
    deltas = _deltas(bases, tar, desk.make_delta)
    draft = drafts.released(before, channel, offers.placed(release, channel, deltas), tar, deltas, desk.now)
    return desk.propose(folder, before, draft, desk.ring(folder))


def _deltas(bases: Mapping[str, bytes], tar: bytes, make_delta: MakeDelta) -> dict[str, bytes]:
    made = {base: make_delta(content, tar) for base, content in bases.items() if content != tar}
    return {base: delta for base, delta in made.items() if len(delta) < WORTH_A_DELTA * len(tar)}


def _sign(desk: Desk) -> int:
    arguments = desk.arguments
    before, draft = ceremony.read([arguments.ceremony], desk.disk)
    places = keyring.added(arguments.keys, desk.secrets)
    if not places:
        raise Refused("a public key signs nothing", remedy="Name your private one")
    for keyid in places:
        if not ceremony.roles_of(before, draft, keyid):
            whose = next(ceremony.known(before, draft, keyid), f"the key {keyid[:8]} signs nothing")
            raise Refused(f"{whose}, and here {', '.join(draft.metadata)} must be signed", remedy="Take another key")
    ring = keyring.Keyring(places, desk.secrets)
    plan, outcome = words.plan(before, draft, desk.now), words.outcome(before, draft)
    if not desk.agreed(["To be signed:", *plan, "Then this holds:", *outcome]):
        return NOT_DONE
    signed = ceremony.sign(arguments.ceremony, before, draft, places, ring, desk.disk)
    waits = [str(each) for each in signing.missing(before, draft)]
    by = ", ".join(f"{role} by {titled(key)}" for role, key in signed)
    desk.tell(
        {"signed": [{"role": role, "keyid": key.keyid} for role, key in signed], "waits_for": waits},
        f"Signed: {by or 'nothing, it was signed before'}. Send the folder back to whoever publishes.",
        *(f"Still missing: {each}" for each in waits),
    )
    return DONE


def _merge(desk: Desk) -> int:
    folders = desk.arguments.ceremonies
    with desk.repository() as folder:
        before = {} if folder.is_free() else folder.load()
        _, draft = ceremony.read(folders, desk.disk)
        return desk.merge(folder, before, draft, desk.ring(folder))


def _refresh(desk: Desk) -> int:
    fresh_for = _fresh_for(desk.arguments)
    with desk.repository(of=f"{desk.now}") as folder:  # what was decided then is not as fresh as what is wanted now
        before = folder.load()
        unknown = [role for role in desk.arguments.roles if role not in ("root", "targets", *channels(before))]
        if unknown:
            raise Refused(
                f"{unknown[0]} is no role that people renew", remedy="Those are root, targets and the channels"
            )
        draft = drafts.renewed(before, dict.fromkeys(desk.arguments.roles), desk.now, fresh_for=fresh_for)
        code = desk.propose(folder, before, draft, desk.ring(folder))
        desk.warn(words.warnings({**before, **draft.metadata}, desk.now, desk.where))
        return code  # whoever copies what was published by `&&` must not stop because something expires next month


def _fresh_for(arguments: Namespace) -> timedelta:
    if arguments.days is None:
        return LIFETIMES[TIMESTAMP]
    most = LIFETIMES[SNAPSHOT].days
    if not 1 <= arguments.days <= most:
        raise ConfigError(f"--for {arguments.days}: a timestamp is good for 1 to {most} days, as a snapshot at most is")
    if arguments.ceremony is not None:
        raise ConfigError("--for is about the timestamp, which no keyholder signs. Give it without --ceremony")
    return timedelta(days=arguments.days)


def _rotate(desk: Desk) -> int:
    arguments = desk.arguments
    with desk.repository() as folder:
        before = folder.load()
        old = drafts.key_of(before, arguments.role, arguments.old)
        place, new = keys.public(arguments.new, desk.secrets)
        keys.named(new, keys.name_of(arguments.new))
        draft = drafts.rekeyed(before, arguments.role, old, new, desk.now)
        if place:  # first of all: whatever happens then, the new key is found again
            kept = keyring.load(folder.own / KEYS, desk.disk)
            keyring.save(folder.own / KEYS, {**kept, new.keyid: place}, desk.disk)
        return desk.propose(folder, before, draft, desk.ring(folder))


def _revoke(desk: Desk) -> int:
    arguments = desk.arguments
    with desk.repository() as folder:
        before = folder.load()
        if arguments.channel is not None:
            draft = drafts.withdrawn(before, arguments.channel, arguments.what, desk.now)
        else:
            old = drafts.key_of(before, arguments.role, arguments.what)
            draft = drafts.rekeyed(before, arguments.role, old, None, desk.now, desk.where)
        return desk.propose(folder, before, draft, desk.ring(folder))


def _show(desk: Desk) -> int:
    folder = Folder(desk.arguments.repository.absolute(), desk.disk)
    state = folder.load()
    interrupted = folder.is_interrupted()
    note = ["A change was interrupted: the next command that changes something finishes it"] if interrupted else []
    late = words.outages(state, desk.now, desk.where) + words.warnings(state, desk.now, desk.where)
    wrong = [] if interrupted else folder.problems(state)
    desk.tell(
        words.shown_json(state, desk.now) | {"interrupted": interrupted, "late": late, "wrong": wrong},
        *words.shown(state, desk.now),
        *note,
    )
    desk.warn([*late, *(f"{line}. {COPY_BACK}" for line in wrong)])
    return NOT_DONE if late or wrong or interrupted else DONE


ACTIONS: Mapping[str, Callable[[Desk], int]] = {
    "init": init,
    "key": make_key,
    "publish": _publish,
    "promote": _promote,
    "sign": _sign,
    "merge": _merge,
    "refresh": _refresh,
    "rotate-key": _rotate,
    "revoke": _revoke,
    "show": _show,
}

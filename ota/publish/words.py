"""States and drafts in the publisher's words, and as JSON. All of it is read out of the metadata itself. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from securesystemslib.signer import Key

from ota.publish.drafts import Draft, in_short
from ota.publish.keyring import Keyring
from ota.publish.offers import offered, others
from ota.publish.roles import ONLINE, ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from ota.publish.signing import changed, invited, quorums
from ota.publish.state import State, channels, signers, targets, titled
from ota.types import Release

SOON = timedelta(days=30)
"""Of an offline role: time enough to get keyholders together."""
SAID = {"_type", "spec_version", "version", "expires", "targets", "delegations", "roles", "keys", "consistent_snapshot"}
"""Fields whose changes have words of their own, or that may not differ."""


def plan(before: State, draft: Draft, now: datetime, ring: Keyring | None = None) -> list[str]:
    """What would change, and which role gets which version, expiry and signatures.

    With a `ring` it says which keys are not in it.
    """
    roles = changed(before, draft, now)
    lines = [f"  {line}" for line in changes(before, draft)]
    return [*lines, "Signed anew:", *(f"  {_role(before, draft, ring, role, now)}" for role in roles)]


def outcome(before: State, draft: Draft) -> list[str]:
    """All that the draft's roles say, whatever is said to have been before: whoever prepared it may err, or lie."""
    after = {**before, **draft.metadata}
    says = {ROOT: (ROOT, TARGETS, SNAPSHOT, TIMESTAMP), TARGETS: channels(after)}
    return [
        *(
            f"  {named}: signed by {signers(after, named).threshold} of {_list(signers(after, named).keys)}"
            f"{_paths(after, named)}"
            for role in (ROOT, TARGETS)
            if role in draft.metadata
            for named in says[role]
        ),
        *(f"  {line}" for role in channels(after) if role in draft.metadata for line in _offers(after, role)),
    ]


def plan_json(before: State, draft: Draft, now: datetime) -> dict[str, Any]:
    return {
        "changes": list(changes(before, draft)),
        "roles": [
            {"role": role, "version": version, "expires": _iso(expires)}
            for role in changed(before, draft, now)
            for version, expires in [_next(before, draft, role, now)]
        ],
    }


def changes(before: State, draft: Draft) -> Iterator[str]:
    """Sentences on what the draft's roles say otherwise than before."""
    after = {**before, **draft.metadata}
    found = [
        *_who_signs(before, after),
        *(line for role in channels(after) if role in draft.metadata for line in _releases(before, after, role)),
        *(line for role in draft.metadata for line in _rest(before, after, role)),
    ]
    yield from found
    if not found:
        yield "nothing changes but versions and dates"


def shown(state: State, now: datetime) -> list[str]:
    """What a repository says."""
    lines = []
    for channel in channels(state):
        lines += [*_offers(state, channel), *_rest({}, state, channel)]
    for role in (ROOT, TARGETS, *channels(state), SNAPSHOT, TIMESTAMP):
        quorum = signers(state, role)
        signed = state[role].signed
        lines.append(
            f"{role:<9} version {signed.version}, {expiry(signed.expires, now)}, "
            f"signed by {quorum.threshold} of {_list(quorum.keys)}"
        )
    return lines


def shown_json(state: State, now: datetime) -> dict[str, Any]:
    roles = []
    for role in (ROOT, TARGETS, *channels(state), SNAPSHOT, TIMESTAMP):
        quorum, signed = signers(state, role), state[role].signed
        known = [{"name": titled(key).rpartition(" ")[0], "keyid": keyid} for keyid, key in quorum.keys.items()]
        roles.append(
            {
                "role": role,
                "version": signed.version,
                "expires": _iso(signed.expires),
                "days_left": _days(signed.expires, now),
                "threshold": quorum.threshold,
                "keys": known,
            }
        )
    return {
        "roles": roles,
        "channels": {
            channel: [_offer_json(each) for each in offered(targets(state, channel)).values()]
            for channel in channels(state)
        },
    }


def warnings(state: State, now: datetime, where: str) -> list[str]:
    """Roles that people must renew soon, or had to; `where` names the repository in the command that does so."""
    return [
        f"{role}: {expiry(state[role].signed.expires, now)}; renew it: ductwatch ota refresh --role {role}{where}"
        for role in (ROOT, TARGETS, *channels(state))
        if state[role].signed.expires - now < SOON
    ]


def outages(state: State, now: datetime, where: str) -> list[str]:
    """Roles that a machine should have signed again: boards take nothing until it has."""
    return [
        f"{role}: {expiry(state[role].signed.expires, now)}; sign it again: ductwatch ota refresh{where}"
        for role in ONLINE
        if state[role].signed.expires <= now
    ]


def expiry(expires: datetime, now: datetime) -> str:
    """The day, and how far it is."""
    days = _days(expires, now)
    if expires <= now:
        return f"EXPIRED on {expires:%Y-%m-%d}"
    return f"expires {expires:%Y-%m-%d} (in {days} day{'' if days == 1 else 's'})"


def _offers(state: State, channel: str) -> list[str]:
    releases = offered(targets(state, channel)).values()
    return [f"{channel} offers {_offer(each)}" for each in releases] or [f"{channel} offers nothing"]


def _who_signs(before: State, after: State) -> Iterator[str]:
    for role in (ROOT, TARGETS, *channels(after), SNAPSHOT, TIMESTAMP):
        old, new = signers(before, role), signers(after, role)
        if not old.threshold:
            yield f"{role} is new: signed by {new.threshold} of {_list(new.keys)}{_paths(after, role)}"
            continue
        for keyid in new.keys.keys() - old.keys.keys():
            yield f"{role}: may be signed by {titled(new.keys[keyid])} from now on"
        for keyid in old.keys.keys() - new.keys.keys():
            yield f"{role}: can no longer be signed by {titled(old.keys[keyid])}"
        if old.threshold != new.threshold:
            yield f"{role}: needs {new.threshold} signatures instead of {old.threshold}"
        if _paths(before, role) != _paths(after, role):
            yield f"{role}: vouches{_paths(after, role)} instead of{_paths(before, role)}"
    yield from (f"{role} is no channel any more" for role in channels(before) if role not in channels(after))


def _paths(state: State, role: str) -> str:
    """What a channel may vouch for."""
    if role not in channels(state):
        return ""
    delegated: Any = targets(state).get_delegated_role(role)
    return f" for {', '.join(delegated.paths or ['nothing'])}{'' if delegated.terminating else ', not terminating'}"


def _releases(before: State, after: State, channel: str) -> Iterator[str]:
    old = offered(targets(before, channel)) if channel in before else {}
    new = offered(targets(after, channel))
    for model in sorted(old.keys() | new.keys()):
        was, now = old.get(model), new.get(model)
        if now is None and was is not None:
            yield f"{channel} no longer offers {in_short(was)}; boards that have it keep it"
        elif now is not None and now != was:
            instead = f", in place of {in_short(was)}" if was else ""
            yield f"{channel} gets {_offer(now)}{instead}"
            if was and now.counter <= was.counter:
                yield f"CAREFUL: {in_short(now)} has no higher counter: boards that have the other refuse it"


def _rest(before: State, after: State, role: str) -> Iterator[str]:
    """Whatever has no words of its own: a keyholder is to sign nothing unseen."""
    if role in (TARGETS, *channels(after)):
        old, new = others(targets(before, role)) if role in before else {}, others(targets(after, role))
        for path in sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path)):
            yield f"CAREFUL: {role} {'vouches for' if path in new else 'drops'} {path}, which is no release"
    was, now = _unsaid(before, role), _unsaid(after, role)
    for name in sorted(name for name in was.keys() | now.keys() if was.get(name) != now.get(name)):
        yield f"CAREFUL: {role} says {name} = {now.get(name)!r}, which this program does not know"


def _unsaid(state: State, role: str) -> dict[str, Any]:
    if role not in state:
        return {"consistent_snapshot": True} if role == ROOT else {}
    said = state[role].signed.to_dict()
    kept = {"consistent_snapshot": said.get("consistent_snapshot")} if role == ROOT else {}
    return kept | {name: value for name, value in said.items() if name not in SAID}


def _role(before: State, draft: Draft, ring: Keyring | None, role: str, now: datetime) -> str:
    version, expires = _next(before, draft, role, now)
    after = {**before, **draft.metadata}
    signed = draft.metadata[role].signatures if role in draft.metadata else {}
    who = " and ".join(f"{each.threshold} of {_who(each.keys, signed, ring)}" for each in quorums(before, after, role))
    further = set(invited(before, after, role)) - {key for each in quorums(before, after, role) for key in each.keys}
    more = "".join(f", and {titled(signers(before, role).keys[keyid])} for the last time" for keyid in further)
    return f"{role:<9} version {version}, {expiry(expires, now)}, by {who}{more}"


def _who(known: Mapping[str, Key], signed: Container[str], ring: Keyring | None) -> str:
    def note(keyid: str) -> str:
        if keyid in signed:
            return " has signed"
        return "" if ring is None or ring.at_hand(keyid) else " not at hand"

    return ", ".join(f"{titled(key)}{note(keyid)}" for keyid, key in known.items())


def _next(before: State, draft: Draft, role: str, now: datetime) -> tuple[int, datetime]:
    if role in draft.metadata:
        return draft.metadata[role].signed.version, draft.metadata[role].signed.expires
    return (before[role].signed.version + 1 if role in before else 1), now + draft.lifetime(role)


def _offer(release: Release) -> str:
    ways = ", ".join(f"{_size(delta.target.length)} from {delta.base[:8]}" for delta in release.deltas)
    hardware = ", ".join(release.hardware)
    return (
        f"{in_short(release)} for hardware {hardware}: {_size(release.target.length)}, "
        f"sha256 {release.target.sha256[:16]}{f', or as a delta {ways}' if ways else ''}"
    )


def _offer_json(release: Release) -> dict[str, Any]:
    return {
        "model": release.model,
        "version": release.version,
        "release_counter": release.counter,
        "hardware": list(release.hardware),
        "path": release.target.path,
        "bytes": release.target.length,
        "sha256": release.target.sha256,
        "deltas": [
            {"base": each.base, "path": each.target.path, "bytes": each.target.length} for each in release.deltas
        ],
    }


def _size(length: int) -> str:
    return f"{length / 1e6:.1f} MB" if length >= 1e6 else f"{length / 1e3:.1f} kB"


def _list(known: Mapping[str, Key]) -> str:
    return ", ".join(map(titled, known.values()))


def _days(expires: datetime, now: datetime) -> int:
    return round((expires - now) / timedelta(days=1))


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner, Key
from tuf.api.metadata import Metadata

from ota.bundle import open_bundle, pack
from ota.publish import drafts, signing
from ota.publish.errors import Refused, Unsigned
from ota.publish.keyring import Keyring
from ota.publish.offers import offered, placed, release_of
from ota.publish.roles import ALL, LIFETIMES, QUORUMS
from ota.publish.state import State, targets
from ota.types import Release
from tests.ota.bundles import bundle

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SIGNERS = {(role, number): CryptoSigner.generate_ed25519() for role in ALL for number in range(QUORUMS[role].keys)}


class AllAtHand(Keyring):
    """The private keys of all roles."""

    def __init__(self) -> None:
        super().__init__({}, None)  # type: ignore[arg-type]  # nobody is asked
        self.known = {signer.public_key.keyid: signer for signer in SIGNERS.values()}

    def at_hand(self, keyid: str) -> bool:
        return keyid in self.known

    def signer(self, key: Key) -> CryptoSigner:
        return self.known[key.keyid]


RING = AllAtHand()


def begun() -> State:
    keys = {
        role: (QUORUMS[role].threshold, [SIGNERS[role, n].public_key for n in range(QUORUMS[role].keys)])
        for role in ALL
    }
    return after({}, drafts.begun(keys, NOW), NOW)


def after(before: State, draft: drafts.Draft, now: datetime) -> State:
    """Signed, sealed and read again."""
    signing.sign(before, draft, RING)
    files = signing.sealed(before, draft, RING, now)
    read = {name.split(".")[-2].split("/")[-1]: content for name, content in files.items() if name.endswith(".json")}
    return {**before, **{role: Metadata.from_bytes(content) for role, content in read.items()}}


def release(root: Path, counter: int = 1) -> tuple[Release, bytes]:
    opened = open_bundle(bundle(root, counter))
    tar = pack(opened)
    return release_of(opened, tar, "canary"), tar


def test_versions_grow_by_one_and_every_date_comes_from_one_clock(tmp_path: Path) -> None:
    state, later = begun(), NOW + timedelta(days=3)

    new = after(state, drafts.released(state, "canary", *release(tmp_path), {}, later), later)

    grown = {role: new[role].signed.version - state[role].signed.version for role in state}
    assert grown == dict.fromkeys(ALL, 0) | {"canary": 1, "snapshot": 1, "timestamp": 1}
    for role in ALL:
        assert new[role].signed.expires == (later if grown[role] else NOW) + LIFETIMES[role]


def test_the_same_wish_gives_the_same_bytes(tmp_path: Path) -> None:
    state = begun()
    wish = [drafts.released(state, "canary", *release(tmp_path), {}, NOW) for _ in range(2)]

    one, other = (signing_of(state, draft) for draft in wish)

    assert one == other
    assert b" " not in one["metadata/2.canary.json"]


def signing_of(state: State, draft: drafts.Draft) -> dict[str, bytes]:
    signing.sign(state, draft, RING)
    return signing.sealed(state, draft, RING, NOW)


def test_a_draft_leaves_what_it_starts_from_as_it_is(tmp_path: Path) -> None:
    state = begun()
    before = {role: metadata.to_bytes() for role, metadata in state.items()}

    drafts.released(state, "canary", *release(tmp_path), {}, NOW)
    drafts.rekeyed(state, "root", SIGNERS["root", 0].public_key, CryptoSigner.generate_ed25519().public_key, NOW)
    drafts.renewed(state, ["targets"], NOW)

    assert {role: metadata.to_bytes() for role, metadata in state.items()} == before


def test_a_key_of_a_security_module_is_known_without_its_token_too() -> None:
    state = begun()
    old, new = SIGNERS["timestamp", 0].public_key, CryptoSigner.generate_ecdsa().public_key
    new.unrecognized_fields["x-ductwatch-name"] = "hsm:2?label=ductwatch"
    state = {**state, **drafts.rekeyed(state, "timestamp", old, new, NOW).metadata}

    assert drafts.key_of(state, "timestamp", "hsm:2") == new
    assert drafts.key_of(state, "timestamp", "hsm:2?label=ductwatch") == new
    with pytest.raises(Refused, match=r"hsm: is no key of timestamp"):
        drafts.key_of(state, "timestamp", "hsm:")


def test_a_channel_has_one_release_of_a_model_and_forgets_the_deltas_to_the_one_before(tmp_path: Path) -> None:
    state = begun()
    first, tar = release(tmp_path)
    delta = {"a" * 64: b"delta"}
    state = after(state, drafts.released(state, "canary", placed(first, "canary", delta), tar, delta, NOW), NOW)
    assert set(targets(state, "canary").targets) == {
        "canary/visual-clean.tar",
        "canary/visual-clean.from-aaaaaaaaaaaaaaaa.delta",
    }

    state = after(state, drafts.released(state, "canary", *release(tmp_path, 2), {}, NOW), NOW)

    assert set(targets(state, "canary").targets) == {"canary/visual-clean.tar"}
    assert offered(targets(state, "canary"))["visual-clean"].counter == 2


def test_below_a_threshold_nothing_is_sealed() -> None:
    state = begun()
    draft = drafts.renewed(state, ["root"], NOW)
    draft.metadata["root"].sign(SIGNERS["root", 1])

    with pytest.raises(Unsigned, match=r"root: signed by unnamed .*; needs 1 more of"):
        signing.sealed(state, draft, RING, NOW)


def test_a_signature_of_a_key_that_has_no_say_does_not_count() -> None:
    state = begun()
    draft = drafts.renewed(state, ["root"], NOW)
    draft.metadata["root"].sign(SIGNERS["root", 1])
    draft.metadata["root"].sign(SIGNERS["targets", 1], append=True)

    with pytest.raises(Unsigned):
        signing.sealed(state, draft, RING, NOW)


def test_a_channel_that_grew_beyond_what_boards_read_is_not_published(tmp_path: Path) -> None:
    state = begun()
    first, tar = release(tmp_path)
    draft = drafts.released(state, "canary", first, tar, {}, NOW)
    signed = draft.metadata["canary"].signed
    signed.unrecognized_fields["x-ballast"] = "n" * 200_000

    with pytest.raises(Refused, match="boards read at most 200000"):
        signing_of(state, draft)

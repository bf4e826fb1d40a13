from __future__ import annotations

import pytest

from firmware.system.public_key import FIELDS, check_public_key
from tests.firmware.system.keys import public_key

KEY = public_key()
WRITTEN_BY_SSH_KEYGEN = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBOy7PwudmDl97JwTTevZ5mw9MC/voCiE5S2j3phn"
    "I3gGm0sJKER84NNH2rnj89bdCv56FMXN6PPuKHJyYro2jXg= me@pc"
)


@pytest.mark.parametrize("kind", FIELDS)
def test_every_type_of_openssh_is_taken(kind: str) -> None:
    check_public_key(public_key(kind, *[b"value"] * (FIELDS[kind] - 1)))


def test_what_ssh_keygen_writes_is_taken() -> None:
    check_public_key(WRITTEN_BY_SSH_KEYGEN)


def test_the_comment_is_free() -> None:
    check_public_key(public_key(comment=""))
    check_public_key(public_key(comment=' Jürgen, laptop #2 "old"'))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "not a public key on one line"),
        ("me@pc", "not a public key on one line"),
        (KEY.split()[1], "not a public key on one line"),
        (f'command="/bin/sh" {KEY}', "not a public key on one line"),
        (f"{KEY}\n{KEY}", "not a public key on one line"),
        (f"{KEY}\r", "not a public key on one line"),
        (f"{KEY}\N{LINE SEPARATOR}", "not a public key on one line"),
        (f"{KEY} {'x' * 8192}", "not a public key on one line"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n", "this is a private key"),
        ("ssh-ed25519", "of another type, or damaged"),
        ("ssh-ed25519 !!!!", "damaged"),
        (KEY[:60], "damaged"),
        (KEY.replace("ssh-ed25519 ", "ssh-rsa "), "of another type"),
        (public_key("ssh-ed25519", b"key", b"and more"), "of another type, or damaged"),
    ],
    ids=[
        *("nothing", "only a comment", "no type", "options", "two lines", "carriage return", "line separator", "huge"),
        *("private", "no key", "no base64", "cut short", "another type inside", "more inside"),
    ],
)
def test_what_is_no_whole_public_key_is_refused_and_not_repeated(line: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        check_public_key(line)

    assert "AAAA" not in str(caught.value)
    assert "b3Bl" not in str(caught.value)

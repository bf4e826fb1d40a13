"""Why a broker cannot be used, in words that say what to do about it. Pure but for the names of errors."""

from __future__ import annotations

import socket
import ssl


class BrokerError(Exception):
    """The broker cannot be used now: try again later. `remedy` is for whoever looks after board or broker."""

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(f"{problem}. {remedy}")
        self.problem = problem
        self.remedy = remedy


class NotGranted(BrokerError):
    """It refuses this one thing, and serves the board otherwise: go on without."""


CHECK_LOGIN = "Check uplink.username and uplink.password_file against the broker's users"
GRANT = (
    "In the broker's access list let this user write <prefix>/<board>/# and the discovery topic (or set "
    "uplink.discovery = false), and read <prefix>/<board>/command and <prefix>/<board>/jobs/#"
)

REASONS: dict[int, tuple[str, str]] = {  # MQTT 5, 2.4: reason codes
    0x84: ("speaks an older MQTT", "Use a broker that speaks MQTT 5, such as Mosquitto 2"),
    0x85: ("refuses the name of this board", "Check board.name against the broker's rules for client ids"),
    0x86: ("refuses user name or password", CHECK_LOGIN),
    0x87: ("does not authorise this board", GRANT),
    0x88: ("is not available", "Look at the broker's own log"),
    0x8A: ("has banned this board", "Ask whoever runs the broker"),
    0x8B: ("is shutting down", "Wait for it to come back"),
    0x8D: ("heard nothing from this board for too long", "Check the network's quality, or raise uplink.keepalive"),
    0x8E: ("serves another board of the same name", "Give each board its own board.name"),
    0x95: ("takes no message of this size", "Raise the broker's limit to 32 KiB (Mosquitto: max_packet_size)"),
    0x97: ("has no quota left for this board", "Raise the broker's quota, or send less"),
    0x98: ("was told to cut this board off", "Ask whoever runs the broker"),
    0x9F: ("takes connections less often", "Raise uplink.first_retry, or the broker's connection rate"),
}


def refused(broker: str, code: int, text: str) -> BrokerError:
    """The broker answered with a reason code, of which `text` is the name in the standard."""
    problem, remedy = REASONS.get(code, (f"refuses: {text} ({code:#04x})", "Look at the broker's own log"))
    return BrokerError(f"the broker at {broker} {problem}", remedy=remedy)


def not_granted(broker: str, topic: str, code: int, text: str) -> NotGranted:
    """The same, of one topic alone."""
    error = refused(broker, code, text)
    return NotGranted(f"{error.problem}, for {topic}", remedy=error.remedy)


def unreachable(broker: str, error: OSError | UnicodeError, *, ca: str) -> BrokerError:
    """Name, network or TLS failed, before the broker could say anything. `ca` names what its certificate must suit."""
    if isinstance(error, (socket.gaierror, UnicodeError)):  # the latter: two dots in a row, say
        return BrokerError(f"the name in {broker} is unknown", remedy="Check uplink.host and the board's name server")
    if isinstance(error, ssl.SSLCertVerificationError):
        return _mistrusted(broker, error, ca)
    if isinstance(error, (ssl.SSLError, ConnectionResetError, BrokenPipeError)):  # the latter: from the handshake
        remedy = "Check that uplink.port is the broker's port for TLS, and which TLS versions it takes"
        reason = (isinstance(error, ssl.SSLError) and error.reason) or error.strerror or str(error)
        return BrokerError(f"no TLS with {broker}: {reason}", remedy=remedy)
    if isinstance(error, ConnectionRefusedError):
        return BrokerError(f"nothing listens at {broker}", remedy="Start the broker, or check uplink.host and port")
    if isinstance(error, TimeoutError):
        return silent(broker)
    return BrokerError(f"no way to {broker}: {error.strerror or error}", remedy="Check cable, address and route")


def silent(broker: str) -> BrokerError:
    return BrokerError(f"no answer from {broker}", remedy="Check cable, address and firewall, and that the broker runs")


def hung_up(broker: str, *, encrypted: bool) -> BrokerError:
    """The broker closed the connection instead of answering the login."""
    remedy = (
        "It may ask for a client certificate: check uplink.certificate and uplink.key"
        if encrypted
        else "Check that uplink.port is not the broker's port for TLS, and look at the broker's own log"
    )
    return BrokerError(f"the broker at {broker} hangs up during the login", remedy=remedy)


def lost(broker: str) -> BrokerError:
    """Without a reason: Mosquitto gives none, not even when another client takes the name over."""
    remedy = "It is tried again by itself. If it breaks again and again, check that no other board has this board.name"
    return BrokerError(f"the connection to {broker} broke", remedy=remedy)


def _mistrusted(broker: str, error: ssl.SSLCertVerificationError, ca: str) -> BrokerError:
    if "match" in error.verify_message:  # the host's name or address is not in the certificate
        remedy = "Write uplink.host as the certificate has it, or get a certificate for this name"
    elif "expired" in error.verify_message or "not yet valid" in error.verify_message:
        remedy = "Check the board's clock, then renew the broker's certificate"
    else:
        remedy = "Set uplink.ca to the certificate of the authority that signed the broker's"
    return BrokerError(f"the certificate of {broker} does not suit {ca}: {error.verify_message}", remedy=remedy)

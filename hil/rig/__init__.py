"""The virtual bench: small programs on the host that play the hardware of a QEMU guest, through sockets of QEMU's.

All of them live in one event loop, and are told what to do from its thread.
"""

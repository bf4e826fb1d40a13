"""The firmware's own door on the board: a Unix socket, for whoever its file permissions let in."""

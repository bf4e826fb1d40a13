"""The rig as a playground: a web page that shows what the board makes of a duct, and breaks whatever hangs on it."""

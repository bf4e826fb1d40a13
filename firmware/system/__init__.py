"""`[system]`: what a board image is preset with, by the one file on its boot partition."""

"""The publisher's side: makes and signs the repository that boards update from. Never imported on a board.

`state` is what a repository says, `drafts` what it is to say next, `words` both for people, `signing` who must sign and
whether they have, `ceremony` how offline keyholders do it, `files` how it is read and lastingly replaced.
"""

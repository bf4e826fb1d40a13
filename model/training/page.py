"""An HTML page that opens from disk: everything it needs is in it, or beside it."""

from __future__ import annotations

import base64
import html

MEASURED, TRAINED = ", measured", ", trained"
"""How titles end, of an evaluation's page and of a training's: by this they are known again."""
STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881 }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.5rem }
table { border-collapse: collapse }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem; text-align: left }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.pictures { display: flex; flex-wrap: wrap; gap: .8rem }
figure { margin: 0; width: 11rem } figure img { width: 100%; border-radius: .3rem; background: var(--soft) }
figcaption { font-size: .8rem; overflow-wrap: anywhere }
svg { max-width: 100%; height: auto } svg text { font-family: inherit !important }
"""


def page(title: str, body: str, *, script: str = "") -> str:
    """The document. `body` is HTML; `script` is run after it."""
    run = f"<script>{script}</script>" if script else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><h1>{html.escape(title)}</h1>{body}{run}</body></html>\n"
    )


def title_ends(ending: str) -> str:
    """What the beginning of such a page holds."""
    return f"{html.escape(ending)}</title>"


def inline(content: bytes, kind: str = "image/jpeg") -> str:
    """A picture as the `src` of an <img>."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"

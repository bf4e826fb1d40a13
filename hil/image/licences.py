"""Licences of a Debian package, from its copyright file.

https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/, also called DEP-5.
"""

from __future__ import annotations

from hil.image.debian import paragraphs

SAME = (  # in Debian's words and SPDX's
    *("Apache-2.0", "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause", "BSD-4-Clause", "BSL-1.0", "bzip2-1.0.6"),
    *("CC-BY-3.0", "CC-BY-SA-3.0", "CC0-1.0", "curl", "FSFAP", "FSFUL", "FSFULLR", "ISC", "MIT", "MPL-1.1", "MPL-2.0"),
    *("OFL-1.1", "OpenSSL", "Unicode-DFS-2016", "X11", "Zlib"),
)
# Debian's short names, in small letters, to SPDX's (https://spdx.org/licenses/)
SPDX = {name.lower(): name for name in SAME} | {"apache-2": "Apache-2.0", "cc0": "CC0-1.0", "expat": "MIT"}
for family, numbers in {
    "GPL": ("1.0", "2.0", "3.0"),
    "LGPL": ("2.0", "2.1", "3.0"),
    "AGPL": ("3.0",),
    "GFDL": ("1.1", "1.2", "1.3"),
}.items():
    for number in numbers:
        for short in (number, number.removesuffix(".0")):
            SPDX[f"{family}-{short}".lower()] = f"{family}-{number}-only"
            SPDX[f"{family}-{short}+".lower()] = f"{family}-{number}-or-later"


def licences(copyright_file: str) -> list[str]:
    """What the files of a package are under, each once, by its SPDX identifier or else as Debian writes it.

    Nothing where the file is for people only.
    """
    head, *others = list(paragraphs(copyright_file)) or [{"Format": ""}]
    if not any(known in head.get("Format", "") for known in ("copyright-format", "dep5")):
        return []
    stating = (head, *(found for found in others if "Files" in found))
    names = {found["License"] for found in stating if found.get("License")}
    return sorted({SPDX.get(name.lower(), name) for name in names})

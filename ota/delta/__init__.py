"""The way from one bundle's tar to another's, in fewer bytes: whatever lies in it, and best where networks do.

A board knows no format of files: a delta is a list of operations on two stretches of bytes, `base` and `target`, which
begins as zeros. Only who makes one (`ota.delta.make`) looks into tars and networks, and finds the operations that take
the fewest bytes. All numbers are little-endian.

    header    "DWD1", method (1 byte, for whoever looks: METHODS), first 8 bytes of the base's SHA-256,
              length of the base, length of the target (4 each)
    sections  operations, text, classes, tables, symbols: for each its coding (1), length and packed length (4 each);
              then all of them packed, one after another

A coding below 128 is raw LZMA1 with the filter of that number in FILTERS; RANS is for symbols only (`ota.delta.rans`).

An operation is 8 int32, and the section has first all of the first, then all of the second ...:
kind, to, from - to, outer, channels, inner, scales - to, base scales - scales. `to` and `scales` are places in the
target, `from` and `base scales` in the base; n = outer * channels * inner is how many elements there are.

    COPY      n bytes of the base
    NEW       n bytes of the text
    ADD       n bytes of the base, each plus one of the text, modulo 256
    FLOATS    n words of the base, each plus a number
    PRODUCTS  n floats: the one at `from` of the target times each of those at `scales` there, plus a number: the scales
              of biases, which are those of the input and the weights multiplied
    BYTES     n int8 (outer, channels, inner): those of the base times base scale / scale of their channel, rounded, at
              most -128..127, plus a byte modulo 256: weights that hardly changed, though their scales did
    WORDS     the same for int32, plus a number: biases

Numbers that are added to words are taken modulo 2^32, zigzag (0, -1, 1, -2 ...), and lie in four rows, lowest byte
first. BYTES have a row for each channel. Each row of an operation, in their order, has a byte in `classes`: 0 if all of
it is zero, and no symbols; else 1 and more, which of the tables its symbols are coded by. All rows' symbols follow each
other in one stretch.
"""

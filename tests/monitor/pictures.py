#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of dirty logs: valid XML that needs nothing beside itself, drawn by another program, and not blank."""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rig import DEADLINE, Skip, main, run  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS_MAX = 4000


def draw(*commands):
    """Runs commands, where FILE stands for the picture's name; returns its bytes."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "picture")
        status, out, error = run(*[a for c in commands for a in ("-e", c.replace("FILE", path))])
        assert status == 0, (status, out, error)
        with open(path, "rb") as f:
            return f.read()


LOGGED = ("slot flags 0 log", "write 0x5000 1", "write 0x8000 1", "write 0x9000 1", "write 0xfe000 1")


def colours_of_png(data):
    """The colours in a PNG of 8-bit RGBA, as a set."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed, header = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        at += length + 12
    width, height, depth, colour = header[:4]
    assert (depth, colour) in ((8, 6), (8, 2)), header
    size = 4 if colour == 6 else 3
    raw, before, seen = zlib.decompress(packed), bytes(width * size), {}
    for y in range(height):
        start = y * (width * size + 1)
        method, line = raw[start], bytearray(raw[start + 1:start + 1 + width * size])
        for i in range(len(line)):
            left = line[i - size] if i >= size else 0
            up, corner = before[i], before[i - size] if i >= size else 0
            guess = left + up - corner
            paeth = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            line[i] = (line[i] + (0, left, up, (left + up) // 2, paeth)[method]) & 255
        for i in range(0, len(line), size):
            pixel = bytes(line[i:i + 3])
            seen[pixel] = seen.get(pixel, 0) + 1
        before = bytes(line)
    return seen


def check_svg(data, title):
    root = ElementTree.fromstring(data)
    assert root.tag == SVG + "svg" and root.find(SVG + "title").text.startswith(title), data[:300]
    elements = list(root.iter())
    assert len(elements) <= ELEMENTS_MAX, len(elements)
    for e in elements:
        assert e.tag in (SVG + t for t in ("svg", "title", "style", "rect", "text")), e.tag
        assert not any("href" in name or name.startswith("on") for name in e.attrib), e.attrib
    assert b"url(" not in data and b"@import" not in data
    return root


def rendered(data):
    program = shutil.which("rsvg-convert")
    if not program:
        raise Skip("rsvg-convert (Debian package librsvg2-bin) is not here to render the picture")
    done = subprocess.run([program, "--format=png"], input=data, capture_output=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    return colours_of_png(done.stdout)


def is_drawn(data):
    seen = rendered(data)
    assert len(seen) >= 12, len(seen)
    # Four cells of 13 by 13 in the colour of a full one, and one at least as large that is clean.
    assert seen.get(b"\x4a\x10\x4f", 0) >= 4 * 13 * 13 - 60, seen.get(b"\x4a\x10\x4f")
    assert seen.get(b"\xe9\xed\xf2", 0) > 10000


def dirty_map():
    data = draw(*LOGGED, "dirty take 0 svg FILE")
    root = check_svg(data, "Slot 0: 4 of 256 pages dirty")
    hover = [e.find(SVG + "title").text for e in root.iter(SVG + "rect") if e.find(SVG + "title") is not None]
    assert "0x5000-0x5fff: 1 of 1 pages dirty" in hover and "0x0-0x4fff: clean" in hover, hover
    labels = [e.text for e in root.iter(SVG + "text")]
    assert "0x0" in labels and "0x40000" in labels and "+64K" in labels, labels
    is_drawn(data)


def large_slot():
    data = draw("slot add 3 0x100000000 512G log", "dirty peek 3 svg FILE")
    root = check_svg(data, "Slot 3: 0 of 134217728 pages dirty")
    assert any(e.text.startswith("a cell is 512M") for e in root.iter(SVG + "text"))


def heat_map():
    data = draw(*LOGGED, "dirty heat 0 svg FILE")
    check_svg(data, "Where slot 0 is written: heat after 1 take")
    is_drawn(data)


def grey_map():
    data = draw(*LOGGED, "dirty take 0 pgm FILE")
    lines = data.split(b"\n", 4)
    assert lines[0] == b"P5" and lines[2] == b"64 4" and lines[3] == b"255", lines[:4]
    assert [i for i, v in enumerate(lines[4]) if v == 255] == [5, 8, 9, 254], lines[4]
    assert len(lines[4]) == 256 and set(lines[4]) == {0, 255}


if __name__ == "__main__":
    sys.exit(main([dirty_map, large_slot, heat_map, grey_map]))

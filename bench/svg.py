# SPDX-License-Identifier: GPL-3.0-or-later
"""Plots of cost against size, as SVG: both axes logarithmic, a line for each series."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 40, 50
COLOURS = ("#0057b8", "#c8401a", "#2a8a3e", "#7a4aa8", "#8a6d1a")


def short(v):
	for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
		if v >= size:
			return "%g%s" % (v / size, unit)
	return "%g" % v


def decades(low, high):
	"""Powers of ten around LOW to HIGH, both positive."""
	first = math.floor(math.log10(low))
	last = max(math.ceil(math.log10(high)), first + 1)
	return [10.0 ** i for i in range(first, last + 1)]


def plot(title, x_label, y_label, series):
	"""SERIES: name -> [(x, y)]; what is not above 0 is left out, and so is a plot without anything."""
	series = {name: [(x, y) for x, y in points if x > 0 and y > 0] for name, points in series.items()}
	series = {name: points for name, points in series.items() if points}
	if not series:
		return None
	all_x = sorted({x for points in series.values() for x, _ in points})
	rows = decades(*(f(y for points in series.values() for _, y in points) for f in (min, max)))
	span = math.log10(all_x[-1] / all_x[0]) or 1
	height = math.log10(rows[-1] / rows[0])

	def at(x, y):
		return (LEFT + (WIDTH - LEFT - RIGHT) * math.log10(x / all_x[0]) / span,
			HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log10(y / rows[0]) / height)

	def text(x, y, what, anchor="middle", more=""):
		return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (x, y, anchor, more, escape(what))

	out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d"' % (WIDTH, HEIGHT) +
	       ' font-family="sans-serif" font-size="12">',
	       '<rect width="%d" height="%d" fill="white"/>' % (WIDTH, HEIGHT),
	       text(WIDTH / 2, 22, title, more=' font-size="15"'), text(WIDTH / 2, HEIGHT - 12, x_label),
	       text(16, HEIGHT / 2, y_label, more=' transform="rotate(-90 16 %d)"' % (HEIGHT / 2))]
	for y in rows:
		_, v = at(all_x[0], y)
		out.append('<path d="M%d %.1fH%d" stroke="#ddd"/>' % (LEFT, v, WIDTH - RIGHT))
		out.append(text(LEFT - 6, v + 4, short(y), "end"))
	for x in all_x:
		h, v = at(x, rows[0])
		out.append('<path d="M%.1f %.1fv5" stroke="#444"/>' % (h, v) + text(h, v + 18, short(x)))
	for i, (name, points) in enumerate(series.items()):
		colour = COLOURS[i % len(COLOURS)]
		places = [at(x, y) for x, y in sorted(points)]
		out.append('<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>' % (
			colour, " ".join("%.1f,%.1f" % p for p in places)))
		out += ['<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (*p, colour) for p in places]
		out.append(text(LEFT + 10, TOP + 14 + 16 * i, name, "start", ' fill="%s"' % colour))
	return "\n".join(out + ["</svg>", ""])

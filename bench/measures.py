# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured, what is wanted of it, and what came out of one round after the other: a table of rows."""

import statistics

PAGES = 0x100000        # memory of the guest's that only the bench uses


def percentile(values, p):
	return sorted(values)[len(values) * p // 100]


def spread(values):
	"""Half of VALUES are between "low" and "high"."""
	return {"median": statistics.median(values), "low": percentile(values, 25), "high": percentile(values, 75),
		"least": min(values), "most": max(values)}


class Row:
	"""
	WORDS: the client's command, with "S" for how long; BARE: the bare loop's, of ioctls, or of round trips by a socket;
	FIELD of the answer is the value.  WANTED is the bound of ours: ("x", 6) at least 6 times theirs, ("share", 0.75) of the
	bare loop, ("most", 0.2) of theirs at most.
	"""

	def __init__(self, key, title, unit, words=None, bare=None, field="rate", wanted=None, scale=1):
		self.key, self.title, self.unit, self.words, self.bare = key, title, unit, words, bare
		self.field, self.wanted, self.scale = field, wanted, scale
		self.values = {"ours": [], "qemu": [], "bare": []}
		self.notes = {}

	def add(self, who, value):
		self.values[who].append(value * self.scale)

	def take(self, who, answer):
		"""From a client's ANSWER."""
		if "unsupported" in answer:
			self.notes[who] = "has none"
			return
		self.add(who, answer[self.field])
		if answer.get("moved") == 0:
			self.notes[who] = "stays at the breakpoint"
		if "packet" in answer:
			self.notes[who] = "%d bytes%s" % (answer["packet"], " by x" if answer["binary"] else " by m")
		if "bytes" in answer:
			self.notes[who] = "%d bytes" % answer["bytes"]
		if "asked" in answer:
			self.notes[who] = "asked by g" if answer["asked"] else "came with the stop"

	def ratios(self, other):
		"""Round by round, since the host's speed is not the same in all of them."""
		return [a / b for a, b in zip(self.values["ours"], self.values[other]) if b]

	def result(self):
		out = {"key": self.key, "title": self.title, "unit": self.unit, "notes": self.notes}
		for who, values in self.values.items():
			out[who] = {**spread(values), "rounds": values} if values else None
		for name, other in (("ratio", "qemu"), ("share", "bare")):
			ratios = self.ratios(other)
			out[name] = spread(ratios) if ratios else None
		out["wanted"] = out["reached"] = None
		if self.wanted:
			kind, bound = self.wanted
			of = out["share" if kind == "share" else "ratio"]
			out["wanted"] = {"kind": kind, "bound": bound}
			if of:
				out["reached"] = of["median"] <= bound if kind == "most" else of["median"] >= bound
		return out


def rows():
	read = ("read", "S", PAGES)
	wire_1k = ("wire", "S", 16, 1029, 1024)
	return [
		Row("registers", "all registers, by g", "/s", ("registers", "S"), ("wire", "S", 5, 148, 1)),
		Row("step", "single steps by packet", "/s", ("step", "S"), ("step", "S"), wanted=("x", 6)),
		Row("range", "range stepping (vCont;r), steps", "/s", ("range", "S"), ("range", "S"), wanted=("share", 0.75)),
		Row("step-registers", "step + all registers", "/s", ("step-registers", "S"), ("step-registers", "S"),
		    wanted=("x", 8)),
		Row("hits", "hardware breakpoint hits", "/s", ("hits", "S", 1), ("hits", "S"), wanted=("x", 5)),
		Row("gdb-hits", "hits the way gdb does them", "/s", ("gdb-hits", "S"), ("hits", "S"), wanted=("x", 8)),
		Row("read-1k", "memory in 1 KiB packets", "MB/s", (*read, 1024, "binary"), wire_1k, wanted=("x", 8),
		    scale=1e-6),
		Row("read-1k-hex", "memory in 1 KiB packets, by m", "MB/s", (*read, 1024, "hex"), wire_1k, scale=1e-6),
		Row("read-most", "memory in the largest packet", "MB/s", (*read, 0, "binary"), wanted=("x", 40), scale=1e-6),
		Row("read-most-hex", "memory in the largest packet, by m", "MB/s", (*read, 0, "hex"), scale=1e-6),
	]


def condition_rows():
	"""QEMU's part in these is gdb's own condition."""
	return [
		Row("false-hits", "false conditions, target-side, Z0", "/s", ("false-hits", "S", 0), ("hits", "S"), wanted=("x", 25)),
		Row("false-hits-hard", "false conditions, target-side, Z1", "/s", ("false-hits", "S", 1), ("hits", "S")),
	]


def interrupt_rows():
	return [
		Row("interrupt-p50", "Ctrl-C to the stop, 4 vCPUs, p50", "us"),
		Row("interrupt-p99", "Ctrl-C to the stop, 4 vCPUs, p99", "us", wanted=("most", 1.0)),
	]


def other_rows():
	return [
		Row("start", "exec to the first answer", "ms", field="p50_us", wanted=("most", 0.2), scale=1e-3),
		Row("rss", "resident, idle, 128 MiB guest", "MiB", wanted=("most", 0.15), scale=1 / 1024),
		Row("rss-16g", "resident, idle, 16 GiB guest", "MiB", scale=1 / 1024),
		Row("program", "program, as loaded", "MiB", scale=2 ** -20),
		Row("libraries", "program and its libraries", "MiB", scale=2 ** -20),
		Row("gdb-false-hits", "false conditions, the real gdb", "/s"),
		Row("gdb-session", "session of the real gdb", "ms", scale=1e3),
	]


BOUNDS = {"x": ">= %gx", "share": ">= %gb", "most": "<= %gx"}


def number(v):
	if v is None:
		return "-"
	return "%.0f" % v if v >= 1000 else "%.1f" % v if v >= 10 else "%.3f" % v


def table(results):
	"""Lines of text."""
	line = "%-36s %5s %8s %8s %6s %-14s %6s %8s  %s"
	lines = [line % ("", "", "ours", "QEMU", "ratio", "(half of them)", "bare", "wanted", "")]
	for r in results:
		half = "(%.2f-%.2f)" % (r["ratio"]["low"], r["ratio"]["high"]) if r["ratio"] else ""
		wanted = r["wanted"] and BOUNDS[r["wanted"]["kind"]] % r["wanted"]["bound"] or ""
		verdict = {None: "not measured" if r["wanted"] else "", True: "reached", False: "MISSED"}[r["reached"]]
		lines.append((line % (
			r["title"], r["unit"], *(number(r[who] and r[who]["median"]) for who in ("ours", "qemu")),
			"%.2f" % r["ratio"]["median"] if r["ratio"] else "-", half,
			"%.2f" % r["share"]["median"] if r["share"] else "-", wanted, verdict)).rstrip())
		notes = ["%s: %s" % ({"qemu": "QEMU"}.get(who, who), text) for who, text in r["notes"].items()]
		if notes:
			lines.append("    " + "; ".join(notes))
	return lines

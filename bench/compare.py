#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Compares gdbvisor with QEMU on the same KVM, and both with a bare loop of ioctls: the same guest, client, transport and
processors, short slices by turns.  Prints one table; writes compare.json and plots to the output directory.  Status: 0
when each bound was kept, 1 when one was missed, 2 when it could not measure.
"""

import argparse
import json
import os
import platform
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import measures
import stubs
import svg

SLOTS_AT = 0x100000000


def say(text):
	print("bench: " + text, file=sys.stderr, flush=True)


def turns(n, who):
	"""WHO, now in this order, now in the other."""
	return who if n % 2 == 0 else who[::-1]


def measure_packets(options, kinds, rows):
	"""ROWS, by stubs that are all alive; one of them works at a time."""
	meters = {}
	try:
		for kind in kinds:
			say("starting " + kind)
			meters[kind] = stubs.Stub(kind, tcp=options.tcp)
			meters[kind]("fill", measures.PAGES)
		meters["bare"] = stubs.Meter(stubs.BARE, stubs.GUEST)
		for n in range(options.rounds):
			say("round %d of %d" % (n + 1, options.rounds))
			for row in rows:
				for who in turns(n, list(meters)):
					words = row.bare if who == "bare" else row.words
					if words:
						row.take(who, meters[who](*(options.slice if w == "S" else w for w in words)))
	finally:
		for meter in meters.values():
			meter.close()


def measure_interrupts(options, kinds, by_key):
	"""Percentiles of all rounds' together: of a few the 99th is the worst."""
	meters, times = {}, {kind: [] for kind in kinds}
	try:
		for kind in kinds:
			say("starting %s with 4 vCPUs" % kind)
			meters[kind] = stubs.Stub(kind, 4, tcp=options.tcp)
		for n in range(options.rounds):
			for kind in turns(n, kinds):
				times[kind] += meters[kind]("interrupt", -(-options.stops // options.rounds), 4)["all_us"]
	finally:
		for meter in meters.values():
			meter.close()
	for kind in kinds:
		by_key["interrupt-p50"].add(kind, measures.percentile(times[kind], 50))
		by_key["interrupt-p99"].add(kind, measures.percentile(times[kind], 99))
		by_key["interrupt-p99"].notes[kind] = "%d stops" % len(times[kind])


def measure_starts(options, kinds, row):
	"""By the transport that each starts fastest with."""
	times = {(kind, via): [] for kind in kinds for via in ("unix", "stdio")}
	for n in range(options.rounds):
		for kind, via in turns(n, list(times)):
			times[kind, via].append(stubs.start_times(kind, options.starts, via)["p50_us"])
	for kind in kinds:
		via = min(("unix", "stdio"), key=lambda v: sorted(times[kind, v])[len(times[kind, v]) // 2])
		for t in times[kind, via]:
			row.add(kind, t)
		row.notes[kind] = "by " + {"unix": "a unix socket", "stdio": "standard input and output"}[via]


def measure_sizes(kinds, by_key):
	for kind in kinds:
		by_key["rss"].add(kind, stubs.resident(kind, "128M")["rss"])
		by_key["rss-16g"].add(kind, stubs.resident(kind, "16G")["rss"])
		size = stubs.binary_size(kind)
		by_key["program"].add(kind, size["program"])
		by_key["libraries"].add(kind, size["program"] + size["libraries"])


def measure_gdb(options, kinds, by_key):
	"""Sessions of the real gdb; and conditions that the stub evaluates, each round beside gdb with QEMU, which cannot."""
	hard = [by_key["false-hits"], by_key["false-hits-hard"]]
	meters = {}
	try:
		meters["ours"] = stubs.Stub("ours", tcp=options.tcp)
		meters["bare"] = stubs.Meter(stubs.BARE, stubs.GUEST)
		for n in range(min(options.rounds, options.sessions)):
			for kind in turns(n, kinds):
				told = stubs.gdb_session(kind, options.tcp)
				if not told:
					say("no gdb: its sessions are left out")
					break
				by_key["gdb-session"].add(kind, told["seconds"])
				by_key["gdb-false-hits"].add(kind, told["false_hits_per_s"])
				if kind == "qemu":
					for row in hard:
						row.add(kind, told["false_hits_per_s"])
						row.notes[kind] = "gdb's own condition"
			for row in hard:
				row.take("ours", meters["ours"](row.words[0], options.slice, *row.words[2:]))
				row.take("bare", meters["bare"](row.bare[0], options.slice))
	finally:
		for meter in meters.values():
			meter.close()


# -- cost against size --

def monitor(stub, command):
	"""Microseconds."""
	answer = stub("ask", "qRcmd," + command.encode().hex())
	if answer["reply"] != "OK":
		raise stubs.BenchError("%s: %s" % (command, answer["reply"]))
	return answer["us"]


def plot_set(options, kinds, what, command, letter, stride, sizes):
	"""Microseconds of WHAT, by the client's COMMAND, and of setting one, with more and more set of kind LETTER."""
	series = {}
	for kind in kinds:
		cost, put = series.setdefault("%s, %s" % (what, kind), []), series.setdefault("setting one, " + kind, [])
		with stubs.Stub(kind) as stub:
			have = 0
			for n in sizes:
				answer = stub("breakpoints", "Z", letter, measures.PAGES + have * stride, n - have, stride)
				if "unsupported" in answer:
					break
				put.append((n, answer["p50_us"]))
				have = n
				cost.append((n, stub(command, options.slice)["p50_us"]))
	return series


def plot_breakpoints(options, kinds):
	sizes = [1, 10, 100, 1000] if options.quick else [1, 10, 100, 1000, 10000]
	return plot_set(options, kinds, "a hit", "gdb-hits", 0, 37, sizes)


def plot_watched(options, kinds):
	"""QEMU has no more than four."""
	return plot_set(options, kinds, "a step", "step", 2, 4096, [1, 2, 4, 16, 64, 256])


def plot_slots(options, kinds):
	series = {"a hit, ours": [], "adding one, ours": []}
	with stubs.Stub("ours") as stub:
		have = 0
		for n in [1, 10, 100, 1000] if options.quick else [1, 10, 100, 1000, 4000]:
			times = [monitor(stub, "slot add %d %#x 4K" % (100 + i, SLOTS_AT + i * 0x2000)) for i in range(have, n)]
			series["adding one, ours"].append((n, sorted(times)[len(times) // 2]))
			series["a hit, ours"].append((n, stub("gdb-hits", options.slice)["p50_us"]))
			have = n
	return series


def plot_cpus(options, kinds):
	series = {}
	for kind in kinds:
		for cpus in (1, 2, 4) if options.quick else (1, 2, 4, 8):
			with stubs.Stub(kind, cpus) as stub:
				answer = stub("interrupt", options.stops // 4, cpus)
			for p in ("p50", "p99"):
				series.setdefault("%s, %s" % (kind, p), []).append((cpus, answer[p + "_us"]))
	return series


def plot_memory(options, kinds):
	series = {}
	for kind in kinds:
		for mib in (128, 512, 2048, 8192, 16384):
			memory = "%dM" % mib
			start = stubs.start_times(kind, options.starts, "unix", memory)["p50_us"] / 1000
			series.setdefault("start, ms, " + kind, []).append((mib / 1024, start))
			series.setdefault("resident, MiB, " + kind, []).append((mib / 1024, stubs.resident(kind, memory)["rss"] / 1024))
	return series


PLOTS = [
	("breakpoints", "Cost of a hit and of a breakpoint more", "software breakpoints set", "us, median", plot_breakpoints),
	("watched", "Cost of a step with pages watched", "watchpoints set, each on its page", "us, median", plot_watched),
	("slots", "Cost of a hit and of a slot more", "memory slots", "us, median", plot_slots),
	("vcpus", "From Ctrl-C to the stop", "vCPUs that run", "us", plot_cpus),
	("memory", "Starting, and resident memory", "guest RAM, GiB", "ms and MiB", plot_memory),
]


def make_plots(options, kinds):
	out = {}
	for name, title, x_label, y_label, measure in PLOTS:
		say("plot: " + name)
		series = measure(options, kinds)
		out[name] = {"title": title, "x": x_label, "y": y_label, "series": series}
		picture = svg.plot(title, x_label, y_label, series)
		if picture:
			with open(os.path.join(options.output, name + ".svg"), "w") as f:
				f.write(picture)
	return out


# -- the whole --

def arguments():
	p = argparse.ArgumentParser(description="Compares gdbvisor with QEMU on the same KVM.")
	p.add_argument("--rounds", type=int, help="by turns (15)")
	p.add_argument("--slice", type=float, help="seconds for each measure in a round (0.1)")
	p.add_argument("--starts", type=int, help="of each program, in a round (3)")
	p.add_argument("--sessions", type=int, help="of gdb with each, at most (5)")
	p.add_argument("--stops", type=int, help="of 4 vCPUs by Ctrl-C, in all (400)")
	p.add_argument("--quick", action="store_true", help="2 rounds of 0.05 s, one of gdb's, 40 stops, smaller plots")
	p.add_argument("--cpus", metavar="LIST", help="processors for all that runs, such as 0,1 (all)")
	p.add_argument("--tcp", action="store_true", help="packets by TCP in place of unix sockets")
	p.add_argument("--tdesc", metavar="KIND", help="gdbvisor's registers, such as x86-64 (by the guest's mode)")
	p.add_argument("--ours", action="store_true", help="without QEMU")
	p.add_argument("--only", metavar="LIST", help="parts: packets,interrupt,start,size,gdb,plots (all)")
	p.add_argument("--output", metavar="DIR", default="bench-results", help="for plots and compare.json (bench-results)")
	p.add_argument("--json", metavar="FILE", help="results, in place of DIR/compare.json")
	options = p.parse_args()
	for name, usual, quick in (("rounds", 15, 2), ("slice", 0.1, 0.05), ("starts", 3, 2), ("sessions", 5, 1),
				   ("stops", 400, 40)):
		if getattr(options, name) is None:
			setattr(options, name, quick if options.quick else usual)
		if getattr(options, name) <= 0:
			p.error("--%s wants a number above 0" % name)
	parts = ["packets", "interrupt", "start", "size", "gdb", "plots"]
	options.only = options.only.split(",") if options.only else parts
	if set(options.only) - set(parts):
		p.error("--only knows " + ",".join(parts))
	if options.tdesc:
		stubs.MORE.append("--tdesc=" + options.tdesc)
	if options.cpus:
		try:
			os.sched_setaffinity(0, [int(c) for c in options.cpus.split(",")])
		except (ValueError, OSError) as e:
			p.error("--cpus=%s: %s" % (options.cpus, e))
	return options


def compare(options):
	kinds = ["ours"] if options.ours or not stubs.QEMU else ["ours", "qemu"]
	packets = measures.rows()
	by_key = {row.key: row for row in
		  packets + measures.condition_rows() + measures.interrupt_rows() + measures.other_rows()}
	only = options.only

	if not options.ours and not stubs.QEMU:
		say("*** NO QEMU (qemu-system-x86_64): nothing to compare with, ours only ***")
	os.makedirs(options.output, exist_ok=True)
	out = {"host": {"kernel": platform.release(), "machine": platform.machine(), "cpus": sorted(os.sched_getaffinity(0)),
			"load": os.getloadavg()},
	       "qemu": stubs.QEMU if "qemu" in kinds else None, "transport": "tcp" if options.tcp else "unix",
	       "tdesc": options.tdesc or "auto",
	       "rounds": options.rounds, "slice": options.slice, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
	if "packets" in only:
		measure_packets(options, kinds, packets)
	if "interrupt" in only:
		measure_interrupts(options, kinds, by_key)
	if "start" in only:
		say("starting again and again")
		measure_starts(options, kinds, by_key["start"])
	if "size" in only:
		measure_sizes(kinds, by_key)
	if "gdb" in only:
		say("sessions of gdb")
		measure_gdb(options, kinds, by_key)
	out["plots"] = make_plots(options, kinds) if "plots" in only else {}
	out["measures"] = [row.result() for row in by_key.values() if any(row.values.values())]
	with open(options.json or os.path.join(options.output, "compare.json"), "w") as f:
		json.dump(out, f, indent=1)
	print("\nMedians of %d rounds, by %s, on processors %s; ratio: ours / QEMU's, and where half of the rounds'"
	      " were; bare: ours / what ioctls, or a socket, can do" % (
		options.rounds, out["transport"], ",".join(str(c) for c in out["host"]["cpus"])))
	print("\n".join(measures.table(out["measures"])))
	return [r["title"] for r in out["measures"] if r["reached"] is False]


def main():
	options = arguments()
	signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))   # by way of each "finally"
	try:
		missed = compare(options)
	except (stubs.BenchError, OSError) as e:
		say(str(e))
		sys.exit(2)
	if missed:
		print("MISSED: " + "; ".join(missed))
	sys.exit(1 if missed else 0)


main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""
The command gv: the monitor's commands, with gdb's completion and help, and those that gdb itself is needed for.  The
monitor's own are learned from it (`help -j`) at the first stop of a gdbvisor's inferior.
"""

import re

import gdb

import gv_remote

# Short names beside the monitor's own, for what is asked for most.
SHORT = {
	"slots": ("slot list", "List the memory slots."),
	"mem": ("info mem", "Show what the page tables map, with its rights."),
	"exits": ("info exits", "Show the last N exits from the guest.\nUsage: gv exits [N]"),
	"regs": ("info registers", "Show registers.\nUsage: gv regs [all|GROUP|NAME...]"),
	"breaks": ("info breakpoints", "List the monitor's breakpoints, and gdb's in the guest."),
	"cpus": ("info cpus", "Show every vCPU: mode, privilege, activity, where it is."),
	"status": ("info status", "Show the machine, whether it runs, and the last stop."),
}


def _words(pattern, word):
	return sorted(w for w in pattern if w.startswith(word))


def _slot_ids():
	try:
		return [str(slot["id"]) for slot in gv_remote.query("slot list")["slots"]]
	except (gdb.error, gdb.GdbError, KeyError, TypeError):
		return []


def completions(usage, text, word):
	"""What may follow, by the command's usage: its literal words, slots where it wants one, files, else symbols."""
	literal = set(re.findall(r"(?<![\w-])[a-z][a-z0-9_-]*=?(?![\w-])", re.sub(r"\b[A-Z]+\b", " ", usage)))
	found = _words(literal, word)
	if re.search(r"\bID\b", usage) and not text[:len(text) - len(word)].strip():
		found += _words(_slot_ids(), word)
	if found:
		return found
	if "FILE" in usage:
		return gdb.COMPLETE_FILENAME
	if re.search(r"\b(EXPR|GVA|GPA|RANGE)\b", usage):
		return gdb.COMPLETE_EXPRESSION
	return gdb.COMPLETE_NONE


class Passed(gdb.Command):
	"""A command of the monitor."""

	def __init__(self, name, line, usage, prefix=False):
		self._line, self._usage = line, usage
		super().__init__("gv " + name, gdb.COMMAND_DATA, prefix=prefix)

	def invoke(self, argument, from_tty):
		text = argument if argument.startswith("/") else " " + argument if argument else ""
		gv_remote.passed(self._line + text, from_tty)

	def complete(self, text, word):
		return completions(self._usage, text, word or "")


def _documented(base, doc):
	"""gdb takes a command's help from its class."""
	return type(base.__name__, (base,), {"__doc__": doc})


class Gv(gdb.Command):
	"""Commands of gdbvisor, the machine monitor behind the remote target.
Anything that is not listed here is passed on to it as it is: "gv help" lists what it knows."""

	def __init__(self):
		super().__init__("gv", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

	def invoke(self, argument, from_tty):
		gv_remote.passed(argument or "help", from_tty)


def walk_lines(result, describe):
	"""A page walk, a line a level, and where it leads."""
	gva = gv_remote.number(result["gva"])
	yield "%#x %s" % (gva, describe(gva))
	if not result["walk"]:
		yield "  paging is off"
	# 32-bit paging without PAE begins at a page directory
	width = 4 if result["walk"] and result["walk"][0]["level"] == "PD" else 8
	for depth, step in enumerate(result["walk"]):
		entry, at = gv_remote.number(step["entry"]), gv_remote.number(step["entry_gpa"])
		yield "  %s%s[%d] at gpa %#x: %#x%s" % ("  " * depth, step["level"], (at & 0xfff) // width, at, entry,
						      "" if entry & 1 else ", not present")
	if not result["present"]:
		yield "  -> not mapped"
		return
	rights = ["r", "w" if result["writable"] else "-", "x" if result["executable"] else "-"]
	where = "" if result.get("slot") is None else ", slot %s" % result["slot"]
	size = gv_remote.number(result.get("page_size") or 0)
	yield "  -> gpa %#x%s, %s %s%s" % (
		gv_remote.number(result["gpa"]), ", %dK page" % (size >> 10) if size else "", "".join(rights),
		"user" if result["user"] else "supervisor", where)


def _symbol(address):
	found = re.search(r"<.*>", gdb.Value(address).cast(gdb.lookup_type("char").pointer().pointer())
			  .format_string(symbols=True))
	return found.group(0) if found else ""


def address_of(text):
	"""An address as gdb's expressions have it."""
	if not text.strip():
		raise gdb.GdbError("An address is missing.")
	return gv_remote.address(gdb.parse_and_eval(text))


class Walk(gdb.Command):
	"""Walk the page tables for an address and show each entry.
Usage: gv walk ADDRESS
ADDRESS is any expression of gdb's."""

	def __init__(self):
		super().__init__("gv walk", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

	def invoke(self, argument, from_tty):
		gv_remote.require()
		result = gv_remote.query("translate", "%#x" % address_of(argument))
		gdb.write("\n".join(walk_lines(result, _symbol)) + "\n")


class Translate(gdb.Command):
	"""Translate a virtual address, with the entries, rights, slot and host address.
Usage: gv translate ADDRESS [cr3=EXPR]
ADDRESS is any expression of gdb's."""

	def __init__(self):
		super().__init__("gv translate", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

	def invoke(self, argument, from_tty):
		gv_remote.require()
		found = re.match(r"(.*?)(\s+cr3=.*)?$", argument)
		gv_remote.passed("translate %#x%s" % (address_of(found.group(1)), found.group(2) or ""), from_tty)


UNITS = {"b": 1, "h": 2, "w": 4, "g": 8}
TYPES = {1: "unsigned char", 2: "unsigned short", 4: "unsigned int", 8: "unsigned long long"}
SIGNED = {1: "signed char", 2: "short", 4: "int", 8: "long long"}
FLOATS = {4: "float", 8: "double"}


class ExamineFormat:
	"""gdb's /FMT: a count, a format letter and a unit, of which the last two are remembered."""

	def __init__(self):
		self.letter, self.size = "x", 8

	def parse(self, text):
		found = re.fullmatch(r"(\d*)([a-z]*)", text)
		if not found:
			raise gdb.GdbError('Bad format "%s": a count, one of xduotacfsiz, one of bhwg.' % text)
		count = int(found.group(1) or 1)
		letter, size = self.letter, self.size
		for c in found.group(2):
			if c in UNITS:
				size = UNITS[c]
			elif c in "xduotacfsiz":
				letter = c
				if c == "c":
					size = 1
				elif c in "f" and size not in FLOATS:
					size = 8
				elif c == "a":
					size = 8
			else:
				raise gdb.GdbError('Bad format letter "%s".' % c)
		if letter == "f" and size not in FLOATS:
			raise gdb.GdbError("A float has a unit of w or g.")
		if not 0 < count <= gv_remote.PHYSICAL_MAX // size:
			raise gdb.GdbError("A count of %d is not possible." % count)
		self.letter, self.size = letter, size
		return count


class ExaminePhysical(gdb.Command):
	"""Examine guest-physical memory, as x does virtual memory.
Usage: gv xp/FMT GPA
FMT is a count, one of xduotacfsiz and one of bhwg; GPA any expression of gdb's."""

	def __init__(self):
		self._format = ExamineFormat()
		super().__init__("gv xp", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

	def invoke(self, argument, from_tty):
		gv_remote.require()
		found = re.match(r"(?:/(\S*))?\s*(.*)", argument)
		count = self._format.parse(found.group(1) or "")
		gpa = address_of(found.group(2))
		letter, size = self._format.letter, self._format.size
		if letter == "i":
			gv_remote.passed("xp/%di %#x" % (count, gpa), from_tty)
		elif letter == "s":
			self._strings(gpa, count)
		else:
			self._items(gpa, count, letter, size)

	@staticmethod
	def _items(gpa, count, letter, size):
		data = gv_remote.physical(gpa, count * size)
		name = FLOATS[size] if letter == "f" else SIGNED[size] if letter in "dc" else TYPES[size]
		kind = gdb.lookup_type(name)
		row = {1: 8, 2: 8, 4: 4, 8: 2}[size]
		for i in range(0, count, row):
			values = [gdb.Value(data[k * size:(k + 1) * size], kind) for k in range(i, min(i + row, count))]
			texts = [v.format_string(format=letter) for v in values]
			gdb.write("%#x:\t%s\n" % (gpa + i * size, "\t".join(texts)))

	@staticmethod
	def _strings(gpa, count):
		for _ in range(count):
			text = b""
			while b"\0" not in text and len(text) < 4096:
				# not over the end of a page: the next one may be missing
				at = gpa + len(text)
				text += gv_remote.physical(at, min(256, 4096 - at % 4096))
			text, _, _ = text.partition(b"\0")
			gdb.write('%#x:\t"%s"\n' % (gpa, text.decode("latin-1").encode("unicode_escape").decode()))
			gpa += len(text) + 1


_learned = False


def learn(event=None):
	"""Makes the monitor's commands gdb's, once a gdbvisor has been seen."""
	global _learned
	if _learned:
		return
	try:
		if not gv_remote.present():
			return
		groups = gv_remote.query("help")["groups"]
	except (gdb.error, gdb.GdbError, KeyError, TypeError):
		return
	_learned = True
	own = set(SHORT) | {"walk", "translate", "xp", "kaslr", "uefi"}
	families = {}
	for row in (row for group in groups for row in group["commands"]):
		first, _, second = row["name"].partition(" ")
		usage = row.get("args", "")
		doc = "%s.\nUsage: gv %s %s\n%s" % (row["brief"][:1].upper() + row["brief"][1:], row["name"], usage,
						   "A command of gdbvisor's monitor.")
		if second:
			if first not in families and first not in own:
				families[first] = True
				_documented(Passed, "The monitor's commands of %s." % first)(first, first, "", True)
			if first in families:
				_documented(Passed, doc)(row["name"], row["name"], usage)
		elif first not in own:
			_documented(Passed, doc)(first, first, usage, first in {r["name"].split()[0] for g in groups
				for r in g["commands"] if " " in r["name"]})
			families[first] = True


def install():
	Gv()
	Walk()
	Translate()
	ExaminePhysical()
	for name, (line, doc) in SHORT.items():
		found = re.search(r"Usage: gv \w+ (.*)", doc)
		_documented(Passed, doc)(name, line, found.group(1) if found else "")
	gdb.events.stop.connect(learn)
	if gdb.selected_inferior().connection is not None:
		learn()

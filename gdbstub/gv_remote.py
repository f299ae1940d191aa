# SPDX-License-Identifier: GPL-3.0-or-later
"""The remote: whether it is a gdbvisor, and its monitor, asked for JSON."""

import json

import gdb

# Connections by number: whether it is a gdbvisor.  Asked once of each.
_known = {}


class MonitorError(gdb.GdbError):
	"""What the monitor answered; gdb shows it without a traceback."""


def _forget(event):
	_known.pop(event.connection.num, None)


gdb.events.connection_removed.connect(_forget)


def _ask(line):
	"""The JSON object a monitor command answers, or None: it answers something else."""
	text = gdb.execute("monitor " + line, False, True)
	try:
		# with `set trace-commands on` the command stands before it
		answer = json.loads(text[text.find("{"):])
	except ValueError:
		return None
	return answer if isinstance(answer, dict) and ("result" in answer or "error" in answer) else None


def present():
	"""Whether the current inferior is a gdbvisor's."""
	connection = gdb.selected_inferior().connection
	if connection is None or connection.type not in ("remote", "extended-remote"):
		return False
	if connection.num not in _known:
		try:
			answer = _ask("info status -j")
		except gdb.error:
			answer = None
		_known[connection.num] = bool(answer) and answer.get("command") == "info status"
	return _known[connection.num]


def require():
	if not present():
		raise gdb.GdbError("The current target is not a gdbvisor.")


def cpu():
	"""The vCPU of gdb's selected thread."""
	thread = gdb.selected_thread()
	if thread is None or thread.ptid[1] < 1:
		raise gdb.GdbError("No thread is selected.")
	return thread.ptid[1] - 1


def _select():
	"""The monitor's commands are about its own selected vCPU: make that gdb's."""
	if len(gdb.selected_inferior().threads()) > 1:
		gdb.execute("monitor cpu %d -j" % cpu(), False, True)


def query(name, args=""):
	"""What command NAME has to say, as the object its -j prints."""
	require()
	_select()
	answer = _ask(("%s -j %s" % (name, args)).strip())
	if answer is None:
		raise MonitorError("%s: the monitor's answer is not understood" % name)
	if "error" in answer:
		raise MonitorError(answer["error"])
	return answer.get("result")


def passed(line, from_tty):
	"""Runs LINE in the monitor, its output going where gdb's goes."""
	require()
	_select()
	gdb.execute("monitor " + line, from_tty, False)


def number(text):
	"""A number in the monitor's JSON, where wide ones are text."""
	return int(text, 0) if isinstance(text, str) else int(text)


def address(value):
	"""A value of gdb's as an address; of a function or an object, where it is."""
	if value.type.strip_typedefs().code in (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_STRUCT,
						gdb.TYPE_CODE_UNION):
		value = value.address
	return int(value) & (1 << 64) - 1


PHYSICAL_MAX = 65536


def physical(gpa, size):
	"""SIZE bytes of guest-physical memory."""
	data = b""
	if size < 0 or size > PHYSICAL_MAX:
		raise gdb.GdbError("%d bytes at once are too many: %d are the most." % (size, PHYSICAL_MAX))
	if gpa < 0 or gpa + size > 1 << 64:
		raise gdb.GdbError("No such physical address.")
	while len(data) < size:
		left = size - len(data)
		unit, count, letter = (8, min(left // 8, 512), "g") if left >= 8 else (1, left, "b")
		result = query("xp/%dx%s" % (count, letter), "%#x" % (gpa + len(data)))
		for item in result["items"]:
			data += number(item["value"]).to_bytes(unit, "little")
	return data

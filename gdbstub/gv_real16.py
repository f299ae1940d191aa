# SPDX-License-Identifier: GPL-3.0-or-later
"""
A frame unwinder for 16-bit code.  gdb's own ones know nothing of segments, of far calls and of code without frames.

A frame is left by the instructions that lie before its pc, so those are followed, with the real stack and the real
bp, until one returns: that says where the caller is, how it was called (near, far, by an interrupt), and what of its
registers was saved, at every instruction of a function and without symbols.  Code that never returns is looked at
otherwise: as a chain of bp, then as something that was called from a place that is still on the stack.

This module's first half is pure: it sees memory through a function and registers as a dict, so it is tested without
a machine.
"""

import collections

MAX_INSNS = 1500        # followed for one frame
MAX_STACK_WORDS = 48    # searched for a return address

GENERAL = ("ax", "cx", "dx", "bx", "sp", "bp", "si", "di")
SEGMENTS = ("es", "cs", "ss", "ds", "fs", "gs")

Insn = collections.namedtuple("Insn", "length kind arg osize")
# What leaves a frame: its caller's registers by their 16-bit names, with ip, cs, and the kind of return.
Exit = collections.namedtuple("Exit", "registers kind saved")


class Unreadable(Exception):
	"""Memory that is not there."""


class Code:
	"""Linear memory with the bytes kept that were read once; FETCH(address, length) raises Unreadable."""

	CHUNK = 64

	def __init__(self, fetch):
		self.fetch = fetch
		self.chunks = {}

	def byte(self, address):
		base = address & -self.CHUNK
		chunk = self.chunks.get(base)
		if chunk is None:
			try:
				chunk = bytes(self.fetch(base, self.CHUNK))
			except Unreadable:
				chunk = b""
			self.chunks[base] = chunk
		if not chunk:
			raise Unreadable
		return chunk[address - base]

	def little(self, address, size):
		return sum(self.byte(address + i) << 8 * i for i in range(size))


# -- decoding: lengths, and what moves ip, sp or bp (Intel SDM volume 2, appendix A) --

def _opcodes(text):
	found = set()
	for word in text.split():
		first, _, last = word.partition("-")
		found.update(range(int(first, 16), int(last or first, 16) + 1))
	return frozenset(found)


_ARITH = [base + n for base in range(0, 0x40, 8) for n in range(4)]
_MODRM = frozenset(_ARITH) | _opcodes("62 63 69 6b 80-8f c0 c1 c4-c7 d0-d3 d8-df f6 f7 fe ff")
_BYTE = _opcodes("04 0c 14 1c 24 2c 34 3c 6a 6b 70-7f 80 82 83 a8 b0-b7 c0 c1 c6 cd d4 d5 e0-e7 eb")
_WORD = _opcodes("05 0d 15 1d 25 2d 35 3d 68 69 81 a9 b8-bf c7 e8 e9")
_BARE_0F = _opcodes("05-09 0b 0e 30-37 77 80-8f a0-a2 a8-aa c8-cf")
_BYTE_0F = _opcodes("70-73 a4 ac ba c2 c4-c6")
_PREFIXES = _opcodes("26 2e 36 3e 64-67 f0 f2 f3")

_SEGMENT_PUSH = {0x06: "es", 0x0e: "cs", 0x16: "ss", 0x1e: "ds"}
_SEGMENT_POP = {0x07: "es", 0x17: "ss", 0x1f: "ds"}
_PLAIN = {
	0x60: "pusha", 0x61: "popa", 0x9c: "pushf", 0x9d: "popf", 0xc9: "leave",
	0xc3: "ret", 0xcb: "retf", 0xcf: "iret",
}


def _signed(value, size):
	return value - (1 << 8 * size) if value >> 8 * size - 1 else value


def decode(code, base, ip):
	"""
	The instruction at BASE + IP.  Kinds that are None do not matter here; "end": nothing is known behind it.
	"""
	at = start = ip
	osize = asize = 2

	def take(size):
		nonlocal at
		value = 0
		for i in range(size):
			value |= code.byte(base + (at + i & 0xffff)) << 8 * i
		at += size
		return value

	op = take(1)
	while op in _PREFIXES and at - start < 14:
		if op == 0x66:
			osize = 4
		elif op == 0x67:
			asize = 4
		op = take(1)
	two = op == 0x0f
	if two:
		op = take(1)
	mod = reg = rm = None
	if two and op in (0x38, 0x3a):
		take(1)
		has_modrm, imm = True, op == 0x3a
	elif two:
		has_modrm, imm = op not in _BARE_0F, op in _BYTE_0F
		if 0x80 <= op <= 0x8f:
			has_modrm = False
	else:
		has_modrm, imm = op in _MODRM, False
	displacement = 0
	if has_modrm:
		byte = take(1)
		if two and 0x20 <= op <= 0x26:
			byte |= 0xc0                    # control and debug registers: always a register
		mod, reg, rm = byte >> 6, byte >> 3 & 7, byte & 7
		sib = None
		if mod != 3 and asize == 4 and rm == 4:
			sib = take(1)
		if asize == 2:
			size = 2 if mod == 2 or (mod == 0 and rm == 6) else 1 if mod == 1 else 0
		else:
			size = 4 if mod == 2 or (mod == 0 and (sib or rm) & 7 == 5) else 1 if mod == 1 else 0
		displacement = _signed(take(size), size) if size else 0

	def done(kind=None, arg=None):
		return Insn(at - start, kind, arg, osize)

	if two:
		if 0x80 <= op <= 0x8f:
			distance = _signed(take(osize), osize)
			return done("jcc", at + distance & 0xffff)
		if imm:
			take(1)
		if op in (0xa0, 0xa8):
			return done("push", "fs" if op == 0xa0 else "gs")
		if op in (0xa1, 0xa9):
			return done("pop", "fs" if op == 0xa1 else "gs")
		if op == 0x22 and reg == 0 or op == 0x01 and reg == 6 or op == 0x0b:
			return done("end")              # another mode begins; ud2
		return done()
	if op in _PLAIN:
		return done(_PLAIN[op], 0)
	if op in _SEGMENT_PUSH:
		return done("push", _SEGMENT_PUSH[op])
	if op in _SEGMENT_POP:
		return done("pop", _SEGMENT_POP[op])
	if 0x91 <= op <= 0x97:
		return done("set", (GENERAL[op & 7], None))     # xchg with ax
	if 0x40 <= op <= 0x4f:
		return done("add", (GENERAL[op & 7], 1 if op < 0x48 else -1))
	if 0x50 <= op <= 0x57:
		return done("push", GENERAL[op & 7])
	if 0x58 <= op <= 0x5f:
		return done("pop", GENERAL[op & 7])
	if op in (0x9a, 0xea):
		offset = take(osize)
		return done("callf" if op == 0x9a else "jmpf", (take(2), offset & 0xffff))
	if op in (0xc2, 0xca):
		return done("ret" if op == 0xc2 else "retf", take(2))
	if op == 0xc8:
		return done("enter", (take(2), take(1)))
	if 0xa0 <= op <= 0xa3:
		take(asize)
		return done()
	value = 0
	if op in _BYTE or (op == 0xf6 and reg < 2):
		value = _signed(take(1), 1)
	if op in _WORD or (op == 0xf7 and reg < 2):
		value = _signed(take(osize), osize)
	if op in (0x68, 0x6a):
		return done("push", value)
	if 0x70 <= op <= 0x7f or 0xe0 <= op <= 0xe3:
		return done("jcc", at + value & 0xffff)
	if op in (0xe8, 0xe9, 0xeb):
		return done("call" if op == 0xe8 else "jmp", at + value & 0xffff)
	if op == 0xff and reg in (2, 3):
		return done("call" if reg == 2 else "callf")
	if op == 0xff and reg in (4, 5):
		return done("end")
	if op == 0xff and reg == 6:
		return done("push", None)
	if op == 0x8f:
		return done("pop", GENERAL[rm] if mod == 3 else None)
	if 0xb8 <= op <= 0xbf:
		return done("set", (GENERAL[op & 7], value & 0xffff))
	if mod == 3 and op in (0x81, 0x83) and reg in (0, 5):
		return done("add", (GENERAL[rm], value if reg == 0 else -value))
	if mod == 3 and op in (0x89, 0x8b):
		target, source = (rm, reg) if op == 0x89 else (reg, rm)
		return done("move", (GENERAL[target], GENERAL[source], 0))
	if op == 0x8d and asize == 2 and mod in (1, 2) and rm == 6:
		return done("move", (GENERAL[reg], "bp", displacement))
	if op == 0x8d:
		return done("set", (GENERAL[reg], None))
	if mod == 3 and op in (0x81, 0x83, 0xc7, 0xf7, 0xd1, 0xd3, 0xc1) and not (op in (0x81, 0x83) and reg == 7):
		return done("set", (GENERAL[rm], None))
	# arithmetic, not cmp, on word registers
	if op < 0x38 and op & 7 in (1, 3) and (mod == 3 or op & 7 == 3):
		return done("set", (GENERAL[rm if op & 7 == 1 else reg], None))
	if op == 0x8b:
		return done("set", (GENERAL[reg], None))
	return done()


# -- following code --

class State:
	"""Registers and the stack as they are when the code up to here has run; None: not known."""

	__slots__ = ("code", "r", "ip", "base", "stack_base", "written", "saved")

	def __init__(self, code, registers, base, stack_base):
		self.code, self.r, self.base, self.stack_base = code, dict(registers), base, stack_base
		self.ip = registers["ip"]
		self.written, self.saved = {}, frozenset()

	def copy(self):
		new = State(self.code, self.r, self.base, self.stack_base)
		new.ip, new.written, new.saved = self.ip, dict(self.written), self.saved
		return new

	def read(self, offset):
		"""The word at ss:OFFSET."""
		offset &= 0xffff
		if offset in self.written:
			return self.written[offset]
		return self.code.little(self.stack_base + offset, 2)

	def push(self, value, size=2):
		sp = self.r["sp"]
		if sp is None:
			return
		sp = sp - size & 0xffff
		self.written[sp] = None if value is None else value & 0xffff
		if size == 4:
			self.written[sp + 2 & 0xffff] = None
		self.r["sp"] = sp

	def pop(self, size=2):
		sp = self.r["sp"]
		if sp is None:
			return None
		value = self.read(sp)
		self.r["sp"] = sp + size & 0xffff
		return value

	def restore(self, name, size=2):
		"""Pops a register; it was the caller's if the code followed has not pushed it itself."""
		sp = self.r["sp"]
		mine = sp is not None and sp not in self.written
		value = self.pop(size)
		if name:
			self.r[name] = value
			self.r["upper " + name] = self.read(sp + 2) if size == 4 and mine else None
			if mine:
				self.saved |= {name}


def _run(s, insn):
	"""Carries out what INSN does to S, jumps apart."""
	kind, arg, size = insn.kind, insn.arg, insn.osize
	if kind == "push":
		s.push(s.r.get(arg) if isinstance(arg, str) else arg, size)
	elif kind == "pop":
		s.restore(arg, size)
	elif kind == "pusha":
		values = [s.r.get(name) for name in GENERAL]
		for value in values:
			s.push(value, size)
	elif kind == "popa":
		for name in reversed(GENERAL):
			s.restore(name if name != "sp" else None, size)
	elif kind == "pushf":
		s.push(None, size)
	elif kind == "popf":
		s.pop(size)
	elif kind == "leave":
		s.r["sp"] = s.r["bp"]
		s.restore("bp", size)
	elif kind == "enter":
		s.push(s.r["bp"], size)
		s.r["bp"] = s.r["sp"]
		if s.r["sp"] is not None:
			s.r["sp"] = None if arg[1] else s.r["sp"] - arg[0] & 0xffff
	elif kind == "add":
		name, value = arg
		if s.r.get(name) is not None:
			s.r[name] = s.r[name] + value & 0xffff
	elif kind == "move":
		target, source, value = arg
		known = s.r.get(source)
		s.r[target] = None if known is None else known + value & 0xffff
	elif kind == "set":
		s.r[arg[0]] = arg[1]


def first_return(code, base, ip):
	"""The return that code at IP comes to first, as an Insn; None: none was found."""
	seen, todo = set(), [ip]
	while todo:
		at = todo.pop()
		while at not in seen and len(seen) < 300:
			seen.add(at)
			try:
				insn = decode(code, base, at)
			except Unreadable:
				break
			if insn.kind in ("ret", "retf"):
				return insn
			if insn.kind in ("jcc", "jmp"):
				todo.append(insn.arg)
			if insn.kind in ("jmp", "jmpf", "iret", "end"):
				break
			at = at + insn.length & 0xffff
	return None


def _call(s, insn):
	"""Takes off S's stack what the function called takes off beyond its return address."""
	if insn.arg is None or s.r["sp"] is None:
		return
	far = insn.kind == "callf"
	base, ip = (insn.arg[0] << 4, insn.arg[1]) if far else (s.base, insn.arg)
	last = first_return(s.code, base, ip)
	if last:
		pushed_cs = last.osize if last.kind == "retf" and not far else 0
		s.r["sp"] = s.r["sp"] + last.arg + pushed_cs & 0xffff


def reaches(code, base, ip, wanted):
	"""Whether code that begins at IP can come to WANTED without a return."""
	seen, todo = set(), [ip]
	while todo:
		at = todo.pop()
		while at not in seen and len(seen) < MAX_INSNS:
			if at == wanted:
				return True
			seen.add(at)
			try:
				insn = decode(code, base, at)
			except Unreadable:
				break
			if insn.kind in ("jcc", "jmp"):
				todo.append(insn.arg)
			if insn.kind in ("jmp", "jmpf", "ret", "retf", "iret", "end"):
				break
			at = at + insn.length & 0xffff
	return False


def call_before(code, base, ip, far):
	"""The call that IP is behind, or None.  A near call with cs pushed before it is a far one."""
	for length in range(2, 9):
		if length > ip:
			break
		try:
			insn = decode(code, base, ip - length)
			if insn.length != length:
				continue
			if insn.kind == ("callf" if far else "call"):
				return insn
			if far and insn.kind == "call" and code.byte(base + ip - length - 1) == 0x0e:
				return insn
		except Unreadable:
			continue
	return None


def _leave(s, insn):
	"""The Exit that the return INSN makes of S, or None when that cannot be one."""
	if s.r["sp"] is None:
		return None
	s = s.copy()
	size = insn.osize
	ip = s.pop(size)
	cs, base, flags = s.r["cs"], s.base, None
	if insn.kind != "ret":
		cs = s.pop(size)
		base = None if cs is None else cs << 4
	if insn.kind == "iret":
		flags = s.pop(size)
		if flags is None or flags & 0x802a != 2:
			return None
	if ip is None or cs is None:
		return None
	if insn.kind != "iret" and not call_before(s.code, base, ip, insn.kind == "retf"):
		return None
	try:
		s.code.byte(base + ip)
	except Unreadable:
		return None
	s.r["sp"] = s.r["sp"] + (insn.arg or 0) & 0xffff
	s.r.update(ip=ip, cs=cs, flags=flags, base=base)
	return Exit(s.r, insn.kind, s.saved)


def way_out(code, registers, base, stack_base):
	"""
	Follows the code at REGISTERS (the 16-bit ones by name, ip and cs) to a return.  BASE and STACK_BASE are
	the bases of cs and ss.  The Exit, or None.
	"""
	seen = set()
	todo = [State(code, registers, base, stack_base)]
	while todo:
		s = todo.pop()
		while len(seen) < MAX_INSNS:
			key = (s.base, s.ip, s.r["sp"])
			if key in seen:
				break
			seen.add(key)
			try:
				insn = decode(code, s.base, s.ip)
				if insn.kind in ("ret", "retf", "iret"):
					found = _leave(s, insn)
					if found:
						return found
					break
				_run(s, insn)
			except Unreadable:
				break
			behind = s.ip + insn.length & 0xffff
			if insn.kind == "end":
				break
			if insn.kind == "jmpf":
				s.r["cs"], s.ip = insn.arg
				s.base = s.r["cs"] << 4
				continue
			if insn.kind == "jmp":
				s.ip = insn.arg
				continue
			if insn.kind == "jcc":
				other = s.copy()
				other.ip = insn.arg
				todo.append(other)
			elif insn.kind in ("call", "callf"):
				_call(s, insn)
			s.ip = behind
	return None


def _called_at(code, registers, base, stack_base, offset):
	"""The caller whose return address is at ss:OFFSET, near or far, with what the call went to; or None."""
	ip = code.little(stack_base + offset, 2)
	cs = code.little(stack_base + (offset + 2 & 0xffff), 2)
	for far, at in ((False, base), (True, cs << 4)):
		call = call_before(code, at, ip, far)
		if call:
			found = dict(registers, ip=ip, sp=offset + (4 if far else 2) & 0xffff, flags=None, base=at)
			if far:
				found["cs"] = cs
			return found, call, far
	return None


def by_frame_pointer(code, registers, base, stack_base):
	"""The caller as a chain of bp has it; only where bp can be a frame's: above sp, with a call behind it."""
	bp, sp = registers["bp"], registers["sp"]
	if bp < sp or bp > 0xfffa or bp & 1:
		return None
	try:
		older = code.little(stack_base + bp, 2)
		found = _called_at(code, registers, base, stack_base, bp + 2)
	except Unreadable:
		return None
	if not found or (older and older <= bp):
		return None
	found[0]["bp"] = older
	return Exit(found[0], "retf" if found[2] else "ret", frozenset(["bp"]))


def by_stack_search(code, registers, base, stack_base):
	"""The caller of code that never returns: behind a call, on the stack, to what leads to where it is."""
	ip = registers["ip"]
	for i in range(MAX_STACK_WORDS):
		offset = registers["sp"] + 2 * i
		if offset > 0xfffc:
			break
		try:
			found = _called_at(code, registers, base, stack_base, offset)
		except Unreadable:
			break
		if not found:
			continue
		target = found[1].arg
		if isinstance(target, tuple):
			target = target[1] if target[0] << 4 == base else None
		if target is not None and reaches(code, base, target, ip):
			return Exit(found[0], "retf" if found[2] else "ret", frozenset())
	return None


def caller(code, registers, base, stack_base):
	"""The frame that REGISTERS' one returns to, or None: it is the outermost."""
	for method in (way_out, by_frame_pointer, by_stack_search):
		found = method(code, registers, base, stack_base)
		if found:
			return found
	return None

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Writes the corpora in fuzz/corpus that can be written by hand: few inputs for each target, small, of every kind that its
code tells apart.  What a fuzzer found worth keeping stands beside them and is not touched.

    python3 fuzz/seeds.py [DIRECTORY]
"""

import gzip
import lzma
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "corpus")


def put(target, name, data):
	os.makedirs(os.path.join(OUT, target), exist_ok=True)
	with open(os.path.join(OUT, target, name), "wb") as f:
		f.write(data)


# -- session: fuzz/session.c --

SESSIONS = {
	"memory": ["?", "g", "m1000,40", "M2000,4:01020304", "m2000,4", "x1000,20", "X2010,3:abc", "m7ff0,20", "mffffffffffffffff,2",
		   "qCRC:1000,100", "qSearch:memory:1000;1000;abc", "qMemTags:0,1:1"],
	"registers": ["p0", "p10", "P0=0000000000000000", "P10=0010000000000000", "g", "G00", "qRegisterInfo0", "Hg2", "Hc-1",
		      "qSupported:xmlRegisters=i386;multiprocess+;swbreak+", "qXfer:features:read:target.xml:0,1000"],
	"breaks": ["Z0,1010,1", "Z1,1020,1", "Z2,1100,8", "Z3,1200,4", "Z4,1300,1", "vCont;c", "\x02", "z0,1010,1", "z1,1020,1", "z2,1100,8",
		   "Z0,1010,1;X6,260122;cmds:1,4,22", "Z0,1040,1;X3,220127", "vCont;c", "vCont;s:1;c"],
	"running": ["vCont?", "vCont;c", "\x02", "\x03", "vCont;r1000,1010:1", "s", "S05;1010", "c1000", "\x05", "\x03", "\x04\x02\x01\x01",
		    "vCtrlC", "vCont;t", "vRun;", "R00", "!"],
	"nonstop": ["QNonStop:1", "vCont;c", "vCont;t:1", "\x03", "vStopped", "vStopped", "?", "vStopped", "QNonStop:0", "D;1"],
	"queries": ["qfThreadInfo", "qsThreadInfo", "qThreadExtraInfo,1", "qXfer:threads:read::0,1000", "qXfer:memory-map:read::0,400",
		    "qXfer:exec-file:read:1:0,100", "qXfer:auxv:read::0,100", "qAttached", "qSymbol::", "qC", "qOffsets", "qTStatus", "qHostInfo",
		    "qMemoryRegionInfo:1000", "jThreadsInfo", "qProcessInfo", "qGDBServerVersion", "vFile:setfs:0",
		    "vFile:open:2f66616b652e656c66,0,0", "vFile:pread:0,100,0", "vFile:fstat:0", "vFile:close:0"],
	"commands": ["qRcmd,6563686f206869", "qRcmd,77616974", "\x06\x01", "qRcmd,6661696c", "qRcmd,626967", "\x07\x01", "vCont;c", "\x07", "k"],
	"noise": ["\x01$g#00", "\x01$qC#b4", "\x01+++-", "\x01$m10*\"00,4}#", "\x01$$$#", "\x03", "vMustReplyEmpty"],
	"agent": ["QTDV:1:0:0:78", "Z0,1000,1;X10,2d0122000220010a0013230f2227", "vCont;c", "qTV:1", "QTinit", "QPassSignals:", "QThreadEvents:1",
		  "QCatchSyscalls:1", "QEnableErrorStrings:1"],
}


def sessions():
	for what, (name, lines) in enumerate(sorted(SESSIONS.items())):
		for kind in (0x16, 0x08):
			put("session", "%s-%02x" % (name, kind), bytes([kind + what % 3]) + "\n".join(lines).encode("latin-1"))
	# One of each of the table's, but for those that end the session.
	packets = []
	with open(os.path.join(HERE, os.pardir, "tests", "rsp", "packets.txt")) as f:
		for line in f:
			if line.strip() and line[0] not in "#Dk":
				packet = line.split(" ")[1].encode().decode("unicode_escape").encode("latin-1")
				if packet[:1] >= b"\x10" and b"\n" not in packet:
					packets.append(packet)
	for i in range(0, len(packets), 20):
		put("session", "table-%d" % (i // 20), b"\x16!\n" + b"\n".join(packets[i:i + 20]) + b"\nQThreadSuffixSupported\n"
		    b"QListThreadsInStopReply\ng;thread:1;\nQSaveRegisterState;thread:1;")


# -- agent: fuzz/agent.c; opcodes of gdb's manual, "Bytecode Descriptions" --

def agents():
	for name, code in (
		("add", "01 22 02 22 03 02 27"), ("memory", "01 23 1000 19 27"), ("register", "01 26 0010 22 05 13 27"),
		("branch", "01 22 01 20 0007 27 22 02 27"), ("loop", "01 22 05 22 01 03 28 20 0002 27"),
		("variable", "01 22 07 2d 0001 29 2c 0001 27"), ("shifts", "01 25 0123456789abcdef 22 04 09 22 03 0a 22 02 0b 27"),
		("print", "00 23 1000 22 07 34 02 0009 2578202573202564 00 27"), ("divide", "01 22 07 22 00 05 27"),
		("stack", "01 22 01 22 02 22 03 33 2b 32 01 29 29 27"), ("extend", "01 24 80000000 16 20 2a 08 27"),
	):
		put("agent", name, bytes.fromhex(code.replace(" ", "")))


# -- expr, monitor --

def texts():
	for i, text in enumerate(("1+2*3", "*(u16)($pc+2)", "main+0x10", "a?b:c?d:e", "(1<<63)>>63", "~-!+1", "'\\n'+'a'", "4K+2M", "1&&z||*15",
				  "*(u8)*(u32)*(u64)0x10", "((((1))))", ".text.start%7", "1 <= 2 == 3 != 4 ^ 5 | 6 & 7", "0x", "1/0")):
		put("expr", "%02d" % i, text.encode())
	table = os.path.join(HERE, os.pardir, "monitor")
	rows = set()
	for name in sorted(os.listdir(table)):
		if name.startswith("cmd_") and name.endswith(".c"):
			with open(os.path.join(table, name)) as f:
				rows.update(re.findall(r'^\t\{ "([a-z][a-z -]*)", ', f.read(), re.M))
	rows = sorted(rows)
	for i in range(0, len(rows), 12):
		part = rows[i:i + 12]
		put("monitor", "plain-%02d" % (i // 12), b"\x04" + "\n".join(part).encode())
		put("monitor", "args-%02d" % (i // 12), b"\x05" + "\n".join(r + " 0x1000 4K 1" for r in part).encode())
	for name, text in {
		"slots": "\x00slot add 5 0x200000 64K anon log\nslot split 5 32K\nslot move 5 3M\nslot flags 5 ro\ninfo slots\nslot del 5\ndirty 0\n"
			 "slot add 6 3M 64K alias 0x1000 ro\nslot add 7 4M 64K f@4K\nmap\ndirty diff 0\nheat 0",
		"breaks": "\x04b main\nbreak 0x1010 if $rax==5\nwatch 0x1100 8\ncommands 1\np $rip\nend\nc\ninfo breaks\nignore 1 3\ndelete\ncatch exception 14",
		"look": "\x04x/4xb 0x1000\nx/3i $pc\nxp/2g 0\np/x $rax+1\np $eflags\nset $rax=7\ninfo registers\ninfo mem\nbt\ndisas main\nwrite 0x2000 1 2 3",
		"script": "\x02plan 3\nassert 1==1 one\nassert $rax==0\nstep\nwait 10\nexpect output booted\necho done\nquit 3",
		"script-bad": "\x02p 1\nx/999999999xg 0\nassert 0\np 2",
		"repeat": "\x00step\n\n\nx/2xw 0\n\n\nhelp x\nhelp slot\ncpu 1\ncpu 7\nalias\ninfo devices -j\np 1 # text\n-j p 1",
	}.items():
		put("monitor", name, text.encode("latin-1"))


# -- loaders --

def elf(bits, vaddr, paddr, entry, body, notes=b"", machine=None, kind=2):
	machine = machine or (62 if bits == 64 else 3)
	n = 2 if notes else 1
	ehsize, phsize = (64, 56) if bits == 64 else (52, 32)
	at = 0x100
	ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1, 1]) + bytes(9)
	head = struct.pack("<HHIQQQIHHHHHH" if bits == 64 else "<HHIIIIIHHHHHH", kind, machine, 1, entry, ehsize, 0, 0, ehsize, phsize, n, 0, 0, 0)

	def segment(what, flags, offset, v, p, size, mem):
		if bits == 64:
			return struct.pack("<IIQQQQQQ", what, flags, offset, v, p, size, mem, 4)
		return struct.pack("<IIIIIIII", what, offset, v, p, size, mem, flags, 4)
	data = ident + head + segment(1, 7, at, vaddr, paddr, len(body), len(body) + 0x100)
	if notes:
		data += segment(4, 4, at + len(body), 0, 0, len(notes), len(notes))
	return data.ljust(at, b"\0") + body + notes


def note(name, kind, desc):
	def pad(b):
		return b + bytes(-len(b) % 4)
	return struct.pack("<III", len(name) + 1, len(desc), kind) + pad(name + b"\0") + pad(desc)


def multiboot1(flags=3, addresses=None):
	data = struct.pack("<III", 0x1badb002, flags, -(0x1badb002 + flags) & 0xffffffff)
	if addresses:
		data += struct.pack("<IIIII", *addresses) + struct.pack("<IIII", 0, 80, 25, 0)
	return data


def multiboot2(*tags):
	body = b"".join(t + bytes(-len(t) % 8) for t in tags) + struct.pack("<HHI", 0, 0, 8)
	length = 16 + len(body)
	return struct.pack("<IIII", 0xe85250d6, 0, length, -(0xe85250d6 + length) & 0xffffffff) + body


def tag(kind, *words, flags=0):
	return struct.pack("<HHI", kind, flags, 8 + 4 * len(words)) + struct.pack("<%dI" % len(words), *words)


def bzimage(payload=b"", version=0x20f, flags=1, xload=3):
	"""The boot protocol's header (Documentation/arch/x86/boot.rst), one setup sector beside the first."""
	head = bytearray(1024)
	code = bytearray(b"\xf4" * 0x400)
	code[0x300:0x300 + len(payload)] = payload
	head[0x1f1] = 1
	head[0x1fe:0x200] = b"\x55\xaa"
	struct.pack_into("<I", head, 0x1f4, len(code) // 16)
	head[0x200:0x202] = b"\xeb\x6a"
	head[0x202:0x206] = b"HdrS"
	struct.pack_into("<H", head, 0x206, version)
	head[0x211] = flags
	struct.pack_into("<I", head, 0x214, 0x100000)
	struct.pack_into("<I", head, 0x22c, 0x7fffffff)
	struct.pack_into("<IBBHI", head, 0x230, 0x200000, 1, 21, xload, 2047)
	struct.pack_into("<II", head, 0x248, 0x300 if payload else 0, len(payload))
	struct.pack_into("<Q", head, 0x258, 0x200000)
	struct.pack_into("<I", head, 0x260, 0x20000)
	return bytes(head + code)


def loaders():
	code = bytes.fromhex("b80100000ff4ebfe") * 4
	pvh = note(b"Xen", 18, struct.pack("<I", 0x100000))
	linux = note(b"Linux", 0x100, b"5.10\0\0\0\0") + note(b"GNU", 3, bytes(20))
	images = {
		"elf32": elf(32, 0x100000, 0x100000, 0x100000, code), "elf64": elf(64, 0xffffffff80100000, 0x100000, 0xffffffff80100000, code),
		"dyn64": elf(64, 0, 0x100000, 0, code, kind=3), "pvh": elf(64, 0x100000, 0x100000, 0x100000, code, pvh),
		"vmlinux": elf(64, 0xffffffff80200000, 0x200000, 0x200000, code, linux + pvh), "other": elf(64, 0, 0, 0, code, machine=183),
	}
	for name, data in images.items():
		put("elf", name, b"\x05\x00" + data)
		put("linux", name, b"\x0d\x32" + data)
	# Lists of what is to be relocated behind the ELF, of two kinds and of three.
	for lists in ((0, 0x80200004, 0, 0x80200008), (0, 0x80200004, 0, 0x8020000c, 0, 0x80200008)):
		put("linux", "moved-%d" % len(lists), b"\x2d\x30" + images["vmlinux"] + struct.pack("<%dI" % len(lists), *lists))
	mb = {
		"one": elf(32, 0x100000, 0x100000, 0x100020, multiboot1() + code), "flat": multiboot1(0x10003, (0x100000, 0x100000, 0, 0x110000, 0x100030))
		+ code * 8, "bad": multiboot1(0xffff) + code,
		"two": elf(32, 0x100000, 0x100000, 0x100020, multiboot2(tag(1, 6, 8, 4), tag(6)) + code),
		"two-flat": multiboot2(tag(2, 0x100000, 0x100000, 0, 0x110000), tag(3, 0x100040), tag(10, 0x100000, 0x300000, 4096, 1, flags=1)) + code * 8,
	}
	for name, data in mb.items():
		put("multiboot", name, b"\x0e\x01" + data)
	inner = elf(64, 0xffffffff81000000, 0x1000000, 0x1000000, code * 4)
	sized = gzip.compress(inner, mtime=0) + struct.pack("<I", len(inner))
	put("linux", "bz-gzip", b"\x47\x00" + bzimage(sized))
	put("linux", "bz-xz", b"\x47\x00" + bzimage(lzma.compress(inner, check=lzma.CHECK_CRC32) + struct.pack("<I", len(inner))))
	for i, (how, more) in enumerate(((0x0f, 0), (0x1f, 0), (0x1f, 4), (0x1f, 8), (0xa6, 0x50))):
		put("linux", "bz-%d" % i, bytes([how, more]) + bzimage())
	put("linux", "bz-old", b"\x06\x00" + bzimage(version=0x204, xload=0))


def streams():
	plain = bytes(range(64)) * 20
	lz4 = struct.pack("<I", 0x184c2102) + struct.pack("<I", 12) + b"\xa0" + b"0123456789"
	zstd = bytes.fromhex("28b52ffd2005290000") + b"hello"
	for name, want, data in (
		("gzip", len(plain), gzip.compress(plain, mtime=0)), ("xz", len(plain), lzma.compress(plain)), ("xz-crc32", len(plain),
		lzma.compress(plain, check=lzma.CHECK_CRC32)), ("lzma", len(plain), lzma.compress(plain, format=lzma.FORMAT_ALONE)),
		("lz4", 10, lz4), ("zstd", 5, zstd), ("zlib", len(plain), zlib.compress(plain)), ("bzip2", 10, b"BZh9"),
		("zeros", 1 << 20, gzip.compress(bytes(1 << 20), mtime=0)),
	):
		put("decompress", name, struct.pack("<I", want - 1)[:3] + data)


PROGRAM = """
struct pair { unsigned number; unsigned square : 5, rest : 3; };
struct list_head { struct list_head *next, *prev; };
struct outer { struct list_head l; union { struct { char inner; long bits; }; int i[3]; }; };
enum colour { RED, GREEN = 7 };
struct outer outer;
struct pair table[2];
static inline int twice(int n) { return n * 2; }
int main(int n) { enum colour c = GREEN; table[1].number = n; return twice(n) + c + (int)sizeof(outer); }
"""


def programs():
	"""What the compiler makes of a few lines; without one those that are there stay."""
	with tempfile.TemporaryDirectory() as d:
		with open(os.path.join(d, "a.c"), "w") as f:
			f.write(PROGRAM)
		for name, options in (("dwarf5", ["-gdwarf-5"]), ("dwarf4", ["-gdwarf-4", "-m32"]), ("packed", ["-gdwarf-5", "-gz"]), ("plain", [])):
			try:
				subprocess.run(["gcc", "-O1", "-ffreestanding", "-nostdlib", "-static", "-fno-pie", "-no-pie", "-fcf-protection=none",
						"-fno-asynchronous-unwind-tables", "-Wl,--build-id=none,-n,-Ttext=0x100000,-e,main", *options,
						"-o", "a.elf", "a.c"], cwd=d, check=True, timeout=60)
			except (OSError, subprocess.SubprocessError) as e:
				print("symbols/%s stays as it is: %s" % (name, e), file=sys.stderr)
				continue
			with open(os.path.join(d, "a.elf"), "rb") as f:
				put("symbols", name, b"\x03\x00" + f.read())


# -- walk, devices --

def walks():
	def entry(page, index, low, mid=0, high=0, fill=False):
		return struct.pack("<BHHBB", page | (0x10 if fill else 0), index, low, mid, high)
	look = b"".join(struct.pack("<BQ", i, v) for i, v in enumerate((0, 0x1234, 0x200000, 0xffffffff80000000, 2 ** 64 - 1, 0x800000000000)))
	chain = [entry(1, 0, 0x2007), entry(2, 0, 0x3007), entry(3, 0, 0x4007), entry(3, 1, 0x0087), entry(4, 0, 0x5007), entry(5, 3, 0x0007, 0, 0x80)]
	for name, mode, tables in (
		("long", 0x1b, chain), ("five", 0x1d | 8, chain + [entry(4, 1, 0x6007)]), ("pae", 0x12, [entry(1, 0, 0x2001)] + chain[2:]),
		("plain", 0x00, [entry(1, 0, 0x2007), entry(2, 1, 0x3003)]), ("pse", 0x01, [entry(1, 0, 0x0087), entry(1, 1, 0x1083)]),
		("loop", 0x1b, [entry(1, 0, 0x1007, fill=True)]), ("loop-mixed", 0x0b, [entry(1, 0, 0x1007, fill=True), entry(1, 7, 0), entry(1, 9, 0x1003)]),
		("real", 0x80, []),
	):
		put("walk", name, bytes([mode]) + struct.pack("<H", 0x1000) + bytes([len(tables)]) + b"".join(tables) + look)


def op(code, size=1):
	return code | {1: 0, 2: 0x10, 4: 0x20, 8: 0x30}[size]


def out(r, at, value, size=1, wide=False):
	return bytes([op(2, size), r]) + at.to_bytes(2 if wide else 1, "little") + value.to_bytes(size, "little")


def inp(r, at, size=1, wide=False):
	return bytes([op(0, size), r]) + at.to_bytes(2 if wide else 1, "little")


SHOW, RESET, POLL = b"\x0f", b"\x0d", b"\x1c"
TAMPER = b"\x0e\x02\x10\x00\xff\x40\x00\x01" + b"".join(b"\x0e\x41%c\x0c\xff" % i for i in range(8))


def time(n, shift=0):
	return bytes([7 | shift << 4]) + struct.pack("<H", n)


def devices():
	put("dev_small", "uart", out(0, 3, 0x83) + out(0, 0, 1) + out(0, 3, 3) + out(0, 1, 15) + out(0, 2, 7) + b"\x09\x00\x05hello" +
	    inp(0, 5) + inp(0, 0) + inp(0, 2) + out(0, 0, 65) + out(0, 4, 0x1f) + out(0, 0, 66) + inp(0, 6) + SHOW + TAMPER + RESET)
	# Queues that are full, from which something is taken then.
	put("dev_small", "uart-full", out(0, 2, 1) + b"\x09\x00\x14" + b"0123456789abcdefghij" + inp(0, 0) * 3 + SHOW)
	put("dev_small", "keys-full", (b"\x09\xf1\x27" + b"aB\n" * 13) * 4 + b"".join(b"\x09\xf1" + bytes([n]) + b"a" * n for n in (8, 4, 2, 1)) +
	    inp(1, 0) * 4 + POLL + inp(1, 0) + SHOW)
	put("dev_small", "keyboard", out(1, 4, 0x60) + out(1, 0, 0x47) + b"\x09\x01\x05ab\tAZ" + inp(1, 4) + inp(1, 0) + out(1, 0, 0xf0) + out(1, 0, 2) +
	    inp(1, 0) + out(1, 4, 0xd2) + out(1, 0, 5) + out(1, 4, 0xaa) + inp(1, 0) + time(9999, 8) + SHOW + TAMPER)
	put("dev_small", "clock", b"".join(out(2, 0, i) + inp(2, 1) for i in (0, 2, 4, 10, 11, 12, 13, 0x32)) + out(2, 0, 11) + out(2, 1, 0x72) +
	    out(2, 0, 10) + out(2, 1, 0x2f) + time(60000, 12) + b"\x08\xff\x7f" + out(2, 0, 12) + inp(2, 1) + SHOW + TAMPER)
	put("dev_small", "screen", out(3, 0x24, 14) + out(3, 0x25, 3) + out(3, 0x14, 4) + inp(3, 0x15) + out(3, 0x10, 0x30) + inp(3, 0x2a) + b"\x09\x02" + SHOW)
	put("dev_small", "interrupts", out(4, 0, 0x11) + out(4, 1, 8) + out(4, 1, 4) + out(4, 1, 1) + out(5, 0, 0x11) + out(5, 1, 0x70) + out(5, 1, 2) +
	    out(5, 1, 1) + out(4, 1, 0) + out(5, 1, 0) + b"\x09\x83\x05\x09\x04\x09\x83\x0a\x09\x04" + out(4, 0, 0x20) + SHOW + TAMPER)
	put("dev_small", "timer", b"".join(out(6, 3, 0x30 | m << 1) + out(6, 0, 0x10) + out(6, 0, 0) + time(50000, 4) + inp(6, 0) for m in range(6)) +
	    out(6, 3, 0xb6) + out(6, 2, 1) + out(6, 2, 0) + out(1, 1, 3) + inp(1, 1) + out(6, 3, 0xe2) + b"\x08\xff\xff" + SHOW + TAMPER)
	put("dev_chipset", "config", out(0, 0, 0x80000000, 4) + inp(1, 0, 4) + b"\x09\x00\x59\x33\x09\x01\x60\x09\x09\x24\x00\x09\x80\x00" + inp(2, 0, 4) +
	    out(2, 2, 0x100, 2) + out(2, 4, 0x2001, 2) + time(60000, 8) + out(2, 8, 7, 4) + SHOW + TAMPER + RESET)
	put("dev_firmware", "read", out(0, 0, 0, 2) + b"\x05\x20\x00\x00\x01\x00" + out(0, 0, 0x19, 2) + b"\x05\xff\x00\x00\x01\x00" + inp(3, 0) + out(3, 0, 65))
	dma = struct.pack(">IIQ", 0x19 << 16 | 0x0a, 0x100, 0x2000)
	put("dev_firmware", "dma", b"\x0b\x00\x10\x00\x10" + dma + out(0, 4, 0, 4) + out(0, 8, 0x00100000, 4) + inp(0, 4, 4) + SHOW + TAMPER)
	put("dev_firmware", "dma-read", b"\x09\x0a\x00\x04\x00\x20\x00" + b"\x09\x2a\x19\x00\x01\x00\x20\x00" + b"\x09\x06\x02\x04\x00\x20\x00" + SHOW)
	flash = b"".join(out(4, a, v, 1, True) for a, v in ((0, 0x90), (0, 0x40), (5, 0x12), (0, 0x70), (0, 0xff), (0, 0x20), (0, 0xd0), (0, 0xe8), (0, 3), (1, 1),
							     (2, 2), (3, 3), (4, 4), (0, 0xd0), (0, 0x98)))
	put("dev_firmware", "flash-buffer", out(4, 0, 0xe8, 1, True) + out(4, 0, 3, 1, True) + out(4, 1, 1, 1, True) + out(4, 2, 0x0202, 2, True) +
	    out(4, 4, 4, 1, True) + SHOW + out(4, 0, 0xd0, 1, True) + SHOW)
	put("dev_firmware", "flash", flash + inp(4, 0x10, 4, True) + b"\x09\x01" + SHOW + TAMPER + RESET)
	put("dev_ide", "read", b"\x09\x00\x00\x00\x00\x02\x00\x20" + POLL + inp(0, 7) + b"\x15\x00\x01\x02\x00" + b"\x09\x01\x00\x00\x00\x01\x00\xec" + POLL + SHOW + TAMPER)
	put("dev_ide", "write", b"\x09\x00\x05\x00\x00\x01\x00\x30" + POLL + b"\x15\x00\x01\x02\x55" + POLL + b"\x09\x08\x10\x00\x00\x00\x04\x00\x25" + POLL + RESET)
	put("dev_ide", "cd", b"\x09\x0d\x00\x08\x28" + bytes(7) + b"\x01" + bytes(3) + POLL + b"\x15\x00\x04\x03\x00" + b"\x09\x0d\x00\x08\x12\0\0\0\x24" + bytes(7) + POLL + SHOW)
	put("dev_ide", "dma", b"\x09\x94\x10\x00\x20\x00\x00\x04" + b"\x09\x00\x00\x00\x00\x02\x00\xc8" + POLL + inp(6, 2) + TAMPER)
	for how in range(4):
		put("dev_virtio", "plain-%d" % how, bytes([how | 0x1c]) + inp(0, 0, 4) + b"\x09\x0a\x00\x03\x00\x00\x02" + POLL + b"\x09\x0c\x05hello" +
		    b"\x09\x00\x00\x00\x00\x04\x40\x00\x02\x00" + b"\x09\x04\x00" + POLL + out(3, 0, 0xfee00000, 4) + SHOW + TAMPER)
		put("dev_virtio", "bare-%d" % how, bytes([how]) + b"".join(out(0, 20, v) for v in (0, 1, 3, 11, 15)) + out(0, 8, 1, 4) + out(0, 12, 1, 4) +
		    out(0, 32, 0x10000, 8) + out(0, 28, 1, 2) + inp(1, 0, 8) + RESET + SHOW)


# -- insn, assist, kernel, unpack --

# Of what the decoder and those that carry out tell apart: stack, strings, bit strings, ENTER, XSAVE, gather, debug registers, jumps.
INSTRUCTIONS = """50 8f0424 a4 f3a5 67f3ab 6c 6e 0fab0f 480fab4808 c8100003 c9 0fae27 0fc70f 480fc70f f00fc14f04 8707 9c 9d cf cd80 cc f1 ce
	0f05 0f34 8ed0 17 fb 0f21c1 0f23fe c4e27193040a 62f27d4992040a 62f17c4810070a d7 01c8 4829d8 6683c07f 48c1e003 80f37f 8d440804 488d05000000
	7302 0f8410000000 e2fe ebfe f30f1efa 0f1f440000 6690 fec4 41ffc0 b001 4a8d0423 4f8d4c6508 4d8d6424f8 49bb0102030405060708 0fb6c4 4d0fbfd1 a90000ff00 c6c47f""".split()

CARRIED = """0f28ca 0f2807 c5fc284720 f30fb8c1 0fae07 0fae0f 480fae27 0fae2f 0fc727 0fc71f 0fae17 cf 66cf 0f02c1 0f03c1 0f00e1 0f00e9 0f01f9
	660f388207 0f01d0 0f01ee 0f01ef 0fc70f 480fc70f 62c1 cc cd21 f1 ce 0f01ca 0f01cb d8c1 dc07 dd37 9bdfe0 d9f1 0ffcc1 0f6f07 0f77 660ffe07 f20f5ec1
	c5f458c2 c4e2f1b807 c4e2f0f2d0 c4e3fbf0c803 f2480f38f1c1 f3480fbcc1 62f17c48580f 62f17c4858c1 c5f877 660f3a630f0c 4f2e0f7f0f 9b""".split()


def instructions():
	for i in range(0, len(INSTRUCTIONS)):
		code = bytes.fromhex(INSTRUCTIONS[i])
		put("insn", "op-%02d" % i, bytes([i % 3 if code[0] not in (0x48, 0x49, 0x4d, 0x41) else 0, 0]) + code)
	put("insn", "values", b"\x00\x33\x00\x40\x01\x41\x02\x7e" + bytes.fromhex("d5080000") + b"\x05" + bytes.fromhex("4801c84819d8"))
	for i, text in enumerate(CARRIED):
		code = bytes.fromhex(text)
		mode = 1 if text in ("cf", "66cf", "62c1", "ce") else 0
		put("assist", "op-%02d" % i, bytes([len(code)]) + code + bytes([mode, 0, 0, 1, 160, 0]) + bytes(range(1, 9)) +
		    b"\x02\x00\x07\x10" + bytes(range(16)) + b"\x40\x04\x08" + bytes.fromhex("ffff0000009acf00"))


def kernels():
	ask = {"locate": 0, "tasks": 1, "current": 2, "modules": 3, "symbols": 4, "log": 5, "format": 6, "unpacked": 7}
	every = bytes(v for k, v in ask.items() if k != "format") + b"\x06\xc7\x08\x00\x02" + bytes(8)
	for age in (0, 1, 2, 4, 8, 16, 32, 64):
		put("kernel", "age-%02x" % age, bytes([age, 0]) + every)
	text = b"%-5d|%s|%pK %#llx %c%% %.3s %*d\n\0"
	put("kernel", "format", b"\x00\x08" + b"\xc0\x00\x02" + bytes([len(text)]) + text + b"\x06\xc7\x00\x02\x00" + bytes(8))
	put("kernel", "loop-modules", b"\x00\x08\x1b" + struct.pack("<HH", 1, 1) + b"\x03")
	# Records that are longer than any: of the log that was, and of the one that is.
	put("kernel", "long-old", b"\x01\x08\x24" + struct.pack("<HQ", 0x401, 0x5000 | 0x4ff0 << 16) + b"\x05\x25\x05")
	put("kernel", "long", b"\x00\x18" + b"".join(b"%c" % base + struct.pack("<HQ", at, value) for base, at, value in (
		(0x21, 0x206, 16), (0x24, 2, 0x5000), (0x24, 0x202, 0x4fff))) + b"\x05\x25\x05")
	# init_task's list leads to its own task again; the ring has 2^24 descriptors in memory that is everywhere.
	put("kernel", "loop", b"\x10\x08" + b"\x91" + struct.pack("<HH", 0x0100, 0x220) + b"\x01")
	put("kernel", "huge", b"\x10\x10" + b"\xe1" + struct.pack("<HB", 0x1000, 4) + struct.pack("<I", 24) +
	    b"\xe1" + struct.pack("<HB", 0x1018, 8) + struct.pack("<Q", 0xffffff) + b"\x05\x25\x05")


def unpackers():
	file = bytearray(1024 + 0x400)
	file[0x1f1] = 1
	file[0x600:0x600 + 21] = bytes.fromhex("fc488d35f8fdffff488d8b400300005048cbffe1")[:21].ljust(21, b"\0")
	file[0x740:0x740 + 12] = bytes.fromhex("31c0e8000100004c89feffe0")
	put("unpack", "whole", bytes(file))
	put("unpack", "cut", bytes(file[:0x74b]))


def main():
	sessions()
	instructions()
	kernels()
	unpackers()
	agents()
	texts()
	loaders()
	streams()
	programs()
	walks()
	devices()


main()

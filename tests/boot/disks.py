#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks and CDs that are not what they should be: each one clear line, or an error that the guest is told."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boot
import images
import visor

READY = "boot sector here: "
NAMES = visor.symbols(visor.built("tests/boot/sector.elf"))
STATUS, BLOCK = NAMES["status"][0], NAMES["block"][0]


def path(name):
	return os.path.join(boot.DIR, name)


def write(name, data):
	with open(path(name), "wb") as f:
		f.write(data)
	return path(name)


def sector_disk(name, size=images.SECTOR * 64):
	"""The disk that boots sector.S; its second sector is all 2s."""
	with open(visor.built("tests/boot/sector.bin"), "rb") as f:
		return write(name, (f.read(images.SECTOR) + b"\2" * images.SECTOR).ljust(size, b"\0"))


def refuses(tap, said, what, *args):
	status, out, err = visor.run([visor.GDBVISOR, "-M", "none", "-e", "quit", *args])
	lines = [line for line in err.splitlines() if line]
	tap.ok(status == 66 and len(lines) == 1 and re.search(said, lines[0]), what,
	       "status %s, wanted %s in one line of:\n%s" % (status, said, err))


def bad_files(tap):
	odd, none, good = write("odd", bytes(1000)), write("none", b""), sector_disk("good")
	refuses(tap, "odd: 1000 bytes", "a disk of 1000 bytes", "-d", odd)
	refuses(tap, "none: 0 bytes", "an empty disk", "-d", none)
	refuses(tap, "none: 0 bytes", "an empty CD", "--cdrom=" + none)
	refuses(tap, "odd: 1000 bytes, not one sector", "a CD of less than a sector", "--cdrom=" + odd)
	refuses(tap, "neither a file nor a block device|directory", "a directory as a disk", "-d", boot.DIR)
	refuses(tap, "neither a file nor a block device|No such", "a device that is no disk", "-d", "/dev/null,ro")
	refuses(tap, "good: in use by another disk", "two disks of one file", "-d", good, "-d", good)
	refuses(tap, "good: in use by another disk", "one of them for reading", "-d", good, "-d", good + ",ro")
	for how in ("ro", "snapshot"):
		status, _, err = visor.run([visor.GDBVISOR, "-M", "none", "-e", "quit", "-d", "%s,%s" % (good, how),
					    "-d", "%s,%s" % (good, how)])
		tap.equal(status, 0, "two disks of one file, both %s" % how, err)
	with visor.Visor("-d", good) as v:
		tap.ok(v.target, "a disk in use by one process", v.text)
		refuses(tap, "good: in use by another disk or process", "is refused to another", "-d", good)


class Guest:
	"""sector.S, run by SeaBIOS and typed at through the monitor."""

	def __init__(self, tap, what, disk, *args):
		self.tap, self.what = tap, what
		self.v = visor.Visor("-r", "-M", "unix:{dir}/monitor", "-d", disk, *args)
		tap.ok(self.v.wait_text(READY), what + ": boots", self.v.text)
		self.monitor = visor.connect(self.v.path("monitor"))
		self.seen = ""
		self.typed = 0

	def say(self, *lines):
		"""Runs monitor commands; what was printed since the last time."""
		self.typed += 1
		mark = "said %d" % self.typed
		self.monitor.sendall("".join(line + "\n" for line in (*lines, "echo " + mark)).encode())
		before = len(self.seen)
		while not re.search(mark + r"\r?\n", self.seen[before:]):
			more = self.monitor.recv(65536)
			if not more:
				break
			self.seen += more.decode("utf-8", "replace")
		return self.seen[before:]

	def key(self, key):
		"""Types KEY, `d` or `w`; INT 13h's status, and the first byte of the block."""
		start = len(self.v.text)
		self.say("serial send " + key)
		if not self.v.wait_text(r" done", start=start):
			return None
		text = self.say("stop", "wait 20", "print *(u8)0x%x * 256 + *(u8)0x%x" % (STATUS, BLOCK), "continue")
		value = re.search(r"^0x[0-9a-f]+ = (\d+)", text, re.M)
		return divmod(int(value.group(1)), 256) if value else text

	def fill(self, value):
		"""The block's first byte becomes VALUE."""
		self.say("stop", "wait 20", "write/b 0x%x 0x%x" % (BLOCK, value), "continue")

	def close(self):
		self.monitor.close()
		self.v.close()


def second_sector(disk):
	with open(disk, "rb") as f:
		f.seek(images.SECTOR)
		return f.read(1)


def writes(tap):
	for how, wanted, after, kept in (("", 0, 7, b"\7"), (",snapshot", 0, 7, b"\2"), (",ro", None, 2, b"\2")):
		disk = sector_disk("disk" + how)
		g = Guest(tap, "a disk" + how, disk + how)
		g.fill(7)
		status = g.key("w")
		tap.ok(status and (status[0] == wanted if wanted is not None else status[0]), "a disk%s: a write %s"
		       % (how, "is done" if wanted == 0 else "fails"), status)
		tap.equal(g.key("d"), (0, after), "a disk%s: what is read then" % how)
		g.close()
		tap.equal(second_sector(disk), kept, "a disk%s: and what is in the file" % how)


def changed_while_running(tap):
	disk = sector_disk("shrunk")
	g = Guest(tap, "a disk that shrinks", disk)
	tap.equal(g.key("d"), (0, 2), "a disk that shrinks: is read before")
	os.truncate(disk, images.SECTOR)
	got = g.key("d")
	tap.ok(got and got[0], "a disk that shrinks: the guest is told of an error", got)
	sector_disk("shrunk")
	tap.equal(g.key("d"), (0, 2), "a disk that shrinks: is read when it has grown again")
	g.close()
	disk = sector_disk("removed")
	g = Guest(tap, "a disk that is removed", disk)
	os.unlink(disk)
	tap.equal(g.key("d"), (0, 2), "a disk that is removed: is read as before")
	g.close()


def no_boot(tap, what, said, *args):
	"""A medium that cannot be booted: SeaBIOS says so, and the program ends as it should."""
	status, out, err = visor.run([visor.GDBVISOR, "-M", "none", *args, "-e", "continue", "-e", "expect /%s/ 100" % said,
				      "-e", "quit"])
	tap.equal(status, 0, what, out + err)


def bad_media(tap):
	failed = "No bootable device|Boot failed"
	no_boot(tap, "a CD that is no ISO", failed, "--cdrom=" + write("noise", b"\xa5" * 65536))
	if images.missing(*images.ISOLINUX_NEEDS):
		tap.skip("truncated CDs", images.missing(*images.ISOLINUX_NEEDS))
	else:
		cd = boot.image("good.iso", images.isolinux_cd, "PROMPT 1\n")
		with open(cd, "rb") as f:
			data = f.read()
		catalog = int.from_bytes(data[17 * 2048 + 0x47:][:4], "little")
		image = int.from_bytes(data[catalog * 2048 + 0x28:][:4], "little")
		for what, sectors in (("before its descriptors", 16), ("behind the first descriptor", 17),
				      ("before its boot catalog", catalog), ("before its boot image", image)):
			no_boot(tap, "a CD cut off %s" % what, failed, "--cdrom=" + write("cut", data[:sectors * 2048]))
		no_boot(tap, "a CD cut off in its boot image", "ISOLINUX|" + failed, "--cdrom=" + write("cut",
			data[:(image + 2) * 2048]))
		lies = bytearray(data)
		lies[catalog * 2048 + 0x28:catalog * 2048 + 0x2c] = b"\xff\xff\xff\x7f"
		no_boot(tap, "a CD whose boot catalog lies", failed, "--cdrom=" + write("lies", lies))
	no_boot(tap, "a disk without a boot sector", failed, "-d", write("blank", bytes(1 << 20)))
	if images.missing(*images.GRUB_NEEDS):
		tap.skip("a truncated GRUB disk", images.missing(*images.GRUB_NEEDS))
	else:
		disk = boot.image("grub.img", images.grub_disk, "")
		with open(disk, "rb") as f:
			no_boot(tap, "a GRUB disk cut off behind its MBR", "GRUB.*(Read|Geom) Error|" + failed, "-d",
				write("cutdisk", f.read(images.SECTOR)))


def main():
	visor.need_kvm()
	boot.need("seabios")
	tap = visor.Tap()
	for part in (bad_files, writes, changed_while_running, bad_media):
		part(tap)
	tap.done()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Malformed packets on a real guest: an E-reply, an empty reply or a NACK, and the session goes on."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import client
import visor

# packet, what a right answer starts with
BROKEN = (
	(b"m", b"E"), (b"m,", b"E"), (b"m0", b"E"), (b"m0,", b"E"), (b"mxyz,4", b"E"), (b"m0,xyz", b"E"),
	(b"m0,ffffffffffffffff", b"E"), (b"mffffffffffffffff0,4", b"E"), (b"mffffffffffffffff,4", b"E"),
	(b"m8000000,4", b"E"), (b"m8000000000000000,4", b"E"),
	(b"M0", b"E"), (b"M0,4", b"E"), (b"M0,4:", b"E"), (b"M0,4:00", b"E"), (b"M0,1:zz", b"E"),
	(b"M0,2:000", b"E"), (b"M8000000,1:00", b"E"), (b"M7ffffff,2:0000", b"E"), (b"X0,4:ab", b"E"),
	(b"X8000000,1:a", b"E"), (b"X0,ffffffffffffffff:a", b"E"),
	(b"p", b"E"), (b"pffff", b"E"), (b"pzz", b"E"), (b"P", b"E"), (b"P0", b"E"), (b"P0=", b"E"), (b"P0=zz", b"E"),
	(b"P0=00", b"E"), (b"Pffff=0000000000000000", b"E"), (b"G", b"E"), (b"G00", b"E"), (b"Gzz", b"E"),
	(b"Hg99", b"E"), (b"Hc99", b"E"), (b"Hq1", b""), (b"Hgzz", b"E"), (b"T99", b"E"), (b"T", b"E"), (b"Tzz", b"E"),
	(b"vCont", b"E"), (b"vCont;", b"E"), (b"vCont;q", b"E"), (b"vCont;c:99", b"E"), (b"vCont;r1:1", b"E"),
	(b"vCont;s:zz", b"E"),
	(b"Z0", b"E"), (b"Z0,", b"E"), (b"Z0,zz,1", b"E"), (b"Z0,8000000000000000,1", b"E"),
	(b"z0,100000,1", b""), (b"Z9,0,1", b""), (b"qRcmd,zz", b"E"), (b"qRcmd,123", b"E"),
	(b"qXfer:features:read:target.xml:zz,10", b"E"), (b"qXfer:features:read:none.xml:0,10", b"E"),
	(b"qXfer:features:read:target.xml:ffffffffffffffff,10", b"E"), (b"vNonsense", b""), (b"vMustReplyEmpty", b""),
	(b"Nonsense", b""), (b"", b""), (b"qNonsense", b""), (b"QNonsense:1", b""), (b"\xff\xfe", b""),
)


def main():
	visor.need_kvm()
	tap = visor.Tap()
	with visor.Visor(visor.built("examples/hello64.elf")) as v:
		c = client.Client(v.target)
		before = c.ask(b"g")
		for packet, wanted in BROKEN:
			name = packet.decode("ascii", "backslashreplace")
			try:
				reply = c.ask(packet)
			except (client.ProtocolError, OSError) as e:
				tap.ok(False, "%s is answered" % name, e)
				break
			good = reply == b"" or reply == b"OK" if wanted == b"" else reply[:1] == wanted
			tap.ok(good, "%s is refused" % name, reply)
		tap.equal(c.ask(b"g"), before, "no register was changed by any")
		c.close()

		c = client.Client(v.target, ack=True)
		c.raw(b"$g#00")
		tap.equal(c.byte(), b"-", "a wrong checksum is answered by a NACK")
		c.raw(client.frame(b"qC"))
		tap.equal(c.byte(), b"+", "and the packet behind it is taken")
		reply = c.receive()
		tap.equal(reply[:2], b"QC", "and answered")
		c.raw(client.frame(b"qC"))
		c.byte()
		c.ack = False
		c.receive()
		c.raw(b"-")
		tap.equal(c.receive(), reply, "a NACK has the reply sent again")
		c.raw(b"+")
		c.ack = True
		c.raw(b"$" + b"m" * (4 << 20) + b"#00")
		seen = c.byte()
		tap.ok(seen in b"+-$", "an oversized packet is answered", seen)
		c.close()

		# the guest runs since its debugger left; `?` stops it
		c = client.Client(v.target)
		tap.equal(c.ask(b"?")[:1], b"T", "another session is served as ever")
		tap.equal(len(c.ask(b"g")), len(before), "with all registers")
		c.raw(b"$vCont;c")
		c.close()
		c = client.Client(v.target)
		tap.equal(c.ask(b"?")[:1], b"T", "and after one that broke off within a packet")
	tap.done()


main()

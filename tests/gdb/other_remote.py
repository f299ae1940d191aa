#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
A stub on standard input and output that is no gdbvisor: registers of zeros, memory of zeros, no monitor.  What it was
sent goes to the file named on the command line.
"""

import sys

TARGET = b'l<?xml version="1.0"?><target><architecture>i386:x86-64</architecture></target>'


def answer(packet):
	if packet.startswith(b"qSupported"):
		return b"PacketSize=4000;qXfer:features:read+"
	if packet.startswith(b"qXfer:features:read:target.xml:0,"):
		return TARGET
	if packet.startswith((b"?", b"s", b"c")):
		return b"S05"
	if packet.startswith(b"g"):
		return b"0" * 2 * (17 * 8 + 7 * 4)
	if packet.startswith(b"m"):
		return b"00" * int(packet.split(b",")[1], 16)
	if packet.startswith((b"H", b"G", b"M", b"Z", b"z", b"D")):
		return b"OK"
	return b""


def main(log):
	inp, out = sys.stdin.buffer, sys.stdout.buffer
	while True:
		c = inp.read(1)
		if not c:
			return
		if c != b"$":
			continue
		packet = b""
		while not packet.endswith(b"#"):
			packet += inp.read(1)
		inp.read(2)
		packet = packet[:-1]
		log.write(packet + b"\n")
		log.flush()
		reply = answer(packet)
		out.write(b"+$" + reply + b"#%02x" % (sum(reply) & 0xff))
		out.flush()


with open(sys.argv[1], "wb", buffering=0) as f:
	main(f)

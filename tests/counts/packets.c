/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What packets cost in instructions, without a kernel in it: a session on the machine without KVM.  Run by callgrind, which counts
 * in counted() alone, makes a dump at each of its ends, and is told by our output, a line a dump, what was done there.
 */
#include <stdio.h>
#include <string.h>

#include "tests/counts/pump.h"
#include "tests/fake_machine.h"

#define FEW  2
#define MANY 12         /* what one operation takes is a tenth of the difference */

/*
 * The guest: zeros, an instruction each, and the end before long, or the machine without KVM would look far for it.  It goes back to
 * its entry before each hit.  Behind it is what memory is read of: bytes as they come, since runs of zeros are sent in few.
 */
#define CODE    0x800
#define DATA    "4000"
#define BYTES   0x28000
#define BACK    "P10=0010000000000000"
#define PLACE   "1001"
#define FALSE   ";X3,220027"    /* constant 0 */

static const struct op ops[] = {
	{ "g", .packets = { "g" } },
	{ "p", .packets = { "p10" } },
	{ "P", .packets = { BACK } },
	{ "m-1k", .packets = { "m" DATA ",400" } },
	{ "m-largest", .packets = { "m" DATA ",20000" } },
	{ "x-1k", .packets = { "x" DATA ",400" } },
	{ "M", .packets = { "M2000,4:01020304" } },
	{ "X", .packets = { "X2000,4:abcd" } },
	{ "stop-reply", .packets = { "?" } },
	{ "step", .packets = { "vCont;s:1" }, .after = { BACK } },
	{ "step-any", .packets = { "vCont;s:1;c" }, .after = { BACK } },
	{ "hit", { "Z1," PLACE ",1" }, { BACK, "vCont;c:1" }, { "z1," PLACE ",1" } },
	{ "false-hit", { "Z1," PLACE ",1" FALSE, "Z1,1002,1" }, { BACK, "vCont;c:1" }, { "z1," PLACE ",1", "z1,1002,1" } },
	{ "Z-z", .packets = { "Z1," PLACE ",1", "z1," PLACE ",1" } },
	{ "H", .packets = { "Hg1" } },
	{ "T", .packets = { "T1" } },
	{ "qSupported", .packets = { "qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+;fork-events+;vfork-events+;"
		"exec-events+;vContSupported+;QThreadEvents+;no-resumed+;memory-tagging+;xmlRegisters=i386" } },
};

__attribute__((noipa)) static bool counted(struct pump *p, const struct op *op, unsigned turns)
{
	while (turns--)
		if (!pump_turn(p, op))
			return false;
	return true;
}

static bool measure(struct pump *p, const struct op *op)
{
	pump_load(p, op);
	/* What is only done once, such as finding a function of the C library, is done here. */
	if (!pump_say(p, op->before) || !pump_turn(p, op))
		return false;
	for (unsigned turns = FEW; turns <= MANY; turns += MANY - FEW) {
		if (!counted(p, op, turns))
			return false;
		printf("%s %u\n", op->name, turns);
	}
	return pump_say(p, op->after);
}

int main(void)
{
	static uint8_t image[BYTES];
	const struct fake_config config = {
		.image_bits = 64, .mode = MODE_LONG, .code = image, .code_len = sizeof(image),
	};
	uint32_t random = 1;
	struct fake_machine *f;
	struct pump p;
	bool good;

	image[CODE] = FAKE_OP_EXIT;
	for (size_t i = CODE + 1; i < sizeof(image); i++) {
		random = random * 1664525 + 1013904223;
		image[i] = (uint8_t)(random >> 24);
	}
	f = fake_new(&config);
	good = pump_open(&p, &f->machine);
	for (size_t i = 0; good && i < sizeof(ops) / sizeof(ops[0]); i++)
		good = measure(&p, &ops[i]);
	if (p.wrong)
		printf("wrong: %s\n", p.wrong);
	pump_close(&p);
	fake_free(f);
	/* Bounds are for one compiler. */
	printf("compiler: " __VERSION__ "\n");
	return !good;
}

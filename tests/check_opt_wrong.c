/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Command lines that are refused: each with one line that says why, and with nothing else printed or changed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/opt_rig.h"

static const struct {
	const char *line, *msg;
} bad[] = {
	{ "a|--affinity=", "--affinity=: not a list of host CPUs (try 0-1,3)" },
	{ "a|--affinity=,", "--affinity=,: not a list of host CPUs (try 0-1,3)" },
	{ "a|--affinity=0,", "--affinity=0,: not a list of host CPUs (try 0-1,3)" },
	{ "a|--affinity=,0", "--affinity=,0: not a list of host CPUs (try 0-1,3)" },
	{ "a|--affinity=0,,1", "--affinity=0,,1: not a list of host CPUs (try 0-1,3)" },
	{ "a|--affinity=0-", "--affinity=0-: not a list of host CPUs (try 0-1,3)" },
	{ "a|--affinity=-1", "--affinity=-1: not a list of host CPUs (try 0-1,3)" },
	{ "a|--affinity=0-1-2", "--affinity=0-1-2: not a list of host CPUs (try 0-1,3)" },
	{ "a|--affinity=0x1", "--affinity=0x1: not a list of host CPUs (try 0-1,3)" },
	{ "a|--affinity=1 ", "--affinity=1 : not a list of host CPUs (try 0-1,3)" },
	{ "a|--affinity=2-1", "--affinity=2-1: 2-1 is no range" },
	{ "a|--affinity=8192", "--affinity=8192: host CPUs are numbered 0 to 8191 at most" },
	{ "a|--affinity=0-99999999999999999999", "--affinity=0-99999999999999999999: host CPUs are numbered 0 to 8191 at most" },
	{ "a|--affinity=0-1024", "--affinity=0-1024: more than 1024 host CPUs" },
	{ "a|--affinity=0-1023,0", "--affinity=0-1023,0: more than 1024 host CPUs" },
	{ "a|--affinity", "--affinity: its LIST is missing" },
	{ "", "no IMAGE is named (try --demo)" },
	{ "-r", "no IMAGE is named (try --demo)" },
	{ "a|b", "more than one IMAGE: 'a' and 'b'" },
	{ "a|--|b", "more than one IMAGE: 'a' and 'b'" },
	{ "--|a|b", "more than one IMAGE: 'a' and 'b'" },
	{ "--demo|a", "--demo takes no IMAGE ('a')" },
	{ "--|", "IMAGE is an empty name" },
	{ "-Z|a", "-Z: no such option (see --help)" },
	{ "-rZ|a", "-Z: no such option (see --help)" },
	{ "-y|x|a", "-y: no such option (see --help)" },
	{ "--frob|a", "--frob: no such option (see --help)" },
	{ "--frob=1|a", "--frob=1: no such option (see --help)" },
	{ "--m=1|a", "--m=1: several options begin like that (see --help)" },
	{ "--ver|a", "--ver: several options begin like that (see --help)" },
	{ "--demo=1", "--demo: takes no value" },
	{ "a|-m", "-m: its SIZE is missing" },
	{ "a|--memory", "--memory: its SIZE is missing" },
	{ "a|-rx", "-x: its FILE is missing" },
	{ "a|-m|1Z", "-m 1Z: not a size (try 128M)" },
	{ "a|--memory=1Z", "--memory=1Z: not a size (try 128M)" },
	{ "a|--mem|1Z", "--memory=1Z: not a size (try 128M)" },
	{ "a|-m|", "-m : not a size (try 128M)" },
	{ "a|-m|-1", "-m -1: not a size (try 128M)" },
	{ "a|-m|0", "-m 0: a guest needs 1M at least" },
	{ "a|-m|1023K", "-m 1023K: a guest needs 1M at least" },
	{ "a|-m|1025K", "-m 1025K: not a multiple of the page size, 4K" },
	{ "a|-m|17592186044416", "-m 17592186044416: too large" },
	{ "a|-m|16777216T", "-m 16777216T: too large" },
	{ "a|-m|99999999999999999999", "-m 99999999999999999999: too large" },
	{ "a|-c|0", "-c 0: not a number of vCPUs (1 to 64)" },
	{ "a|-c|65", "-c 65: not a number of vCPUs (1 to 64)" },
	{ "a|-c|-1", "-c -1: not a number of vCPUs (1 to 64)" },
	{ "a|-c|two", "-c two: not a number of vCPUs (1 to 64)" },
	{ "a|-c|4294967297", "-c 4294967297: not a number of vCPUs (1 to 64)" },
	{ "a|-k|coff", "-k coff: not one of auto, flat, elf, multiboot, linux, bios" },
	{ "a|-k|", "-k : not one of auto, flat, elf, multiboot, linux, bios" },
	{ "a|--mode=virtual", "--mode=virtual: not one of real, protected, long" },
	{ "a|--load=here", "--load=here: not an address (try 0x7c00)" },
	{ "a|--entry=0x1ffffffffffffffff", "--entry=0x1ffffffffffffffff: not an address (try 0x7c00)" },
	{ "a|-i|", "-i : no file is named" },
	{ "a|-i| x", "-i  x: no file is named" },
	{ "-k|bios", "no IMAGE is named (try --demo)" },
	{ "-d|", "-d : no file is named" },
	{ "-d|,ro", "-d ,ro: no file is named" },
	{ "--disk=,ro,snapshot", "--disk=,ro,snapshot: no file is named" },
	{ "--cdrom=", "--cdrom=: no file is named" },
	{ "-b|", "-b : no file is named" },
	{ "a|--symbols=", "--symbols=: no file is named" },
	{ "-d|d|--vga-bios=", "--vga-bios=: no file is named" },
	{ "-d|d|--nvram=", "--nvram=: no file is named" },
	{ "-b|f|--nvram=,snapshot", "--nvram=,snapshot: no file is named" },
	{ "--demo|--nvram=f,snapshot", "--nvram=f: only firmware has variables, not an IMAGE" },
	{ "a|--nvram=f", "--nvram=f: only firmware has variables, not an IMAGE" },
	{ "-d|,virtio", "-d ,virtio: no file is named" },
	{ "-d|1,virtio|-d|2,virtio|-d|3,virtio|-d|4,virtio|-d|5,virtio|-d|6,virtio|-d|7,virtio|-d|8,virtio|-d|9,virtio",
	  "-d 9,virtio: more than 8 virtio disks" },
	{ "a|--console=hvc0", "--console=hvc0: not one of com1, virtio" },
	{ "a|--console=", "--console=: not one of com1, virtio" },
	{ "a|--rng=on", "--rng: takes no value" },
	{ "-d|1|-d|2|--cdrom|3|-d|4|-d|5", "-d 5: more than 4 disks and CDs" },
	{ "-d|1|-d|2|-d|3|-d|4|--cdrom=5", "--cdrom=5: more than 4 disks and CDs" },
	{ "a|--irqchip=apic", "--irqchip=apic: not one of kvm, user" },
	{ "a|--sandbox=", "--sandbox=: not one of on, off" },
	{ "a|--unclaimed=die", "--unclaimed=die: not one of ignore, stop" },
	{ "a|-b|f", "--bios=f: firmware takes no IMAGE ('a')" },
	{ "a|-k|elf|-b|f", "--bios=f: firmware takes no IMAGE ('a')" },
	{ "a|-k|bios|-b|f", "--bios=f: the firmware is IMAGE ('a'), by -k bios" },
	{ "--demo|-b|f", "--demo takes no firmware (--bios=f)" },
	{ "--demo|-k|bios", "--demo takes no firmware (-k bios)" },
	{ "--demo|--vga-bios=f", "--vga-bios=f: only firmware runs it, not an IMAGE" },
	{ "a|-d|d|--vga-bios=f", "--vga-bios=f: only firmware runs it, not an IMAGE" },
	{ "-d|d|-k|flat", "-k: is for an IMAGE, and firmware starts the machine" },
	{ "-b|f|--load=0", "--load: is for an IMAGE, and firmware starts the machine" },
	{ "-k|bios|f|--entry=0", "--entry: is for an IMAGE, and firmware starts the machine" },
	{ "-b|f|--decompress", "--decompress: is for an IMAGE, and firmware starts the machine" },
	{ "-b|f|--kaslr=off", "--kaslr: is for an IMAGE, and firmware starts the machine" },
	{ "a|--kaslr=", "--kaslr=: neither off nor on, nor how far to move the kernel (try 0x1000000 or 16M)" },
	{ "a|--kaslr=ON", "--kaslr=ON: neither off nor on, nor how far to move the kernel (try 0x1000000 or 16M)" },
	{ "a|--kaslr=-16M", "--kaslr=-16M: neither off nor on, nor how far to move the kernel (try 0x1000000 or 16M)" },
	{ "-b|f|--entry=pvh", "--entry: is for an IMAGE, and firmware starts the machine" },
	{ "a|--entry=PVH", "--entry=PVH: not an address (try 0x7c00)" },
	{ "-b|f|--mode=real", "--mode: is for an IMAGE, and firmware starts the machine" },
	{ "-b|f|-a|x", "--append: is for an IMAGE, and firmware starts the machine" },
	{ "-b|f|-i|x", "--initrd: is for an IMAGE, and firmware starts the machine" },
	{ "a|-x|", "-x : no file is named" },
	{ "a|-e|", "-e : no command is given" },
	{ "a|-g|tcp:65536", "-g tcp:65536: not a port (0 to 65535)" },
	{ "a|-g|foo", "-g foo: not an address (unix:PATH, tcp:[HOST:]PORT, stdio, none)" },
	{ "a|-M|tcp:1", "-M tcp:1: not an address (unix:PATH, stdio, none)" },
	{ "a|-s|foo", "-s foo: not an address (unix:PATH, file:PATH, stdio, pty, none)" },
	{ "a|-s|file:", "-s file:: a path is missing" },
	{ "a|-g|none|-g|1", "-g none: contradicts the other -g" },
	{ "a|-g|stdio|-M|stdio", "-M stdio: standard input and output are -g stdio's" },
	{ "a|-x|-|-g|stdio", "-x -: standard input is -g stdio's" },
	{ "a|-k|x\x1b[2Jy", "-k x?[2Jy: not one of auto, flat, elf, multiboot, linux, bios" },
};

START_TEST(each_mistake_is_one_line)
{
	struct options o = { .cpus = 77 };
	struct err err = { 0 };

	ck_assert_int_eq(parse(bad[_i].line, &o, &err), -EINVAL);
	ck_assert_str_eq(err.msg, bad[_i].msg);
	ck_assert_uint_eq(o.cpus, 77);
	ck_assert_ptr_null(o.image);
}
END_TEST

START_TEST(long_words_do_no_harm)
{
	size_t len = 100000;
	char *line = malloc(len + 16);
	struct options o;
	struct err err = { 0 };

	memset(line, 'x', len + 15);
	line[len + 15] = '\0';
	memcpy(line, "a|-k|", 5);
	ck_assert_int_eq(parse(line, &o, &err), -EINVAL);
	ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
	memcpy(line, "a|--x", 5);
	ck_assert_int_eq(parse(line, &o, &err), -EINVAL);
	memcpy(line, "a|-gunix:", 9);
	ck_assert_int_eq(parse(line, &o, &err), -ENAMETOOLONG);
	free(line);
}
END_TEST

/* getopt's own messages would go there. */
START_TEST(nothing_is_printed)
{
	int out = dup(1), err = dup(2), fd[2];
	struct options o;
	char c;

	ck_assert_int_eq(pipe(fd), 0);
	fflush(NULL);
	dup2(fd[1], 1);
	dup2(fd[1], 2);
	parse("-Z", &o, NULL);
	parse("--frob", &o, NULL);
	parse("-m", &o, NULL);
	fflush(NULL);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	close(fd[1]);
	ck_assert_int_eq(read(fd[0], &c, 1), 0);
	close(fd[0]);
}
END_TEST

START_TEST(no_words_at_all)
{
	char *none[] = { NULL };
	struct options o;
	struct err err = { 0 };

	ck_assert_int_eq(options_parse(0, none, &o, &err), -EINVAL);
	ck_assert_str_eq(err.msg, "no IMAGE is named (try --demo)");
}
END_TEST
#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("opt_wrong");
	TCase *t = tcase_create("opt_wrong");

	tcase_add_loop_test(t, each_mistake_is_one_line, 0, COUNT(bad));
	tcase_add_test(t, long_words_do_no_harm);
	tcase_add_test(t, nothing_is_printed);
	tcase_add_test(t, no_words_at_all);
	suite_add_tcase(s, t);
	return unit_main(s);
}

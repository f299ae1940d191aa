/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest that programs every device of the PC wrongly: random accesses of every width, string I/O too, to random ports.  Its code is
 * in ROM, in 32-bit protected mode, where neither DMA nor PAM registers reach it, so that nothing but the devices can go wrong.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define ROUNDS      200u                /* of 256 accesses, altogether: a reset ends one */
#define DEADLINE_S  100
#define DISK_BYTES  (1u << 20)

/* A pseudo-random number in EBX (xorshift, from the time stamp counter); ECX an index; every 256 accesses a '.' on the console. */
#define RANDOM "movl %ebx, %eax\nshll $13, %eax\nxorl %eax, %ebx\nmovl %ebx, %eax\nshrl $17, %eax\nxorl %eax, %ebx\n" \
	       "movl %ebx, %eax\nshll $5, %eax\nxorl %eax, %ebx\n"
#define HIGH "0xffff0000 - ports"       /* added to a label: where it is below 4 GiB */

GUEST(ports,
	"cli\n"
	"lgdtl %cs:(gdtr - ports)\n"
	"movl %cr0, %eax\norb $1, %al\nmovl %eax, %cr0\n"
	"ljmpl $8, $(start32 + " HIGH ")\n"
	"gdtr: .word 23\n.long gdt + " HIGH "\n"
	".balign 8\ngdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
	/* Where devices are; each stands for eight ports.  0xcf8 more often, so that its pair is hit. */
	"table: .word 0x1f0, 0x170, 0x3f0, 0x370, 0xc000, 0xc008, 0xcf8, 0xcf8, 0xcf8, 0x510, 0x518, 0x60, 0x90, 0x70, 0x3b0, 0x3b8\n"
	".word 0x3c0, 0x3c8, 0x3d0, 0x3d8, 0x3f8, 0x4d0, 0x20, 0xa0, 0x40, 0xb000, 0xb100, 0xb0, 0xafe0, 0x400, 0xc000, 0x1f0\n"
	/* Commands that devices know, and numbers at the edges. */
	"values: .byte 0x20, 0x30, 0xc8, 0xca, 0xa0, 0xec, 0xa1, 0x25, 0x35, 0xe7, 0x00, 0x01, 0xff, 0x80, 0x7f, 0x40\n"
	".code32\n"
	"start32: movw $16, %ax\nmovw %ax, %ds\nmovw %ax, %es\nmovw %ax, %ss\nmovl $0x9000, %esp\ncld\n"
	"rdtsc\norl $1, %eax\nmovl %eax, %ebx\nxorl %ebp, %ebp\n"
	/* The functions decode, and IDE is a bus master at 0xc000. */
	"movw $0xcf8, %dx\nmovl $0x80000904, %eax\noutl %eax, %dx\nmovw $0xcfc, %dx\nmovl $7, %eax\noutl %eax, %dx\n"
	"movw $0xcf8, %dx\nmovl $0x80000920, %eax\noutl %eax, %dx\nmovw $0xcfc, %dx\nmovl $0xc000, %eax\noutl %eax, %dx\n"
	"movw $0xcf8, %dx\nmovl $0x80000b40, %eax\noutl %eax, %dx\nmovw $0xcfc, %dx\nmovl $0xb000, %eax\noutl %eax, %dx\n"
	"movw $0xcf8, %dx\nmovl $0x80000b80, %eax\noutl %eax, %dx\nmovw $0xcfc, %dx\nmovb $1, %al\noutb %al, %dx\n"
	"again:\n" RANDOM
	"movl %ebx, %ecx\nandl $31, %ecx\nmovzwl (table + " HIGH ")(,%ecx,2), %edx\n"
	"movl %ebx, %eax\nshrl $8, %eax\nandl $7, %eax\naddl %eax, %edx\n"
	/* Resets and power-off would be all it does. */
	"cmpw $0xcf9, %dx\nje again\nmovl %edx, %eax\nandl $0xfffe, %eax\ncmpl $0xb004, %eax\nje again\n"
	RANDOM
	"movl %ebx, %eax\nmovl %ebx, %ecx\nshrl $12, %ecx\nandl $7, %ecx\n"
	"cmpb $1, %cl\njb 10f\nje 11f\ncmpb $3, %cl\njb 12f\nje 13f\ncmpb $5, %cl\njb 14f\nje 15f\ncmpb $7, %cl\njb 16f\n"
	"movl $0x20000, %edi\nmovl $16, %ecx\nrep insw\njmp next\n"
	"10: inb %dx, %al\njmp next\n"
	"11: inw %dx, %ax\njmp next\n"
	"12: inl %dx, %eax\njmp next\n"
	"13: outb %al, %dx\njmp next\n"
	"14: outw %ax, %dx\njmp next\n"
	"15: outl %eax, %dx\njmp next\n"
	"16: movl %ebx, %ecx\nshrl $20, %ecx\nandl $15, %ecx\nmovb (values + " HIGH ")(%ecx), %al\noutb %al, %dx\n"
	"next: incl %ebp\ntestl $0xff, %ebp\njnz again\n"
	"movb $'.', %al\noutb %al, $0xe9\njmp again\n");

static char dir[] = "/tmp/gv-ports-XXXXXX", disk[64], cd[64];

static void make_file(char *ret, const char *name)
{
	int n = snprintf(ret, 64, "%s/%s", dir, name);
	FILE *f;

	ck_assert_int_lt(n, 64);
	f = fopen(ret, "wb");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(ftruncate(fileno(f), DISK_BYTES), 0);
	fclose(f);
}

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	make_file(disk, "disk");
	make_file(cd, "cd");
}

static void teardown(void)
{
	unlink(disk);
	unlink(cd);
	rmdir(dir);
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
}

static void start(bool user_irqchip)
{
	const struct disk_spec disks[] = { { .path = disk, .snapshot = true }, { .path = cd, .cdrom = true } };
	struct machine_config c = { .cpus = user_irqchip ? 1 : 2, .disks = disks, .ndisks = 2, .user_irqchip = user_irqchip };

	guest_start_firmware(ports, ports_end, &c);
}

static unsigned dots(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < serial_len; i++)
		n += serial[i] == '.';
	return n;
}

/* Runs until the guest stops, or has done WANTED rounds; false: neither came. */
static bool run(unsigned wanted)
{
	struct pollfd p = { .fd = machine_event_fd(m), .events = POLLIN };
	time_t end = time(NULL) + DEADLINE_S;
	unsigned before = stops;

	guest_continue();
	while (time(NULL) < end) {
		poll(&p, 1, 1000);
		machine_poll(m, 0);
		if (dots() >= wanted || stops > before)
			return true;
	}
	return false;
}

static void storm(bool user_irqchip)
{
	unsigned done = 0, machines = 1;

	start(user_irqchip);
	while (done + dots() < ROUNDS) {
		ck_assert_msg(run(ROUNDS - done), "it hangs, vCPU 0 at 0x%llx", (unsigned long long)stop.pc);
		/* It may switch the machine off, and nothing else. */
		if (machine_state(m) == MACHINE_ENDED) {
			ck_assert_int_eq(stop.exit_status, 0);
			done += dots();
			ck_assert_uint_lt(machines++, 1000);
			guest_end();
			start(user_irqchip);
		} else if (machine_state(m) == MACHINE_STOPPED) {
			ck_abort_msg("stopped, for %d: %s", stop.reason, stop.text);
		}
	}
	/* And it can still be used. */
	if (machine_state(m) == MACHINE_RUNNING)
		machine_stop(m);
	ck_assert_int_eq(machine_reset(m, &err), 0);
	guest_end();
}

START_TEST(random_ports)
{
	storm(false);
}
END_TEST

START_TEST(random_ports_with_our_irqchip)
{
	storm(true);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kvm_ports");
	TCase *t = tcase_create("kvms_chips"), *own = tcase_create("our_chips");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 2 * DEADLINE_S);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, random_ports);
	suite_add_tcase(s, t);
	tcase_set_timeout(own, 2 * DEADLINE_S);
	tcase_add_checked_fixture(own, setup, teardown);
	tcase_add_test(own, random_ports_with_our_irqchip);
	suite_add_tcase(s, own);
	return unit_main(s);
}

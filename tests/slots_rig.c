/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/slots_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

/* For ever: copies what is at AT to 0x500, counts at AT + 4, and counts its rounds at 0x504. */
GUEST(user, /* 7c00 */ ".code32\n 1: mov 0x2000000, %eax\n"
	    /* 7c05 */ "mov %eax, 0x500\n"
	    /* 7c0a */ "incl 0x2000004\n"
	    /* 7c10 */ "incl 0x504\n"
	    /* 7c16 */ "xor %eax, %eax\n cpuid\n jmp 1b\n");    /* exits: an emulated host hears nothing else of a guest with IF=0 */

struct slot_note note;
char dir[] = "/tmp/kvm_slots_XXXXXX";
char path[64];

static void on_fault(void *arg, const struct slot_fault *f)
{
	(void)arg;
	ck_abort_msg("slot %u: %s", f->id, f->text);
}

void check_slots(void)
{
	ck_assert_int_eq(machine_slot_check(m, on_fault, NULL, &err), 0);
}

void add_spec(struct slot_spec spec)
{
	OK(machine_slot_add(m, &spec, &note, &err));
}

void put_u32(uint64_t gpa, uint32_t v)
{
	ck_assert_uint_eq(machine_phys_write(m, gpa, &v, sizeof(v), &err), sizeof(v));
}

void stop_now(void)
{
	machine_stop(m);
	guest_wait();
}

void run_a_while(void)
{
	uint32_t was = guest_u32(0x504);

	guest_continue();
	while (guest_u32(0x504) - was < 20)
		guest_run_on();
	stop_now();
	ck_assert_uint_eq(stop.reason, STOP_REQUEST);
}

static void make_file(char *name, const char *last, size_t size)
{
	int fd;

	snprintf(name, 64, "%s/%s", dir, last);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < size / 4096; i++)
		ck_assert_int_eq(pwrite(fd, &(uint32_t){ 0x1000 + (uint32_t)i }, 4, (off_t)(i * 4096)), 4);
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

void slots_rig_init(void)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	make_file(path, "data", 16 * 4096);
	GUEST_START(user, 0x7c00, BOOT_PROTECTED, 1);
}

void slots_rig_done(void)
{
	guest_end();
	unlink(path);
	rmdir(dir);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a machine on KVM is asked in vain: machines that cannot be made, and calls that are wrong or come while the guest runs.
 * Each has its line, and changes neither registers, slots, memory nor what is set.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/arch.h"
#include "arch/x86/x86_regs.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define AT      0x2000000ull
#define PAGE    0x1000ull
#define SLOTS   16
#define NO_CPU  9
#define NO_SLOT 99

/* It exits, since not every host's KVM is left otherwise while it spins. */
GUEST(spin, "1: incw 0x8000\n out %al, $0x80\n jmp 1b\n");

static const struct break_spec soft = { .kind = BREAK_SOFT, .gva = 0x7c00, .space = BREAK_ANY_SPACE };
static const struct watch_spec watch = { .kind = WATCH_WRITE, .gva = 0x9000, .size = 8 };
static char dir[] = "/tmp/gv-refused-XXXXXX";
static char absent[64], image[64], odd[64];

static void make_files(void)
{
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(absent, sizeof(absent), "%s/no/such", dir);
	snprintf(image, sizeof(image), "%s/image", dir);
	fd = open(image, O_RDWR | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 0x10000), 0);
	close(fd);
	snprintf(odd, sizeof(odd), "%s/odd", dir);
	fd = open(odd, O_RDWR | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 0x3000), 0);
	close(fd);
}

static void remove_files(void)
{
	unlink(image);
	unlink(odd);
	ck_assert_int_eq(rmdir(dir), 0);        /* nothing else was left there */
	strcpy(dir, "/tmp/gv-refused-XXXXXX");
}

/* R, with ERR as it is now; the next call finds that empty. */
static void refused(int code, const char *says, int r)
{
	ck_assert_msg(r == -code && err.code == code && strstr(err.msg, says), "%d, %d, \"%s\", not %d, \"%s\"", r, err.code, err.msg,
		      code, says);
	err = (struct err){ 0 };
}

/* -- machines -- */

static const unsigned host_cpu[] = { 9999 };
static struct disk_spec disks[16];

static const struct config {
	struct machine_config c;
	bool firmware;
	int code;
	const char *says;
} configs[] = {
	{ { .cpus = 0 }, false, EINVAL, "0 vCPUs: this host takes 1 to" },
	{ { .cpus = MACHINE_CPUS_MAX + 1 }, false, EINVAL, "vCPUs: this host takes 1 to" },
	{ { .cpus = 2, .user_irqchip = true }, false, EINVAL, "(--irqchip=user) serve one vCPU, not 2" },
	{ { .cpus = 1, .affinity = host_cpu, .naffinity = 1 }, false, EINVAL, "--affinity: this host has no CPU 9999" },
	{ { .cpus = 1, .memory = 1 << 20 }, true, EINVAL, "a PC needs 2M of memory at least" },
	{ { .cpus = 1, .disks = disks, .ndisks = 5 }, true, EINVAL, "there are places for 4 disks and CDs" },
	{ { .cpus = 1, .virtio_disks = disks, .nvirtio_disks = 16 }, true, EINVAL, "virtio disks" },
	{ { .cpus = 1, .disks = &(struct disk_spec){ .path = absent }, .ndisks = 1 }, true, EBADF, "such: No such file" },
	{ { .cpus = 1, .virtio_disks = &(struct disk_spec){ .path = absent }, .nvirtio_disks = 1 }, true, EBADF, "such: No such file" },
	{ { .cpus = 1, .nvram = &(struct disk_spec){ .path = absent } }, true, EBADF, "such: No such file" },
	{ { .cpus = 1, .nvram = &(struct disk_spec){ .path = odd } }, true, EBADF, "odd: 12288 bytes of variables do not go with firmware of 65536" },
	{ { .cpus = 1, .memory = PAGE / 2 }, false, EINVAL, "" },
	{ { .cpus = 1, .memory = 1ull << 60 }, false, EINVAL, "" },
	{ { .cpus = 1, .memory = PAGE }, false, ENOSPC, "" },
	{ { .cpus = 1, .load = { .has_load = true, .load = 1ull << 40 } }, false, ENOSPC, "" },
	{ { .cpus = 1, .symbols = { .path = "symbols" } }, false, ENOEXEC, "symbols: " },
};

static int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return fd;
}

START_TEST(test_machines)
{
	struct machine_config c = configs[_i].c;
	struct machine *none = (struct machine *)&c, *made = none;
	unsigned char *rom = calloc(1, 0x10000);
	int fd = next_fd(), r;

	ck_assert_ptr_nonnull(rom);
	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++)
		disks[i] = (struct disk_spec){ .path = image, .readonly = true };
	rom[0x10000 - 16] = 0xf4;
	if (configs[_i].firmware) {
		ck_assert_int_eq(blob_copy("firmware", rom, 0x10000, &c.image, &err), 0);
		c.load.kind = IMAGE_BIOS;
	} else {
		ck_assert_int_eq(blob_copy("test", spin, (size_t)(spin_end - spin), &c.image, &err), 0);
		c.load.kind = IMAGE_FLAT;
	}
	if (configs[_i].c.symbols.path)
		ck_assert_int_eq(blob_copy("symbols", rom, 64, &c.symbols, &err), 0);
	if (!c.memory)
		c.memory = 4 << 20;
	err = (struct err){ 0 };
	r = machine_kvm_new(&c, &made, &err);
	refused(configs[_i].code, configs[_i].says, r);
	ck_assert_ptr_eq(made, none);
	ck_assert_int_eq(next_fd(), fd);
	free(rom);
}
END_TEST

/* The process may not run where its vCPU is to. */
START_TEST(test_affinity)
{
	const unsigned other = 1;
	struct machine_config c = { .cpus = 1, .memory = 4 << 20, .affinity = &other, .naffinity = 1, .load = { .kind = IMAGE_FLAT } };
	struct machine *made;
	cpu_set_t one;
	int r;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || sched_setaffinity(0, sizeof(one), &one))
		return;
	ck_assert_int_eq(blob_copy("test", spin, (size_t)(spin_end - spin), &c.image, &err), 0);
	r = machine_kvm_new(&c, &made, &err);
	refused(EINVAL, "--affinity: this process may not run on host CPU 1", r);
}
END_TEST

/* -- a machine that stands still -- */

struct state {
	struct slot_info slot[SLOTS];
	uint8_t reg[2][X86_REGS][REG_BYTES_MAX], low[0x10000];
	size_t slots, breaks, watches, catches;
};

static void snapshot(struct state *s)
{
	struct break_info b;
	struct watch_info w;
	struct catch_info c;

	memset(s, 0, sizeof(*s));
	while (s->slots < SLOTS && machine_slot_list(m, s->slots, &s->slot[s->slots]))
		s->slots++;
	for (unsigned cpu = 0; cpu < 2; cpu++)
		for (unsigned i = 0; i < arch_desc.nregs; i++)
			/* time goes on */
			if (machine_reg_present(m, i) && !strstr(reg_full(i)->name, "tsc"))
				ck_assert_int_eq(machine_reg_read(m, cpu, i, s->reg[cpu][i], &err), 0);
	ck_assert_uint_eq(machine_phys_read(m, 0, s->low, sizeof(s->low), &err), sizeof(s->low));
	while (machine_break_list(m, s->breaks, &b))
		s->breaks++;
	while (machine_watch_list(m, s->watches, &w))
		s->watches++;
	while (machine_catch_list(m, s->catches, &c))
		s->catches++;
	err = (struct err){ 0 };
}

static struct state was, is;

static void start(void)
{
	make_files();
	GUEST_START(spin, 0x7c00, BOOT_REAL, 2);
	ck_assert_int_eq(machine_slot_add(m, &(struct slot_spec){ .id = 5, .gpa = AT, .size = 4 * PAGE }, NULL, &err), 0);
	ck_assert_int_eq(machine_slot_add(m, &(struct slot_spec){ .id = 6, .gpa = AT + 0x100000, .size = PAGE, .backing = SLOT_ALIAS,
								  .alias_of = 5 }, NULL, &err), 0);
	snapshot(&was);
}

static void finish(void)
{
	snapshot(&is);
	ck_assert_mem_eq(&is, &was, sizeof(is));
	guest_end();
	remove_files();
}

START_TEST(test_cpus)
{
	struct break_spec elsewhere = soft;
	struct watch_spec there = watch;
	struct cpu_status status;
	struct translation t;
	uint8_t v[REG_BYTES_MAX];
	uint64_t number;

	elsewhere.cpu = there.cpu = NO_CPU;
	refused(EINVAL, "no vCPU 9 (there are 2)", machine_reg_read(m, NO_CPU, X86_RAX, v, &err));
	refused(EINVAL, "no vCPU 9 (there are 2)", machine_reg_write(m, NO_CPU, X86_RAX, v, &err));
	refused(EINVAL, "no vCPU 9 (there are 2)", machine_special_read(m, NO_CPU, 0x277, &number, &err));
	refused(EINVAL, "no vCPU 9 (there are 2)", machine_special_write(m, NO_CPU, 0x277, 0, &err));
	refused(EINVAL, "no vCPU 9 (there are 2)", machine_cpu_status(m, NO_CPU, &status, &err));
	refused(EINVAL, "no vCPU 9 (there are 2)", machine_translate(m, NO_CPU, 0, NULL, &t, &err));
	refused(EINVAL, "no vCPU 9 (there are 2)", machine_break_insert(m, BREAK_OWNER_GDB, &elsewhere, &err));
	refused(EINVAL, "no vCPU 9 (there are 2)", machine_watch_insert(m, BREAK_OWNER_GDB, &there, &err));
	refused(EINVAL, "no vCPU 9 (there are 2)", machine_inject(m, &(struct injection){ .kind = INJECT_NMI, .cpu = NO_CPU }, &err));
	ck_assert_uint_eq(machine_mem_read(m, NO_CPU, 0x7c00, v, 4, &err), 0);
	refused(EINVAL, "no vCPU 9 (there are 2)", -err.code);
	ck_assert_uint_eq(machine_mem_write(m, NO_CPU, 0x7c00, v, 4, &err), 0);
	refused(EINVAL, "no vCPU 9 (there are 2)", -err.code);
	refused(EINVAL, "no vCPU is to run", machine_resume(m, (struct run_action[MACHINE_CPUS_MAX]){ { 0 } }, &err));
	refused(EINVAL, "no vCPU is to run", machine_redirect(m, (struct run_action[MACHINE_CPUS_MAX]){ { 0 } }, &err));
}
END_TEST

START_TEST(test_breaks)
{
	struct break_spec far = soft, hard = { .kind = BREAK_HARD, .space = BREAK_ANY_SPACE };
	struct watch_spec w = watch;

	far.gva = 1ull << 63;
	refused(EFAULT, "0x8000000000000000 is not canonical", machine_break_insert(m, BREAK_OWNER_GDB, &far, &err));
	for (hard.gva = 0x7d00; hard.gva < 0x7d04; hard.gva++)
		ck_assert_int_eq(machine_break_insert(m, BREAK_OWNER_GDB, &hard, &err), 0);
	refused(ENOSPC, "all 4 debug registers are in use", machine_break_insert(m, BREAK_OWNER_GDB, &hard, &err));
	/* one that is there needs no other register for a second owner */
	hard.gva = 0x7d00;
	ck_assert_int_eq(machine_break_insert(m, BREAK_OWNER_MONITOR, &hard, &err), 0);
	ck_assert_int_eq(machine_break_clear(m, BREAK_OWNER_GDB, &err), 0);
	ck_assert_int_eq(machine_break_clear(m, BREAK_OWNER_MONITOR, &err), 0);
	refused(ENOENT, "no breakpoint at 0x7c00", machine_break_remove(m, BREAK_OWNER_GDB, &soft, &err));
	refused(ENOENT, "no such watchpoint at 0x9000", machine_watch_remove(m, BREAK_OWNER_GDB, &watch, &err));
	w.size = 0;
	refused(EINVAL, "a watchpoint of no bytes", machine_watch_insert(m, BREAK_OWNER_GDB, &w, &err));
	w.size = 1ull << 50;
	refused(EINVAL, "a watchpoint covers 1 byte to", machine_watch_insert(m, BREAK_OWNER_GDB, &w, &err));
	w = (struct watch_spec){ .kind = WATCH_WRITE, .gva = -4ull, .size = 8 };
	refused(EINVAL, "reach past the top of memory", machine_watch_insert(m, BREAK_OWNER_GDB, &w, &err));
	w.gva = 0x7ffffffffffe;
	refused(EFAULT, "is not canonical", machine_watch_insert(m, BREAK_OWNER_GDB, &w, &err));
}
END_TEST

START_TEST(test_catches)
{
	unsigned id = 77;

	refused(EINVAL, "only a Linux kernel that the machine starts itself",
		machine_catch_add(m, &(struct catch_spec){ .kind = CATCH_KERNEL }, &id, &err));
	refused(ENOENT, "there are no symbols of a Linux kernel", machine_catch_add(m, &(struct catch_spec){ .kind = CATCH_PANIC }, &id, &err));
	refused(ENOENT, "there are no symbols of a Linux kernel", machine_catch_add(m, &(struct catch_spec){ .kind = CATCH_OOPS }, &id, &err));
	refused(EINVAL, "", machine_catch_add(m, &(struct catch_spec){ .kind = CATCH_PORT, .end = 0x10000, .dir = CATCH_READ }, &id, &err));
	refused(EINVAL, "", machine_catch_add(m, &(struct catch_spec){ .kind = CATCH_PORT, .start = 2, .end = 1, .dir = CATCH_READ }, &id,
					      &err));
	refused(EINVAL, "", machine_catch_add(m, &(struct catch_spec){ .kind = CATCH_EXCEPTION, .end = 256 }, &id, &err));
	refused(ENOENT, "", machine_catch_remove(m, 4711, &err));
	ck_assert_uint_eq(id, 77);
}
END_TEST

static int inject(enum inject_kind kind, unsigned number, bool has_code)
{
	return machine_inject(m, &(struct injection){ .kind = kind, .number = number, .has_code = has_code }, &err);
}

START_TEST(test_devices)
{
	struct kernel_info info;
	struct screen screen;

	refused(EINVAL, "2 is no exception's vector", inject(INJECT_EXCEPTION, 2, false));
	refused(EINVAL, "32 is no exception's vector", inject(INJECT_EXCEPTION, 32, false));
	refused(EINVAL, "exception 3 has no error code", inject(INJECT_EXCEPTION, 3, true));
	refused(EINVAL, "exception 13 has no error code in real mode", inject(INJECT_EXCEPTION, 13, true));
	refused(EINVAL, "there is no interrupt line 24 (0 to 23)", inject(INJECT_IRQ, 24, false));
	refused(ENODEV, "this machine has no screen", machine_screen(m, &screen, &err));
	refused(ENODEV, "this machine has no keyboard", machine_key_text(m, "a", 1, &err));
	refused(ENOENT, "there are no symbols of a Linux kernel", machine_kernel_info(m, &info, &err));
	refused(ENOENT, "such: No such file", machine_sym_load(m, absent, &err));
	refused(ENOEXEC, "image: ", machine_sym_load(m, image, &err));
	refused(EINVAL, "there is no MSR 0x12345678 that can be read", machine_special_read(m, 0, 0x12345678, &(uint64_t){ 0 }, &err));
	refused(EINVAL, "MSR 0x12345678 does not take 0x1", machine_special_write(m, 0, 0x12345678, 1, &err));
}
END_TEST

static int set(reg_id reg, uint64_t value)
{
	uint8_t v[REG_BYTES_MAX] = { 0 };

	memcpy(v, &value, sizeof(value));
	return machine_reg_write(m, 0, reg, v, &err);
}

START_TEST(test_registers)
{
	refused(EINVAL, "has reserved bits set", set(X86_EFLAGS, 1 << 15 | 2));
	refused(EINVAL, "eflags.VM changes only by", set(X86_EFLAGS, 1 << 17 | 2));
	refused(EINVAL, "", set(X86_RIP, 1ull << 63));
	refused(EINVAL, "", set(X86_CR0, 1ull << 31));
	refused(EINVAL, "", set(X86_CR0, 1ull << 40));
	refused(EINVAL, "", set(X86_CR4, 1ull << 50));
	refused(EINVAL, "", set(X86_EFER, 1ull << 62));
	refused(EINVAL, "cs has 16 bits", set(X86_CS, 0x10000));
	refused(EINVAL, "has reserved bits set", set(X86_CS_ATTR, 1ull << 31));
	refused(EINVAL, "ip 0x10000 is beyond 0xffff", set(X86_IP, 0x10000));
}
END_TEST

static int add(unsigned id, uint64_t gpa, uint64_t size)
{
	return machine_slot_add(m, &(struct slot_spec){ .id = id, .gpa = gpa, .size = size }, NULL, &err);
}

static int alias(unsigned of, uint64_t offset, uint64_t size)
{
	return machine_slot_add(m, &(struct slot_spec){ .id = 7, .gpa = AT + 0x200000, .size = size, .backing = SLOT_ALIAS, .alias_of = of,
							.offset = offset }, NULL, &err);
}

START_TEST(test_slots)
{
	unsigned id = 77;

	refused(EEXIST, "slot 5 is in use (0x2000000-0x2003fff)", add(5, AT + 0x300000, PAGE));
	refused(EINVAL, "slot 65535: this host has slots 0 to", add(0xffff, AT + 0x300000, PAGE));
	refused(ENOTSUP, "address space", add(7 << 16, AT + 0x300000, PAGE));
	refused(EINVAL, "must be multiples of 0x1000, the size not 0", add(7, AT + 0x300000, 0));
	refused(EINVAL, "must be multiples of 0x1000, the size not 0", add(7, AT + 0x300000, PAGE + 1));
	refused(EINVAL, "must be multiples of 0x1000, the size not 0", add(7, AT + 0x300001, PAGE));
	refused(EINVAL, "address bits", add(7, -PAGE, 2 * PAGE));
	refused(EINVAL, "address bits", add(7, 1ull << 62, PAGE));
	refused(EEXIST, "overlaps slot 5 at 0x2000000-0x2003fff", add(7, AT + 3 * PAGE, 2 * PAGE));
	refused(EEXIST, "which belongs to", add(7, 0xfee00000, PAGE));
	refused(ENOENT, "slot 7: there is no slot 99 to alias", alias(NO_SLOT, 0, PAGE));
	refused(EINVAL, "slot 6 is an alias itself", alias(6, 0, PAGE));
	refused(EINVAL, "slot 7: offset 0x1 is no multiple", alias(5, 1, PAGE));
	refused(EINVAL, "are not all in slot 5 of 0x4000 bytes", alias(5, 4 * PAGE, PAGE));
	refused(EINVAL, "are not all in slot 5 of 0x4000 bytes", alias(5, PAGE, 4 * PAGE));

	refused(ENOENT, "there is no slot 99", machine_slot_remove(m, NO_SLOT, NULL, &err));
	refused(ENOENT, "there is no slot 99", machine_slot_move(m, NO_SLOT, AT, NULL, &err));
	refused(ENOENT, "there is no slot 99", machine_slot_flags(m, NO_SLOT, &(bool){ true }, NULL, &err));
	refused(ENOENT, "there is no slot 99", machine_slot_split(m, NO_SLOT, PAGE, &id, &err));
	refused(ENOENT, "there is no slot 99", machine_slot_resize(m, NO_SLOT, PAGE, &err));
	refused(ENOENT, "there is no slot 99", machine_slot_discard(m, NO_SLOT, 0, PAGE, &err));
	refused(ENOENT, "there is no slot 99", machine_slot_remap(m, NO_SLOT, 0, PAGE, image, 0, &err));
	refused(ENOENT, "there is no slot 99", machine_slot_save(m, NO_SLOT, absent, &err));
	refused(ENOENT, "no slot 99", machine_dirty_diff(m, NO_SLOT, NULL, NULL, &err));
	refused(ENOENT, "no slot 99", machine_dirty_who(m, NO_SLOT, true, &err));
	refused(ENOENT, "no slot 99", machine_dirty_read(m, NO_SLOT, DIRTY_USER, false, &(struct dirty_map){ 0 }, &err));

	refused(EINVAL, "address bits", machine_slot_move(m, 5, 1ull << 62, NULL, &err));
	refused(EEXIST, "overlaps slot 6", machine_slot_move(m, 5, AT + 0x100000 - PAGE, NULL, &err));
	refused(EINVAL, "slot 5: it can be cut at multiples of 0x1000 below", machine_slot_split(m, 5, 0, &id, &err));
	refused(EINVAL, "slot 5: it can be cut at multiples of 0x1000 below", machine_slot_split(m, 5, 4 * PAGE, &id, &err));
	refused(EINVAL, "slot 5: it can be cut at multiples of 0x1000 below", machine_slot_split(m, 5, 1, &id, &err));
	ck_assert_uint_eq(id, 77);
	refused(EINVAL, "must be multiples", machine_slot_resize(m, 5, 0, &err));
	refused(EEXIST, "overlaps slot 6", machine_slot_resize(m, 5, 0x101000, &err));
	refused(EBUSY, "slot 5 shares its memory with another slot", machine_slot_resize(m, 5, 8 * PAGE, &err));
	refused(EINVAL, "are not all in its 0x4000 bytes", machine_slot_discard(m, 5, 4 * PAGE, PAGE, &err));
	refused(EINVAL, "are not all in its 0x4000 bytes", machine_slot_remap(m, 5, PAGE, 4 * PAGE, image, 0, &err));
	refused(EINVAL, "slot 5: offset 0x1 and size 0x1000 must be multiples", machine_slot_discard(m, 5, 1, PAGE, &err));
	refused(ENOENT, "slot 5: ", machine_slot_remap(m, 5, 0, PAGE, absent, 0, &err));
	refused(ENOENT, "such: No such file", machine_slot_save(m, 5, absent, &err));
	refused(EEXIST, "image: File exists", machine_slot_save(m, 5, image, &err));
}
END_TEST

/* -- a guest that runs -- */

START_TEST(test_running)
{
	static const struct catch_spec port = { .kind = CATCH_PORT, .start = 1, .end = 1, .dir = CATCH_READ };
	struct run_action acts[MACHINE_CPUS_MAX] = { { .kind = ACT_CONT } };
	unsigned id, before = stops;
	struct translation t;
	uint8_t v[REG_BYTES_MAX] = { 0 };
	uint64_t number;

	ck_assert_int_eq(machine_resume(m, acts, &err), 0);
	machine_poll(m, 0);
	refused(EBUSY, "the guest is running", machine_resume(m, acts, &err));
	refused(EBUSY, "the guest is running", machine_redirect(m, acts, &err));
	refused(EBUSY, "the guest is running", machine_reg_read(m, 0, X86_RAX, v, &err));
	refused(EBUSY, "the guest is running", machine_reg_write(m, 0, X86_RAX, v, &err));
	refused(EBUSY, "the guest is running", machine_special_read(m, 0, 0x277, &number, &err));
	refused(EBUSY, "the guest is running", machine_special_write(m, 0, 0x277, 0, &err));
	refused(EBUSY, "the guest is running", machine_translate(m, 0, 0, NULL, &t, &err));
	refused(EBUSY, "the guest is running", machine_break_insert(m, BREAK_OWNER_GDB, &soft, &err));
	refused(EBUSY, "the guest is running", machine_break_remove(m, BREAK_OWNER_GDB, &soft, &err));
	refused(EBUSY, "the guest is running", machine_break_clear(m, BREAK_OWNER_GDB, &err));
	refused(EBUSY, "the guest is running", machine_watch_insert(m, BREAK_OWNER_GDB, &watch, &err));
	refused(EBUSY, "the guest is running", machine_watch_remove(m, BREAK_OWNER_GDB, &watch, &err));
	refused(EBUSY, "the guest is running", machine_catch_add(m, &port, &id, &err));
	refused(EBUSY, "the guest is running", machine_catch_remove(m, 1, &err));
	refused(EBUSY, "the guest is running", inject(INJECT_NMI, 0, false));
	refused(EBUSY, "the guest is running", add(7, AT + 0x300000, PAGE));
	refused(EBUSY, "the guest is running", machine_slot_remove(m, 5, NULL, &err));
	refused(EBUSY, "the guest is running", machine_slot_move(m, 5, AT + 0x300000, NULL, &err));
	refused(EBUSY, "the guest is running", machine_slot_flags(m, 5, &(bool){ true }, NULL, &err));
	refused(EBUSY, "the guest is running", machine_slot_split(m, 5, PAGE, &id, &err));
	refused(EBUSY, "the guest is running", machine_slot_resize(m, 5, PAGE, &err));
	refused(EBUSY, "the guest is running", machine_slot_discard(m, 5, 0, PAGE, &err));
	refused(EBUSY, "the guest is running", machine_slot_remap(m, 5, 0, PAGE, image, 0, &err));
	refused(EBUSY, "the guest is running", machine_slot_save(m, 5, absent, &err));
	refused(EBUSY, "the guest is running", machine_dirty_who(m, 5, true, &err));
	ck_assert_uint_eq(machine_mem_read(m, 0, 0x7c00, v, 4, &err), 0);
	refused(EBUSY, "the guest is running", -err.code);
	machine_stop(m);
	while (stops == before)
		guest_wait();
	/* it has run, and is to be compared with nothing but that */
	snapshot(&is);
	ck_assert_mem_eq(is.slot, was.slot, sizeof(is.slot));
	ck_assert_uint_eq(is.breaks + is.watches + is.catches, 0);
	was = is;
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wrong_calls");
	TCase *t = tcase_create("machines");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_add_checked_fixture(t, make_files, remove_files);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_machines, 0, (int)(sizeof(configs) / sizeof(configs[0])));
	tcase_add_test(t, test_affinity);
	suite_add_tcase(s, t);
	t = tcase_create("calls");
	tcase_add_checked_fixture(t, start, finish);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_cpus);
	tcase_add_test(t, test_breaks);
	tcase_add_test(t, test_catches);
	tcase_add_test(t, test_devices);
	tcase_add_test(t, test_registers);
	tcase_add_test(t, test_slots);
	tcase_add_test(t, test_running);
	suite_add_tcase(s, t);
	return unit_main(s);
}

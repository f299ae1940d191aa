/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/kvm_harness.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm/kvm.h"
#include "tests/unit.h"

#define DEADLINE_MS 60000         /* a host may be slow; what runs them has deadlines of its own */
#define ALONE_MS    5

unsigned guest_dirty_ring;

static unsigned waited;

void guest_start(const unsigned char *code, const unsigned char *end, uint64_t load, enum boot_mode mode,
		 unsigned cpus)
{
	struct machine_config c = {
		.memory = 16 << 20,
		.cpus = cpus,
		.dirty_ring = guest_dirty_ring,
		.load = { .kind = IMAGE_FLAT, .has_load = true, .load = load, .has_mode = true, .mode = mode },
	};

	ck_assert_int_eq(blob_copy("test", code, (size_t)(end - code), &c.image, &err), 0);
	guest_start_machine(&c);
}

void guest_start_machine(struct machine_config *c)
{
	struct machine *made;

	ck_assert_msg(machine_kvm_new(c, &made, &err) == 0, "%s", err.msg);
	watched_begin(made);
	waited = 0;
}

#define FIRMWARE_BYTES 0x10000u

void guest_start_firmware(const unsigned char *code, const unsigned char *end, struct machine_config *c)
{
	static const uint8_t jump[] = { 0xea, 0x00, 0x00, 0x00, 0xf0 };
	uint8_t *rom = calloc(1, FIRMWARE_BYTES);

	ck_assert_ptr_nonnull(rom);
	ck_assert_uint_le((size_t)(end - code), FIRMWARE_BYTES - 16);
	memcpy(rom, code, (size_t)(end - code));
	memcpy(rom + FIRMWARE_BYTES - 16, jump, sizeof(jump));
	ck_assert_int_eq(blob_copy("firmware", rom, FIRMWARE_BYTES, &c->image, &err), 0);
	free(rom);
	c->load.kind = IMAGE_BIOS;
	if (!c->memory)
		c->memory = 16 << 20;
	if (!c->cpus)
		c->cpus = 1;
	guest_start_machine(c);
}

void guest_end(void)
{
	watched_end();
}

static void resume(enum action_kind kind, int only)
{
	struct run_action acts[MACHINE_CPUS_MAX] = { 0 };

	for (unsigned i = 0; i < machine_info(m)->cpus; i++)
		if (only < 0 || (unsigned)only == i)
			acts[i].kind = kind;
	ck_assert_msg(machine_resume(m, acts, &err) == 0, "%s", err.msg);
}

void guest_continue(void)
{
	resume(ACT_CONT, -1);
}

void guest_step(unsigned cpu)
{
	resume(ACT_STEP, (int)cpu);
}

/* Polls the machine until DONE, or fails the test. */
static void poll_until(bool (*done)(size_t wanted), size_t wanted)
{
	ck_assert_msg(watched_until(done, wanted, 50, DEADLINE_MS), "the machine did not get there in time");
}

static bool enough_serial(size_t wanted)
{
	return serial_len >= wanted;
}

void guest_wait(void)
{
	poll_until(watched_stops, waited + 1);
	ck_assert_msg(stops == waited + 1, "%u stops were reported where one was due", stops - waited);
	waited = stops;
}

void guest_poll_serial(size_t len)
{
	poll_until(enough_serial, len);
}

int guest_break(enum break_owner owner, enum break_kind kind, uint64_t gva)
{
	struct break_spec spec = { .kind = kind, .gva = gva, .space = BREAK_ANY_SPACE };

	return machine_break_insert(m, owner, &spec, &err);
}

int guest_unbreak(enum break_owner owner, enum break_kind kind, uint64_t gva)
{
	struct break_spec spec = { .kind = kind, .gva = gva, .space = BREAK_ANY_SPACE };

	return machine_break_remove(m, owner, &spec, &err);
}

uint64_t guest_reg(unsigned cpu, reg_id reg)
{
	uint8_t buf[REG_BYTES_MAX] = { 0 };
	uint64_t value;

	ck_assert_msg(machine_reg_read(m, cpu, reg, buf, &err) == 0, "%s", err.msg);
	memcpy(&value, buf, sizeof(value));
	return value;
}

void guest_set_reg(unsigned cpu, reg_id reg, uint64_t value)
{
	uint8_t buf[REG_BYTES_MAX] = { 0 };

	memcpy(buf, &value, sizeof(value));
	ck_assert_msg(machine_reg_write(m, cpu, reg, buf, &err) == 0, "%s", err.msg);
}

uint32_t guest_u32(uint64_t gpa)
{
	uint32_t v = 0;

	ck_assert_uint_eq(machine_phys_read(m, gpa, &v, sizeof(v), &err), sizeof(v));
	return v;
}

void guest_run_on(void)
{
	struct pollfd p = { .fd = machine_event_fd(m), .events = POLLIN };

	/* That the look is over is an event, too. */
	machine_poll(m, 0);
	poll(&p, 1, ALONE_MS);
	machine_poll(m, 0);
}

bool guest_no_kvm(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return true;
	close(fd);
	return false;
}

bool guest_has_rings(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	bool has = fd >= 0 && kvm_ioctl_num(fd, KVM_CHECK_EXTENSION, KVM_CAP_DIRTY_LOG_RING) > 0;

	if (fd >= 0)
		close(fd);
	return has;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the fake machine have in common. */
#ifndef GV_TESTS_FAKE_PARTS_H
#define GV_TESTS_FAKE_PARTS_H

#include "tests/fake_machine.h"

static inline struct fake_machine *fake(struct machine *m)
{
	return (struct fake_machine *)m;
}

/* -EINVAL: no such vCPU; -EBUSY: running, and not held. */
int fake_need_parked(const struct fake_machine *f, unsigned cpu, struct err *err);
bool fake_canonical(uint64_t gva);
/* Whether memory is mapped and there at GVA. */
bool fake_has_ram(const struct fake_machine *f, uint64_t gva);
uint64_t fake_pc_of(const struct fake_machine *f, unsigned cpu);
void fake_set_pc(struct fake_machine *f, unsigned cpu, uint64_t pc);

/* Each enters the operations it implements. */
void fake_cpu_ops(struct machine_ops *ops);
void fake_memory_ops(struct machine_ops *ops);
void fake_slot_ops(struct machine_ops *ops);
void fake_break_ops(struct machine_ops *ops);
void fake_device_ops(struct machine_ops *ops);
void fake_kernel_ops(struct machine_ops *ops);

/* What firmware_log() gives becomes longer; nobody is told. */
void fake_firmware_log(struct fake_machine *f, const void *data, size_t len);

/* The first breakpoint at GVA or after it; f->nbrk: none. */
size_t fake_break_from(const struct fake_machine *f, uint64_t gva);
/* Whether anybody wants *EV, whose owners are then those that do; asks their filters. */
bool fake_wanted(struct fake_machine *f, struct stop_event *ev);

/* The slots a machine is made with; also for a machine that has none yet. */
void fake_slots_reset(struct fake_machine *f);
void fake_slots_free(struct fake_machine *f);
/* We wrote to memory: the logs see it. */
void fake_slots_written(struct fake_machine *f, uint64_t gpa, uint64_t len);

#endif

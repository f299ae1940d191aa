/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/exitlog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "util/clock.h"

#define INSN_BYTES 15

/* An exit as it is noted: one line of cache. */
struct note {
	uint64_t number;        /* + 1; 0: not used yet */
	uint64_t time_ns, pc;
	union {
		struct { uint64_t a, b; };      /* by kind */
		uint8_t bytes[16];
	};
	uint32_t count;
	uint16_t cpu;
	uint8_t kind;           /* index in kinds[] */
	uint8_t size;           /* bytes */
	bool write;
	atomic_bool busy;       /* somebody writes it */
} __attribute__((aligned(64)));

struct exitlog {
	_Atomic uint64_t next;  /* number of the next exit */
	struct note note[EXIT_RECORDS];
};

static void take_io(struct note *n, const struct kvm_run *run)
{
	n->a = run->io.port;
	n->size = run->io.size;
	n->count = run->io.count;
	n->write = run->io.direction == KVM_EXIT_IO_OUT;
	if (n->write)
		memcpy(&n->b, (const uint8_t *)run + run->io.data_offset, n->size);
}

static void show_io(char *to, size_t size, const struct note *n)
{
	int len = snprintf(to, size, "%s 0x%" PRIx64 " %u byte%s", n->write ? "out" : "in", n->a, n->size,
			   n->size == 1 ? "" : "s");

	if (n->write)
		len += snprintf(to + len, size - (size_t)len, " 0x%0*" PRIx64, 2 * n->size, n->b);
	if (n->count != 1)
		snprintf(to + len, size - (size_t)len, " x %u", n->count);
}

static void take_mmio(struct note *n, const struct kvm_run *run)
{
	n->a = run->mmio.phys_addr;
	n->size = (uint8_t)run->mmio.len;
	n->write = run->mmio.is_write;
	if (n->write)
		memcpy(&n->b, run->mmio.data, sizeof(n->b));
}

static void show_mmio(char *to, size_t size, const struct note *n)
{
	/* What is beyond the access is of an earlier one. */
	uint64_t value = n->size < 8 ? n->b & ((1ull << 8 * n->size) - 1) : n->b;
	int len = snprintf(to, size, "%s 0x%" PRIx64 " %u", n->write ? "write" : "read", n->a, n->size);

	if (n->write)
		snprintf(to + len, size - (size_t)len, " 0x%" PRIx64, value);
}

static void take_debug(struct note *n, const struct kvm_run *run)
{
	arch.debug_note(run, &n->a, &n->b);
}

static void show_debug(char *to, size_t size, const struct note *n)
{
	arch.debug_text(n->a, n->b, to, size);
}

static void take_internal(struct note *n, const struct kvm_run *run)
{
	n->count = run->internal.suberror;
	if (n->count != KVM_INTERNAL_ERROR_EMULATION || run->internal.ndata < 3 ||
	    !(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		return;
	n->size = run->emulation_failure.insn_size < INSN_BYTES ? run->emulation_failure.insn_size : INSN_BYTES;
	memcpy(n->bytes, run->emulation_failure.insn_bytes, INSN_BYTES);
}

static void show_internal(char *to, size_t size, const struct note *n)
{
	int len = snprintf(to, size, "suberror %u%s", n->count, n->size ? " " : "");

	for (unsigned i = 0; i < n->size; i++)
		len += snprintf(to + len, size - (size_t)len, "%02x", n->bytes[i]);
}

static void take_msr(struct note *n, const struct kvm_run *run)
{
	n->a = run->msr.index;
	n->b = run->msr.data;
	n->write = run->exit_reason == KVM_EXIT_X86_WRMSR;
}

static void show_msr(char *to, size_t size, const struct note *n)
{
	if (n->write)
		snprintf(to, size, "wrmsr 0x%" PRIx64 " 0x%" PRIx64, n->a, n->b);
	else
		snprintf(to, size, "rdmsr 0x%" PRIx64, n->a);
}

static void take_entry(struct note *n, const struct kvm_run *run)
{
	n->a = run->fail_entry.hardware_entry_failure_reason;
}

static void take_unknown(struct note *n, const struct kvm_run *run)
{
	n->a = run->hw.hardware_exit_reason;
}

static void show_reason(char *to, size_t size, const struct note *n)
{
	snprintf(to, size, "reason 0x%" PRIx64, n->a);
}

static void take_system(struct note *n, const struct kvm_run *run)
{
	n->a = run->system_event.type;
}

static void show_type(char *to, size_t size, const struct note *n)
{
	snprintf(to, size, "type %" PRIu64, n->a);
}

static void take_hypercall(struct note *n, const struct kvm_run *run)
{
	n->a = run->hypercall.nr;
}

static void show_number(char *to, size_t size, const struct note *n)
{
	snprintf(to, size, "number %" PRIu64, n->a);
}

/* Failures of KVM_RUN come after KVM's reasons, and one of a kind that is not in the table last. */
#define KIND_INTERRUPTED        40
#define KIND_AGAIN              41
#define KIND_FAILED             42
#define KIND_OTHER              43

static void show_errno(char *to, size_t size, const struct note *n)
{
	snprintf(to, size, "%s", strerror((int)n->a));
}

static void show_other(char *to, size_t size, const struct note *n)
{
	snprintf(to, size, "KVM exit %" PRIu64, n->a);
}

static const struct {
	const char *name;
	void (*take)(struct note *n, const struct kvm_run *run);
	void (*show)(char *to, size_t size, const struct note *n);
} kinds[] = {
	[KVM_EXIT_UNKNOWN] = { "unknown", take_unknown, show_reason },
	[KVM_EXIT_IO] = { "io", take_io, show_io },
	[KVM_EXIT_HYPERCALL] = { "hypercall", take_hypercall, show_number },
	[KVM_EXIT_DEBUG] = { "debug", take_debug, show_debug },
	[KVM_EXIT_HLT] = { "hlt", NULL, NULL },
	[KVM_EXIT_MMIO] = { "mmio", take_mmio, show_mmio },
	[KVM_EXIT_IRQ_WINDOW_OPEN] = { "interrupt window", NULL, NULL },
	[KVM_EXIT_SHUTDOWN] = { "shutdown", NULL, NULL },
	[KVM_EXIT_FAIL_ENTRY] = { "failed entry", take_entry, show_reason },
	[KVM_EXIT_INTR] = { "interrupted", NULL, NULL },
	[KVM_EXIT_SET_TPR] = { "set tpr", NULL, NULL },
	[KVM_EXIT_TPR_ACCESS] = { "tpr access", NULL, NULL },
	[KVM_EXIT_NMI] = { "nmi", NULL, NULL },
	[KVM_EXIT_INTERNAL_ERROR] = { "internal error", take_internal, show_internal },
	[KVM_EXIT_SYSTEM_EVENT] = { "system event", take_system, show_type },
	[KVM_EXIT_IOAPIC_EOI] = { "ioapic eoi", NULL, NULL },
	[KVM_EXIT_HYPERV] = { "hyper-v", NULL, NULL },
	[KVM_EXIT_X86_RDMSR] = { "rdmsr", take_msr, show_msr },
	[KVM_EXIT_X86_WRMSR] = { "wrmsr", take_msr, show_msr },
	[KVM_EXIT_DIRTY_RING_FULL] = { "dirty ring full", NULL, NULL },
	[KVM_EXIT_X86_BUS_LOCK] = { "bus lock", NULL, NULL },
	[KVM_EXIT_XEN] = { "xen", NULL, NULL },
	[KVM_EXIT_NOTIFY] = { "notify", NULL, NULL },
	[KIND_INTERRUPTED] = { "interrupted", NULL, NULL },
	[KIND_AGAIN] = { "again", NULL, NULL },
	[KIND_FAILED] = { "failed", NULL, show_errno },
	[KIND_OTHER] = { "other", NULL, show_other },
};

_Static_assert(KVM_EXIT_NOTIFY < KIND_INTERRUPTED, "KVM's reasons come first");

static unsigned kind_of(const struct kvm_run *run, int ret)
{
	if (ret < 0)
		return ret == -EINTR ? KIND_INTERRUPTED : ret == -EAGAIN ? KIND_AGAIN : KIND_FAILED;
	return run->exit_reason < KIND_INTERRUPTED && kinds[run->exit_reason].name ? run->exit_reason : KIND_OTHER;
}

int exitlog_new(struct exitlog **ret, struct err *err)
{
	struct exitlog *x = aligned_alloc(64, sizeof(*x));

	if (!x)
		return err_set(err, ENOMEM, "no memory for the log of exits");
	memset(x, 0, sizeof(*x));
	*ret = x;
	return 0;
}

void exitlog_free(struct exitlog *x)
{
	free(x);
}

void exitlog_note(struct exitlog *x, const struct vcpu *v, int ret)
{
	uint64_t number = atomic_fetch_add_explicit(&x->next, 1, memory_order_relaxed);
	struct note *n = &x->note[number % EXIT_RECORDS];

	/* Another vCPU may have been at it since a whole round ago: this exit is one too many then. */
	if (atomic_exchange_explicit(&n->busy, true, memory_order_acquire))
		return;
	n->number = number + 1;
	n->time_ns = clock_ns();
	n->pc = arch.pc(v);
	n->cpu = (uint16_t)v->id;
	n->kind = (uint8_t)kind_of(v->run, ret);
	n->a = ret < 0 ? (uint64_t)-ret : v->run->exit_reason;
	n->b = 0;
	n->count = 0;
	n->size = 0;
	n->write = false;
	if (kinds[n->kind].take)
		kinds[n->kind].take(n, v->run);
	atomic_store_explicit(&n->busy, false, memory_order_release);
}

bool exitlog_at(const struct exitlog *x, size_t index, struct exit_record *ret)
{
	uint64_t next = atomic_load_explicit(&x->next, memory_order_relaxed);
	const struct note *n;

	if (index >= EXIT_RECORDS || index >= next)
		return false;
	n = &x->note[(next - 1 - index) % EXIT_RECORDS];
	*ret = (struct exit_record){
		.number = n->number - 1,
		.time_ns = n->time_ns,
		.cpu = n->cpu,
		.pc = n->pc,
		.reason = kinds[n->kind].name,
	};
	if (kinds[n->kind].show)
		kinds[n->kind].show(ret->detail, sizeof(ret->detail), n);
	return true;
}

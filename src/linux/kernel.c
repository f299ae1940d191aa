/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a kernel's memory by the members of its structures. */
#include "linux/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "linux/priv.h"

#define CHUNK 256u      /* bytes of a string read at once */

/* By older names, too; the first that there is counts. */
#define NAMES 3
static const char *const names[FIELDS][NAMES] = {
	[TASK_TASKS] = { "task_struct.tasks" },
	[TASK_COMM] = { "task_struct.comm" },
	[TASK_PID] = { "task_struct.pid" },
	[TASK_TGID] = { "task_struct.tgid" },
	[TASK_PARENT] = { "task_struct.real_parent" },
	[TASK_FLAGS] = { "task_struct.flags" },
	[TASK_SIGNAL] = { "task_struct.signal" },
	[TASK_STATE] = { "task_struct.__state", "task_struct.state" },
	[TASK_EXIT_STATE] = { "task_struct.exit_state" },
	[TASK_THREAD_NODE] = { "task_struct.thread_node" },
	[SIGNAL_THREADS] = { "signal_struct.thread_head" },
	[TASK_CPU] = { "task_struct.thread_info.cpu", "task_struct.cpu" },
	[MODULE_LIST] = { "module.list" },
	[MODULE_NAME] = { "module.name" },
	[MODULE_STATE] = { "module.state" },
	/* An array since 6.4, whose first member is the text. */
	[MODULE_BASE] = { "module.core_layout.base", "module.module_core" },
	[MODULE_SIZE] = { "module.core_layout.size", "module.core_size" },
	[MODULE_KALLSYMS] = { "module.kallsyms" },
	[KALLSYMS_SYMTAB] = { "mod_kallsyms.symtab" },
	[KALLSYMS_COUNT] = { "mod_kallsyms.num_symtab" },
	[KALLSYMS_STRTAB] = { "mod_kallsyms.strtab" },
	[LOG_COUNT_BITS] = { "printk_ringbuffer.desc_ring.count_bits" },
	[LOG_DESCS] = { "printk_ringbuffer.desc_ring.descs" },
	[LOG_INFOS] = { "printk_ringbuffer.desc_ring.infos" },
	[LOG_HEAD] = { "printk_ringbuffer.desc_ring.head_id" },
	[LOG_TAIL] = { "printk_ringbuffer.desc_ring.tail_id" },
	[LOG_SIZE_BITS] = { "printk_ringbuffer.text_data_ring.size_bits" },
	[LOG_DATA] = { "printk_ringbuffer.text_data_ring.data" },
	[DESC_STATE] = { "prb_desc.state_var" },
	[DESC_BEGIN] = { "prb_desc.text_blk_lpos.begin" },
	[DESC_NEXT] = { "prb_desc.text_blk_lpos.next" },
	[INFO_SEQ] = { "printk_info.seq" },
	[INFO_TIME] = { "printk_info.ts_nsec" },
	[INFO_LENGTH] = { "printk_info.text_len" },
	[INFO_LEVEL] = { "printk_info.level" },
	[RECORD_TIME] = { "printk_log.ts_nsec", "log.ts_nsec" },
	[RECORD_LENGTH] = { "printk_log.len", "log.len" },
	[RECORD_TEXT_LENGTH] = { "printk_log.text_len", "log.text_len" },
	[RECORD_LEVEL] = { "printk_log.level", "log.level" },
};

/* What an element of an array has: the array's name, and the element's. */
static const struct {
	enum field f;
	const char *array, *element;
} first_of[] = {
	{ MODULE_BASE, "module.mem", "module_memory.base" },
	{ MODULE_SIZE, "module.mem", "module_memory.size" },
};

int kernel_new(const struct kernel_source *s, struct kernel **ret, struct err *err)
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (!k)
		return err_set(err, ENOMEM, "no memory for what is known of the kernel");
	k->s = *s;
	*ret = k;
	return 0;
}

void kernel_free(struct kernel *k)
{
	free(k);
}

void kernel_changed(struct kernel *k)
{
	struct kernel_source s = k->s;

	*k = (struct kernel){ .s = s };
}

/* -- memory -- */

bool kernel_read(struct kernel *k, uint64_t gva, void *ret, size_t len)
{
	uint64_t offset = gva - k->info.slide - k->text;

	if (k->located && !k->info.mapped && offset < k->end - k->text && len <= k->end - k->text - offset)
		return k->s.read_phys(k->s.arg, k->info.gpa + offset, ret, len) == len;
	return k->s.read(k->s.arg, gva, ret, len) == len;
}

bool kernel_pointer(struct kernel *k, uint64_t gva, uint64_t *ret)
{
	uint64_t value;

	if (!kernel_read(k, gva, &value, sizeof(value)))
		return false;
	*ret = value;
	return true;
}

bool kernel_bytes(struct kernel *k, uint64_t gva, char *ret, size_t size)
{
	for (size_t done = 0, n; done < size - 1; done += n) {
		/* Not past an aligned piece: what follows it may not be there. */
		n = CHUNK - (gva + done) % CHUNK;
		if (n > size - 1 - done)
			n = size - 1 - done;
		if (!kernel_read(k, gva + done, ret + done, n))
			return false;
		if (memchr(ret + done, '\0', n))
			return true;
	}
	ret[size - 1] = '\0';
	return true;
}

void kernel_clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if (*p < ' ' || *p == 0x7f)
			*p = '?';
}

bool kernel_string(struct kernel *k, uint64_t gva, char *ret, size_t size)
{
	if (!kernel_bytes(k, gva, ret, size))
		return false;
	kernel_clean(ret);
	return true;
}

/* -- members -- */

static int ask(struct kernel *k, enum field f, struct dwarf_member *ret)
{
	struct dwarf_member array, element;
	int r = -ENOENT;

	for (unsigned i = 0; i < NAMES && names[f][i] && r; i++)
		r = k->s.member(k->s.arg, names[f][i], ret, NULL);
	for (size_t i = 0; i < sizeof(first_of) / sizeof(first_of[0]) && r; i++) {
		if (first_of[i].f != f || k->s.member(k->s.arg, first_of[i].array, &array, NULL) ||
		    k->s.member(k->s.arg, first_of[i].element, &element, NULL))
			continue;
		*ret = (struct dwarf_member){ .offset = array.offset + element.offset, .size = element.size };
		r = 0;
	}
	return r;
}

bool kernel_has(struct kernel *k, enum field f)
{
	struct kernel_field *x = &k->field[f];

	if (!x->asked) {
		x->result = ask(k, f, &x->m);
		x->asked = true;
	}
	return !x->result;
}

int kernel_fields(struct kernel *k, enum field first, enum field last, struct err *err)
{
	for (enum field f = first; f <= last; f++)
		if (!kernel_has(k, f))
			return err_set(err, ENOTSUP, "the kernel's symbols do not tell where %s is (they need its "
				       "DWARF, of CONFIG_DEBUG_INFO)", names[f][0]);
	return 0;
}

uint64_t kernel_offset(const struct kernel *k, enum field f)
{
	return k->field[f].m.offset;
}

bool kernel_get(struct kernel *k, uint64_t gva, enum field f, uint64_t *ret)
{
	const struct dwarf_member *m = &k->field[f].m;
	uint64_t value = 0, size;

	if (!kernel_has(k, f) || m->bit >= 64 || m->bits > 64 - m->bit)
		return false;
	size = m->bits ? (m->bit + m->bits + 7) / 8 : m->size;
	if (!size || size > sizeof(value) || !kernel_read(k, gva + m->offset, &value, size))
		return false;
	if (m->bits)
		value = value >> m->bit & (m->bits == 64 ? UINT64_MAX : (1ull << m->bits) - 1);
	*ret = value;
	return true;
}

int kernel_size_of(struct kernel *k, const char *type, uint64_t max, uint64_t *ret, struct err *err)
{
	uint64_t size;

	if (k->s.size_of(k->s.arg, type, &size, NULL) || !size || size > max)
		return err_set(err, ENOTSUP, "the kernel's symbols do not tell how large struct %s is (they need its "
			       "DWARF, of CONFIG_DEBUG_INFO)", type);
	*ret = size;
	return 0;
}

/* -- symbols -- */

/* Variables of a CPU have small addresses of their own, which do not move (before 6.15). */
static uint64_t as_it_runs(const struct kernel *k, uint64_t linked)
{
	return linked >> 63 ? linked + k->info.slide : linked;
}

int kernel_symbol(struct kernel *k, const char *name, uint64_t *ret, struct err *err)
{
	uint64_t linked;

	if (!k->s.symbol(k->s.arg, name, &linked))
		return err_set(err, ENOENT, "the symbols have no %s", name);
	*ret = as_it_runs(k, linked);
	return 0;
}

/* -- lists -- */

void kernel_walk_begin(struct kernel_walk *w, uint64_t head, unsigned max)
{
	*w = (struct kernel_walk){ .head = head, .at = head, .mark = head, .power = 1, .max = max };
}

bool kernel_walk_next(struct kernel *k, struct kernel_walk *w, uint64_t *ret)
{
	uint64_t next;

	if (w->broken)
		return false;
	if (!kernel_pointer(k, w->at, &next) || !next) {
		w->broken = true;
		return false;
	}
	if (next == w->head)
		return false;
	w->broken = next == w->mark || w->n == w->max;
	if (w->broken)
		return false;
	if (++w->n == w->power) {
		w->mark = next;
		w->power *= 2;
	}
	w->at = *ret = next;
	return true;
}

int kernel_broken(const char *what, unsigned n, struct err *err)
{
	return err_set(err, EBADMSG, "the kernel's list of %s is broken after %u", what, n);
}

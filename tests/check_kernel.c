/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linux seen from outside: tasks and modules, and whatever else may be in memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernel_image.h"
#include "tests/unit.h"

static struct kernel_image *x;
static struct kernel *k;
static struct err err;

static void setup(void)
{
	x = image_new();
	k = image_kernel(x);
}

static void teardown(void)
{
	kernel_free(k);
}

/* -- tasks -- */

enum {
	T_SIZE = 0x400, T_FLAGS = 0x2c, T_STATE = 0x18, T_EXIT = 0x300, T_TASKS = 0x100, T_PID = 0x200, T_TGID = 0x204,
	T_PARENT = 0x208, T_COMM = 0x240, T_SIGNAL = 0x260, T_NODE = 0x270, T_CPU = 0x14, S_THREADS = 0x10
};

#define INIT     (IMG_TEXT + 0x10000)
#define TASK(n)  (IMG_HEAP + (n) * (uint64_t)T_SIZE)
#define SIGNAL(n) (IMG_HEAP + 0x20000 + (n) * 0x40u)
#define PERCPU(n) (IMG_HEAP + 0x30000 + (n) * 0x1000u)

static void task_members(void)
{
	image_member(x, "task_struct.tasks", T_TASKS, 16);
	image_member(x, "task_struct.comm", T_COMM, 16);
	image_member(x, "task_struct.pid", T_PID, 4);
	image_member(x, "task_struct.tgid", T_TGID, 4);
	image_member(x, "task_struct.real_parent", T_PARENT, 8);
	image_member(x, "task_struct.flags", T_FLAGS, 4);
	image_member(x, "task_struct.signal", T_SIGNAL, 8);
	image_member(x, "task_struct.__state", T_STATE, 4);
	image_member(x, "task_struct.exit_state", T_EXIT, 4);
	image_member(x, "task_struct.thread_node", T_NODE, 16);
	image_member(x, "signal_struct.thread_head", S_THREADS, 16);
	image_member(x, "task_struct.thread_info.cpu", T_CPU, 4);
	image_symbol(x, "init_task", INIT);
}

static void link_after(uint64_t at, uint64_t new)
{
	uint64_t next = 0;
	size_t size = sizeof(next);
	uint8_t *p = at >= IMG_TEXT ? x->image + (at - IMG_TEXT) : x->heap + (at - IMG_HEAP);

	memcpy(&next, p, size);
	image_put(x, new, next, 8);
	image_put(x, new + 8, at, 8);
	image_put(x, at, new, 8);
	image_put(x, next + 8, new, 8);
}

static void list_init(uint64_t at)
{
	image_put(x, at, at, 8);
	image_put(x, at + 8, at, 8);
}

static void put_task(uint64_t gva, int pid, int tgid, uint64_t parent, unsigned state, unsigned flags, int cpu, const char *comm)
{
	image_put(x, gva + T_PID, (uint64_t)pid, 4);
	image_put(x, gva + T_TGID, (uint64_t)tgid, 4);
	image_put(x, gva + T_PARENT, parent, 8);
	image_put(x, gva + T_STATE, state, 4);
	image_put(x, gva + T_FLAGS, flags, 4);
	image_put(x, gva + T_CPU, (uint64_t)cpu, 4);
	image_text(x, gva + T_COMM, comm);
}

/* init_task, init (1), kthreadd (2), and a process (7) with a second thread (8); an idle task for the second CPU. */
static void make_tasks(void)
{
	task_members();
	put_task(INIT, 0, 0, INIT, 0, 0x200000, 0, "swapper/0");
	put_task(TASK(0), 1, 1, INIT, 1, 0, 1, "init");
	put_task(TASK(1), 2, 2, INIT, 0x402, 0x200000, 0, "kthreadd");
	put_task(TASK(2), 7, 7, TASK(0), 0, 0, 0, "a\tb");
	put_task(TASK(3), 8, 7, TASK(0), 2, 0, 1, "thread");
	put_task(TASK(4), 0, 0, INIT, 0, 0x200000, 1, "swapper/1");
	list_init(INIT + T_TASKS);
	for (unsigned i = 0; i < 3; i++) {
		list_init(SIGNAL(i) + S_THREADS);
		image_put(x, TASK(i) + T_SIGNAL, SIGNAL(i), 8);
		link_after(SIGNAL(i) + S_THREADS, TASK(i) + T_NODE);
	}
	link_after(INIT + T_TASKS, TASK(2) + T_TASKS);
	link_after(INIT + T_TASKS, TASK(1) + T_TASKS);
	link_after(INIT + T_TASKS, TASK(0) + T_TASKS);
	link_after(TASK(2) + T_NODE, TASK(3) + T_NODE);

	image_symbol(x, "__per_cpu_offset", IMG_TEXT + 0x8000);
	image_symbol(x, "current_task", 0x140);
	for (unsigned i = 0; i < 2; i++)
		image_put(x, IMG_TEXT + 0x8000 + 8 * i, PERCPU(i), 8);
	image_put(x, PERCPU(0) + 0x140, TASK(2), 8);
	image_put(x, PERCPU(1) + 0x140, TASK(4), 8);
	x->ncpus = 2;
	x->gs[0][1] = PERCPU(0);        /* in user code */
	x->gs[0][0] = 0x7fff0000;
	x->gs[1][0] = PERCPU(1);
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
}

struct seen {
	struct kernel_task t[64];
	unsigned n, stop_at;
};

static bool see(void *arg, const struct kernel_task *t)
{
	struct seen *s = arg;

	if (s->n < 64)
		s->t[s->n] = *t;
	s->n++;
	return s->n != s->stop_at;
}

START_TEST(tasks_all)
{
	static const struct {
		int pid, tgid, parent, cpu;
		char state;
		bool kernel, running;
		const char *comm;
	} want[] = {
		{ 0, 0, 0, 0, 'R', true, false, "swapper/0" },
		{ 0, 0, 0, 1, 'R', true, true, "swapper/1" },
		{ 1, 1, 0, 1, 'S', false, false, "init" },
		{ 2, 2, 0, 0, 'I', true, false, "kthreadd" },
		{ 7, 7, 1, 0, 'R', false, true, "a?b" },
		{ 8, 7, 1, 1, 'D', false, false, "thread" },
	};
	struct seen s = { .n = 0 };

	make_tasks();
	ck_assert_int_eq(kernel_tasks(k, see, &s, &err), 0);
	ck_assert_uint_eq(s.n, sizeof(want) / sizeof(want[0]));
	for (unsigned i = 0; i < s.n; i++) {
		ck_assert_int_eq(s.t[i].pid, want[i].pid);
		ck_assert_int_eq(s.t[i].tgid, want[i].tgid);
		ck_assert_int_eq(s.t[i].parent, want[i].parent);
		ck_assert_int_eq(s.t[i].cpu, want[i].cpu);
		ck_assert_int_eq(s.t[i].state, want[i].state);
		ck_assert_int_eq(s.t[i].kernel, want[i].kernel);
		ck_assert_int_eq(s.t[i].running, want[i].running);
		ck_assert_str_eq(s.t[i].comm, want[i].comm);
	}
	ck_assert_uint_eq(s.t[4].gva, TASK(2));
	/* One that is being made is not in its own list of threads yet; and before there is such a list. */
	list_init(SIGNAL(1) + S_THREADS);
	image_put(x, TASK(0) + T_SIGNAL, 0, 8);
	s = (struct seen){ 0 };
	ck_assert_int_eq(kernel_tasks(k, see, &s, &err), 0);
	ck_assert_uint_eq(s.n, sizeof(want) / sizeof(want[0]));
	/* As many as are wanted. */
	s = (struct seen){ .stop_at = 3 };
	ck_assert_int_eq(kernel_tasks(k, see, &s, &err), 0);
	ck_assert_uint_eq(s.n, 3);
}
END_TEST

START_TEST(tasks_of_older_kernels)
{
	struct seen s = { .n = 0 };

	make_tasks();
	image_forget_member(x, "task_struct.__state");
	image_member(x, "task_struct.state", T_STATE, 8);
	image_forget_member(x, "task_struct.thread_info.cpu");
	image_forget_member(x, "task_struct.exit_state");
	image_member(x, "task_struct.cpu", T_CPU, 4);
	image_put(x, TASK(0) + T_STATE, 1, 8);
	kernel_changed(k);
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	/* Without what only adds to it, tasks are there all the same. */
	ck_assert_int_eq(kernel_tasks(k, see, &s, &err), 0);
	ck_assert_uint_eq(s.n, 6);
	ck_assert_int_eq(s.t[2].state, 'S');
	ck_assert_int_eq(s.t[2].cpu, 1);
}
END_TEST

START_TEST(task_states)
{
	static const struct {
		unsigned state, ended;
		char want;
	} cases[] = {
		{ 0, 0, 'R' }, { 1, 0, 'S' }, { 2, 0, 'D' }, { 4, 0, 'T' }, { 8, 0, 't' }, { 0, 0x10, 'X' }, { 0x80, 0x20, 'Z' },
		{ 0x40, 0, 'P' }, { 0x402, 0, 'I' }, { 0x1000, 0, 'D' }, { 0x800, 0, 'R' }, { 0x101, 0, 'S' }, { 0xffffffff, 0xffffffff, 'I' },
	};
	struct kernel_task t;

	make_tasks();
	image_put(x, TASK(2) + T_STATE, cases[_i].state, 4);
	image_put(x, TASK(2) + T_EXIT, cases[_i].ended, 4);
	ck_assert_int_eq(kernel_current(k, 0, &t, &err), 0);
	ck_assert_int_eq(t.state, cases[_i].want);
}
END_TEST

START_TEST(tasks_broken)
{
	struct seen s = { .n = 0 };

	make_tasks();
	switch (_i) {
	case 0:         /* leads nowhere */
		image_put(x, TASK(1) + T_TASKS, 0x1234, 8);
		break;
	case 1:         /* a loop that the head is not in */
		image_put(x, TASK(2) + T_TASKS, TASK(0) + T_TASKS, 8);
		break;
	case 2:         /* into itself */
		image_put(x, TASK(0) + T_TASKS, TASK(0) + T_TASKS, 8);
		break;
	case 3:         /* zero */
		image_put(x, TASK(1) + T_TASKS, 0, 8);
		break;
	case 4:         /* threads in a loop */
		image_put(x, TASK(3) + T_NODE, TASK(3) + T_NODE, 8);
		break;
	case 5:         /* the thread's list leads out of memory */
		image_put(x, TASK(2) + T_NODE, IMG_HEAP + IMG_HEAP_SIZE, 8);
		break;
	}
	ck_assert_int_eq(kernel_tasks(k, see, &s, &err), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.msg, "the kernel's list of tasks is broken after "));
	ck_assert_uint_lt(s.n, 40);
	ck_assert_uint_gt(s.n, 2);
}
END_TEST

START_TEST(tasks_lacking)
{
	struct seen s = { .n = 0 };

	make_tasks();
	image_forget_member(x, "task_struct.tasks");
	kernel_changed(k);
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	ck_assert_int_eq(kernel_tasks(k, see, &s, &err), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.msg, "task_struct.tasks"));
	ck_assert_ptr_nonnull(strstr(err.msg, "DWARF"));
	ck_assert_uint_eq(s.n, 0);
}
END_TEST

START_TEST(tasks_current)
{
	struct kernel_task t;

	make_tasks();
	ck_assert_int_eq(kernel_current(k, 0, &t, &err), 0);
	ck_assert_int_eq(t.pid, 7);
	ck_assert(t.running);
	ck_assert_int_eq(kernel_current(k, 1, &t, &err), 0);
	ck_assert_str_eq(t.comm, "swapper/1");
	ck_assert_int_eq(kernel_current(k, 2, &t, &err), -EINVAL);
	/* Not one of the kernel's CPUs yet. */
	x->gs[1][0] = 0;
	ck_assert_int_eq(kernel_current(k, 1, &t, &err), -EAGAIN);
	x->gs[1][0] = 0x5000;
	ck_assert_int_eq(kernel_current(k, 1, &t, &err), -EAGAIN);
	/* Rubbish. */
	x->gs[1][0] = PERCPU(1);
	image_put(x, PERCPU(1) + 0x140, 0xdead, 8);
	ck_assert_int_eq(kernel_current(k, 1, &t, &err), -EBADMSG);
	image_put(x, IMG_TEXT + 0x8008, 0x7000, 8);
	x->gs[1][0] = 0x7000;
	ck_assert_int_eq(kernel_current(k, 1, &t, &err), -EBADMSG);
}
END_TEST

/* 6.2 to 6.14 keep it among others; a kernel for one CPU, at its own address. */
START_TEST(tasks_current_elsewhere)
{
	struct kernel_task t;

	make_tasks();
	image_forget_symbol(x, "current_task");
	ck_assert_int_eq(kernel_current(k, 0, &t, &err), -ENOTSUP);
	image_symbol(x, "pcpu_hot", 0x140);
	ck_assert_int_eq(kernel_current(k, 0, &t, &err), 0);
	ck_assert_int_eq(t.pid, 7);

	/* From 6.15 on it has an address in the kernel, from which each CPU's own is far. */
	image_forget_symbol(x, "pcpu_hot");
	image_symbol(x, "current_task", IMG_TEXT + 0x9000);
	x->gs[0][1] = PERCPU(0) + 0x140 - (IMG_TEXT + 0x9000);
	image_put(x, IMG_TEXT + 0x8000, x->gs[0][1], 8);
	ck_assert_int_eq(kernel_current(k, 0, &t, &err), 0);
	ck_assert_int_eq(t.pid, 7);

	image_forget_symbol(x, "__per_cpu_offset");
	image_put(x, IMG_TEXT + 0x9000, TASK(3), 8);
	ck_assert_int_eq(kernel_current(k, 0, &t, &err), 0);
	ck_assert_int_eq(t.pid, 8);
}
END_TEST

/* -- modules -- */

#define MODULE(n) (IMG_HEAP + 0x8000 + (n) * 0x200u)
#define MODULES   (IMG_TEXT + 0xa000)
#define SYMTAB    (IMG_HEAP + 0xc000)
#define STRTAB    (IMG_HEAP + 0xd000)

static void put_symbol(unsigned n, unsigned name, unsigned info, unsigned section, uint64_t value, uint64_t size)
{
	image_put(x, SYMTAB + 24 * n, name, 4);
	image_put(x, SYMTAB + 24 * n + 4, info, 1);
	image_put(x, SYMTAB + 24 * n + 6, section, 2);
	image_put(x, SYMTAB + 24 * n + 8, value, 8);
	image_put(x, SYMTAB + 24 * n + 16, size, 8);
}

static void make_modules(bool newer)
{
	image_member(x, "module.list", 8, 16);
	image_member(x, "module.name", 0x18, 56);
	image_member(x, "module.state", 0, 4);
	if (newer) {
		image_member(x, "module.mem", 0x100, 0);
		image_member(x, "module_memory.base", 8, 8);
		image_member(x, "module_memory.size", 0, 4);
	} else {
		image_member(x, "module.core_layout.base", 0x108, 8);
		image_member(x, "module.core_layout.size", 0x100, 4);
	}
	image_member(x, "module.kallsyms", 0x120, 8);
	image_member(x, "mod_kallsyms.symtab", 0, 8);
	image_member(x, "mod_kallsyms.num_symtab", 8, 4);
	image_member(x, "mod_kallsyms.strtab", 16, 8);
	image_symbol(x, "modules", MODULES);
	list_init(MODULES);
	for (unsigned i = 0; i < 2; i++) {
		image_put(x, MODULE(i), i, 4);
		image_text(x, MODULE(i) + 0x18, i ? "b\033d" : "first");
		image_put(x, MODULE(i) + 0x108, 0xffffffffc0000000 + i * 0x10000, 8);
		image_put(x, MODULE(i) + 0x100, 0x4000, 4);
		link_after(MODULES, MODULE(i) + 8);
	}
	image_put(x, MODULE(0) + 0x120, MODULE(0) + 0x140, 8);
	image_put(x, MODULE(0) + 0x140, SYMTAB, 8);
	image_put(x, MODULE(0) + 0x148, 6, 4);
	image_put(x, MODULE(0) + 0x150, STRTAB, 8);
	memcpy(x->heap + (STRTAB - IMG_HEAP), "\0poke\0far\0undefined\0data\0section", 33);
	put_symbol(1, 1, 2, 1, 0xffffffffc0000010, 0x20);      /* poke */
	put_symbol(2, 6, 2, 1, 0xffffffffc0004000, 0x20);      /* far: beyond it */
	put_symbol(3, 10, 2, 0, 0xffffffffc0000020, 0);        /* undefined */
	put_symbol(4, 20, 1, 3, 0xffffffffc0003000, 8);        /* data */
	put_symbol(5, 25, 3, 1, 0xffffffffc0000000, 0);        /* section */
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
}

static struct kernel_module mods[8];
static unsigned nmods;

static bool see_module(void *arg, const struct kernel_module *m)
{
	(void)arg;
	mods[nmods++ % 8] = *m;
	return true;
}

static char symbols[256];

static bool see_symbol(void *arg, const char *name, uint64_t addr, uint64_t size)
{
	size_t n = strlen(symbols);

	(void)arg;
	snprintf(symbols + n, sizeof(symbols) - n, "%s %llx %llx;", name, (unsigned long long)addr, (unsigned long long)size);
	return true;
}

START_TEST(modules_all)
{
	make_modules(_i);
	nmods = 0;
	ck_assert_int_eq(kernel_modules(k, see_module, NULL, &err), 0);
	ck_assert_uint_eq(nmods, 2);
	ck_assert_str_eq(mods[0].name, "b?d");
	ck_assert_str_eq(mods[0].state, "coming");
	ck_assert_str_eq(mods[1].name, "first");
	ck_assert_str_eq(mods[1].state, "live");
	ck_assert_uint_eq(mods[1].gva, 0xffffffffc0000000);
	ck_assert_uint_eq(mods[1].size, 0x4000);
	symbols[0] = '\0';
	ck_assert_int_eq(kernel_module_symbols(k, &mods[1], 1000, see_symbol, NULL, &err), 0);
	ck_assert_str_eq(symbols, "poke ffffffffc0000010 20;data ffffffffc0003000 8;");
	symbols[0] = '\0';
	ck_assert_int_eq(kernel_module_symbols(k, &mods[1], 3, see_symbol, NULL, &err), 0);
	ck_assert_str_eq(symbols, "poke ffffffffc0000010 20;");
	ck_assert_int_eq(kernel_module_symbols(k, &mods[0], 1000, see_symbol, NULL, &err), -ENOENT);
}
END_TEST

START_TEST(modules_broken)
{
	make_modules(false);
	nmods = 0;
	if (!_i)
		image_put(x, MODULE(0) + 8, 0x10, 8);
	else
		image_put(x, MODULE(0) + 8, MODULE(1) + 8, 8);
	ck_assert_int_eq(kernel_modules(k, see_module, NULL, &err), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.msg, "list of modules is broken after"));
	ck_assert_uint_lt(nmods, 8);
	/* As many symbols as there are not. */
	image_put(x, MODULE(0) + 0x148, 0xffffffff, 4);
	nmods = 0;
	mods[0] = (struct kernel_module){ .object = MODULE(0), .gva = 0xffffffffc0000000, .size = 0x4000, .name = "first" };
	ck_assert_int_eq(kernel_module_symbols(k, &mods[0], 1 << 20, see_symbol, NULL, &err), -EBADMSG);
}
END_TEST

START_TEST(modules_none)
{
	nmods = 0;
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	ck_assert_int_eq(kernel_modules(k, see_module, NULL, &err), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.msg, "without modules"));
}
END_TEST

/* -- any memory at all -- */

static uint64_t seed;

static uint64_t chance(uint64_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % below;
}

/* Values that may be taken for something. */
static uint64_t rubbish(void)
{
	const uint64_t some[] = { 0, 1, UINT64_MAX, INIT, INIT + T_TASKS, TASK(chance(6)), TASK(chance(6)) + T_TASKS, MODULES, MODULE(0) + 8,
				  IMG_HEAP + chance(IMG_HEAP_SIZE), IMG_HEAP + IMG_HEAP_SIZE - 4, IMG_TEXT + chance(IMG_SIZE),
				  0xffffffffc0000000, chance(1 << 20) };

	return some[chance(sizeof(some) / sizeof(some[0]))];
}

static bool count(void *arg, const struct kernel_task *t)
{
	(void)t;
	return ++*(unsigned *)arg < 3000;
}

static bool count_symbol(void *arg, const char *name, uint64_t addr, uint64_t size)
{
	(void)addr;
	(void)size;
	return name && ++*(unsigned *)arg < 3000;
}

START_TEST(rubbish_in_memory)
{
	struct kernel_module m = { .object = MODULE(0), .gva = 0xffffffffc0000000, .size = 0x4000 };
	struct kernel_task t;
	unsigned n = 0;

	seed = (uint64_t)_i + 1;
	make_tasks();
	make_modules(_i & 1);
	for (unsigned round = 0; round < 300; round++) {
		for (unsigned i = 0; i < 3; i++)
			image_put(x, chance(2) ? TASK(0) + 8 * chance(6 * T_SIZE / 8) : chance(2) ? IMG_HEAP + 8 * chance(IMG_HEAP_SIZE / 8)
				  : INIT + 8 * chance(T_SIZE / 8), rubbish(), 8);
		kernel_locate(k, 0, NULL);
		kernel_tasks(k, count, &n, &err);
		kernel_current(k, (unsigned)chance(3), &t, &err);
		nmods = 0;
		kernel_modules(k, see_module, NULL, &err);
		kernel_module_symbols(k, &m, 1000, count_symbol, &n, &err);
		n = 0;
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kernel");
	TCase *t = tcase_create("tasks");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, tasks_all);
	tcase_add_test(t, tasks_of_older_kernels);
	tcase_add_loop_test(t, task_states, 0, 13);
	tcase_add_loop_test(t, tasks_broken, 0, 6);
	tcase_add_test(t, tasks_lacking);
	tcase_add_test(t, tasks_current);
	tcase_add_test(t, tasks_current_elsewhere);
	suite_add_tcase(s, t);

	t = tcase_create("modules");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, modules_all, 0, 2);
	tcase_add_loop_test(t, modules_broken, 0, 2);
	tcase_add_test(t, modules_none);
	suite_add_tcase(s, t);

	t = tcase_create("whatever is there");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, rubbish_in_memory, 0, 20);
	suite_add_tcase(s, t);
	return unit_main(s);
}

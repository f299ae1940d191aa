/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is measured about the host's KVM, against experiments of another make, and what is remembered of it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/x86/probe_cache.h"
#include "tests/unit.h"

#define CODE 0x400
#define DATA 0x800

static struct err err;
static struct kvm kvm = { .sys_fd = -1, .vm_fd = -1 };

/* A real-mode guest of one page, beside any of the program's own code. */
static struct {
	int vm, cpu;
	uint8_t *page;
	struct kvm_run *run;
	struct kvm_guest_debug debug;
	struct kvm_regs regs;
} g;

static void guest(const char *insns, size_t len, uint32_t control)
{
	struct kvm_userspace_memory_region region = { .memory_size = 4096 };
	struct kvm_sregs sregs;

	memset(&g, 0, sizeof(g));
	g.regs = (struct kvm_regs){ .rip = CODE, .rsp = 0xff0, .rflags = 2, .rbx = DATA, .rsi = DATA, .rdi = DATA, .rcx = 3 };
	g.vm = ioctl(kvm.sys_fd, KVM_CREATE_VM, 0);
	ck_assert_int_ge(g.vm, 0);
	g.page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(g.page, MAP_FAILED);
	/* Every vector leads to a hlt. */
	for (int i = 0; i < 64; i++)
		memcpy(g.page + 4 * i, &(uint32_t){ 0x900 }, 4);
	memset(g.page + 0x900, 0xf4, 16);
	memset(g.page + CODE, 0xf4, 16);
	memcpy(g.page + CODE, insns, len);
	region.userspace_addr = (uintptr_t)g.page;
	ck_assert_int_eq(ioctl(g.vm, KVM_SET_USER_MEMORY_REGION, &region), 0);
	g.cpu = ioctl(g.vm, KVM_CREATE_VCPU, 0);
	ck_assert_int_ge(g.cpu, 0);
	g.run = mmap(NULL, kvm.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, g.cpu, 0);
	ck_assert_ptr_ne(g.run, MAP_FAILED);
	ck_assert_int_eq(ioctl(g.cpu, KVM_GET_SREGS, &sregs), 0);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	ck_assert_int_eq(ioctl(g.cpu, KVM_SET_SREGS, &sregs), 0);
	ck_assert_int_eq(ioctl(g.cpu, KVM_SET_REGS, &g.regs), 0);
	g.debug.control = KVM_GUESTDBG_ENABLE | control;
}

#define GUEST(insns, control) guest(insns, sizeof(insns) - 1, control)

static unsigned go(void)
{
	ck_assert_int_eq(ioctl(g.cpu, KVM_SET_GUEST_DEBUG, &g.debug), 0);
	ck_assert_int_eq(ioctl(g.cpu, KVM_RUN, 0), 0);
	ck_assert_int_eq(ioctl(g.cpu, KVM_GET_REGS, &g.regs), 0);
	return g.run->exit_reason;
}

/* Goes on while nothing has moved. */
static unsigned step(void)
{
	struct kvm_regs before = g.regs;
	unsigned reason, tries = 0;

	do
		reason = go();
	while (reason == KVM_EXIT_DEBUG && !memcmp(&before, &g.regs, sizeof(before)) && ++tries < 20);
	return reason;
}

static void gone(void)
{
	munmap(g.run, kvm.run_size);
	munmap(g.page, 4096);
	close(g.cpu);
	close(g.vm);
}

static bool bit(uint8_t mask, enum probe_mode mode)
{
	return mask >> mode & 1;
}

static void shut(void)
{
	kvm_close(&kvm);
}

static void measure(struct probe *p)
{
	ck_assert_msg(kvm_open(&kvm, &err) == 0, "%s", err.msg);
	ck_assert_msg(probe_measure(&kvm, p, &err) == 0, "%s", err.msg);
}

START_TEST(breakpoints_are_as_measured)
{
	struct probe p;
	bool hit;

	measure(&p);
	GUEST("\xcc", KVM_GUESTDBG_USE_SW_BP);
	hit = go() == KVM_EXIT_DEBUG;
	ck_assert_int_eq(hit, bit(p.int3s, PROBE_REAL));
	ck_assert_int_eq(hit, p.int3_exits);
	ck_assert_uint_eq(p.trap_byte, hit ? 0xcc : 0xf1);
	gone();

	GUEST("\x90\x90\x90", KVM_GUESTDBG_USE_HW_BP);
	g.debug.arch.debugreg[3] = CODE + 2;
	g.debug.arch.debugreg[7] = 1 << 7 | 0x400;
	hit = go() == KVM_EXIT_DEBUG && g.regs.rip == CODE + 2;
	ck_assert_int_eq(hit, bit(p.execs, PROBE_REAL));
	gone();

	GUEST("\x90\x89\x07\x90", KVM_GUESTDBG_USE_HW_BP);      /* mov %ax, (%bx) */
	g.debug.arch.debugreg[1] = DATA;
	g.debug.arch.debugreg[7] = 1 << 3 | 5 << 20 | 0x400;
	hit = go() == KVM_EXIT_DEBUG && g.regs.rip == CODE + 3;
	ck_assert_int_eq(hit, bit(p.watches, PROBE_REAL));
	gone();
}
END_TEST

/* Whether vector 1 is what ends the run, the guest's own DR2 being as CONTROL says for ADDRESS. */
static bool own_fires(const char *insns, size_t len, uint64_t address, unsigned control, uint32_t ours)
{
	struct kvm_debugregs own = { .db = { [2] = address }, .dr6 = 0xffff0ff0, .dr7 = 0x420 | control << 24 };
	bool fires;

	guest(insns, len, ours);
	memcpy(g.page + 4 * 1, &(uint32_t){ 0xa00 }, 4);
	g.page[0xa00] = 0xf4;
	g.debug.arch.debugreg[0] = 0xc00;
	g.debug.arch.debugreg[7] = 0x402;
	if (!ours)
		g.debug.control = 0;
	ck_assert_int_eq(ioctl(g.cpu, KVM_SET_DEBUGREGS, &own), 0);
	fires = go() == KVM_EXIT_HLT && g.regs.rip == 0xa01;
	gone();
	return fires;
}

START_TEST(the_guests_own_are_as_measured)
{
	struct probe p;

	measure(&p);
	ck_assert_int_eq(own_fires("\x90\x90\x90", 3, CODE + 1, 0, 0), p.own_execs);
	ck_assert_int_eq(own_fires("\x90\x90\x90", 3, CODE + 1, 0, KVM_GUESTDBG_USE_HW_BP), p.own_beside);
	ck_assert_int_eq(own_fires("\x88\x07\x90", 3, DATA, 1, 0), p.own_watches);
}
END_TEST

/* Real mode and long mode at CPL 0 step alike. */
START_TEST(steps_are_as_measured)
{
	struct probe p;
	uint32_t control = KVM_GUESTDBG_SINGLESTEP;
	unsigned n = 0;
	bool seen;

	measure(&p);
	GUEST("\x40\x90", control);     /* inc %ax */
	seen = step() == KVM_EXIT_DEBUG && g.regs.rip == CODE + 1 && g.regs.rax == 1;
	ck_assert_int_eq(seen, bit(p.steps, PROBE_REAL));
	gone();

	GUEST("\x9c", control);         /* pushf */
	step();
	ck_assert_int_eq(g.page[0xfef] & 1, p.shows_flag);
	gone();

	GUEST("\xf4\x90", control);     /* hlt */
	ck_assert_int_eq(step() == KVM_EXIT_HLT, p.hlt_exits);
	gone();

	GUEST("\xe6\x80\x90\x90", control);     /* out %al, $0x80 */
	ck_assert_uint_eq(step(), KVM_EXIT_IO);
	seen = go() == KVM_EXIT_DEBUG && g.regs.rip == CODE + 2;
	ck_assert_int_eq(seen, p.out_stops);
	gone();

	GUEST("\xf3\xa4\x90", control);         /* rep movsb */
	do {
		ck_assert_uint_eq(step(), KVM_EXIT_DEBUG);
		n++;
	} while (g.regs.rip == CODE && n < 10);
	ck_assert_uint_eq(g.regs.rip, CODE + 2);
	ck_assert_uint_eq(n, p.rep_stops);
	gone();

	GUEST("\x0f\x0b\x90", control);         /* ud2 */
	seen = step() == KVM_EXIT_DEBUG && g.regs.rip >= 0x900;
	ck_assert_int_eq(seen, p.delivery_stops);
	gone();
}
END_TEST

/* What holds on any host, and what is known of the two kinds. */
START_TEST(results_hang_together)
{
	struct probe p;

	measure(&p);
	ck_assert_uint_eq(p.steps & 7, 7);
	ck_assert_uint_eq(p.execs & 7, 7);
	ck_assert_int_eq(p.int3_exits, bit(p.int3s, PROBE_REAL));
	if (p.int3_exits) {
		ck_assert_uint_eq(p.int3s, PROBE_ALL);
		ck_assert_uint_eq(p.steps, PROBE_ALL);
		ck_assert_uint_eq(p.watches, PROBE_ALL);
		ck_assert(p.own_execs && p.own_watches && !p.own_beside);
	}
	if (!(kvm.debug_flags & KVM_GUESTDBG_BLOCKIRQ))
		ck_assert(!p.blocks_irqs);
}
END_TEST

START_TEST(facts_are_rows)
{
	struct probe p = { .steps = PROBE_ALL, .trap_byte = 0xcc, .rep_stops = 3 };
	struct host_fact f;
	size_t n = 0;

	ck_assert(probe_fact(&p, 0, &f));
	ck_assert_str_eq(f.name, "single-step");
	ck_assert_str_eq(f.value, "all");
	ck_assert(probe_fact(&p, 1, &f));
	ck_assert_str_eq(f.value, "none");
	p.int3s = 1u << PROBE_LONG;
	ck_assert(probe_fact(&p, 1, &f));
	ck_assert_str_eq(f.value, "64-bit");
	p.int3s = PROBE_ALL ^ 1u << PROBE_PROT32;
	ck_assert(probe_fact(&p, 1, &f));
	ck_assert_str_eq(f.value, "real, 64-bit, user");
	p.int3s = PROBE_ALL ^ 1u << PROBE_USER;
	ck_assert(probe_fact(&p, 1, &f));
	ck_assert_str_eq(f.value, "all but user");
	for (; probe_fact(&p, n, &f); n++)
		ck_assert(f.name[0] && f.value[0] && f.meaning[0]);
	ck_assert_uint_eq(n, probe_fact_count);
	ck_assert(!probe_fact(&p, SIZE_MAX, &f));
}
END_TEST

/* Every byte of struct probe is named once, or a record would lose it. */
START_TEST(fields_are_all_of_it)
{
	uint8_t named[sizeof(struct probe)] = { 0 };

	for (size_t i = 0; i < probe_field_count; i++)
		named[probe_fields[i].offset]++;
	for (size_t i = 0; i < sizeof(named); i++)
		ck_assert_uint_eq(named[i], 1);
}
END_TEST

static char dir[64], sub[96], path[128];

/* Nothing of the environment that the test runs in. */
static void no_place(void)
{
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
}

static void make_dir(void)
{
	strcpy(dir, "/tmp/kvm_probe-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(sub, sizeof(sub), "%s/gdbvisor", dir);
	snprintf(path, sizeof(path), "%s/probe", sub);
	no_place();
	setenv("XDG_RUNTIME_DIR", dir, 1);
}

static void remove_dir(void)
{
	if (unlink(path))
		rmdir(path);
	ck_assert_msg(!rmdir(sub) && !rmdir(dir), "something was left in %s", sub);
}

static size_t slurp(char *buf, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(buf, 1, size - 1, f);
	fclose(f);
	buf[n] = '\0';
	return n;
}

static void spew(const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	close(fd);
}

static bool ignored(void)
{
	struct probe p;

	memset(&p, 0xa5, sizeof(p));
	if (probe_cache_load(&p))
		return false;
	for (size_t i = 0; i < sizeof(p); i++)
		ck_assert_uint_eq(((uint8_t *)&p)[i], 0xa5);
	return true;
}

static const struct probe sample = {
	.steps = 5, .int3s = 3, .trap_byte = 0xcc, .int3_exits = true, .rep_stops = 77, .own_beside = true, .guards = true,
};

START_TEST(what_is_stored_is_found)
{
	struct probe p = { 0 };
	struct stat st;

	make_dir();
	ck_assert(ignored());
	probe_cache_store(&sample);
	ck_assert(probe_cache_load(&p));
	ck_assert_mem_eq(&p, &sample, sizeof(p));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(sub, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	/* Also over what is there, and then it is what the host is asked by. */
	p.rep_stops = 78;
	probe_cache_store(&p);
	ck_assert_msg(kvm_open(&kvm, &err) == 0, "%s", err.msg);
	memset(&p, 0, sizeof(p));
	ck_assert_int_eq(probe_host(&kvm, &p, &err), 0);
	ck_assert_uint_eq(p.rep_stops, 78);
	remove_dir();
}
END_TEST

START_TEST(the_host_is_measured_once)
{
	struct probe first, second, third;

	make_dir();
	measure(&third);
	ck_assert_int_eq(probe_host(&kvm, &first, &err), 0);
	ck_assert(probe_cache_load(&second));
	ck_assert_mem_eq(&first, &second, sizeof(first));
	ck_assert_mem_eq(&first, &third, sizeof(first));
	remove_dir();
}
END_TEST

/* Any change to a record's text makes it none, unless it is a value that could be. */
START_TEST(records_are_whole_or_ignored)
{
	char good[4096], bad[8192];
	size_t len;
	char *at;

	make_dir();
	probe_cache_store(&sample);
	len = slurp(good, sizeof(good));
	for (size_t n = 0; n < len; n++) {
		spew(good, n);
		ck_assert_msg(ignored(), "cut at %zu", n);
	}
	for (size_t i = 0; i < len; i++) {
		memcpy(bad, good, len);
		bad[i] = '\0';
		spew(bad, len);
		ck_assert_msg(ignored(), "NUL at %zu", i);
		bad[i] = 'z';
		spew(bad, len);
		ck_assert_msg(ignored(), "z at %zu", i);
	}
	memcpy(bad, good, len);
	bad[len] = '\0';
	spew(bad, len + 1);
	ck_assert(ignored());
	memset(bad, 'x', sizeof(bad));
	memcpy(bad, good, len);
	spew(bad, len + 1);
	ck_assert(ignored());
	spew(bad, sizeof(bad));
	ck_assert(ignored());
	at = strstr(good, "steps 5");
	ck_assert_ptr_nonnull(at);
	at[6] = '9' + 1;
	spew(good, len);
	ck_assert(ignored());
	memcpy(at, "steps:5", 7);
	spew(good, len);
	ck_assert(ignored());
	at[5] = ' ';
	spew(good, len);
	ck_assert(!ignored());
	remove_dir();
}
END_TEST

START_TEST(another_boot_kernel_or_format_is_measured_anew)
{
	static const char *const keys[] = { "probe ", "boot ", "kernel " };
	char text[4096];
	size_t len;

	make_dir();
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char *at;

		probe_cache_store(&sample);
		ck_assert(!ignored());
		len = slurp(text, sizeof(text));
		at = strstr(text, keys[i]) + strlen(keys[i]);
		*at = *at == '7' ? '8' : '7';
		spew(text, len);
		ck_assert_msg(ignored(), "%s", keys[i]);
	}
	remove_dir();
}
END_TEST

/* A value that the member cannot have. */
START_TEST(values_have_bounds)
{
	char text[4096], bad[4200];
	char *at;

	make_dir();
	probe_cache_store(&sample);
	slurp(text, sizeof(text));
	at = strstr(text, "int3_exits 1\n");
	ck_assert_ptr_nonnull(at);
	at[11] = '2';
	spew(text, strlen(text));
	ck_assert(ignored());
	at[11] = '0';
	spew(text, strlen(text));
	ck_assert(!ignored());
	at = strstr(text, "rep_stops 77\n");
	*at = '\0';
	snprintf(bad, sizeof(bad), "%srep_stops 256\n%s", text, at + 13);
	spew(bad, strlen(bad));
	ck_assert(ignored());
	snprintf(bad, sizeof(bad), "%srep_stops 0077\n%s", text, at + 13);
	spew(bad, strlen(bad));
	ck_assert(ignored());
	remove_dir();
}
END_TEST

START_TEST(what_others_could_have_written_is_ignored)
{
	char text[4096], other[128];
	size_t len;

	make_dir();
	probe_cache_store(&sample);
	len = slurp(text, sizeof(text));
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert(ignored());
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(chmod(sub, 0750), 0);
	ck_assert(ignored());
	probe_cache_store(&sample);
	ck_assert_int_eq(chmod(sub, 0700), 0);
	ck_assert(!ignored());
	/* A link to it, a directory and a pipe in its place. */
	snprintf(other, sizeof(other), "%s/other", sub);
	ck_assert_int_eq(rename(path, other), 0);
	ck_assert_int_eq(symlink("other", path), 0);
	ck_assert(ignored());
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert(ignored());
	unlink(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert(ignored());
	probe_cache_store(&sample);     /* cannot, and leaves nothing behind */
	ck_assert(ignored());
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rename(other, path), 0);
	ck_assert(!ignored());
	ck_assert_uint_eq(slurp(text, sizeof(text)), len);
	remove_dir();
}
END_TEST

START_TEST(without_a_place_it_measures_each_time)
{
	static const char *const places[] = { NULL, "", "relative", "/dev/null", "/nonexistent/dir", "/proc" };
	static const char *const names[] = { "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "HOME" };
	struct probe p;

	ck_assert_msg(kvm_open(&kvm, &err) == 0, "%s", err.msg);
	for (size_t i = 0; i < 3 * (sizeof(places) / sizeof(places[0])); i++) {
		no_place();
		if (places[i / 3])
			setenv(names[i % 3], places[i / 3], 1);
		probe_cache_store(&sample);
		ck_assert(ignored());
		memset(&p, 0, sizeof(p));
		ck_assert_int_eq(probe_host(&kvm, &p, &err), 0);
		ck_assert_uint_ne(p.steps, 0);
	}
	/* The directory is a link to somewhere else: then there is no next place. */
	make_dir();
	setenv("XDG_CACHE_HOME", dir, 1);
	ck_assert_int_eq(symlink("/tmp", sub), 0);
	probe_cache_store(&sample);
	ck_assert(ignored());
	unlink(sub);
	rmdir(dir);
}
END_TEST

START_TEST(there_are_three_places)
{
	char cache[128], file[160];
	struct probe p = sample;
	struct stat st;

	/* The last one, which is made. */
	make_dir();
	snprintf(cache, sizeof(cache), "%s/.cache", dir);
	snprintf(file, sizeof(file), "%s/gdbvisor/probe", cache);
	no_place();
	setenv("HOME", dir, 1);
	ck_assert(ignored());
	ck_assert_int_lt(stat(cache, &st), 0);
	probe_cache_store(&sample);
	ck_assert(!ignored());
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(cache, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	/* The second goes before it, and one that is nothing or somebody else's is passed over. */
	p.rep_stops = 78;
	setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	setenv("XDG_CACHE_HOME", dir, 1);
	ck_assert(ignored());
	probe_cache_store(&p);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(probe_cache_load(&p));
	ck_assert_uint_eq(p.rep_stops, 78);
	if (!geteuid()) {
		ck_assert_int_eq(chown(cache, 1, 1), 0);
		setenv("XDG_RUNTIME_DIR", cache, 1);
		ck_assert(probe_cache_load(&p));
		ck_assert_uint_eq(p.rep_stops, 78);
		ck_assert_int_eq(chown(cache, 0, 0), 0);
	}
	/* The first before both. */
	setenv("XDG_RUNTIME_DIR", cache, 1);
	ck_assert(probe_cache_load(&p));
	ck_assert_uint_eq(p.rep_stops, 77);
	unlink(file);
	snprintf(file, sizeof(file), "%s/gdbvisor", cache);
	ck_assert_int_eq(rmdir(file), 0);
	ck_assert_int_eq(rmdir(cache), 0);
	remove_dir();
}
END_TEST

START_TEST(no_kvm_is_an_error)
{
	struct kvm none = { .sys_fd = -1, .vm_fd = -1 };
	struct probe p = { .rep_stops = 9 };

	no_place();
	ck_assert_int_lt(probe_host(&none, &p, &err), 0);
	ck_assert_msg(strstr(err.msg, "scratch machine"), "%s", err.msg);
	ck_assert_uint_eq(p.rep_stops, 9);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("probe");
	TCase *measured = tcase_create("measured"), *kept = tcase_create("kept");

	if (access("/dev/kvm", R_OK | W_OK))
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(measured, 60);
	tcase_add_checked_fixture(measured, NULL, shut);
	tcase_add_test(measured, breakpoints_are_as_measured);
	tcase_add_test(measured, steps_are_as_measured);
	tcase_add_test(measured, the_guests_own_are_as_measured);
	tcase_add_test(measured, results_hang_together);
	tcase_add_test(measured, facts_are_rows);
	tcase_add_test(measured, no_kvm_is_an_error);
	suite_add_tcase(s, measured);
	tcase_set_timeout(kept, 60);
	tcase_add_checked_fixture(kept, NULL, shut);
	tcase_add_test(kept, fields_are_all_of_it);
	tcase_add_test(kept, what_is_stored_is_found);
	tcase_add_test(kept, there_are_three_places);
	tcase_add_test(kept, the_host_is_measured_once);
	tcase_add_test(kept, records_are_whole_or_ignored);
	tcase_add_test(kept, another_boot_kernel_or_format_is_measured_anew);
	tcase_add_test(kept, values_have_bounds);
	tcase_add_test(kept, what_others_could_have_written_is_ignored);
	tcase_add_test(kept, without_a_place_it_measures_each_time);
	suite_add_tcase(s, kept);
	return unit_main(s);
}

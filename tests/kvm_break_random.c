/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A debugger leaves no trace: a guest whose run is pure computation ends with the same memory, byte by byte, and the same
 * registers, whether it ran by itself or was debugged at random until shortly before its end.  GV_SEED=N repeats a run, GV_OPERATIONS=N
 * has it do more or less.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kvm/machine_priv.h"
#include "kvm/slots.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define OPERATIONS 10000u       /* if nothing else is asked for */
#define ROUND      1000u        /* operations on one machine */
#define SECONDS    240          /* at most: a slow host does fewer */
#define SET_MAX    48           /* breakpoints at a time */
#define WATCH_MAX  6            /* more, and the guest gets nowhere */

/* An instruction of a guest NAME whose place goes into its table, NAME_at. */
#define I(name, text) \
	"991: .pushsection .rodata." #name "_at, \"a\"\n.long 991b - " #name "\n.popsection\n" text "\n"
#define PLACES(name) \
	extern const uint32_t name##_at[], name##_at_end[]; \
	__asm__(".pushsection .rodata." #name "_at, \"a\"\n.balign 4\n.globl " #name "_at\n" #name "_at:\n.popsection\n")
#define PLACES_END(name) \
	__asm__(".pushsection .rodata." #name "_at, \"a\"\n.globl " #name "_at_end\n" #name "_at_end:\n.popsection\n")

/* Long mode at 0x10000. */
#define L(text) I(long_guest, text)

PLACES(long_guest);
GUEST(long_guest, ".code64\n"
	/* Data from a generator. */
	L("mov $0x600000, %esp")
	L("sti")
	L("mov $0x200000, %edi")
	L("mov $1024, %ecx")
	L("mov $0x1234567, %eax")
	"1:" L("imul $1103515245, %eax, %eax")
	L("add $12345, %eax")
	L("mov %eax, (%rdi)")
	L("add $4, %rdi")
	L("dec %ecx")
	L("jnz 1b")
	L("mov $40, %r15d")
	"2:"
	/* A copy, and a sum over it with a subroutine in the next page. */
	L("mov $0x200000, %esi")
	L("mov $0x300800, %edi")
	L("mov $512, %ecx")
	L("cld")
	L("rep movsq")
	L("mov $0x300800, %esi")
	L("mov $1024, %ecx")
	"3:" L("lodsl")
	L("push %rcx")
	L("call 7f")
	L("pop %rcx")
	L("loop 3b")
	/* The generator's words change by the sum. */
	L("mov %ebx, %ecx")
	L("and $1023, %ecx")
	L("xor %ebx, 0x200000(,%rcx,4)")
	L("lock addl %ebx, 0x200004")
	/* The operand of one instruction and the opcode of another, in the page that runs. */
	L("mov %bl, 4f+2(%rip)")
	L("mov %ebx, %ecx")
	L("and $3, %ecx")
	L("lea 8f(%rip), %rdx")
	L("mov (%rdx,%rcx), %al")
	L("mov %al, 5f(%rip)")
	L("jmp 4f")
	"4:" L("add $1, %ebx")
	"5:" L("nop")
	L("adc $0, %ebx")
	/* Data beside the code: a count, and what it was. */
	L("incl 9f(%rip)")
	L("mov %r15d, %ecx")
	L("and $63, %ecx")
	L("lea 9f+64(%rip), %rdx")
	L("mov %bl, (%rdx,%rcx)")
	/* What is only ever written. */
	L("mov %bl, 0x400000(%r15)")
	L("mov %r15d, %edi")
	L("shl $4, %edi")
	L("add $0x401000, %edi")
	L("mov $3, %ecx")
	L("mov %ebx, %eax")
	L("rep stosl")
	L("dec %r15d")
	L("jnz 2b")
	L("mov %ebx, 0x500000")
	L("xor %eax, %eax")
	L("out %al, $0xf4")
	L("hlt")
	"8: clc\n stc\n cmc\n nop\n"
	/* Nobody's bytes, and the data. */
	".balign 64\n .space 64, 0x5a\n 9: .space 256\n .balign 4096\n"
	"7:" L("add %eax, %ebx")
	L("rol $3, %ebx")
	L("test $1, %bl")
	L("jz 6f")
	L("xor $0x5bd1e995, %ebx")
	"6:" L("ret")
	".space 64, 0x5a\n");
PLACES_END(long_guest);

/* Real mode at 0x7c00. */
#define R(text) I(real_guest, text)

PLACES(real_guest);
GUEST(real_guest,
	R("mov $0x7000, %sp")
	R("sti")
	R("mov $0x2000, %di")
	R("mov $512, %cx")
	R("mov $0x1234, %ax")
	"1:" R("imul $25173, %ax, %ax")
	R("add $13849, %ax")
	R("stosw")
	R("loop 1b")
	R("mov $60, %bp")
	"2:" R("mov $0x2000, %si")
	R("mov $0x3080, %di")
	R("mov $512, %cx")
	R("rep movsw")
	R("mov $0x3080, %si")
	R("mov $512, %cx")
	"3:" R("lodsw")
	R("call 7f")
	R("loop 3b")
	R("mov %bx, %di")
	R("and $0x3fe, %di")
	R("xor %bx, 0x2000(%di)")
	R("movb %bl, %cs:0x7c00+4f-real_guest+2")
	R("jmp 4f")
	"4:" R("add $1, %bx")
	R("incw 0x7c00+9f-real_guest")
	R("mov %bp, %di")
	R("mov %bl, 0x5000(%di)")
	R("dec %bp")
	R("jnz 2b")
	R("mov %bx, 0x1000")
	R("xor %ax, %ax")
	R("out %al, $0xf4")
	R("hlt")
	"7:" R("push %ax")
	R("add %ax, %bx")
	R("rol $3, %bx")
	R("pop %ax")
	R("ret")
	".balign 64\n .space 64, 0x5a\n 9: .space 64\n");
PLACES_END(real_guest);

/* A guest, and where a debugger may put its hands. */
struct subject {
	const unsigned char *code, *end;
	const uint32_t *at, *at_end;
	uint64_t load;
	enum boot_mode mode;
	uint64_t written, written_size; /* by the guest, and read by nobody */
	struct {
		uint64_t gva, size;
	} data[6];                      /* to be watched */
};

static const struct subject long_subject = {
	long_guest, long_guest_end, long_guest_at, long_guest_at_end, 0x10000, BOOT_LONG, 0x400000, 0x80,
	{ { 0x200000, 0x1000 }, { 0x300000, 0x2000 }, { 0x400000, 0x2000 }, { 0x5fff00, 0x100 }, { 0x10000, 0x2000 },
	  { 0x700000, 0x10000 } },
};

static const struct subject real_subject = {
	real_guest, real_guest_end, real_guest_at, real_guest_at_end, 0x7c00, BOOT_REAL, 0x5000, 0x80,
	{ { 0x2000, 0x400 }, { 0x3000, 0x800 }, { 0x5000, 0x100 }, { 0x6f00, 0x100 }, { 0x7c00, 0x200 }, { 0x8000, 0x8000 } },
};

static const reg_id compared[] = {
	X86_RAX, X86_RBX, X86_RCX, X86_RDX, X86_RSI, X86_RDI, X86_RBP, X86_RSP, X86_R15, X86_RIP, X86_EFLAGS, X86_CR0, X86_CR3,
	X86_CR4, X86_DR0, X86_DR1, X86_DR2, X86_DR3, X86_DR6, X86_DR7,
};

#define COMPARED (sizeof(compared) / sizeof(compared[0]))

static const struct subject *s;
static uint8_t *image;          /* all of RAM at the end of a run without us */
static size_t image_size;
static uint64_t image_reg[COMPARED];

static struct { enum break_owner owner; struct break_spec spec; } set[SET_MAX];
static struct { enum break_owner owner; struct watch_spec spec; } watched[WATCH_MAX];
static unsigned nset, nwatched, hits[8];
static bool ended;

static unsigned pick(unsigned n)
{
	return (unsigned)rand() % n;
}

static void start(void)
{
	guest_start(s->code, s->end, s->load, s->mode, 1);
	nset = nwatched = 0;
	ended = false;
}

static struct slot_info ram(void)
{
	struct slot_info info;

	for (size_t i = 0; machine_slot_list(m, i, &info); i++)
		if (!info.id)
			return info;
	ck_abort_msg("no RAM");
	return info;
}

static void run_alone(void)
{
	struct slot_info info;

	start();
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_EXIT, "the guest alone: %s", stop.text);
	info = ram();
	image_size = info.size;
	image = malloc(image_size);
	ck_assert_ptr_nonnull(image);
	memcpy(image, (const void *)(uintptr_t)info.hva, image_size);
	for (unsigned i = 0; i < COMPARED; i++)
		image_reg[i] = guest_reg(0, compared[i]);
	guest_end();
}

/* -- operations -- */

static uint64_t code_place(void)
{
	return s->load + s->at[pick((unsigned)(s->at_end - s->at))];
}

/* Where a trap byte does the guest no harm: it never reads it as data. */
static uint64_t soft_place(void)
{
	switch (pick(8)) {
	case 0:
		return s->written + pick((unsigned)s->written_size);
	case 1:
		return s->load + (uint64_t)(s->end - s->code) + pick(64);
	case 2:
		return 0x2000000 + pick(0x10000);       /* no memory */
	default:
		return code_place();
	}
}

static void break_op(void)
{
	struct break_spec spec = { .kind = pick(6) ? BREAK_SOFT : BREAK_HARD, .space = BREAK_ANY_SPACE };
	enum break_owner owner = pick(2) ? BREAK_OWNER_GDB : BREAK_OWNER_MONITOR;
	int r;

	spec.gva = spec.kind == BREAK_SOFT ? soft_place() : pick(4) ? code_place() : s->data[pick(6)].gva;
	if (nset == SET_MAX)
		return;
	r = machine_break_insert(m, owner, &spec, &err);
	ck_assert_msg(!r || (r == -ENOSPC && spec.kind == BREAK_HARD), "a breakpoint at 0x%llx: %s",
		      (unsigned long long)spec.gva, err.msg);
	if (r)
		return;
	set[nset].owner = owner;
	set[nset++].spec = spec;
}

static void unbreak_op(void)
{
	struct break_spec never = { .kind = BREAK_SOFT, .gva = 0xfff000 + pick(4096), .space = BREAK_ANY_SPACE };
	struct break_spec spec;
	enum break_owner owner;
	unsigned i, kept = 0;

	ck_assert_int_eq(machine_break_remove(m, BREAK_OWNER_GDB, &never, &err), -ENOENT);
	if (!nset)
		return;
	i = pick(nset);
	spec = set[i].spec;
	owner = set[i].owner;
	ck_assert_msg(machine_break_remove(m, owner, &spec, &err) == 0, "%s", err.msg);
	for (unsigned k = 0; k < nset; k++)     /* however often it was set */
		if (set[k].owner != owner || set[k].spec.gva != spec.gva || set[k].spec.kind != spec.kind)
			set[kept++] = set[k];
	nset = kept;
}

static void watch_op(void)
{
	unsigned area = pick(6);
	struct watch_spec spec = { .kind = (enum watch_kind)pick(3), .every = pick(2) };
	enum break_owner owner = pick(2) ? BREAK_OWNER_GDB : BREAK_OWNER_MONITOR;

	spec.gva = s->data[area].gva + pick((unsigned)s->data[area].size);
	spec.size = pick(4) ? 1u << pick(4) : 1 + pick((unsigned)s->data[area].size);
	if (nwatched == WATCH_MAX)
		return;
	ck_assert_msg(machine_watch_insert(m, owner, &spec, &err) == 0, "%s", err.msg);
	watched[nwatched].owner = owner;
	watched[nwatched++].spec = spec;
}

static void unwatch_op(void)
{
	struct watch_spec spec;
	enum break_owner owner;
	unsigned i, kept = 0;

	if (!nwatched)
		return;
	i = pick(nwatched);
	spec = watched[i].spec;
	owner = watched[i].owner;
	ck_assert_msg(machine_watch_remove(m, owner, &spec, &err) == 0, "%s", err.msg);
	for (unsigned k = 0; k < nwatched; k++)
		if (watched[k].owner != owner || watched[k].spec.gva != spec.gva || watched[k].spec.kind != spec.kind ||
		    watched[k].spec.size != spec.size)
			watched[kept++] = watched[k];
	nwatched = kept;
}

/* A stop must be of something that was asked for. */
static void check_stop(bool stepped)
{
	bool known = false;

	hits[stop.reason < 8 ? stop.reason : 7]++;
	switch (stop.reason) {
	case STOP_BREAKPOINT:
		for (unsigned i = 0; i < nset; i++)
			known |= set[i].spec.gva == stop.place && (stop.owners & set[i].owner);
		ck_assert_msg(known, "a breakpoint hit at 0x%llx that nobody set", (unsigned long long)stop.place);
		ck_assert(stop.alias || stop.pc == stop.place);
		break;
	case STOP_WATCH:
		for (unsigned i = 0; i < nwatched; i++)
			known |= watched[i].spec.gva == stop.watch.spec.gva && watched[i].spec.size == stop.watch.spec.size &&
				 watched[i].spec.kind == stop.watch.spec.kind && (stop.owners & watched[i].owner);
		ck_assert_msg(known, "a watchpoint hit at 0x%llx that nobody set", (unsigned long long)stop.watch.spec.gva);
		break;
	case STOP_STEP:
		ck_assert(stepped);
		break;
	case STOP_EXIT:
		ended = true;
		break;
	default:
		ck_assert_msg(stop.reason == STOP_REQUEST, "stopped for reason %d at 0x%llx: %s", stop.reason,
			      (unsigned long long)stop.pc, stop.text);
	}
}

static void run_op(void)
{
	unsigned was = stops;

	guest_continue();
	machine_poll(m, pick(3000));
	if (stops == was)
		machine_stop(m);
	guest_wait();
	check_stop(false);
}

static void step_op(void)
{
	for (unsigned n = 1 + pick(4); n && !ended; n--) {
		guest_step(0);
		guest_wait();
		check_stop(true);
	}
}

static void range_op(void)
{
	struct run_action act = { .kind = ACT_RANGE, .start = stop.pc };
	unsigned was = stops;

	act.end = act.start + 1 + pick(32);
	ck_assert_msg(machine_resume(m, &act, &err) == 0, "%s", err.msg);
	machine_poll(m, 200);
	if (stops == was)
		machine_stop(m);
	guest_wait();
	check_stop(true);
}

static void memory_op(void)
{
	unsigned area = pick(6);
	uint64_t gva = s->data[area].gva + pick((unsigned)s->data[area].size);
	static uint8_t buf[0x3000];
	size_t len = 1 + pick(pick(4) ? 64 : sizeof(buf));

	ck_assert_uint_eq(machine_mem_read(m, 0, gva, buf, len, &err), len);
	if (pick(2))
		ck_assert_uint_eq(machine_mem_write(m, 0, gva, buf, len, &err), len);
	else
		ck_assert_uint_eq(machine_phys_write(m, gva, buf, len, &err), len);
}

/* A slot far from what the guest uses, and the log of the one that it runs in. */
static void slot_op(void)
{
	static bool log;
	struct slot_spec spec = { .id = 9, .gpa = 0x8000000, .size = 0x4000 };
	struct slot_note note;

	log = !log;
	ck_assert_msg(machine_slot_flags(m, 0, &log, NULL, &err) == 0, "%s", err.msg);
	ck_assert_msg(machine_slot_add(m, &spec, &note, &err) == 0, "%s", err.msg);
	ck_assert_msg(machine_slot_move(m, 9, 0x9000000, &note, &err) == 0, "%s", err.msg);
	ck_assert_msg(machine_slot_remove(m, 9, &note, &err) == 0, "%s", err.msg);
}

static bool sometimes(void *arg, struct machine *machine, const struct stop_event *ev)
{
	unsigned *n = arg;

	(void)machine;
	(void)ev;
	return ++*n % 3 == 0;
}

static void setting_op(void)
{
	static unsigned count;
	bool on = pick(2);

	machine_break_filter(m, BREAK_OWNER_MONITOR, on ? sometimes : NULL, &count);
	machine_setting(m, SETTING_ALIAS_HITS, &on);
}

/* What is set stays; the guest begins anew. */
static void reset_op(void)
{
	if (pick(20))
		return;
	ck_assert_msg(machine_reset(m, &err) == 0, "%s", err.msg);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_ENTRY);
}

static void (*const operations[])(void) = {
	break_op, break_op, break_op, unbreak_op, unbreak_op, watch_op, unwatch_op, run_op, run_op, run_op, run_op, step_op, step_op,
	range_op, memory_op, slot_op, setting_op, reset_op,
};

/* -- the end -- */

static void on_fault(void *arg, const struct slot_fault *f)
{
	(void)arg;
	ck_abort_msg("slot %u: %s", f->id, f->text);
}

static void detach(void)
{
	struct break_info b;
	struct watch_info w;

	ck_assert_int_eq(machine_break_clear(m, BREAK_OWNER_GDB, &err), 0);
	ck_assert_int_eq(machine_break_clear(m, BREAK_OWNER_MONITOR, &err), 0);
	nset = nwatched = 0;
	ck_assert(!machine_break_list(m, 0, &b));
	ck_assert(!machine_watch_list(m, 0, &w));
	ck_assert_uint_eq(slots_restricted(machine_priv(m)->slots), 0);
	ck_assert_int_eq(machine_slot_check(m, on_fault, NULL, &err), 0);
}

static void compare(void)
{
	struct slot_info info = ram();
	const uint8_t *now = (const uint8_t *)(uintptr_t)info.hva;
	size_t i = 0;

	ck_assert_uint_eq(info.size, image_size);
	while (i < image_size && now[i] == image[i])
		i++;
	ck_assert_msg(i == image_size, "memory at 0x%zx is %02x, and %02x without a debugger", i, now[i], image[i]);
	for (i = 0; i < COMPARED; i++)
		ck_assert_msg(guest_reg(0, compared[i]) == image_reg[i], "%s is 0x%llx, and 0x%llx without a debugger",
			      reg_full(compared[i])->name,
			      (unsigned long long)guest_reg(0, compared[i]), (unsigned long long)image_reg[i]);
}

static void finish(void)
{
	detach();
	if (!ended) {
		guest_continue();
		guest_wait();
		ck_assert_msg(stop.reason == STOP_EXIT, "after all, the guest stopped at 0x%llx for reason %d: %s",
			      (unsigned long long)stop.pc, stop.reason, stop.text);
	}
	compare();
	guest_end();
}

/* What the environment says of NAME, or else OTHERWISE. */
static unsigned setting(const char *name, unsigned otherwise)
{
	const char *given = getenv(name);

	return given ? (unsigned)strtoul(given, NULL, 0) : otherwise;
}

static void debug_at_random(const struct subject *subject)
{
	unsigned seed = setting("GV_SEED", (unsigned)time(NULL)), most = setting("GV_OPERATIONS", OPERATIONS), n, rounds = 0;
	time_t begin = time(NULL);

	s = subject;
	printf("# GV_SEED=%u\n", seed);
	fflush(stdout);
	srand(seed);
	run_alone();
	for (n = 0; n < most && time(NULL) - begin < SECONDS; rounds++) {
		start();
		for (unsigned i = 0; i < ROUND && !ended; i++, n++)
			operations[pick(sizeof(operations) / sizeof(operations[0]))]();
		finish();
	}
	printf("# %u operations in %u rounds, %d s: %u breakpoint hits, %u watchpoint hits, %u steps, %u stops\n", n, rounds,
	       (int)(time(NULL) - begin), hits[STOP_BREAKPOINT], hits[STOP_WATCH], hits[STOP_STEP], hits[STOP_REQUEST]);
	ck_assert_uint_gt(hits[STOP_BREAKPOINT], 0);
	/* The way from one to the next is long: a few operations may see none. */
	ck_assert(hits[STOP_WATCH] || most < OPERATIONS);
	free(image);
}

START_TEST(long_mode)
{
	debug_at_random(&long_subject);
}
END_TEST

START_TEST(real_mode)
{
	debug_at_random(&real_subject);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("random debugging");
	TCase *t = tcase_create("random debugging");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, SECONDS + 60);
	tcase_add_test(t, long_mode);
	tcase_add_test(t, real_mode);
	suite_add_tcase(suite, t);
	return unit_main(suite);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory slots while KVM refuses one ioctl, or all of a kind from some point on, which the real one does not show: random
 * operations on three hosts of our making (fake_kvm.h).  After each the table, gmem and the kernel say the same of every slot, or
 * the slot is gone and its error says so; what the guest wrote is in the log; at the end no mapping and no descriptor is left.
 * GV_SEED=N: other lives.
 */
#include "kvm/slots.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kvm/slots_priv.h"
#include "tests/fake_kvm.h"
#include "tests/unit.h"

#define SPACE_PAGES 256u                /* gpas of slots, but for the area at 0: above it */
#define SLOT_IDS    10u
#define IDS_MAX     512u                /* numbers that split() may choose */
#define LIVES       40u
#define OPERATIONS  120u

static const struct fake_host *const hosts[] = { &fake_ppc970, &fake_power7, &fake_modern };
#define HOSTS       (sizeof(hosts) / sizeof(hosts[0]))
/* All but the first have found something. */
static const unsigned seeds[] = { 0, 11700, 15000, 25100 };
#define SEEDS       (sizeof(seeds) / sizeof(seeds[0]))

static struct kvm k;
static struct slots *s;
static struct err err;
static const struct fake_host *host;
static uint64_t bottom;                 /* gpa of the pages */
static bool dirt[IDS_MAX][SPACE_PAGES]; /* by slot number: pages that were written since the last take */
static uint64_t state;
static unsigned injected, refused, lost, stuck, dirtied;

static unsigned dice(unsigned sides)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(state >> 33) % sides;
}

static uint64_t some_gpa(void)
{
	return bottom + dice(SPACE_PAGES) * (uint64_t)DIRTY_PAGE;
}

static uint64_t some_size(void)
{
	return (1 + dice(dice(4) ? 12 : 80)) * (uint64_t)DIRTY_PAGE;
}

/* Bytes that are mapped, but for heap and stack, which qemu-user does not tell from others; descriptors that are open. */
#ifdef __x86_64__
static const bool under_qemu;
#else
static const bool under_qemu = true;
#endif

static unsigned long mapped(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long sum = 0, start, end;
	char line[512];

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		if (!under_qemu && !strchr(line, '[') && sscanf(line, "%lx-%lx", &start, &end) == 2)
			sum += end - start;
	fclose(f);
	return sum;
}

static unsigned descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* -- what must be -- */

/* The kernel has the slot INFO as the table does: whole, or in its pieces.  How many the kernel has of it. */
static size_t kernel_has(const struct slot_info *info)
{
	const struct slot *v = slots_get(s, info->id);
	const struct pieces *pieces = carve_pieces(s, info->id);
	struct piece whole = carve_whole(v);
	size_t n = 0, count = pieces ? pieces->n : 1;

	for (size_t i = 0; i < count; i++) {
		const struct piece *p = pieces ? &pieces->v[i] : &whole;
		struct kvm_userspace_memory_region want = carve_region(v, p);
		struct fake_slot f = { 0 };
		bool have = false;

		for (size_t j = 0; !have && fake_kvm_slot(j, &f); j++)
			have = f.id == want.slot;
		if (p->rights == PAGE_NO_ACCESS) {
			ck_assert_msg(!have, "the kernel has number %u, where nothing may be accessed", want.slot);
			continue;
		}
		ck_assert_msg(have && f.gpa == want.guest_phys_addr && f.size == want.memory_size &&
			      f.hva == want.userspace_addr && f.flags == want.flags,
			      "slot %u is not in the kernel as it should be: %d, gpa %llx for %llx, flags %x for %x", info->id, have,
			      (unsigned long long)f.gpa, (unsigned long long)want.guest_phys_addr, f.flags, want.flags);
		n++;
	}
	return n;
}

static void all_agree(void)
{
	const struct gmem_region *g;
	struct slot_info info;
	struct fake_slot f;
	size_t n = 0, in_kernel = 0;

	for (; slots_at(s, n, &info); n++) {
		g = gmem_at(slots_gmem(s), n);
		ck_assert_msg(g && (unsigned)g->slot == info.id && g->gpa == info.gpa && g->size == info.size &&
			      (uintptr_t)g->hva == info.hva, "gmem has slot %u otherwise", info.id);
		ck_assert_uint_eq(g->readonly, info.readonly);
		ck_assert_uint_eq(g->written != NULL, info.log);
		in_kernel += kernel_has(&info);
	}
	ck_assert_ptr_null(gmem_at(slots_gmem(s), n));
	for (n = 0; fake_kvm_slot(n, &f); n++) {
		unsigned char core;

		/* what the kernel would write to is ours still, its first page and its last */
		ck_assert_msg(!mincore((void *)(uintptr_t)f.hva, DIRTY_PAGE, &core) &&
			      !mincore((void *)(uintptr_t)(f.hva + f.size - DIRTY_PAGE), DIRTY_PAGE, &core),
			      "the kernel has number %u on memory that is unmapped", f.id);
	}
	ck_assert_msg(n == in_kernel || s->stuck, "the kernel has %zu slots, of which %zu are ours", n, in_kernel);
}

/* The log of slot ID has all that was written; with TAKE it begins anew. */
static int look(unsigned id, bool take)
{
	struct slot *v = slots_get(s, id);
	struct dirty_map map;
	int r;

	if (!v || !v->log)
		return 0;
	r = dirty_log_read(s, v, NULL, DIRTY_USER, take, &map, &err);
	if (r)
		return r;
	ck_assert_uint_eq(map.pages, v->size / DIRTY_PAGE);
	for (uint64_t p = 0; p < map.pages && p < SPACE_PAGES; p++)
		ck_assert_msg(!dirt[id][p] || (map.bits[p / 64] >> p % 64 & 1), "slot %u: page %u was written, and is not in its log",
			      id, (unsigned)p);
	free(map.bits);
	if (take)
		memset(dirt[id], 0, sizeof(dirt[id]));
	return 0;
}

static void looks(void)
{
	struct slot_info info;

	for (size_t i = 0; slots_at(s, i, &info); i++)
		ck_assert_msg(look(info.id, false) == 0, "%s", err.msg);
}

/* -- operations -- */

static struct slot *some_slot(void)
{
	struct slot_info info;
	size_t n = 0;

	while (slots_at(s, n, &info))
		n++;
	if (!n)
		return NULL;
	slots_at(s, dice((unsigned)n), &info);
	return slots_get(s, info.id);
}

/* The guest writes, or we do. */
static void writes(void)
{
	struct slot_info info;

	for (size_t i = 0; slots_at(s, i, &info); i++) {
		unsigned page = dice((unsigned)(info.size / DIRTY_PAGE < SPACE_PAGES ? info.size / DIRTY_PAGE : SPACE_PAGES));
		uint64_t gpa = info.gpa + page * (uint64_t)DIRTY_PAGE;

		if (!info.log || dice(2))
			continue;
		if (!dice(4))
			ck_assert_uint_eq(gmem_write(slots_gmem(s), gpa, "x", 1), 1);
		else if (!info.readonly && !info.watched && slots_rights(s, gpa) == PAGE_ALL)
			ck_assert(fake_kvm_write(gpa));
		else
			continue;
		dirt[info.id][page] = true;
		dirtied++;
	}
}

static int op_add(struct slot *v, unsigned *ret_made)
{
	struct slot_spec spec = { .id = dice(SLOT_IDS), .gpa = some_gpa(), .size = some_size(), .log = dice(2) };

	spec.backing = dice(2) ? SLOT_ANON : SLOT_MEMFD;
	if (host->rma && !dice(3))
		spec = (struct slot_spec){ .id = dice(SLOT_IDS), .size = host->rma_size, .backing = SLOT_RMA, .log = dice(2) };
	else if (v && !dice(4)) {
		spec.backing = SLOT_ALIAS;
		spec.alias_of = v->id;
		spec.size = v->size;
	}
	spec.readonly = host->readonly && !dice(6);
	*ret_made = spec.id;
	return slots_add(s, &spec, "user", NULL, &err);
}

static int op_remove(struct slot *v, unsigned *ret_made)
{
	(void)ret_made;
	return dice(2) ? slots_remove(s, v->id, &err) : 1;
}

static int op_move(struct slot *v, unsigned *ret_made)
{
	(void)ret_made;
	return slots_move(s, v->id, some_gpa(), NULL, &err);
}

static int op_resize(struct slot *v, unsigned *ret_made)
{
	unsigned id = v->id;
	int r = slots_resize(s, id, some_size(), &err);

	(void)ret_made;
	if (!r)
		for (uint64_t p = slots_get(s, id)->size / DIRTY_PAGE; p < SPACE_PAGES; p++)
			dirt[id][p] = false;
	return r;
}

static int op_split(struct slot *v, unsigned *ret_made)
{
	uint64_t at = dice((unsigned)(v->size / DIRTY_PAGE));
	unsigned id = v->id, high;
	int r = slots_split(s, id, at * DIRTY_PAGE, &high, &err);

	(void)ret_made;
	if (r)
		return r;
	ck_assert_uint_lt(high, IDS_MAX);
	memset(dirt[high], 0, sizeof(dirt[high]));
	for (uint64_t p = at; p < SPACE_PAGES; p++) {
		dirt[high][p - at] = dirt[id][p];
		dirt[id][p] = false;
	}
	return 0;
}

static int op_log(struct slot *v, unsigned *ret_made)
{
	bool on = dice(3);
	unsigned id = v->id;
	bool was = v->log;
	int r = slots_flags(s, id, &on, NULL, &err);

	(void)ret_made;
	if (!r && on != was)
		memset(dirt[id], 0, sizeof(dirt[id]));
	return r;
}

static int op_readonly(struct slot *v, unsigned *ret_made)
{
	bool on = dice(2);

	(void)ret_made;
	return slots_flags(s, v->id, NULL, &on, &err);
}

static int op_watch(struct slot *v, unsigned *ret_made)
{
	(void)ret_made;
	return slots_watch(s, v->id, dice(2), &err);
}

static int op_rights(struct slot *v, unsigned *ret_made)
{
	static const enum page_rights rights[] = { PAGE_ALL, PAGE_NO_WRITE, PAGE_NO_ACCESS };
	struct err carve_err;
	int r = 0, carved;

	(void)v;
	(void)ret_made;
	/* What was wanted before one was refused is carved as well. */
	for (unsigned i = 1 + dice(3); i && !r; i--)
		r = slots_set_rights(s, some_gpa(), rights[dice(3)], &err);
	carved = slots_carve(s, &carve_err);
	if (carved)
		err = carve_err;
	return r ? r : carved;
}

static int op_take(struct slot *v, unsigned *ret_made)
{
	(void)ret_made;
	return look(v->id, true);
}

static const struct {
	const char *name;
	int (*run)(struct slot *v, unsigned *ret_made);
	bool without;           /* a slot */
} ops[] = {
	{ "add", op_add, true }, { "add", op_add, true }, { "remove", op_remove, false }, { "move", op_move, false },
	{ "resize", op_resize, false }, { "split", op_split, false }, { "log", op_log, false },
	{ "readonly", op_readonly, false }, { "watch", op_watch, false }, { "rights", op_rights, true },
	{ "take", op_take, false }, { "take", op_take, false },
};

/* Arms a failure; false: this time there is none.  *RET_ALWAYS: it stays. */
static bool arm(bool *ret_always)
{
	static const unsigned long requests[] = { KVM_SET_USER_MEMORY_REGION, KVM_SET_USER_MEMORY_REGION, KVM_GET_DIRTY_LOG,
						  KVM_CLEAR_DIRTY_LOG };
	/* Not EINVAL, by which KVM says that what is to be deleted is not there. */
	static const int errors[] = { ENOMEM, EIO, EINTR, EBUSY };

	*ret_always = dice(3) == 0;
	if (dice(2))
		return false;
	fake_kvm_fail(requests[dice(4)], dice(dice(2) ? 2 : 6), errors[dice(4)], *ret_always);
	return true;
}

static size_t slots_now(unsigned *ret_ids)
{
	struct slot_info info;
	size_t n = 0;

	for (; slots_at(s, n, &info); n++)
		ret_ids[n] = info.id;
	return n;
}

/* One operation; false: the kernel keeps what we have given up, so that this life is over. */
static bool one(void)
{
	unsigned before[IDS_MAX], made = IDS_MAX, what = dice(sizeof(ops) / sizeof(ops[0]));
	size_t n = slots_now(before);
	struct slot *v = some_slot();
	bool always, armed, removed;
	int r;

	if (!v && !ops[what].without)
		return true;
	writes();
	removed = ops[what].run == op_remove;
	memset(&err, 0, sizeof(err));
	armed = arm(&always);
	injected += armed;
	r = ops[what].run(v, &made);
	fake_kvm_fail(0, 0, 0, false);
	refused += r < 0;
	ck_assert_msg(r >= 0 || (err.msg[0] && !strchr(err.msg, '\n')), "%s: %d without one clear line", ops[what].name, r);
	if (!r && made < IDS_MAX)
		memset(dirt[made], 0, sizeof(dirt[made]));
	for (size_t i = 0; i < n; i++)
		if (!slots_get(s, before[i]) || !slots_get(s, before[i])->size) {
			if (removed && !r)
				continue;
			ck_assert_msg(armed && r < 0 && strstr(err.msg, "is gone"), "%s: slot %u is gone, and it says: %s", ops[what].name,
				      before[i], err.msg);
			lost++;
		}
	all_agree();
	looks();
	stuck += s->stuck;
	return !s->stuck;
}

START_TEST(random_failures)
{
	const char *seed = getenv("GV_SEED");
	unsigned first = seed ? (unsigned)strtoul(seed, NULL, 0) : seeds[(unsigned)_i / HOSTS];
	unsigned long bytes = 0;
	unsigned fds = 0;

	host = hosts[(unsigned)_i % HOSTS];
	fake_kvm_host(host);
	bottom = host->rma ? host->rma_size : 0;
	for (unsigned life = 0; life <= LIVES; life++) {
		if (life <= 1) {        /* the first has made what stays */
			bytes = mapped();
			fds = descriptors();
		}
		state = first + (unsigned)_i % HOSTS * 1000 + life;
		memset(dirt, 0, sizeof(dirt));
		fake_kvm_host(host);
		fake_kvm_vm(&k);
		ck_assert_int_eq(slots_new(&k, &s, &err), 0);
		for (unsigned i = 0; i < OPERATIONS && one(); i++)
			;
		slots_free(s);
		ck_assert_uint_eq(fake_kvm_rmas(), 0);
		fake_kvm_end();
		if (life)
			ck_assert_msg(mapped() == bytes && descriptors() == fds, "life %u leaves %ld bytes, %d descriptors", life,
				      (long)(mapped() - bytes), (int)(descriptors() - fds));
	}
	/* The test itself: what it is for came about. */
	ck_assert_uint_gt(injected, LIVES * OPERATIONS / 4);
	ck_assert_uint_gt(refused, LIVES * OPERATIONS / 10);
	ck_assert_uint_gt(lost, 1);
	ck_assert_uint_gt(stuck, 2);
	ck_assert_uint_gt(dirtied, LIVES * OPERATIONS / 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slot faults");
	TCase *c = tcase_create("random");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, random_failures, 0, (int)(HOSTS * (under_qemu ? 1 : SEEDS)));
	suite_add_tcase(suite, c);
	return unit_main(suite);
}

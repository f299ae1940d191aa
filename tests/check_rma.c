/* SPDX-License-Identifier: GPL-3.0-or-later */
/* powerpc's Real Mode Area, on three hosts of our making (fake_kvm.h). */
#include "kvm/rma.h"

#include <errno.h>
#include <string.h>

#include "kvm/backing.h"
#include "tests/fake_kvm.h"
#include "tests/unit.h"

#define MIB (1ull << 20)

static struct kvm k;
static struct slots *s;
static struct err err;

static void begin(const struct fake_host *h)
{
	fake_kvm_host(h);
	fake_kvm_vm(&k);
	ck_assert_int_eq(slots_new(&k, &s, &err), 0);
}

static void end(void)
{
	slots_free(s);
	ck_assert_uint_eq(fake_kvm_rmas(), 0);
	fake_kvm_end();
}

static int add(struct slot_spec spec)
{
	memset(&err, 0, sizeof(err));
	return slots_add(s, &spec, "user", NULL, &err);
}

#define ADD(...) add((struct slot_spec){ __VA_ARGS__ })
#define SAYS(text) ck_assert_msg(strstr(err.msg, text) != NULL, "it says: %s", err.msg)

static size_t count(void)
{
	struct fake_slot f;
	size_t n = 0;

	while (fake_kvm_slot(n, &f))
		n++;
	return n;
}

/* The slot is the area, whole, at gpa 0; closed and unmapped with it. */
START_TEST(given)
{
	const struct fake_host *const hosts[] = { &fake_ppc970, &fake_power7 };
	const struct fake_host *h = hosts[_i];
	struct slot_info info;
	struct fake_slot f;
	uint8_t *hva;

	begin(h);
	ck_assert_msg(ADD(.id = 3, .size = h->rma_size, .backing = SLOT_RMA) == 0, "%s", err.msg);
	ck_assert(fake_kvm_slot(0, &f));
	ck_assert_uint_eq(f.id, 3);
	ck_assert_uint_eq(f.gpa, 0);
	ck_assert_uint_eq(f.size, h->rma_size);
	ck_assert(fake_kvm_is_rma(f.hva));
	ck_assert_int_eq(fake_kvm_may_run(), 0);
	ck_assert(slots_at(s, 0, &info));
	ck_assert_int_eq(info.kind, SLOT_RMA);
	ck_assert_str_eq(info.backing, "rma");
	hva = (uint8_t *)(uintptr_t)f.hva;
	hva[0] = hva[h->rma_size - 1] = 1;
	ck_assert_uint_eq(fake_kvm_rmas(), 1);
	ck_assert_int_eq(slots_remove(s, 3, &err), 0);
	ck_assert_uint_eq(fake_kvm_rmas(), 0);
	ck_assert(!fake_kvm_is_rma(f.hva));
	/* Another one can be had. */
	ck_assert_int_eq(ADD(.id = 0, .size = h->rma_size, .backing = SLOT_RMA), 0);
	end();
}
END_TEST

START_TEST(absent)
{
	begin(&fake_modern);
	ck_assert_int_eq(ADD(.id = 0, .size = 64 * MIB, .backing = SLOT_RMA), -ENOTSUP);
	SAYS("KVM_CAP_PPC_RMA");
	ck_assert_uint_eq(count(), 0);
	ck_assert_int_eq(rma_check_run(s, &err), 0);
	end();
}
END_TEST

START_TEST(refused)
{
	begin(&fake_power7);
	ck_assert_int_eq(ADD(.id = 0, .size = 64 * MIB, .backing = SLOT_RMA), -EINVAL);
	SAYS("0x8000000 bytes");
	ck_assert_int_eq(ADD(.id = 0, .gpa = 64 * MIB, .size = 128 * MIB, .backing = SLOT_RMA), -EINVAL);
	SAYS("gpa 0");
	ck_assert_int_eq(ADD(.id = 0, .size = 128 * MIB, .backing = SLOT_RMA, .readonly = true), -ENOTSUP);
	SAYS("read-only");
	ck_assert_uint_eq(fake_kvm_rmas(), 0);
	/* What is at gpa 0 already stays. */
	ck_assert_int_eq(ADD(.id = 1, .size = MIB), 0);
	ck_assert_int_eq(ADD(.id = 0, .size = 128 * MIB, .backing = SLOT_RMA), -EEXIST);
	ck_assert_uint_eq(count(), 1);
	ck_assert_uint_eq(fake_kvm_rmas(), 0);
	end();
}
END_TEST

/* KVM or the host fails: nothing is left behind. */
START_TEST(fails)
{
	begin(&fake_ppc970);
	fake_kvm_fail(KVM_SET_USER_MEMORY_REGION, 0, ENOMEM, false);
	ck_assert_int_eq(ADD(.id = 0, .size = 64 * MIB, .backing = SLOT_RMA), -ENOMEM);
	ck_assert_uint_eq(fake_kvm_rmas(), 0);
	ck_assert_uint_eq(count(), 0);
	ck_assert_int_eq(ADD(.id = 0, .size = 64 * MIB, .backing = SLOT_RMA), 0);
	ck_assert_int_eq(slots_remove(s, 0, &err), 0);
	/* A host that has none left. */
	for (unsigned i = 0; i < 62; i++)
		ck_assert_int_eq(ADD(.id = 0, .size = MIB, .backing = SLOT_RMA), -EINVAL);
	ck_assert_int_eq(ADD(.id = 0, .size = 64 * MIB, .backing = SLOT_RMA), -ENOMEM);
	SAYS("KVM_ALLOCATE_RMA");
	ck_assert_uint_eq(count(), 0);
	end();
}
END_TEST

START_TEST(stays_whole)
{
	const bool on = true;
	unsigned id;

	begin(&fake_power7);
	ck_assert_int_eq(ADD(.id = 0, .size = 128 * MIB, .backing = SLOT_RMA), 0);
	ck_assert_int_eq(slots_split(s, 0, MIB, &id, &err), -ENOTSUP);
	SAYS("cannot be split");
	ck_assert_int_eq(slots_move(s, 0, 256 * MIB, NULL, &err), -ENOTSUP);
	SAYS("cannot be moved");
	ck_assert_int_eq(slots_resize(s, 0, 64 * MIB, &err), -ENOTSUP);
	ck_assert_int_eq(slots_resize(s, 0, 256 * MIB, &err), -ENOTSUP);
	SAYS("another size");
	ck_assert_int_eq(slots_discard(s, 0, 0, MIB, &err), -ENOTSUP);
	ck_assert_int_eq(slots_remap(s, 0, 0, MIB, "/proc/self/exe", 0, &err), -ENOTSUP);
	ck_assert_int_eq(slots_flags(s, 0, NULL, &on, &err), -ENOTSUP);
	ck_assert_int_eq(slots_watch(s, 0, true, &err), -ENOTSUP);
	ck_assert_int_eq(slots_set_rights(s, MIB, PAGE_NO_ACCESS, &err), -ENOTSUP);
	ck_assert_int_eq(ADD(.id = 1, .gpa = 256 * MIB, .size = MIB, .backing = SLOT_ALIAS, .alias_of = 0), -ENOTSUP);
	SAYS("cannot have an alias");
	ck_assert_uint_eq(count(), 1);
	/* What changes nothing is no change, and its writes can be logged. */
	ck_assert_int_eq(slots_move(s, 0, 0, NULL, &err), 0);
	ck_assert_int_eq(slots_resize(s, 0, 128 * MIB, &err), 0);
	ck_assert_msg(slots_flags(s, 0, &on, NULL, &err) == 0, "%s", err.msg);
	end();
}
END_TEST

/* Where every VM must have one, RAM is made of it, and nothing runs without. */
START_TEST(ram)
{
	struct fake_slot f;

	begin(&fake_ppc970);
	ck_assert_int_eq(rma_check_run(s, &err), -ENOTSUP);
	SAYS("KVM_CAP_PPC_RMA is 2");
	ck_assert_int_eq(rma_add_ram(s, 0, 32 * MIB, "ram", &err), -EINVAL);
	SAYS("0x4000000");
	ck_assert_uint_eq(count(), 0);
	ck_assert_msg(rma_add_ram(s, 0, 256 * MIB, "ram", &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(count(), 2);
	ck_assert(fake_kvm_slot(0, &f));
	ck_assert_uint_eq(f.size, 64 * MIB);
	ck_assert(fake_kvm_is_rma(f.hva));
	ck_assert(fake_kvm_slot(1, &f));
	ck_assert_uint_eq(f.gpa, 64 * MIB);
	ck_assert_uint_eq(f.size, 192 * MIB);
	ck_assert(!fake_kvm_is_rma(f.hva));
	ck_assert_int_eq(fake_kvm_may_run(), 0);
	ck_assert_int_eq(rma_check_run(s, &err), 0);
	/* Without it no more. */
	ck_assert_int_eq(slots_remove(s, 0, &err), 0);
	ck_assert_int_eq(ADD(.id = 0, .size = 64 * MIB), 0);
	ck_assert_int_eq(fake_kvm_may_run(), -EPERM);
	ck_assert_int_eq(rma_check_run(s, &err), -ENOTSUP);
	end();
}
END_TEST

START_TEST(ram_exact)
{
	begin(&fake_ppc970);
	ck_assert_int_eq(rma_add_ram(s, 0, 64 * MIB, "ram", &err), 0);
	ck_assert_uint_eq(count(), 1);
	end();
}
END_TEST

/* The rest of RAM cannot be had: the area goes, too. */
START_TEST(ram_fails)
{
	begin(&fake_ppc970);
	fake_kvm_fail(KVM_SET_USER_MEMORY_REGION, 1, ENOMEM, false);
	ck_assert_int_eq(rma_add_ram(s, 0, 256 * MIB, "ram", &err), -ENOMEM);
	ck_assert_uint_eq(count(), 0);
	ck_assert_uint_eq(fake_kvm_rmas(), 0);
	end();
}
END_TEST

START_TEST(ram_without)
{
	const struct fake_host *const hosts[] = { &fake_power7, &fake_modern };
	struct fake_slot f;

	begin(hosts[_i]);
	ck_assert_int_eq(rma_add_ram(s, 0, 256 * MIB, "ram", &err), 0);
	ck_assert_uint_eq(count(), 1);
	ck_assert(fake_kvm_slot(0, &f));
	ck_assert(!fake_kvm_is_rma(f.hva));
	ck_assert_uint_eq(fake_kvm_rmas(), 0);
	ck_assert_int_eq(rma_check_run(s, &err), 0);
	end();
}
END_TEST

/* A reset brings it back, and zeros it. */
START_TEST(restored)
{
	struct fake_slot f;
	uint8_t *hva;

	begin(&fake_ppc970);
	ck_assert_int_eq(rma_add_ram(s, 0, 128 * MIB, "ram", &err), 0);
	ck_assert_int_eq(slots_mark_initial(s, &err), 0);
	ck_assert(fake_kvm_slot(0, &f));
	hva = (uint8_t *)(uintptr_t)f.hva;
	hva[5] = 5;
	ck_assert_int_eq(slots_restore(s, &err), 0);
	ck_assert(fake_kvm_slot(0, &f));
	ck_assert_ptr_eq((uint8_t *)(uintptr_t)f.hva, hva);
	ck_assert_uint_eq(hva[5], 0);
	ck_assert_int_eq(slots_remove(s, 0, &err), 0);
	ck_assert_int_eq(slots_restore(s, &err), 0);
	ck_assert(fake_kvm_slot(0, &f));
	ck_assert(fake_kvm_is_rma(f.hva));
	ck_assert_int_eq(fake_kvm_may_run(), 0);
	end();
}
END_TEST

START_TEST(shown)
{
	const struct fake_host *const hosts[] = { &fake_modern, &fake_power7, &fake_ppc970 };
	static const char *const meanings[] = { "no Real Mode Area", "may have", "must have" };
	struct host_fact f = { 0 };

	begin(hosts[_i]);
	for (size_t i = 0; kvm_fact(&k, i, &f) && strcmp(f.name, "KVM_CAP_PPC_RMA") != 0; i++)
		;
	ck_assert_str_eq(f.name, "KVM_CAP_PPC_RMA");
	ck_assert_int_eq(f.value[0], '0' + _i);
	ck_assert_msg(strstr(f.meaning, meanings[_i]) != NULL, "it means: %s", f.meaning);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rma");
	TCase *c = tcase_create("rma");

	tcase_add_loop_test(c, given, 0, 2);
	tcase_add_test(c, absent);
	tcase_add_test(c, refused);
	tcase_add_test(c, fails);
	tcase_add_test(c, stays_whole);
	tcase_add_test(c, ram);
	tcase_add_test(c, ram_exact);
	tcase_add_test(c, ram_fails);
	tcase_add_loop_test(c, ram_without, 0, 2);
	tcase_add_test(c, restored);
	tcase_add_loop_test(c, shown, 0, 3);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}

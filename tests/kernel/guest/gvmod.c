// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A module for the sessions of check-kernel: something with symbols that is loaded late, and what only code at
 * CPL 0 can do wrong.  `echo N > /sys/module/gvmod/parameters/add` adds N to gvmod_sum; any number written to `triple`
 * ends the machine by a triple fault, in gvmod_triple().
 */
#include <asm/desc.h>
#include <linux/module.h>

unsigned long gvmod_sum;

noinline void gvmod_add(unsigned long n)
{
	gvmod_sum += n;
	pr_info("gvmod: %lu\n", gvmod_sum);
}

noinline void gvmod_triple(void)
{
	static const struct desc_ptr none;

	local_irq_disable();
	native_load_idt(&none);
	asm volatile("gvmod_fault: .globl gvmod_fault; ud2");
}

static int set_add(const char *text, const struct kernel_param *kp)
{
	unsigned long n;
	int rc = kstrtoul(text, 0, &n);

	if (!rc)
		gvmod_add(n);
	return rc;
}

static int set_triple(const char *text, const struct kernel_param *kp)
{
	gvmod_triple();
	return 0;
}

static const struct kernel_param_ops add_ops = { .set = set_add };
static const struct kernel_param_ops triple_ops = { .set = set_triple };

module_param_cb(add, &add_ops, NULL, 0200);
module_param_cb(triple, &triple_ops, NULL, 0200);

static int __init gvmod_init(void)
{
	pr_info("gvmod: loaded\n");
	return 0;
}

static void __exit gvmod_exit(void)
{
}

module_init(gvmod_init);
module_exit(gvmod_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("what gdbvisor's sessions with Linux need in a module");

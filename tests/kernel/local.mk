# Linux with gdb.  Building it takes minutes, and each program boots it: not part of the default check.
KERNEL_TESTS = tests/kernel/shell.py tests/kernel/early.py tests/kernel/debug.py tests/kernel/triple.py
EXTRA_DIST += $(KERNEL_TESTS) tests/kernel/lx.py tests/kernel/build.sh tests/kernel/config tests/kernel/vmx.sh \
	tests/kernel/guest/files tests/kernel/guest/gvmod.c tests/kernel/guest/init tests/kernel/guest/spin.c

# What make runs its tests with has its own time limits; the kernel is built first, so that they do not count that.
.PHONY: check-kernel
check-kernel: all
	GV_KERNEL=`$(srcdir)/tests/kernel/build.sh` && export GV_KERNEL && \
		$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(KERNEL_TESTS)'

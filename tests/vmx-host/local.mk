# An emulated host whose KVM has all of VMX: tests with KVM there, and gdb from outside.  Not part of the default check.
VMX_TESTS = tests/vmx-host/check.py
EXTRA_DIST += $(VMX_TESTS) tests/vmx-host/host.py tests/vmx-host/init tests/vmx-host/run.sh tests/vmx-host/sessions.py \
	tests/vmx-host/user.S tests/vmx-host/witness.py

# Its program stands apart from its kernel, in pages of its own.
check_DATA += tests/vmx-host/user.elf
CLEANFILES += tests/vmx-host/user.elf
tests/vmx-host/user.elf: $(srcdir)/tests/vmx-host/user.S $(srcdir)/examples/kernel.ld
	$(AM_V_GEN)$(GUEST_LINK) -m64 -Wl,--section-start=.user=0x200000 $(srcdir)/tests/vmx-host/user.S

.PHONY: check-vmx
check-vmx: all $(check_PROGRAMS) $(check_DATA)
	GV_VMX_PROGRAMS='$(GV_VMX_PROGRAMS)' $(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(VMX_TESTS)'

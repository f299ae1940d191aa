# An emulated host whose KVM has all of VMX: tests with KVM there, and gdb from outside.  Not part of the default check.
VMX_TESTS = tests/vmx-host/check.py
EXTRA_DIST += $(VMX_TESTS) tests/vmx-host/host.py tests/vmx-host/init tests/vmx-host/run.sh tests/vmx-host/sessions.py

.PHONY: check-vmx
check-vmx: all $(check_PROGRAMS) $(check_DATA)
	GV_VMX_PROGRAMS='$(GV_VMX_PROGRAMS)' $(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(VMX_TESTS)'

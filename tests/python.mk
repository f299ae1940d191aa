# gdb's side of it at work.
TEST_PYTHON_GUESTS = tests/guests/calls16.bin tests/guests/calls16.elf tests/guests/kaslr.elf tests/guests/uefi.elf
check_DATA += $(TEST_PYTHON_GUESTS)
CLEANFILES += $(TEST_PYTHON_GUESTS)
EXTRA_DIST += tests/guests/calls16.S tests/guests/kaslr.S
tests/guests/kaslr.elf: $(srcdir)/tests/guests/kaslr.S $(srcdir)/examples/kernel.ld
	$(AM_V_GEN)$(GUEST_LINK) -m64 $(srcdir)/tests/guests/kaslr.S
EXTRA_DIST += tests/guests/uefi.S
tests/guests/uefi.elf: $(srcdir)/tests/guests/uefi.S $(srcdir)/examples/kernel.ld tests/boot/uefi_app.img
	$(AM_V_GEN)$(GUEST_LINK) -m64 $(srcdir)/tests/guests/uefi.S

PYTHON_TESTS = \
	tests/gdb/py_real.py tests/gdb/py_modes.py tests/gdb/py_gv.py tests/gdb/py_kaslr.py tests/gdb/py_uefi.py \
	tests/gdb/py_decode.py
TESTS += $(PYTHON_TESTS)
EXTRA_DIST += $(PYTHON_TESTS) tests/gdb/other_remote.py

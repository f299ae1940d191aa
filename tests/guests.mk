# Guests of x86, and what runs them.
# The slots of a guest that runs.
if HAVE_CHECK
check_PROGRAMS += tests/kvm_slots_live
tests_kvm_slots_live_SOURCES = tests/kvm_slots_live.c $(kvm_harness)
tests_kvm_slots_live_LDADD = $(kvm_libs)
TESTS += tests/kvm_slots_live

# A debugger that leaves no trace.
check_PROGRAMS += tests/kvm_break_random
tests_kvm_break_random_SOURCES = tests/kvm_break_random.c $(kvm_harness)
tests_kvm_break_random_LDADD = $(kvm_libs)
TESTS += tests/kvm_break_random

# A PC's memory map.
check_PROGRAMS += tests/kvm_board
tests_kvm_board_SOURCES = tests/kvm_board.c $(kvm_harness)
tests_kvm_board_LDADD = $(kvm_libs)
TESTS += tests/kvm_board

# A guest that programs devices wrongly.
check_PROGRAMS += tests/kvm_ports
tests_kvm_ports_SOURCES = tests/kvm_ports.c $(kvm_harness)
tests_kvm_ports_LDADD = $(kvm_libs)
TESTS += tests/kvm_ports

# The second address space.
check_PROGRAMS += tests/kvm_time
tests_kvm_time_SOURCES = tests/kvm_time.c $(kvm_harness)
tests_kvm_time_LDADD = $(kvm_libs)
TESTS += tests/kvm_time
check_PROGRAMS += tests/kvm_space
tests_kvm_space_SOURCES = tests/kvm_space.c $(kvm_harness)
tests_kvm_space_LDADD = $(kvm_libs)
TESTS += tests/kvm_space
check_PROGRAMS += tests/kvm_smm
tests_kvm_smm_SOURCES = tests/kvm_smm.c $(kvm_harness)
tests_kvm_smm_LDADD = $(kvm_libs)
TESTS += tests/kvm_smm
endif

# Guests: flat ones for 0x7c00 by the suffix rules of examples/local.mk, kernels at 1 MiB by the rules below.
TEST_GUESTS = \
	tests/guests/real.bin tests/guests/real.elf tests/guests/modes.bin tests/guests/modes.elf \
	tests/guests/pit.bin tests/guests/pit.elf tests/guests/strio.bin tests/guests/strio.elf \
	tests/guests/reset.bin tests/guests/reset.elf tests/guests/exit.bin tests/guests/exit.elf \
	tests/guests/echo.bin tests/guests/echo.elf tests/guests/diverr.bin tests/guests/diverr.elf \
	tests/guests/nest32.elf tests/guests/nest64.elf tests/guests/paging.elf tests/guests/mmio.elf \
	tests/guests/triple.elf tests/guests/echoirq.elf tests/guests/stage.bin tests/guests/stage.elf \
	tests/guests/virtio.elf tests/guests/packed.elf tests/guests/packed.bin
check_DATA = $(TEST_GUESTS)
CLEANFILES += $(TEST_GUESTS)
EXTRA_DIST += \
	tests/guests/real.S tests/guests/modes.S tests/guests/pit.S tests/guests/strio.S tests/guests/reset.S \
	tests/guests/exit.S tests/guests/echo.S tests/guests/diverr.S tests/guests/nest.S tests/guests/nest.c \
	tests/guests/paging.S tests/guests/mmio.S tests/guests/triple.S tests/guests/echoirq.S \
	tests/guests/stage.S tests/guests/virtio.c tests/guests/packed.S tests/guests/packed.c tests/guests/packed.ld

nest_parts = $(srcdir)/tests/guests/nest.S $(srcdir)/tests/guests/nest.c
tests/guests/nest32.elf: $(nest_parts) $(srcdir)/examples/kernel.ld
	$(AM_V_GEN)$(GUEST_LINK) -m32 $(nest_parts)
tests/guests/nest64.elf: $(nest_parts) $(srcdir)/examples/kernel.ld
	$(AM_V_GEN)$(GUEST_LINK) -m64 $(nest_parts)
tests/guests/virtio.elf: $(srcdir)/tests/guests/nest.S $(srcdir)/tests/guests/virtio.c $(srcdir)/examples/kernel.ld
	$(AM_V_GEN)$(GUEST_LINK) -m32 $(srcdir)/tests/guests/nest.S $(srcdir)/tests/guests/virtio.c
packed_parts = $(srcdir)/tests/guests/packed.S $(srcdir)/tests/guests/packed.c
PACKED_LINK = $(MKDIR_P) $(@D) && $(CC) $(GUEST_CFLAGS) -fpie -fvisibility=hidden -m64 \
	-Wl,-T,$(srcdir)/tests/guests/packed.ld -o $@
tests/guests/packed.elf: $(packed_parts) $(srcdir)/tests/guests/packed.ld
	$(AM_V_GEN)$(PACKED_LINK) $(packed_parts)
tests/guests/packed.bin: $(packed_parts) $(srcdir)/tests/guests/packed.ld
	$(AM_V_GEN)$(PACKED_LINK) -Wl,--oformat=binary $(packed_parts)
tests/guests/paging.elf: $(srcdir)/tests/guests/paging.S $(srcdir)/examples/kernel.ld
	$(AM_V_GEN)$(GUEST_LINK) -m64 $(srcdir)/tests/guests/paging.S
tests/guests/mmio.elf: $(srcdir)/tests/guests/mmio.S $(srcdir)/examples/kernel.ld
	$(AM_V_GEN)$(GUEST_LINK) -m64 $(srcdir)/tests/guests/mmio.S
tests/guests/triple.elf: $(srcdir)/tests/guests/triple.S $(srcdir)/examples/kernel.ld
	$(AM_V_GEN)$(GUEST_LINK) -m64 $(srcdir)/tests/guests/triple.S
tests/guests/echoirq.elf: $(srcdir)/tests/guests/echoirq.S $(srcdir)/examples/kernel.ld
	$(AM_V_GEN)$(GUEST_LINK) -m64 $(srcdir)/tests/guests/echoirq.S

# The whole program: real gdb sessions, raw protocol sessions, the command line, the examples, the tree's own rules.
SESSION_TESTS = \
	tests/gdb/real_mode.py tests/gdb/prot32.py tests/gdb/long64.py tests/gdb/registers.py tests/gdb/smp.py tests/gdb/slots.py tests/gdb/watch.py tests/gdb/agent.py \
	tests/gdb/breaks.py \
	tests/gdb/attach.py tests/gdb/acceptance.py tests/gdb/nonstop.py tests/gdb/extended.py \
	tests/rsp/rounds.py tests/rsp/nonstop.py tests/rsp/clients.py tests/rsp/hits.py tests/rsp/malformed.py tests/rsp/random_sessions.py tests/rsp/table.py \
	tests/lldb/sessions.py tests/gdb/memory.py \
	tests/cli/status.py tests/cli/bad_input.py tests/cli/bad_kernels.py tests/cli/readme.py tests/cli/guests.py tests/cli/kernel.py tests/cli/breaks.py tests/cli/devices.py \
	tests/cli/virtio.py tests/cli/symbols.py tests/cli/start.py tests/cli/sandbox.py tests/gdb/symbols.py \
	tests/examples.py
TREE_TESTS = tests/check_docs.sh tests/check_layers.sh tests/check_neutral.sh
TESTS += $(SESSION_TESTS) $(TREE_TESTS)
EXTRA_DIST += $(SESSION_TESTS) $(TREE_TESTS) tests/cli/breaks.gv tests/visor.py tests/gdb/lib.py tests/gdb/typed.py tests/rsp/client.py

# Preloaded by tests/cli/bad_input.py; not instrumented, whatever the program is.
check_DATA += tests/cli/kvm_shim.so
CLEANFILES += tests/cli/kvm_shim.so
EXTRA_DIST += tests/cli/kvm_shim.c
tests/cli/kvm_shim.so: $(srcdir)/tests/cli/kvm_shim.c
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(CC) -O1 $(WARN_CFLAGS) -shared -fPIC -o $@ $(srcdir)/tests/cli/kvm_shim.c

dist_man_MANS += gdbvisor.1

if HAVE_CHECK
check_PROGRAMS += tests/kvm_linux
tests_kvm_linux_SOURCES = tests/kvm_linux.c tests/bzimage_make.c tests/bzimage_make.h $(kvm_harness)
tests_kvm_linux_LDADD = $(kvm_libs)
TESTS += tests/kvm_linux
endif

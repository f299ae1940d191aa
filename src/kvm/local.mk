# What knows KVM.
noinst_LIBRARIES += libgvkvm.a
libgvkvm_a_SOURCES = \
	src/kvm/backing.c src/kvm/backing.h src/kvm/slot_change.c src/kvm/slot_check.c src/kvm/slot_ops.c \
	src/kvm/slot_rights.c src/kvm/carve.c src/kvm/carve.h src/kvm/rights.c src/kvm/rights.h src/kvm/rma.c src/kvm/rma.h src/kvm/slots_priv.h \
	src/kvm/dirty_ops.c src/kvm/baseline.c src/kvm/baseline.h src/kvm/bitmap.c src/kvm/bitmap.h src/kvm/dirty.c \
	src/kvm/dirty.h src/kvm/dirty_who.c src/kvm/ring.c src/kvm/ring.h src/kvm/host.c src/kvm/com1.c src/kvm/com1.h \
	src/kvm/plan.c src/kvm/debug.h src/kvm/exits.h src/kvm/ioctl.c src/kvm/device_ops.c src/arch/x86/guest_time.h \
	src/kvm/hit.c src/kvm/break_ops.c src/kvm/guest_mem.c src/kvm/guest_mem.h src/kvm/exits.c src/kvm/kvm.c \
	src/kvm/kvm.h src/kvm/machine_kvm.c src/kvm/machine_kvm.h src/kvm/machine_ops.c src/kvm/sym_ops.c \
	src/kvm/machine_priv.h src/kvm/here.c src/kvm/here.h src/kvm/run.c src/kvm/run_tick.c src/kvm/slots.c \
	src/kvm/slots.h src/kvm/vcpu.c src/kvm/vcpu.h

if !ARCH_NONE
bin_PROGRAMS += gdbvisor
gdbvisor_SOURCES = src/main.c src/guest_files.h src/guest_files.c
nodist_gdbvisor_SOURCES = demo_image.c
gdbvisor_LDADD = libgvscript.a libgvstub.a libgvmonitor.a libgvhost.a libgvkvm.a libgvcore.a \
	$(UV_LIBS) $(READLINE_LIBS) $(JANSSON_LIBS) $(ZYDIS_LIBS) $(ELF_LIBS) $(UNPACK_LIBS) $(SECCOMP_LIBS)
endif

if HAVE_CHECK
kvm_harness = tests/kvm_harness.c tests/kvm_harness.h tests/watched.c tests/watched.h tests/unit.c tests/unit.h
kvm_libs = libgvkvm.a libgvcore.a $(ZYDIS_LIBS) $(ELF_LIBS) $(UNPACK_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
check_PROGRAMS += tests/check_com1 tests/check_dirty tests/check_regs tests/check_rights
TESTS += tests/check_com1 tests/check_dirty tests/check_regs tests/check_rights
tests_check_regs_SOURCES = tests/check_regs.c $(x86_desc) tests/unit.c tests/unit.h
tests_check_regs_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_com1_SOURCES = tests/check_com1.c tests/unit.c tests/unit.h
tests_check_com1_LDADD = $(kvm_libs)
tests_check_dirty_SOURCES = tests/check_dirty.c tests/unit.c tests/unit.h
tests_check_dirty_LDADD = $(kvm_libs)
tests_check_rights_SOURCES = tests/check_rights.c tests/unit.c tests/unit.h
tests_check_rights_LDADD = $(kvm_libs)

# guests of x86
if ARCH_X86
check_PROGRAMS += tests/kvm_dirty tests/kvm_dirty_writes tests/kvm_run tests/kvm_smp tests/kvm_regs tests/kvm_slots \
	tests/kvm_slots_refused tests/kvm_slots_random tests/kvm_slot_check tests/kvm_carve tests/kvm_carve_many
dirty_rig = tests/dirty_rig.c tests/dirty_rig.h $(kvm_harness)
tests_kvm_dirty_SOURCES = tests/kvm_dirty.c $(dirty_rig)
tests_kvm_dirty_LDADD = $(kvm_libs)
tests_kvm_dirty_writes_SOURCES = tests/kvm_dirty_writes.c $(dirty_rig)
tests_kvm_dirty_writes_LDADD = $(kvm_libs)
tests_kvm_run_SOURCES = tests/kvm_run.c $(kvm_harness)
tests_kvm_run_LDADD = $(kvm_libs)
check_PROGRAMS += tests/kvm_watch tests/kvm_break tests/kvm_regs_flips
TESTS += tests/kvm_watch tests/kvm_break tests/kvm_regs_flips
tests_kvm_regs_flips_SOURCES = tests/kvm_regs_flips.c $(kvm_harness)
tests_kvm_regs_flips_LDADD = $(kvm_libs)
tests_kvm_break_SOURCES = tests/kvm_break.c $(kvm_harness)
tests_kvm_break_LDADD = $(kvm_libs)
tests_kvm_watch_SOURCES = tests/kvm_watch.c $(kvm_harness)
tests_kvm_watch_LDADD = $(kvm_libs)
tests_kvm_smp_SOURCES = tests/kvm_smp.c $(kvm_harness)
tests_kvm_smp_LDADD = $(kvm_libs)
check_PROGRAMS += tests/kvm_probe
TESTS += tests/kvm_probe
tests_kvm_probe_SOURCES = tests/kvm_probe.c tests/unit.c tests/unit.h
tests_kvm_probe_LDADD = $(kvm_libs)
tests_kvm_regs_SOURCES = tests/kvm_regs.c $(kvm_harness)
tests_kvm_regs_LDADD = $(kvm_libs)
slots_rig = tests/slots_rig.c tests/slots_rig.h $(kvm_harness)
tests_kvm_slots_SOURCES = tests/kvm_slots.c $(slots_rig)
tests_kvm_slots_LDADD = $(kvm_libs)
tests_kvm_slots_refused_SOURCES = tests/kvm_slots_refused.c tests/ioctl_own.c tests/ioctl_own.h $(slots_rig)
tests_kvm_slots_refused_LDADD = $(kvm_libs)
tests_kvm_slot_check_SOURCES = tests/kvm_slot_check.c $(kvm_harness)
tests_kvm_slot_check_LDADD = $(kvm_libs)
carve_rig = tests/carve_rig.c tests/carve_rig.h tests/ioctl_own.c tests/ioctl_own.h $(kvm_harness)
tests_kvm_carve_SOURCES = tests/kvm_carve.c $(carve_rig)
tests_kvm_carve_LDADD = $(kvm_libs)
tests_kvm_carve_many_SOURCES = tests/kvm_carve_many.c $(carve_rig)
tests_kvm_carve_many_LDADD = $(kvm_libs)
tests_kvm_slots_random_SOURCES = tests/kvm_slots_random.c $(kvm_harness)
tests_kvm_slots_random_LDADD = $(kvm_libs)
TESTS += tests/kvm_dirty tests/kvm_dirty_writes tests/kvm_run tests/kvm_smp tests/kvm_regs tests/kvm_slots tests/kvm_slots_refused \
	tests/kvm_slots_random tests/kvm_slot_check tests/kvm_carve tests/kvm_carve_many
check_PROGRAMS += tests/kvm_wrong_calls tests/kvm_exits
TESTS += tests/kvm_wrong_calls tests/kvm_exits
tests_kvm_exits_SOURCES = tests/kvm_exits.c $(kvm_harness)
tests_kvm_exits_LDADD = $(kvm_libs)
tests_kvm_wrong_calls_SOURCES = tests/kvm_wrong_calls.c $(kvm_harness)
tests_kvm_wrong_calls_LDADD = $(kvm_libs)
endif
endif

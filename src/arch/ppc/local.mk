# 64-bit PowerPC, little-endian: what of it needs no KVM, and its table for src/kvm (src/arch/arch.h).
libgvcore_a_SOURCES += \
	src/arch/ppc/desc.c src/arch/ppc/load.c src/arch/ppc/ppc.h src/arch/ppc/ppc_regs.h src/arch/ppc/regs.def
libgvkvm_a_SOURCES += src/arch/arch.h \
	src/arch/ppc/arch_ppc.c src/arch/ppc/debug.c src/arch/ppc/exits.c src/arch/ppc/host.c src/arch/ppc/machine.c \
	src/arch/ppc/parts.h src/arch/ppc/regs.c src/arch/ppc/regs.h src/arch/ppc/vcpu_ppc.h

if HAVE_CHECK
check_PROGRAMS += tests/check_ppc_regs tests/check_ppc tests/check_ppc_debug
TESTS += tests/check_ppc_regs tests/check_ppc tests/check_ppc_debug
ppc_rig = tests/ppc_rig.c tests/ppc_rig.h tests/fake_ppc.c tests/fake_ppc.h $(fake_kvm) $(kvm_harness)
tests_check_ppc_regs_SOURCES = tests/check_ppc_regs.c tests/unit.c tests/unit.h
tests_check_ppc_regs_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_ppc_SOURCES = tests/check_ppc.c tests/elf_make.c tests/elf_make.h $(ppc_rig)
tests_check_ppc_LDADD = $(kvm_libs)
tests_check_ppc_debug_SOURCES = tests/check_ppc_debug.c $(ppc_rig)
tests_check_ppc_debug_LDADD = $(kvm_libs)
endif

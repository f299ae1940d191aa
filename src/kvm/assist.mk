# Instruction assist at work.
libgvkvm_a_SOURCES += src/arch/x86/assist_kvm.c src/arch/x86/assist_kvm.h src/arch/x86/assist_mem.c src/arch/x86/assist_mem.h

if HAVE_CHECK
check_PROGRAMS += tests/kvm_assist
tests_kvm_assist_SOURCES = tests/kvm_assist.c $(kvm_harness)
tests_kvm_assist_LDADD = $(kvm_libs)
TESTS += tests/kvm_assist
endif

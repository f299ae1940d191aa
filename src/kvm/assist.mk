# Instruction assist at work.

if HAVE_CHECK
check_PROGRAMS += tests/kvm_assist
tests_kvm_assist_SOURCES = tests/kvm_assist.c $(kvm_harness)
tests_kvm_assist_LDADD = $(kvm_libs)
TESTS += tests/kvm_assist
endif

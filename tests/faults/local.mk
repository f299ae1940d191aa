# Whatever may fail fails, once: a sample in the default check, all of it by `make check-faults`.
FAULT_TESTS = tests/faults/kvm
fault_sources = tests/faults/inject.c tests/faults/inject.h tests/faults/sweep.c tests/faults/sweep.h
fault_ldflags = $(AM_LDFLAGS) -rdynamic -Wl,--wrap=pthread_create,--wrap=timer_create
check_PROGRAMS += tests/faults/kvm
tests_faults_kvm_SOURCES = tests/faults/kvm_life.c $(fault_sources)
tests_faults_kvm_LDFLAGS = $(fault_ldflags)
tests_faults_kvm_LDADD = libgvkvm.a libgvcore.a $(ZYDIS_LIBS) $(ELF_LIBS) $(UNPACK_LIBS)
TESTS += $(FAULT_TESTS)

.PHONY: check-faults
check-faults: $(FAULT_TESTS)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(FAULT_TESTS)' GV_FAULTS=all

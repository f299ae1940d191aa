# Whatever may fail fails, once: a sample in the default check, all of it by `make check-faults`.
FAULT_TESTS = tests/faults/kvm tests/faults/opt $(FAULT_PURE) tests/faults/host.py
fault_sources = tests/libc_own.h tests/ioctl_own.c tests/ioctl_own.h tests/faults/inject.c tests/faults/inject.h tests/faults/sweep.c tests/faults/sweep.h
fault_ldflags = $(AM_LDFLAGS) -rdynamic -Wl,--wrap=pthread_create,--wrap=timer_create
check_PROGRAMS += tests/faults/kvm tests/faults/opt
tests_faults_kvm_SOURCES = tests/faults/kvm_life.c tests/faults/kvm_life.h tests/faults/kvm_steps.c tests/watched.c tests/watched.h \
	$(fault_sources)
tests_faults_kvm_LDFLAGS = $(fault_ldflags)
tests_faults_kvm_LDADD = libgvkvm.a libgvcore.a $(ZYDIS_LIBS) $(ELF_LIBS) $(UNPACK_LIBS)
tests_faults_opt_SOURCES = tests/faults/opt_life.c src/guest_files.h src/guest_files.c $(fault_sources)
tests_faults_opt_LDFLAGS = $(fault_ldflags)
tests_faults_opt_LDADD = libgvcore.a $(ZYDIS_LIBS) $(ELF_LIBS) $(UNPACK_LIBS)
TESTS += $(FAULT_TESTS)

# What the steps of a vCPU ask of KVM.
if HAVE_CHECK
check_PROGRAMS += tests/kvm_refused
tests_kvm_refused_SOURCES = tests/kvm_refused.c tests/ioctl_own.c tests/ioctl_own.h $(kvm_harness)
tests_kvm_refused_LDADD = $(kvm_libs)
TESTS += tests/kvm_refused

# The machine without KVM, and the test, are compiled to be spared.
FAULT_PURE = tests/faults/pure
check_PROGRAMS += tests/faults/pure
tests_faults_pure_SOURCES = tests/faults/pure_life.c $(fault_sources) $(fake_machine) tests/monitor_rig.c tests/monitor_rig.h \
	tests/elf_make.c tests/elf_make.h tests/bzimage_make.c tests/bzimage_make.h
tests_faults_pure_CPPFLAGS = $(AM_CPPFLAGS) -Dmalloc=spare_malloc -Dcalloc=spare_calloc -Drealloc=spare_realloc \
	-Dreallocarray=spare_reallocarray -Dfree=spare_free
tests_faults_pure_LDFLAGS = $(fault_ldflags)
tests_faults_pure_LDADD = libgvstub.a $(MONITOR_TEST_LIBS) $(ELF_LIBS) $(UNPACK_LIBS)
EXTRA_tests_faults_pure_DEPENDENCIES = $(SYM_ELVES)
endif

# What the host refuses the whole program; not instrumented, whatever the program is.
EXTRA_DIST += tests/faults/host.py tests/faults/host_shim.c
check_DATA += tests/faults/host_shim.so
CLEANFILES += tests/faults/host_shim.so
tests/faults/host_shim.so: $(srcdir)/tests/faults/host_shim.c
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(CC) -O1 -std=gnu11 -D_GNU_SOURCE $(WARN_CFLAGS) -shared -fPIC -o $@ \
		$(srcdir)/tests/faults/host_shim.c

.PHONY: check-faults
check-faults: all tests/faults/kvm tests/faults/opt $(FAULT_PURE) $(check_DATA)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(FAULT_TESTS)' GV_FAULTS=all

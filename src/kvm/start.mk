# How a machine begins: what it takes of time and memory, and where its threads run.
libgvkvm_a_SOURCES += src/kvm/threads.c src/kvm/threads.h

if HAVE_CHECK
check_PROGRAMS += tests/check_backing
TESTS += tests/check_backing
tests_check_backing_SOURCES = tests/check_backing.c tests/unit.c tests/unit.h
tests_check_backing_LDADD = $(kvm_libs)
if ARCH_X86
check_PROGRAMS += tests/check_hostid
tests_check_hostid_SOURCES = tests/check_hostid.c tests/unit.c tests/unit.h
tests_check_hostid_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_hostid
endif
endif

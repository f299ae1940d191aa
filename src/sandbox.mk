# Against mistakes: flags that every program is built with, and what is left of the process's rights when it has been set up.
AM_CFLAGS += $(HARDEN_CFLAGS)
AM_LDFLAGS += $(HARDEN_LDFLAGS)
if !ARCH_NONE
libgvhost_a_SOURCES += src/sandbox.h src/sandbox.c
endif

# Its test has x86's other system calls.
if ARCH_X86
if HAVE_CHECK
check_PROGRAMS += tests/check_sandbox
tests_check_sandbox_SOURCES = tests/check_sandbox.c tests/unit.c tests/unit.h
tests_check_sandbox_LDADD = libgvhost.a libgvcore.a $(SECCOMP_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_sandbox
endif
endif

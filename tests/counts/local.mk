# What operations cost in counts, against tests/counts/bounds.
TEST_GUESTS += tests/counts/loop.bin tests/counts/loop.elf
COUNT_TESTS = tests/counts/syscalls.py tests/counts/instructions.py
TESTS += $(COUNT_TESTS) tests/counts/allocs
EXTRA_DIST += $(COUNT_TESTS) tests/counts/bounds tests/counts/gate.py tests/counts/loop.S

# Without KVM, and with it: a session in the program itself.
count_pump = tests/counts/pump.c tests/counts/pump.h
check_PROGRAMS += tests/counts/packets tests/counts/allocs
tests_counts_packets_SOURCES = tests/counts/packets.c $(count_pump) $(fake_machine)
tests_counts_packets_LDADD = libgvstub.a libgvcore.a $(UV_LIBS)
tests_counts_allocs_SOURCES = tests/counts/allocs.c tests/libc_own.h $(count_pump) $(fake_machine)
# Names for who asked.
tests_counts_allocs_LDFLAGS = $(AM_LDFLAGS) -rdynamic
tests_counts_allocs_LDADD = libgvstub.a libgvkvm.a libgvcore.a $(UV_LIBS) $(ZYDIS_LIBS) $(ELF_LIBS) $(UNPACK_LIBS)

include tests/faults/local.mk

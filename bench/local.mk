# What has a bound of time: `make bench`.  The programs that compare.py drives are tested by tests/cli/bench.py.
bench_bounds = bench/slots bench/breaks bench/conditions
EXTRA_PROGRAMS = $(bench_bounds)
bench_rig = bench/rig.c bench/rig.h
bench_slots_SOURCES = bench/slots.c $(bench_rig)
bench_slots_LDADD = libgvkvm.a libgvcore.a $(ZYDIS_LIBS) $(ELF_LIBS) $(UNPACK_LIBS)
bench_breaks_SOURCES = bench/breaks.c $(bench_rig)
bench_breaks_LDADD = $(bench_slots_LDADD)
bench_conditions_SOURCES = bench/conditions.c $(bench_rig)
bench_conditions_LDADD = libgvstub.a $(bench_slots_LDADD)
CLEANFILES += $(EXTRA_PROGRAMS)

check_PROGRAMS += bench/client bench/bare
bench_meter = bench/meter.c bench/meter.h bench/rsp.c bench/rsp.h bench/guest.h
bench_client_SOURCES = bench/client.c $(bench_meter)
bench_bare_SOURCES = bench/bare.c $(bench_meter)
bench_parts = bench/client bench/bare bench/guest.bin
check_DATA += bench/guest.bin
CLEANFILES += bench/guest.bin
bench/guest.bin: $(srcdir)/bench/guest.h
bench_scripts = bench/compare.py bench/measures.py bench/stubs.py bench/gdb_session.py bench/svg.py
EXTRA_DIST += bench/guest.S $(bench_scripts)
TESTS += tests/cli/bench.py
EXTRA_DIST += tests/cli/bench.py

# BENCHFLAGS are compare.py's, such as --quick.
.PHONY: bench
bench: $(bench_bounds) $(bench_parts) gdbvisor
	@missed=0; for b in $(bench_bounds); do ./$$b || missed=1; done; \
	$(AM_TESTS_ENVIRONMENT) $(PYTHON3) $(srcdir)/bench/compare.py --output=bench-results $(BENCHFLAGS) || missed=1; \
	exit $$missed

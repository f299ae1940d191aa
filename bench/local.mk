# What has a bound of time: `make bench`.
EXTRA_PROGRAMS = bench/slots bench/breaks bench/conditions
bench_rig = bench/rig.c bench/rig.h
bench_slots_SOURCES = bench/slots.c $(bench_rig)
bench_slots_LDADD = libgvkvm.a libgvcore.a $(ZYDIS_LIBS) $(ELF_LIBS) $(UNPACK_LIBS)
bench_breaks_SOURCES = bench/breaks.c $(bench_rig)
bench_breaks_LDADD = $(bench_slots_LDADD)
bench_conditions_SOURCES = bench/conditions.c $(bench_rig)
bench_conditions_LDADD = libgvstub.a $(bench_slots_LDADD)
CLEANFILES += $(EXTRA_PROGRAMS)

.PHONY: bench
bench: $(EXTRA_PROGRAMS)
	@for b in $(EXTRA_PROGRAMS); do ./$$b || exit 1; done

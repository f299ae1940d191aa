# What has a bound of time: `make bench`.
EXTRA_PROGRAMS = bench/slots
bench_slots_SOURCES = bench/slots.c
bench_slots_LDADD = libgvkvm.a libgvcore.a $(ELF_LIBS)
CLEANFILES += $(EXTRA_PROGRAMS)

.PHONY: bench
bench: $(EXTRA_PROGRAMS)
	@for b in $(EXTRA_PROGRAMS); do ./$$b || exit 1; done

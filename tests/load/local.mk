# Load and endurance: a share in the default check, all of it by `make check-load`.
LOAD_TESTS = tests/load/cycles.py tests/load/clients.py tests/load/limits.py tests/load/signals.py \
	tests/load/many.py
TESTS += $(LOAD_TESTS)
EXTRA_DIST += $(LOAD_TESTS) tests/load/rig.py tests/load/leader.py

# As many vCPUs as there may be.
check_DATA += tests/guests/smp64.elf
CLEANFILES += tests/guests/smp64.elf
tests/guests/smp64.elf: $(smp4_parts) $(example_parts)
	$(AM_V_GEN)$(GUEST_LINK) -DCPUS=64 -m64 $(smp4_parts)

.PHONY: check-load
check-load: all $(check_DATA)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(LOAD_TESTS)' GV_LOAD=all

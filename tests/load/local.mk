# Load and endurance: a share in the default check, all of it by `make check-load`.
LOAD_TESTS = tests/load/cycles.py tests/load/clients.py tests/load/limits.py tests/load/signals.py
TESTS += $(LOAD_TESTS)
EXTRA_DIST += $(LOAD_TESTS) tests/load/rig.py tests/load/leader.py

.PHONY: check-load
check-load: all $(check_DATA)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(LOAD_TESTS)' GV_LOAD=all

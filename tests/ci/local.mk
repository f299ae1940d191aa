# Everything that is tested, as .ci/run has it: see "Trust" in HACKING.md.
TESTS += tests/ci/check_stages.py
EXTRA_DIST += tests/ci/stages.py tests/ci/check_stages.py
.PHONY: check-ci
check-ci: all
	$(AM_V_at)FUZZERS='$(FUZZERS)' $(PYTHON3) $(srcdir)/tests/ci/stages.py

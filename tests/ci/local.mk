# Everything that is tested, as .ci/run has it: see "Trust" in HACKING.md.
EXTRA_DIST += tests/ci/stages.py
.PHONY: check-ci
check-ci: all
	$(AM_V_at)FUZZERS='$(FUZZERS)' $(PYTHON3) $(srcdir)/tests/ci/stages.py

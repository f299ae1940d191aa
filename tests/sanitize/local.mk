# The tests, with sanitizers watching the program: in builds of their own.  See run.sh.
EXTRA_DIST += tests/sanitize/run.sh
.PHONY: check-asan check-tsan
check-asan check-tsan:
	$(AM_V_at)CC='$(CC)' MAKE='$(MAKE)' $(SHELL) $(srcdir)/tests/sanitize/run.sh $(@:check-%=%) '$(abs_srcdir)' '$(abs_builddir)' $(TESTS)

# What finds faults without being asked a question: analysers, valgrind, and what tests do not come by.  None is in the default check.
EXTRA_DIST += .clang-tidy tests/analyse/analyse.sh tests/analyse/cppcheck.txt tests/analyse/jansson.h tests/analyse/err.h
.PHONY: analyse
analyse: $(BUILT_SOURCES)
	srcdir='$(srcdir)' builddir='$(abs_builddir)' CC='$(CC)' $(SHELL) $(srcdir)/tests/analyse/analyse.sh

VALGRIND_TESTS = tests/analyse/valgrind.py
EXTRA_DIST += $(VALGRIND_TESTS) tests/analyse/valgrind.supp
.PHONY: check-valgrind
check-valgrind: all $(check_PROGRAMS) $(check_DATA)
	GV_VALGRIND_PROGRAMS='$(check_PROGRAMS)' $(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(VALGRIND_TESTS)'

EXTRA_DIST += tests/analyse/coverage.sh tests/analyse/coverage.py
.PHONY: coverage
coverage:
	MAKE='$(MAKE)' PYTHON3='$(PYTHON3)' $(SHELL) $(srcdir)/tests/analyse/coverage.sh '$(abs_srcdir)' '$(abs_builddir)/coverage' \
		$(TESTS)

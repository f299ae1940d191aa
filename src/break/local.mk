libgvcore_a_SOURCES += src/break/break.c src/break/break.h

if HAVE_CHECK
check_PROGRAMS += tests/check_break
tests_check_break_SOURCES = tests/check_break.c tests/unit.c tests/unit.h
tests_check_break_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_break
endif

# The host's side of the program: numbers and options (pure).
libgvcore_a_SOURCES += src/util/num.h src/util/num.c

if HAVE_CHECK
check_PROGRAMS += tests/check_num
tests_check_num_SOURCES = tests/check_num.c tests/unit.c tests/unit.h
tests_check_num_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_num
endif

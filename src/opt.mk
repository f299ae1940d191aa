# The host's side of the program: numbers, addresses and options (pure).
libgvcore_a_SOURCES += \
	src/util/num.h src/util/num.c src/util/addr.h src/util/addr.c src/opt.h src/opt.c

if HAVE_CHECK
check_PROGRAMS += tests/check_num tests/check_addr tests/check_opt
tests_check_num_SOURCES = tests/check_num.c tests/unit.c tests/unit.h
tests_check_num_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_addr_SOURCES = tests/check_addr.c tests/unit.c tests/unit.h
tests_check_addr_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_opt_SOURCES = tests/check_opt.c tests/unit.c tests/unit.h
tests_check_opt_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_num tests/check_addr tests/check_opt
endif

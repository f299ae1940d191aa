libgvcore_a_SOURCES += src/mem/gmem.h src/mem/gmem.c

if HAVE_CHECK
check_PROGRAMS += tests/check_gmem
TESTS += tests/check_gmem
mem_test_libs = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_gmem_SOURCES = tests/check_gmem.c tests/unit.c tests/unit.h
tests_check_gmem_LDADD = $(mem_test_libs)
if ARCH_X86
walk_test_sources = tests/walk_env.c tests/walk_env.h tests/unit.c tests/unit.h
check_PROGRAMS += tests/check_translate tests/check_ranges
tests_check_translate_SOURCES = tests/check_translate.c $(walk_test_sources)
tests_check_translate_LDADD = $(mem_test_libs)
tests_check_ranges_SOURCES = tests/check_ranges.c $(walk_test_sources)
tests_check_ranges_LDADD = $(mem_test_libs)
TESTS += tests/check_translate tests/check_ranges
check_PROGRAMS += tests/check_access
tests_check_access_SOURCES = tests/check_access.c $(walk_test_sources)
tests_check_access_LDADD = $(mem_test_libs)
TESTS += tests/check_access
endif
endif

libgvcore_a_SOURCES += src/mem/gmem.h src/mem/gmem.c src/mem/translate.h src/mem/walk.h src/mem/translate.c \
	src/mem/ranges.c

if HAVE_CHECK
check_PROGRAMS += tests/check_gmem tests/check_translate
tests_check_gmem_SOURCES = tests/check_gmem.c tests/unit.c tests/unit.h
tests_check_gmem_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_translate_SOURCES = tests/check_translate.c tests/unit.c tests/unit.h
tests_check_translate_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_gmem tests/check_translate
endif

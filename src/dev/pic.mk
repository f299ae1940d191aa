# Interrupt controllers and the timer, where they are not KVM's.
libgvcore_a_SOURCES += \
	src/dev/pic.h src/dev/pic.c src/dev/pit.c src/dev/pit_counter.h src/dev/pit_counter.c

if HAVE_CHECK
check_PROGRAMS += tests/check_pic tests/check_pit
tests_check_pic_SOURCES = tests/check_pic.c tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_pic_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_pit_SOURCES = tests/check_pit.c tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_pit_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_pic tests/check_pit
endif

# Interrupt controllers and the timer, where they are not KVM's.
libgvcore_a_SOURCES += \
	src/dev/pic.h src/dev/pic.c src/dev/pit.c src/dev/pit_counter.h src/dev/pit_counter.c

if HAVE_CHECK
GV_PIC_RIG = tests/pic_rig.c tests/pic_rig.h tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
GV_PIT_RIG = tests/pit_rig.c tests/pit_rig.h tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
GV_PIC_LIBS = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt

check_PROGRAMS += tests/check_pic tests/check_pic_state tests/check_pit tests/check_pit_modes
tests_check_pic_SOURCES = tests/check_pic.c $(GV_PIC_RIG)
tests_check_pic_LDADD = $(GV_PIC_LIBS)
tests_check_pic_state_SOURCES = tests/check_pic_state.c $(GV_PIC_RIG)
tests_check_pic_state_LDADD = $(GV_PIC_LIBS)
tests_check_pit_SOURCES = tests/check_pit.c $(GV_PIT_RIG)
tests_check_pit_LDADD = $(GV_PIC_LIBS)
tests_check_pit_modes_SOURCES = tests/check_pit_modes.c $(GV_PIT_RIG)
tests_check_pit_modes_LDADD = $(GV_PIC_LIBS)
TESTS += tests/check_pic tests/check_pic_state tests/check_pit tests/check_pit_modes
endif

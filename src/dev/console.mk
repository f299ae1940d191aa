# Keyboard and screen.
libgvcore_a_SOURCES += \
	src/dev/resetctl.h src/dev/i8042.h src/dev/i8042.c src/dev/ps2kbd.h src/dev/ps2kbd.c src/dev/keymap.h src/dev/keymap.c \
	src/dev/vga.h src/dev/vga.c

if HAVE_CHECK
GV_I8042_RIG = tests/i8042_rig.c tests/i8042_rig.h tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h

check_PROGRAMS += tests/check_i8042 tests/check_ps2kbd tests/check_vga
tests_check_i8042_SOURCES = tests/check_i8042.c $(GV_I8042_RIG)
tests_check_i8042_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_ps2kbd_SOURCES = tests/check_ps2kbd.c $(GV_I8042_RIG)
tests_check_ps2kbd_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_vga_SOURCES = tests/check_vga.c tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_vga_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_i8042 tests/check_ps2kbd tests/check_vga
endif

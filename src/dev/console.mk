# Keyboard and screen.
libgvcore_a_SOURCES += \
	src/dev/resetctl.h src/dev/i8042.h src/dev/i8042.c src/dev/ps2kbd.h src/dev/ps2kbd.c src/dev/keymap.h src/dev/keymap.c \
	src/dev/vga.h src/dev/vga.c

if HAVE_CHECK
check_PROGRAMS += tests/check_i8042 tests/check_vga
tests_check_i8042_SOURCES = tests/check_i8042.c tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_i8042_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_vga_SOURCES = tests/check_vga.c tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_vga_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_i8042 tests/check_vga
endif

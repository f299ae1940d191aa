# Keyboard and screen.
libgvcore_a_SOURCES += \
	src/dev/resetctl.h src/dev/i8042.h src/dev/i8042.c src/dev/ps2kbd.h src/dev/ps2kbd.c src/dev/keymap.h src/dev/keymap.c \
	src/dev/vga.h src/dev/vga.c

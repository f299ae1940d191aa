# What ELF files say of the program in them: symbols, lines of source, types.
libgvcore_a_SOURCES += src/sym/symbols.h src/sym/symbols.c src/sym/dwarf.h src/sym/dwarf_priv.h src/sym/dwarf.c \
	src/sym/dwarf_place.c src/sym/dwarf_type.c src/sym/debug_elf.h src/sym/debug_elf.c src/load/unpack.c

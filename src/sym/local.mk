# What ELF files say of the program in them: symbols, lines of source, types.
libgvcore_a_SOURCES += src/sym/symbols.h src/sym/symbols.c src/sym/dwarf.h src/sym/dwarf_priv.h src/sym/dwarf.c \
	src/sym/dwarf_place.c src/sym/dwarf_type.c src/sym/debug_elf.h src/sym/debug_elf.c src/load/unpack.c

# One program with all kinds of debugging information.
sym_sources = tests/sym/one.c tests/sym/two.c
sym_parts = $(sym_sources) tests/sym/types.h tests/sym/inlined.h
SYM_ELVES = tests/sym/d2.elf tests/sym/d4.elf tests/sym/d5.elf tests/sym/inline.elf tests/sym/m32.elf tests/sym/none.elf \
	tests/sym/zlib.elf tests/sym/zstd.elf tests/sym/noaranges.elf
SYM_CC = $(MKDIR_P) $(@D) && cd $(srcdir) && $(CC) -ffreestanding -nostdlib -static -fno-pic -no-pie -fno-stack-protector -O0 \
	-Wl,-Ttext=0x100000 -Wl,-e,sym_start -Wl,--build-id=none -Wl,-z,noexecstack -o $(abs_builddir)/$@ $(sym_sources)
tests/sym/d2.elf: $(sym_parts)
	$(AM_V_GEN)$(SYM_CC) -gdwarf-2 -gstrict-dwarf
tests/sym/d4.elf: $(sym_parts)
	$(AM_V_GEN)$(SYM_CC) -gdwarf-4
tests/sym/d5.elf: $(sym_parts)
	$(AM_V_GEN)$(SYM_CC) -gdwarf-5
tests/sym/inline.elf: $(sym_parts)
	$(AM_V_GEN)$(SYM_CC) -gdwarf-4 -fno-merge-debug-strings
tests/sym/m32.elf: $(sym_parts)
	$(AM_V_GEN)$(SYM_CC) -gdwarf-4 -m32
tests/sym/none.elf: $(sym_parts)
	$(AM_V_GEN)$(SYM_CC) -g0
tests/sym/zlib.elf: tests/sym/d5.elf
	$(AM_V_GEN)objcopy --compress-debug-sections=zlib tests/sym/d5.elf $@
# An old objcopy has no zstd: the test says that it skips this.
tests/sym/zstd.elf: tests/sym/d5.elf
	$(AM_V_GEN)objcopy --compress-debug-sections=zstd tests/sym/d5.elf $@ 2>/dev/null || cp tests/sym/d5.elf $@
tests/sym/noaranges.elf: tests/sym/d5.elf
	$(AM_V_GEN)objcopy --remove-section=.debug_aranges tests/sym/d5.elf $@
CLEANFILES += $(SYM_ELVES)
EXTRA_DIST += $(sym_parts)

# They are x86 programs.
if ARCH_X86
if HAVE_CHECK
check_PROGRAMS += tests/check_dwarf
tests_check_dwarf_SOURCES = tests/check_dwarf.c tests/sym/types.h tests/unit.c tests/unit.h
tests_check_dwarf_LDADD = $(load_test_libs)
EXTRA_tests_check_dwarf_DEPENDENCIES = $(SYM_ELVES)
TESTS += tests/check_dwarf
endif
endif

libgvcore_a_SOURCES += src/load/load.h src/load/parts.h src/load/image.c src/load/blob.c src/load/layout.c \
	src/load/boot.c src/load/flat.c src/load/elf.c src/load/multiboot.h src/load/multiboot.c src/load/mbinfo.c \
	src/load/multiboot2.c src/load/mb2header.c src/load/mb2info.c src/load/boot_tables.c \
	src/load/symtab.h src/load/symtab.c src/load/decompress.h src/load/decompress.c src/load/linux.h src/load/linux.c \
	src/load/bzimage.c src/load/linux_elf.c src/load/linux_map.c src/load/linux_kaslr.c src/load/linux_reloc.c \
	src/load/linux_start.c src/load/linux_real.c

# Tests load x86's images, on any host.
if ARCH_PPC
x86_load = src/load/pc_kinds.c
else
libgvcore_a_SOURCES += src/load/pc_kinds.c
endif

if HAVE_CHECK
check_PROGRAMS += tests/check_load tests/check_multiboot tests/check_multiboot2 tests/check_symtab tests/check_linux \
	tests/check_kaslr tests/check_decompress tests/check_load_short
load_test_sources = $(x86_load) tests/load_env.c tests/load_env.h tests/elf_make.c tests/elf_make.h tests/unit.c tests/unit.h
load_test_libs = libgvcore.a $(ELF_LIBS) $(UNPACK_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_load_SOURCES = tests/check_load.c $(x86_walk) $(load_test_sources)
tests_check_load_LDADD = $(load_test_libs)
tests_check_multiboot_SOURCES = tests/check_multiboot.c $(load_test_sources)
tests_check_multiboot_LDADD = $(load_test_libs)
tests_check_multiboot2_SOURCES = tests/check_multiboot2.c $(load_test_sources)
tests_check_multiboot2_LDADD = $(load_test_libs)
tests_check_symtab_SOURCES = tests/check_symtab.c tests/elf_make.c tests/elf_make.h tests/unit.c tests/unit.h
tests_check_symtab_LDADD = $(load_test_libs)
bzimage_test_sources = tests/bzimage_make.c tests/bzimage_make.h
tests_check_linux_SOURCES = tests/check_linux.c $(bzimage_test_sources) $(load_test_sources)
tests_check_linux_LDADD = $(load_test_libs)
tests_check_kaslr_SOURCES = tests/check_kaslr.c $(bzimage_test_sources) $(load_test_sources)
tests_check_kaslr_LDADD = $(load_test_libs)
tests_check_load_short_SOURCES = tests/check_load_short.c $(bzimage_test_sources) $(load_test_sources)
tests_check_load_short_LDADD = $(load_test_libs)
tests_check_decompress_SOURCES = tests/check_decompress.c $(bzimage_test_sources) tests/unit.c tests/unit.h
tests_check_decompress_LDADD = $(load_test_libs)
TESTS += tests/check_load tests/check_multiboot tests/check_multiboot2 tests/check_symtab tests/check_linux \
	tests/check_kaslr tests/check_decompress tests/check_load_short
endif

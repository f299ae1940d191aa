# Tables for kernels that start without firmware, and what firmware would have programmed.
libgvcore_a_SOURCES += src/load/acpi.h src/load/acpi.c src/load/dsdt.h src/load/dsdt.c src/load/aml.h src/load/aml.c \
	src/load/mptable.h src/load/mptable.c src/dev/pcboot.h src/dev/pcboot.c

if HAVE_CHECK
check_PROGRAMS += tests/check_acpi tests/check_mptable tests/check_pcboot
table_test_sources = tests/table_env.c tests/table_env.h tests/unit.c tests/unit.h
table_test_libs = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_acpi_SOURCES = tests/check_acpi.c tests/check_aml.c tests/check_aml.h $(table_test_sources)
tests_check_acpi_LDADD = $(table_test_libs)
tests_check_mptable_SOURCES = tests/check_mptable.c $(table_test_sources)
tests_check_mptable_LDADD = $(table_test_libs)
tests_check_pcboot_SOURCES = tests/check_pcboot.c $(chipset_rig)
tests_check_pcboot_LDADD = $(table_test_libs)
TESTS += tests/check_acpi tests/check_mptable tests/check_pcboot
endif

# A Linux kernel seen from outside.
libgvcore_a_SOURCES += src/linux/kernel.h src/linux/priv.h src/linux/kernel.c src/linux/locate.c src/linux/tasks.c \
	src/linux/modules.c src/linux/log.c src/linux/format.c \
	src/api/kernel.h

if HAVE_CHECK
check_PROGRAMS += tests/check_kernel tests/check_kernel_log
kernel_test_sources = tests/kernel_image.c tests/kernel_image.h tests/unit.c tests/unit.h
tests_check_kernel_SOURCES = tests/check_kernel.c $(kernel_test_sources)
tests_check_kernel_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_kernel_log_SOURCES = tests/check_kernel_log.c $(kernel_test_sources)
tests_check_kernel_log_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_kernel tests/check_kernel_log
if ARCH_X86
check_PROGRAMS += tests/check_kernel_place
tests_check_kernel_place_SOURCES = tests/check_kernel_place.c $(kernel_test_sources)
tests_check_kernel_place_LDADD = libgvcore.a $(ZYDIS_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_kernel_place
endif
endif

libgvcore_a_SOURCES += \
	src/dev/bus.h src/dev/bus.c src/dev/devbuf.c \
	src/dev/pc.h src/dev/uart.c src/dev/debugcon.c src/dev/exitport.c src/dev/resetctl.c src/dev/cmos.c \
	src/dev/date.h src/dev/date.c

if HAVE_CHECK
check_PROGRAMS += tests/check_bus tests/check_bus_wide tests/check_uart tests/check_cmos tests/check_devices
tests_check_bus_SOURCES = tests/check_bus.c tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_bus_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_bus_wide_SOURCES = tests/check_bus_wide.c tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_bus_wide_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_uart_SOURCES = tests/check_uart.c tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_uart_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_cmos_SOURCES = tests/check_cmos.c tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_cmos_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_devices_SOURCES = tests/check_devices.c tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_devices_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_bus tests/check_bus_wide tests/check_uart tests/check_cmos tests/check_devices
endif

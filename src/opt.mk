# The host's side of the program.  Pure: numbers, addresses, options, queues.
libgvcore_a_SOURCES += \
	src/util/num.h src/util/num.c src/util/addr.h src/util/addr.c src/util/usock.h src/util/usock.c \
	src/util/accept.h src/util/accept.c \
	src/util/outq.h src/util/outq.c src/opt.h src/opt.c src/opt_values.h src/opt_values.c \
	src/opt_check.c

# On libuv's loop: descriptors, the terminal, COM1's other end.
noinst_LIBRARIES += libgvhost.a
libgvhost_a_SOURCES = \
	src/util/chan.h src/util/chan.c src/util/rawtty.h src/util/rawtty.c src/serial.h src/serial.c \
	src/lostpage.h src/lostpage.c src/process.h src/process.c

if HAVE_CHECK
check_PROGRAMS += tests/check_num tests/check_addr tests/check_opt tests/check_opt_wrong tests/check_outq tests/check_serial \
	tests/check_stdio
tests_check_num_SOURCES = tests/check_num.c tests/unit.c tests/unit.h
tests_check_num_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_addr_SOURCES = tests/check_addr.c tests/unit.c tests/unit.h
tests_check_addr_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
gv_opt_rig = tests/opt_rig.c tests/opt_rig.h $(x86_desc) tests/unit.c tests/unit.h
tests_check_opt_SOURCES = tests/check_opt.c $(gv_opt_rig)
tests_check_opt_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_opt_wrong_SOURCES = tests/check_opt_wrong.c $(gv_opt_rig)
tests_check_opt_wrong_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_outq_SOURCES = tests/check_outq.c tests/unit.c tests/unit.h
tests_check_outq_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_serial_SOURCES = tests/check_serial.c tests/serial_line.c tests/serial_line.h tests/unit.c tests/unit.h
tests_check_serial_LDADD = libgvhost.a libgvcore.a $(UV_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_stdio_SOURCES = tests/check_stdio.c tests/serial_line.c tests/serial_line.h tests/unit.c tests/unit.h
tests_check_stdio_LDADD = libgvhost.a libgvcore.a $(UV_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_num tests/check_addr tests/check_opt tests/check_opt_wrong tests/check_outq tests/check_serial \
	tests/check_stdio
endif

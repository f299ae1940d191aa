# The GDB remote stub.
noinst_LIBRARIES += libgvstub.a
libgvstub_a_SOURCES = \
	gdbstub/client.c gdbstub/client.h gdbstub/cursor.c gdbstub/cursor.h gdbstub/dispatch.c \
	gdbstub/endpoint.c gdbstub/endpoint.h gdbstub/frame.c gdbstub/frame.h gdbstub/gdbstub.h \
	gdbstub/hex.c gdbstub/hex.h gdbstub/internal.h gdbstub/memmap.c gdbstub/memmap.h gdbstub/pkt_break.c gdbstub/pkt_command.c gdbstub/own_command.c gdbstub/pkt_file.c \
	gdbstub/pkt_mem.c gdbstub/pkt_query.c gdbstub/pkt_regs.c gdbstub/pkt_run.c gdbstub/pkt_thread.c \
	gdbstub/pkt_xfer.c gdbstub/queue.c gdbstub/queue.h gdbstub/reply.c gdbstub/reply.h gdbstub/server.c \
	gdbstub/session.c gdbstub/session.h gdbstub/stop.c gdbstub/tdesc.c gdbstub/tdesc.h gdbstub/vec.h

if HAVE_CHECK
check_PROGRAMS += tests/check_frame tests/check_reply tests/check_rsp tests/check_rsp_file tests/check_rsp_run tests/check_rsp_wire \
	tests/check_rsp_fuzz tests/check_rsp_map tests/check_rsp_regs tests/check_server tests/check_server_clients tests/check_wide

tests_check_frame_SOURCES = tests/check_frame.c tests/unit.c tests/unit.h
tests_check_frame_LDADD = libgvstub.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_reply_SOURCES = tests/check_reply.c tests/unit.c tests/unit.h
tests_check_reply_LDADD = $(tests_check_frame_LDADD)
tests_check_wide_SOURCES = tests/check_wide.c tests/unit.c tests/unit.h
tests_check_wide_LDADD = $(tests_check_frame_LDADD)
# the same tests of what is there without SSE2
check_PROGRAMS += tests/check_wide_plain
TESTS += tests/check_wide_plain
tests_check_wide_plain_SOURCES = tests/check_wide.c gdbstub/frame.c gdbstub/hex.c gdbstub/reply.c tests/unit.c tests/unit.h
tests_check_wide_plain_CPPFLAGS = $(AM_CPPFLAGS) -DVEC_PLAIN
tests_check_wide_plain_LDADD = $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt

gv_rsp_rig = tests/rsp_rig.c tests/rsp_rig.h $(fake_machine) tests/unit.c tests/unit.h
gv_rsp_libs = libgvstub.a libgvcore.a $(UV_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_rsp_SOURCES = tests/check_rsp.c $(gv_rsp_rig)
tests_check_rsp_LDADD = $(gv_rsp_libs)
tests_check_rsp_file_SOURCES = tests/check_rsp_file.c $(gv_rsp_rig)
tests_check_rsp_file_LDADD = $(gv_rsp_libs)
tests_check_rsp_run_SOURCES = tests/check_rsp_run.c $(gv_rsp_rig)
tests_check_rsp_run_LDADD = $(gv_rsp_libs)
tests_check_rsp_wire_SOURCES = tests/check_rsp_wire.c $(gv_rsp_rig)
tests_check_rsp_wire_LDADD = $(gv_rsp_libs)
tests_check_rsp_fuzz_SOURCES = tests/check_rsp_fuzz.c $(gv_rsp_rig)
tests_check_rsp_fuzz_LDADD = $(gv_rsp_libs)
tests_check_rsp_map_SOURCES = tests/check_rsp_map.c $(gv_rsp_rig)
tests_check_rsp_map_LDADD = $(gv_rsp_libs)
tests_check_rsp_regs_SOURCES = tests/check_rsp_regs.c $(gv_rsp_rig)
tests_check_rsp_regs_LDADD = $(gv_rsp_libs)
gv_server_rig = tests/server_rig.c tests/server_rig.h $(gv_rsp_rig)
tests_check_server_SOURCES = tests/check_server.c $(gv_server_rig)
tests_check_server_LDADD = $(gv_rsp_libs)
tests_check_server_clients_SOURCES = tests/check_server_clients.c $(gv_server_rig)
tests_check_server_clients_LDADD = $(gv_rsp_libs)

TESTS += tests/check_frame tests/check_reply tests/check_rsp tests/check_rsp_file tests/check_rsp_run tests/check_rsp_wire \
	tests/check_rsp_fuzz tests/check_rsp_map tests/check_rsp_regs tests/check_server tests/check_server_clients tests/check_wide
endif

include gdbstub/packets.mk
include gdbstub/runctl.mk

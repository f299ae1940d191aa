# Packets beyond what gdb needs to begin with: other debuggers' and tools', and memory looked through in place.
libgvstub_a_SOURCES += gdbstub/lldb.h gdbstub/pkt_lldb.c gdbstub/pkt_qemu.c gdbstub/pkt_region.c gdbstub/pkt_saved.c \
	gdbstub/pkt_search.c gdbstub/wirelog.c gdbstub/wirelog.h gdbstub/wirelog_meaning.c

if HAVE_CHECK
check_PROGRAMS += tests/check_rsp_refused tests/check_rsp_table tests/check_rsp_tools tests/check_wirelog
tests_check_rsp_refused_SOURCES = tests/check_rsp_refused.c $(gv_rsp_rig)
tests_check_rsp_refused_LDADD = $(gv_rsp_libs)
tests_check_rsp_table_SOURCES = tests/check_rsp_table.c $(gv_rsp_rig)
tests_check_rsp_table_LDADD = $(gv_rsp_libs)
tests_check_rsp_tools_SOURCES = tests/check_rsp_tools.c $(gv_rsp_rig)
tests_check_rsp_tools_LDADD = $(gv_rsp_libs)
tests_check_wirelog_SOURCES = tests/check_wirelog.c $(gv_rsp_rig)
tests_check_wirelog_LDADD = $(gv_rsp_libs)
TESTS += tests/check_rsp_refused tests/check_rsp_table tests/check_rsp_tools tests/check_wirelog
endif
EXTRA_DIST += tests/rsp/packets.txt

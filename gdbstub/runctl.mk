# Run control: non-stop and extended mode.
libgvstub_a_SOURCES += gdbstub/nonstop.c gdbstub/nonstop.h gdbstub/observer.c gdbstub/pkt_extended.c

if HAVE_CHECK
check_PROGRAMS += tests/check_rsp_nonstop
tests_check_rsp_nonstop_SOURCES = tests/check_rsp_nonstop.c $(gv_rsp_rig)
tests_check_rsp_nonstop_LDADD = $(gv_rsp_libs)
TESTS += tests/check_rsp_nonstop
endif

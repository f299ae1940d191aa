# gdb's side: a script and its modules, and where the program finds them.
dist_pkgdata_DATA = \
	gdbstub/gdbvisor.py gdbstub/gv_commands.py gdbstub/gv_frames.py gdbstub/gv_functions.py gdbstub/gv_kaslr.py \
	gdbstub/gv_modes.py gdbstub/gv_real16.py gdbstub/gv_remote.py gdbstub/gv_uefi.py

noinst_LIBRARIES += libgvscript.a
libgvscript_a_SOURCES = src/gdbscript.c src/gdbscript.h
libgvscript_a_CPPFLAGS = $(AM_CPPFLAGS) -DGV_DATA_DIR='"$(pkgdatadir)"' -DGV_SOURCE_DIR='"$(abs_srcdir)/gdbstub"' \
	-DGV_BUILD_DIR='"$(abs_builddir)"'

# Packets beyond what gdb needs to begin with: other debuggers' and tools', and memory looked through in place.
libgvstub_a_SOURCES += gdbstub/lldb.h gdbstub/pkt_lldb.c gdbstub/pkt_qemu.c gdbstub/pkt_region.c gdbstub/pkt_saved.c \
	gdbstub/pkt_search.c gdbstub/wirelog.c gdbstub/wirelog.h gdbstub/wirelog_meaning.c

# The GDB remote stub.
noinst_LIBRARIES += libgvstub.a
libgvstub_a_SOURCES = \
	gdbstub/client.c gdbstub/client.h gdbstub/cursor.c gdbstub/cursor.h gdbstub/dispatch.c \
	gdbstub/endpoint.c gdbstub/endpoint.h gdbstub/frame.c gdbstub/frame.h gdbstub/gdbstub.h \
	gdbstub/hex.c gdbstub/hex.h gdbstub/internal.h gdbstub/pkt_break.c gdbstub/pkt_command.c \
	gdbstub/pkt_mem.c gdbstub/pkt_query.c gdbstub/pkt_regs.c gdbstub/pkt_run.c gdbstub/pkt_thread.c \
	gdbstub/pkt_xfer.c gdbstub/queue.c gdbstub/queue.h gdbstub/reply.c gdbstub/reply.h gdbstub/server.c \
	gdbstub/session.c gdbstub/session.h gdbstub/stop.c gdbstub/tdesc.c gdbstub/tdesc.h

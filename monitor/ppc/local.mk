# PowerPC in the monitor.
libgvmonitor_a_SOURCES += monitor/ppc/arch.c monitor/ppc/disas.c monitor/ppc/parts.h monitor/ppc/stack.c

# x86 in the monitor.
libgvmonitor_a_SOURCES += \
	monitor/x86/arch.c monitor/x86/cmd_debugregs.c monitor/x86/cmd_msr.c monitor/x86/disas.c monitor/x86/parts.h monitor/x86/stack.c

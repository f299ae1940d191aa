# The interactive monitor.
noinst_LIBRARIES += libgvmonitor.a
libgvmonitor_a_SOURCES = \
	monitor/monitor.h monitor/monitor.c monitor/core.h monitor/task.h monitor/task.c monitor/cmd.h monitor/cmd.c \
	monitor/cmd_run.c monitor/cmd_info.c monitor/cmd_regs.h monitor/cmd_regs.c monitor/cmd_inspect.c \
	monitor/cmd_change.c monitor/cmd_break.c monitor/cmd_session.c monitor/breaks.h monitor/breaks.c \
	monitor/complete.h monitor/complete.c monitor/disas.h monitor/disas.c monitor/expr.h monitor/expr.c \
	monitor/feed.h monitor/feed.c monitor/filter.h monitor/filter.c monitor/format.h monitor/format.c \
	monitor/history.h monitor/history.c monitor/lines.h monitor/lines.c monitor/listen.h monitor/listen.c \
	monitor/notice.h monitor/notice.c monitor/pipe.h monitor/pipe.c monitor/render.h monitor/render.c \
	monitor/screen.h monitor/screen.c monitor/script.h monitor/script.c monitor/term.h monitor/term.c \
	monitor/text.h monitor/text.c monitor/window.h monitor/window.c

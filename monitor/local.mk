# The interactive monitor.
noinst_LIBRARIES += libgvmonitor.a
libgvmonitor_a_SOURCES = \
	monitor/monitor.h monitor/monitor.c monitor/core.h monitor/task.h monitor/task.c monitor/cmd.h monitor/cmd.c \
	monitor/cmd_run.c monitor/cmd_info.c monitor/cmd_regs.h monitor/cmd_regs.c monitor/cmd_inspect.c \
	monitor/cmd_change.c monitor/cmd_break.c monitor/cmd_session.c monitor/breaks.h monitor/breaks.c \
	monitor/complete.h monitor/complete.c monitor/expr.h monitor/expr.c \
	monitor/feed.h monitor/feed.c monitor/filter.h monitor/filter.c monitor/format.h monitor/format.c \
	monitor/history.h monitor/history.c monitor/lines.h monitor/lines.c monitor/listen.h monitor/listen.c \
	monitor/notice.h monitor/notice.c monitor/pipe.h monitor/pipe.c monitor/render.h monitor/render.c \
	monitor/sharedout.h monitor/sharedout.c monitor/script.h monitor/script.c monitor/term.h monitor/term.c \
	monitor/text.h monitor/text.c monitor/window.h monitor/window.c monitor/cmd_slot.c monitor/cmd_dirty.h \
	monitor/cmd_dirty.c monitor/cmd_rate.c monitor/cmd_who.c monitor/slotarg.h monitor/slotarg.c monitor/map.h \
	monitor/map.c monitor/pages.h monitor/pages.c monitor/heat.h monitor/heat.c monitor/svg.h monitor/svg.c \
	monitor/newfile.h monitor/newfile.c monitor/names.h monitor/names.c monitor/hits.h monitor/hits.c \
	monitor/hook.h monitor/hook.c monitor/jsonmem.h monitor/jsonmem.c monitor/range.h monitor/range.c monitor/cmd_break.h monitor/cmd_breaks.c \
	monitor/cmd_catch.c monitor/cmd_engine.c monitor/arch.h \
	monitor/cmd_devices.h monitor/cmd_devices.c monitor/cmd_pci.c monitor/vgatext.h monitor/vgatext.c \
	monitor/fwlog.h monitor/fwlog.c monitor/exitlist.h monitor/exitlist.c monitor/stack.h monitor/stack.c \
	monitor/cmd_stack.c monitor/cmd_symbols.c monitor/cmd_kernel.c monitor/source.h monitor/source.c monitor/slide.h monitor/slide.c
if ARCH_X86
include monitor/x86/local.mk
endif
if ARCH_PPC
include monitor/ppc/local.mk
endif

MONITOR_TEST_LIBS = libgvmonitor.a libgvhost.a libgvcore.a $(ZYDIS_LIBS) $(JANSSON_LIBS) $(READLINE_LIBS) $(UV_LIBS)
MONITOR_RIG = tests/monitor_rig.c tests/monitor_rig.h $(x86_monitor) $(fake_machine) tests/unit.c tests/unit.h

if HAVE_CHECK
check_PROGRAMS += tests/check_expr tests/check_parts tests/check_cmd tests/check_cmd_run tests/check_cmd_break tests/check_cmd_hook \
	tests/check_script tests/check_slot
tests_check_expr_SOURCES = tests/check_expr.c tests/unit.c tests/unit.h
tests_check_expr_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_parts_SOURCES = tests/check_parts.c $(x86_monitor) $(fake_machine) tests/unit.c tests/unit.h
tests_check_parts_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_cmd_SOURCES = tests/check_cmd.c $(MONITOR_RIG)
tests_check_cmd_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_cmd_run_SOURCES = tests/check_cmd_run.c $(MONITOR_RIG)
tests_check_cmd_run_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_cmd_break_SOURCES = tests/check_cmd_break.c $(MONITOR_RIG)
tests_check_cmd_break_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_cmd_hook_SOURCES = tests/check_cmd_hook.c $(MONITOR_RIG)
tests_check_cmd_hook_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
check_PROGRAMS += tests/check_debugregs tests/check_msr
TESTS += tests/check_debugregs tests/check_msr
check_PROGRAMS += tests/check_cmd_stack
TESTS += tests/check_cmd_stack
tests_check_cmd_stack_SOURCES = tests/check_cmd_stack.c $(MONITOR_RIG)
tests_check_cmd_stack_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
check_PROGRAMS += tests/check_cmd_kernel
TESTS += tests/check_cmd_kernel
tests_check_cmd_kernel_SOURCES = tests/check_cmd_kernel.c $(MONITOR_RIG)
tests_check_cmd_kernel_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt

check_PROGRAMS += tests/check_cmd_symbols
TESTS += tests/check_cmd_symbols
tests_check_cmd_symbols_SOURCES = tests/check_cmd_symbols.c $(MONITOR_RIG)
tests_check_cmd_symbols_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
check_PROGRAMS += tests/check_cmd_devices
TESTS += tests/check_cmd_devices
tests_check_cmd_devices_SOURCES = tests/check_cmd_devices.c $(MONITOR_RIG)
tests_check_cmd_devices_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
check_PROGRAMS += tests/check_cmd_console
TESTS += tests/check_cmd_console
tests_check_cmd_console_SOURCES = tests/check_cmd_console.c $(MONITOR_RIG)
tests_check_cmd_console_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_msr_SOURCES = tests/check_msr.c $(MONITOR_RIG)
tests_check_msr_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_debugregs_SOURCES = tests/check_debugregs.c $(MONITOR_RIG)
tests_check_debugregs_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_slot_SOURCES = tests/check_slot.c $(MONITOR_RIG)
tests_check_slot_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_script_SOURCES = tests/check_script.c $(MONITOR_RIG)
tests_check_script_LDADD = $(MONITOR_TEST_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_expr tests/check_parts tests/check_cmd tests/check_cmd_run tests/check_cmd_break tests/check_cmd_hook \
	tests/check_script tests/check_slot
endif

if ARCH_X86
# Terminal, socket and script sessions drive this one: the monitor on a machine without KVM.
check_PROGRAMS += tests/monitor_fake
tests_monitor_fake_SOURCES = tests/monitor_fake.c $(fake_machine)
tests_monitor_fake_LDADD = $(MONITOR_TEST_LIBS)
MONITOR_SESSION_TESTS = tests/monitor/terminal.py tests/monitor/clients.py tests/monitor/script.py tests/monitor/pictures.py
TESTS += $(MONITOR_SESSION_TESTS)
EXTRA_DIST += $(MONITOR_SESSION_TESTS) tests/monitor/rig.py
endif

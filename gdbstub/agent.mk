# Breakpoints' conditions and commands.
libgvstub_a_SOURCES += \
	gdbstub/agent.c gdbstub/agent.h gdbstub/agent_eval.c gdbstub/agent_op.h gdbstub/agent_print.c gdbstub/prints.c \
	gdbstub/textring.c gdbstub/textring.h gdbstub/trigger.c gdbstub/trigger.h

if HAVE_CHECK
check_PROGRAMS += tests/check_agent tests/check_trigger
tests_check_agent_SOURCES = tests/check_agent.c tests/unit.c tests/unit.h
tests_check_agent_LDADD = libgvstub.a libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_trigger_SOURCES = tests/check_trigger.c $(gv_rsp_rig)
tests_check_trigger_LDADD = $(gv_rsp_libs)
TESTS += tests/check_agent tests/check_trigger
endif

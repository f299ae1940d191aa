libgvcore_a_SOURCES += src/insn/insn.h src/insn/insn.c src/insn/plain.h src/insn/plain.c src/insn/priv.h src/insn/access.c src/insn/find.c \
	src/insn/assist.h src/insn/assist.c src/insn/assist_priv.h src/insn/assist_atomic.c src/insn/assist_iret.c \
	src/insn/assist_native.c src/insn/native.h src/insn/native.c src/insn/assist_sse.c src/insn/assist_sys.c src/insn/assist_xsave.c

if HAVE_CHECK
check_PROGRAMS += tests/check_assist tests/check_cmpxchg tests/check_iret tests/check_native tests/check_sys tests/check_insn
tests_check_insn_SOURCES = tests/check_insn.c tests/unit.c tests/unit.h
tests_check_insn_LDADD = libgvcore.a $(ZYDIS_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_assist_SOURCES = tests/check_assist.c tests/insn_host.c tests/insn_host.h tests/unit.c tests/unit.h
tests_check_native_SOURCES = tests/check_native.c tests/insn_host.c tests/insn_host.h tests/unit.c tests/unit.h
tests_check_sys_SOURCES = tests/check_sys.c tests/insn_host.c tests/insn_host.h tests/unit.c tests/unit.h
tests_check_sys_LDADD = libgvcore.a $(ZYDIS_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_native_LDADD = libgvcore.a $(ZYDIS_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_assist_LDADD = libgvcore.a $(ZYDIS_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_cmpxchg_SOURCES = tests/check_cmpxchg.c tests/unit.c tests/unit.h
tests_check_cmpxchg_LDADD = libgvcore.a $(ZYDIS_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_iret_SOURCES = tests/check_iret.c tests/unit.c tests/unit.h
tests_check_iret_LDADD = libgvcore.a $(ZYDIS_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_assist tests/check_cmpxchg tests/check_iret tests/check_native tests/check_sys tests/check_insn
endif

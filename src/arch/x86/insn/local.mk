libgvcore_a_SOURCES += src/arch/x86/insn/insn.h src/arch/x86/insn/insn.c src/arch/x86/insn/plain.h src/arch/x86/insn/plain.c src/arch/x86/insn/priv.h src/arch/x86/insn/access.c src/arch/x86/insn/find.c \
	src/arch/x86/insn/assist.h src/arch/x86/insn/assist.c src/arch/x86/insn/assist_priv.h src/arch/x86/insn/assist_atomic.c src/arch/x86/insn/assist_iret.c \
	src/arch/x86/insn/assist_native.c src/arch/x86/insn/native.h src/arch/x86/insn/native.c src/arch/x86/insn/assist_sse.c src/arch/x86/insn/assist_sys.c src/arch/x86/insn/assist_xsave.c

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

libgvcore_a_SOURCES += src/insn/insn.h src/insn/insn.c src/insn/priv.h src/insn/access.c src/insn/find.c

# 64-bit PowerPC, little-endian: what of it needs no KVM, and its table for src/kvm (src/arch/arch.h).
libgvcore_a_SOURCES += src/arch/ppc/desc.c src/arch/ppc/load.c src/arch/ppc/ppc.h src/arch/ppc/ppc_regs.h src/arch/ppc/regs.def
libgvkvm_a_SOURCES += src/arch/arch.h \
	src/arch/ppc/arch_ppc.c src/arch/ppc/debug.c src/arch/ppc/exits.c src/arch/ppc/host.c src/arch/ppc/machine.c \
	src/arch/ppc/parts.h src/arch/ppc/regs.c src/arch/ppc/regs.h src/arch/ppc/vcpu_ppc.h

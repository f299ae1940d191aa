# x86: what of it needs no KVM, and its table for src/kvm (src/arch/arch.h).
libgvcore_a_SOURCES += \
	src/arch/x86/desc.c src/arch/x86/regbits.c src/arch/x86/regs.def src/arch/x86/x86_regs.h src/arch/x86/hostid.c \
	src/arch/x86/hostid.h src/linux/unpack.h src/linux/unpack.c \
	src/arch/x86/access.c src/arch/x86/access.h src/arch/x86/idt.c src/arch/x86/idt.h src/arch/x86/ranges.c \
	src/arch/x86/translate.c src/arch/x86/translate.h src/arch/x86/walk.h src/arch/x86/x86.h
libgvkvm_a_SOURCES += src/arch/arch.h \
	src/arch/x86/arch_x86.c src/arch/x86/assist_kvm.c src/arch/x86/assist_kvm.h src/arch/x86/assist_mem.c \
	src/arch/x86/assist_mem.h src/arch/x86/board.c src/arch/x86/board.h src/arch/x86/catch_kernel.c \
	src/arch/x86/catch_msr.c src/arch/x86/catch_vector.c src/arch/x86/catch_x86.c src/arch/x86/catch_x86.h \
	src/arch/x86/debug.c src/arch/x86/debug.h src/arch/x86/debug_exit.c src/arch/x86/devices.c \
	src/arch/x86/exits_x86.c src/arch/x86/exits_x86.h src/arch/x86/guest_time.c src/arch/x86/guest_time.h \
	src/arch/x86/host_x86.c src/arch/x86/host_x86.h src/arch/x86/irqchip.c src/arch/x86/irqchip.h \
	src/arch/x86/machine_x86.c src/arch/x86/machine_x86.h src/arch/x86/nvram.c src/arch/x86/probe.c \
	src/arch/x86/probe.h src/arch/x86/probe_cache.c src/arch/x86/probe_cache.h src/arch/x86/regs.c src/arch/x86/regs.h \
	src/arch/x86/regs_check.c src/arch/x86/regs_debug.c src/arch/x86/regs_debug.h src/arch/x86/regs_msr.c \
	src/arch/x86/regs_priv.h src/arch/x86/regs_xsave.c src/arch/x86/space.c src/arch/x86/space.h src/arch/x86/state.c \
	src/arch/x86/state.h src/arch/x86/step.c src/arch/x86/step_plain.c src/arch/x86/step_priv.h \
	src/arch/x86/step_user.c src/arch/x86/syscalls.c src/arch/x86/syscalls.h src/arch/x86/vcpu_x86.h \
	src/arch/x86/watch_kvm.c src/arch/x86/watch_kvm.h

include src/arch/x86/insn/local.mk

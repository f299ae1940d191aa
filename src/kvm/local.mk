# What knows KVM.
noinst_LIBRARIES += libgvkvm.a
libgvkvm_a_SOURCES = \
	src/kvm/com1.c src/kvm/com1.h src/kvm/debug.c src/kvm/debug.h src/kvm/exits.c src/kvm/kvm.c src/kvm/kvm.h \
	src/kvm/machine_kvm.c src/kvm/machine_kvm.h src/kvm/machine_ops.c src/kvm/machine_priv.h src/kvm/probe.c src/kvm/probe.h src/kvm/regs.c \
	src/kvm/regs.h src/kvm/run.c src/kvm/slots.c src/kvm/slots.h src/kvm/state.c src/kvm/state.h src/kvm/vcpu.c \
	src/kvm/vcpu.h

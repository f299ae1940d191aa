# Everything below src/ that does not know KVM.
noinst_LIBRARIES += libgvcore.a
libgvcore_a_SOURCES = \
	src/api/err.h src/api/out.h src/api/command.h src/api/machine.h src/api/machine_ops.h \
	src/api/regs.h src/api/slots.h src/api/breaks.h src/api/devices.h \
	src/api/regs.c src/api/regbits.h src/api/regbits.c src/api/arch.h \
	src/util/err.c src/util/out.c \
	src/util/logring.c src/util/logring.h src/util/page.h

include src/mem/local.mk
include src/load/local.mk
include src/sym/local.mk
include src/dev/local.mk
include src/dev/firmware.mk
include src/dev/console.mk
include src/dev/pic.mk
include src/dev/chipset.mk
include src/load/tables.mk
include src/dev/storage.mk
include src/dev/virtio.mk
include src/break/local.mk
include src/linux/local.mk
include src/kvm/local.mk
include src/kvm/catch.mk
include src/kvm/start.mk
include src/kvm/fake.mk
include src/opt.mk
include src/sandbox.mk
if ARCH_X86
include src/kvm/assist.mk
include src/kvm/irqchip.mk
include src/arch/x86/local.mk
endif
if ARCH_PPC
include src/arch/ppc/local.mk
endif

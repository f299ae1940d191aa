# Interrupts without KVM's controllers.
libgvkvm_a_SOURCES += src/arch/x86/irqchip.c src/arch/x86/irqchip.h

if HAVE_CHECK
check_PROGRAMS += tests/kvm_irqchip
TESTS += tests/kvm_irqchip
tests_kvm_irqchip_SOURCES = tests/kvm_irqchip.c $(kvm_harness)
tests_kvm_irqchip_LDADD = $(kvm_libs)
endif

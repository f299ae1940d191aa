# Interrupts without KVM's controllers.

if HAVE_CHECK
check_PROGRAMS += tests/kvm_irqchip
TESTS += tests/kvm_irqchip
tests_kvm_irqchip_SOURCES = tests/kvm_irqchip.c $(kvm_harness)
tests_kvm_irqchip_LDADD = $(kvm_libs)
endif

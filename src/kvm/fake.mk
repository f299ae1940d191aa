# A KVM of our making, and what it is for: hosts that are not here, and failures that the real one does not show.
fake_kvm = tests/fake_kvm.c tests/fake_kvm.h
if HAVE_CHECK
check_PROGRAMS += tests/check_rma tests/check_slot_faults
TESTS += tests/check_rma tests/check_slot_faults
tests_check_rma_SOURCES = tests/check_rma.c tests/fake_arch.c $(fake_kvm) tests/unit.c tests/unit.h
tests_check_rma_LDADD = libgvkvm.a libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_slot_faults_SOURCES = tests/check_slot_faults.c tests/fake_arch.c $(fake_kvm) tests/unit.c tests/unit.h
tests_check_slot_faults_LDADD = $(tests_check_rma_LDADD)
if ARCH_X86
check_PROGRAMS += tests/kvm_fake
TESTS += tests/kvm_fake
tests_kvm_fake_SOURCES = tests/kvm_fake.c $(fake_kvm) tests/unit.c tests/unit.h
tests_kvm_fake_LDADD = $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
endif
endif

# Stepping, system calls of user code, and their tests.

if HAVE_CHECK
step_rig = tests/step_rig.c tests/step_rig.h $(kvm_harness)
check_PROGRAMS += tests/kvm_step tests/kvm_debugregs tests/kvm_syscalls
TESTS += tests/kvm_step tests/kvm_debugregs tests/kvm_syscalls
tests_kvm_debugregs_SOURCES = tests/kvm_debugregs.c $(step_rig)
tests_kvm_debugregs_LDADD = $(kvm_libs)
tests_kvm_syscalls_SOURCES = tests/kvm_syscalls.c $(step_rig)
tests_kvm_syscalls_LDADD = $(kvm_libs)
tests_kvm_step_SOURCES = tests/kvm_step.c $(step_rig)
tests_kvm_step_LDADD = $(kvm_libs)
check_PROGRAMS += tests/kvm_plain tests/kvm_slow
TESTS += tests/kvm_plain tests/kvm_slow
tests_kvm_plain_SOURCES = tests/kvm_plain.c $(kvm_harness)
tests_kvm_plain_LDADD = $(kvm_libs)
tests_kvm_slow_SOURCES = tests/kvm_slow.c $(kvm_harness)
tests_kvm_slow_LDADD = $(kvm_libs)
tests_kvm_slow_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=kvm_ioctl
endif

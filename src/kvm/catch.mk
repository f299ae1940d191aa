# Catchpoints and the log of exits.
libgvkvm_a_SOURCES += src/kvm/catch.c src/kvm/catch.h src/kvm/catch_priv.h \
	src/kvm/kernel_view.c src/kvm/kernel_view.h src/kvm/kernel_priv.h src/kvm/kernel_modules.c \
	src/kvm/exitlog.c src/kvm/exitlog.h

if HAVE_CHECK
if ARCH_X86
check_PROGRAMS += tests/check_catch tests/check_catch_vector tests/check_exitlog tests/check_idt
catch_rig = tests/catch_rig.c tests/catch_rig.h tests/unit.c tests/unit.h
catch_rig_ldflags = $(AM_LDFLAGS) -Wl,--wrap=kvm_ioctl,--wrap=kvm_ioctl_num
tests_check_catch_SOURCES = tests/check_catch.c $(catch_rig)
tests_check_catch_LDADD = $(kvm_libs)
tests_check_catch_LDFLAGS = $(catch_rig_ldflags)
tests_check_catch_vector_SOURCES = tests/check_catch_vector.c $(catch_rig)
tests_check_catch_vector_LDADD = $(kvm_libs)
tests_check_catch_vector_LDFLAGS = $(catch_rig_ldflags)
tests_check_exitlog_SOURCES = tests/check_exitlog.c tests/unit.c tests/unit.h
tests_check_exitlog_LDADD = $(kvm_libs)
tests_check_idt_SOURCES = tests/check_idt.c tests/unit.c tests/unit.h
tests_check_idt_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_catch tests/check_catch_vector tests/check_exitlog tests/check_idt

check_PROGRAMS += tests/kvm_catch
tests_kvm_catch_SOURCES = tests/kvm_catch.c $(kvm_harness)
tests_kvm_catch_LDADD = $(kvm_libs)
TESTS += tests/kvm_catch
endif
endif

# What tests share.  Each part's own unit tests stand in the part's fragment.
EXTRA_DIST += tests/unit.h

# The machine without KVM.
fake_machine = tests/fake_machine.c tests/fake_machine.h tests/fake_parts.h tests/fake_cpu.c tests/fake_memory.c \
	tests/fake_slots.c tests/fake_break.c tests/fake_devices.c tests/fake_kernel.c $(x86_desc)

# Tests know x86's registers, and its words in the monitor.  On other hosts they have them as objects of their own, which come before
# what the libraries there may have of these names.
if !ARCH_X86
x86_desc = src/arch/x86/desc.c src/arch/x86/regbits.c src/arch/x86/x86_regs.h
x86_walk = src/arch/x86/translate.c src/arch/x86/translate.h src/arch/x86/walk.h
x86_monitor = monitor/x86/arch.c monitor/x86/cmd_debugregs.c monitor/x86/cmd_msr.c monitor/x86/disas.c monitor/x86/parts.h \
	monitor/x86/stack.c
endif

# Everything speaks TAP.
TEST_EXTENSIONS = .sh .py
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_DRIVER = $(TAP_DRIVER)
PY_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = $(SHELL)
PY_LOG_COMPILER = $(PYTHON3)
AM_TESTS_ENVIRONMENT = \
	srcdir='$(srcdir)'; builddir='$(builddir)'; GDB='$(GDB)'; PYTHON3='$(PYTHON3)'; CC='$(CC)'; \
	GV_CFLAGS='$(CFLAGS)'; SANITIZE_FLAGS='$(SANITIZE_FLAGS)'; HARDEN_LDFLAGS='$(HARDEN_LDFLAGS)'; \
	PYTHONDONTWRITEBYTECODE=1; PYTHONUNBUFFERED=1; CK_DEFAULT_TIMEOUT=$${CK_DEFAULT_TIMEOUT-60}; \
	export CK_DEFAULT_TIMEOUT srcdir builddir GDB PYTHON3 CC GV_CFLAGS SANITIZE_FLAGS HARDEN_LDFLAGS PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED;

# What is of no architecture, built for others, and its tests there; what is needed for it is not in the default check.
EXTRA_DIST += tests/arch/sysroot.sh tests/arch/check.sh
.PHONY: check-arch
check-arch: all
	$(AM_V_at)srcdir='$(srcdir)' builddir='$(abs_builddir)' MAKE='$(MAKE)' $(SHELL) $(srcdir)/tests/arch/check.sh

# Fuzz targets, by clang's libFuzzer: "make fuzz"; see "Fuzz" in HACKING.md.  Nothing here is built otherwise: run.sh
# configures a build of its own with clang, in which "make fuzz-programs" builds them.
FUZZERS = session agent expr monitor elf multiboot linux decompress symbols walk dev_small dev_chipset dev_firmware dev_ide dev_virtio \
	insn assist kernel unpack
fuzz_targets = \
	fuzz/session fuzz/agent fuzz/expr fuzz/monitor fuzz/elf fuzz/multiboot fuzz/linux fuzz/decompress fuzz/symbols fuzz/walk \
	fuzz/dev_small fuzz/dev_chipset fuzz/dev_firmware fuzz/dev_ide fuzz/dev_virtio fuzz/insn fuzz/assist fuzz/kernel fuzz/unpack
EXTRA_PROGRAMS += $(fuzz_targets)
EXTRA_DIST += fuzz/run.sh fuzz/seeds.py fuzz/corpus

fuzz_common = fuzz/fuzz.c fuzz/fuzz.h tests/unit.h
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_core = libgvcore.a $(ELF_LIBS) $(UNPACK_LIBS)

fuzz_session_SOURCES = fuzz/session.c $(fuzz_common) tests/rsp_rig.c tests/rsp_rig.h $(fake_machine)
fuzz_session_LDFLAGS = $(fuzz_ldflags)
fuzz_session_LDADD = libgvstub.a libgvcore.a $(UV_LIBS)
fuzz_agent_SOURCES = fuzz/agent.c $(fuzz_common)
fuzz_agent_LDFLAGS = $(fuzz_ldflags)
fuzz_agent_LDADD = libgvstub.a libgvcore.a
fuzz_expr_SOURCES = fuzz/expr.c $(fuzz_common)
fuzz_expr_LDFLAGS = $(fuzz_ldflags)
fuzz_expr_LDADD = $(MONITOR_TEST_LIBS)
fuzz_monitor_SOURCES = fuzz/monitor.c $(fuzz_common) tests/monitor_rig.c tests/monitor_rig.h $(fake_machine)
fuzz_monitor_LDFLAGS = $(fuzz_ldflags) -Wl,--wrap=open
fuzz_monitor_LDADD = $(MONITOR_TEST_LIBS)

fuzz_loader = fuzz/loader.c fuzz/loader.h $(fuzz_common)
fuzz_elf_SOURCES = fuzz/elf.c $(fuzz_loader)
fuzz_elf_LDFLAGS = $(fuzz_ldflags)
fuzz_elf_LDADD = $(fuzz_core)
fuzz_multiboot_SOURCES = fuzz/multiboot.c $(fuzz_loader)
fuzz_multiboot_LDFLAGS = $(fuzz_ldflags)
fuzz_multiboot_LDADD = $(fuzz_core)
fuzz_linux_SOURCES = fuzz/linux.c $(fuzz_loader)
fuzz_linux_LDFLAGS = $(fuzz_ldflags)
fuzz_linux_LDADD = $(fuzz_core)
fuzz_decompress_SOURCES = fuzz/decompress.c $(fuzz_common)
fuzz_decompress_LDFLAGS = $(fuzz_ldflags)
fuzz_decompress_LDADD = $(fuzz_core)
fuzz_symbols_SOURCES = fuzz/symbols.c $(fuzz_common)
fuzz_symbols_LDFLAGS = $(fuzz_ldflags)
fuzz_symbols_LDADD = $(fuzz_core)
fuzz_walk_SOURCES = fuzz/walk.c $(fuzz_common)
fuzz_walk_LDFLAGS = $(fuzz_ldflags)
fuzz_walk_LDADD = libgvcore.a

fuzz_device = fuzz/device.c fuzz/device.h $(fuzz_common) tests/disk_env.c tests/disk_env.h tests/fake_pc.c tests/fake_pc.h
fuzz_dev_small_SOURCES = fuzz/dev_small.c $(fuzz_device)
fuzz_dev_small_LDFLAGS = $(fuzz_ldflags)
fuzz_dev_small_LDADD = libgvcore.a
fuzz_dev_chipset_SOURCES = fuzz/dev_chipset.c $(fuzz_device) tests/chipset_rig.c tests/chipset_rig.h
fuzz_dev_chipset_LDFLAGS = $(fuzz_ldflags)
fuzz_dev_chipset_LDADD = libgvcore.a
fuzz_dev_firmware_SOURCES = fuzz/dev_firmware.c $(fuzz_device)
fuzz_dev_firmware_LDFLAGS = $(fuzz_ldflags)
fuzz_dev_firmware_LDADD = libgvcore.a
fuzz_dev_ide_SOURCES = fuzz/dev_ide.c $(fuzz_device) tests/ide_rig.c tests/ide_rig.h
fuzz_dev_ide_LDFLAGS = $(fuzz_ldflags)
fuzz_dev_ide_LDADD = libgvcore.a
fuzz_dev_virtio_SOURCES = fuzz/dev_virtio.c $(fuzz_device) tests/virtio_rig.c tests/virtio_rig.h
fuzz_dev_virtio_LDFLAGS = $(fuzz_ldflags)
fuzz_dev_virtio_LDADD = libgvcore.a

fuzz_insn_SOURCES = fuzz/insn.c fuzz/cpu.c fuzz/cpu.h $(fuzz_common)
fuzz_insn_LDFLAGS = $(fuzz_ldflags)
fuzz_insn_LDADD = libgvcore.a $(ZYDIS_LIBS)
fuzz_assist_SOURCES = fuzz/assist.c fuzz/cpu.c fuzz/cpu.h $(fuzz_common) tests/insn_host.c tests/insn_host.h
fuzz_assist_LDFLAGS = $(fuzz_ldflags)
fuzz_assist_LDADD = libgvcore.a $(ZYDIS_LIBS)
fuzz_kernel_SOURCES = fuzz/kernel.c $(fuzz_common) tests/kernel_image.c tests/kernel_image.h
fuzz_kernel_LDFLAGS = $(fuzz_ldflags)
fuzz_kernel_LDADD = libgvcore.a
fuzz_unpack_SOURCES = fuzz/unpack.c $(fuzz_common)
fuzz_unpack_LDFLAGS = $(fuzz_ldflags)
fuzz_unpack_LDADD = libgvcore.a $(ZYDIS_LIBS)

.PHONY: fuzz fuzz-programs
fuzz-programs: $(fuzz_targets)
fuzz:
	$(AM_V_at)FUZZERS="$${FUZZERS-$(FUZZERS)}" MAKE='$(MAKE)' $(SHELL) $(srcdir)/fuzz/run.sh '$(abs_srcdir)' '$(abs_builddir)/fuzz-build'

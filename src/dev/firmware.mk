# Firmware: its image, what it is told, what it says.
libgvcore_a_SOURCES += src/dev/fw_cfg.h src/dev/fw_cfg.c src/dev/debugport.c src/load/bios.h src/load/bios.c

if HAVE_CHECK
check_PROGRAMS += tests/check_fw_cfg tests/check_fw_cfg_dma tests/check_bios
fw_cfg_rig = tests/fw_cfg_rig.c tests/fw_cfg_rig.h tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_fw_cfg_SOURCES = tests/check_fw_cfg.c $(fw_cfg_rig)
tests_check_fw_cfg_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_fw_cfg_dma_SOURCES = tests/check_fw_cfg_dma.c $(fw_cfg_rig)
tests_check_fw_cfg_dma_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_bios_SOURCES = tests/check_bios.c $(x86_load) tests/unit.c tests/unit.h
tests_check_bios_LDADD = libgvcore.a $(ELF_LIBS) $(UNPACK_LIBS) $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_fw_cfg tests/check_fw_cfg_dma tests/check_bios
endif

# The flash memory that keeps UEFI's variables.
libgvcore_a_SOURCES += src/dev/flash.h src/dev/flash.c src/dev/flash_file.h src/dev/flash_file.c

if HAVE_CHECK
check_PROGRAMS += tests/check_flash tests/check_flash_file
flash_rig = \
	tests/flash_rig.c tests/flash_rig.h tests/disk_env.c tests/disk_env.h tests/fake_pc.c tests/fake_pc.h tests/unit.c \
	tests/unit.h
tests_check_flash_SOURCES = tests/check_flash.c $(flash_rig)
tests_check_flash_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_flash_file_SOURCES = tests/check_flash_file.c $(flash_rig)
tests_check_flash_file_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_flash tests/check_flash_file
if ARCH_X86
check_PROGRAMS += tests/kvm_flash
tests_kvm_flash_SOURCES = tests/kvm_flash.c tests/disk_env.c tests/disk_env.h $(kvm_harness)
tests_kvm_flash_LDADD = $(kvm_libs)
TESTS += tests/kvm_flash
endif
endif

# Disk images and IDE.
libgvcore_a_SOURCES += \
	src/dev/disk.h src/dev/disk.c src/dev/ide.h src/dev/ide_priv.h src/dev/ide.c src/dev/ide_bm.c src/dev/ide_drive.c \
	src/dev/ide_state.c src/dev/ata.c src/dev/atapi.c

if HAVE_CHECK
GV_IDE_RIG = \
	tests/ide_rig.c tests/ide_rig.h tests/disk_env.c tests/disk_env.h tests/fake_pc.c tests/fake_pc.h tests/unit.c \
	tests/unit.h
GV_IDE_LIBS = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt

check_PROGRAMS += \
	tests/check_disk tests/check_ide tests/check_ide_channel tests/check_ide_dma tests/check_ide_state tests/check_atapi
tests_check_disk_SOURCES = tests/check_disk.c tests/disk_env.c tests/disk_env.h tests/unit.c tests/unit.h
tests_check_disk_LDADD = $(GV_IDE_LIBS)
tests_check_ide_SOURCES = tests/check_ide.c $(GV_IDE_RIG)
tests_check_ide_LDADD = $(GV_IDE_LIBS)
tests_check_ide_dma_SOURCES = tests/check_ide_dma.c $(GV_IDE_RIG)
tests_check_ide_dma_LDADD = $(GV_IDE_LIBS)
tests_check_atapi_SOURCES = tests/check_atapi.c $(GV_IDE_RIG)
tests_check_atapi_LDADD = $(GV_IDE_LIBS)
tests_check_ide_channel_SOURCES = tests/check_ide_channel.c $(GV_IDE_RIG)
tests_check_ide_channel_LDADD = $(GV_IDE_LIBS)
tests_check_ide_state_SOURCES = tests/check_ide_state.c tests/ide_fuzz.c tests/ide_fuzz.h $(GV_IDE_RIG)
tests_check_ide_state_LDADD = $(GV_IDE_LIBS)
TESTS += \
	tests/check_disk tests/check_ide tests/check_ide_channel tests/check_ide_dma tests/check_ide_state tests/check_atapi
endif

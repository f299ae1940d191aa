# Virtio devices.
libgvcore_a_SOURCES += \
	src/dev/virtio.h src/dev/virtio_priv.h src/dev/virtqueue.h src/dev/virtqueue.c src/dev/virtio.c src/dev/virtio_pci.c \
	src/dev/virtio_msix.c src/dev/virtio_state.c src/dev/virtio_blk.c src/dev/virtio_rng.c src/dev/virtio_console.c

if HAVE_CHECK
GV_VIRTIO_RIG = \
	tests/virtio_rig.c tests/virtio_rig.h tests/disk_env.c tests/disk_env.h tests/fake_pc.c tests/fake_pc.h tests/unit.c \
	tests/unit.h

check_PROGRAMS += \
	tests/check_virtio tests/check_virtio_wrong tests/check_virtio_blk tests/check_virtio_console tests/check_virtio_state
tests_check_virtio_SOURCES = tests/check_virtio.c $(GV_VIRTIO_RIG)
tests_check_virtio_LDADD = $(GV_IDE_LIBS)
tests_check_virtio_wrong_SOURCES = tests/check_virtio_wrong.c $(GV_VIRTIO_RIG)
tests_check_virtio_wrong_LDADD = $(GV_IDE_LIBS)
tests_check_virtio_blk_SOURCES = tests/check_virtio_blk.c $(GV_VIRTIO_RIG)
tests_check_virtio_blk_LDADD = $(GV_IDE_LIBS)
tests_check_virtio_console_SOURCES = tests/check_virtio_console.c $(GV_VIRTIO_RIG)
tests_check_virtio_console_LDADD = $(GV_IDE_LIBS)
tests_check_virtio_state_SOURCES = tests/check_virtio_state.c $(GV_VIRTIO_RIG)
tests_check_virtio_state_LDADD = $(GV_IDE_LIBS)
TESTS += \
	tests/check_virtio tests/check_virtio_wrong tests/check_virtio_blk tests/check_virtio_console tests/check_virtio_state
endif

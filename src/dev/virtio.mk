# Virtio devices.
libgvcore_a_SOURCES += \
	src/dev/virtio.h src/dev/virtio_priv.h src/dev/virtqueue.h src/dev/virtqueue.c src/dev/virtio.c src/dev/virtio_pci.c \
	src/dev/virtio_msix.c src/dev/virtio_state.c src/dev/virtio_blk.c src/dev/virtio_rng.c src/dev/virtio_console.c

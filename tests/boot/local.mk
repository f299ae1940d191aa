# The PC with real firmware and boot loaders; what is not installed of them skips its session, and says so.
BOOT_GUESTS = \
	tests/boot/sector.bin tests/boot/sector.elf tests/boot/again.bin tests/boot/stack.bin
check_DATA += $(BOOT_GUESTS)
CLEANFILES += $(BOOT_GUESTS)

BOOT_TESTS = \
	tests/boot/loops.py tests/boot/disks.py tests/boot/seabios.py tests/boot/grub.py tests/boot/isolinux.py \
	tests/boot/memtest.py tests/boot/ipxe.py tests/boot/uboot.py
TESTS += $(BOOT_TESTS)
EXTRA_DIST += $(BOOT_TESTS) tests/boot/boot.py tests/boot/images.py tests/boot/sector.S tests/boot/again.S \
	tests/boot/stack.S

# The PC with real firmware and boot loaders; what is not installed of them skips its session, and says so.
BOOT_GUESTS = \
	tests/boot/sector.bin tests/boot/sector.elf tests/boot/again.bin tests/boot/stack.bin \
	tests/boot/uefi_app.elf tests/boot/uefi_app.efi tests/boot/uefi_app.img
check_DATA += $(BOOT_GUESTS)
CLEANFILES += $(BOOT_GUESTS)

BOOT_TESTS = \
	tests/boot/loops.py tests/boot/disks.py tests/boot/seabios.py tests/boot/grub.py tests/boot/isolinux.py \
	tests/boot/memtest.py tests/boot/ipxe.py tests/boot/uboot.py tests/boot/ovmf.py
TESTS += $(BOOT_TESTS)
EXTRA_DIST += $(BOOT_TESTS) tests/boot/boot.py tests/boot/images.py tests/boot/sector.S tests/boot/again.S \
	tests/boot/stack.S

# A UEFI application: linked as ELF, which has its symbols; PE is made of that, and its bytes as they are in memory.
EXTRA_DIST += tests/boot/uefi_app.c tests/boot/uefi_app.ld
tests/boot/uefi_app.elf: $(srcdir)/tests/boot/uefi_app.c $(srcdir)/tests/boot/uefi_app.ld
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(CC) $(GUEST_CFLAGS) -fpie -ffunction-sections -Wl,-T,$(srcdir)/tests/boot/uefi_app.ld -o $@ \
		$(srcdir)/tests/boot/uefi_app.c
UEFI_PARTS = -j .text -j .data -j .reloc
tests/boot/uefi_app.efi: tests/boot/uefi_app.elf
	$(AM_V_GEN)objcopy $(UEFI_PARTS) -I elf64-x86-64 -O pei-x86-64 --subsystem=10 tests/boot/uefi_app.elf $@
tests/boot/uefi_app.img: tests/boot/uefi_app.elf
	$(AM_V_GEN)objcopy $(UEFI_PARTS) -O binary tests/boot/uefi_app.elf $@

# OVMF to its shell, four times: an hour where KVM emulates kernel code, a few minutes where it does not.
.PHONY: check-uefi
check-uefi: all $(check_DATA)
	GV_UEFI=1 $(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS=tests/boot/ovmf.py

# Example guests, the built-in one among them, and the sessions that go with them (run by tests/examples.py).
GUEST_CFLAGS = -ffreestanding -nostdlib -static -fno-pic -no-pie -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -mgeneral-regs-only -mno-red-zone -g -O1 -fno-omit-frame-pointer \
	-Wall -Wextra -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096
GUEST_FLAT = -m32 -Wl,--nmagic -Wl,-Ttext=0x7c00 -Wl,-e,start
GUEST_KERNEL = -Wl,-T,$(srcdir)/examples/kernel.ld

EXAMPLE_GUESTS = \
	examples/boot.bin examples/boot.elf examples/hello64.elf examples/smp4.elf examples/mbhello.elf \
	examples/mb2hello.elf examples/high32.elf examples/high64.elf \
	examples/slots64.elf
EXAMPLE_SESSIONS = \
	examples/boot.gv examples/boot.gdb examples/hello64.gv examples/hello64.gdb examples/smp4.gv \
	examples/smp4.gdb examples/mbhello.gv examples/mbhello.gdb examples/mb2hello.gv examples/mb2hello.gdb \
	examples/high32.gv examples/high32.gdb examples/high64.gv examples/high64.gdb examples/linux.gv examples/linux.gdb \
	examples/slots64.gv
EXTRA_DIST += \
	$(EXAMPLE_SESSIONS) examples/guest.h examples/kernel.ld examples/demo_image.h examples/boot.S \
	examples/hello64.S examples/hello64.c examples/smp4.S examples/smp4.c examples/mbhello.S examples/mbhello.c \
	examples/mb2hello.S examples/mb2hello.c examples/high32.S examples/high64.S examples/high.c examples/high.ld examples/slots64.c
noinst_DATA = $(EXAMPLE_GUESTS)
CLEANFILES += $(EXAMPLE_GUESTS) demo_image.c

# A flat real-mode image for 0x7c00, and the same as ELF for a debugger's symbols.
.S.bin:
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(CC) $(GUEST_CFLAGS) $(GUEST_FLAT) -Wl,--oformat=binary -o $@ $<
.S.elf:
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(CC) $(GUEST_CFLAGS) $(GUEST_FLAT) -o $@ $<

GUEST_LINK = $(MKDIR_P) $(@D) && $(CC) $(GUEST_CFLAGS) $(GUEST_KERNEL) -o $@
GUEST_LINK_HIGH = $(MKDIR_P) $(@D) && $(CC) $(GUEST_CFLAGS) -Wl,-T,$(srcdir)/examples/high.ld -o $@
example_parts = $(srcdir)/examples/guest.h $(srcdir)/examples/kernel.ld
hello64_parts = $(srcdir)/examples/hello64.S $(srcdir)/examples/hello64.c
smp4_parts = $(srcdir)/examples/smp4.S $(srcdir)/examples/smp4.c
slots64_parts = $(srcdir)/examples/hello64.S $(srcdir)/examples/slots64.c
mbhello_parts = $(srcdir)/examples/mbhello.S $(srcdir)/examples/mbhello.c
mb2hello_parts = $(srcdir)/examples/mb2hello.S $(srcdir)/examples/mb2hello.c
high32_parts = $(srcdir)/examples/high32.S $(srcdir)/examples/high.c
high64_parts = $(srcdir)/examples/high64.S $(srcdir)/examples/high.c

examples/hello64.elf: $(hello64_parts) $(example_parts)
	$(AM_V_GEN)$(GUEST_LINK) -m64 $(hello64_parts)
examples/slots64.elf: $(slots64_parts) $(example_parts)
	$(AM_V_GEN)$(GUEST_LINK) -m64 $(slots64_parts)
examples/smp4.elf: $(smp4_parts) $(example_parts)
	$(AM_V_GEN)$(GUEST_LINK) -m64 $(smp4_parts)
examples/mbhello.elf: $(mbhello_parts) $(example_parts)
	$(AM_V_GEN)$(GUEST_LINK) -m32 $(mbhello_parts)
examples/mb2hello.elf: $(mb2hello_parts) $(example_parts)
	$(AM_V_GEN)$(GUEST_LINK) -m32 $(mb2hello_parts)
examples/high32.elf: $(high32_parts) $(srcdir)/examples/guest.h $(srcdir)/examples/high.ld
	$(AM_V_GEN)$(GUEST_LINK_HIGH) -Wl,--defsym=HIGH=0xc0000000 -m32 $(high32_parts)
examples/high64.elf: $(high64_parts) $(srcdir)/examples/guest.h $(srcdir)/examples/high.ld
	$(AM_V_GEN)$(GUEST_LINK_HIGH) -Wl,--defsym=HIGH=0xffffffff80000000 -m64 -mcmodel=kernel $(high64_parts)

demo_image.c: examples/hello64.elf
	$(AM_V_GEN){ echo '#include "examples/demo_image.h"' && echo 'const unsigned char demo_image[] = {' && \
		od -An -v -tx1 examples/hello64.elf | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g' && echo '};' && \
		echo 'const size_t demo_image_size = sizeof(demo_image);'; } >$@.tmp && mv $@.tmp $@

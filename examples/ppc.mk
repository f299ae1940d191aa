# The built-in guest where the host is a PowerPC.
EXTRA_DIST += examples/ppc/hello.S examples/demo_image.h
CLEANFILES += examples/ppc/hello.elf demo_image.c

PPC_GUEST_FLAGS = -ffreestanding -nostdlib -static -no-pie -mlittle-endian -Wl,--build-id=none -Wl,--nmagic \
	-Wl,-z,noexecstack -Wl,-Ttext=0x4000 -Wl,-e,start
examples/ppc/hello.elf: $(srcdir)/examples/ppc/hello.S
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(CC) $(PPC_GUEST_FLAGS) -o $@ $(srcdir)/examples/ppc/hello.S

demo_image.c: examples/ppc/hello.elf
	$(AM_V_GEN){ echo '#include "examples/demo_image.h"' && echo 'const unsigned char demo_image[] = {' && \
		od -An -v -tx1 examples/ppc/hello.elf | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g' && echo '};' && \
		echo 'const size_t demo_image_size = sizeof(demo_image);'; } >$@.tmp && mv $@.tmp $@

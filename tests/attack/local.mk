# Guests that attack: one storm of each kind in the default check, several by `make check-attack`.
ATTACK_TESTS = tests/attack/storms.py tests/attack/walks.py
ATTACK_GUEST = tests/attack/hostile.elf tests/attack/hostile.rom
check_DATA += $(ATTACK_GUEST)
CLEANFILES += $(ATTACK_GUEST)
TESTS += $(ATTACK_TESTS)
hostile_sources = $(srcdir)/tests/attack/hostile.S $(srcdir)/tests/attack/hostile.c $(srcdir)/tests/attack/hostile_dev.c \
	$(srcdir)/tests/attack/hostile_cpu.c
EXTRA_DIST += $(ATTACK_TESTS) tests/attack/hostile.S tests/attack/hostile.c tests/attack/hostile_dev.c tests/attack/hostile_cpu.c \
	tests/attack/hostile.h tests/attack/hostile.ld
tests/attack/hostile.elf: $(hostile_sources) $(srcdir)/tests/attack/hostile.h $(srcdir)/tests/attack/hostile.ld
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(CC) $(GUEST_CFLAGS) -m64 -Wl,-T,$(srcdir)/tests/attack/hostile.ld -o $@ $(hostile_sources)
tests/attack/hostile.rom: tests/attack/hostile.elf
	$(AM_V_GEN)objcopy -O binary -j .payload -j .ap -j .entry tests/attack/hostile.elf $@

.PHONY: check-attack
check-attack: all $(ATTACK_GUEST)
	GV_STORMS="$${GV_STORMS:-4}" $(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(ATTACK_TESTS)'

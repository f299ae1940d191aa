# PCI and the chipset.
libgvcore_a_SOURCES += \
	src/dev/pci.h src/dev/pci.c src/dev/chipset.h src/dev/i440fx.c src/dev/piix3.c src/dev/piix4_pm.c

if HAVE_CHECK
check_PROGRAMS += tests/check_pci tests/check_pci_bars tests/check_chipset tests/check_pm tests/check_pc
pci_rig = tests/pci_rig.c tests/pci_rig.h tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_pci_SOURCES = tests/check_pci.c $(pci_rig)
tests_check_pci_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_pci_bars_SOURCES = tests/check_pci_bars.c $(pci_rig)
tests_check_pci_bars_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
chipset_rig = tests/chipset_rig.c tests/chipset_rig.h tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_chipset_SOURCES = tests/check_chipset.c $(chipset_rig)
tests_check_chipset_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_pm_SOURCES = tests/check_pm.c $(chipset_rig)
tests_check_pm_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_pc_SOURCES = tests/check_pc.c tests/fake_pc.c tests/fake_pc.h tests/unit.c tests/unit.h
tests_check_pc_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_pci tests/check_pci_bars tests/check_chipset tests/check_pm tests/check_pc
endif

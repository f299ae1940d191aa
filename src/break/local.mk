libgvcore_a_SOURCES += src/break/break.c src/break/site.c src/break/break.h src/break/break_priv.h \
	src/break/watch.c src/break/watch.h \
	src/util/htab.c src/util/htab.h src/util/spare.c src/util/spare.h src/util/clock.h src/util/icache.h src/util/fdwait.h src/util/le.h 

if HAVE_CHECK
check_PROGRAMS += tests/check_break tests/check_break_site tests/check_watch tests/check_htab tests/check_spare
break_rig = tests/break_rig.c tests/break_rig.h tests/unit.c tests/unit.h
tests_check_break_SOURCES = tests/check_break.c $(break_rig)
tests_check_break_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_break_site_SOURCES = tests/check_break_site.c $(break_rig)
tests_check_break_site_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_watch_SOURCES = tests/check_watch.c tests/unit.c tests/unit.h
tests_check_watch_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_htab_SOURCES = tests/check_htab.c tests/unit.c tests/unit.h
tests_check_htab_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
tests_check_spare_SOURCES = tests/check_spare.c tests/unit.c tests/unit.h
tests_check_spare_LDADD = libgvcore.a $(GV_CHECK_LIBS) $(SUBUNIT_LIBS) -lm -lrt
TESTS += tests/check_break tests/check_break_site tests/check_watch tests/check_htab tests/check_spare
endif

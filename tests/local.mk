# What tests share.  Each part's own unit tests stand in the part's fragment.
EXTRA_DIST += tests/unit.h

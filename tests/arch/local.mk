# The parts that are of no architecture, built for others, and their tests there.
EXTRA_DIST += tests/arch/sysroot.sh

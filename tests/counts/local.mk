# What operations cost in counts, against tests/counts/bounds.
TEST_GUESTS += tests/counts/loop.bin tests/counts/loop.elf
TESTS += tests/counts/syscalls.py
EXTRA_DIST += tests/counts/bounds tests/counts/gate.py tests/counts/loop.S tests/counts/syscalls.py

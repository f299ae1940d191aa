/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A UEFI application: counts in a variable how often it was started, and does a little that can be debugged.  What it uses of
 * UEFI 2.7 (chapters 4, 7, 8 and 12) is written down here, with only the members that are called by name.
 */
#include <stdint.h>

typedef uint16_t char16;
typedef uint64_t status;

struct guid {
	uint32_t a;
	uint16_t b, c;
	uint8_t d[8];
};

#define NON_VOLATILE    1u
#define BOOT_SERVICE    2u

struct text_output {
	void *reset;
	status (__attribute__((ms_abi)) *output)(struct text_output *self, const char16 *text);
};

struct runtime_services {
	uint8_t header[24];
	void *time[4], *virtual[2];
	status (__attribute__((ms_abi)) *get_variable)(const char16 *name, const struct guid *vendor, uint32_t *attributes,
						       uint64_t *size, void *data);
	void *get_next_variable;
	status (__attribute__((ms_abi)) *set_variable)(const char16 *name, const struct guid *vendor, uint32_t attributes,
						       uint64_t size, const void *data);
};

struct system_table {
	uint8_t header[24];
	const char16 *vendor;
	uint64_t revision;
	void *in_handle, *in, *out_handle;
	struct text_output *out;
	void *error_handle, *error;
	struct runtime_services *runtime;
};

static const struct guid vendor = { 0x6776b0d1, 0x5d1c, 0x4f0e, { 0x9a, 0x11, 0x67, 0x64, 0x62, 0x76, 0x69, 0x73 } };

static struct system_table *system;
volatile uint64_t squares;

static void say(const char16 *text)
{
	system->out->output(system->out, text);
}

static void say_number(uint64_t n)
{
	char16 text[21];
	unsigned at = 20;

	text[at] = 0;
	do
		text[--at] = (char16)('0' + n % 10);
	while (n /= 10);
	say(text + at);
}

/* 1 + 4 + 9 + ... */
__attribute__((noinline)) static uint64_t sum_squares(unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 1; i <= n; i++)
		sum += (uint64_t)i * i;
	return sum;
}

/* How often it was started, this time as well. */
__attribute__((noinline)) static uint64_t count_starts(void)
{
	uint64_t count = 0, size = sizeof(count);

	system->runtime->get_variable(u"GvStarts", &vendor, 0, &size, &count);
	count++;
	if (system->runtime->set_variable(u"GvStarts", &vendor, NON_VOLATILE | BOOT_SERVICE, sizeof(count), &count))
		say(u"the variable cannot be set\r\n");
	return count;
}

__attribute__((ms_abi)) status app_main(void *image, struct system_table *table)
{
	(void)image;
	system = table;
	squares = sum_squares(10);
	say(u"application here: start ");
	say_number(count_starts());
	say(u", squares ");
	say_number(squares);
	say(u"\r\n");
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "opt_values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/machine.h"
#include "util/num.h"

#define MIB             (1ull << 20)
#define PAGE            4096u

#define KIND_BIOS       (-1)    /* among the kinds: the image is no image, but the firmware */

struct word {
	const char *text;
	int value;
};

static const struct word kinds[] = {
	{ "auto", IMAGE_AUTO },
	{ "flat", IMAGE_FLAT },
	{ "elf", IMAGE_ELF },
	{ "multiboot", IMAGE_MULTIBOOT },
	{ "linux", IMAGE_LINUX },
	{ "bios", KIND_BIOS },
	{ 0 },
};

static const struct word modes[] = {
	{ "real", BOOT_REAL },
	{ "protected", BOOT_PROTECTED },
	{ "long", BOOT_LONG },
	{ 0 },
};

static const struct word kaslrs[] = {
	{ "off", KASLR_OFF },
	{ "on", KASLR_ON },
	{ 0 },
};

static const struct word dirty_logs[] = {
	{ "bitmap", false },
	{ "ring", true },
	{ 0 },
};

static const struct word unclaimeds[] = {
	{ "ignore", false },
	{ "stop", true },
	{ 0 },
};

static const struct word sandboxes[] = {
	{ "on", SANDBOX_ON },
	{ "off", SANDBOX_OFF },
	{ 0 },
};

static const struct word irqchips[] = {
	{ "kvm", false },
	{ "user", true },
	{ 0 },
};

static const struct word consoles[] = {
	{ "com1", false },
	{ "virtio", true },
	{ 0 },
};

static int no_memory(struct err *err)
{
	return err_set(err, ENOMEM, "no memory");
}

int opt_set_text(char **dst, const char *text, struct err *err)
{
	char *copy = strdup(text);

	if (!copy)
		return no_memory(err);
	free(*dst);
	*dst = copy;
	return 0;
}

/* ARRAY of N elements of SIZE bytes, moved, with a zeroed one more at its end; NULL without memory. */
static void *grow(void *array, size_t n, size_t size)
{
	char *p = reallocarray(array, n + 1, size);

	if (p)
		memset(p + n * size, 0, size);
	return p;
}

static int find_word(const struct word *w, const char *arg, int *ret, struct err *err)
{
	char list[80];
	size_t at = 0;

	for (; w->text; w++) {
		if (strcmp(w->text, arg) == 0) {
			*ret = w->value;
			return 0;
		}
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", at ? ", " : "", w->text);
	}
	return err_set(err, EINVAL, "not one of %s", list);
}

int opt_parse_kind(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(kinds, arg, &value, err);

	if (r == 0) {
		o->image_is_bios = value == KIND_BIOS;
		o->kind = o->image_is_bios ? IMAGE_AUTO : (enum image_kind)value;
	}
	return r;
}

int opt_parse_mode(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(modes, arg, &value, err);

	if (r == 0) {
		o->mode = (enum boot_mode)value;
		o->has_mode = true;
	}
	return r;
}

static int parse_gpa(const char *arg, uint64_t *ret, bool *ret_has, struct err *err)
{
	if (num_parse(arg, strlen(arg), ret) < 0)
		return err_set(err, EINVAL, "not an address (try 0x7c00)");
	*ret_has = true;
	return 0;
}

int opt_parse_load(struct options *o, const char *arg, struct err *err)
{
	return parse_gpa(arg, &o->load, &o->has_load, err);
}

int opt_parse_entry(struct options *o, const char *arg, struct err *err)
{
	uint64_t entry = 0;
	bool pvh = !strcmp(arg, "pvh");
	int r = pvh ? 0 : parse_gpa(arg, &entry, &o->has_entry, err);

	if (r)
		return r;
	o->entry = entry;
	o->entry_pvh = pvh;
	o->has_entry = true;
	return 0;
}

int opt_parse_kaslr(struct options *o, const char *arg, struct err *err)
{
	size_t i;

	for (i = 0; kaslrs[i].text; i++)
		if (!strcmp(kaslrs[i].text, arg)) {
			o->kaslr = (enum kaslr)kaslrs[i].value;
			return 0;
		}
	if (num_parse(arg, strlen(arg), &o->slide))
		return err_set(err, EINVAL, "neither off nor on, nor how far to move the kernel (try 0x1000000 or 16M)");
	o->kaslr = KASLR_SLIDE;
	return 0;
}

int opt_parse_memory(struct options *o, const char *arg, struct err *err)
{
	size_t len = strlen(arg);
	uint64_t size;
	int r = num_parse(arg, len, &size);

	/* A bare number counts MiB, as other VMMs have it. */
	if (r == 0 && !num_has_suffix(arg, len) && __builtin_mul_overflow(size, MIB, &size))
		r = -ERANGE;
	if (r == -ERANGE)
		return err_set(err, EINVAL, "too large");
	if (r < 0)
		return err_set(err, EINVAL, "not a size (try 128M)");
	if (size < MIB)
		return err_set(err, EINVAL, "a guest needs 1M at least");
	if (size % PAGE)
		return err_set(err, EINVAL, "not a multiple of the page size, 4K");
	o->memory = size;
	return 0;
}

int opt_parse_cpus(struct options *o, const char *arg, struct err *err)
{
	uint64_t n;

	if (num_parse(arg, strlen(arg), &n) < 0 || n < 1 || n > MACHINE_CPUS_MAX)
		return err_set(err, EINVAL, "not a number of vCPUs (1 to %d)", MACHINE_CPUS_MAX);
	o->cpus = (unsigned)n;
	return 0;
}

/* A decimal number of a host CPU at *S, which it moves behind it. */
static int take_host_cpu(const char **s, unsigned *ret, struct err *err)
{
	unsigned value = 0, digits = 0;

	for (; **s >= '0' && **s <= '9'; ++*s, digits++) {
		value = value * 10 + (unsigned)(**s - '0');
		if (value > OPTION_HOST_CPU_MAX)
			return err_set(err, EINVAL, "host CPUs are numbered 0 to %u at most", OPTION_HOST_CPU_MAX);
	}
	if (!digits)
		return err_set(err, EINVAL, "not a list of host CPUs (try 0-1,3)");
	*ret = value;
	return 0;
}

int opt_parse_affinity(struct options *o, const char *arg, struct err *err)
{
	unsigned list[OPTION_AFFINITY_MAX], *copy, first, last;
	size_t n = 0;
	int r;

	do {
		r = take_host_cpu(&arg, &first, err);
		last = first;
		if (!r && *arg == '-') {
			arg++;
			r = take_host_cpu(&arg, &last, err);
		}
		if (r)
			return r;
		if (last < first)
			return err_set(err, EINVAL, "%u-%u is no range", first, last);
		if (last - first >= OPTION_AFFINITY_MAX - n)
			return err_set(err, EINVAL, "more than %u host CPUs", OPTION_AFFINITY_MAX);
		while (first <= last)
			list[n++] = first++;
	} while (*arg == ',' && *++arg);
	/* A comma at the end is one too many. */
	if (*arg || arg[-1] == ',')
		return err_set(err, EINVAL, "not a list of host CPUs (try 0-1,3)");
	copy = reallocarray(NULL, n, sizeof(*copy));
	if (!copy)
		return no_memory(err);
	memcpy(copy, list, n * sizeof(*copy));
	free(o->affinity);
	o->affinity = copy;
	o->naffinity = n;
	return 0;
}

int opt_parse_dirty_log(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(dirty_logs, arg, &value, err);

	if (r == 0)
		o->dirty_ring = value;
	return r;
}

int opt_parse_tdesc(struct options *o, const char *arg, struct err *err)
{
	struct word words[ARCH_CHOICES_MAX + 1] = { 0 };
	int value, r;

	for (unsigned i = 0; i < arch_desc.nchoices; i++)
		words[i] = (struct word){ arch_desc.choices[i].name, (int)i };
	r = find_word(words, arg, &value, err);
	if (r == 0)
		o->tdesc = (unsigned)value;
	return r;
}

int opt_parse_append(struct options *o, const char *arg, struct err *err)
{
	return opt_set_text(&o->append, arg, err);
}

int opt_parse_initrd(struct options *o, const char *arg, struct err *err)
{
	const char *space = strchrnul(arg, ' ');
	struct option_module *m;

	if (space == arg)
		return err_set(err, EINVAL, "no file is named");
	m = grow(o->modules, o->nmodules, sizeof(*m));
	if (!m)
		return no_memory(err);
	o->modules = m;
	m += o->nmodules++;
	m->path = strndup(arg, (size_t)(space - arg));
	space += strspn(space, " ");
	if (*space)
		m->args = strdup(space);
	return m->path && (m->args || !*space) ? 0 : no_memory(err);
}

/* Takes WORD off the end of TEXT, of *LEN bytes; once, so that a file whose own name ends like that can still be named. */
static void take_suffix(const char *text, size_t *len, const char *word, bool *flag)
{
	size_t n = strlen(word);

	if (*flag || *len < n || memcmp(text + *len - n, word, n) != 0)
		return;
	*len -= n;
	*flag = true;
}

static unsigned count_disks(const struct options *o, bool virtio)
{
	unsigned n = 0;

	for (size_t i = 0; i < o->ndisks; i++)
		n += o->disks[i].virtio == virtio;
	return n;
}

static int add_disk(struct options *o, const char *path, size_t len, const struct option_disk *how, struct err *err)
{
	struct option_disk *d;

	if (!len)
		return err_set(err, EINVAL, "no file is named");
	if (how->virtio && count_disks(o, true) == OPTION_VIRTIO_MAX)
		return err_set(err, EINVAL, "more than %u virtio disks", OPTION_VIRTIO_MAX);
	if (!how->virtio && count_disks(o, false) == OPTION_DISKS_MAX)
		return err_set(err, EINVAL, "more than %u disks and CDs", OPTION_DISKS_MAX);
	d = grow(o->disks, o->ndisks, sizeof(*d));
	if (!d)
		return no_memory(err);
	o->disks = d;
	d += o->ndisks++;
	*d = *how;
	d->path = strndup(path, len);
	return d->path ? 0 : no_memory(err);
}

int opt_parse_disk(struct options *o, const char *arg, struct err *err)
{
	struct option_disk how = { 0 };
	size_t len = strlen(arg), before;

	do {
		before = len;
		take_suffix(arg, &len, ",ro", &how.readonly);
		take_suffix(arg, &len, ",snapshot", &how.snapshot);
		take_suffix(arg, &len, ",virtio", &how.virtio);
	} while (len != before);
	return add_disk(o, arg, len, &how, err);
}

int opt_parse_cdrom(struct options *o, const char *arg, struct err *err)
{
	static const struct option_disk how = { .readonly = true, .cdrom = true };

	return add_disk(o, arg, strlen(arg), &how, err);
}

static int set_file(char **dst, const char *arg, struct err *err)
{
	if (!*arg)
		return err_set(err, EINVAL, "no file is named");
	return opt_set_text(dst, arg, err);
}

int opt_parse_bios(struct options *o, const char *arg, struct err *err)
{
	return set_file(&o->bios, arg, err);
}

int opt_parse_nvram(struct options *o, const char *arg, struct err *err)
{
	bool snapshot = false;
	size_t len = strlen(arg);
	char *path;

	take_suffix(arg, &len, ",snapshot", &snapshot);
	if (!len)
		return err_set(err, EINVAL, "no file is named");
	path = strndup(arg, len);
	if (!path)
		return no_memory(err);
	free(o->nvram.path);
	o->nvram = (struct option_disk){ .path = path, .snapshot = snapshot };
	return 0;
}

int opt_parse_vga_bios(struct options *o, const char *arg, struct err *err)
{
	return set_file(&o->vga_bios, arg, err);
}

int opt_parse_symbols(struct options *o, const char *arg, struct err *err)
{
	return set_file(&o->symbols, arg, err);
}

int opt_parse_unclaimed(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(unclaimeds, arg, &value, err);

	if (r == 0)
		o->stop_unclaimed = value;
	return r;
}

int opt_parse_irqchip(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(irqchips, arg, &value, err);

	if (r == 0)
		o->user_irqchip = value;
	return r;
}

int opt_parse_console(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(consoles, arg, &value, err);

	if (r == 0)
		o->virtio_console = value;
	return r;
}

int opt_parse_gdb(struct options *o, const char *arg, struct err *err)
{
	struct addr *a = grow(o->gdb, o->ngdb, sizeof(*a));
	int r;

	if (!a)
		return no_memory(err);
	o->gdb = a;
	r = addr_parse(arg, ADDR_FOR_GDB, a + o->ngdb, err);
	if (r == 0)
		o->ngdb++;
	return r;
}

int opt_parse_log_packets(struct options *o, const char *arg, struct err *err)
{
	return set_file(&o->log_packets, arg, err);
}

int opt_parse_monitor(struct options *o, const char *arg, struct err *err)
{
	struct addr a;
	int r = addr_parse(arg, ADDR_FOR_MONITOR, &a, err);

	if (r < 0)
		return r;
	addr_done(&o->monitor);
	o->monitor = a;
	o->has_monitor = true;
	return 0;
}

static int add_script(struct options *o, bool is_file, const char *arg, struct err *err)
{
	struct option_script *s;

	if (!*arg)
		return err_set(err, EINVAL, is_file ? "no file is named" : "no command is given");
	s = grow(o->scripts, o->nscripts, sizeof(*s));
	if (!s)
		return no_memory(err);
	o->scripts = s;
	s += o->nscripts++;
	s->is_file = is_file;
	return opt_set_text(&s->text, arg, err);
}

int opt_parse_script(struct options *o, const char *arg, struct err *err)
{
	return add_script(o, true, arg, err);
}

int opt_parse_execute(struct options *o, const char *arg, struct err *err)
{
	return add_script(o, false, arg, err);
}

int opt_parse_serial(struct options *o, const char *arg, struct err *err)
{
	struct addr a;
	int r = addr_parse(arg, ADDR_FOR_SERIAL, &a, err);

	if (r < 0)
		return r;
	addr_done(&a);
	return opt_set_text(&o->serial, arg, err);
}

int opt_parse_sandbox(struct options *o, const char *arg, struct err *err)
{
	int value, r = find_word(sandboxes, arg, &value, err);

	if (r == 0)
		o->sandbox = (enum sandbox_choice)value;
	return r;
}

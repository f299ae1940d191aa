/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Symbols: which file they are of, and how far the program runs from where they say. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/kernel_view.h"
#include "kvm/machine_priv.h"

int op_sym_find(struct machine *m, const char *name, size_t len, uint64_t *ret_addr)
{
	struct machine_kvm *k = machine_priv(m);
	int r = symbols_find(k->symbols, name, len, ret_addr);

	return r && k->kernel ? kernel_view_module_find(k->kernel, name, len, ret_addr) : r;
}

const char *op_sym_at(struct machine *m, uint64_t addr, uint64_t *ret_offset)
{
	struct machine_kvm *k = machine_priv(m);
	const char *name = symbols_at(k->symbols, addr, ret_offset);

	return name || !k->kernel ? name : kernel_view_module_at(k->kernel, addr, ret_offset);
}

const char *op_sym_next(struct machine *m, size_t index)
{
	return symbols_name(machine_priv(m)->symbols, index);
}

int op_sym_line(struct machine *m, uint64_t gva, struct source_line *ret)
{
	return symbols_line(machine_priv(m)->symbols, gva, ret);
}

int op_sym_places(struct machine *m, const char *file, size_t len, unsigned *line, uint64_t *ret, size_t max,
		  struct err *err)
{
	return symbols_places(machine_priv(m)->symbols, file, len, line, ret, max, err);
}

uint64_t op_sym_slide(struct machine *m, const uint64_t *value)
{
	struct machine_kvm *k = machine_priv(m);

	if (value)
		k->slide = *value;
	symbols_move(k->symbols, k->slide);
	return k->slide;
}

/* Takes S and NAME, which may be NULL: nothing is offered then.  Data is the bytes that S is of. */
static void use(struct machine_kvm *k, struct symbols *s, char *name, const uint8_t *data, size_t size)
{
	struct machine_info *info = &k->info;

	symbols_free(k->symbols);
	free(k->exec_file);
	k->symbols = s;
	k->exec_file = name;
	symbols_move(s, k->slide);
	info->exec_file = name;
	info->exec_data = name ? data : NULL;
	info->exec_size = name ? size : 0;
	info->exec_lines = symbols_dwarf(s);
	for (info->exec_segments = 0; info->exec_segments < 2; info->exec_segments++)
		if (!symbols_segment(s, info->exec_segments, &info->exec_segment[info->exec_segments]))
			break;
	/* A debugger that reads them describes the program as they do. */
	if (!k->image.bits && symbols_any(s))
		info->image_bits = symbols_bits(s);
	if (k->kernel)
		kernel_view_changed(k->kernel);
}

/* FILE's absolute name; OTHER when it has none any more, or never had. */
static char *name_of(const struct blob *file, const char *other)
{
	char *name = realpath(file->path, NULL);

	return name ? name : strdup(other);
}

static int use_file(struct machine_kvm *k, struct blob *file, struct err *err)
{
	struct symbols *s;
	char *name;
	int r = symbols_new(file->data, file->size, &s, err);

	if (r)
		return err_prefix(err, r, "%s", file->path);
	if (!symbols_any(s)) {
		r = err_set(err, ENOEXEC, "%s: an ELF file without symbols", file->path);
		symbols_free(s);
		return r;
	}
	name = name_of(file, "/gdbvisor/symbols.elf");
	use(k, s, name, file->data, file->size);
	blob_done(&k->symbols_file);
	k->symbols_file = *file;
	*file = (struct blob){ 0 };
	return 0;
}

/*
 * The symbols of an ELF that is not named for its symbols; NULL: it has none, or cannot be read.  Then it is not offered either, for
 * gdb would drop those for it that a person has loaded.  No failure here is one of the machine's, which runs as well without.
 */
static struct symbols *symbols_in(const struct blob *file)
{
	struct symbols *s;

	if (symbols_new(file->data, file->size, &s, NULL))
		return NULL;
	if (symbols_any(s))
		return s;
	symbols_free(s);
	return NULL;
}

int sym_open(struct machine_kvm *k, struct blob *file, struct err *err)
{
	struct blob inner = { 0 };
	struct symbols *s;

	if (file->data)
		return use_file(k, file, err);
	if (k->image.is_elf) {
		s = symbols_in(&k->image.file);
		if (s)
			use(k, s, name_of(&k->image.file, "/gdbvisor/image.elf"), k->image.file.data, k->image.file.size);
	} else if (k->load.decompress && !image_unpack(&k->image, &inner, NULL)) {
		s = symbols_in(&inner);
		if (s) {
			use(k, s, strdup("/gdbvisor/vmlinux"), inner.data, inner.size);
			k->symbols_file = inner;
		} else
			blob_done(&inner);
	}
	return 0;
}

int op_sym_load(struct machine *m, const char *path, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	struct blob file = { 0 };
	int r = run_check_parked(k, err);

	if (!r)
		r = blob_read(path, &file, err);
	if (!r)
		r = use_file(k, &file, err);
	blob_done(&file);
	return r;
}

void sym_close(struct machine_kvm *k)
{
	symbols_free(k->symbols);
	free(k->exec_file);
	blob_done(&k->symbols_file);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* SIZE bytes of address space that agree with LOW in their low 21 bits; NULL: there are none. */
static uint8_t *reserve(uint64_t low, uint64_t size)
{
	uint64_t span = size + BACKING_HUGE_SIZE, skip;
	uint8_t *p;

	if (span < size || span > SIZE_MAX)
		return NULL;
	p = mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	skip = (low - (uintptr_t)p) % BACKING_HUGE_SIZE;
	if (skip)
		munmap(p, skip);
	if (span - skip - size)
		munmap(p + skip + size, span - skip - size);
	return p + skip;
}

static int no_room(uint64_t size, struct err *err)
{
	return err_set(err, ENOMEM, "the host cannot map 0x%" PRIx64 " bytes of guest memory", size);
}

/* Large pages where they are welcome.  A host without them does as well. */
static void advise(const struct backing *b)
{
	uint64_t small = b->small < b->size ? b->small : b->size;

	if (small)
		madvise(b->base, small, MADV_NOHUGEPAGE);
	if (b->size > small)
		madvise(b->base + small, b->size - small, MADV_HUGEPAGE);
}

/* Maps FD (-1: anonymous memory) at an address that agrees with GPA. */
static int map_at(struct backing *b, uint64_t gpa, int flags, uint64_t offset, struct err *err)
{
	uint8_t *p = reserve(gpa, b->size);
	int e;

	if (!p)
		return no_room(b->size, err);
	if (mmap(p, b->size, PROT_READ | PROT_WRITE, flags | MAP_FIXED, b->fd, (off_t)offset) == MAP_FAILED) {
		e = errno;
		munmap(p, b->size);
		return e == ENOMEM ? no_room(b->size, err) : err_errno(err, e, "mapping 0x%" PRIx64 " bytes", b->size);
	}
	b->base = p;
	b->small = gpa < BACKING_HUGE_SIZE ? BACKING_HUGE_SIZE - gpa : 0;
	advise(b);
	return 0;
}

static int file_too_short(const char *path, uint64_t has, uint64_t offset, uint64_t size, struct err *err)
{
	return err_set(err, EINVAL, "%s: has 0x%" PRIx64 " bytes, 0x%" PRIx64 " at offset 0x%" PRIx64 " are wanted",
		       path, has, size, offset);
}

/* Opens an ordinary file that has SIZE bytes at OFFSET.  Opening a device might do something: so none is. */
static int file_open(const char *path, int flags, uint64_t offset, uint64_t size, int *ret, struct err *err)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), has;
	struct stat st;
	int fd, e;

	if (offset % page)
		return err_set(err, EINVAL, "%s: offset 0x%" PRIx64 " is no multiple of 0x%" PRIx64, path, offset, page);
	if (stat(path, &st))
		return err_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%s: %s, no ordinary file", path,
			       S_ISDIR(st.st_mode) ? "a directory" : S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ?
			       "a device" : "a pipe or socket");
	fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		e = err_set(err, EINVAL, "%s: no ordinary file", path);
		goto fail;
	}
	has = (uint64_t)st.st_size;
	if (offset > has || size > has - offset) {
		e = file_too_short(path, has, offset, size, err);
		goto fail;
	}
	*ret = fd;
	return 0;
fail:
	close(fd);
	return e;
}

static bool means_unwritable(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS || r == -ETXTBSY;
}

static int make_anon(struct backing *b, const struct slot_spec *spec, struct err *err)
{
	return map_at(b, spec->gpa, MAP_PRIVATE | MAP_ANONYMOUS, 0, err);
}

static int make_memfd(struct backing *b, const struct slot_spec *spec, struct err *err)
{
	b->fd = memfd_create("guest memory", MFD_CLOEXEC);
	if (b->fd < 0)
		return err_errno(err, errno, "memfd_create");
	if (b->size > INT64_MAX || ftruncate(b->fd, (off_t)b->size))
		return no_room(b->size, err);
	return map_at(b, spec->gpa, MAP_SHARED, 0, err);
}

static int make_file(struct backing *b, const struct slot_spec *spec, struct err *err)
{
	int r;

	b->shared = spec->shared;
	b->offset = spec->offset;
	b->path = strdup(spec->path);
	if (!b->path)
		return err_set(err, ENOMEM, "out of memory");
	r = file_open(b->path, b->shared ? O_RDWR : O_RDONLY, b->offset, b->size, &b->fd, err);
	if (b->shared && means_unwritable(r)) {
		if (!spec->readonly)
			return err_prefix(err, r, "a shared slot that is not read-only needs a file it can write");
		b->unwritable = true;
		r = file_open(b->path, O_RDONLY, b->offset, b->size, &b->fd, err);
	}
	if (r)
		return r;
	/* Private where it cannot be written: breakpoints and `pwrite` must not end this process. */
	return map_at(b, spec->gpa, b->shared && !b->unwritable ? MAP_SHARED : MAP_PRIVATE, b->offset, err);
}

static const struct {
	uint64_t size;
	int flag;
	const char *name, *reserved;
} huge_sizes[] = {
	{ 2ull << 20, MAP_HUGE_2MB, "2 MiB", "/proc/sys/vm/nr_hugepages or "
					     "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages" },
	{ 1ull << 30, MAP_HUGE_1GB, "1 GiB", "/proc/sys/vm/nr_hugepages (if 1 GiB is the default size) or "
					     "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages" },
};

static int make_hugetlb(struct backing *b, const struct slot_spec *spec, struct err *err)
{
	uint8_t *p;
	size_t i = 0;

	while (i < sizeof(huge_sizes) / sizeof(huge_sizes[0]) && huge_sizes[i].size != spec->huge_size)
		i++;
	if (i == sizeof(huge_sizes) / sizeof(huge_sizes[0]))
		return err_set(err, EINVAL, "huge pages have 2 MiB or 1 GiB, not 0x%" PRIx64 " bytes", spec->huge_size);
	if (b->size % huge_sizes[i].size)
		return err_set(err, EINVAL, "size 0x%" PRIx64 " is no multiple of the huge page, %s", b->size,
			       huge_sizes[i].name);
	b->page_size = huge_sizes[i].size;
	p = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | huge_sizes[i].flag,
		 -1, 0);
	if (p == MAP_FAILED && (errno == ENOMEM || errno == EINVAL))
		return err_set(err, ENOMEM, "the host has not %" PRIu64 " free huge pages of %s: reserve them in %s",
			       b->size / b->page_size, huge_sizes[i].name, huge_sizes[i].reserved);
	if (p == MAP_FAILED)
		return err_errno(err, errno, "mapping huge pages of %s", huge_sizes[i].name);
	b->base = p;
	return 0;
}

static int (*const makers[])(struct backing *b, const struct slot_spec *spec, struct err *err) = {
	[SLOT_ANON] = make_anon,
	[SLOT_MEMFD] = make_memfd,
	[SLOT_FILE] = make_file,
	[SLOT_HUGETLB] = make_hugetlb,
};

int backing_new(const struct slot_spec *spec, struct backing **ret, struct err *err)
{
	struct backing *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return err_set(err, ENOMEM, "out of memory");
	b->refs = 1;
	b->fd = -1;
	b->kind = spec->backing;
	b->size = spec->size;
	b->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	r = makers[spec->backing](b, spec, err);
	if (r) {
		backing_put(b);
		return r;
	}
	*ret = b;
	return 0;
}

int backing_of_fd(enum slot_backing kind, int fd, uint64_t size, struct backing **ret, struct err *err)
{
	struct backing *b = calloc(1, sizeof(*b));
	void *p;
	int e;

	if (!b)
		return err_set(err, ENOMEM, "out of memory");
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		e = errno;
		free(b);
		return err_errno(err, e, "mapping 0x%" PRIx64 " bytes", size);
	}
	*b = (struct backing){ .refs = 1, .kind = kind, .base = p, .size = size, .fd = fd,
			       .page_size = (uint64_t)sysconf(_SC_PAGESIZE), .shared = true };
	*ret = b;
	return 0;
}

struct backing *backing_get(struct backing *b)
{
	b->refs++;
	return b;
}

void backing_put(struct backing *b)
{
	if (!b || --b->refs)
		return;
	if (b->base)
		munmap(b->base, b->size);
	if (b->fd >= 0)
		close(b->fd);
	free(b->path);
	free(b);
}

void backing_trim(struct backing *b, uint64_t size)
{
	if (size >= b->size)
		return;
	munmap(b->base + size, b->size - size);
	/* So that it is zero when it grows again.  Making a memfd shorter cannot fail, short of a bug. */
	if (b->kind == SLOT_MEMFD && ftruncate(b->fd, (off_t)size))
		return;
	b->size = size;
}

static bool move(uint8_t *from, uint64_t old_size, uint64_t size, uint8_t *to)
{
	return mremap(from, old_size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED;
}

/*
 * Moves B, grown to SIZE, to address space at TO.  mremap(2) takes one mapping, which differing advice makes two of: the one
 * that grows goes first, since that is what can fail.
 */
static bool move_grown(struct backing *b, uint64_t size, uint8_t *to)
{
	if (b->size <= b->small || !b->small)
		return move(b->base, b->size, size, to);
	if (!move(b->base + b->small, b->size - b->small, size - b->small, to + b->small))
		return false;
	if (move(b->base, b->small, b->small, to))
		return true;
	move(to + b->small, size - b->small, b->size - b->small, b->base + b->small);
	return false;
}

int backing_grow(struct backing *b, uint64_t size, struct err *err)
{
	struct stat st = { 0 };
	uint8_t *p;

	if (b->kind == SLOT_HUGETLB)
		return err_set(err, ENOTSUP, "memory in huge pages cannot grow");
	if (b->remapped)
		return err_set(err, ENOTSUP, "memory that was remapped in part cannot grow");
	if (b->kind == SLOT_FILE && (fstat(b->fd, &st) || (uint64_t)st.st_size < b->offset ||
				     (uint64_t)st.st_size - b->offset < size))
		return file_too_short(b->path, (uint64_t)st.st_size, b->offset, size, err);
	if (b->kind == SLOT_MEMFD && (size > INT64_MAX || ftruncate(b->fd, (off_t)size)))
		return no_room(size, err);
	p = reserve((uintptr_t)b->base, size);
	if (p && !move_grown(b, size, p)) {
		munmap(p, size);
		p = NULL;
	}
	if (!p)         /* a memfd that is too long now does no harm: nothing was written there */
		return no_room(size, err);
	b->base = p;
	b->size = size;
	advise(b);
	return 0;
}

static int check_multiples(const struct backing *b, uint64_t offset, uint64_t size, struct err *err)
{
	if (!size || (offset | size) % b->page_size)
		return err_set(err, EINVAL, "offset 0x%" PRIx64 " and size 0x%" PRIx64 " must be multiples of 0x%" PRIx64
			       ", the size not 0", offset, size, b->page_size);
	return 0;
}

int backing_discard(struct backing *b, uint64_t offset, uint64_t size, struct err *err)
{
	int r = check_multiples(b, offset, size, err);

	if (r)
		return r;
	if (b->kind == SLOT_MEMFD &&
	    fallocate(b->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size))
		return err_errno(err, errno, "punching a hole into the memfd");
	if (madvise(b->base + offset, size, MADV_DONTNEED))
		return err_errno(err, errno, "madvise");
	return 0;
}

int backing_remap(struct backing *b, uint64_t offset, uint64_t size, const char *path, uint64_t file_offset,
		  struct err *err)
{
	uint8_t *p;
	int fd, r, e;

	if (b->kind == SLOT_HUGETLB)
		return err_set(err, ENOTSUP, "memory in huge pages cannot be remapped");
	r = check_multiples(b, offset, size, err);
	if (!r)
		r = file_open(path, O_RDONLY, file_offset, size, &fd, err);
	if (r)
		return r;
	/* Mapped aside first: a mapping that fails in place may have taken the old one away already. */
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, (off_t)file_offset);
	e = errno;
	close(fd);
	if (p == MAP_FAILED)
		return err_errno(err, e, "%s: mapping it", path);
	if (mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, b->base + offset) == MAP_FAILED) {
		e = errno;
		munmap(p, size);
		return err_errno(err, e, "%s: mapping it over the slot", path);
	}
	b->remapped = true;
	return 0;
}

void backing_text(const struct backing *b, char *ret, size_t size)
{
	static const char *const names[] = { [SLOT_ANON] = "anon", [SLOT_MEMFD] = "memfd", [SLOT_RMA] = "rma" };
	char tail[40];
	size_t room, len;

	if (b->kind == SLOT_HUGETLB) {
		snprintf(ret, size, "hugetlb:%s", b->page_size >> 30 ? "1G" : "2M");
	} else if (b->kind == SLOT_FILE) {
		tail[0] = '\0';
		if (b->offset)
			snprintf(tail, sizeof(tail), "@0x%" PRIx64, b->offset);
		strcat(tail, b->shared ? " shared" : " private");
		room = size - strlen("file:") - strlen(tail) - 1;
		len = strlen(b->path);
		if (len > room)
			snprintf(ret, size, "file:...%s%s", b->path + len - (room - 3), tail);
		else
			snprintf(ret, size, "file:%s%s", b->path, tail);
	} else {
		snprintf(ret, size, "%s%s", names[b->kind], b->remapped ? " (remapped in part)" : "");
	}
}

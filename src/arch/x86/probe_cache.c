/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/probe_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

/* To be raised when members of struct probe change, or what they mean. */
#define FORMAT      3
#define RECORD_MAX  4096
#define BOOT_ID     "/proc/sys/kernel/random/boot_id"

static bool private_to_us(const struct stat *st, mode_t type)
{
	return (st->st_mode & S_IFMT) == type && st->st_uid == geteuid() && !(st->st_mode & 077);
}

/* Where the directory may be, the best first (XDG Base Directory Specification): by environment variable, and what is added. */
static const struct {
	const char *variable, *below;
} places[] = {
	{ "XDG_RUNTIME_DIR", "" }, { "XDG_CACHE_HOME", "" }, { "HOME", "/.cache" },
};

/* The first of these places that is a directory of ours, made if need be and if it is below one; -1: none is. */
static int open_place(bool make)
{
	char path[PATH_MAX];
	struct stat st;
	int fd;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *value = getenv(places[i].variable);

		if (!value || value[0] != '/' ||
		    (size_t)snprintf(path, sizeof(path), "%s%s", value, places[i].below) >= sizeof(path))
			continue;
		if (make && *places[i].below)
			mkdir(path, 0700);
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && !fstat(fd, &st) && st.st_uid == geteuid())
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

/* The directory the file is in, made if need be; -1: there is none that we could trust. */
static int open_dir(bool make)
{
	int place = open_place(make), fd;
	struct stat st;

	if (place < 0)
		return -1;
	if (make)
		mkdirat(place, "gdbvisor", 0700);
	fd = openat(place, "gdbvisor", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	close(place);
	if (fd >= 0 && (fstat(fd, &st) || !private_to_us(&st, S_IFDIR))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Reads all of FD into BUF, of SIZE bytes, as text; -1: it cannot be read or is longer. */
static int read_text(int fd, char *buf, size_t size)
{
	size_t n = 0;
	ssize_t r;

	do {
		r = read(fd, buf + n, size - n);
		if (r > 0)
			n += (size_t)r;
	} while ((r > 0 && n < size) || (r < 0 && errno == EINTR));
	if (r < 0 || n == size)
		return -1;
	buf[n] = '\0';
	return (int)n;
}

/* The lines that a record of now begins with; -1: this host does not say which boot this is. */
static int write_head(char *buf, size_t size)
{
	char boot[64];
	struct utsname u;
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC), n;

	if (fd < 0)
		return -1;
	n = read_text(fd, boot, sizeof(boot));
	close(fd);
	if (n <= 0 || uname(&u))
		return -1;
	boot[strcspn(boot, "\n")] = '\0';
	n = snprintf(buf, size, "gdbvisor probe %d\nboot %s\nkernel %s %s\n", FORMAT, boot, u.release, u.machine);
	return n < 0 || (size_t)n >= size ? -1 : n;
}

/* One "NAME VALUE" line at S; where the next begins, or NULL. */
static const char *parse_field(const char *s, const struct probe_field *f, uint8_t *ret)
{
	size_t len = strlen(f->name);
	unsigned value = 0, digits = 0;

	if (strncmp(s, f->name, len) || s[len] != ' ')
		return NULL;
	for (s += len + 1; *s >= '0' && *s <= '9' && digits < 3; s++, digits++)
		value = value * 10 + (unsigned)(*s - '0');
	if (!digits || *s != '\n' || value > f->max)
		return NULL;
	*ret = (uint8_t)value;
	return s + 1;
}

bool probe_cache_load(struct probe *ret)
{
	char head[512], text[RECORD_MAX];
	struct probe p = { 0 };
	struct stat st;
	const char *s;
	int dir, fd, n, len;

	n = write_head(head, sizeof(head));
	dir = n < 0 ? -1 : open_dir(false);
	if (dir < 0)
		return false;
	/* Not blocking: what stands there may be a pipe. */
	fd = openat(dir, "probe", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	close(dir);
	if (fd < 0)
		return false;
	len = fstat(fd, &st) || !private_to_us(&st, S_IFREG) ? -1 : read_text(fd, text, sizeof(text));
	close(fd);
	if (len < n || strlen(text) != (size_t)len || memcmp(text, head, (size_t)n))
		return false;
	s = text + n;
	for (size_t i = 0; s && i < probe_field_count; i++)
		s = parse_field(s, &probe_fields[i], (uint8_t *)&p + probe_fields[i].offset);
	if (!s || strcmp(s, "end\n"))
		return false;
	*ret = p;
	return true;
}

static bool write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t r = write(fd, buf, len);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		buf += r;
		len -= (size_t)r;
	}
	return true;
}

void probe_cache_store(const struct probe *p)
{
	char text[RECORD_MAX], name[32];
	int dir, fd, n = write_head(text, sizeof(text));
	bool good;

	for (size_t i = 0; n >= 0 && i < probe_field_count && (size_t)n < sizeof(text); i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s %u\n", probe_fields[i].name,
			      ((const uint8_t *)p)[probe_fields[i].offset]);
	if (n >= 0 && (size_t)n < sizeof(text))
		n += snprintf(text + n, sizeof(text) - (size_t)n, "end\n");
	dir = n < 0 || (size_t)n >= sizeof(text) ? -1 : open_dir(true);
	if (dir < 0)
		return;
	snprintf(name, sizeof(name), "probe.%ld", (long)getpid());
	unlinkat(dir, name, 0);         /* left by one that died half-way, long ago */
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0) {
		good = write_all(fd, text, (size_t)n);
		good = !close(fd) && good;
		if (!good || renameat(dir, name, dir, "probe"))
			unlinkat(dir, name, 0);
	}
	close(dir);
}

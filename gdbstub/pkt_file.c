/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vFile: the one file there is, the image, to be read (gdb manual, "Host I/O Packets").  A gdb without a file of its own
 * gets the guest's symbols by it.  Nothing of the host's disk can be reached.
 */
#include "gdbstub/internal.h"

#include <errno.h>
#include <string.h>

/* errno values as the protocol has them (gdb manual, "Errno Values"). */
enum { FILEIO_ENOENT = 2, FILEIO_EBADF = 9, FILEIO_EACCES = 13, FILEIO_EMFILE = 24 };

#define FILEIO_ACCMODE 3        /* read-only is 0 */
#define FILEIO_CREAT   0x200
#define FILEIO_TRUNC   0x400
#define MODE_FILE_R    0100444  /* a regular file, readable */
#define PIECE_MAX      ((SESSION_PACKET_SIZE - 32) / 2)
#define HANDLES        32

static int result(struct session *s, uint64_t value)
{
	reply_text(&s->reply, "F");
	reply_number(&s->reply, value);
	return PACKET_REPLY;
}

static int failure(struct session *s, unsigned fileio_errno)
{
	reply_text(&s->reply, "F-1,");
	reply_number(&s->reply, fileio_errno);
	return PACKET_REPLY;
}

/* ":PID": there is one file system. */
int pkt_file_setfs(struct session *s, struct cursor *args)
{
	uint64_t pid;

	if (!cursor_byte(args, ':') || !cursor_number(args, &pid) || !cursor_end(args))
		return -EINVAL;
	return result(s, 0);
}

/* ":PATH,FLAGS,MODE", the path in hex */
int pkt_file_open(struct session *s, struct cursor *args)
{
	const char *name = machine_info(s->machine)->exec_file;
	struct cursor field, path;
	uint64_t flags, mode;
	unsigned fd = 0;

	if (!cursor_byte(args, ':'))
		return -EINVAL;
	field = cursor_field(args, ',');
	if (!cursor_hex_rest(&field, &path) || !cursor_byte(args, ',') || !cursor_number(args, &flags) ||
	    !cursor_byte(args, ',') || !cursor_number(args, &mode) || !cursor_end(args))
		return -EINVAL;
	if (!name || !cursor_is(&path, name))
		return failure(s, FILEIO_ENOENT);
	if (flags & (FILEIO_ACCMODE | FILEIO_CREAT | FILEIO_TRUNC))
		return failure(s, FILEIO_EACCES);
	while (fd < HANDLES && (s->files >> fd & 1))
		fd++;
	if (fd == HANDLES)
		return failure(s, FILEIO_EMFILE);
	s->files |= 1u << fd;
	return result(s, fd);
}

/* ":FD", and whether it is an open one. */
static bool take_handle(struct session *s, struct cursor *args, uint64_t *ret_fd, bool *ret_open)
{
	if (!cursor_byte(args, ':') || !cursor_number(args, ret_fd))
		return false;
	*ret_open = *ret_fd < HANDLES && (s->files >> *ret_fd & 1);
	return true;
}

int pkt_file_close(struct session *s, struct cursor *args)
{
	uint64_t fd;
	bool open;

	if (!take_handle(s, args, &fd, &open) || !cursor_end(args))
		return -EINVAL;
	if (!open)
		return failure(s, FILEIO_EBADF);
	s->files &= ~(1u << fd);
	return result(s, 0);
}

/* ":FD,COUNT,OFFSET" */
int pkt_file_pread(struct session *s, struct cursor *args)
{
	const struct machine_info *info = machine_info(s->machine);
	uint64_t fd, len, offset;
	bool open;

	if (!take_handle(s, args, &fd, &open) || !cursor_byte(args, ',') || !cursor_number(args, &len) ||
	    !cursor_byte(args, ',') || !cursor_number(args, &offset) || !cursor_end(args))
		return -EINVAL;
	if (!open)
		return failure(s, FILEIO_EBADF);
	if (offset > info->exec_size)
		offset = info->exec_size;
	if (len > info->exec_size - offset)
		len = info->exec_size - offset;
	if (len > PIECE_MAX)
		len = PIECE_MAX;
	result(s, len);
	reply_text(&s->reply, ";");
	if (len)
		reply_escaped(&s->reply, info->exec_data + offset, len);
	return PACKET_REPLY;
}

/* Appends VALUE as N bytes, the highest first, as all of struct stat is (gdb manual, "struct stat"). */
static uint8_t *put_be(uint8_t *p, uint64_t value, unsigned n)
{
	while (n-- > 0)
		*p++ = (uint8_t)(value >> (8 * n));
	return p;
}

int pkt_file_fstat(struct session *s, struct cursor *args)
{
	static const uint32_t head[] = { 0, 0, MODE_FILE_R, 1, 0, 0, 0 };       /* dev ino mode nlink uid gid rdev */
	uint64_t size = machine_info(s->machine)->exec_size, fd;
	uint8_t st[64], *p = st;
	bool open;

	if (!take_handle(s, args, &fd, &open) || !cursor_end(args))
		return -EINVAL;
	if (!open)
		return failure(s, FILEIO_EBADF);
	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		p = put_be(p, head[i], 4);
	p = put_be(p, size, 8);
	p = put_be(p, 4096, 8);
	p = put_be(p, (size + 511) / 512, 8);
	memset(p, 0, (size_t)(st + sizeof(st) - p));    /* three times */
	result(s, sizeof(st));
	reply_text(&s->reply, ";");
	reply_escaped(&s->reply, st, sizeof(st));
	return PACKET_REPLY;
}

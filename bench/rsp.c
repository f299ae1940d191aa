/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench/rsp.h"

#include <emmintrin.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define IN_SIZE   (4u << 20)
#define TEXT_SIZE (8u << 20)
#define MAX_SENT  (1u << 20)
#define DEADLINE  60            /* seconds for any answer */

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

void rsp_open(struct rsp *r, int fd)
{
	const struct timeval deadline = { .tv_sec = DEADLINE };

	*r = (struct rsp){ .fd = fd, .packet_size = 400 };
	r->in = malloc(IN_SIZE);
	r->text = malloc(TEXT_SIZE + 1);
	if (!r->in || !r->text)
		die("out of memory");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)))
		die("SO_RCVTIMEO: %s", strerror(errno));
}

void rsp_close(struct rsp *r)
{
	close(r->fd);
	free(r->in);
	free(r->text);
}

static int connect_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlen(path) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static int connect_tcp(const char *host_port)
{
	const struct addrinfo want = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(host_port, ':');
	struct addrinfo *a;
	char host[256];
	int fd, error, one = 1;

	if (!colon || (size_t)(colon - host_port) >= sizeof(host))
		die("tcp:HOST:PORT is wanted, not tcp:%s", host_port);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - host_port), host_port);
	error = getaddrinfo(host, colon + 1, &want, &a);
	if (error)
		die("%s: %s", host_port, gai_strerror(error));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen)) {
		error = errno;
		close(fd);
		errno = error;
		fd = -1;
	} else if (fd >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
	error = errno;
	freeaddrinfo(a);
	errno = error;
	return fd;
}

int rsp_connect(const char *address)
{
	if (!strncmp(address, "unix:", 5))
		return connect_unix(address + 5);
	if (!strncmp(address, "tcp:", 4))
		return connect_tcp(address + 4);
	die("unix:PATH or tcp:HOST:PORT is wanted, not %s", address);
}

/* What a packet's payload adds up to. */
static uint8_t sum_of(const uint8_t *p, size_t len)
{
	__m128i total = _mm_setzero_si128();
	uint8_t sum;

	for (; len >= 16; p += 16, len -= 16)
		total = _mm_add_epi64(total, _mm_sad_epu8(_mm_loadu_si128((const __m128i *)p), _mm_setzero_si128()));
	sum = (uint8_t)(_mm_cvtsi128_si64(total) + _mm_cvtsi128_si64(_mm_srli_si128(total, 8)));
	while (len--)
		sum = (uint8_t)(sum + *p++);
	return sum;
}

static void write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			die("the stub is gone: %s", strerror(errno));
		p += n;
		len -= (size_t)n;
	}
}

/* More of what comes. */
static void fill(struct rsp *r)
{
	ssize_t n;

	if (r->at == r->end) {
		r->at = r->end = 0;
	} else if (r->end == IN_SIZE) {
		if (!r->at)
			die("a packet of more than %u bytes", IN_SIZE);
		memmove(r->in, r->in + r->at, r->end - r->at);
		r->end -= r->at;
		r->at = 0;
	}
	do
		n = read(r->fd, r->in + r->end, IN_SIZE - r->end);
	while (n < 0 && errno == EINTR);
	if (!n)
		die("the stub has closed the connection");
	if (n < 0 && errno == EAGAIN)
		die("no answer within %u seconds", DEADLINE);
	if (n < 0)
		die("read: %s", strerror(errno));
	r->end += (size_t)n;
}

static uint8_t next(struct rsp *r)
{
	if (r->at == r->end)
		fill(r);
	return r->in[r->at++];
}

void rsp_byte(struct rsp *r, uint8_t byte)
{
	write_all(r->fd, &byte, 1);
}

void rsp_send(struct rsp *r, const char *packet)
{
	static char out[MAX_SENT + 4];
	static const char digits[] = "0123456789abcdef";
	const size_t len = strlen(packet);
	uint8_t sum;

	if (len > MAX_SENT)
		die("a packet of %zu bytes", len);
	out[0] = '$';
	memcpy(out + 1, packet, len);
	sum = sum_of((const uint8_t *)packet, len);
	out[len + 1] = '#';
	out[len + 2] = digits[sum >> 4];
	out[len + 3] = digits[sum & 15];
	write_all(r->fd, out, len + 4);
	if (!r->no_ack) {
		uint8_t c = next(r);

		if (c != '+')
			die("the stub answers 0x%02x in place of +", c);
	}
}

/* Undoes run lengths; "X*c" is X and c - 29 more of it. */
static size_t expand(const uint8_t *p, size_t len, uint8_t *to)
{
	const uint8_t *end = p + len;
	uint8_t *t = to;

	while (p < end) {
		const uint8_t *star = memchr(p, '*', (size_t)(end - p));
		size_t n = (size_t)((star ? star : end) - p);

		if ((size_t)(t - to) + n + 256 > TEXT_SIZE)
			die("a reply of more than %u bytes", TEXT_SIZE);
		memcpy(t, p, n);
		t += n;
		p += n;
		if (star) {
			if (t == to || end - p < 2 || p[1] < 32 || p[1] > 126)
				die("a run length that cannot be");
			memset(t, t[-1], p[1] - 29u);
			t += p[1] - 29u;
			p += 2;
		}
	}
	return (size_t)(t - to);
}

static int digit(uint8_t c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

const char *rsp_receive(struct rsp *r, size_t *ret_len)
{
	for (;;) {
		size_t seen = 0, len;
		uint8_t *p, *hash, sum;
		bool good;

		while (next(r) != '$')
			;
		while (r->at + seen >= r->end || !(hash = memchr(r->in + r->at + seen, '#', r->end - r->at - seen))) {
			seen = r->end - r->at;
			fill(r);
		}
		len = (size_t)(hash - (r->in + r->at));
		while (r->end - r->at < len + 3)
			fill(r);
		p = r->in + r->at;
		r->at += len + 3;
		sum = sum_of(p, len);
		good = digit(p[len + 1]) == sum >> 4 && digit(p[len + 2]) == (sum & 15);
		if (!r->no_ack)
			rsp_byte(r, good ? '+' : '-');
		if (!good && r->no_ack)
			die("a packet whose checksum is wrong");
		if (!good) {
			r->asked_again++;
			continue;
		}
		if (memchr(p, '*', len)) {
			len = expand(p, len, r->text);
			p = r->text;
		}
		p[len] = 0;     /* the # of what was taken out of IN */
		if (ret_len)
			*ret_len = len;
		return (const char *)p;
	}
}

const char *rsp_ask(struct rsp *r, const char *packet, size_t *ret_len)
{
	const char *p;

	rsp_send(r, packet);
	do
		p = rsp_receive(r, ret_len);
	while (p[0] == 'O' && p[1] != 'K');
	return p;
}

const char *rsp_stop(struct rsp *r, const char *packet)
{
	const char *p = rsp_ask(r, packet, NULL);

	if (p[0] != 'T' && p[0] != 'S')
		die("%s is answered by \"%.40s\"", packet, p);
	return p;
}

void rsp_ok(struct rsp *r, const char *packet)
{
	const char *p = rsp_ask(r, packet, NULL);

	if (strcmp(p, "OK"))
		die("%.40s is answered by \"%.40s\"", packet, p);
}

void rsp_hello(struct rsp *r)
{
	static const char want[] =
		"qSupported:multiprocess-;swbreak+;hwbreak+;vContSupported+;xmlRegisters=i386";
	const char *p = rsp_ask(r, want, NULL), *size = strstr(p, "PacketSize=");
	bool no_ack = strstr(p, "QStartNoAckMode+");

	if (size)
		r->packet_size = strtoul(size + 11, NULL, 16);
	r->binary = strstr(p, "binary-upload+");
	r->conditions = strstr(p, "ConditionalBreakpoints+");
	if (no_ack) {
		rsp_ok(r, "QStartNoAckMode");
		r->no_ack = true;
	}
	rsp_stop(r, "?");
}

size_t rsp_unhex(const char *text, size_t len, uint8_t *to, size_t size)
{
	static int8_t values[256];
	size_t n;

	if (!values['1'])
		for (unsigned c = 0; c < 256; c++)
			values[c] = (int8_t)digit((uint8_t)c);
	for (n = 0; n < size && 2 * n + 1 < len; n++) {
		int high = values[(uint8_t)text[2 * n]], low = values[(uint8_t)text[2 * n + 1]];

		if ((high | low) < 0)
			break;
		to[n] = (uint8_t)(high << 4 | low);
	}
	return n;
}

size_t rsp_unescape(const char *text, size_t len, uint8_t *to, size_t size)
{
	size_t n = 0;

	while (len && n < size) {
		const char *escape = memchr(text, '}', len);
		size_t plain = escape ? (size_t)(escape - text) : len;

		if (plain > size - n)
			plain = size - n;
		memcpy(to + n, text, plain);
		n += plain;
		text += plain;
		len -= plain;
		if (len >= 2 && *text == '}' && n < size) {
			to[n++] = (uint8_t)(text[1] ^ 0x20);
			text += 2;
			len -= 2;
		} else if (len) {
			break;
		}
	}
	return n;
}

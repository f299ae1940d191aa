/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "util/num.h"

#define SUN_PATH_MAX    (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
#define DIGITS          "0123456789"

static int no_memory(struct err *err)
{
	return err_set(err, ENOMEM, "no memory");
}

static int parse_file(const char *rest, struct addr *a, struct err *err)
{
	if (!*rest)
		return err_set(err, EINVAL, "a path is missing");
	a->path = strdup(rest);
	return a->path ? 0 : no_memory(err);
}

static int parse_unix(const char *rest, struct addr *a, struct err *err)
{
	if (strlen(rest) > SUN_PATH_MAX)
		return err_set(err, ENAMETOOLONG, "the path is %zu bytes long, a unix socket's name holds %zu",
			       strlen(rest), SUN_PATH_MAX);
	return parse_file(rest, a, err);
}

static bool is_loopback(const char *host)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &six) == 1)
		return IN6_IS_ADDR_LOOPBACK(&six);
	return strcasecmp(host, "localhost") == 0;
}

static int parse_port(const char *text, struct addr *a, struct err *err)
{
	size_t len = strspn(text, DIGITS);
	uint64_t port;

	if (!len || text[len] || num_parse(text, len, &port) < 0 || port > UINT16_MAX)
		return err_set(err, EINVAL, "not a port (0 to 65535)");
	a->port = (uint16_t)port;
	return 0;
}

/* [HOST:]PORT, an IPv6 HOST in brackets. */
static int parse_tcp(const char *rest, struct addr *a, struct err *err)
{
	const char *host = rest, *colon = strrchr(rest, ':'), *port = colon ? colon + 1 : rest;
	size_t len = colon ? (size_t)(colon - rest) : 0;
	int r;

	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
		if (!len)
			return err_set(err, EINVAL, "no host between the brackets");
	} else if (*rest == '[') {
		return err_set(err, EINVAL, "not [HOST]:PORT");
	} else if (memchr(host, ':', len)) {
		return err_set(err, EINVAL, "an IPv6 host stands in brackets: tcp:[::1]:PORT");
	}
	r = parse_port(port, a, err);
	if (r < 0)
		return r;
	a->host = len ? strndup(host, len) : strdup("127.0.0.1");
	if (!a->host)
		return no_memory(err);
	a->exposed = !is_loopback(a->host);
	return 0;
}

static const struct {
	enum addr_kind kind;
	const char *prefix;             /* with a colon: something follows */
	const char *shown;
	int (*parse)(const char *rest, struct addr *a, struct err *err);
} forms[] = {
	{ ADDR_UNIX, "unix:", "unix:PATH", parse_unix },
	{ ADDR_TCP, "tcp:", "tcp:[HOST:]PORT", parse_tcp },
	{ ADDR_FILE, "file:", "file:PATH", parse_file },
	{ ADDR_STDIO, "stdio", "stdio", NULL },
	{ ADDR_PTY, "pty", "pty", NULL },
	{ ADDR_NONE, "none", "none", NULL },
};

#define NFORMS (sizeof(forms) / sizeof(forms[0]))

static int no_address(unsigned kinds, struct err *err)
{
	char list[96];
	size_t i, at = 0;

	for (i = 0; i < NFORMS; i++)
		if (kinds & forms[i].kind)
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", at ? ", " : "",
					       forms[i].shown);
	return err_set(err, EINVAL, "not an address (%s)", list);
}

/* PORT or :PORT. */
static bool is_bare_port(const char *text)
{
	text += *text == ':';
	return *text && !text[strspn(text, DIGITS)];
}

/* The form TEXT has, with *RET_REST what follows its prefix; NFORMS: none. */
static size_t find_form(const char *text, unsigned kinds, const char **ret_rest)
{
	size_t i, len;

	for (i = 0; i < NFORMS; i++) {
		len = strlen(forms[i].prefix);
		*ret_rest = text + len;
		if ((kinds & forms[i].kind) && strncmp(text, forms[i].prefix, len) == 0 &&
		    (forms[i].parse || !text[len]))
			return i;
	}
	*ret_rest = text;
	for (i = 0; i < NFORMS; i++) {
		if (!(kinds & forms[i].kind))
			continue;
		if (forms[i].kind == ADDR_UNIX && *text == '/' && !(kinds & ADDR_FILE))
			return i;
		if (forms[i].kind == ADDR_TCP && is_bare_port(text))
			return i;
	}
	return NFORMS;
}

int addr_parse(const char *text, unsigned kinds, struct addr *ret, struct err *err)
{
	struct addr a = { 0 };
	const char *rest;
	size_t i = find_form(text, kinds, &rest);
	int r;

	if (i == NFORMS)
		return no_address(kinds, err);
	a.kind = forms[i].kind;
	if (forms[i].parse) {
		r = forms[i].parse(rest, &a, err);
		if (r < 0)
			return r;
	}
	*ret = a;
	return 0;
}

void addr_done(struct addr *a)
{
	free(a->path);
	free(a->host);
	*a = (struct addr){ 0 };
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded by host.py: has calls of the C library fail.  $GV_FAULT_CONTROL is a file that both map, an entry a call, so
 * that what fails can be changed while the program runs.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SHORT (-1)              /* in place of an errno: one byte is done */

/* As host.py writes it. */
struct entry {
	char name[20];
	uint32_t kind;          /* of the descriptor, as in st_mode; ANY: any */
	atomic_int skip;        /* calls that are made before */
	atomic_int left;        /* calls that fail then */
	int32_t how;            /* errno, or SHORT */
	atomic_uint calls, hits;
};

#define ANY UINT32_MAX

/* X(name) */
#define CALLS(X)                                                                                        \
	X(socket) X(bind) X(listen) X(accept4) X(epoll_create1) X(epoll_ctl) X(epoll_wait) X(eventfd)   \
	X(pipe2) X(timerfd_create) X(timer_create) X(memfd_create) X(open) X(openat) X(ftruncate)       \
	X(read) X(write) X(pwrite) X(send) X(pthread_create) X(getsockname)

#define AS_ENUM(name)  CALL_##name,
#define AS_TEXT(name)  #name,
enum call { CALLS(AS_ENUM) CALL_COUNT };
static const char *const names[] = { CALLS(AS_TEXT) };

static struct entry *entry[CALL_COUNT];

__attribute__((constructor)) static void map_control(void)
{
	const char *path = getenv("GV_FAULT_CONTROL");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	struct stat st;
	struct entry *e;

	if (fd < 0 || fstat(fd, &st))
		return;
	e = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	for (size_t i = 0; e != MAP_FAILED && i < (size_t)st.st_size / sizeof(*e); i++)
		for (unsigned k = 0; k < CALL_COUNT; k++)
			if (!strncmp(e[i].name, names[k], sizeof(e[i].name)))
				entry[k] = &e[i];
}

/* 0: the call is made; else `how`.  FD: what it is about, or -1. */
static int judge(enum call call, int fd)
{
	struct entry *e = entry[call];
	struct stat st;
	int saved = errno;

	if (!e || (e->kind != ANY && (fd < 0 || fstat(fd, &st) || (st.st_mode & S_IFMT) != e->kind))) {
		errno = saved;
		return 0;
	}
	atomic_fetch_add(&e->calls, 1);
	if (atomic_load(&e->left) <= 0 || atomic_fetch_sub(&e->skip, 1) > 0 || atomic_fetch_sub(&e->left, 1) <= 0)
		return 0;
	atomic_fetch_add(&e->hits, 1);
	return e->how;
}

#define REAL(name)                                              \
	static __typeof__(&name) real;                          \
								\
	if (!real)                                              \
		real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* A call about FD that answers -1, and one with LEN bytes. */
#define WRAP(type, name, fd, params, ...)                       \
	type name params                                        \
	{                                                       \
		int how = judge(CALL_##name, fd);               \
		REAL(name);                                     \
		if (how) {                                      \
			errno = how;                            \
			return (type)-1;                        \
		}                                               \
		return real(__VA_ARGS__);                       \
	}
#define WRAP_BYTES(name, params, ...)                           \
	ssize_t name params                                     \
	{                                                       \
		int how = judge(CALL_##name, fd);               \
		REAL(name);                                     \
		if (how > 0) {                                  \
			errno = how;                            \
			return -1;                              \
		}                                               \
		if (how == SHORT && len)                        \
			len = 1;                                \
		return real(__VA_ARGS__);                       \
	}

WRAP(int, socket, -1, (int domain, int type, int protocol), domain, type, protocol)
WRAP(int, bind, fd, (int fd, const struct sockaddr *a, socklen_t len), fd, a, len)
WRAP(int, listen, fd, (int fd, int n), fd, n)
WRAP(int, accept4, fd, (int fd, struct sockaddr *a, socklen_t *len, int flags), fd, a, len, flags)
WRAP(int, epoll_create1, -1, (int flags), flags)
WRAP(int, epoll_wait, -1, (int epfd, struct epoll_event *ev, int n, int ms), epfd, ev, n, ms)
WRAP(int, eventfd, -1, (unsigned first, int flags), first, flags)
WRAP(int, pipe2, -1, (int fds[2], int flags), fds, flags)
WRAP(int, timerfd_create, -1, (int clock, int flags), clock, flags)
WRAP(int, timer_create, -1, (clockid_t clock, struct sigevent *ev, timer_t *ret), clock, ev, ret)
WRAP(int, memfd_create, -1, (const char *name, unsigned flags), name, flags)
WRAP(int, ftruncate, fd, (int fd, off_t size), fd, size)
WRAP(int, getsockname, fd, (int fd, struct sockaddr *a, socklen_t *len), fd, a, len)
WRAP_BYTES(read, (int fd, void *data, size_t len), fd, data, len)
WRAP_BYTES(write, (int fd, const void *data, size_t len), fd, data, len)
WRAP_BYTES(pwrite, (int fd, const void *data, size_t len, off_t at), fd, data, len, at)
WRAP_BYTES(send, (int fd, const void *data, size_t len, int flags), fd, data, len, flags)

/*
 * libuv asks first whether a descriptor may be waited for, with this in place of it; later it ends the process when it
 * may not.
 */
int epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev)
{
	int how = op == EPOLL_CTL_ADD && ev->data.fd == -1 ? judge(CALL_epoll_ctl, fd) : 0;
	REAL(epoll_ctl);

	if (how) {
		errno = how;
		return -1;
	}
	return real(epfd, op, fd, ev);
}

int pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	int how = judge(CALL_pthread_create, -1);
	REAL(pthread_create);

	return how ? how : real(ret, attr, run, arg);
}

#define WRAP_OPEN(name, params, ...)                            \
	int name params                                         \
	{                                                       \
		int how = judge(CALL_##name, -1);               \
		mode_t mode;                                    \
		va_list ap;                                     \
		REAL(name);                                     \
		va_start(ap, flags);                            \
		mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0; \
		va_end(ap);                                     \
		if (how) {                                      \
			errno = how;                            \
			return -1;                              \
		}                                               \
		return real(__VA_ARGS__, mode);                 \
	}

WRAP_OPEN(open, (const char *path, int flags, ...), path, flags)
WRAP_OPEN(openat, (int dir, const char *path, int flags, ...), dir, path, flags)

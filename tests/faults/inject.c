/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program that is compiled with these names changed has its own allocations spared: see spare_malloc(). */
#undef malloc
#undef calloc
#undef realloc
#undef reallocarray
#undef free
#include "tests/faults/inject.h"
#include "tests/libc_own.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define FRAMES 16
#define PAGE   4096ul

const char *const fault_names[FAULT_KINDS] = {
	"allocations", "KVM calls", "capabilities", "mappings", "descriptors", "threads",
};

static atomic_ullong chances[FAULT_KINDS];
static atomic_long blocks, mapped;
static atomic_bool happened, was_spared;
static const char *spared_library;
static atomic_int held;
static enum fault_kind armed;
static uint64_t armed_at;
static void *site[FRAMES];
static int nsite;
/* Where the fault is noted nothing is counted: to walk the stack may itself ask for memory. */
/* Volatile, as compilers know that calloc() looks at no variable. */
static __thread volatile int spared __attribute__((tls_model("initial-exec")));

void fault_arm(enum fault_kind kind, uint64_t n)
{
	void *warm[1];

	spared++;
	backtrace(warm, 1);     /* loads its library the first time */
	spared--;
	armed = kind;
	armed_at = n;
	for (unsigned i = 0; i < FAULT_KINDS; i++)
		atomic_store(&chances[i], 0);
	atomic_store(&happened, false);
	atomic_store(&was_spared, false);
}

void fault_spare_library(const char *prefix)
{
	spared_library = prefix;
}

bool fault_was_spared(void)
{
	return atomic_load(&was_spared);
}

uint64_t fault_chances(enum fault_kind kind)
{
	return atomic_load(&chances[kind]);
}

bool fault_happened(void)
{
	return atomic_load(&happened);
}

enum fault_kind fault_armed(void)
{
	return armed;
}

void fault_hold(void)
{
	atomic_fetch_add(&held, 1);
}

void fault_release(void)
{
	atomic_fetch_sub(&held, 1);
}

static bool by_spared_library(void)
{
	Dl_info where;

	for (int i = 0; spared_library && i < nsite; i++)
		if (dladdr(site[i], &where) && where.dli_fname && strrchr(where.dli_fname, '/') &&
		    !strncmp(strrchr(where.dli_fname, '/') + 1, spared_library, strlen(spared_library)))
			return true;
	return false;
}

static bool fails(enum fault_kind kind)
{
	bool spare;

	if (spared || atomic_load(&held))
		return false;
	if (atomic_fetch_add(&chances[kind], 1) + 1 != armed_at || kind != armed)
		return false;
	spared++;
	nsite = backtrace(site, FRAMES);
	spare = by_spared_library();
	spared--;
	atomic_store(spare ? &was_spared : &happened, true);
	return !spare;
}

void fault_print_site(void)
{
	char **names;

	if (!fault_happened())
		return;
	spared++;
	names = backtrace_symbols(site, nsite);
	for (int i = 0; names && i < nsite; i++)
		printf("# failed by request: %s\n", names[i]);
	free(names);
	spared--;
}

static long count_dir(const char *path)
{
	DIR *d;
	long n = 0;

	spared++;
	d = opendir(path);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	spared--;
	return n;
}

struct holdings holdings_now(void)
{
	return (struct holdings){
		.blocks = atomic_load(&blocks),
		.mapped = atomic_load(&mapped),
		.fds = count_dir("/proc/self/fd"),
		.threads = count_dir("/proc/self/task"),
	};
}

bool fault_sees_memory(void)
{
	return !SANITIZED;
}

void *spare_malloc(size_t size);
void *spare_calloc(size_t n, size_t size);
void *spare_realloc(void *p, size_t size);
void *spare_reallocarray(void *p, size_t n, size_t size);
void spare_free(void *p);

#if !SANITIZED
/* What is got while the fault is noted, or an inventory taken, is given back there; so all is counted. */
static void *got(void *p)
{
	if (p)
		atomic_fetch_add(&blocks, 1);
	return p;
}

static void *refused(void)
{
	errno = ENOMEM;
	return NULL;
}

void *malloc(size_t size)
{
	return fails(FAULT_ALLOC) ? refused() : got(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return fails(FAULT_ALLOC) ? refused() : got(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size)
{
	void *q;

	if (fails(FAULT_ALLOC))
		return refused();
	q = __libc_realloc(p, size);
	if (p && !q && !size)
		atomic_fetch_sub(&blocks, 1);
	return p ? q : got(q);
}

void *aligned_alloc(size_t align, size_t size)
{
	return fails(FAULT_ALLOC) ? refused() : got(__libc_memalign(align, size));
}

int posix_memalign(void **ret, size_t align, size_t size)
{
	void *p = fails(FAULT_ALLOC) ? NULL : got(__libc_memalign(align, size));

	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}

void free(void *p)
{
	if (p)
		atomic_fetch_sub(&blocks, 1);
	__libc_free(p);
}
#endif

void *spare_malloc(size_t size)
{
	void *p;

	spared++;
	p = malloc(size);
	spared--;
	return p;
}

void *spare_calloc(size_t n, size_t size)
{
	void *p;

	spared++;
	p = calloc(n, size);
	spared--;
	return p;
}

void *spare_realloc(void *p, size_t size)
{
	spared++;
	p = realloc(p, size);
	spared--;
	return p;
}

void *spare_reallocarray(void *p, size_t n, size_t size)
{
	spared++;
	p = reallocarray(p, n, size);
	spared--;
	return p;
}

void spare_free(void *p)
{
	free(p);
}

int ioctl(int fd, unsigned long request, ...);
int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (_IOC_TYPE(request) == KVMIO) {
		if (request == KVM_CHECK_EXTENSION && fails(FAULT_CAP)) {
			errno = EINVAL;
			return -1;
		}
		if (request != KVM_CHECK_EXTENSION && fails(FAULT_IOCTL)) {
			errno = ENOMEM;
			return -1;
		}
	}
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

static long pages(size_t len)
{
	return (long)((len + PAGE - 1) & ~(PAGE - 1));
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	void *p;

	if (fails(FAULT_MAP)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	p = (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, off);
	/* A fixed one is laid over what there is. */
	if (p != MAP_FAILED && !(flags & MAP_FIXED))
		atomic_fetch_add(&mapped, pages(len));
	return p;
}

int munmap(void *addr, size_t len)
{
	int r = (int)syscall(SYS_munmap, addr, len);

	if (!r)
		atomic_fetch_sub(&mapped, pages(len));
	return r;
}

void *mremap(void *addr, size_t was, size_t len, int flags, ...)
{
	va_list ap;
	void *to, *p;

	va_start(ap, flags);
	to = flags & MREMAP_FIXED ? va_arg(ap, void *) : NULL;
	va_end(ap);
	if (fails(FAULT_MAP)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	p = (void *)syscall(SYS_mremap, addr, was, len, flags, to);
	if (p != MAP_FAILED)
		atomic_fetch_add(&mapped, (flags & MREMAP_FIXED ? 0 : pages(len)) - pages(was));
	return p;
}

/* A call that makes a descriptor. */
#define MAKES_FD(name, params, ...)                     \
	int name params;                                \
	int name params                                 \
	{                                               \
		if (fails(FAULT_OPEN)) {                \
			errno = EMFILE;                 \
			return -1;                      \
		}                                       \
		return (int)syscall(__VA_ARGS__);       \
	}

#define OPEN_MODE(flags)                                \
	mode_t mode = 0;                                \
	va_list ap;                                     \
							\
	va_start(ap, flags);                            \
	if (flags & (O_CREAT | __O_TMPFILE))            \
		mode = va_arg(ap, mode_t);              \
	va_end(ap);                                     \
	if (fails(FAULT_OPEN)) {                        \
		errno = EMFILE;                         \
		return -1;                              \
	}

int open(const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	OPEN_MODE(flags)
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

MAKES_FD(memfd_create, (const char *name, unsigned flags), SYS_memfd_create, name, flags)
MAKES_FD(eventfd, (unsigned first, int flags), SYS_eventfd2, first, flags)
MAKES_FD(timerfd_create, (int clock, int flags), SYS_timerfd_create, clock, flags)
MAKES_FD(epoll_create1, (int flags), SYS_epoll_create1, flags)
MAKES_FD(pipe2, (int fds[2], int flags), SYS_pipe2, fds, flags)
MAKES_FD(socket, (int domain, int type, int protocol), SYS_socket, domain, type, protocol)

int __real_timer_create(clockid_t clock, struct sigevent *ev, timer_t *ret);
int __wrap_timer_create(clockid_t clock, struct sigevent *ev, timer_t *ret);
int __wrap_timer_create(clockid_t clock, struct sigevent *ev, timer_t *ret)
{
	if (fails(FAULT_OPEN)) {
		errno = EAGAIN;
		return -1;
	}
	return __real_timer_create(clock, ev, ret);
}

int __real_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	int r;

	if (fails(FAULT_THREAD))
		return EAGAIN;
	/* The C library keeps stacks, and what belongs to them, for the next thread. */
	spared++;
	r = __real_pthread_create(ret, attr, run, arg);
	spared--;
	return r;
}

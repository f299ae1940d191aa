/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program that is compiled with these names changed has its own allocations spared: see spare_malloc(). */
#undef malloc
#undef calloc
#undef realloc
#undef reallocarray
#undef free
#include "tests/faults/inject.h"
#include "tests/ioctl_own.h"
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
#include <unwind.h>

#ifdef __SANITIZE_THREAD__
#define SEES_MEMORY 0
#else
#define SEES_MEMORY 1
#endif

/* ASan's own are behind what stands here, which is called before ASan has begun. */
#ifdef __SANITIZE_ADDRESS__
#define UNSANITIZED __attribute__((no_sanitize("address", "undefined")))
#define COUNTS_BLOCKS 0         /* what ASan does itself, as strdup(), does not come by here */
#define __libc_malloc   __interceptor_malloc
#define __libc_calloc   __interceptor_calloc
#define __libc_realloc  __interceptor_realloc
#define __libc_memalign __interceptor_memalign
#define __libc_free     __interceptor_free
void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t n, size_t size);
void *__interceptor_realloc(void *p, size_t size);
void *__interceptor_memalign(size_t align, size_t size);
void __interceptor_free(void *p);
#else
#define UNSANITIZED
#define COUNTS_BLOCKS 1
#endif

#define FRAMES 16
#define NAMED_FRAMES 8          /* of those, the innermost: not whose thread it is, which may change */
#define RECORDED 16384
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
static uint64_t armed_name;
static unsigned armed_at;       /* 0: nothing fails */
static atomic_uint met;         /* of that name */
static atomic_uintptr_t phase;
static bool recording;
static uint64_t recorded[FAULT_KINDS][RECORDED];
static void *site[FRAMES];
static int nsite;
static pthread_t living;        /* the thread that lives, and where on its stack its life begins */
static uintptr_t life_base;
/* Where the fault is noted nothing is counted: to walk the stack may itself ask for memory. */
/* Volatile, as compilers know that calloc() looks at no variable. */
static __thread volatile int spared __attribute__((tls_model("initial-exec")));

/* Not before a thread's own code has begun: what a sanitizer does in it before that is its own affair. */
static __thread volatile bool begun __attribute__((tls_model("initial-exec")));

/* Callers, the innermost first, up to whoever had the thread live. */
struct walk {
	void *frames[FRAMES];
	int n;
	uintptr_t end;
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *c, void *arg)
{
	struct walk *w = arg;

	if (w->n == FRAMES || _Unwind_GetCFA(c) >= w->end)
		return _URC_END_OF_STACK;
	w->frames[w->n++] = (void *)_Unwind_GetIP(c);
	return _URC_NO_REASON;
}

/* To walk may itself ask for memory. */
static void walk(struct walk *w)
{
	w->n = 0;
	w->end = pthread_equal(living, pthread_self()) ? life_base : UINTPTR_MAX;
	spared++;
	_Unwind_Backtrace(on_frame, w);
	spared--;
}

static void begin(void)
{
	begun = true;
	for (unsigned i = 0; i < FAULT_KINDS; i++)
		atomic_store(&chances[i], 0);
	atomic_store(&phase, 0);
	atomic_store(&met, 0);
	atomic_store(&happened, false);
	atomic_store(&was_spared, false);
}

void fault_arm(enum fault_kind kind, uint64_t name, unsigned n)
{
	armed = kind;
	armed_name = name;
	armed_at = n;
	recording = false;
	begin();
}

void fault_record(void)
{
	armed_at = 0;
	recording = true;
	begin();
}

void fault_live(void (*live)(void))
{
	living = pthread_self();
	life_base = (uintptr_t)__builtin_frame_address(0);
	live();
	life_base = 0;
}

void fault_phase(uintptr_t now)
{
	atomic_store(&phase, now);
}

void fault_spare_library(const char *prefix)
{
	spared_library = prefix;
}

bool fault_was_spared(void)
{
	return atomic_load(&was_spared);
}

size_t fault_recorded(enum fault_kind kind)
{
	size_t n = atomic_load(&chances[kind]);

	return n < RECORDED ? n : RECORDED;
}

uint64_t fault_recorded_name(enum fault_kind kind, size_t n)
{
	return recorded[kind][n];
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

/* FNV-1a, by words. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	return (hash ^ word) * 0x100000001b3ull ^ hash >> 29;
}

/* The same for each call from there, be it the first or the last; WHAT: what is asked for. */
static uint64_t name_chance(uint64_t what, void *const *frames, int n)
{
	uint64_t hash = mix(mix(0xcbf29ce484222325ull, what), atomic_load(&phase));

	for (int i = 0; i < n && i < NAMED_FRAMES; i++)
		hash = mix(hash, (uintptr_t)frames[i]);
	return hash;
}

static bool decide(enum fault_kind kind, uint64_t what)
{
	uint64_t at, name;
	struct walk w;
	bool spare;

	walk(&w);
	name = name_chance(what, w.frames, w.n);
	if (recording) {
		at = atomic_fetch_add(&chances[kind], 1);
		if (at < RECORDED)
			recorded[kind][at] = name;
		return false;
	}
	if (name != armed_name || atomic_fetch_add(&met, 1) + 1 != armed_at)
		return false;
	memcpy(site, w.frames, sizeof(site));
	nsite = w.n;
	spared++;
	spare = by_spared_library();
	spared--;
	atomic_store(spare ? &was_spared : &happened, true);
	return !spare;
}

/* A chance of KIND to fail; WHAT is asked for. */
UNSANITIZED static bool fails(enum fault_kind kind, uint64_t what)
{
	bool waiting = armed_at && kind == armed && atomic_load(&met) < armed_at;

	return begun && !spared && !atomic_load(&held) && (recording || waiting) && decide(kind, what);
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
		.blocks = COUNTS_BLOCKS ? atomic_load(&blocks) : 0,
		.mapped = atomic_load(&mapped),
		.fds = count_dir("/proc/self/fd"),
		.threads = count_dir("/proc/self/task"),
	};
}

bool fault_sees_memory(void)
{
	return SEES_MEMORY;
}

void *spare_malloc(size_t size);
void *spare_calloc(size_t n, size_t size);
void *spare_realloc(void *p, size_t size);
void *spare_reallocarray(void *p, size_t n, size_t size);
void spare_free(void *p);

#if SEES_MEMORY
/* What is got while the fault is noted, or an inventory taken, is given back there; so all is counted. */
UNSANITIZED static void *got(void *p)
{
	if (p)
		atomic_fetch_add(&blocks, 1);
	return p;
}

UNSANITIZED static void *refused(void)
{
	errno = ENOMEM;
	return NULL;
}

UNSANITIZED void *malloc(size_t size)
{
	return fails(FAULT_ALLOC, 0) ? refused() : got(__libc_malloc(size));
}

UNSANITIZED void *calloc(size_t n, size_t size)
{
	return fails(FAULT_ALLOC, 0) ? refused() : got(__libc_calloc(n, size));
}

UNSANITIZED void *realloc(void *p, size_t size)
{
	void *q;

	if (fails(FAULT_ALLOC, 0))
		return refused();
	q = __libc_realloc(p, size);
	if (p && !q && !size)
		atomic_fetch_sub(&blocks, 1);
	return p ? q : got(q);
}

UNSANITIZED void *aligned_alloc(size_t align, size_t size)
{
	return fails(FAULT_ALLOC, 0) ? refused() : got(__libc_memalign(align, size));
}

UNSANITIZED int posix_memalign(void **ret, size_t align, size_t size)
{
	void *p = fails(FAULT_ALLOC, 0) ? NULL : got(__libc_memalign(align, size));

	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}

UNSANITIZED void free(void *p)
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

int ioctl_judge(unsigned long request, const void *arg)
{
	if (_IOC_TYPE(request) != KVMIO)
		return 0;
	if (request == KVM_CHECK_EXTENSION)
		return fails(FAULT_CAP, (uintptr_t)arg) ? EINVAL : 0;
	return fails(FAULT_IOCTL, request) ? ENOMEM : 0;
}

static long pages(size_t len)
{
	return (long)((len + PAGE - 1) & ~(PAGE - 1));
}

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	void *p;

	if (fails(FAULT_MAP, 0)) {
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
	if (fails(FAULT_MAP, 0)) {
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
		if (fails(FAULT_OPEN, 0)) {                \
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
	if (fails(FAULT_OPEN, 0)) {                        \
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
	if (fails(FAULT_OPEN, 0)) {
		errno = EAGAIN;
		return -1;
	}
	return __real_timer_create(clock, ev, ret);
}

struct thread {
	void *(*run)(void *arg);
	void *arg;
};

static void *run_thread(void *arg)
{
	struct thread t = *(struct thread *)arg;

	free(arg);
	begun = true;
	return t.run(t.arg);
}

int __real_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	struct thread *t;
	int r;

	if (fails(FAULT_THREAD, 0))
		return EAGAIN;
	t = spare_malloc(sizeof(*t));
	if (!t)
		return EAGAIN;
	*t = (struct thread){ .run = run, .arg = arg };
	/* The C library keeps stacks, and what belongs to them, for the next thread. */
	spared++;
	r = __real_pthread_create(ret, attr, run_thread, t);
	spared--;
	if (r)
		free(t);
	return r;
}

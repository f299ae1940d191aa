/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_S 60           /* of one life, on a busy host */
#define RECORDINGS 3            /* a life with threads does not ask for quite the same each time */
#define ALIKE      10           /* chances of one name that are tried */
#define JOBS_MAX   16
#define WAITING    3            /* lives a processor: mostly they wait for the kernel, which makes and ends virtual machines */
#define GONE_MS    10000        /* for threads that have ended, on a busy host */
#define BAD_MAX    20           /* after so many lives that went wrong a kind is given up */

/* How a life's process ends. */
enum { ENDED_WELL, ENDED_WRONG, ENDED_UNHURT, ENDED_SPARED };

/* In a build for coverage, when the linker is told to have it (tests/analyse/coverage.sh): writes what was counted. */
extern void __gcov_dump(void) __attribute__((weak));

static void __attribute__((noreturn)) leave(int status)
{
	fault_hold();
	if (__gcov_dump)
		__gcov_dump();
	_exit(status);
}

void wrong(const char *fmt, ...)
{
	va_list ap;

	fault_hold();
	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fault_print_site();
	fflush(stdout);
	leave(ENDED_WRONG);
}

void sweep_file(char *path, size_t room, const char *dir, const char *name, const void *head, size_t nhead, off_t size)
{
	int fd;

	snprintf(path, room, "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, size) || write(fd, head, nhead) != (ssize_t)nhead)
		wrong("%s: %s", path, strerror(errno));
	close(fd);
}

bool judge_failure(const char *what, int r, const struct err *e)
{
	size_t len = strnlen(e->msg, sizeof(e->msg));

	if (r >= 0)
		return false;
	if (!fault_happened())
		wrong("%s: failed without a fault: %d, \"%s\"", what, r, e->msg);
	if (!len || len == sizeof(e->msg) || strchr(e->msg, '\n') || e->code != -r)
		wrong("%s: answered %d, and code %d with \"%.*s\"", what, r, e->code, (int)len, e->msg);
	return true;
}

/* In a build with ASan: shows what nobody holds any more, and returns whether that is anything. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* One chance to be tried: the Nth of its name. */
struct chance {
	uint64_t name;
	unsigned n;
};

/* What one kind of faults can do to one life. */
struct plan {
	struct chance *tries;
	size_t ntries, total;   /* the total, with those that are like others */
};

/* A process that lives. */
struct job {
	pid_t pid;              /* 0: none */
	size_t number;
	int said;               /* what it prints */
};

static unsigned long injected[FAULT_KINDS];

/* A thread that was joined is in /proc for a moment yet, and nothing tells when it has gone. */
static struct holdings holdings_settled(long threads)
{
	struct holdings h = holdings_now();

	for (unsigned i = 0; i < GONE_MS && h.threads > threads; i++) {
		poll(NULL, 0, 1);
		h = holdings_now();
	}
	return h;
}

static void child(const struct life *life, enum fault_kind kind, const struct chance *c)
{
	struct holdings was = holdings_now(), is;

	alarm(DEADLINE_S);
	fault_arm(kind, c->name, c->n);
	fault_live(life->live);
	fault_hold();
	is = holdings_settled(was.threads);
	if (!fault_happened())
		leave(fault_was_spared() ? ENDED_SPARED : ENDED_UNHURT);
	if (__lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check())
		wrong("memory is left that nobody holds");
	if (is.blocks != was.blocks || is.mapped != was.mapped || is.fds != was.fds || is.threads != was.threads)
		wrong("left behind: %ld blocks of memory, %ld bytes mapped, %ld descriptors, %ld threads",
		      is.blocks - was.blocks, is.mapped - was.mapped, is.fds - was.fds, is.threads - was.threads);
	leave(ENDED_WELL);
}

/* Has a process live with chance NUMBER; what it prints is kept, so that lines of several do not mix. */
static bool start(struct job *j, const struct life *life, enum fault_kind kind, const struct plan *plan, size_t number)
{
	fflush(stdout);
	j->number = number;
	j->said = memfd_create("said", MFD_CLOEXEC);
	if (j->said < 0) {
		printf("# memfd_create: %s\n", strerror(errno));
		return false;
	}
	j->pid = fork();
	if (!j->pid) {
		dup2(j->said, STDOUT_FILENO);
		dup2(j->said, STDERR_FILENO);
		child(life, kind, &plan->tries[number]);
	}
	if (j->pid > 0)
		return true;
	printf("# fork: %s\n", strerror(errno));
	close(j->said);
	j->pid = 0;
	return false;
}

static void print_said(int fd)
{
	char buf[4096];
	ssize_t n;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
}

/* How J ended: an enum above, or -1 with a line said. */
static int ended(const struct job *j, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) <= ENDED_SPARED && WEXITSTATUS(status) != ENDED_WRONG)
		return WEXITSTATUS(status);
	print_said(j->said);
	if (WIFSIGNALED(status))
		printf("# %s\n", WTERMSIG(status) == SIGALRM ? "it hung" : strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != ENDED_WRONG)
		printf("# the process ended with status %d\n", WEXITSTATUS(status));
	return -1;
}

static unsigned long jobs_wanted(void)
{
	const char *how = getenv("GV_FAULT_JOBS");
	unsigned long n = how ? strtoul(how, NULL, 10) : (unsigned long)sysconf(_SC_NPROCESSORS_ONLN) * WAITING;

	return n < 1 ? 1 : n < JOBS_MAX ? n : JOBS_MAX;
}

/*
 * Tries every STRIDEth chance behind the first ALL, several at once; returns how many lives went wrong, and *RET_HURT met
 * their fault.
 */
static unsigned try_all(const struct life *life, enum fault_kind kind, const struct plan *plan, size_t all,
			size_t stride, unsigned long *ret_hurt)
{
	struct job jobs[JOBS_MAX] = { 0 };
	unsigned long njobs = jobs_wanted(), running = 0;
	unsigned bad = 0;
	size_t next = 0;

	*ret_hurt = 0;
	while (running || (next < plan->ntries && bad < BAD_MAX)) {
		struct job *j = jobs;
		int status, r;
		pid_t pid;

		while (j < jobs + njobs && j->pid)
			j++;
		if (j < jobs + njobs && next < plan->ntries && bad < BAD_MAX) {
			if (start(j, life, kind, plan, next))
				running++;
			else
				bad++;
			next += next < all ? 1 : stride;
			continue;
		}
		pid = waitpid(-1, &status, 0);
		for (j = jobs; j < jobs + njobs && j->pid != pid; j++)
			;
		if (pid < 0 || j == jobs + njobs)
			continue;
		running--;
		r = ended(j, status);
		*ret_hurt += r == ENDED_WELL || r < 0;
		if (r < 0) {
			printf("# %s: number %zu of the %s\n", life->name, j->number, fault_names[kind]);
			bad++;
		}
		close(j->said);
		j->pid = 0;
	}
	return bad;
}

static size_t count_name(enum fault_kind kind, size_t until, uint64_t name)
{
	size_t n = 0;

	for (size_t i = 0; i < until; i++)
		n += fault_recorded_name(kind, i) == name;
	return n;
}

/* Takes what has been recorded into the plan: each name's first chance, then each one's second, and so on. */
static void plan_take(struct plan *p, enum fault_kind kind)
{
	size_t n = fault_recorded(kind);

	p->total = n > p->total ? n : p->total;
	for (unsigned nth = 1; nth <= ALIKE; nth++)
		for (size_t i = 0; i < n; i++) {
			struct chance c = { .name = fault_recorded_name(kind, i), .n = nth };
			size_t k = 0;

			if (count_name(kind, i, c.name) != nth - 1)
				continue;
			while (k < p->ntries && (p->tries[k].name != c.name || p->tries[k].n != nth))
				k++;
			if (k < p->ntries)
				continue;
			p->tries = reallocarray(p->tries, p->ntries + 1, sizeof(*p->tries));
			if (!p->tries)
				wrong("out of memory");
			p->tries[p->ntries++] = c;
		}
}

/* Lives unhurt, a few times.  What is made once and kept, by the libraries too, is there then. */
static void make_plans(const struct life *life, struct plan *plans)
{
	life->live();
	for (unsigned i = 0; i < RECORDINGS; i++) {
		fault_record();
		fault_live(life->live);
		fault_hold();
		for (unsigned k = 0; k < FAULT_KINDS; k++)
			if (life->kinds & 1u << k)
				plan_take(&plans[k], k);
		fault_release();
	}
	fault_arm(0, 0, 0);
}

static void sweep_kind(const struct life *life, enum fault_kind kind, const struct plan *p, bool everything,
		       unsigned point)
{
	size_t all = everything ? p->ntries : life->all, rest = p->ntries > all ? p->ntries - all : 0;
	size_t stride = rest <= life->more ? 1 : (rest + life->more - 1) / life->more;
	unsigned long hurt;
	unsigned bad = try_all(life, kind, p, all, stride, &hurt);

	printf("%s %u - %s: %lu of %zu %s fail one at a time", bad ? "not ok" : "ok", point, life->name, hurt, p->total,
	       fault_names[kind]);
	if (p->ntries < p->total)
		printf(" (%zu are like %u others)", p->total - p->ntries, ALIKE);
	putchar('\n');
	injected[kind] += hurt;
}

/* One number, to try a life with that fault alone: under a debugger, say. */
static int one(const struct life *lives, unsigned n, const char *name, const char *kind, const char *number)
{
	unsigned long at = strtoul(number, NULL, 10);

	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < FAULT_KINDS; k++) {
			struct plan plans[FAULT_KINDS] = { 0 };

			if (strcmp(lives[i].name, name) || strcmp(fault_names[k], kind))
				continue;
			make_plans(&lives[i], plans);
			if (at < plans[k].ntries)
				child(&lives[i], k, &plans[k].tries[at]);
		}
	fprintf(stderr, "no such life, kind or number\n");
	return 2;
}

static void print_numbers(void)
{
	unsigned long sum = 0;
	const char *mark = " (";

	for (unsigned k = 0; k < FAULT_KINDS; k++)
		sum += injected[k];
	printf("# NUMBERS: faults injected: %lu", sum);
	for (unsigned k = 0; k < FAULT_KINDS; k++) {
		if (!injected[k])
			continue;
		printf("%s%s %lu", mark, fault_names[k], injected[k]);
		mark = ", ";
	}
	puts(sum ? ")" : "");
}

int sweep(const struct life *lives, unsigned n)
{
	const char *how = getenv("GV_FAULTS"), *only = getenv("GV_FAULT_ONE");
	char buf[128], *life, *kind, *number, *save;
	unsigned points = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (only && strlen(only) < sizeof(buf)) {
		strcpy(buf, only);
		life = strtok_r(buf, ":", &save);
		kind = strtok_r(NULL, ":", &save);
		number = strtok_r(NULL, ":", &save);
		return life && kind && number ? one(lives, n, life, kind, number) : 2;
	}
	for (unsigned i = 0; i < n; i++) {
		struct plan plans[FAULT_KINDS] = { 0 };

		make_plans(&lives[i], plans);
		for (unsigned k = 0; k < FAULT_KINDS; k++) {
			if (plans[k].ntries)
				sweep_kind(&lives[i], k, &plans[k], how && !strcmp(how, "all"), ++points);
			free(plans[k].tries);
		}
	}
	print_numbers();
	printf("1..%u\n", points);
	return 0;
}

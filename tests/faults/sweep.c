/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/faults/sweep.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_S 60           /* of one life, on a busy host */

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

static void child(const struct life *life, enum fault_kind kind, uint64_t n)
{
	struct holdings was = holdings_now(), is;

	alarm(DEADLINE_S);
	fault_arm(kind, n);
	life->live();
	fault_hold();
	is = holdings_now();
	if (!fault_happened())
		leave(fault_was_spared() ? ENDED_SPARED : ENDED_UNHURT);
	if (is.blocks != was.blocks || is.mapped != was.mapped || is.fds != was.fds || is.threads != was.threads)
		wrong("left behind: %ld blocks of memory, %ld bytes mapped, %ld descriptors, %ld threads",
		      is.blocks - was.blocks, is.mapped - was.mapped, is.fds - was.fds, is.threads - was.threads);
	leave(ENDED_WELL);
}

/* How the process that lives with this fault ended: an enum above, or -1 with a line said. */
static int try(const struct life *life, enum fault_kind kind, uint64_t n)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		child(life, kind, n);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		printf("# fork: %s\n", strerror(errno));
		return -1;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) <= ENDED_SPARED)
		return WEXITSTATUS(status);
	if (WIFEXITED(status))
		printf("# the process ended with status %d\n", WEXITSTATUS(status));
	else
		printf("# %s\n", WTERMSIG(status) == SIGALRM ? "it hung" : strsignal(WTERMSIG(status)));
	return -1;
}

/* Tries one kind; returns how many lives went wrong. */
static unsigned sweep_kind(const struct life *life, enum fault_kind kind, uint64_t total, bool all, uint64_t *tried)
{
	uint64_t rest = total > life->all ? total - life->all : 0;
	uint64_t stride = all || rest <= life->more ? 1 : (rest + life->more - 1) / life->more;
	unsigned bad = 0;
	int r;

	*tried = 0;
	/* A life with threads does not take the same number of calls each time: until none is met any more. */
	for (uint64_t n = 1;; n += n <= life->all ? 1 : stride) {
		r = try(life, kind, n);
		if (r == ENDED_UNHURT && n > total)
			break;
		if (r == ENDED_UNHURT)
			continue;
		*tried += r != ENDED_SPARED;
		if (r == ENDED_WELL || r == ENDED_SPARED)
			continue;
		printf("# %s: number %llu of the %s\n", life->name, (unsigned long long)n, fault_names[kind]);
		if (++bad == 20 && !all)
			break;
	}
	return bad;
}

/* One number, to try a life with that fault alone: under a debugger, say. */
static int one(const struct life *lives, unsigned n, const char *name, const char *kind, const char *number)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < FAULT_KINDS; k++)
			if (!strcmp(lives[i].name, name) && !strcmp(fault_names[k], kind)) {
				lives[i].live();
				lives[i].live();
				child(&lives[i], k, strtoull(number, NULL, 10));
			}
	fprintf(stderr, "no such life or kind\n");
	return 2;
}

int sweep(const struct life *lives, unsigned n)
{
	const char *how = getenv("GV_FAULTS"), *only = getenv("GV_FAULT_ONE");
	char buf[128], *life, *kind, *number, *save;
	bool all = how && !strcmp(how, "all");
	unsigned points = 0, bad;
	uint64_t total[FAULT_KINDS], tried;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (only && strlen(only) < sizeof(buf)) {
		strcpy(buf, only);
		life = strtok_r(buf, ":", &save);
		kind = strtok_r(NULL, ":", &save);
		number = strtok_r(NULL, ":", &save);
		return life && kind && number ? one(lives, n, life, kind, number) : 2;
	}
	for (unsigned i = 0; i < n; i++) {
		/* What is made once and kept, by the libraries too, is there then. */
		lives[i].live();
		fault_arm(FAULT_ALLOC, 0);
		lives[i].live();
		for (unsigned k = 0; k < FAULT_KINDS; k++)
			total[k] = fault_chances(k);
		for (unsigned k = 0; k < FAULT_KINDS; k++) {
			if (!(lives[i].kinds & 1u << k) || !total[k])
				continue;
			bad = sweep_kind(&lives[i], k, total[k], all, &tried);
			printf("%s %u - %s: %llu of %llu %s fail one at a time\n", bad ? "not ok" : "ok", ++points, lives[i].name,
			       (unsigned long long)tried, (unsigned long long)total[k], fault_names[k]);
		}
	}
	printf("1..%u\n", points);
	return 0;
}

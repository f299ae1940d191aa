/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program's own filter on a child of this test, which then tries what an intruder would. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit.h"

/* 0, or what errno was. */
#define SAID(call) ((call) == -1 ? errno : 0)

static char scratch[] = "/tmp/gvsandboxXXXXXX";

static int try_open(void)
{
	return SAID(open("/dev/null", O_RDONLY));
}

static int try_openat(void)
{
	return SAID(openat(AT_FDCWD, "/dev/null", O_RDWR));
}

static int try_openat2(void)
{
	uint64_t how[3] = { O_RDONLY };

	return SAID(syscall(SYS_openat2, AT_FDCWD, "/dev/null", how, sizeof(how)));
}

static int try_creat(void)
{
	return SAID(creat(scratch, 0600));
}

static int try_rename(void)
{
	return SAID(rename(scratch, scratch));
}

static int try_mkdir(void)
{
	return SAID(mkdir("/tmp/.", 0700)) == EPERM ? EPERM : 0;
}

static int try_unlink(void)
{
	return SAID(unlink(scratch)) == EPERM ? EPERM : 0;
}

static int try_unix(void)
{
	return SAID(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int try_inet(void)
{
	return SAID(socket(AF_INET, SOCK_STREAM, 0));
}

static int try_pair(void)
{
	int two[2];

	return SAID(socketpair(AF_UNIX, SOCK_STREAM, 0, two));
}

static int try_connect(void)
{
	return SAID(connect(0, NULL, 0)) == EPERM ? EPERM : 0;
}

static int try_listen(void)
{
	return SAID(listen(0, 1)) == EPERM ? EPERM : 0;
}

static int try_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return SAID(pid);
}

static int try_vfork(void)
{
	return SAID(syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL)) == EPERM ? EPERM : 0;
}

static int try_clone3(void)
{
	return SAID(syscall(SYS_clone3, NULL, 0)) == EPERM ? EPERM : 0;
}

static int try_kill(void)
{
	return SAID(kill(getppid(), 0));
}

static int try_tgkill(void)
{
	return SAID(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int try_executable(void)
{
	return SAID((intptr_t)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static int try_mprotect(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 0 : SAID(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int try_pkey(void)
{
	return SAID(syscall(SYS_pkey_mprotect, NULL, 0, PROT_EXEC, -1));
}

static int try_shmat(void)
{
	return SAID(syscall(SYS_shmget, 0x7ffffff, 1, 0)) == EPERM ? EPERM : 0;
}

static int try_typing(void)
{
	return SAID(ioctl(0, TIOCSTI, "x")) == EPERM ? EPERM : 0;
}

static int try_block(void)
{
	return SAID(ioctl(0, _IO(0x12, 96), NULL)) == EPERM ? EPERM : 0;
}

static int try_io_uring(void)
{
	return SAID(syscall(SYS_io_uring_setup, 1, NULL)) == EPERM ? EPERM : 0;
}

static int try_limit(void)
{
	uint64_t limit[2] = { 64, 64 };

	return SAID(syscall(SYS_prlimit64, 0, 7, limit, NULL));
}

static int try_unknown(void)
{
	return SAID(syscall(999)) == EPERM ? EPERM : 0;
}

/* At either level; those of files at SANDBOX_SHUT alone. */
static const struct forbidden {
	const char *what;
	int (*call)(void);
	bool files;
} forbidden[] = {
	{ "open", try_open, true },
	{ "openat", try_openat, true },
	{ "creat", try_creat, true },
	{ "rename", try_rename, true },
	{ "mkdir", try_mkdir, true },
	{ "unlink", try_unlink, true },
	{ "openat2", try_openat2, false },
	{ "socket(AF_UNIX)", try_unix, false },
	{ "socket(AF_INET)", try_inet, false },
	{ "socketpair", try_pair, false },
	{ "connect", try_connect, false },
	{ "listen", try_listen, false },
	{ "fork", try_fork, false },
	{ "clone", try_vfork, false },
	{ "clone3", try_clone3, false },
	{ "kill another process", try_kill, false },
	{ "tgkill another process", try_tgkill, false },
	{ "executable mmap", try_executable, false },
	{ "mprotect to executable", try_mprotect, false },
	{ "pkey_mprotect", try_pkey, false },
	{ "System V memory", try_shmat, false },
	{ "typing for the terminal's user", try_typing, false },
	{ "a block device's ioctl", try_block, false },
	{ "io_uring", try_io_uring, false },
	{ "setting a limit", try_limit, false },
	{ "a call that nobody knows", try_unknown, false },
};

static const struct deadly {
	const char *what;
	long nr;
} deadly[] = {
	{ "execve", SYS_execve }, { "execveat", SYS_execveat }, { "ptrace", SYS_ptrace },
	{ "process_vm_writev", SYS_process_vm_writev }, { "mount", SYS_mount }, { "init_module", SYS_init_module },
	{ "finit_module", SYS_finit_module }, { "kexec_load", SYS_kexec_load }, { "bpf", SYS_bpf }, { "unshare", SYS_unshare },
	{ "setns", SYS_setns }, { "chroot", SYS_chroot }, { "reboot", SYS_reboot }, { "setuid", SYS_setuid },
	{ "open_by_handle_at", SYS_open_by_handle_at }, { "userfaultfd", SYS_userfaultfd },
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

enum { ENTERED = 42, NOT_ENTERED = 43 };

/* The status with which a child ends that enters LEVEL and then calls DO(ARG), which says with what it exits. */
static int confined(enum sandbox_level level, bool unlink_too, int (*what)(const void *arg), const void *arg)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		struct err err = { 0 };

		signal(SIGSYS, SIG_DFL);
		if (sandbox_enter(level, unlink_too, &err)) {
			fprintf(stderr, "# %s\n", err.msg);
			_exit(NOT_ENTERED);
		}
		_exit(what(arg));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* In the child: the first that went through, counted from 1; 0: none. */
static int all_refused(const void *arg)
{
	bool with_files = *(const bool *)arg;

	for (size_t i = 0; i < LENGTH(forbidden); i++)
		if ((with_files || !forbidden[i].files) && forbidden[i].call() != EPERM)
			return 1 + (int)i;
	return 0;
}

static void check_refused(enum sandbox_level level, bool with_files)
{
	int status = confined(level, false, all_refused, &with_files), bad = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	ck_assert_msg(bad == 0, "%s (status 0x%x)", bad > 0 && bad <= (int)LENGTH(forbidden) ? forbidden[bad - 1].what : "?", status);
}

START_TEST(shut)
{
	check_refused(SANDBOX_SHUT, true);
}

START_TEST(files_level)
{
	check_refused(SANDBOX_FILES, false);
}

static int call_it(const void *arg)
{
	const struct deadly *d = arg;

	syscall(d->nr, -1, 0, 0, 0, 0);
	return ENTERED;
}

START_TEST(kills)
{
	for (size_t i = 0; i < LENGTH(deadly); i++)
		for (int level = SANDBOX_FILES; level <= SANDBOX_SHUT; level++) {
			int status = confined((enum sandbox_level)level, true, call_it, &deadly[i]);

			ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%s: status 0x%x", deadly[i].what, status);
		}
}

/* A 32-bit call has numbers of its own: 5 is open there. */
static int call_32_bit(const void *arg)
{
	long r;

	(void)arg;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(5), "b"(0), "c"(0), "d"(0) : "memory");
	return ENTERED;
}

START_TEST(other_architecture)
{
	int status = confined(SANDBOX_FILES, true, call_32_bit, NULL);

	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM, "status 0x%x", status);
}

/* What the program does all the time. */
static int work(const void *arg)
{
	char name[64];
	int fd, two[2];
	void *p;

	snprintf(name, sizeof(name), "%s.new", scratch);
	if (*(const bool *)arg) {
		fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) || unlink(name))
			return 1;
	}
	if (pipe(two) || write(two[1], "x", 1) != 1)
		return 2;
	fd = (int)syscall(SYS_memfd_create, "slot", 0);
	if (fd < 0 || ftruncate(fd, 8192))
		return 3;
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || mprotect(p, 4096, PROT_READ) || madvise(p, 4096, MADV_NORMAL))
		return 4;
	if (raise(SIGWINCH) || ioctl(two[0], FIONREAD, &fd))
		return 5;
	free(malloc(1 << 22));
	return ENTERED;
}

START_TEST(what_is_needed)
{
	const bool yes = true, no = false;
	int status = confined(SANDBOX_FILES, false, work, &yes);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == ENTERED, "files: status 0x%x", status);
	status = confined(SANDBOX_SHUT, false, work, &no);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == ENTERED, "shut: status 0x%x", status);
}

static int remove_it(const void *arg)
{
	(void)arg;
	return unlink(scratch) ? errno : ENTERED;
}

START_TEST(own_sockets)
{
	int fd = open(scratch, O_WRONLY | O_CREAT, 0600), status;

	ck_assert_int_ge(fd, 0);
	close(fd);
	status = confined(SANDBOX_SHUT, false, remove_it, NULL);
	ck_assert_int_eq(WEXITSTATUS(status), EPERM);
	status = confined(SANDBOX_SHUT, true, remove_it, NULL);
	ck_assert_int_eq(WEXITSTATUS(status), ENTERED);
}

static pthread_barrier_t barrier;
static int other_said;

static void *other_thread(void *arg)
{
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	other_said = try_open();
	return arg;
}

/* A thread that was there before is confined, too. */
START_TEST(threads)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid) {
		struct err err = { 0 };
		pthread_t t;

		pthread_barrier_init(&barrier, NULL, 2);
		if (pthread_create(&t, NULL, other_thread, NULL))
			_exit(NOT_ENTERED);
		pthread_barrier_wait(&barrier);
		if (sandbox_enter(SANDBOX_SHUT, false, &err))
			_exit(NOT_ENTERED);
		pthread_barrier_wait(&barrier);
		pthread_join(t, NULL);
		_exit(other_said);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == EPERM, "status 0x%x", status);
}

static int twice(const void *arg)
{
	struct err err = { 0 };

	(void)arg;
	return sandbox_enter(SANDBOX_SHUT, false, &err) && *err.msg ? ENTERED : 1;
}

/* Nobody adds to a filter. */
START_TEST(again)
{
	int status = confined(SANDBOX_FILES, false, twice, NULL);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == ENTERED, "status 0x%x", status);
}

int main(void)
{
	Suite *s;
	TCase *t;

	if (!sandbox_built())
		return unit_skip_all(sandbox_why_not());
	s = suite_create("sandbox");
	t = tcase_create("confined");
	close(mkstemp(scratch));
	tcase_set_timeout(t, 60);
	tcase_add_test(t, shut);
	tcase_add_test(t, files_level);
	tcase_add_test(t, kills);
	tcase_add_test(t, other_architecture);
	tcase_add_test(t, what_is_needed);
	tcase_add_test(t, own_sockets);
	tcase_add_test(t, threads);
	tcase_add_test(t, again);
	suite_add_tcase(s, t);
	int r = unit_main(s);

	unlink(scratch);
	return r;
}

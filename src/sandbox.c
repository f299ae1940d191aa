/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox.h"

#include <errno.h>

#include "config.h"

/* A sanitizer's own calls (maps, stacks, other threads' memory) are nobody's to list. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WHY_NOT "it was built with a sanitizer"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define WHY_NOT "it was built with a sanitizer"
#endif
#endif
#if !defined(WHY_NOT) && !defined(HAVE_SECCOMP)
#define WHY_NOT "it was built without libseccomp"
#endif

bool sandbox_built(void)
{
	return !sandbox_why_not();
}

const char *sandbox_describe(enum sandbox_level level)
{
	return level == SANDBOX_SHUT ? "on, nothing can be opened" : "on, files for the monitor's commands";
}

#ifdef WHY_NOT

const char *sandbox_why_not(void)
{
	return WHY_NOT;
}

int sandbox_enter(enum sandbox_level level, bool unlink, struct err *err)
{
	(void)level;
	(void)unlink;
	return err_set(err, ENOTSUP, "no sandbox: " WHY_NOT);
}

#else

#include <asm/termbits.h>       /* on some hosts a request has the size of the kernel's struct termios in it */
#include <linux/kvm.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __powerpc__
/* There the numbers have the size of the kernel's struct termios in them, which is not the C library's. */
#include <asm/termbits.h>
#endif

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

#define ROOM (1u << 20)         /* bytes, more than libseccomp takes for this */
#define IOCTL_TYPE 0xff00u      /* the bits of a request that say whose it is (asm-generic/ioctl.h) */

static const int always[] = {
	/* descriptors there are */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(preadv),
	SCMP_SYS(pwritev), SCMP_SYS(preadv2), SCMP_SYS(pwritev2), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(dup2),
	SCMP_SYS(dup3), SCMP_SYS(fcntl), SCMP_SYS(fdatasync), SCMP_SYS(fsync), SCMP_SYS(fallocate), SCMP_SYS(ftruncate),
	SCMP_SYS(flock), SCMP_SYS(fadvise64),
	/* what a file is, not what is in it */
	SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(getcwd),
	/* waiting */
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_create1), SCMP_SYS(eventfd2), SCMP_SYS(pipe2),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime), SCMP_SYS(timer_create),
	SCMP_SYS(timer_settime), SCMP_SYS(timer_gettime), SCMP_SYS(timer_getoverrun), SCMP_SYS(timer_delete), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(futex), SCMP_SYS(restart_syscall),
	/* clients of the sockets there are: none can be made, so these reach nobody else */
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(shutdown),
	/* memory: what maps it is below */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(mincore), SCMP_SYS(msync),
	SCMP_SYS(memfd_create), SCMP_SYS(membarrier),
	/* signals and time */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait), SCMP_SYS(rt_sigpending),
	SCMP_SYS(sigaltstack), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(times), SCMP_SYS(getrusage), SCMP_SYS(getrandom),
	/* threads, whose beginning may come after the filter's */
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_setaffinity),
	SCMP_SYS(sched_getattr), SCMP_SYS(sched_setattr), SCMP_SYS(getcpu), SCMP_SYS(gettid), SCMP_SYS(exit),
	/* this process */
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getpgrp), SCMP_SYS(getpgid), SCMP_SYS(getsid), SCMP_SYS(getuid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getrlimit), SCMP_SYS(uname), SCMP_SYS(sysinfo),
	SCMP_SYS(exit_group),
};

/* SANDBOX_FILES alone. */
static const int files[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(creat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchown),
	SCMP_SYS(truncate), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
	SCMP_SYS(copy_file_range), SCMP_SYS(umask),
};

static const int unlinking[] = { SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rmdir) };

/* Nobody tries these and goes on. */
static const int deadly[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd), SCMP_SYS(open_by_handle_at), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(move_mount),
	SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsmount), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare),
	SCMP_SYS(setns), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(bpf), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(iopl),
	SCMP_SYS(ioperm), SCMP_SYS(modify_ldt), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(userfaultfd),
	SCMP_SYS(personality), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(setuid), SCMP_SYS(setgid),
	SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(capset),
};

/* Terminals and pipes; not TIOCSTI, which types for the person. */
static const unsigned long ioctls[] = {
	TCGETS, TCSETS, TCSETSW, TCSETSF, TCXONC, TCFLSH, TCSBRK, TIOCGWINSZ, TIOCSWINSZ, TIOCGPGRP, TIOCOUTQ, TIOCGPTN, FIONREAD,
	FIONBIO, FIOCLEX, FIONCLEX,
};

/* To this process, whose number is their first argument. */
static const int signalling[] = { SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo) };

/* Without PROT_EXEC, their third argument. */
static const int mapping[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };

const char *sandbox_why_not(void)
{
	return NULL;
}

static int add_all(scmp_filter_ctx c, uint32_t action, const int *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && !r; i++)
		r = seccomp_rule_add(c, action, calls[i], 0);
	return r;
}

/* Those that are judged by an argument. */
static int add_judged(scmp_filter_ctx c)
{
	int r = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1_64(SCMP_CMP_MASKED_EQ, IOCTL_TYPE, KVMIO << 8));

	for (size_t i = 0; i < LENGTH(ioctls) && !r; i++)
		r = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1_32(SCMP_CMP_EQ, ioctls[i]));
	for (size_t i = 0; i < LENGTH(signalling) && !r; i++)
		r = seccomp_rule_add(c, SCMP_ACT_ALLOW, signalling[i], 1, SCMP_A0_32(SCMP_CMP_EQ, (unsigned)getpid()));
	for (size_t i = 0; i < LENGTH(mapping) && !r; i++)
		r = seccomp_rule_add(c, SCMP_ACT_ALLOW, mapping[i], 1, SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* Limits: read one's own. */
	if (!r)
		r = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, SCMP_A0_32(SCMP_CMP_EQ, 0),
				     SCMP_A2_64(SCMP_CMP_EQ, 0));
	return r;
}

static int set_attributes(scmp_filter_ctx c)
{
	int r = seccomp_attr_set(c, SCMP_FLTATR_CTL_TSYNC, 1);

	if (!r)
		r = seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* The kernel's own reason, in place of ECANCELED. */
	if (!r)
		r = seccomp_attr_set(c, SCMP_FLTATR_API_SYSRAWRC, 1);
	/* A binary tree of the calls' numbers in place of a list. */
	if (!r)
		r = seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/*
	 * Kernels before 5.16 take speculative store bypass from threads with a filter unless asked not to; ones before 4.17 do not
	 * know of that.
	 */
	if (!r)
		seccomp_attr_set(c, SCMP_FLTATR_CTL_SSB, 1);
	return r;
}

/* libseccomp 2.5 ends the process where it finds no memory for the filter. */
static bool has_room(void)
{
	void *p = mmap(NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		munmap(p, ROOM);
	return p != MAP_FAILED;
}

int sandbox_enter(enum sandbox_level level, bool unlink, struct err *err)
{
	scmp_filter_ctx c = has_room() ? seccomp_init(SCMP_ACT_ERRNO(EPERM)) : NULL;
	int r;

	if (!c)
		return err_set(err, ENOMEM, "no memory for the sandbox");
	r = set_attributes(c);
	if (!r)
		r = add_all(c, SCMP_ACT_ALLOW, always, LENGTH(always));
	if (!r && level == SANDBOX_FILES)
		r = add_all(c, SCMP_ACT_ALLOW, files, LENGTH(files));
	if (!r && (unlink || level == SANDBOX_FILES))
		r = add_all(c, SCMP_ACT_ALLOW, unlinking, LENGTH(unlinking));
	if (!r)
		r = add_judged(c);
	if (!r)
		r = add_all(c, SCMP_ACT_KILL_PROCESS, deadly, LENGTH(deadly));
	if (!r)
		r = seccomp_load(c);
	seccomp_release(c);
	return r ? err_errno(err, -r, "the sandbox cannot be entered") : 0;
}

#endif

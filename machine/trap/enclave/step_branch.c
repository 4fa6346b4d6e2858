/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A branch of a script: what the host does in a copy of the process alone, with
 * an enclave of its own, which runs to its end while the process itself waits
 * and then goes on as if nothing were done. So a walk does not start anew for
 * each thing that it tries.
 *
 * The copy has this thread only, a log of nobody's, and files of its own for
 * what it prints; what is outside of the process is shared.
 */
#include "machine/trap/enclave/step.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "machine/trap/base/machine.h"
#include "machine/trap/base/sys.h"

#define DIGITS 4u
#define OUT 1
#define ERR 2
#define SIGSET_SIZE 8
/* Of waiting for one second of processor time at most. */
#define SECONDS_FOR_ONE 10u

uint32_t step_branched;

/* PREFIX.NNNN.KIND */
static void name(char *to, size_t room, const char *kind)
{
	char digits[DIGITS + 1] = { 0 };
	size_t at = step_put(to, room, 0, step_script.out);

	step_decimal(digits, DIGITS, step_branched);
	at = step_put(to, room, at, ".");
	at = step_put(to, room, at, digits);
	step_put(to, room, at, kind);
}

/* What the process has printed is what the copy has, where it can be read. */
static void begun(int fd, int to)
{
	struct stat st = { 0 };
	uint64_t from = 0;

	if (!sys_call(SYS_fstat, fd, (long)&st) && S_ISREG(st.st_mode))
		sys_call(SYS_sendfile, to, fd, (long)&from, st.st_size);
}

static void print_to(int fd, const char *kind)
{
	static char path[SCRIPT_PATH + 16];
	long to;

	name(path, sizeof(path), kind);
	to = sys_call(SYS_open, (long)path,
		      O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (to < 0)
		sys_die("step: a branch cannot write", path);
	begun(fd, (int)to);
	sys_call(SYS_dup2, to, fd);
	sys_call(SYS_close, to);
}

static void in_copy(uint32_t branch)
{
	const struct rlimit limit = { step_script.limit, step_script.limit };

	step_branched = branch;
	step_log_copied();
	/* The process itself may be ended at any time. */
	sys_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	if (step_script.limit)
		sys_call(SYS_setrlimit, RLIMIT_CPU, (long)&limit);
	if (*step_script.out) {
		print_to(OUT, ".out");
		print_to(ERR, ".err");
	}
}

/* How the copy ends; one that does nothing for too long is ended. */
static uint32_t outcome(long pid)
{
	const struct timespec ts = { .tv_sec = (time_t)step_script.limit *
					       SECONDS_FOR_ONE };
	struct pollfd p = { .fd = (int)sys_call(SYS_pidfd_open, pid, 0),
			    .events = POLLIN };
	bool hangs = false;
	int st = 0;

	if (p.fd >= 0) {
		hangs = !sys_call(SYS_ppoll, (long)&p, 1,
				  step_script.limit ? (long)&ts : 0, 0,
				  SIGSET_SIZE);
		sys_call(SYS_close, p.fd);
	}
	if (hangs)
		sys_call(SYS_kill, pid, SIGKILL);
	sys_call(SYS_wait4, pid, (long)&st, __WALL, 0);
	if (hangs)
		return STEP_HANGS;
	return WIFSIGNALED(st) ? STEP_SIGNAL + (uint32_t)WTERMSIG(st)
			       : (uint32_t)WEXITSTATUS(st);
}

bool step_branch(struct trap *tr, uint32_t branch)
{
	long pid = machine.copy(tr->t);

	if (pid < 0)
		sys_die("step: no room for a copy of the process", NULL);
	if (!pid)
		in_copy(branch);
	else
		step_log_branch(branch, outcome(pid));
	return !pid;
}

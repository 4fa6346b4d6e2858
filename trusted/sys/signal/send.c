/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program signals itself: nobody else is there to be signalled. What a thread
 * sends itself comes at the end of the call that sends it, as natively.
 */
#include "trusted/sys/signal/signal.h"

#include "trusted/sys/sys.h"
#include "trusted/sys/thread/task.h"

static bool is_number(uint64_t signo)
{
	return signo <= SYS_NSIG;
}

/* Asked for once: they do not change. */
static int32_t own_pid(void)
{
	const uint64_t none[WIRE_CALL_ARGS] = { 0 };
	static int32_t pid;

	if (pid == 0)
		pid = (int32_t)sys_call(CALL_getpid, none);
	return pid;
}

static int32_t own_uid(void)
{
	const uint64_t none[WIRE_CALL_ARGS] = { 0 };
	static int32_t uid = -1;

	if (uid < 0)
		uid = (int32_t)sys_call(CALL_getuid, none);
	return uid;
}

static bool is_me(uint64_t pid)
{
	return (int32_t)pid == own_pid();
}

static long send(uint64_t signo, int32_t code, uint32_t to)
{
	struct sys_siginfo info = { .signo = (int32_t)signo, .code = code };

	if (signo == 0)
		return 0;
	info.pid = own_pid();
	info.uid = own_uid();
	return sys_signal_post(&info, to);
}

void sys_signal_pipe(void)
{
	(void)!send(SIGPIPE, SI_USER, rt_context());
}

/* 0 is the process group: of an enclave's there is one process. */
long sys_kill(const uint64_t *a)
{
	if (!is_number(a[1]))
		return -EINVAL;
	if ((int32_t)a[0] != 0 && !is_me(a[0]))
		return -EPERM;
	return send(a[1], SI_USER, SYS_SIG_PROCESS);
}

long sys_tkill(const uint64_t *a)
{
	uint32_t context;

	if ((int32_t)a[0] <= 0 || !is_number(a[1]))
		return -EINVAL;
	if (!sys_thread_of(a[0], &context))
		return -ESRCH;
	return send(a[1], SI_TKILL, context);
}

long sys_tgkill(const uint64_t *a)
{
	if ((int32_t)a[0] <= 0)
		return -EINVAL;
	return sys_tkill(a + 1);
}

/* With what the sender says of itself: to itself it may say anything. */
static long queue(uint64_t signo, uint64_t from, uint32_t to)
{
	struct sys_siginfo info;

	if (!sys_owns(from, sizeof(info)))
		return -EFAULT;
	__builtin_memcpy(&info, (const void *)from, sizeof(info));
	if (!is_number(signo))
		return -EINVAL;
	info.signo = (int32_t)signo;
	return signo == 0 ? 0 : sys_signal_post(&info, to);
}

long sys_rt_sigqueueinfo(const uint64_t *a)
{
	return is_me(a[0]) ? queue(a[1], a[2], SYS_SIG_PROCESS) : -EPERM;
}

long sys_rt_tgsigqueueinfo(const uint64_t *a)
{
	uint32_t context;

	if ((int32_t)a[0] <= 0 || (int32_t)a[1] <= 0)
		return -EINVAL;
	if (!sys_thread_of(a[1], &context))
		return -ESRCH;
	return queue(a[2], a[3], context);
}

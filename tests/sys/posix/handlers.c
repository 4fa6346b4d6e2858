/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers: flags, masks, stacks, and what they do to calls. */
#include "tests/sys/posix/case.h"

#include <poll.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

static atomic_int here, done;
static int fds[2];

static void *read_one(void *arg)
{
	char b = 0;
	ssize_t n = read(fds[0], &b, 1);

	done = 1;
	(void)arg;
	return num(n < 0 ? errno : b);
}

static void read_interrupted(void)
{
	pthread_t t;

	done = 0;
	must(pipe(fds));
	handle(SIGUSR1, 0);
	t = begin(read_one, NULL);
	nudge(t, SIGUSR1, &done);
	say_err(end_num(t));
	close(fds[0]);
	close(fds[1]);
}

static void read_restarted(void)
{
	pthread_t t;
	char b = 77;

	done = 0;
	must(pipe(fds));
	handle(SIGUSR1, SA_RESTART);
	t = begin(read_one, NULL);
	while (handled < 10) {
		pthread_kill(t, SIGUSR1);
		nap(1);
	}
	say_num(done);
	say_num(write(fds[1], &b, 1));
	say_num(end_num(t));
	close(fds[0]);
	close(fds[1]);
}

static int depth, deepest;

static void raise_again(int sig)
{
	int was = errno;

	depth++;
	if (depth > deepest)
		deepest = depth;
	if (handled++ < 3)
		raise(sig);
	depth--;
	errno = was;
}

static void nest(int flags)
{
	struct sigaction sa = { .sa_handler = raise_again, .sa_flags = flags };

	depth = deepest = 0;
	handled = 0;
	must(sigaction(SIGUSR1, &sa, NULL));
	must(raise(SIGUSR1));
	say_num(handled);
	say_num(deepest);
}

static void deferred_within(void)
{
	nest(0);
}

static void nodefer_nests(void)
{
	nest(SA_NODEFER);
}

static void say_masks(int sig)
{
	(void)sig;
	say_yes(is_blocked(SIGUSR1));
	say_yes(is_blocked(SIGUSR2));
	say_yes(is_blocked(SIGTERM));
}

static void mask_within(void)
{
	struct sigaction sa = { .sa_handler = say_masks };

	block(SIG_BLOCK, SIGTERM);
	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR2);
	must(sigaction(SIGUSR1, &sa, NULL));
	must(raise(SIGUSR1));
	say_masks(0);
}

static void change_mask(int sig)
{
	(void)sig;
	block(SIG_BLOCK, SIGTERM);
	block(SIG_UNBLOCK, SIGUSR2);
}

static void mask_restored(void)
{
	block(SIG_BLOCK, SIGUSR2);
	handle_by(SIGUSR1, change_mask);
	must(raise(SIGUSR1));
	say_masks(0);
}

static void say_action(int sig)
{
	struct sigaction sa;

	must(sigaction(sig, NULL, &sa));
	say_yes(sa.sa_handler == SIG_DFL);
}

static void reset_at_entry(void)
{
	struct sigaction sa = { .sa_handler = say_action,
				.sa_flags = (int)SA_RESETHAND };

	must(sigaction(SIGUSR1, &sa, NULL));
	must(raise(SIGUSR1));
	say_action(SIGUSR1);
}

static void action_told(void)
{
	struct sigaction sa = { .sa_handler = on_handled,
				.sa_flags = SA_RESTART | SA_NODEFER },
			 is;

	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGTERM);
	must(sigaction(SIGUSR1, &sa, &is));
	say_yes(is.sa_handler == SIG_DFL);
	must(sigaction(SIGUSR1, NULL, &is));
	say_yes(is.sa_handler == on_handled);
	say_yes((is.sa_flags & (SA_RESTART | SA_NODEFER | SA_SIGINFO)) ==
		(SA_RESTART | SA_NODEFER));
	say_yes(sigismember(&is.sa_mask, SIGTERM));
	say_yes(sigismember(&is.sa_mask, SIGUSR2));
}

static void action_refused(void)
{
	struct sigaction sa = { .sa_handler = on_handled };

	say_err(sigaction(SIGKILL, &sa, NULL) ? errno : 0);
	say_err(sigaction(SIGSTOP, &sa, NULL) ? errno : 0);
	say_err(sigaction(1000, &sa, NULL) ? errno : 0);
	say_err(sigaction(0, &sa, NULL) ? errno : 0);
}

static char *room;
static size_t room_size;

static void where(int sig)
{
	char mark;
	stack_t ss;
	uintptr_t at = (uintptr_t)&mark, from = (uintptr_t)room;

	(void)sig;
	must(sigaltstack(NULL, &ss));
	say_yes(at >= from && at < from + room_size);
	say_yes((ss.ss_flags & SS_ONSTACK) != 0);
	/* Not while it is in use. */
	if (ss.ss_flags & SS_ONSTACK) {
		ss.ss_flags = 0;
		say_err(sigaltstack(&ss, NULL) ? errno : 0);
	}
}

static void set_stack(void)
{
	stack_t ss = { 0 };

	room_size = 65536;
	room = malloc(room_size);
	ss.ss_sp = room;
	ss.ss_size = room_size;
	must(sigaltstack(&ss, NULL));
}

static void drop_stack(void)
{
	stack_t ss = { .ss_flags = SS_DISABLE, .ss_size = room_size };

	must(sigaltstack(&ss, NULL));
	free(room);
}

static void handle_where(int flags)
{
	struct sigaction sa = { .sa_handler = where, .sa_flags = flags };

	must(sigaction(SIGUSR1, &sa, NULL));
	must(raise(SIGUSR1));
}

static void alternate_used(void)
{
	set_stack();
	handle_where(SA_ONSTACK);
	handle_where(0);
	drop_stack();
	handle_where(SA_ONSTACK);
}

static void *use_own(void *arg)
{
	set_stack();
	must(raise(SIGUSR1));
	drop_stack();
	return arg;
}

static void alternate_of_each(void)
{
	struct sigaction sa = { .sa_handler = where, .sa_flags = SA_ONSTACK };

	must(sigaction(SIGUSR1, &sa, NULL));
	for (int i = 0; i < 2; i++)
		end(begin(use_own, NULL));
	/* We have none. */
	room_size = 0;
	must(raise(SIGUSR1));
}

static void alternate_refused(void)
{
	static char some[65536];
	stack_t ss = { .ss_sp = some, .ss_size = 64 };

	say_err(sigaltstack(&ss, NULL) ? errno : 0);
	ss.ss_size = sizeof(some);
	ss.ss_flags = 0x7700;
	say_err(sigaltstack(&ss, NULL) ? errno : 0);
}

static sigjmp_buf out;

static void jump(int sig)
{
	siglongjmp(out, sig);
}

static void jump_restores_mask(void)
{
	handle_by(SIGUSR1, jump);
	for (volatile int i = 0; i < 3; i++) {
		if (sigsetjmp(out, 1) == 0)
			must(raise(SIGUSR1));
		say_yes(is_blocked(SIGUSR1));
	}
	if (sigsetjmp(out, 0) == 0)
		must(raise(SIGUSR1));
	say_yes(is_blocked(SIGUSR1));
}

static void *jump_in_thread(void *arg)
{
	if (sigsetjmp(out, 1) == 0)
		must(raise(SIGUSR1));
	else
		say("back");
	return arg;
}

static void jump_of_a_thread(void)
{
	handle_by(SIGUSR1, jump);
	say_num(end_num(begin(jump_in_thread, num(2))));
}

/* What a wait has answered. */
static void *over(int r, void *arg)
{
	int err = errno;

	done = 1;
	say_num(r);
	say_err(err);
	return arg;
}

static void interrupt(void *(*waits)(void *), int flags)
{
	pthread_t t;

	done = 0;
	handle(SIGUSR1, flags);
	t = begin(waits, NULL);
	nudge(t, SIGUSR1, &done);
	end(t);
}

static void *pause_once(void *arg)
{
	return over(pause(), arg);
}

static void pause_ends(void)
{
	/* Also with SA_RESTART. */
	interrupt(pause_once, SA_RESTART);
}

static void *poll_once(void *arg)
{
	struct pollfd p = { fds[0], POLLIN, 0 };

	return over(poll(&p, 1, -1), arg);
}

static void poll_interrupted(void)
{
	must(pipe(fds));
	interrupt(poll_once, 0);
	close(fds[0]);
	close(fds[1]);
}

static void say_suspended(int sig)
{
	say(sig == SIGUSR1 ? "one" : "two");
	say_yes(is_blocked(SIGUSR2));
	handled++;
}

/* A signal that waits already, and the masks before, within and after. */
static void suspend_takes_pending(void)
{
	sigset_t set;

	handle_by(SIGUSR1, say_suspended);
	handle_by(SIGUSR2, say_suspended);
	block(SIG_BLOCK, SIGUSR1);
	block(SIG_BLOCK, SIGUSR2);
	must(raise(SIGUSR2));
	must(raise(SIGUSR1));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	say_num(sigsuspend(&set));
	say_err(errno);
	say_num(handled);
	say_yes(is_blocked(SIGUSR1) && is_blocked(SIGUSR2));
	say_yes(is_pending(SIGUSR2));
}

static void *suspend_once(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	here = 1;
	say_num(sigsuspend(&set));
	say_err(errno);
	say_yes(is_blocked(SIGUSR1));
	return arg;
}

/* Blocked but for the wait: one signal is enough, whenever it comes. */
static void suspend_misses_nothing(void)
{
	pthread_t t;

	here = 0;
	handle(SIGUSR1, 0);
	block(SIG_BLOCK, SIGUSR1);
	t = begin(suspend_once, NULL);
	until(&here, 1);
	must(pthread_kill(t, SIGUSR1));
	end(t);
	say_yes(pthread_equal(handled_by, t) != 0);
}

static void spoil_errno(int sig)
{
	(void)sig;
	errno = ERANGE;
	handled++;
}

static void *keep_errno(void *arg)
{
	errno = EDOM;
	while (!done)
		sched_yield();
	say_yes(errno == EDOM);
	return arg;
}

/* A handler's errno is its thread's, and no other's. */
static void errno_in_handler(void)
{
	pthread_t t;

	done = 0;
	handle_by(SIGUSR1, spoil_errno);
	t = begin(keep_errno, NULL);
	errno = 0;
	must(pthread_kill(pthread_self(), SIGUSR1));
	say_yes(errno == ERANGE);
	done = 1;
	end(t);
}

static void first_then_second(int sig)
{
	say(sig == SIGUSR1 ? "one" : "two");
	if (sig == SIGUSR1)
		raise(SIGUSR2);
	say(sig == SIGUSR1 ? "one-ends" : "two-ends");
}

static void handlers_nest(void)
{
	handle_by(SIGUSR1, first_then_second);
	handle_by(SIGUSR2, first_then_second);
	must(raise(SIGUSR1));
}

const struct posix_case posix_handlers[] = {
	CASE(read_interrupted, "XSH 2.4.4 effects on functions: [EINTR], read",
	     "EINTR"),
	CASE(read_restarted, "XSH sigaction, DESCRIPTION: SA_RESTART",
	     "0 1 77"),
	CASE(deferred_within, "XSH sigaction, DESCRIPTION: added to the mask",
	     "4 1"),
	CASE(nodefer_nests, "XSH sigaction, DESCRIPTION: SA_NODEFER", "4 4"),
	CASE(handlers_nest, "XSH sigaction, DESCRIPTION: other signals",
	     "one two two-ends one-ends"),
	CASE(mask_within, "XSH sigaction, DESCRIPTION: sa_mask",
	     "yes yes yes no no yes"),
	CASE(mask_restored, "XSH sigaction, DESCRIPTION: mask restored",
	     "no yes no"),
	CASE(reset_at_entry, "XSH sigaction, DESCRIPTION: SA_RESETHAND",
	     "yes yes"),
	CASE(action_told, "XSH sigaction, DESCRIPTION: oact",
	     "yes yes yes yes no"),
	CASE(action_refused, "XSH sigaction, ERRORS [EINVAL]",
	     "EINVAL EINVAL EINVAL EINVAL"),
	CASE(alternate_used, "XSH sigaltstack, DESCRIPTION, ERRORS [EPERM]",
	     "yes yes EPERM no no no no"),
	CASE(alternate_of_each,
	     "XSH sigaltstack, DESCRIPTION: the current thread",
	     "yes yes EPERM yes yes EPERM no no"),
	CASE(alternate_refused, "XSH sigaltstack, ERRORS [ENOMEM] [EINVAL]",
	     "ENOMEM EINVAL"),
	CASE(jump_restores_mask, "XSH siglongjmp, DESCRIPTION: savemask",
	     "no no no yes"),
	CASE(jump_of_a_thread, "XSH siglongjmp, DESCRIPTION: in a thread",
	     "back 2"),
	CASE(pause_ends, "XSH pause, RETURN VALUE", "-1 EINTR"),
	CASE(poll_interrupted, "XSH poll, ERRORS [EINTR]", "-1 EINTR"),
	CASE(suspend_takes_pending, "XSH sigsuspend, DESCRIPTION",
	     "one yes -1 EINTR 1 yes yes"),
	CASE(suspend_misses_nothing, "XSH sigsuspend, DESCRIPTION: atomic",
	     "-1 EINTR yes yes"),
	CASE(errno_in_handler, "XSH 2.3 error numbers: handlers", "yes yes"),
	CASES_END
};

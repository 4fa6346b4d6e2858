/* SPDX-License-Identifier: BSD-3-Clause */
/* What cases have in common. */
#include "tests/sys/posix/case.h"

#include "tests/sys/posix/answer.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* What has no other name on any Linux. */
static const struct {
	int err;
	const char *name;
} names[] = {
	{ 0, "0" },
	{ EAGAIN, "EAGAIN" },
	{ EBADF, "EBADF" },
	{ EBUSY, "EBUSY" },
	{ ECANCELED, "ECANCELED" },
	{ EDEADLK, "EDEADLK" },
	{ EEXIST, "EEXIST" },
	{ EINTR, "EINTR" },
	{ EINVAL, "EINVAL" },
	{ ENOENT, "ENOENT" },
	{ ENOMEM, "ENOMEM" },
	{ ENOSYS, "ENOSYS" },
	{ ENOTRECOVERABLE, "ENOTRECOVERABLE" },
	{ ENOTSUP, "ENOTSUP" },
	{ EOVERFLOW, "EOVERFLOW" },
	{ EOWNERDEAD, "EOWNERDEAD" },
	{ EPERM, "EPERM" },
	{ EPIPE, "EPIPE" },
	{ ESRCH, "ESRCH" },
	{ ETIMEDOUT, "ETIMEDOUT" },
};

static char answer[512];
static atomic_size_t used;

atomic_int handled;
pthread_t handled_by;

const char *answer_take(void)
{
	size_t size = atomic_exchange(&used, 0);

	if (size > sizeof(answer))
		size = sizeof(answer);
	answer[size ? size - 1 : 0] = '\0';
	return answer;
}

void say(const char *word)
{
	size_t size = strlen(word);
	size_t at = atomic_fetch_add(&used, size + 1);

	if (at + size + 1 > sizeof(answer))
		return;
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a blank. */
	memcpy(answer + at, word, size);
	answer[at + size] = ' ';
}

void say_num(long n)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", n);
	say(text);
}

void say_err(int err)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		if (names[i].err == err) {
			say(names[i].name);
			return;
		}
	}
	say_num(err);
}

void say_yes(int yes)
{
	say(yes ? "yes" : "no");
}

void must_at(int err, int line)
{
	char text[48];

	if (!err)
		return;
	snprintf(text, sizeof(text), "line-%d-failed:", line);
	say(text);
	say_err(err == -1 ? errno : err);
}

pthread_t begin(void *(*fn)(void *), void *arg)
{
	pthread_t t = { 0 };

	must(pthread_create(&t, NULL, fn, arg));
	return t;
}

void *end(pthread_t t)
{
	void *r = NULL;

	must(pthread_join(t, &r));
	return r;
}

void nap(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

void until(atomic_int *n, int least)
{
	while (atomic_load(n) < least)
		nap(1);
}

struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

int past(clockid_t clock, const struct timespec *t)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec > t->tv_sec ||
	       (now.tv_sec == t->tv_sec && now.tv_nsec >= t->tv_nsec);
}

void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(p == MAP_FAILED ? -1 : 0);
	return p;
}

void on_handled(int sig)
{
	(void)sig;
	handled_by = pthread_self();
	atomic_fetch_add(&handled, 1);
}

void handle(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = on_handled, .sa_flags = flags };

	must(sigaction(sig, &sa, NULL));
}

void handle_by(int sig, void (*fn)(int))
{
	struct sigaction sa = { .sa_handler = fn };

	must(sigaction(sig, &sa, NULL));
}

void block(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	must(pthread_sigmask(how, &set, NULL));
}

int is_pending(int sig)
{
	sigset_t set;

	must(sigpending(&set));
	return sigismember(&set, sig);
}

int is_blocked(int sig)
{
	sigset_t set;

	must(pthread_sigmask(SIG_BLOCK, NULL, &set));
	return sigismember(&set, sig);
}

void nudge(pthread_t t, int sig, atomic_int *done)
{
	while (!atomic_load(done)) {
		nap(10);
		pthread_kill(t, sig);
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Named semaphores within one process: names, values, what opening one twice
 * is, and what is left when it is closed or its name is gone. What is printed
 * is the same natively, where they are files; what C libraries do differently
 * is left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char one[40], two[40];

static void say(const char *what, int r)
{
	printf("%s: %d %d\n", what, r, r < 0 ? errno : 0);
}

static sem_t *try_open(const char *what, const char *name, int flags,
		       mode_t mode, unsigned int value)
{
	sem_t *s = sem_open(name, flags, mode, value);

	say(what, s == SEM_FAILED ? -1 : 0);
	return s;
}

static void value_of(const char *what, sem_t *s)
{
	int v = -1;

	sem_getvalue(s, &v);
	printf("%s: value %d\n", what, v);
}

static void names(void)
{
	sem_t *s;

	try_open("missing", one, 0, 0, 0);
	say("unlink missing", sem_unlink(one));
	try_open("empty", "", O_CREAT, 0600, 0);
	try_open("slash", "/", O_CREAT, 0600, 0);
	try_open("in a folder", "/edmm/a", O_CREAT, 0600, 0);
	try_open("value", one, O_CREAT, 0600, SEM_VALUE_MAX + 1u);
	s = try_open("no slash", one + 1, O_CREAT | O_EXCL, 0600, 3);
	value_of("no slash", s);
	say("close", sem_close(s));
	say("unlink", sem_unlink(one));
}

static void twice(void)
{
	sem_t *s = try_open("create", one, O_CREAT | O_EXCL, 0600, 2);
	sem_t *t = try_open("open", one, 0, 0, 0), *u;

	printf("one address: %d\n", s == t);
	try_open("exclusive", one, O_CREAT | O_EXCL, 0600, 7);
	u = try_open("create again", one, O_CREAT, 0600, 7);
	printf("one address: %d\n", s == u);
	say("wait", sem_wait(t));
	value_of("first", s);
	say("post", sem_post(u));
	say("post", sem_post(u));
	value_of("first", s);
	say("close", sem_close(s));
	say("close", sem_close(s));
	value_of("still open", s);
	say("close", sem_close(s));
	s = try_open("anew", one, 0, 0, 0);
	value_of("kept", s);
	say("close", sem_close(s));
}

static void unlinked(void)
{
	sem_t *s = try_open("open", one, 0, 0, 0), *t;

	say("unlink", sem_unlink(one));
	say("unlink again", sem_unlink(one));
	try_open("gone", one, 0, 0, 0);
	t = try_open("another", one, O_CREAT, 0600, 1);
	printf("another address: %d\n", s != t);
	say("post", sem_post(t));
	value_of("old", s);
	value_of("new", t);
	say("close old", sem_close(s));
	value_of("new", t);
	say("close new", sem_close(t));
	say("unlink", sem_unlink(one));
}

static void waits(void)
{
	sem_t *a = try_open("a", one, O_CREAT, 0600, 1);
	sem_t *b = try_open("b", two, O_CREAT, 0600, 0);
	struct timespec t;

	say("trywait", sem_trywait(a));
	say("trywait", sem_trywait(a));
	clock_gettime(CLOCK_REALTIME, &t);
	say("timedwait, over", sem_timedwait(b, &t));
	t.tv_nsec = 1000000000;
	say("timedwait, wrong", sem_timedwait(b, &t));
	say("close", sem_close(a));
	say("close", sem_close(b));
	say("unlink", sem_unlink(one));
	say("unlink", sem_unlink(two));
}

static void modes(void)
{
	sem_t *a = try_open("mode 0", one, O_CREAT, 0, 1);

	try_open("again", one, 0, 0, 0);
	umask(0777);
	try_open("umask", two, O_CREAT, 0600, 1);
	try_open("again", two, 0, 0, 0);
	value_of("a", a);
	say("unlink", sem_unlink(one));
	say("unlink", sem_unlink(two));
}

int main(void)
{
	/* Of this process: a native one leaves files while it runs. */
	snprintf(one, sizeof(one), "/edmm-one-%d", (int)getpid());
	snprintf(two, sizeof(two), "/edmm-two-%d", (int)getpid());
	names();
	twice();
	unlinked();
	waits();
	modes();
	return 0;
}

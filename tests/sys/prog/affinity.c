/* SPDX-License-Identifier: BSD-3-Clause */
/* Which processors a thread may run on, of itself and of others, and errors. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static cpu_set_t all, one;
static pthread_barrier_t meet;

static void tell(const char *what, long r)
{
	printf("%s: %ld %s\n", what, r, r < 0 ? strerror(errno) : "");
}

static int first(const cpu_set_t *s)
{
	int i = 0;

	while (i < CPU_SETSIZE && !CPU_ISSET(i, s))
		i++;
	return i;
}

static void self(const char *who)
{
	cpu_set_t s;

	CPU_ZERO(&s);
	tell(who, pthread_getaffinity_np(pthread_self(), sizeof(s), &s));
	printf("%s: all %d, one %d, there %d\n", who, CPU_EQUAL(&s, &all),
	       CPU_EQUAL(&s, &one),
	       CPU_COUNT(&s) > 1 || sched_getcpu() == first(&s));
}

static void *inherits(void *arg)
{
	self("thread");
	return arg;
}

static void *is_bound(void *arg)
{
	pthread_barrier_wait(&meet);
	pthread_barrier_wait(&meet);
	self("another");
	return arg;
}

static void thread(void *(*f)(void *))
{
	pthread_t t;

	pthread_create(&t, NULL, f, NULL);
	if (f == is_bound) {
		pthread_barrier_wait(&meet);
		tell("bind", pthread_setaffinity_np(t, sizeof(one), &one));
		pthread_barrier_wait(&meet);
	}
	pthread_join(t, NULL);
}

int main(void)
{
	cpu_set_t none;

	CPU_ZERO(&none);
	CPU_ZERO(&all);
	CPU_ZERO(&one);
	pthread_barrier_init(&meet, NULL, 2);
	tell("bytes", syscall(SYS_sched_getaffinity, 0, sizeof(all), &all));
	tell("processors", CPU_COUNT(&all));
	tell("online", sysconf(_SC_NPROCESSORS_ONLN));
	CPU_SET(first(&all), &one);
	tell("set", sched_setaffinity(0, sizeof(one), &one));
	self("bound");
	thread(inherits);
	tell("set", sched_setaffinity(0, sizeof(all), &all));
	thread(inherits);
	thread(is_bound);
	thread(inherits);
	tell("process", sched_getaffinity(getpid(), sizeof(none), &none));
	CPU_ZERO(&none);
	tell("nobody", sched_getaffinity(99999999, sizeof(all), &all));
	tell("too small", syscall(SYS_sched_getaffinity, 0, 4, &all));
	tell("nowhere", syscall(SYS_sched_getaffinity, 0, 128, NULL));
	tell("no processor", sched_setaffinity(0, sizeof(none), &none));
	tell("from nowhere", syscall(SYS_sched_setaffinity, 0, 128, NULL));
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Thread-specific data and its destructors. */
#include "tests/sys/posix/case.h"

#include <limits.h>

static pthread_key_t key, other;
static atomic_int destroyed;

static void count(void *value)
{
	atomic_fetch_add(&destroyed, (int)(intptr_t)value);
}

static void make(void (*fn)(void *))
{
	destroyed = 0;
	must(pthread_key_create(&key, fn));
}

static void drop(void)
{
	must(pthread_key_delete(key));
}

static void *tell(void *arg)
{
	(void)arg;
	return pthread_getspecific(key);
}

static void *set(void *arg)
{
	must(pthread_setspecific(key, arg));
	return pthread_getspecific(key);
}

static void key_begins_null(void)
{
	make(NULL);
	say_yes(pthread_getspecific(key) == NULL);
	must(pthread_setspecific(key, num(1)));
	say_num(end_num(begin(tell, NULL)));
	drop();
	/* Also where another had the place before. */
	make(NULL);
	say_yes(pthread_getspecific(key) == NULL);
	drop();
}

static void key_is_own(void)
{
	make(NULL);
	must(pthread_setspecific(key, num(7)));
	for (long i = 1; i < 4; i++)
		say_num(end_num(begin(set, num(i))));
	say_num((long)(intptr_t)pthread_getspecific(key));
	drop();
}

static void key_destroyed(void)
{
	make(count);
	for (long i = 1; i < 4; i++)
		end(begin(set, num(i)));
	say_num(destroyed);
	/* A value of NULL has none. */
	end(begin(set, NULL));
	say_num(destroyed);
	drop();
}

static void look(void *value)
{
	say_num((long)(intptr_t)value);
	say_yes(pthread_getspecific(key) == NULL);
}

static void null_in_destructor(void)
{
	make(look);
	end(begin(set, num(5)));
	drop();
}

static void set_again(void *value)
{
	destroyed++;
	must(pthread_setspecific(key, value));
}

static void destructor_iterations(void)
{
	make(set_again);
	end(begin(set, num(1)));
	say_yes(destroyed >= _POSIX_THREAD_DESTRUCTOR_ITERATIONS);
	say_yes(sysconf(_SC_THREAD_DESTRUCTOR_ITERATIONS) < 0 ||
		destroyed <= sysconf(_SC_THREAD_DESTRUCTOR_ITERATIONS));
	drop();
}

static void set_other(void *value)
{
	say("key");
	must(pthread_setspecific(other, value));
}

static void say_other(void *value)
{
	say("other");
	say_num((long)(intptr_t)value);
}

/* What a destructor sets has its own destroyed, of whichever was made first. */
static void destructor_sets_other(void)
{
	for (int i = 0; i < 2; i++) {
		if (i)
			must(pthread_key_create(&other, say_other));
		make(set_other);
		if (!i)
			must(pthread_key_create(&other, say_other));
		end(begin(set, num(3)));
		drop();
		must(pthread_key_delete(other));
	}
}

static void *set_and_delete(void *arg)
{
	must(pthread_setspecific(key, arg));
	drop();
	return NULL;
}

static void delete_destroys_nothing(void)
{
	make(count);
	end(begin(set_and_delete, num(1)));
	say_num(destroyed);
}

static atomic_int set_one, go;

static void *set_and_stay(void *arg)
{
	must(pthread_setspecific(key, arg));
	set_one = 1;
	until(&go, 1);
	return pthread_getspecific(other);
}

/* A key in the place of one whose values are still there. */
static void new_key_is_null(void)
{
	pthread_t t;

	make(NULL);
	set_one = go = 0;
	t = begin(set_and_stay, num(9));
	until(&set_one, 1);
	drop();
	must(pthread_key_create(&other, count));
	go = 1;
	say_num(end_num(t));
	say_num(destroyed);
	must(pthread_key_delete(other));
}

static void keys_max(void)
{
	static pthread_key_t many[8192];
	size_t n = 0;
	int err = 0;

	while (n < COUNT(many) && !err) {
		err = pthread_key_create(&many[n], NULL);
		n += err == 0;
	}
	say_yes(n >= _POSIX_THREAD_KEYS_MAX - 4);
	say_err(err);
	while (n)
		must(pthread_key_delete(many[--n]));
	make(NULL);
	say_yes(pthread_getspecific(key) == NULL);
	drop();
}

static void *exit_with(void *arg)
{
	must(pthread_setspecific(key, arg));
	pthread_exit(NULL);
}

static void *cancel_with(void *arg)
{
	must(pthread_setspecific(key, arg));
	must(pthread_cancel(pthread_self()));
	pthread_testcancel();
	return NULL;
}

static void destroyed_however(void)
{
	make(count);
	end(begin(set, num(1)));
	say_num(destroyed);
	end(begin(exit_with, num(10)));
	say_num(destroyed);
	end(begin(cancel_with, num(100)));
	say_num(destroyed);
	drop();
}

static void tell_destructor_state(void *value)
{
	(void)value;
	say_yes(pthread_equal(*(pthread_t *)value, pthread_self()) != 0);
}

static void *set_self(void *arg)
{
	*(pthread_t *)arg = pthread_self();
	must(pthread_setspecific(key, arg));
	return NULL;
}

static void destructor_runs_in_thread(void)
{
	pthread_t self;

	make(tell_destructor_state);
	end(begin(set_self, &self));
	drop();
}

static void *set_both(void *arg)
{
	must(pthread_setspecific(key, arg));
	must(pthread_setspecific(other, arg));
	return NULL;
}

static void all_destroyed(void)
{
	make(count);
	must(pthread_key_create(&other, count));
	end(begin(set_both, num(4)));
	say_num(destroyed);
	drop();
	must(pthread_key_delete(other));
}

const struct posix_case posix_keys[] = {
	CASE(key_begins_null, "XSH pthread_key_create, DESCRIPTION: NULL",
	     "yes 0 yes"),
	CASE(key_is_own, "XSH pthread_setspecific, DESCRIPTION", "1 2 3 7"),
	CASE(key_destroyed, "XSH pthread_key_create, DESCRIPTION: destructor",
	     "6 6"),
	CASE(null_in_destructor,
	     "XSH pthread_key_create, DESCRIPTION: value set to NULL", "5 yes"),
	CASE(destructor_iterations,
	     "XSH pthread_key_create, DESCRIPTION: iterations", "yes yes"),
	CASE(destructor_sets_other,
	     "XSH pthread_key_create, DESCRIPTION: repeated",
	     "key other 3 key other 3"),
	CASE(all_destroyed, "XSH pthread_key_create, DESCRIPTION: each key",
	     "8"),
	CASE(destroyed_however, "XSH pthread_exit, DESCRIPTION: destructors",
	     "1 11 111"),
	CASE(destructor_runs_in_thread,
	     "XSH pthread_exit, DESCRIPTION: destructors in the thread", "yes"),
	CASE(delete_destroys_nothing, "XSH pthread_key_delete, DESCRIPTION",
	     "0"),
	CASE(new_key_is_null,
	     "XSH pthread_key_create, DESCRIPTION: all active threads", "0 0"),
	CASE(keys_max, "XSH pthread_key_create, ERRORS [EAGAIN]",
	     "yes EAGAIN yes"),
	CASES_END
};

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which paths are ours: absolute ones, by their words. "." and ".." are taken
 * as words, too: no directory on the way is a link but /proc/self, whose parent
 * is /proc as well.
 */
#include "trusted/sys/proc/proc.h"
#include "trusted/sys/thread/task.h"

#define PATH_SIZE 96u /* longer ones are not looked at */
#define WORDS 8u

struct parts {
	uint32_t count;
	const char *word[WORDS];
};

static const struct {
	const char *name;
	enum proc_kind kind;
} files[] = {
	{ "maps", PROC_MAPS },	 { "smaps", PROC_SMAPS },
	{ "statm", PROC_STATM }, { "smaps_rollup", PROC_ROLLUP },
	{ "stat", PROC_STAT },	 { "status", PROC_STATUS },
	{ "comm", PROC_COMM },	 { "limits", PROC_LIMITS },
};

static bool equal(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* One copy: the string may be another's the next time. False: not ours. */
static bool copy(uint64_t addr, char *to)
{
	const uint64_t n = rt_accessible(addr, PATH_SIZE, false);
	const char *s = (const char *)addr;
	uint64_t i;

	for (i = 0; i < n; i++) {
		to[i] = s[i];
		if (to[i] == '\0')
			return to[0] == '/';
	}
	return false;
}

static bool split(char *s, struct parts *w)
{
	w->count = 0;
	while (*s != '\0') {
		while (*s == '/')
			*s++ = '\0';
		if (*s == '\0')
			return false; /* a directory is wanted */
		if (w->count == WORDS)
			return false;
		w->word[w->count++] = s;
		while (*s != '\0' && *s != '/')
			s++;
		if (*s == '/')
			*s++ = '\0';
		if (equal(w->word[w->count - 1], "."))
			w->count--;
		else if (equal(w->word[w->count - 1], ".."))
			w->count -= w->count > 1 ? 2 : 1;
	}
	return true;
}

/* A number as /proc has it, or 0. */
static uint32_t number(const char *s)
{
	uint64_t v = 0;

	if (*s == '0')
		return 0;
	for (; *s >= '0' && *s <= '9' && v <= INT32_MAX; s++)
		v = v * 10 + (uint64_t)(*s - '0');
	return *s == '\0' && v <= INT32_MAX ? (uint32_t)v : 0;
}

static bool is_own_pid(uint32_t v)
{
	const uint64_t none[WIRE_CALL_ARGS] = { 0 };

	return v > 0 && sys_call(CALL_getpid, none) == (long)v;
}

static enum proc_kind kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (equal(files[i].name, name))
			return files[i].kind;
	return PROC_NONE;
}

/* The thread of /proc/self/task/@s; 0: none. The first has the process's
 * number, too. */
static uint32_t thread_of(const char *s)
{
	const uint32_t v = number(s);
	uint32_t context;

	if (sys_thread_of(v, &context))
		return v;
	return is_own_pid(v) && sys_thread_of(1, &context) ? 1 : 0;
}

static struct proc_name of_process(const struct parts *w)
{
	struct proc_name n = { .kind = PROC_NONE };

	if (w->count == 3)
		return (struct proc_name){ .kind = kind_of(w->word[2]) };
	if (w->count != 5 || !equal(w->word[2], "task"))
		return n;
	n.tid = thread_of(w->word[3]);
	n.kind = n.tid ? kind_of(w->word[4]) : PROC_NONE;
	return n;
}

struct proc_name proc_find(uint64_t addr)
{
	const struct proc_name none = { .kind = PROC_NONE };
	char path[PATH_SIZE];
	struct parts w;

	if (!copy(addr, path) || !split(path, &w) || w.count < 2 ||
	    !equal(w.word[0], "proc"))
		return none;
	if (w.count == 2)
		return (struct proc_name){
			.kind = equal(w.word[1], "meminfo") ? PROC_MEMINFO
							    : PROC_NONE,
		};
	if (equal(w.word[1], "thread-self") && w.count == 3)
		return (struct proc_name){
			.kind = kind_of(w.word[2]),
			.tid = rt_context() + 1,
		};
	if (equal(w.word[1], "self") || is_own_pid(number(w.word[1])))
		return of_process(&w);
	return none;
}

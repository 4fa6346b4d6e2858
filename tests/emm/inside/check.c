/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/emm/inside/check.h"

#include <stdarg.h>

#include "trusted/rt/rt.h"

#define TESTS_MAX 64
#define CALL_WRITE 1u /* Linux's number */

int inside_only = -1;

struct TCase {
	void (*setup)(void);
	void (*teardown)(void);
	int used;
};

struct test {
	const char *name;
	inside_test run;
	const TCase *tcase;
	int from;
	int to;
};

static TCase cases[8];
static int ncases;
static struct test tests[TESTS_MAX];
static int ntests;

/* ---- printing ---------------------------------------------------------- */

struct line {
	char text[400];
	size_t n;
};

static void put(struct line *l, char c)
{
	if (l->n < sizeof(l->text))
		l->text[l->n++] = c;
}

static void put_string(struct line *l, const char *s)
{
	while (s && *s)
		put(l, *s++);
}

static void put_number(struct line *l, unsigned long v, unsigned int base)
{
	char digit[24];
	int n = 0;

	do {
		digit[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		put(l, digit[--n]);
}

static void put_signed(struct line *l, long v)
{
	if (v < 0)
		put(l, '-');
	put_number(l, v < 0 ? -(unsigned long)v : (unsigned long)v, 10);
}

/* %s %d %u %x, and the long ones: what the tests need. */
static void put_format(struct line *l, const char *f, va_list ap)
{
	for (; *f; f++) {
		bool wide;

		if (*f != '%') {
			put(l, *f);
			continue;
		}
		wide = *++f == 'l';
		f += wide;
		if (*f == 's')
			put_string(l, va_arg(ap, const char *));
		else if (*f == 'd')
			put_signed(l,
				   wide ? va_arg(ap, long) : va_arg(ap, int));
		else
			put_number(l,
				   wide ? va_arg(ap, unsigned long)
					: va_arg(ap, unsigned int),
				   *f == 'x' ? 16 : 10);
	}
}

static void write_out(const struct line *l)
{
	struct rt_buf b;

	if (rt_buf_take(&b, l->n))
		return;
	if (!umem_write(b.p, l->text, l->n)) {
		const uint64_t args[WIRE_CALL_ARGS] = { 2, b.off, l->n };

		(void)!rt_host_call(WIRE_CALL_SYS + CALL_WRITE, args, NULL);
	}
	rt_buf_drop(&b);
}

void inside_print(const char *format, ...)
{
	struct line l = { .n = 0 };
	va_list ap;

	va_start(ap, format);
	put_format(&l, format, ap);
	va_end(ap);
	put(&l, '\n');
	write_out(&l);
}

void inside_fail(const char *where, int line, const char *format, ...)
{
	struct line l = { .n = 0 };
	va_list ap;

	put_string(&l, "inside: ");
	put_string(&l, where);
	put(&l, ':');
	put_number(&l, (unsigned long)line, 10);
	put_string(&l, ": ");
	va_start(ap, format);
	put_format(&l, format, ap);
	va_end(ap);
	put(&l, '\n');
	write_out(&l);
	rt_exit(1);
}

/* For tests that make their text themselves. */
int snprintf(char *text, size_t size, const char *format, ...);

int snprintf(char *text, size_t size, const char *format, ...)
{
	struct line l = { .n = 0 };
	va_list ap;

	va_start(ap, format);
	put_format(&l, format, ap);
	va_end(ap);
	if (l.n >= size)
		l.n = size - 1;
	__builtin_memcpy(text, l.text, l.n);
	text[l.n] = 0;
	return (int)l.n;
}

/* ---- suites ------------------------------------------------------------ */

Suite *suite_create(const char *name)
{
	(void)name;
	return NULL;
}

TCase *tcase_create(const char *name)
{
	(void)name;
	return &cases[ncases++];
}

void tcase_add_named(TCase *t, const char *name, inside_test test, int from,
		     int to)
{
	if (ntests == TESTS_MAX)
		ck_fail("too many tests");
	tests[ntests++] = (struct test){ name, test, t, from, to };
}

void tcase_add_checked_fixture(TCase *t, void (*setup)(void),
			       void (*teardown)(void))
{
	t->setup = setup;
	t->teardown = teardown;
}

void suite_add_tcase(Suite *s, TCase *t)
{
	(void)s;
	(void)t;
}

SRunner *srunner_create(Suite *s)
{
	(void)s;
	return NULL;
}

static void run_one(const struct test *t)
{
	for (int i = t->from; i < t->to; i++) {
		if (t->tcase->setup)
			t->tcase->setup();
		t->run(i);
		if (t->tcase->teardown)
			t->tcase->teardown();
	}
}

/* Exit status 2: there is no such test. */
void srunner_run_all(SRunner *r, int mode)
{
	int i;

	(void)r;
	(void)mode;
	if (inside_only >= ntests)
		rt_exit(2);
	for (i = 0; i < ntests; i++) {
		if (inside_only < 0 || inside_only == i)
			run_one(&tests[i]);
	}
	if (inside_only < 0)
		inside_print("inside: %d tests", ntests);
	else
		inside_print("inside: %s", tests[inside_only].name);
}

int srunner_ntests_failed(SRunner *r)
{
	(void)r;
	return 0;
}

void srunner_free(SRunner *r)
{
	(void)r;
}

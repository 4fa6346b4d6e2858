/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The library's own functions of <string.h>, hidden: its calls must not reach
 * a program's wrappers of them. A sanitizer's start with its first call, which
 * would be one of ours, before there is a machine; and its checks are not for
 * handlers that run with a foreign FS base. None uses vector registers.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* In each turn of a loop, or the compiler makes a call of it: to itself. */
#define TURN() __asm__ volatile("")

/* From here on the processor's own copying is faster. */
#define LONG 64u

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	char *t = to;
	const char *f = from;

	if (n >= LONG) {
		__asm__ volatile("rep movsb"
				 : "+D"(t), "+S"(f), "+c"(n)
				 :
				 : "memory");
		return to;
	}
	for (; n; n--) {
		TURN();
		*t++ = *f++;
	}
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;

	if (t <= f || t >= f + n)
		return memcpy(to, from, n);
	while (n--) {
		TURN();
		t[n] = f[n];
	}
	return to;
}

void *memset(void *to, int c, size_t n)
{
	char *t = to;

	if (n >= LONG) {
		__asm__ volatile("rep stosb"
				 : "+D"(t), "+c"(n)
				 : "a"(c)
				 : "memory");
		return to;
	}
	for (; n; n--) {
		TURN();
		*t++ = (char)c;
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

/* Eight bytes at once, for code that is looked through at each start. */
static bool has_byte(const unsigned char *p, uint64_t all)
{
	const uint64_t ones = 0x0101010101010101ull;
	uint64_t w;

	__builtin_memcpy(&w, p, sizeof(w));
	w ^= all;
	return (w - ones) & ~w & ones << 7;
}

void *memchr(const void *s, int c, size_t n)
{
	const uint64_t all = 0x0101010101010101ull * (unsigned char)c;
	const unsigned char *p = s;

	for (; n >= 8 && !has_byte(p, all); n -= 8)
		p += 8;
	for (; n; n--, p++)
		if (*p == (unsigned char)c)
			return (void *)(uintptr_t)p;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	for (; *p; p++)
		TURN();
	return (size_t)(p - s);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++) {
		TURN();
		if (!*s)
			return NULL;
	}
	return (char *)(uintptr_t)s;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do
		if (*s == (char)c)
			last = s;
	while (*s++);
	return (char *)(uintptr_t)last;
}

char *strstr(const char *s, const char *what)
{
	size_t n = strlen(what);

	for (; strncmp(s, what, n) != 0; s++)
		if (!*s)
			return NULL;
	return (char *)(uintptr_t)s;
}

size_t strspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && strchr(set, s[n]))
		n++;
	return n;
}

size_t strcspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && !strchr(set, s[n]))
		n++;
	return n;
}

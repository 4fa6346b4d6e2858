/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "tests/sys/signals/script.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/sys/signals/fault.h"

#define REAL_TIME 41 /* neither C library's own */

static const int numbers[] = { SIGUSR1,	      SIGUSR2, SIGTERM,	 REAL_TIME,
			       REAL_TIME + 1, SIGSEGV, SIGFPE,	 SIGILL,
			       SIGTRAP,	      SIGBUS,  SIGWINCH, SIGCHLD };
#define NUMBERS (sizeof(numbers) / sizeof(*numbers))

/* splitmix64 */
static uint64_t next(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static unsigned int below(uint64_t *x, unsigned int n)
{
	return (unsigned int)(next(x) % n);
}

static uint64_t bit(int signo)
{
	return 1ull << (signo - 1);
}

static bool is_fault(int signo)
{
	return signo == SIGSEGV || signo == SIGFPE || signo == SIGILL ||
	       signo == SIGTRAP || signo == SIGBUS;
}

/*
 * Each of the signals that are used, one time in @rare; those of faults much
 * less, as the next of them would be the end.
 */
static uint64_t random_mask(uint64_t *x, unsigned int rare)
{
	uint64_t mask = 0;

	for (unsigned int i = 0; i < NUMBERS; i++)
		if (!below(x, is_fault(numbers[i]) ? 40 * rare : rare))
			mask |= bit(numbers[i]);
	return mask;
}

/* The same for one that is taken its handler. */
static int random_number(uint64_t *x)
{
	int signo = numbers[below(x, NUMBERS)];

	if (is_fault(signo) && below(x, 12))
		return SIGWINCH;
	return signo;
}

static uint64_t random_flags(uint64_t *x)
{
	static const uint32_t all[] = { SA_ONSTACK, SA_NODEFER, SA_RESTART,
					SA_SIGINFO };
	uint64_t flags = 0;

	for (unsigned int i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (below(x, 2))
			flags |= all[i];
	if (!below(x, 24))
		flags |= (uint32_t)SA_RESETHAND;
	return flags;
}

static uint64_t random_edits(uint64_t *x)
{
	uint64_t edits = 0;

	for (unsigned int i = 0; i < EDIT_BITS; i++)
		if (!below(x, (1u << i) & EDIT_BAD_FPU ? 60 : 6))
			edits |= 1u << i;
	return edits;
}

/* Mostly one that has a handler: the others tend to be the end. */
static uint64_t to_send(uint64_t *x, uint64_t caught)
{
	const int most = below(x, 60) ? 64 : 0;

	for (int tries = 0; tries < most; tries++) {
		int signo = numbers[below(x, NUMBERS)];

		if (caught & bit(signo))
			return (uint64_t)signo;
	}
	return below(x, 4) ? SIGWINCH : (uint64_t)numbers[below(x, NUMBERS)];
}

static struct step action(uint64_t *x, uint64_t *caught)
{
	int signo = numbers[below(x, NUMBERS)];
	struct step s = { .kind = STEP_action,
			  .arg = { (uint64_t)signo, random_flags(x),
				   below(x, 2) ? 0 : random_mask(x, 4),
				   below(x, WAY_COUNT), random_edits(x),
				   below(x, 2) ? NEST_NOTHING
					       : below(x, NEST_COUNT) } };

	*caught |= bit(signo);
	if (s.arg[5] == NEST_FAULT)
		s.arg[6] = below(x, fault_kinds);
	else if (s.arg[5] == NEST_STACK)
		s.arg[6] = below(x, ALT_SMALL);
	else
		s.arg[6] = to_send(x, *caught);
	return s;
}

static struct step random_step(uint64_t *x, uint64_t *caught)
{
	static const enum step_kind often[] = {
		STEP_action, STEP_action,  STEP_fault,	 STEP_fault,
		STEP_fault,  STEP_tgkill,  STEP_kill,	 STEP_queue,
		STEP_stack,  STEP_block,   STEP_unblock, STEP_mask,
		STEP_fpu,    STEP_pending, STEP_suspend, STEP_wait,
		STEP_ignore, STEP_reset,   STEP_aligned,
	};
	const unsigned int count = sizeof(often) / sizeof(*often);
	struct step s = { .kind = often[below(x, count)] };

	switch (s.kind) {
	case STEP_action:
		return action(x, caught);
	case STEP_ignore:
	case STEP_reset:
		s.arg[0] = (uint64_t)random_number(x);
		if (s.kind == STEP_reset && below(x, 4))
			s.arg[0] = SIGWINCH;
		*caught &= ~bit((int)s.arg[0]);
		break;
	case STEP_stack:
		s.arg[0] = below(x, 10) ? below(x, ALT_SMALL)
					: below(x, ALT_COUNT);
		break;
	case STEP_block:
	case STEP_unblock:
	case STEP_mask:
		s.arg[0] = random_mask(x, s.kind == STEP_unblock ? 2 : 5);
		break;
	case STEP_fpu:
		/* Rounding, flushing, flags; no exception unmasked. */
		s.arg[0] = 0x1f80 | (next(x) & 0xe07f);
		s.arg[1] = 0x37f | (next(x) & 0xc00);
		break;
	case STEP_queue:
		s.arg[1] = next(x);
		/* fall through */
	case STEP_tgkill:
	case STEP_kill:
		s.arg[0] = to_send(x, *caught);
		break;
	case STEP_fault:
		s.arg[0] = below(x, fault_kinds);
		s.arg[1] = below(x, 5);
		s.arg[2] = (next(x) & 0x8d5) | 2;
		if (!below(x, 4))
			s.arg[2] |= 0x400;
		if (!below(x, 8))
			s.arg[2] |= 0x40000;
		s.arg[3] = next(x);
		break;
	case STEP_suspend:
	case STEP_wait:
		s.arg[1] = to_send(x, *caught);
		s.arg[0] = random_mask(x, 3);
		break;
	default:
		break;
	}
	return s;
}

/* Handlers for all but a few, first of all. */
void script_random(struct script *s, uint64_t seed, uint64_t number)
{
	uint64_t x = seed * 1000003 + number, caught = 0;
	unsigned int length = NUMBERS + 8 + below(&x, 24);

	s->count = 0;
	for (unsigned int i = 0; i < NUMBERS; i++) {
		struct step *to = &s->step[s->count];

		if (!below(&x, 80))
			continue;
		*to = action(&x, &caught);
		to->arg[0] = (uint64_t)numbers[i];
		to->arg[1] &= ~(uint64_t)(uint32_t)SA_RESETHAND;
		to->arg[2] &= ~bit(numbers[i]);
		caught |= bit(numbers[i]);
		s->count++;
	}
	while (s->count < length)
		s->step[s->count++] = random_step(&x, &caught);
}

static const char *const names[] = {
#define NAME(name) #name,
	STEPS(NAME)
#undef NAME
};

int script_line(char *to, unsigned int size, const struct step *s)
{
	int n = snprintf(to, size, "%s", names[s->kind]);

	for (int i = 0; i < STEP_ARGS; i++)
		n += snprintf(to + n, size - (unsigned int)n, " %llx",
			      (unsigned long long)s->arg[i]);
	return n + snprintf(to + n, size - (unsigned int)n, "\n");
}

static bool read_step(struct step *s, const char *line)
{
	unsigned long long v[STEP_ARGS] = { 0 };
	char name[16];

	if (sscanf(line, "%15s %llx %llx %llx %llx %llx %llx %llx", name, &v[0],
		   &v[1], &v[2], &v[3], &v[4], &v[5], &v[6]) < 1)
		return false;
	for (int k = 0; k < STEP_COUNT; k++) {
		if (strcmp(names[k], name) != 0)
			continue;
		s->kind = (enum step_kind)k;
		for (int i = 0; i < STEP_ARGS; i++)
			s->arg[i] = v[i];
		return true;
	}
	return false;
}

bool script_read(struct script *s, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[256];

	s->count = 0;
	if (!f)
		return false;
	while (s->count < STEPS_MAX && fgets(line, sizeof(line), f))
		if (line[0] != '#' && read_step(&s->step[s->count], line))
			s->count++;
	fclose(f);
	return true;
}

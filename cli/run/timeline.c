/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm run --timeline: a thread samples what the enclave says it has committed
 * and what the machine counts in its EPC; lines of output that begin with the
 * mark's prefix start a phase.
 *
 * Samples: at most SAMPLES; when they are used up, every second one goes and
 * the interval doubles, so a run of any length has the same resolution.
 *
 * Lock: t->lock guards marks and line buffers. Samples belong to the sampler
 * until cli_timeline_stop() has joined it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/run/chart.h"
#include "cli/run/run.h"

#define SAMPLES 8192u
#define INTERVAL_NS 500000u
#define LINE_MAX_BYTES 160u

struct line {
	char text[LINE_MAX_BYTES];
	size_t used;
};

struct cli_timeline {
	const struct cli_run *run;
	uint64_t begin_ns;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	uint64_t interval_ns;
	struct chart chart;
	struct line line[2]; /* of descriptors 1 and 2 */
};

static void take_sample(struct cli_timeline *t)
{
	struct chart *c = &t->chart;
	struct edmm_machine_stats m;
	struct wire_stats stats;
	struct chart_sample *s;
	size_t i;

	if (c->sample_count == SAMPLES) {
		for (i = 0; i < SAMPLES / 2; i++)
			c->sample[i] = c->sample[2 * i];
		c->sample_count = SAMPLES / 2;
		t->interval_ns *= 2;
	}
	edmm_host_stats(t->run->host, &stats);
	s = &c->sample[c->sample_count++];
	*s = (struct chart_sample){
		.at_ns = cli_now_ns() - t->begin_ns,
		.committed = stats.committed,
		.idle = stats.idle,
	};
	if (cli_machine_stats(&m)) {
		s->epc = m.epc_used * SGX_PAGE_SIZE;
		c->has_epc = true;
	}
}

static void *sampler(void *arg)
{
	struct cli_timeline *t = arg;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	pthread_mutex_lock(&t->lock);
	while (!t->stop) {
		pthread_mutex_unlock(&t->lock);
		take_sample(t);
		pthread_mutex_lock(&t->lock);
		until.tv_nsec += (long)(t->interval_ns % 1000000000u);
		until.tv_sec += (time_t)(t->interval_ns / 1000000000u) +
				until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (!t->stop)
			pthread_cond_timedwait(&t->wake, &t->lock, &until);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static bool start_thread(struct cli_timeline *t)
{
	pthread_condattr_t attr;
	sigset_t all, old;
	bool ok;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->wake, &attr);
	pthread_condattr_destroy(&attr);
	/* The program's signals are for the thread that runs it. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ok = !pthread_create(&t->thread, NULL, sampler, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ok;
}

struct cli_timeline *cli_timeline_start(const struct cli_run *r)
{
	struct cli_timeline *t = calloc(1, sizeof(*t));

	if (!t)
		goto fail;
	t->run = r;
	t->begin_ns = cli_now_ns();
	t->interval_ns = INTERVAL_NS;
	t->chart.title = r->o.program;
	t->chart.sample = calloc(SAMPLES, sizeof(*t->chart.sample));
	if (t->chart.sample && start_thread(t))
		return t;
	free(t->chart.sample);
	free(t);
fail:
	cli_error("--timeline: out of memory: there will be no picture");
	return NULL;
}

/* A mark at a time; more of them than fit are dropped. */
static void add_mark(struct chart *c, uint64_t at_ns, const char *text)
{
	struct chart_mark *m;

	if (c->mark_count == CHART_MARKS)
		return;
	m = &c->mark[c->mark_count++];
	m->at_ns = at_ns;
	strncpy(m->text, text, sizeof(m->text) - 1);
}

static void end_line(struct cli_timeline *t, struct line *l)
{
	const char *prefix = t->run->o.mark;
	const char *text = l->text + strlen(prefix);

	l->text[l->used] = 0;
	if (!strncmp(l->text, prefix, strlen(prefix))) {
		while (*text == ' ')
			text++;
		add_mark(&t->chart, cli_now_ns() - t->begin_ns, text);
	}
	l->used = 0;
}

void cli_timeline_output(struct cli_timeline *t, int fd, const void *bytes,
			 size_t size)
{
	struct line *l = &t->line[fd - 1];
	const char *p = bytes;
	size_t i;

	pthread_mutex_lock(&t->lock);
	for (i = 0; i < size; i++) {
		if (p[i] == '\n')
			end_line(t, l);
		else if (l->used < sizeof(l->text) - 1)
			l->text[l->used++] = p[i];
	}
	pthread_mutex_unlock(&t->lock);
}

static void join(struct cli_timeline *t)
{
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
}

void cli_timeline_stop(struct cli_timeline *t)
{
	struct edmm_host_counts counts;
	struct wire_stats stats;

	join(t);
	take_sample(t);
	edmm_host_stats(t->run->host, &stats);
	edmm_host_counts(t->run->host, &counts);
	if (stats.main_tsc)
		t->chart.main_ns = cli_tsc_ns(&t->run->begin, counts.start_tsc,
					      stats.main_tsc);
}

static void destroy(struct cli_timeline *t)
{
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->wake);
	free(t->chart.sample);
	free(t);
}

bool cli_timeline_write(struct cli_timeline *t, const char *path)
{
	bool ok = chart_write(&t->chart, path);

	destroy(t);
	return ok;
}

void cli_timeline_drop(struct cli_timeline *t)
{
	if (!t)
		return;
	join(t);
	destroy(t);
}

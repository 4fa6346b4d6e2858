/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One `edmm run`, as its files see it. A file calls only those above it:
 *
 *	clock.c chart.c      the time; a picture
 *	identity.c           finds or makes the signature
 *	figures.c            what the run has cost so far
 *	timeline.c           samples, and draws them
 *	interrupt.c          a signal that ends the run
 *	startup.c            the same program's start as a static image
 *	report.c             prints figures and start-up
 *	scone.c              what else than options decides a run
 *	run.c                takes the options and drives
 *
 * advise.c starts `edmm run` as a child and reads its struct cli_figures.
 */
#ifndef CLI_RUN_RUN_H
#define CLI_RUN_RUN_H

#include "cli/cli.h"
#include "cli/machine/machine.h"
#include "cli/run/clock.h"
#include "edmm/host.h"

enum cli_wish {
	CLI_WISH_NONE, /* nobody said; auto */
	CLI_WISH_AUTO,
	CLI_WISH_ENABLE,
	CLI_WISH_DISABLE
};
enum cli_report {
	CLI_REPORT_NONE,
	CLI_REPORT_TEXT,
	CLI_REPORT_JSON
};
/* How pages come that are committed ahead. */
enum cli_populate {
	CLI_POPULATE_AUTO,  /* ahead on hardware, by calls else */
	CLI_POPULATE_AHEAD, /* by a thread beside the program, and by calls */
	CLI_POPULATE_CALLS,
	CLI_POPULATE_NO, /* by a fault each */
};

struct cli_run_options {
	struct cli_settings settings;
	enum cli_machine machine;
	enum cli_wish edmm;
	char edmm_by[160]; /* who has said so: "--edmm enable" */
	bool edmm_scone;   /* the remedy is a variable, not an option */
	bool machine_said; /* --machine was given */
	enum cli_report report;
	const char *timeline; /* file, or NULL */
	const char *mark;     /* prefix of lines that mark a phase */
	const char *key;
	const char *sig;
	const char *machine_options;
	char *machine_more;  /* of --without and --vendor; malloc()ed */
	const char *step;    /* script, or NULL */
	bool unsigned_image; /* sign anew, whatever lies beside the image */
	uint64_t heap_idle;  /* UINT64_MAX: nobody said */
	uint64_t heap_idle_percent; /* the same */
	uint64_t heap_window;	    /* 0: nobody said */
	uint32_t threads_max;	    /* 0: nobody said */
	uint64_t threads_file; /* the same by a file, which may be too many */
	uint64_t threads_pool; /* contexts; UINT64_MAX: nobody said */
	uint64_t threads_idle; /* seconds; UINT64_MAX: nobody said */
	enum cli_populate populate;
	const char *pressure; /* file, "machine", or NULL */
	bool trace_calls;
	int figures_fd; /* advise.c's child: figures; else -1 */
	int probe_fd;	/* startup.c's child: stop at main; else -1 */
	const char *program;
	char **argv; /* the program's */
};

/* Of --threads-idle: when nobody said, and at most. */
#define CLI_IDLE_SECONDS 10u
#define CLI_IDLE_SECONDS_MAX 86400u

struct cli_timeline;

struct cli_run {
	struct cli_run_options o;
	bool soft;
	bool has_edmm; /* the device's enclaves can change (identity.c) */
	struct edmm_image *image;
	struct edmm_sig_entry entry;
	struct edmm_plan plan;
	uint64_t heap_max;  /* bytes; 0: what the range holds, or static */
	bool from_file;	    /* the entry is the signature file's */
	uint32_t hash_mode; /* SCONE_HASH: identify, and do not run */
	struct edmm_host *host;
	int concluded; /* what was to be told is told, or being told */
	struct cli_timeline *timeline;	  /* from before the load on */
	struct edmm_machine_stats before; /* the load: what is not the run's */
	struct cli_clock begin;		  /* for cli_tsc_ns() */
};

/* ---- identity.c -------------------------------------------------------- */

/**
 * cli_identity() - the policy and the signature to run with, and the plan
 *
 * From the signature file, or signed here with --key or a development key.
 * Return: 0, or an exit status after one line on standard error.
 */
int cli_identity(struct cli_run *r);
/* After EINIT has refused: one line that says why. */
void cli_identity_explain(const struct cli_run *r, const char *why);

/* ---- execute.c --------------------------------------------------------- */

/* Adds the plan's pages; 0, or an exit status after one line. */
int cli_load(struct cli_run *r);
/* Runs the program, tells and writes what was asked for. Return: an exit status
 * after a line, or -1 with @end to leave as. */
int cli_execute(struct cli_run *r, struct edmm_host_end *end);

/* ---- scone.c: what else than options decides a run ---------------------- */

/**
 * cli_scone() - the SCONE_ variables and SCONE's file
 *
 * Fills in the settings' layers and, where no option has, machine and mode.
 * Return: -1 to go on, or an exit status after a line.
 */
int cli_scone(struct cli_run *r);
/* The mode and the run's parameters that --config asks for, where nothing
 * stronger has. Return: -1 to go on, or an exit status after a line. */
int cli_config_run(struct cli_run *r);
/* A window that the enclave takes; false after a line that names @what. */
bool cli_window_ok(const char *what, uint64_t window);
/**
 * cli_scone_hash() - SCONE_HASH and SCONE_EDMM_HASH: print and be done
 *
 * Return: -1 where none is set, or an exit status.
 */
int cli_scone_hash(struct cli_run *r);
/* SCONE_VERSION: the settings in effect, on standard error. */
void cli_scone_version(const struct cli_run *r);

/* ---- figures.c --------------------------------------------------------- */

/* Figures of one run, taken before the enclave goes. */
struct cli_figures {
	struct wire_stats stats;
	struct edmm_host_counts counts;
	struct edmm_machine_stats machine;
	bool has_machine;
	uint64_t start_ns; /* device opened to main; 0: main was not reached */
	uint64_t run_ns;   /* main to the end */
};

void cli_figures_take(const struct cli_run *r, struct cli_figures *f);

/* ---- interrupt.c ------------------------------------------------------- */

/* Calls @then in a thread of its own when a signal would end the process. */
void cli_interrupt_watch(void (*then)(void *arg, int signo), void *arg);
/* The signal that did, or 0. */
int cli_interrupt_signal(void);

/* ---- startup.c --------------------------------------------------------- */

/* The same program's start as a static image. */
struct cli_startup {
	bool done;
	char why_not[160];
	uint64_t heap;		/* bytes */
	uint64_t measured_heap; /* less than it: the rest is estimated */
	uint64_t start_ns;
	uint64_t pages_added;
	uint64_t pages_measured;
	uint64_t pages_evicted; /* by the software machine, for want of EPC */
};

/* Starts a child that loads the program and stops at main. */
void cli_startup_measure(const struct cli_run *r, const struct cli_figures *f,
			 struct cli_startup *s);
/* In that child, at main: writes the figures to r->o.probe_fd. */
void cli_startup_answer(const struct cli_run *r);
/* In that child, before main: ends it soon after main, whatever it does. */
void cli_startup_watch(const struct cli_run *r);

/* ---- report.c ---------------------------------------------------------- */

void cli_report_print(const struct cli_run *r, const struct cli_figures *f,
		      const struct cli_startup *s, FILE *out);

/* ---- shortage.c: the machine is short of EPC ---------------------------- */

struct cli_pressure {
	const char *file; /* NULL: the software machine tells */
	int fd;		  /* -1: a file that is read; else a trigger of PSI's */
	uint64_t last;	  /* of the file's content, or of the machine's counts */
};
/* False after a line: the option's value is no such thing. */
bool cli_pressure_begin(struct cli_pressure *p, const struct cli_run *r);
/* It has become short since the last time. */
bool cli_pressed(struct cli_pressure *p);

/* ---- timeline.c -------------------------------------------------------- */

/* Starts to sample; NULL after a line on standard error. */
struct cli_timeline *cli_timeline_start(const struct cli_run *r);
/* Output of the program: looks for marks. Any thread. */
void cli_timeline_output(struct cli_timeline *t, int fd, const void *bytes,
			 size_t size);
/* Stops sampling; the last sample is of now. */
void cli_timeline_stop(struct cli_timeline *t);
/* Writes the picture and frees; false after a line on standard error. */
bool cli_timeline_write(struct cli_timeline *t, const char *path);
/* Stops and frees without a picture; NULL is allowed. */
void cli_timeline_drop(struct cli_timeline *t);

#endif

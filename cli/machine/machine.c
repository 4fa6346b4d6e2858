/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/machine/machine.h"

#include <asm/prctl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/cli.h"
#include "launch/kind.h"
#include "machine/trap/base/options.h"
#include "sgx/linux.h"
#include "toolchain/cc/scan.h"

#define LIBRARY "../lib/edmm/libedmm-machine.so"

/* Set for the restarted process, and taken away from the program's view. */
#define ENV_RESTARTED "EDMM_RESTARTED"
#define ENV_PRELOAD "EDMM_USER_LD_PRELOAD"
#define ENV_OPTIONS "EDMM_USER_MACHINE"

bool cli_machine(const char *text, enum cli_machine *machine)
{
	if (!strcmp(text, "auto"))
		*machine = CLI_MACHINE_AUTO;
	else if (!strcmp(text, "soft"))
		*machine = CLI_MACHINE_SOFT;
	else if (!strcmp(text, "hw"))
		*machine = CLI_MACHINE_HW;
	else {
		cli_error("--machine: '%s' is no machine; auto, soft or hw",
			  text);
		return false;
	}
	return true;
}

typedef int (*stats_fn)(struct edmm_machine_stats *);

static stats_fn find_stats(void)
{
	void *symbol = dlsym(RTLD_DEFAULT, "edmm_machine_stats");
	stats_fn fn;

	memcpy(&fn, &symbol, sizeof(fn));
	return fn;
}

bool cli_machine_here(void)
{
	return find_stats();
}

bool cli_machine_refuses(uint32_t swdefined)
{
	void *symbol = dlsym(RTLD_DEFAULT, "edmm_machine_refuses");
	int (*refuses)(uint32_t);

	memcpy(&refuses, &symbol, sizeof(refuses));
	return refuses && refuses(swdefined);
}

bool cli_machine_stats(struct edmm_machine_stats *stats)
{
	stats_fn fn = find_stats();

	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	return fn && !fn(stats);
}

static long call(long nr, const long a[6])
{
	long r = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);

	return r < 0 ? -errno : r;
}

bool cli_facility(enum facility f)
{
	const struct facility_probe p = { call, getauxval(AT_HWCAP2) };

	return facility_rows[f].there(&p);
}

uint64_t *cli_machine_cpuid(const char *program, size_t *count)
{
	uint64_t *addr = NULL;

	*count = 0;
	/* The machine has not been able to make them fault, or was told not to:
	 * then it is 1. */
	if (cli_machine_here() && syscall(SYS_arch_prctl, ARCH_GET_CPUID) != 0)
		scan_cpuid(program, &addr, count);
	return addr;
}

int cli_device_check(struct edmm_host_error *e)
{
	int fd = edmm_host_device(NULL, e);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/*
 * Asked of an enclave that is not there yet: EINVAL says that the call is
 * known and possible, ENOTTY that the kernel is older than 6.0, ENODEV that
 * the processor has no SGX2.
 */
bool cli_device_has_edmm(bool *has)
{
	struct sgx_enclave_modify_types none = { .length = SGX_PAGE_SIZE,
						 .page_type = SGX_PT_TRIM };
	struct edmm_host_error e = { "" };
	int fd = edmm_host_device(NULL, &e);

	*has = false;
	if (fd < 0) {
		cli_error("%s", e.text);
		return false;
	}
	*has = ioctl(fd, SGX_IOC_ENCLAVE_MODIFY_TYPES, &none) &&
	       errno != ENOTTY && errno != ENODEV;
	close(fd);
	return true;
}

char *cli_self(void)
{
	return realpath("/proc/self/exe", NULL);
}

/* The library beside this program, as an absolute path; NULL after a line. */
static char *library_path(void)
{
	char *self = cli_self(), *path = NULL, *real;
	char *slash = self ? strrchr(self, '/') : NULL;
	int n = -1;

	if (slash) {
		*slash = 0;
		n = asprintf(&path, "%s/" LIBRARY, self);
	}
	free(self);
	if (n < 0)
		return NULL;
	real = realpath(path, NULL);
	if (!real)
		cli_error("%s: the software machine is not there: %s", path,
			  strerror(errno));
	free(path);
	/* The dynamic linker splits LD_PRELOAD at both. */
	if (real && strpbrk(real, " :")) {
		cli_error("%s: a path with a space or a colon cannot be "
			  "preloaded; install edmm elsewhere",
			  real);
		free(real);
		return NULL;
	}
	return real;
}

static bool set_env(const char *library, const char *runtime,
		    const char *options, bool quiet)
{
	const char *user = getenv("LD_PRELOAD");
	const char *had = getenv(EDMM_MACHINE_ENV);
	char *preload = NULL;
	bool all = user && *user, ok = true;
	/* What the library takes out again: see EDMM_MACHINE_PAD_ENV. */
	bool odd = !all ^ (options || had) ^
		   (quiet || getenv(EDMM_MACHINE_QUIET_ENV));

	if (quiet) {
		ok = !setenv(ENV_RESTARTED, "1", 1) &&
		     !setenv(EDMM_MACHINE_QUIET_ENV, "1", 1) &&
		     (!user || !setenv(ENV_PRELOAD, user, 1)) &&
		     (!had || !setenv(ENV_OPTIONS, had, 1));
	}
	if (asprintf(&preload, "%s%s%s%s%s", runtime, *runtime ? " " : "",
		     library, all ? ":" : "", all ? user : "") < 0)
		return false;
	ok = ok && !setenv("LD_PRELOAD", preload, 1) &&
	     (!options || !setenv(EDMM_MACHINE_ENV, options, 1)) &&
	     (!odd || !setenv(EDMM_MACHINE_PAD_ENV, "", 1));
	free(preload);
	return ok;
}

bool cli_machine_settings(const char *list, const char *option,
			  const char *typed)
{
	struct machine_options options;
	struct option_error e;
	char line[OPTION_TEXT], *name = NULL;

	if (options_parse(list, &options, &e))
		return true;
	if (asprintf(&name, "--%s '%.*s'", option,
		     typed ? (int)strlen(typed) : (int)e.len,
		     typed ? typed : e.item) < 0)
		name = NULL;
	options_tell(line, name, &e);
	cli_error("%s", line);
	free(name);
	return false;
}

/* The file that execvp() would take; malloc()ed, or NULL. */
static char *find_program(const char *file)
{
	const char *path = getenv("PATH"), *end;
	char *found = NULL;

	if (strchr(file, '/'))
		return strdup(file);
	for (path = path ? path : "/bin:/usr/bin"; path; path = end) {
		int n = (int)strcspn(path, ":");

		end = path[n] ? path + n + 1 : NULL;
		if (asprintf(&found, "%.*s%s%s", n, path, n ? "/" : "", file) <
		    0)
			return NULL;
		if (!access(found, X_OK))
			return found;
		free(found);
	}
	return NULL;
}

/* How a program is started. */
struct way {
	char *program; /* malloc()ed, or NULL */
	enum launch_kind kind;
	char runtime[LAUNCH_RUNTIME];
};

static void way_of(struct way *w, const char *file)
{
	int fd;

	*w = (struct way){ .program = find_program(file),
			   .kind = LAUNCH_OTHER };
	fd = w->program ? open(w->program, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		w->kind = launch_kind(fd, call);
		launch_runtime(fd, call, w->runtime);
		close(fd);
	}
}

/* The launcher starts @program; it is beside the library. */
static void launch(const char *library, const char *program, char *const *argv)
{
	char *launcher = NULL;
	const char *slash = strrchr(library, '/');

	if (access(program, X_OK)) {
		cli_error("%s: cannot be started: %s", argv[0],
			  strerror(errno));
		return;
	}
	if (asprintf(&launcher, "%.*s/" EDMM_LAUNCH_PROGRAM,
		     (int)(slash - library), library) >= 0 &&
	    !setenv(EDMM_LAUNCH_ENV, program, 1)) {
		execv(launcher, argv);
		cli_error("%s: cannot be started: %s", launcher,
			  strerror(errno));
	}
	free(launcher);
}

static void start(const char *library, const struct way *w, const char *file,
		  char *const *argv)
{
	if (w->kind == LAUNCH_FOREIGN) {
		cli_error("%s: not a program for x86-64", argv[0]);
	} else if (w->kind == LAUNCH_STATIC) {
		launch(library, w->program, argv);
	} else {
		execvp(file, argv);
		cli_error("%s: cannot be started: %s", argv[0],
			  strerror(errno));
	}
}

void cli_machine_exec(const char *file, char *const *argv, const char *options,
		      bool quiet)
{
	char *library = library_path();
	struct way w;

	if (!library)
		return;
	way_of(&w, file);
	if (set_env(library, w.runtime, options, quiet)) {
		start(library, &w, file, argv);
	} else {
		cli_error("the environment cannot be extended");
	}
	free(w.program);
	free(library);
}

bool cli_machine_restarted(void)
{
	return getenv(ENV_RESTARTED) && cli_machine_here();
}

static bool is_ours(const char *entry)
{
	static const char *const names[] = {
		"LD_PRELOAD=",
		EDMM_MACHINE_ENV "=",
		ENV_RESTARTED "=",
		EDMM_MACHINE_QUIET_ENV "=",
		ENV_PRELOAD "=",
		ENV_OPTIONS "=",
		EDMM_MACHINE_PAD_ENV "=",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(entry, names[i], strlen(names[i])))
			return true;
	return false;
}

/* NAME=value of a saved variable, or NULL. */
static char *restored(const char *name, const char *saved)
{
	const char *value = getenv(saved);
	char *entry;

	if (!value || asprintf(&entry, "%s=%s", name, value) < 0)
		return NULL;
	return entry;
}

char **cli_program_env(void)
{
	bool ours = cli_machine_restarted();
	size_t i, n = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 3, sizeof(*env));
	if (!env)
		return NULL;
	for (i = n = 0; environ[i]; i++)
		if (!ours || !is_ours(environ[i]))
			env[n++] = environ[i];
	if (ours) {
		env[n] = restored("LD_PRELOAD", ENV_PRELOAD);
		n += env[n] != NULL;
		env[n] = restored(EDMM_MACHINE_ENV, ENV_OPTIONS);
	}
	return env;
}

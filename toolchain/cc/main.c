/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm-cc: gcc for enclave images. It compiles as position-independent code
 * against musl's headers, links a static-PIE with the trusted runtime and
 * musl, and checks the result for instructions that fault in an enclave. An
 * image that fails the check never gets its name (output.h).
 *
 * It finds what it needs beside itself, in ../lib/edmm: edmm-rt.o (the runtime,
 * linked into one object whose inner names are local), edmm-cc.specs, include,
 * musl. What is gcc's it asks of the gcc that there is.
 */
#include "edmm/version.h"
#include "toolchain/cc/args.h"
#include "toolchain/cc/gcc.h"
#include "toolchain/cc/output.h"
#include "toolchain/cc/respond.h"
#include "toolchain/cc/scan.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOOL "edmm-cc"
#define EXTRA_ARGS 64

struct command {
	const char **argv;
	size_t count;
};

static char parts[PATH_MAX];   /* ../lib/edmm */
static char gcc_dir[PATH_MAX]; /* headers and libraries of gcc's own */

static const char usage[] =
	"usage: edmm-cc [gcc option | file]...\n"
	"Compiles and links a C program into an enclave image. Works as "
	"CC=edmm-cc.\n"
	"\n"
	"  -c -S -E -M ...   as gcc\n"
	"  -o FILE           name of the object or image\n"
	"  --malloc=NAME     musl or mimalloc; auto (the default): mimalloc "
	"where\n"
	"                    the program makes threads\n"
	"  --version         versions of edmm-cc and gcc\n"
	"\n"
	"Images are static and position independent: -static, -pie and the "
	"like change\nnothing, -shared, -m32 and -fsanitize= are refused. Run "
	"one with: edmm run ./FILE\n";

static int find_parts(void)
{
	static const char folder[] = "/lib/edmm";
	/* Without /proc, as in a chroot of a package's build: as started. */
	const char *started = (const char *)getauxval(AT_EXECFN);
	char *slash = NULL;
	int i;

	if (!realpath("/proc/self/exe", parts) &&
	    (!started || !realpath(started, parts)))
		return -1;
	for (i = 0; i < 2; i++) {
		slash = strrchr(parts, '/');
		if (!slash)
			return -1;
		*slash = '\0';
	}
	if (slash > parts + sizeof(parts) - sizeof(folder))
		return -1;
	memcpy(slash, folder, sizeof(folder));
	return 0;
}

static void add(struct command *cmd, const char *arg)
{
	cmd->argv[cmd->count++] = arg;
}

/* Adds @opt followed by a path among our parts. */
static void add_path(struct command *cmd, const char *opt, const char *path)
{
	char *s;

	if (asprintf(&s, "%s%s/%s", opt, parts, path) < 0)
		abort();
	add(cmd, s);
}

/* The same with a path below gcc's own folder. */
static void add_gcc(struct command *cmd, const char *opt, const char *path)
{
	char *s;

	if (asprintf(&s, "%s%s%s", opt, gcc_dir, path) < 0)
		abort();
	add(cmd, s);
}

static void add_compile(struct command *cmd, const struct cc_args *args)
{
	if (!args->nostdinc) {
		add(cmd, "-nostdinc");
		add(cmd, "-isystem");
		add_path(cmd, "", "musl/include");
		add(cmd, "-isystem");
		add_gcc(cmd, "", "/include");
		add(cmd, "-isystem");
		add_path(cmd, "", "include");
	}
	add(cmd, "-fPIE");
	add(cmd, "-fcf-protection=none");
	add(cmd, "-fstack-clash-protection");
	add(cmd, "-D__EDMM__=1");
}

static void add_link(struct command *cmd, const struct cc_args *args)
{
	static const char *const flags[] = {
		"-static-pie",
		"-nostdlib",
		"-Wl,-e,_start",
		"-Wl,-z,noexecstack",
		"-Wl,-z,separate-code",
		"-Wl,-z,text",
		"-Wl,-z,relro",
		"-Wl,-z,now",
		"-Wl,-z,max-page-size=4096",
		"-Wl,-nostdlib",
	};
	size_t i;

	add(cmd, "-x");
	add(cmd, "none");
	add_path(cmd, "-specs=", "edmm-cc.specs");
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		add(cmd, flags[i]);
	add_path(cmd, "", "musl/lib/crti.o");
	add_path(cmd, "", "edmm-rt.o");
	if (args->malloc == CC_MALLOC_MIMALLOC)
		add_path(cmd, "", "mimalloc/mimalloc.o");
	/* Behind the program's own, and before what it would take instead. */
	if (args->malloc == CC_MALLOC_AUTO)
		add_path(cmd, "", "mimalloc/threads.a");
	add_path(cmd, "-L", "musl/lib");
	add_gcc(cmd, "-L", "");
	add_path(cmd, "-L", ".");
	add(cmd, "-Wl,--start-group");
	add(cmd, "-ledmm-report");
	add(cmd, "-lc");
	add(cmd, "-lgcc");
	add(cmd, "-lgcc_eh");
	add(cmd, "-Wl,--end-group");
	add_path(cmd, "", "musl/lib/crtn.o");
}

static int build_command(struct command *cmd, const struct cc_args *args)
{
	size_t i;

	cmd->argv = calloc(args->npass + EXTRA_ARGS, sizeof(*cmd->argv));
	if (!cmd->argv)
		return -1;
	add(cmd, CC_GCC);
	/* Without one there will be no gcc to run either, which says so. */
	if (args->mode == CC_LINK || args->mode == CC_COMPILE)
		cc_gcc_folder(gcc_dir, sizeof(gcc_dir));
	for (i = 0; i < args->npass; i++)
		add(cmd, args->pass[i]);
	if (args->mode == CC_LINK || args->mode == CC_COMPILE)
		add_compile(cmd, args);
	if (args->mode == CC_LINK)
		add_link(cmd, args);
	if (args->mode == CC_QUERY)
		add_path(cmd, "-B", "musl/lib/");
	return 0;
}

static volatile sig_atomic_t child, caught;

/* The child ends first, so that what it was writing can be removed. */
static void on_signal(int signo)
{
	caught = signo;
	if (child > 0)
		kill(child, signo);
}

static void catch_signals(void)
{
	static const int list[] = { SIGHUP, SIGINT, SIGTERM };
	const struct sigaction ours = { .sa_handler = on_signal };
	struct sigaction was;
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (!sigaction(list[i], NULL, &was) &&
		    was.sa_handler != SIG_IGN)
			sigaction(list[i], &ours, NULL);
}

/* Runs a command and returns its exit status. */
static int run(const char *const *argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		fprintf(stderr, "%s: %s: %s\n", TOOL, argv[0], strerror(errno));
		_exit(127);
	}
	if (pid < 0)
		return 1;
	child = pid;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	child = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The check, -s, which would have taken the names out of its messages, and
 * the way to its name. */
static int finish_image(const struct cc_args *args, const struct cc_output *out)
{
	const char *strip[] = { "strip", out->temp, NULL };
	int status;

	if (!output_made(out))
		return 0; /* gcc was asked for something that writes none */
	if (scan_file(out->temp, args->output, TOOL, 0, stderr) != SCAN_CLEAN)
		return 1;
	status = args->strip ? run(strip) : 0;
	if (status || caught)
		return status;
	if (output_deliver(out)) {
		fprintf(stderr, "%s: %s: %s\n", TOOL, args->output,
			strerror(errno));
		return 1;
	}
	return 0;
}

/* ld takes the last of its -o, while gcc names what lies beside by its own. */
static void add_output(struct command *cmd, const struct cc_output *out)
{
	add(cmd, "-Xlinker");
	add(cmd, "-o");
	add(cmd, "-Xlinker");
	add(cmd, out->temp);
}

static int link_image(struct command *cmd, const struct cc_args *args)
{
	static struct cc_output out;
	int status;

	catch_signals();
	if (output_begin(&out, args->output) != 0) {
		fprintf(stderr, "%s: no folder for the image: %s: %s\n", TOOL,
			out.folder, strerror(errno));
		return 1;
	}
	add_output(cmd, &out);
	status = run(cmd->argv);
	if (status == 0 && !caught)
		status = finish_image(args, &out);
	output_end(&out);
	if (caught) {
		signal(caught, SIG_DFL);
		raise(caught);
	}
	return status;
}

int main(int argc, char **argv)
{
	static struct command cmd; /* lives until the process ends */
	static struct cc_args args;
	const char *bad = argv[0], *why = "bad response files";

	if (cc_respond(&argc, &argv) == 0)
		why = cc_parse(&args, argc, argv, &bad);
	if (why) {
		fprintf(stderr, "%s: %s: %s\n", TOOL, bad, why);
		return 1;
	}
	if (args.mode == CC_HELP) {
		fputs(usage, stdout);
		return 0;
	}
	if (find_parts() != 0 || build_command(&cmd, &args) != 0) {
		fprintf(stderr, "%s: cannot find its own directory\n", TOOL);
		return 1;
	}
	if (args.mode == CC_LINK)
		return link_image(&cmd, &args);
	if (args.version) {
		puts(TOOL " (edmm) " EDMM_VERSION_STRING);
		fflush(stdout);
	}
	execvp(cmd.argv[0], (char *const *)(uintptr_t)cmd.argv);
	fprintf(stderr, "%s: %s: %s\n", TOOL, cmd.argv[0], strerror(errno));
	return 127;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * edmm doctor: what this machine can do, what edmm will use, and how to get
 * what is missing. It only looks: nothing is loaded or changed.
 */
#include <cpuid.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/machine/limits.h"
#include "cli/machine/machine.h"
#include "sgx/linux.h"

#define LIBRARY "../lib/edmm/libedmm-machine.so"
#define CHECKS 40u

enum state {
	STATE_OK,
	STATE_INFO,
	STATE_WARN,
	STATE_MISSING
};

static const char *const state_names[] = { "ok", "info", "warn", "missing" };

struct line {
	enum state state;
	const char *name;
	char value[160];
	const char *hint; /* how to get it; static, or NULL */
};

struct doctor {
	struct line v[CHECKS];
	unsigned count;
	bool cpu_sgx, cpu_edmm, device, device_edmm, vdso, soft, here;
	bool tight; /* a limit may be in the way */
};

__attribute__((format(printf, 5, 6))) static void say(struct doctor *d,
						      enum state state,
						      const char *name,
						      const char *hint,
						      const char *fmt, ...)
{
	struct line *l = &d->v[d->count];
	va_list ap;

	if (d->count == CHECKS)
		return;
	l->state = state;
	l->name = name;
	l->hint = state == STATE_OK ? NULL : hint;
	va_start(ap, fmt);
	vsnprintf(l->value, sizeof(l->value), fmt, ap);
	va_end(ap);
	d->count++;
}

static enum state need(bool there)
{
	return there ? STATE_OK : STATE_MISSING;
}

static const char *yes(bool there)
{
	return there ? "yes" : "no";
}

/* ---- processor -------------------------------------------------------- */

struct regs {
	unsigned a, b, c, d;
};

static bool leaf(unsigned number, unsigned sub, struct regs *r)
{
	memset(r, 0, sizeof(*r));
	return __get_cpuid_count(number, sub, &r->a, &r->b, &r->c, &r->d) != 0;
}

/* SDM: CPUID.12H, sub-leaves 2 and up: type 1 is a section of the EPC. */
static uint64_t epc_size(void)
{
	uint64_t sum = 0;
	struct regs r;

	for (unsigned i = 2; i < 64 && leaf(0x12, i, &r); i++) {
		if ((r.a & 0xf) != 1)
			break;
		sum += ((uint64_t)(r.d & 0xfffff) << 32) | (r.c & 0xfffff000u);
	}
	return sum;
}

static void processor(struct doctor *d)
{
	struct regs r;
	struct regs s;
	char text[32];

	d->cpu_sgx = leaf(7, 0, &r) && (r.b & 1u << 2) != 0;
	say(d, need(d->cpu_sgx), "processor: SGX",
	    "a processor with SGX, and SGX enabled in its firmware", "%s",
	    yes(d->cpu_sgx));
	if (!d->cpu_sgx)
		return;
	say(d, need(r.c & 1u << 30), "processor: flexible launch",
	    "Linux needs it: enable it in the firmware", "%s",
	    yes(r.c & 1u << 30));
	leaf(0x12, 0, &s);
	d->cpu_edmm = (s.a & 2) != 0;
	say(d, need(s.a & 1), "processor: SGX1 leaves",
	    "enable SGX in the firmware", "%s", yes(s.a & 1));
	say(d, need(d->cpu_edmm), "processor: SGX2 leaves (EDMM)",
	    "a processor with SGX2: Ice Lake server or later", "%s",
	    yes(d->cpu_edmm));
	say(d, STATE_INFO, "processor: largest enclave", NULL, "2^%u bytes",
	    s.d >> 8 & 0xff);
	leaf(0x12, 1, &r);
	say(d, STATE_INFO, "processor: AEX-Notify", NULL, "%s",
	    yes(r.a & 1u << 10));
	say(d, STATE_INFO, "processor: EPC", NULL, "%s",
	    cli_bytes(epc_size(), text));
}

/* Host and machine switch FS and GS as programs may since Linux 5.9. */
static void base_registers(struct doctor *d)
{
	bool on = getauxval(AT_HWCAP2) & 2;

	/* Without SGX it is the software machine's affair. */
	say(d, d->cpu_sgx || on ? need(on) : STATE_INFO, "processor: FSGSBASE",
	    "a processor of 2012 or later, Linux 5.9 or later, and no "
	    "nofsgsbase on its command line",
	    "%s", yes(on));
}

/* ---- kernel and device ------------------------------------------------ */

static void kernel(struct doctor *d)
{
	void *vdso = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
	struct utsname u;
	int major = 0;
	int minor = 0;

	if (uname(&u) || sscanf(u.release, "%d.%d", &major, &minor) != 2)
		major = 0;
	say(d, major >= 6 ? STATE_OK : STATE_WARN, "kernel",
	    "SGX is in Linux 5.11 and later, EDMM in 6.0 and later",
	    "Linux %.60s", u.release);
	d->vdso = vdso && dlsym(vdso, "__vdso_sgx_enter_enclave");
	if (vdso)
		dlclose(vdso);
	say(d, d->vdso ? STATE_OK : STATE_INFO, "kernel: enclave entry in vDSO",
	    "a kernel with CONFIG_X86_SGX", "%s", yes(d->vdso));
}

static void permissions(struct doctor *d, const char *path)
{
	struct group *g = getgrnam("sgx");
	struct stat st;
	bool member = false;
	gid_t groups[256];
	int n = getgroups(256, groups);

	for (int i = 0; g && i < n; i++)
		member |= groups[i] == g->gr_gid;
	member |= g && getegid() == g->gr_gid;
	if (g)
		say(d, member || geteuid() == 0 ? STATE_OK : STATE_WARN,
		    "group sgx", "sudo usermod -aG sgx $USER, then log in anew",
		    member ? "you are in it" : "you are not in it");
	else
		say(d, STATE_INFO, "group sgx",
		    "many systems have one that owns the device: udev rules "
		    "of the SGX packages make it",
		    "there is none");
	if (!stat(path, &st))
		say(d, STATE_INFO, "device: mode", NULL, "%04o, owner %u:%u",
		    st.st_mode & 07777, st.st_uid, st.st_gid);
}

/* Which of the three calls the kernel knows; they work where one does. */
static void calls(struct doctor *d)
{
	static const struct {
		unsigned long nr;
		const char *name;
	} v[] = {
		{ SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS, "restrict" },
		{ SGX_IOC_ENCLAVE_MODIFY_TYPES, "modify types" },
		{ SGX_IOC_ENCLAVE_REMOVE_PAGES, "remove" },
	};
	uint8_t none[64] = { 0 };
	char known[64] = "";
	int fd = open(SGX_DEV_ENCLAVE, O_RDWR | O_CLOEXEC);
	unsigned count = 0;

	for (unsigned i = 0; fd >= 0 && i < 3; i++) {
		if (!ioctl(fd, v[i].nr, none) || errno == ENOTTY)
			continue;
		snprintf(known + strlen(known), sizeof(known) - strlen(known),
			 "%s%s", count++ ? ", " : "", v[i].name);
	}
	if (fd >= 0)
		close(fd);
	say(d, need(count == 3), "kernel: page calls", "Linux 6.0 or later",
	    "%s", count ? known : "none");
}

/* Enclave pages are mapped from there with rights to execute. */
static void dev_mount(struct doctor *d)
{
	struct statvfs fs;

	if (!statvfs("/dev", &fs))
		say(d, fs.f_flag & ST_NOEXEC ? STATE_WARN : STATE_OK,
		    "/dev mounted noexec",
		    "sudo mount -o remount,exec /dev (enclave pages cannot be "
		    "executed)",
		    "%s", yes(fs.f_flag & ST_NOEXEC));
}

static void device(struct doctor *d)
{
	struct edmm_host_error e;
	int err = cli_device_check(&e);
	bool exists = access(SGX_DEV_ENCLAVE, F_OK) == 0;

	d->device = !err;
	say(d, need(d->device), "device " SGX_DEV_ENCLAVE,
	    exists ? "join the group that owns it"
		   : "a kernel with CONFIG_X86_SGX; in a container: --device "
		     "/dev/sgx_enclave",
	    "%s", d->device ? "can be opened" : strerror(-err));
	permissions(d, SGX_DEV_ENCLAVE);
	dev_mount(d);
	if (!d->device)
		return;
	calls(d);
	if (!cli_device_has_edmm(&d->device_edmm))
		return;
	say(d, need(d->device_edmm), "device: EDMM calls",
	    "Linux 6.0 or later, and a processor with SGX2", "%s",
	    yes(d->device_edmm));
	say(d, STATE_INFO, "device /dev/sgx_provision", NULL, "%s",
	    access("/dev/sgx_provision", R_OK | W_OK) ? "not for you"
						      : "can be opened");
}

/* ---- software machine ------------------------------------------------- */

static void library(struct doctor *d)
{
	char self[4096];
	char path[4200];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	snprintf(path, sizeof(path), "%s/" LIBRARY, self);
	d->soft = access(path, R_OK) == 0;
	say(d, need(d->soft), "software machine: library",
	    "build or install edmm whole: its lib folder lies beside bin", "%s",
	    d->soft ? "there" : "not there");
}

#define FACILITY_NAME(name, function, setting, what, without) \
	[FACILITY_##name] = "software machine: " what,

/* What the machine uses, or does without. */
static void facilities(struct doctor *d)
{
	static const char *const names[] = { FACILITY_LIST(FACILITY_NAME) };
	bool has[FACILITIES];

	for (int i = 0; i < FACILITIES; i++) {
		has[i] = cli_facility((enum facility)i);
		say(d, has[i] ? STATE_OK : STATE_INFO, names[i],
		    facility_rows[i].without, "%s", yes(has[i]));
	}
	if (!has[FACILITY_SUD] && !has[FACILITY_SECCOMP])
		d->soft = false;
}

static void limits(struct doctor *d)
{
	struct cli_limit l;

	for (int id = 0; id < CLI_LIMITS; id++) {
		cli_limit_look((enum cli_limit_id)id, &l);
		say(d,
		    l.stops   ? STATE_MISSING
		    : l.tight ? STATE_WARN
			      : STATE_OK,
		    l.name, l.hint, "%s", l.value);
		if (l.stops)
			d->soft = false;
		d->tight |= l.tight;
	}
}

/* ---- outcome ---------------------------------------------------------- */

static bool hardware(const struct doctor *d)
{
	return !d->here && d->cpu_sgx && d->device && d->vdso;
}

static bool hardware_edmm(const struct doctor *d)
{
	return hardware(d) && d->cpu_edmm && d->device_edmm;
}

static const char *will_use(const struct doctor *d)
{
	if (d->here)
		return "the software machine, which this process is on already";
	if (hardware_edmm(d))
		return "hardware, with EDMM: elastic images";
	if (hardware(d))
		return "hardware, without EDMM: static images";
	if (d->soft && d->tight)
		return "the software machine, within the limits above: "
		       "--elrange "
		       "and others may have to be smaller";
	if (d->soft)
		return "the software machine: elastic images, no protection";
	return "nothing: see what is missing above";
}

static void print_text(const struct doctor *d)
{
	for (unsigned i = 0; i < d->count; i++) {
		const struct line *l = &d->v[i];

		printf("%-8s %-39s %s\n", state_names[l->state], l->name,
		       l->value);
		if (l->hint)
			printf("%-8s   -> %s\n", "", l->hint);
	}
	printf("\nedmm run uses %s\n", will_use(d));
}

static void print_json(const struct doctor *d)
{
	json_t *list = json_array();
	json_t *root;

	for (unsigned i = 0; i < d->count; i++) {
		const struct line *l = &d->v[i];
		json_t *o = json_pack("{s:s, s:s, s:s}", "state",
				      state_names[l->state], "name", l->name,
				      "value", l->value);

		if (l->hint)
			json_object_set_new(o, "hint", json_string(l->hint));
		json_array_append_new(list, o);
	}
	root = json_pack("{s:o, s:b, s:b, s:b, s:s}", "checks", list,
			 "hardware", hardware(d), "hardware_edmm",
			 hardware_edmm(d), "software", d->soft, "will_use",
			 will_use(d));
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

static const char help[] =
	"usage: edmm doctor [OPTION]...\n\n"
	"Shows what this machine can do, what edmm run will use, and how to\n"
	"get what is missing. Status 0 where edmm can run programs.\n\n"
	"  --need WHAT         status 0 only with: run (anything; the "
	"default),\n"
	"                      sgx (hardware), edmm (hardware with EDMM)\n"
	"  --json              as JSON\n"
	"  --quiet             the status only\n";

enum {
	OPT_NEED = CLI_OPT_VERB,
	OPT_JSON,
	OPT_QUIET
};

static const struct option options[] = {
	{ "help", no_argument, NULL, CLI_OPT_HELP },
	{ "need", required_argument, NULL, OPT_NEED },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ 0 },
};

struct wish {
	const char *need;
	bool json;
	bool quiet;
};

/* -1 to go on, else the status. */
static int parse(int argc, char **argv, struct wish *w)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case CLI_OPT_HELP:
			fputs(help, stdout);
			return 0;
		case OPT_NEED:
			w->need = optarg;
			break;
		case OPT_JSON:
			w->json = true;
			break;
		case OPT_QUIET:
			w->quiet = true;
			break;
		default:
			return CLI_USAGE;
		}
	}
	if (optind < argc)
		return cli_usage("doctor", "'%s' is one argument too many",
				 argv[optind]);
	if (strcmp(w->need, "run") && strcmp(w->need, "sgx") &&
	    strcmp(w->need, "edmm"))
		return cli_usage("doctor",
				 "--need: '%s' is none of run, sgx and edmm",
				 w->need);
	return -1;
}

int verb_doctor(int argc, char **argv)
{
	struct wish w = { .need = "run" };
	struct doctor d = { 0 };
	int status = parse(argc, argv, &w);
	bool ok;

	if (status >= 0)
		return status;
	d.here = cli_machine_here();
	processor(&d);
	base_registers(&d);
	kernel(&d);
	device(&d);
	library(&d);
	facilities(&d);
	limits(&d);
	if (w.json)
		print_json(&d);
	else if (!w.quiet)
		print_text(&d);
	ok = !strcmp(w.need, "edmm")  ? hardware_edmm(&d)
	     : !strcmp(w.need, "sgx") ? hardware(&d)
				      : hardware(&d) || d.soft;
	return ok ? 0 : CLI_FAIL;
}

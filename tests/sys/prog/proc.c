/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What /proc says of a program: natively and in an enclave the same properties
 * hold. One line a case; "all is well" at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096ul
#define MIB (1ul << 20)

#define WANT(cond)                                                        \
	do {                                                              \
		if (!(cond)) {                                            \
			printf("%s:%d: %s\n", __func__, __LINE__, #cond); \
			exit(1);                                          \
		}                                                         \
	} while (0)

struct mapping {
	unsigned long from, to, off, inode;
	char rights[5];
	char name[128];
};

/* The mapping of an address; 0: there is none. Wants the file well-formed. */
static int mapping_of(unsigned long addr, struct mapping *out)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long last = 0;
	unsigned int major, minor;
	struct mapping m;
	char line[512];
	int found = 0, n;

	WANT(f);
	while (fgets(line, sizeof(line), f)) {
		m.name[0] = '\0';
		n = sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %127[^\n]", &m.from,
			   &m.to, m.rights, &m.off, &major, &minor, &m.inode,
			   m.name);
		WANT(n == 7 || n == 8);
		WANT(m.from >= last && m.to > m.from);
		WANT(m.from % PAGE == 0 && m.to % PAGE == 0);
		if (n == 8) /* names begin in one column */
			WANT(strchr(line, '\n') - line - (long)strlen(m.name) ==
			     73);
		last = m.to;
		if (addr >= m.from && addr < m.to) {
			*out = m;
			found = 1;
		}
	}
	fclose(f);
	return found;
}

/* "Label: N kB" of a file, in KiB; for smaps the one of @addr, or the sum. */
static unsigned long field(const char *path, const char *label)
{
	FILE *f = fopen(path, "r");
	unsigned long sum = 0, v;
	size_t n = strlen(label);
	char line[512];

	WANT(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, label, n) && line[n] == ':' &&
		    sscanf(line + n + 1, "%lu", &v) == 1)
			sum += v;
	fclose(f);
	return sum;
}

static unsigned long status(const char *label)
{
	return field("/proc/self/status", label);
}

/* Of the mapping at @addr, in KiB. */
static unsigned long resident(void *addr)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long from, to, v, rss = 0;
	char line[512];
	int in = 0;

	WANT(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			in = (unsigned long)addr >= from &&
			     (unsigned long)addr < to;
		else if (in && sscanf(line, "Rss: %lu kB", &v) == 1)
			rss = v;
	}
	fclose(f);
	return rss;
}

static char *map(size_t size, int prot)
{
	char *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	WANT(p != MAP_FAILED);
	return p;
}

static int is_set(const char *name)
{
	const char *v = getenv(name);

	return v && *v;
}

static void rights(void)
{
	char *p = map(16 * PAGE, PROT_READ | PROT_WRITE);
	struct mapping m;

	WANT(mapping_of((unsigned long)p, &m) && !strcmp(m.rights, "rw-p"));
	WANT(!mprotect(p + 4 * PAGE, 4 * PAGE, PROT_READ));
	WANT(mapping_of((unsigned long)p + 5 * PAGE, &m));
	WANT(!strcmp(m.rights, "r--p"));
	WANT(m.from == (unsigned long)p + 4 * PAGE &&
	     m.to == m.from + 4 * PAGE);
	WANT(!mprotect(p + 4 * PAGE, 4 * PAGE, PROT_NONE));
	WANT(mapping_of((unsigned long)p + 4 * PAGE, &m));
	WANT(!strcmp(m.rights, "---p"));
	WANT(!munmap(p + 8 * PAGE, 4 * PAGE));
	WANT(!mapping_of((unsigned long)p + 8 * PAGE, &m));
	WANT(mapping_of((unsigned long)p + 12 * PAGE, &m));
	WANT(m.from == (unsigned long)p + 12 * PAGE);
	WANT(!munmap(p, 16 * PAGE));
	WANT(!mapping_of((unsigned long)p, &m));
	puts("rights");
}

static int datum = 1;

static void image(void)
{
	struct mapping m, d;
	int local = 0;

	WANT(mapping_of((unsigned long)image, &m));
	WANT(!strcmp(m.rights, "r-xp") && m.name[0] == '/' && m.inode != 0);
	WANT(mapping_of((unsigned long)&datum, &d));
	WANT(!strcmp(d.rights, "rw-p"));
	WANT(mapping_of((unsigned long)"constant", &m));
	WANT(m.rights[0] == 'r' && m.rights[1] == '-');
	WANT(mapping_of((unsigned long)&local, &m));
	WANT(!strcmp(m.name, "[stack]") && !strcmp(m.rights, "rw-p"));
	puts("image");
}

static void touches(void)
{
	const size_t size = 4 * MIB;
	unsigned long rss = status("VmRSS"), top;
	char *p = map(size, PROT_READ | PROT_WRITE);

	/* A static image's pages are there when they are mapped. */
	if (!is_set("PROC_STATIC"))
		WANT(status("VmRSS") < rss + size / 2048);
	memset(p, 1, size);
	WANT(status("VmRSS") >= rss + size / 1024);
	WANT(resident(p) >= size / 1024);
	top = status("VmHWM");
	WANT(top >= rss + size / 1024);
	WANT(!madvise(p, size, MADV_DONTNEED));
	if (!is_set("PROC_STATIC")) {
		WANT(status("VmRSS") < rss + size / 2048);
		WANT(resident(p) < size / 2048);
	}
	/* Linux counts in batches. */
	WANT(status("VmHWM") + 512 >= top);
	WANT(!munmap(p, size));
	puts("touches");
}

static unsigned long maps_size(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long from, to, sum = 0;
	char line[512];

	WANT(f);
	while (fgets(line, sizeof(line), f))
		if (!strstr(line, "[vsyscall]") &&
		    sscanf(line, "%lx-%lx", &from, &to) == 2)
			sum += to - from;
	fclose(f);
	return sum / 1024;
}

static void peaks(void)
{
	const size_t size = 16 * MIB;
	unsigned long before = status("VmSize"), peak;
	char *p;

	p = map(size, PROT_READ);
	WANT(status("VmSize") >= before + size / 1024);
	WANT(status("VmPeak") >= status("VmSize"));
	peak = status("VmPeak");
	WANT(!munmap(p, size));
	WANT(status("VmSize") < before + size / 2048);
	WANT(status("VmPeak") >= peak);
	/* stdio's buffers may come and go between the two */
	WANT(labs((long)(maps_size() - status("VmSize"))) <= 256);
	puts("peaks");
}

static void agreement(void)
{
	unsigned long size, rss, shared, text, lib, data, dirty;
	FILE *f = fopen("/proc/self/statm", "r");
	long far;

	WANT(f && fscanf(f, "%lu %lu %lu %lu %lu %lu %lu", &size, &rss, &shared,
			 &text, &lib, &data, &dirty) == 7);
	fclose(f);
	far = (long)(size * 4) - (long)status("VmSize");
	WANT(labs(far) <= 256);
	far = (long)(rss * 4) - (long)status("VmRSS");
	WANT(labs(far) <= 512);
	WANT(field("/proc/self/smaps_rollup", "Rss") > 0);
	far = (long)field("/proc/self/smaps_rollup", "Rss") -
	      (long)field("/proc/self/smaps", "Rss");
	WANT(labs(far) <= 512);
	WANT(status("Threads") == 1);
	WANT(status("Tgid") == (unsigned long)getpid());
	puts("agreement");
}

static void memory(void)
{
	unsigned long total = field("/proc/meminfo", "MemTotal");
	unsigned long left = field("/proc/meminfo", "MemFree");
	char *p = map(16 * MIB, PROT_READ | PROT_WRITE);

	memset(p, 1, 16 * MIB);
	WANT(left < total);
	if (is_set("PROC_ENCLAVE")) {
		WANT(total < 1024 * 1024);
		WANT(field("/proc/meminfo", "MemFree") + 15 * 1024 < left);
	}
	WANT(!munmap(p, 16 * MIB));
	puts("memory");
}

/* Byte by byte, at places, and of copies. */
static void reading(void)
{
	static char a[1 << 16], b[1 << 16];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), other, copy;
	ssize_t n = 0, r;
	struct stat st;
	char c;

	WANT(fd >= 0);
	while ((r = read(fd, a + n, 1)) == 1)
		n++;
	WANT(r == 0 && n > 100 && read(fd, &c, 1) == 0);
	WANT(lseek(fd, 0, SEEK_CUR) == n);
	WANT(lseek(fd, 7, SEEK_SET) == 7);
	WANT(read(fd, b, 20) == 20 && !memcmp(a + 7, b, 20));
	WANT(pread(fd, b, 10, 3) == 10 && !memcmp(a + 3, b, 10));
	WANT(lseek(fd, 0, SEEK_CUR) == 27);
	copy = dup(fd);
	WANT(copy > fd);
	WANT(read(copy, b, 5) == 5 && !memcmp(a + 27, b, 5));
	WANT(lseek(fd, 0, SEEK_CUR) == 32);
	other = open("/proc/self/maps", O_RDONLY);
	WANT(other > copy && lseek(other, 0, SEEK_CUR) == 0);
	WANT(!close(fd));
	WANT(read(copy, b, 5) == 5);
	WANT(write(copy, b, 1) < 0 && errno == EBADF);
	WANT(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, copy, 0) == MAP_FAILED);
	WANT(!fstat(copy, &st) && S_ISREG(st.st_mode) && st.st_size == 0);
	WANT(fcntl(copy, F_DUPFD, 100) == 100 && read(100, b, 5) == 5);
	WANT(dup2(100, 101) == 101 && read(101, b, 5) == 5);
	WANT(!close(100) && !close(101) && !close(copy) && !close(other));
	WANT(read(other, &c, 1) < 0 && errno == EBADF);
	puts("reading");
}

/* A number that was ours is another file's afterwards. */
static void numbers(void)
{
	int fd = open("/proc/self/status", O_RDONLY), null;
	char c;

	WANT(!close(fd));
	null = open("/dev/null", O_RDONLY);
	WANT(null == fd && read(null, &c, 1) == 0);
	fd = open("/proc/self/statm", O_RDONLY);
	WANT(read(fd, &c, 1) == 1);
	WANT(dup2(null, fd) == fd && read(fd, &c, 1) == 0);
	WANT(!close(fd) && !close(null));
	WANT(!access("/proc/self/smaps", R_OK));
	puts("numbers");
}

/* So many that the text is longer than any buffer. */
static void many(void)
{
	const size_t count = 2000;
	char *p = map(2 * count * PAGE, PROT_NONE);
	struct mapping m;
	size_t i;

	for (i = 0; i < count; i++)
		WANT(!mprotect(p + 2 * i * PAGE, PAGE, PROT_READ));
	for (i = 0; i < count; i += count / 4) {
		WANT(mapping_of((unsigned long)p + 2 * i * PAGE, &m));
		WANT(m.to == m.from + PAGE && m.rights[0] == 'r');
		WANT(mapping_of((unsigned long)p + (2 * i + 1) * PAGE, &m));
		WANT(m.rights[0] == '-');
	}
	WANT(field("/proc/self/smaps", "Size") > 2 * count * 4);
	WANT(!munmap(p, 2 * count * PAGE));
	puts("many");
}

static volatile int over;

static void *busy(void *arg)
{
	struct mapping m;
	int local;

	(void)arg;
	WANT(mapping_of((unsigned long)&local, &m));
	WANT(m.rights[0] == 'r' && m.rights[1] == 'w');
	while (!over) {
		char *p = map(8 * PAGE, PROT_READ | PROT_WRITE);

		p[PAGE] = 1;
		WANT(!mprotect(p, 4 * PAGE, PROT_READ));
		WANT(!munmap(p, 8 * PAGE));
	}
	return NULL;
}

static void threads(void)
{
	struct mapping m;
	char path[64], name[32];
	pthread_t t;
	int fd, i;

	WANT(!pthread_create(&t, NULL, busy, NULL));
	for (i = 0; i < 50; i++)
		WANT(mapping_of((unsigned long)threads, &m));
	WANT(status("Threads") == 2);
	over = 1;
	WANT(!pthread_join(t, NULL));
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", getpid());
	fd = open(path, O_RDWR);
	WANT(fd >= 0 && write(fd, "worker", 6) == 6);
	WANT(pread(fd, name, sizeof(name), 0) == 7);
	WANT(!memcmp(name, "worker\n", 7) && !close(fd));
	puts("threads");
}

static void stat_line(void)
{
	char name[64], state, line[1024];
	FILE *f = fopen("/proc/self/stat", "r");
	int pid, words = 0;

	WANT(f && fgets(line, sizeof(line), f));
	fclose(f);
	WANT(sscanf(line, "%d (%63[^)]) %c", &pid, name, &state) == 3);
	WANT(pid == getpid() && state == 'R');
	for (char *s = strchr(line, ')'); s; s = strchr(s + 1, ' '))
		words++;
	WANT(words == 51);
	puts("stat");
}

int main(void)
{
	rights();
	image();
	touches();
	peaks();
	agreement();
	memory();
	reading();
	numbers();
	many();
	stat_line();
	threads();
	puts("all is well");
	return 0;
}

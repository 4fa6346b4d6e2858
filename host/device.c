/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SGX device: open it, and issue its ioctls until they are done. The
 * kernel may stop any of them early (a count below the length, EINTR, EAGAIN
 * while it reclaims a page, EBUSY while another thread has an ioctl under way).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "host/host.h"

/* Waits of 50 us: ten seconds without any progress are a failure. */
#define RETRY_MAX 200000
#define RETRY_NS 50000
#define OPEN_TRIES 10
#define OPEN_PAUSE_NS 10000000

static int sys_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

static void *sys_mmap(void *addr, size_t size, int prot, int flags, int fd)
{
	return mmap(addr, size, prot, flags, fd, 0);
}

const struct host_io host_io_linux = {
	.ioctl = sys_ioctl,
	.mmap = sys_mmap,
	.mprotect = mprotect,
	.munmap = munmap,
};

edmm_err host_fail(struct edmm_host_error *e, edmm_err err, const char *fmt,
		   ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return err;
}

static edmm_err open_failed(struct edmm_host_error *e, const char *device,
			    int err)
{
	if (err == ENOENT)
		return host_fail(e, -err,
				 "%s: there is no SGX device; --machine soft "
				 "starts the software machine",
				 device);
	if (err == EACCES)
		return host_fail(e, -err,
				 "%s: permission denied; members of its group "
				 "may open it",
				 device);
	if (err == EAGAIN)
		return host_fail(e, -err,
				 "%s: %s: the processor's microcode could not "
				 "be taken into account yet (EUPDATESVN); try "
				 "again",
				 device, strerror(err));
	if (err == EIO)
		return host_fail(e, -err,
				 "%s: %s: EUPDATESVN failed; the kernel's log "
				 "may tell why",
				 device, strerror(err));
	return host_fail(e, -err, "%s: %s", device, strerror(err));
}

int edmm_host_device(const char *device, struct edmm_host_error *e)
{
	static const struct timespec pause = { .tv_nsec = OPEN_PAUSE_NS };
	int fd;

	if (!device)
		device = SGX_DEV_ENCLAVE;
	for (int i = 0; i < OPEN_TRIES; i++) {
		if (i)
			nanosleep(&pause, NULL);
		fd = open(device, O_RDWR | O_CLOEXEC);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd >= 0 ? fd : open_failed(e, device, errno);
}

edmm_err edmm_host_open(struct edmm_host **out, const char *device,
			struct edmm_host_error *e)
{
	const void *vdso = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct edmm_host *h = calloc(1, sizeof(*h));
	void *enter = host_vdso_find(vdso);
	edmm_err err;

	*out = NULL;
	if (!h)
		return host_fail(e, -EDMM_ENOMEM, "out of memory");
	h->counts.start_tsc = __rdtsc();
	h->io = &host_io_linux;
	h->fd = edmm_host_device(device, e);
	if (h->fd < 0) {
		err = h->fd;
		goto out_free;
	}
	if (!enter) {
		err = host_fail(e, -EDMM_ENOSYS,
				"the kernel's vDSO has no function to enter "
				"enclaves (Linux 5.11 or later has it)");
		goto out_close;
	}
	memcpy(&h->enter, &enter, sizeof(enter));
	*out = h;
	return 0;

out_close:
	close(h->fd);
out_free:
	free(h);
	return err;
}

static bool transient(int err)
{
	return err == EINTR || err == EAGAIN || err == EBUSY;
}

static void pause_a_little(void)
{
	const struct timespec t = { .tv_nsec = RETRY_NS };

	nanosleep(&t, NULL);
}

edmm_err host_ioctl(struct edmm_host *h, unsigned long request, void *arg)
{
	for (int i = 0; i < RETRY_MAX; i++) {
		h->counts.ioctls++;
		if (!h->io->ioctl(h->fd, request, arg))
			return 0;
		if (!transient(errno))
			return -errno;
		pause_a_little();
	}
	return -errno;
}

/* The structures differ; what a loop needs to see of them does not. */
struct ranged {
	unsigned long request;
	void *arg;
	uint64_t *src; /* advances too; or NULL */
	uint64_t *offset;
	uint64_t *length;
	uint64_t *result; /* must be 0 on input; or NULL */
	uint64_t *count;
};

/* EBUSY of ADD_PAGES is a duplicate page, too: no reason to wait for long. */
static edmm_err ranged_loop(struct edmm_host *h, const struct ranged *r,
			    uint64_t *done)
{
	int idle = 0;

	*done = 0;
	while (*r->length) {
		int failed, err;
		uint64_t n;

		*r->count = 0;
		if (r->result)
			*r->result = 0;
		h->counts.ioctls++;
		failed = h->io->ioctl(h->fd, r->request, r->arg);
		err = errno;
		n = *r->count <= *r->length ? *r->count : *r->length;
		*done += n;
		*r->offset += n;
		*r->length -= n;
		if (r->src)
			*r->src += n;
		if (failed && !transient(err))
			return -err;
		if (n) {
			idle = 0;
			continue;
		}
		if (++idle > (r->src ? 100 : RETRY_MAX))
			return failed ? -err : -EDMM_EIO;
		pause_a_little();
	}
	return 0;
}

edmm_err host_add_pages(struct edmm_host *h, const void *src,
			const struct edmm_page_run *run, uint64_t *done)
{
	struct sgx_secinfo secinfo = { .flags = run->secinfo_flags };
	struct sgx_enclave_add_pages a = {
		.src = (uintptr_t)src,
		.offset = run->off,
		.length = run->size,
		.secinfo = (uintptr_t)&secinfo,
		.flags = run->measured ? SGX_PAGE_MEASURE : 0,
	};

	return ranged_loop(
		h,
		&(struct ranged){ .request = SGX_IOC_ENCLAVE_ADD_PAGES,
				  .arg = &a,
				  .src = &a.src,
				  .offset = &a.offset,
				  .length = &a.length,
				  .count = &a.count },
		done);
}

edmm_err host_modify_types(struct edmm_host *h, uint64_t off, uint64_t size,
			   uint64_t type, uint64_t *done)
{
	struct sgx_enclave_modify_types a = { .offset = off,
					      .length = size,
					      .page_type = type };

	return ranged_loop(
		h,
		&(struct ranged){ .request = SGX_IOC_ENCLAVE_MODIFY_TYPES,
				  .arg = &a,
				  .offset = &a.offset,
				  .length = &a.length,
				  .result = &a.result,
				  .count = &a.count },
		done);
}

edmm_err host_restrict(struct edmm_host *h, uint64_t off, uint64_t size,
		       uint64_t rights, uint64_t *done)
{
	struct sgx_enclave_restrict_permissions a = { .offset = off,
						      .length = size,
						      .permissions = rights };
	unsigned long request = SGX_IOC_ENCLAVE_RESTRICT_PERMISSIONS;

	return ranged_loop(h,
			   &(struct ranged){ .request = request,
					     .arg = &a,
					     .offset = &a.offset,
					     .length = &a.length,
					     .result = &a.result,
					     .count = &a.count },
			   done);
}

edmm_err host_remove(struct edmm_host *h, uint64_t off, uint64_t size,
		     uint64_t *done)
{
	struct sgx_enclave_remove_pages a = { .offset = off, .length = size };

	return ranged_loop(
		h,
		&(struct ranged){ .request = SGX_IOC_ENCLAVE_REMOVE_PAGES,
				  .arg = &a,
				  .offset = &a.offset,
				  .length = &a.length,
				  .count = &a.count },
		done);
}

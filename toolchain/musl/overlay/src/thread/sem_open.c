/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Named semaphores in an enclave: a table of the process's own. Elsewhere one
 * is a file that its processes map shared, which an enclave cannot have; the
 * host could count it as it likes, too. Within the process all is as usual: one
 * address a semaphore, and it lives until its name is gone and the last has
 * closed it.
 *
 * Locks: lock, over the list and all entries.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Needs what the headers above define. */
#include "lock.h"

struct entry {
	struct entry *next;
	unsigned int refs;
	mode_t mode;
	int named; /* until sem_unlink() */
	sem_t sem;
	char name[];
};

static struct entry *entries;
static volatile int lock[1];

/* Leading slashes do not count, others may not be. */
static const char *name_of(const char *name)
{
	size_t size;

	while (*name == '/')
		name++;
	size = strlen(name);
	if (size == 0 || strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0) {
		errno = EINVAL;
		return NULL;
	}
	if (size > NAME_MAX) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return name;
}

static struct entry **find_name(const char *name)
{
	struct entry **at = &entries;

	while (*at != NULL && (!(*at)->named || strcmp((*at)->name, name) != 0))
		at = &(*at)->next;
	return at;
}

/* Ends what nobody can come to any more. */
static void drop(struct entry **at)
{
	struct entry *e = *at;

	if (e->refs != 0 || e->named)
		return;
	*at = e->next;
	free(e);
}

static int create(struct entry **out, const char *name, mode_t mode,
		  unsigned int value)
{
	struct entry *e;
	mode_t mask;

	if (value > SEM_VALUE_MAX)
		return EINVAL;
	e = malloc(offsetof(struct entry, name) + strlen(name) + 1);
	if (e == NULL)
		return ENOMEM;
	mask = umask(0);
	umask(mask);
	e->next = entries;
	e->refs = 1;
	e->mode = mode & ~mask;
	e->named = 1;
	sem_init(&e->sem, 1, value);
	strcpy(e->name, name);
	entries = e;
	*out = e;
	return 0;
}

/* As open() for reading and writing says of a file of ours. */
static int may_open(const struct entry *e)
{
	return geteuid() == 0 ||
	       (e->mode & (S_IRUSR | S_IWUSR)) == (S_IRUSR | S_IWUSR);
}

static int open_locked(struct entry **out, const char *name, int flags,
		       mode_t mode, unsigned int value)
{
	struct entry *e = *find_name(name);

	if (e == NULL)
		return flags & O_CREAT ? create(out, name, mode, value)
				       : ENOENT;
	if (flags & O_CREAT && flags & O_EXCL)
		return EEXIST;
	if (!may_open(e))
		return EACCES;
	if (e->refs == INT_MAX)
		return EMFILE;
	e->refs++;
	*out = e;
	return 0;
}

sem_t *sem_open(const char *name, int flags, ...)
{
	struct entry *e = NULL;
	unsigned int value = 0;
	mode_t mode = 0;
	va_list args;
	int err;

	name = name_of(name);
	if (name == NULL)
		return SEM_FAILED;
	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, mode_t) & 0666;
		value = va_arg(args, unsigned int);
		va_end(args);
	}
	LOCK(lock);
	err = open_locked(&e, name, flags, mode, value);
	UNLOCK(lock);
	if (err != 0) {
		errno = err;
		return SEM_FAILED;
	}
	return &e->sem;
}

int sem_close(sem_t *sem)
{
	struct entry **at = &entries;
	int open;

	LOCK(lock);
	while (*at != NULL && &(*at)->sem != sem)
		at = &(*at)->next;
	open = *at != NULL && (*at)->refs > 0;
	if (open) {
		(*at)->refs--;
		drop(at);
	}
	UNLOCK(lock);
	if (open)
		return 0;
	errno = EINVAL;
	return -1;
}

int sem_unlink(const char *name)
{
	struct entry **at;
	int found;

	name = name_of(name);
	if (name == NULL)
		return -1;
	LOCK(lock);
	at = find_name(name);
	found = *at != NULL;
	if (found) {
		(*at)->named = 0;
		drop(at);
	}
	UNLOCK(lock);
	if (found)
		return 0;
	errno = ENOENT;
	return -1;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who waits for a mutex. The lock is for whoever comes first, also past those
 * who sleep, and one at most is on its way from its sleep.
 *
 * WAITED, in the lock's word, says: who unlocks has to wake one. That takes the
 * bit away, and what it stood for is the duty of who is waked: it is the only
 * one on its way, until it says WAITED again, because it sleeps again, or has
 * the lock and others wait. Who looks for the lock awake takes the bit away and
 * the duty with it, so that nobody leaves to wake another meanwhile.
 *
 * So while somebody sleeps and has not been waked, there is WAITED, or somebody
 * with the duty, or one who unlocks and has it in hand. Nobody goes with the
 * duty who has not said WAITED or waked the next.
 *
 * There are no PI mutexes here: pthread_mutexattr_setprotocol() refuses them.
 */
#include "edmm_mutex.h"

#define OWNER 0x3fffffff
#define WAITED INT_MIN

/*
 * At most some half of an exit pair; the parking lot looks for as long again.
 * As there, where it was in vain the next one looks for less.
 */
#define LOOKS 60
#define VAIN_MOST 8
#define VAIN_TRY 16
/* Of so many waits one leaves WAITED: who sleeps comes to its turn, too. */
#define FAIR 64

static int is_private(const pthread_mutex_t *m)
{
	return (m->_m_type & 128) ^ 128;
}

/* Also of an owner that died, if the mutex is robust. */
static int is_free(const pthread_mutex_t *m, int word)
{
	return !(word & OWNER) && (!word || m->_m_type & 4);
}

static int take(pthread_mutex_t *m, int duty)
{
	int r = __pthread_mutex_trylock(m);

	if (!duty || r == EBUSY)
		return r;
	if (r == 0 || r == EOWNERDEAD) {
		if (m->_m_waiters)
			a_or(&m->_m_lock, WAITED);
	} else {
		__wake(&m->_m_lock, 1, is_private(m));
	}
	return r;
}

static int looks(pthread_mutex_t *m, int turn)
{
	int vain = m->_m_vain;

	if (vain >= VAIN_MOST)
		vain = turn % VAIN_TRY ? VAIN_MOST : 0;
	return LOOKS * (VAIN_MOST - vain) / VAIN_MOST;
}

static void learn(pthread_mutex_t *m, int came)
{
	int vain = m->_m_vain;

	if (came)
		m->_m_vain = vain > 1 ? vain - 2 : 0;
	else if (vain < VAIN_MOST)
		m->_m_vain = vain + 1;
}

/* Look for the lock without leaving. EBUSY: it was in vain. */
static int look(pthread_mutex_t *m, int *duty)
{
	const int turn = (int)((unsigned)m->_m_turn + 1 & INT_MAX);
	int left = looks(m, turn), r = EBUSY, word;

	m->_m_turn = turn;
	if (!left)
		return EBUSY;
	for (; left && r == EBUSY; left--) {
		word = m->_m_lock;
		if (is_free(m, word)) {
			r = take(m, *duty);
			continue;
		}
		if (word < 0 && turn % FAIR && is_private(m) &&
		    a_cas(&m->_m_lock, word, word & INT_MAX) == word)
			*duty = 1;
		a_spin();
	}
	learn(m, r != EBUSY);
	return r;
}

/* Sleep while the word is what it was, if that can still be said in it. */
static int sleep_for(pthread_mutex_t *m, int word, const struct timespec *at,
		     int *duty)
{
	int r = 0;

	a_inc(&m->_m_waiters);
	if (word < 0 || a_cas(&m->_m_lock, word, word | WAITED) == word) {
		r = __timedwait(&m->_m_lock, word | WAITED, CLOCK_REALTIME, at,
				is_private(m));
		*duty = 1;
	}
	a_dec(&m->_m_waiters);
	return r == EINTR ? 0 : r;
}

static int lock_contended(pthread_mutex_t *m, const struct timespec *at,
			  int duty)
{
	const int errorcheck = (m->_m_type & 3) == PTHREAD_MUTEX_ERRORCHECK;
	int r, word;

	while ((r = take(m, duty)) == EBUSY) {
		word = m->_m_lock;
		if (errorcheck && (word & OWNER) == __pthread_self()->tid)
			return EDEADLK;
		r = look(m, &duty);
		if (r != EBUSY)
			return r;
		word = m->_m_lock;
		if (is_free(m, word) || (word & OWNER) == OWNER)
			continue;
		r = sleep_for(m, word, at, &duty);
		if (r)
			return r;
	}
	return r;
}

int __pthread_mutex_timedlock(pthread_mutex_t *restrict m,
			      const struct timespec *restrict at)
{
	return lock_contended(m, at, 0);
}

weak_alias(__pthread_mutex_timedlock, pthread_mutex_timedlock);

int edmm_mutex_relock(pthread_mutex_t *m)
{
	return lock_contended(m, 0, 1);
}

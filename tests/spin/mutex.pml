/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mutex of toolchain/musl/overlay/src/thread/pthread_mutex_timedlock.c for
 * SPIN. Its word is who has it and WAITED; a futex is a queue whose look at the
 * word and entry are one step, as the parking lot has them (lot.pml). Each look
 * and store that others can see is a step of its own.
 *
 * Any wait may end for nothing (GIVES times): by a signal, and it goes on, or by
 * its time, and the thread goes without the lock. Any look may be in vain.
 *
 * Checked: the lock is one thread's; nobody sleeps for ever (no invalid end
 * state). With ROBUST the first owner leaves the lock unrecoverable, which all
 * must come to see. Mistakes that must be found: NO_DUTY (who was waked does not
 * say WAITED for the others), SPIN_FORGETS (who took WAITED away sleeps without
 * it), NO_NEXT (who finds it unrecoverable wakes nobody).
 */
#ifndef THREADS
#define THREADS 3
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef GIVES
#define GIVES 1
#endif

bool held, waited, lost;	/* the word; lost: 0x7fffffff */
byte waiters;			/* _m_waiters */
byte owners;
chan queue = [THREADS] of { byte };
bool asleep[THREADS];
byte gives = GIVES;

inline wake_one()
{
	atomic {
		if
		:: queue?who -> asleep[who] = false; who = 0
		:: empty(queue) -> skip
		fi
	}
}

/* take; got: it has the lock; over: it goes without */
inline take()
{
	atomic {
		if
		:: lost -> over = true
		:: !lost && !held -> held = true; got = true; owners++;
			assert(owners == 1)
		:: !lost && held -> skip
		fi
	}
	if
	:: got && duty ->
		atomic { others = (waiters > 0) }
#ifndef NO_DUTY
		if
		:: others -> waited = true	/* a_or: the lock is ours */
		:: else -> skip
		fi;
#endif
		others = false
	:: over && duty ->
#ifndef NO_NEXT
		wake_one()
#else
		skip
#endif
	:: else -> skip
	fi
}

/* look: takes WAITED away, or not, and finds the lock free, or gives up. */
inline look()
{
	if
	:: atomic { held && waited -> waited = false;
#ifndef SPIN_FORGETS
		    duty = true
#endif
	   }
	:: skip
	fi;
	if
	:: !held || lost -> take()
	:: skip
	fi
}

/* sleep_for */
inline sleep_for()
{
	seen = false;
	/* The word is loaded before the count, and changed if it is the same. */
	atomic {
		if
		:: held && !lost -> seen = true; was = waited
		:: else -> skip
		fi
	}
	if
	:: seen ->
		waiters++;
		atomic {
			if
			:: !was && held && !waited && !lost -> waited = true
			:: !was && !(held && !waited && !lost) -> seen = false
			:: was -> skip
			fi
		}
		if
		:: seen ->
			/* FUTEX_WAIT: only if the word is still so */
			atomic {
				if
				:: held && waited && !lost ->
					asleep[me] = true; queue!me
				/* its time was over before it began */
				:: gives > 0 -> gives--; over = true
				:: !(held && waited && !lost) -> skip
				fi
			}
			if
			:: atomic { !asleep[me] }
			:: atomic { gives > 0 && asleep[me] -> gives--;
				    queue??eval(me); asleep[me] = false }
			:: atomic { gives > 0 && asleep[me] -> gives--;
				    queue??eval(me); asleep[me] = false;
				    over = true }
			fi;
			duty = true
		:: else -> skip
		fi;
		waiters--
	:: else -> skip
	fi;
	was = false; seen = false
}

/* __pthread_mutex_unlock: a swap, and the wake-up that WAITED says. */
inline unlock()
{
	atomic {
		owners--;
		others = waited;
		waited = false;
#ifdef ROBUST
		lost = true;
#endif
		held = false
	}
	if
	:: others -> wake_one()
	:: else -> skip
	fi;
	others = false
}

proctype thread(byte me)
{
	byte i, who;
	bool duty, got, over, others, seen, was;

	for (i : 1 .. ROUNDS) {
		duty = false; got = false; over = false;
		do
		:: !got && !over ->
			take();
			if
			:: !got && !over -> look()
			:: else -> skip
			fi;
			if
			:: !got && !over -> sleep_for()
			:: else -> skip
			fi
		:: got || over -> break
		od;
		if
		:: got -> unlock()
		:: else -> skip
		fi
	}
}

init {
	byte i;

	atomic {
		for (i : 0 .. THREADS - 1) { run thread(i) }
	}
}

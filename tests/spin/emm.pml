/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page protocol of trusted/emm for SPIN: two pages, three threads, and a
 * kernel that adds pages when it likes, withholds them, takes rights away, and
 * does what it is asked or not. Each transition names the function that it
 * stands for.
 *
 * Checked: no page is accepted as PENDING that the books hold committed (I1),
 * books and EPCM agree when nobody is busy (I2), every wait ends (no invalid
 * end state: no deadlock, no lost wake-up).
 *
 * Each thread does one operation, thread 0 as many as OPS says; MORE lets
 * threads 0 and 1 take ranges of both pages. check.sh visits every state of
 * each; two operations of every thread are too many states for a test.
 */
#define PAGES 2
#define THREADS 3
#define NONE 7
#ifndef OPS
#define OPS 1
#endif

/* Books: map.c's byte without rights; EPCM: what the processor has. */
mtype:book = { UNC, COMM, RO, TCS, DOUBT, DOUBT_NEW, TRIMMED };
mtype:epcm = { ABSENT, PENDING, REG, REGRO, TRIM_M, TRIM_A, TCS_M, IS_TCS };

mtype:book book[PAGES];
mtype:epcm epcm[PAGES];
byte owner[PAGES];	/* op slot whose [lo, hi) covers the page; NONE: free */
byte seq[THREADS];	/* slot.seq */
bool waiting[THREADS];	/* slot.waiters */
byte asleep[THREADS];	/* by thread: the slot that it sleeps on, or NONE */
byte done;

/*
 * op_wait: under the map entry's lock note the owner's seq and announce the
 * wait; then, without the lock, sleep (ops.wait) unless seq has moved.
 */
inline wait_for(pg)
{
	atomic {
		owner[pg] != NONE ->
		who = owner[pg]; old = seq[who]; waiting[who] = true
	}
	atomic {
		if
		:: seq[who] == old -> asleep[me] = who
		:: else -> skip
		fi;
		who = 0; old = 0
	}
	asleep[me] == NONE
}

/* map_claim: take the page under the map entry's lock, or wait for it. */
inline claim(pg)
{
	do
	:: atomic { owner[pg] == NONE -> owner[pg] = me; break }
	:: wait_for(pg)
	od
}

/* ops.wake */
inline wake(t)
{
	if
	:: asleep[t] == me -> asleep[t] = NONE
	:: else -> skip
	fi
}

/* map_release_as: clear BUSY under the lock, look who waits, seq++, wake. */
inline release(pg)
{
	atomic {
		assert(owner[pg] == me);
		assert(book[pg] != UNC || epcm[pg] == ABSENT ||
		       epcm[pg] == PENDING);
		assert(book[pg] != COMM || epcm[pg] == REG);
		assert(book[pg] != RO || epcm[pg] == REGRO);
		assert(book[pg] != TCS || epcm[pg] == IS_TCS);
		assert(book[pg] != TRIMMED || epcm[pg] == TRIM_A);
		assert(book[pg] != DOUBT || epcm[pg] == TRIM_M);
		assert(book[pg] != DOUBT_NEW || epcm[pg] == TCS_M);
		owner[pg] = NONE
	}
#ifdef LOST /* the other order, which loses a wake-up: must be found */
	seq[me] = (seq[me] + 1) % 8;
	atomic { woken = waiting[me]; waiting[me] = false }
#else
	atomic { woken = waiting[me]; waiting[me] = false }
	seq[me] = (seq[me] + 1) % 8;
#endif
	atomic {
		if
		:: woken -> wake(0); wake(1); wake(2)
		:: else -> skip
		fi;
		woken = false
	}
}

/* accept_fresh, accept_one: a touch of an absent page lets the kernel add it,
 * or not; bounded retries end in ENOMEM. */
inline accept_fresh(pg)
{
	assert(book[pg] == UNC);	/* I1 */
	if
	:: atomic { epcm[pg] == ABSENT -> epcm[pg] = PENDING }
	:: skip				/* withheld, or there already */
	fi;
	atomic {
		if
		:: epcm[pg] == PENDING -> epcm[pg] = REG; book[pg] = COMM
		:: else -> skip		/* -ENOMEM: as before */
		fi
	}
}

/* act_remove, and act_trim's end: REMOVE_PAGES, done or refused. */
inline remove(pg)
{
	if
	:: atomic { epcm[pg] = ABSENT; book[pg] = UNC }
	:: book[pg] = TRIMMED
	fi
}

/* act_trim: TO_TRIM (done or refused), accept_trim, trim_failed, REMOVE. */
inline trim(pg)
{
	if
	:: epcm[pg] = TRIM_M
	:: skip				/* the host refuses or lies */
	fi;
	if
	:: atomic { epcm[pg] == TRIM_M -> epcm[pg] = TRIM_A }
	:: atomic { epcm[pg] == TRIM_M -> book[pg] = DOUBT } /* unmapped */
	:: atomic { epcm[pg] != TRIM_M -> skip }	/* EMODPE proves it */
	fi;
	if
	:: epcm[pg] == TRIM_A -> remove(pg)
	:: else -> skip
	fi
}

/* act_resolve: EACCEPT tells what a page in doubt became; or #PF again. */
inline resolve(pg)
{
	if
	:: atomic { book[pg] == DOUBT -> epcm[pg] = TRIM_A; book[pg] = TRIMMED }
	:: atomic { book[pg] == DOUBT_NEW -> epcm[pg] = IS_TCS; book[pg] = TCS }
	:: skip
	fi
}

/* act_rights, rights_restrict: RESTRICT, EACCEPT(PR); refused, EMODPE gives
 * the right back. */
inline restrict(pg)
{
	if
	:: epcm[pg] = REGRO
	:: skip
	fi;
	if
	:: atomic { epcm[pg] == REGRO -> book[pg] = RO }
	:: atomic { epcm[pg] = REG }
	fi
}

/* rights_extend: EMODPE. */
inline extend(pg)
{
	atomic { epcm[pg] = REG; book[pg] = COMM }
}

/* fault_repair: the kernel took rights on its own; EMODPE brings them back. */
inline repair(pg)
{
	if
	:: epcm[pg] = REGRO		/* EMODPR, unasked */
	:: skip
	fi;
	epcm[pg] = REG
}

/* act_tcs: TO_TCS, EACCEPT; refused: EMODPE proves that it is REG. */
inline make_tcs(pg)
{
	if
	:: epcm[pg] = TCS_M
	:: skip
	fi;
	if
	:: atomic { epcm[pg] == TCS_M -> epcm[pg] = IS_TCS; book[pg] = TCS }
	:: atomic { epcm[pg] == TCS_M -> book[pg] = DOUBT_NEW }
	:: atomic { epcm[pg] != TCS_M -> skip }
	fi
}

/* emm_commit, emm_uncommit, emm_protect both ways, emm_make_tcs: what a call
 * may do to a claimed page. */
inline act(pg)
{
	if
	:: book[pg] == UNC -> accept_fresh(pg)
	:: book[pg] == COMM -> trim(pg)
	:: book[pg] == COMM -> restrict(pg)
	:: book[pg] == COMM -> make_tcs(pg)
	:: book[pg] == COMM -> repair(pg)
	:: book[pg] == RO -> extend(pg)
	:: book[pg] == RO || book[pg] == TCS -> trim(pg)
	:: book[pg] == TRIMMED -> remove(pg)
	:: book[pg] == DOUBT || book[pg] == DOUBT_NEW -> resolve(pg)
	:: skip
	fi
}

/*
 * emm_fault: fault_look reads the byte under the entry's lock; BUSY:
 * fault_wait, and look again; absent: fault_commit, whose map_claim_run does
 * not wait, and looks again when somebody was faster.
 */
inline fault(pg)
{
	do
	:: atomic { owner[pg] == NONE && book[pg] != UNC -> break }
	:: atomic {
		owner[pg] == NONE && book[pg] == UNC -> owner[pg] = me
	   };
	   accept_fresh(pg);
	   release(pg);
	   break
	:: wait_for(pg)
	od
}

proctype thread(byte me)
{
	byte who, old, n;
	bool woken;

	do
	:: n < (me == 0 -> OPS : 1) ->
		n++;
		if
		:: claim(0); act(0); release(0)
		:: claim(1); act(1); release(1)
		:: fault(0)
		:: fault(1)
#ifdef MORE
		:: me < 2 -> /* a range: ascending, as map_claim does */
			claim(0); claim(1);
			act(0); act(1);
			release(0); release(1)
#endif
		fi
	:: n == (me == 0 -> OPS : 1) -> break
	od;
	done++
}

/* The kernel touches absent pages ahead (populate, or to race). */
active proctype kernel()
{
	do
	:: atomic { done < THREADS && epcm[0] == ABSENT -> epcm[0] = PENDING }
	:: atomic { done < THREADS && epcm[1] == ABSENT -> epcm[1] = PENDING }
	:: done == THREADS -> break
	od
}

init {
	byte p;

	atomic {
		for (p : 0 .. PAGES - 1) {
			book[p] = UNC; epcm[p] = ABSENT; owner[p] = NONE
		}
		for (p : 0 .. THREADS - 1) { asleep[p] = NONE }
		for (p : 0 .. THREADS - 1) { run thread(p) }
	}
}

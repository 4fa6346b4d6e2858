/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page protocol of trusted/emm for SPIN: two pages, three threads, and a
 * kernel that adds pages when it likes, withholds them, and does what it is
 * asked or not. Each transition names the function that it stands for.
 *
 * Checked: no page is accepted as PENDING that the books hold committed (I1),
 * books and EPCM agree when nobody is busy (I2), every wait ends (no invalid
 * end state: no deadlock, no lost wake-up).
 *
 * spin -a emm.pml && gcc -DSAFETY -o pan pan.c && ./pan
 */
#define PAGES 2
#define THREADS 3
#define NONE 255

/* Books: map.c's byte without rights; EPCM: what the processor has. */
mtype = { UNC, COMM, RO, TCS, DOUBT };
mtype = { ABSENT, PENDING, REG, REGRO, TRIM_M, TRIM_A, TCS_M, IS_TCS };

mtype book[PAGES];
mtype epcm[PAGES];
byte owner[PAGES];	/* op slot whose [lo, hi) covers the page; NONE: free */
byte seq[THREADS];	/* slot.seq */
bool waiting[THREADS];	/* slot.waiters */
byte asleep[THREADS];	/* by thread: the slot that it sleeps on, or NONE */
byte done;

inline init_all()
{
	p = 0;
	do
	:: p < PAGES ->
		book[p] = UNC; epcm[p] = ABSENT; owner[p] = NONE; p++
	:: else -> break
	od;
	p = 0;
	do
	:: p < THREADS -> asleep[p] = NONE; p++
	:: else -> break
	od;
	p = 0
}

/*
 * map_claim: under the map entry's lock either take the page, or (op_wait)
 * note the owner's seq and announce the wait, before the lock is left; then
 * sleep, unless seq has moved.
 */
inline claim(pg)
{
	got = false;
	do
	:: got -> break
	:: else ->
		atomic {
			if
			:: owner[pg] == NONE -> owner[pg] = me; got = true
			:: else ->
				who = owner[pg]; old = seq[who];
				waiting[who] = true
			fi
		}
		if
		:: !got ->
			/* ops.wait: sleeps only if the word has not moved. */
			atomic {
				if
				:: seq[who] == old -> asleep[me] = who
				:: else -> skip
				fi
			}
			(asleep[me] == NONE)
		:: else -> skip
		fi
	od
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
		owner[pg] = NONE
	}
	/* The order matters: the other one loses a wake-up. */
	atomic { got = waiting[me]; waiting[me] = false };
	seq[me] = (seq[me] + 1) % 8;
	atomic {
		if
		:: got ->
			/* ops.wake */
			if
			:: asleep[0] == me -> asleep[0] = NONE
			:: else -> skip
			fi;
			if
			:: asleep[1] == me -> asleep[1] = NONE
			:: else -> skip
			fi;
			if
			:: asleep[2] == me -> asleep[2] = NONE
			:: else -> skip
			fi
		:: else -> skip
		fi
	}
}

/* leaf_accept as new (commit.c: accept_fresh): a touch of an absent page lets
 * the kernel add it, or not; bounded retries end in ENOMEM. */
inline accept_fresh(pg)
{
	assert(book[pg] == UNC);	/* I1 */
	if
	:: epcm[pg] == ABSENT && epcm[pg] != PENDING -> epcm[pg] = PENDING
	:: skip				/* withheld, or there already */
	fi;
	atomic {
		if
		:: epcm[pg] == PENDING -> epcm[pg] = REG; book[pg] = COMM
		:: else -> skip		/* -ENOMEM: as before */
		fi
	}
}

/* act_trim: TO_TRIM (done or refused), accept_trim, trim_failed, REMOVE. */
inline trim(pg)
{
	if
	:: epcm[pg] == REG || epcm[pg] == REGRO || epcm[pg] == IS_TCS ->
		epcm[pg] = TRIM_M
	:: skip				/* the host refuses or lies */
	fi;
	atomic {
		if
		:: epcm[pg] == TRIM_M -> epcm[pg] = TRIM_A
		:: else -> skip		/* EMODPE proves: as before */
		fi
	}
	if
	:: epcm[pg] == TRIM_A ->
		atomic { epcm[pg] = ABSENT; book[pg] = UNC }
	:: else -> skip
	fi
}

/* act_rights: RESTRICT, EACCEPT(PR); or EMODPE gives the right back. */
inline restrict(pg)
{
	if
	:: epcm[pg] == REG -> epcm[pg] = REGRO
	:: skip
	fi;
	if
	:: epcm[pg] == REGRO -> book[pg] = RO
	:: else -> skip
	fi
}

/* rights_extend: EMODPE. */
inline extend(pg)
{
	atomic { epcm[pg] = REG; book[pg] = COMM }
}

/* act_tcs: TO_TCS, EACCEPT; refused: EMODPE proves that it is REG. */
inline make_tcs(pg)
{
	if
	:: epcm[pg] == REG -> epcm[pg] = TCS_M
	:: skip
	fi;
	atomic {
		if
		:: epcm[pg] == TCS_M -> epcm[pg] = IS_TCS; book[pg] = TCS
		:: else -> skip
		fi
	}
}

/* One operation on one page: emm_fault or emm_commit, emm_uncommit,
 * emm_protect both ways, emm_make_tcs. */
inline act(pg)
{
	if
	:: book[pg] == UNC -> accept_fresh(pg)
	:: book[pg] == COMM -> trim(pg)
	:: book[pg] == COMM -> restrict(pg)
	:: book[pg] == COMM -> make_tcs(pg)
	:: book[pg] == RO -> extend(pg)
	:: book[pg] == RO || book[pg] == TCS -> trim(pg)
	:: skip
	fi
}

proctype thread(byte me)
{
	byte who, old, n;
	bool got;

	do
	:: n < 1 ->
		n++;
		if
		:: claim(0); act(0); release(0)
		:: claim(1); act(1); release(1)
		:: me < 2 -> /* a range: ascending, as map_claim does */
			claim(0); claim(1);
			act(0); act(1);
			release(0); release(1)
		fi
	:: n == 1 -> break
	od;
	done++
}

/* The kernel touches absent pages ahead (populate, or to race). */
active proctype kernel()
{
	byte n;

	do
	:: n < 1 && done == 0 ->
		n++;
		if
		:: atomic { epcm[0] == ABSENT -> epcm[0] = PENDING }
		:: skip
		fi
	:: break
	od
}

init {
	byte p;

	atomic {
		init_all();
		do
		:: p < THREADS -> run thread(p); p++
		:: else -> break
		od
	}
}

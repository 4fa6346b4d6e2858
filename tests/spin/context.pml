/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a context for SPIN: trusted/rt/context.c, block.c, thread.c and
 * entry.S, clone and exit of trusted/sys/thread/clone.c, and the host's slots
 * (host/threads.c). Two parents make threads, which end, and all of them trim;
 * there are two numbers, none made at first. Each step names the function that
 * it stands for; the four sets are bits, and a change of one is a step.
 *
 * The processor's part: a TCS that is none by the EPCM, or is being changed, or
 * is in use, is not entered. The gate's part: of all other entries the state
 * lets in those that the model makes, and refuses the rest.
 *
 * The host refuses REFUSALS times. As a LIAR it enters what it can whenever it
 * can, says no and enters all the same, and trims without waiting for a thread
 * that is on its last instructions, which is lost then. Nobody waits for a
 * thread of such a host.
 *
 * Checked: who touches a block has it, and it is there; it is taken after its
 * thread's FREE, by one; an entry gets in once for each ASSIGNED, and finds the
 * record whole; a TCS in use is not trimmed (but by a liar); a live thread's
 * record is there for who has the layer's lock (SENDER); a joiner is waked (no
 * invalid end state); at the end each number is nobody's and gone, or idle and
 * FREE. By LIVE: all of it ends.
 *
 * SAYS_NO, which the other variants leave out: a host says no when the thread has
 * come and gone. Nobody takes a number before its parent has looked; once
 * (NOT_STARTING) the record was another's by then, or nobody's. The parking lot is lot.pml's; here it is one
 * node a parent.
 */
#define NUMBERS 2
#define PARENTS 2
#ifndef ROUNDS
#define ROUNDS 1	/* of the first parent; the second makes one thread */
#endif
#ifndef POOL
#define POOL 0		/* threads.pool */
#endif
#ifndef REFUSALS
#define REFUSALS 0
#endif
#define NOBODY 7
/* Threads by number: the parents, then who runs on a context. */
#define ON(c) (PARENTS + (c))

mtype:page = { GONE, REG, CHANGING, TCS, TRIMMED };
mtype:state = { FREE, ASSIGNED, RUNNING, MAKING };	/* RT_STATE_* */
mtype:slot = { WAITS, RUNS, WANTED };			/* enum slot_state */
mtype:park_state = { IDLE, QUEUED, OUT, WOKEN };		/* enum park_state */

/* context.c: the.idle, ... */
bool idle[NUMBERS], taken[NUMBERS], there[NUMBERS], dirty[NUMBERS];
byte made;
#ifndef NOT_STARTING
bool starting[NUMBERS];
#endif

/* The block: what the EPCM says of it, and its record. */
mtype:page pages[NUMBERS];
mtype:state state[NUMBERS];
bool called[NUMBERS];
byte clear[NUMBERS];		/* sys_thread.clear: whose tid word */
bool whole[NUMBERS];		/* rt_thread_regs() is done */
byte owner[NUMBERS];		/* who may touch it */
byte born[NUMBERS];		/* of which parent */

bool busy[NUMBERS];		/* the TCS is in use */
mtype:slot slot[NUMBERS];	/* the host's */
byte refusals = REFUSALS;

/* clone.c */
bool live[NUMBERS];
bool big;			/* the layer's lock */
bool tid[PARENTS];		/* a word of the program's */
mtype:park_state node[PARENTS];	/* a joiner's, in the lot */
bool token[PARENTS];		/* unparked: the host's word */
byte over;			/* parents that are done */

/* An access to a block, by its thread or by who has taken it. */
inline touch(c)
{
	assert(owner[c] == me && (pages[c] == REG || pages[c] == TCS))
}

inline lock_big()
{
	atomic { !big -> big = true }
}

inline unlock_big()
{
	big = false
}

/* A step of the host's: it does as it is asked, or not. */
inline ask()
{
	if
	:: done = true
	:: refusals > 0 -> refusals--; done = false
	fi
}

/* take: who takes the bit away may read the record. */
inline take(c)
{
	done = false;
#ifdef LOOK_FIRST /* and takes the bit if it is FREE: must be found */
	atomic { assert(pages[c] == TCS); done = (state[c] == FREE) };
	if
	:: done -> atomic { done = idle[c]; idle[c] = false }
	:: else -> skip
	fi;
	if
	:: done -> atomic {
		assert(pages[c] == TCS && owner[c] == NOBODY);
		state[c] = MAKING; owner[c] = me; whole[c] = false
	   }
	:: else -> skip
	fi
#else
	atomic { done = idle[c]; idle[c] = false };
	if
	:: done ->
		atomic {
			assert(pages[c] == TCS);
			done = (state[c] == FREE);
#ifndef NOT_STARTING
			done = done && !starting[c];
#endif
			skip
		};
		if
		:: atomic { done -> assert(owner[c] == NOBODY);
			    owner[c] = me; whole[c] = false;
			    state[c] = MAKING }
		:: else -> idle[c] = true
		fi
	:: else -> skip
	fi
#endif
}

/* rt_made_claim, rt_made_left: claim */
inline claim(c)
{
	atomic {
		done = !taken[c];
		if
		:: done -> taken[c] = true; made++;
			assert(owner[c] == NOBODY); owner[c] = me
		:: else -> skip
		fi
	}
}

/*
 * uncommit: change_types of the host, which waits until the slot's thread has
 * left; EMODT, EACCEPT, EREMOVE. done: all of it is gone.
 */
inline uncommit(c)
{
	if
	:: pages[c] == GONE -> done = true
	:: else ->
#ifndef LIAR
		slot[c] != RUNS;
#endif
		ask();
		if
		:: done -> atomic {
#ifdef LIAR
			busy[c] = false;	/* it can never go on */
#endif
			assert(!busy[c] && owner[c] == me);
			pages[c] = TRIMMED
		   };
		   pages[c] = GONE
		:: else -> skip
		fi
	fi
}

/* rt_made_release */
inline release(c, ok)
{
	dirty[c] = !ok;
	made--;
	atomic { owner[c] = NOBODY; taken[c] = false }
}

/* give_back */
inline give_back(c)
{
#ifdef RELEASE_FIRST /* the number before its pages: must be found */
	release(c, true);
	uncommit(c);
	dirty[c] = !done
#else
	uncommit(c);
	release(c, done)
#endif
}

/* rt_threads_trim: rt_made_surplus, rt_made_drop; then rt_made_left, once */
inline trim()
{
	i = 0; n = 0;
	do
	:: i < NUMBERS && !idle[i] -> i++
	:: i < NUMBERS && idle[i] ->
		n++;
		if
		:: n > POOL ->
			take(i);
			if
			:: done -> there[i] = false; give_back(i); i = 0; n = 0
			:: else -> i++
			fi
		:: else -> i++
		fi
	:: i == NUMBERS -> break
	od;
	i = 0; n = 0;
	do
	:: i < NUMBERS && !dirty[i] -> i++
	:: i < NUMBERS && dirty[i] ->
		claim(i);
		if
		:: done -> give_back(i); break
		:: else -> i++
		fi
	:: i == NUMBERS -> break
	od;
	i = 0; done = false
}

/* make: commit, fill, emm_make_tcs */
inline make(c)
{
	ask();
	if
	:: done ->
		atomic { pages[c] = REG; state[c] = FREE; called[c] = false };
		there[c] = true;
		atomic { touch(c); state[c] = MAKING; whole[c] = false };
		ask();
		if
		:: done -> pages[c] = CHANGING; pages[c] = TCS
		:: else -> there[c] = false
		fi
	:: else -> skip
	fi;
	if
	:: done -> context = c
	:: else -> uncommit(c); release(c, done)
	fi
}

/* rt_thread_make */
inline make_one()
{
	i = 0;
	do
	:: i < NUMBERS ->
		claim(i);
		if
		:: done ->
			if
			:: dirty[i] -> uncommit(i)
			:: else -> skip
			fi;
			if
			:: done -> make(i); break
			:: else -> release(i, done); i++
			fi
		:: else -> i++
		fi
	:: i == NUMBERS -> break
	od;
	i = 0; done = false
}

/* get_context: rt_thread_take, rt_threads_trim, rt_thread_make */
inline get_context()
{
	i = 0;
	do
	:: i < NUMBERS && !idle[i] -> i++
	:: i < NUMBERS && idle[i] ->
		take(i);
		if
		:: done -> context = i; break
		:: else -> i++
		fi
	:: i == NUMBERS -> break
	od;
	trim();
	if
	:: context == NOBODY -> make_one()
	:: else -> skip
	fi
}

/* change_state(ASSIGNED, MAKING), when the host has said no */
inline take_back(c)
{
	assert(pages[c] == TCS);
	if
#ifdef TRUST_NO /* a store, not an exchange: must be found */
	:: true -> state[c] = MAKING; owner[c] = me
#else
	:: state[c] == ASSIGNED ->
		assert(born[c] == me && owner[c] == me);
		state[c] = MAKING
	:: else -> started = true
#endif
	fi
}

/* rt_thread_start, with host_threads_start; started: it is, or may be */
inline rt_thread_start(c)
{
#ifndef NOT_STARTING
	starting[c] = true;
#endif
#ifndef EARLY
	atomic { touch(c); born[c] = me; state[c] = ASSIGNED };
#endif
	if
	:: atomic {
#ifndef LIAR
		assert(slot[c] != WANTED);
#endif
		slot[c] = (slot[c] == WAITS -> RUNS : WANTED);
		started = true
	   }
#ifndef LIAR
	:: atomic { refusals > 0 -> refusals--; take_back(c) }
#else
#ifdef SAYS_NO /* late */
	:: skip; atomic { take_back(c) }
#else
	:: atomic {
		owner[c] == me || (owner[c] == ON(c) && born[c] == me) ->
		take_back(c)
	   }
#endif
#endif
	fi;
#ifndef NOT_STARTING
	starting[c] = false
#endif
}

/* sys_thread; the parent has the tid word put, and the child clears it. */
inline clone()
{
	context = NOBODY; started = false;
	get_context();
	if
	:: context != NOBODY ->
		lock_big();
		tid[me] = true;
#ifdef EARLY /* before the record is whole: must be found */
		atomic { touch(context); born[context] = me;
			 state[context] = ASSIGNED };
#endif
		/* prepare, rt_thread_regs, become_live */
		atomic { touch(context); clear[context] = me };
		atomic { touch(context); whole[context] = true };
		live[context] = true;
		unlock_big();
		rt_thread_start(context);
		lock_big();
		if
		:: started -> skip
		:: else ->
			live[context] = false;
			tid[me] = false;
			/* rt_thread_drop */
			atomic { touch(context); state[context] = FREE;
				 owner[context] = NOBODY };
			idle[context] = true
		fi;
		unlock_big()
	:: else -> skip
	fi;
	context = 0
}

/* futex(FUTEX_WAIT) on the tid word until it is 0, as pthread_join() does */
inline join()
{
	do
	:: atomic { !tid[me] -> break }
	:: atomic { tid[me] -> node[me] = QUEUED };
	   do
	   :: atomic { node[me] == QUEUED -> node[me] = OUT };
	      atomic { token[me] -> token[me] = false };
	      atomic {
		if
		:: node[me] == OUT -> node[me] = QUEUED
		:: else -> skip
		fi
	      }
	   :: node[me] == WOKEN -> break
	   od;
	   node[me] = IDLE
	od
}

/* sys_futex_wake_one: out: whom the exit is to unpark */
inline wake_one(p)
{
	atomic {
		if
		:: node[p] == OUT -> node[p] = WOKEN; out = p
		:: node[p] == QUEUED -> node[p] = WOKEN
		:: else -> skip
		fi
	}
}

/* finish */
inline finish(c)
{
	atomic { touch(c); who = clear[c] };
	trim();
	lock_big();
#ifndef LIVE_LATE
	live[c] = false;
#endif
#ifdef WAKE_FIRST /* and clears the word then: must be found */
	wake_one(who);
	tid[who] = false;
	unlock_big();
#else
	tid[who] = false;
	unlock_big();
	wake_one(who);
#endif
	/* rt_thread_end, rt_leave_thread */
	idle[c] = true;
#ifdef FREE_EARLY /* the stack or record is used after it: must be found */
	atomic { touch(c); state[c] = FREE; owner[c] = NOBODY };
	assert(owner[c] == NOBODY && pages[c] == TCS);
#else
	touch(c);		/* the host's RSP, RBP, RIP */
	atomic { touch(c); state[c] = FREE; owner[c] = NOBODY };
#endif
#ifdef LIVE_LATE /* who sends it a signal looks there: must be found */
	live[c] = false;
#endif
}

proctype parent(byte me)
{
	byte i, n, context, round;
	bool done, started;

	do
	:: round < (me == 0 -> ROUNDS : 1) ->
		round++;
		clone();
#ifndef LIAR
		if
		:: me == 0 && started -> join()
		:: else -> skip
		fi
#endif
	:: else -> break
	od;
	over++
}

/*
 * A context's number: run_thread of the host, and what the enclave does there.
 * The gate refuses all entries but these by the state alone.
 */
proctype context_of(byte c)
{
	byte me = ON(c);
	byte i, n, who, out = NOBODY;
	bool done;

end:	do
	:: atomic {
#ifdef LIAR
		pages[c] == TCS && !busy[c] && state[c] == ASSIGNED ->
#else
		slot[c] == RUNS ->
		assert(pages[c] == TCS && !busy[c] && state[c] == ASSIGNED);
#endif
		/* _start: ASSIGNED to RUNNING */
		state[c] = RUNNING;
		assert(whole[c] && owner[c] == born[c]);	/* I9 */
		owner[c] = me; busy[c] = true
	   };
	   touch(c);			/* rt_thread_first, the program */
	   if
#ifdef CALLS
	   :: atomic { touch(c); called[c] = true };
		busy[c] = false;	/* EEXIT; a host call */
		atomic {		/* .Lreturn */
			pages[c] == TCS && !busy[c] && state[c] == RUNNING &&
			called[c] -> called[c] = false; busy[c] = true
		}
#endif
	   :: skip
	   fi;
	   finish(c);
	   busy[c] = false;		/* EEXIT */
	   if				/* thread_ended */
	   :: out != NOBODY -> token[out] = true; out = NOBODY
	   :: else -> skip
	   fi;
	   atomic {			/* wait_for_next */
		slot[c] = (slot[c] == WANTED -> RUNS : WAITS);
		who = 0
	   }
	od
}

/* sys_thread_of and a look at the record: tgkill, for one. */
proctype sender()
{
	byte c;
	bool ok;

	if
	:: c = 0
	:: c = NUMBERS - 1
	fi;
	lock_big();
	ok = live[c];
	assert(!ok || pages[c] == TCS);
	unlock_big()
}

/* No number is lost. */
proctype auditor()
{
	byte c;

	atomic {
		over == PARENTS && !big;
#ifndef LIAR
		for (c : 0 .. NUMBERS - 1) {
			slot[c] == WAITS
		}
		for (c : 0 .. NUMBERS - 1) {
			assert(taken[c] || (pages[c] == GONE || dirty[c]));
			assert(!taken[c] || (idle[c] && there[c] &&
					     state[c] == FREE &&
					     pages[c] == TCS));
			made = made - taken[c]
		}
		assert(made == 0)
#endif
	}
}

#ifdef LIVE
ltl ends { <> (over == PARENTS && slot[0] == WAITS && slot[1] == WAITS) }
#endif

init {
	byte c;

	atomic {
		for (c : 0 .. NUMBERS - 1) {
			pages[c] = GONE; state[c] = FREE; owner[c] = NOBODY;
			slot[c] = WAITS
		}
		for (c : 0 .. PARENTS - 1) { node[c] = IDLE }
		for (c : 0 .. NUMBERS - 1) { run context_of(c) }
		for (c : 0 .. PARENTS - 1) { run parent(c) }
#ifdef SENDER
		run sender();
#endif
		run auditor()
	}
}

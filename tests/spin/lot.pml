/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parking lot of trusted/sys/thread for SPIN: futex.c, park.c, the layer's
 * lock (big_lock.c) and the host's word for each thread to sleep on
 * (host/threads.c). Each step names the function that it stands for, and each
 * look and store that others can see is a step of its own.
 *
 * The host lies: a few sleeps (LIES) end for nothing. Any of them may be the
 * end of a wait by time or by a signal, which are alike here. More lies would
 * only hide what is lost: who is waked for nothing looks again.
 *
 * Checked: every wait ends (no invalid end state: no wake-up is lost); a
 * wake-up that was counted to a waiter is what its wait returns with; a node is
 * in no bucket after its wait, and nobody looks at it then; the layer's lock is
 * one thread's.
 *
 * What the program does: SEM, a semaphore whose waiters may give up; EVENT, one
 * wakes all, by a list with room for one; MOVE, one wakes at most one and moves
 * the others to a second word, whose waiters wake one another, and with SAME
 * both words are of one bucket; TURN, waiters fault on their way to sleep and
 * need the layer's lock for that. With DROPS the host unparks whom it likes,
 * which may cost the program's life, and nothing else. By LIVE every waiter is
 * done at last.
 *
 * A list with room for one in MOVE is what a requeue goes on after. It once gave
 * up there (GIVES_UP): nobody was moved, nor waked by another.
 */
#ifdef TURN
#ifndef USERS
#define USERS 1	/* of the layer's lock, who wait for nothing else */
#endif
#define WAITERS 1
#else
#define USERS 0
#endif
#ifndef WAITERS
#define WAITERS 2
#endif
#ifndef LIES
#define LIES 2
#endif
#define THREADS (WAITERS + USERS)
#define NODES (2 * THREADS)
/* PARK_LIST: so many at a time are listed to be unparked. */
#ifndef LIST
#define LIST 2
#endif
/* Words, which are the keys as well; and the bucket of the layer's lock. */
#define A 0
#define B 1
#define TURNS 2
#ifdef SAME
#define BUCKET(k) (k / 2 * 2)
#else
#define BUCKET(k) (k)
#endif

mtype:park_state = { IDLE, QUEUED, OUT, WOKEN };	/* enum park_state */
mtype:park_word = { NOTHING, TOKEN, SLEEPS };	/* enum park_word, the host's */
mtype:big = { FREE, HELD, WANTED };		/* the.word of big_lock.c */

byte word[2];
bool held[3];				/* park_bucket.lock */
chan queue[3] = [NODES] of { byte };	/* park_bucket.first and on */
mtype:park_state state[NODES];		/* a thread's own; THREADS on: its turn */
byte key[NODES], in[NODES];
bool counted[NODES];			/* a wake-up has been, to it */
bool gone[NODES];			/* its wait is over */
mtype:park_word park[THREADS];
bool asleep[THREADS];			/* in the host's kernel, on park */
mtype:big big = FREE;
byte inside;				/* who has the layer's lock */
byte lies = LIES;
byte over;				/* waiters that are done */

#define CONTEXT(n) ((n) % THREADS)

/* rt_lock, rt_unlock */
inline lock(b)
{
	atomic { !held[b] -> held[b] = true }
}

inline unlock(b)
{
	assert(held[b]);
	held[b] = false
}

/* park_add */
inline add(n, k)
{
	atomic {
		assert(state[n] == IDLE);
		key[n] = k; in[n] = BUCKET(k);
		counted[n] = false; gone[n] = false;
		state[n] = QUEUED;
		queue[BUCKET(k)]!n
	}
}

/* The end of a wait: the node may go with its thread. */
inline forget(n)
{
	atomic {
		assert(!(queue[0]??[eval(n)]) && !(queue[1]??[eval(n)]) &&
		       !(queue[2]??[eval(n)]));
		state[n] = IDLE; in[n] = 0; key[n] = 0; gone[n] = true
	}
}

/* host_threads_unpark: a token, and a wake-up for one who sleeps already. */
inline unpark(t)
{
#ifdef NO_TOKEN /* for sleepers only: must be found */
	asleep[t] = false;
#else
	atomic { slept = (park[t] == SLEEPS); park[t] = TOKEN }
	atomic {
		if
		:: slept -> asleep[t] = false
		:: else -> skip
		fi;
		slept = false
	}
#endif
}

/* park_list_out */
inline list_out()
{
	do
	:: list?ctx ->
#ifdef DROPS
		if
		:: unpark(ctx)
		:: skip
		fi;
#else
		unpark(ctx);
#endif
		ctx = 0
	:: empty(list) -> break
	od
}

/*
 * park_wake: the others keep their order. What wake() needs of a node it has
 * read before the exchange, after which it is its thread's again.
 */
inline wake_queued(k, most)
{
	left = len(queue[BUCKET(k)]);
	do
	:: atomic {
		left > 0 -> left--;
		queue[BUCKET(k)]?node;
		if
		:: key[node] == k && done < most && len(list) < LIST ->
			done++;
			counted[node] = true;
			slept = (state[node] == OUT);
			state[node] = WOKEN
		:: else ->
			queue[BUCKET(k)]!node;
			slept = false; node = NODES
		fi
	   };
	   atomic {
		if
		:: slept ->
#ifdef CONTEXT_LATE /* it reads n->context only now: must be found */
			assert(!gone[node]);
#endif
			list!CONTEXT(node)
		:: else -> skip
		fi;
		slept = false; node = 0
	   }
	:: left == 0 -> break
	od
}

/* wake of futex.c: until all are counted, by as many lists as that takes */
inline wake(k, most)
{
	do
	:: lock(BUCKET(k));
	   wake_queued(k, most);
	   unlock(BUCKET(k));
	   again = (len(list) == LIST);
	   list_out();
	   if
	   :: again && done < most -> skip
	   :: else -> break
	   fi
	od;
	done = 0; again = false
}

/* park_move: as many as were there at first */
inline move(k, to, most)
{
	left = len(queue[BUCKET(k)]);
	do
	:: atomic {
		left > 0 -> left--;
		queue[BUCKET(k)]?node;
		if
		:: key[node] == k && moved < most ->
			moved++;
			key[node] = to; in[node] = BUCKET(to);
			aside!node
		:: else -> queue[BUCKET(k)]!node
		fi;
		node = 0
	   }
	:: atomic { left == 0 && aside?[node] -> aside?node;
		    queue[BUCKET(to)]!node; node = 0 }
	:: left == 0 && empty(aside) -> break
	od;
	moved = 0
}

/* requeue, park_lock_both: the lower bucket first */
inline requeue(k, to, most, more)
{
	do
	:: lock(BUCKET(k));
	   if
	   :: BUCKET(k) != BUCKET(to) -> lock(BUCKET(to))
	   :: else -> skip
	   fi;
	   wake_queued(k, most);
	   again = (len(list) == LIST);
#ifndef GIVES_UP
	   again = again && done < most;
#endif
	   if
	   :: !again -> move(k, to, more)
	   :: else -> skip
	   fi;
	   if
	   :: BUCKET(k) != BUCKET(to) -> unlock(BUCKET(to))
	   :: else -> skip
	   fi;
	   unlock(BUCKET(k));
	   list_out();
#ifdef GIVES_UP
	   again = false;
#endif
	   if
	   :: again -> skip
	   :: else -> break
	   fi
	od;
	done = 0
}

/* park_sleep: change(QUEUED, OUT), which fails if somebody has waked it */
inline say_out(n)
{
	atomic {
		if
#ifdef OUT_BLIND /* a store, not an exchange: must be found */
		:: true -> state[n] = OUT
#else
		:: state[n] == QUEUED -> state[n] = OUT
		:: else -> woken = true
#endif
		fi
	}
}

/* rt_host_call(WIRE_CALL_PARK): host_threads_park */
inline host_park(t)
{
	atomic {
		if
		:: park[t] == NOTHING -> park[t] = SLEEPS
		:: else -> skip
		fi
	};
	atomic {	/* futex(FUTEX_WAIT, SLEEPS) */
		if
		:: park[t] == SLEEPS -> asleep[t] = true
		:: else -> skip
		fi
	};
	atomic {
		if
		:: !asleep[t]
#ifdef DROPS
		:: asleep[t] -> asleep[t] = false
#else
		:: lies > 0 && asleep[t] -> lies--; asleep[t] = false
#endif
		fi
	};
	park[t] = NOTHING
}

/* park_sleep: change(OUT, QUEUED) */
inline look_back(n)
{
	atomic {
		if
		:: state[n] == OUT -> state[n] = QUEUED
		:: else -> woken = true
		fi
	}
}

/* park_leave: the node may be moved until its bucket is locked. */
inline leave(n)
{
	at = in[n];
	do
	:: lock(at);
#ifdef LEAVE_BLIND /* must be found */
	   break
#else
	   if
	   :: at == in[n] -> break
	   :: else -> unlock(at); at = in[n]
	   fi
#endif
	od;
	atomic {
		if
		:: state[n] != WOKEN ->
			assert(queue[at]??[eval(n)]);	/* RT_INVARIANT(9) */
			queue[at]??eval(n);
			state[n] = IDLE;
			gave_up = true
		:: else -> skip
		fi
	};
#ifdef TIMES_OUT /* returns ETIMEDOUT though it was waked: must be found */
	gave_up = true;
#endif
	unlock(at);
	at = 0
}

/* try_lock */
inline take_big()
{
	atomic { big == FREE -> big = HELD }
}

/* lock_contended, after its spins; wait_for_turn */
inline lock_contended(t)
{
	do
	:: atomic {
		was_free = (big == FREE);
		big = WANTED;
		if
		:: was_free -> break
		:: else -> skip
		fi
	   };
	   lock(TURNS);
	   atomic { was_free = (big != WANTED) };
	   if
	   :: !was_free -> add(THREADS + t, TURNS)
	   :: else -> skip
	   fi;
	   unlock(TURNS);
	   woken = was_free;
	   do
	   :: !woken ->
		say_out(THREADS + t);
		if
		:: !woken -> host_park(t); look_back(THREADS + t)
		:: else -> skip
		fi
	   :: woken -> break
	   od;
	   woken = false;
	   forget(THREADS + t)
	od;
	was_free = false
}

/* sys_lock: who is in the lot already has a sleep, and spins. */
inline sys_lock(t)
{
	if
	:: take_big()
	:: big != FREE ->
		if
#ifdef NESTED /* it sleeps all the same: must be found */
		:: false
#else
		:: state[t] != IDLE || state[THREADS + t] != IDLE -> take_big()
#endif
		:: else -> lock_contended(t)
		fi
	fi;
	atomic { inside++; assert(inside == 1) }
}

/* sys_unlock: release */
inline sys_unlock()
{
	inside--;
	atomic { again = (big == WANTED); big = FREE };
	if
	:: again ->
		lock(TURNS);
		wake_queued(TURNS, 1);
		unlock(TURNS);
		list_out()
	:: else -> skip
	fi;
	done = 0; again = false
}

/*
 * wait of futex.c. The first load, without the lock, only brings the page in.
 * Time and signals: wait_in_lot gives up when a sleep has ended for nothing.
 */
inline wait(n, k, value)
{
	gave_up = false;
#ifdef LOOK_OUTSIDE /* of the bucket's lock: must be found */
	equal = (word[k] == value);
	lock(BUCKET(k));
#else
	lock(BUCKET(k));
	equal = (word[k] == value);
#endif
	if
	:: equal -> add(n, k)
	:: else -> skip
	fi;
	unlock(BUCKET(k));
	woken = !equal;
	do
	:: !woken && !gave_up ->
		say_out(n);
		if
		:: !woken ->
#ifdef TURN
			if	/* a fault, before the exit */
			:: sys_lock(n); sys_unlock()
			:: skip
			fi;
			woken = false;
#endif
			host_park(n);
			look_back(n)
		:: else -> skip
		fi;
		if
		:: !woken -> leave(n); woken = !gave_up
		:: !woken -> skip
		:: woken -> skip
		fi
	:: woken || gave_up -> break
	od;
	assert(!equal || counted[n] == !gave_up);
	assert(!equal || gave_up || state[n] == WOKEN);
	woken = false; equal = false;
	forget(n)
}

proctype waiter(byte me)
{
	chan list = [LIST] of { byte };
	byte ctx, left, node = 0, done, at;
	bool slept, again, woken, gave_up, equal, was_free;

	do
#ifdef SEM
	:: atomic { word[A] > 0 -> word[A]--; break }
#else
	:: word[A] > 0 -> break
#endif
	:: word[A] == 0 ->
		wait(me, A, 0);
#ifdef SEM
		if
		:: gave_up -> break
		:: true -> skip
		fi
#endif
	od;
#ifdef MOVE
	wake(B, 1);
#endif
	over++
}

/* Who posts, sets, or broadcasts. */
proctype waker()
{
	chan list = [LIST] of { byte };
	chan aside = [NODES] of { byte };
	byte ctx, left, node = 0, done, moved;
	bool slept, again;

	atomic { word[A]++ };
#ifdef MOVE
	requeue(A, B, 1, NODES)
#else
#ifdef SEM
	wake(A, 1)
#else
	wake(A, NODES)
#endif
#endif
}

#ifdef TURN
proctype user(byte me)
{
	chan list = [LIST] of { byte };
	byte ctx, left, node = 0, done;
	bool slept, again, woken, was_free;

	sys_lock(me);
	sys_unlock()
}
#endif

#ifdef LIVE
ltl ends { <> (over == WAITERS) }
#endif

init {
	byte i;

	atomic {
		for (i : 0 .. NODES - 1) { state[i] = IDLE; gone[i] = true }
		for (i : 0 .. THREADS - 1) { park[i] = NOTHING }
		for (i : 0 .. WAITERS - 1) { run waiter(i) }
#ifdef TURN
		for (i : WAITERS .. THREADS - 1) { run user(i) }
#endif
#ifdef SEM
		for (i : 1 .. WAITERS) { run waker() }
#else
		run waker()
#endif
	}
}

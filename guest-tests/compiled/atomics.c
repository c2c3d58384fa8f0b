// C11 atomics of all sizes, locks, condition variables: threads contend, totals are exact.

#define _GNU_SOURCE
#include "cases.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

enum { THREADS = 4, TURNS = 3000 };

static void run_threads(void *(*work)(void *)) {
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

#define COUNTER(SUFFIX, TYPE)                                                                  \
    static _Atomic TYPE counter_##SUFFIX, bits_##SUFFIX, least_##SUFFIX;                       \
    static void *count_##SUFFIX(void *argument) {                                              \
        TYPE mine = (TYPE)(1 << (uintptr_t)argument);                                          \
        for (int i = 0; i < TURNS; i++) {                                                      \
            atomic_fetch_add(&counter_##SUFFIX, 3);                                            \
            atomic_fetch_sub_explicit(&counter_##SUFFIX, 1, memory_order_relaxed);             \
            CHECK(!(atomic_fetch_or(&bits_##SUFFIX, mine) & mine));                            \
            CHECK(atomic_fetch_and(&bits_##SUFFIX, (TYPE)~mine) & mine);                       \
            atomic_fetch_xor_explicit(&bits_##SUFFIX, mine, memory_order_release);             \
            atomic_fetch_xor_explicit(&bits_##SUFFIX, mine, memory_order_acquire);             \
            TYPE seen = atomic_load(&least_##SUFFIX);                                          \
            while (!atomic_compare_exchange_weak(&least_##SUFFIX, &seen, (TYPE)(seen + 5))) {} \
        }                                                                                      \
        return NULL;                                                                           \
    }                                                                                          \
    CASE(atomic_##SUFFIX) {                                                                    \
        run_threads(count_##SUFFIX);                                                           \
        CHECK(counter_##SUFFIX == (TYPE)(2 * THREADS * TURNS) && bits_##SUFFIX == 0);          \
        CHECK(least_##SUFFIX == (TYPE)(5 * THREADS * TURNS));                                  \
        return (uint64_t)counter_##SUFFIX;                                                     \
    }
COUNTER(u8, uint8_t)
COUNTER(u16, uint16_t)
COUNTER(u32, uint32_t)
COUNTER(u64, uint64_t)

static _Atomic uint64_t token = 1000;
static void *swap_tokens(void *argument) {
    (void)argument;
    for (int i = 0; i < TURNS; i++) atomic_fetch_add(&token, atomic_exchange(&token, 0));
    return NULL;
}
CASE(exchanges) {
    run_threads(swap_tokens);
    CHECK(token == 1000);
    return token;
}

static atomic_flag flag = ATOMIC_FLAG_INIT;
static uint64_t guarded;
static void *spin_lock(void *argument) {
    (void)argument;
    for (int i = 0; i < TURNS; i++) {
        while (atomic_flag_test_and_set_explicit(&flag, memory_order_acquire)) sched_yield();
        guarded++;
        atomic_flag_clear_explicit(&flag, memory_order_release);
    }
    return NULL;
}
CASE(spin_locks) {
    run_threads(spin_lock);
    CHECK(guarded == THREADS * TURNS);
    return guarded;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t turn;
static void *take_turns(void *argument) {
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % THREADS != (uintptr_t)argument) pthread_cond_wait(&changed, &mutex);
        turn++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}
CASE(condition_variables) {
    run_threads(take_turns);
    CHECK(turn == 100 * THREADS);
    return turn;
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static uint64_t first, second;
static void *read_and_write(void *argument) {
    for (int i = 0; i < TURNS / 4; i++) {
        if ((uintptr_t)argument == 0) {
            pthread_rwlock_wrlock(&rwlock);
            first++;
            second++;
        } else {
            pthread_rwlock_rdlock(&rwlock);
            CHECK(first == second);
        }
        pthread_rwlock_unlock(&rwlock);
    }
    return NULL;
}
CASE(read_write_locks) {
    run_threads(read_and_write);
    return first;
}

static pthread_barrier_t barrier;
static _Atomic int arrived;
static void *meet(void *argument) {
    (void)argument;
    for (int i = 1; i <= 50; i++) {
        arrived++;
        pthread_barrier_wait(&barrier);
        CHECK(arrived == i * THREADS);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}
CASE(barriers) {
    CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    run_threads(meet);
    return (uint64_t)arrived;
}

static sem_t semaphore;
static _Atomic int inside;
static void *enter(void *argument) {
    (void)argument;
    for (int i = 0; i < 300; i++) {
        sem_wait(&semaphore);
        CHECK(atomic_fetch_add(&inside, 1) < 2);
        atomic_fetch_sub(&inside, 1);
        sem_post(&semaphore);
    }
    return NULL;
}
CASE(semaphores) {
    CHECK(sem_init(&semaphore, 0, 2) == 0);
    run_threads(enter);
    return 0;
}

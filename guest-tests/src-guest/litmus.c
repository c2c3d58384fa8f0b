// litmus NAME|all TURNS: the memory model's litmus tests. Threads run the same few instructions on shared cells, TURNS
// cells a test; what the model forbids must never be seen (Arm ARM DDI 0487, B2.3; the names are those of the literature,
// for example Alglave, Maranget, Tautschnig, "Herding Cats", 2014).
//
// A test gives each of its threads a function of one cell, and says which results are forbidden. Threads meet before each
// batch of cells, and half of them go through it backwards: somewhere in it they are at the same cell at the same time,
// whoever was first. (Where all go the same way, they stay as far apart as they began: nothing is seen of missing barriers.)

#include "rt.h"

#define THREADS 4
#define BATCH 16

// x and y lie in different cache lines.
struct cell {
    u64 x __attribute__((aligned(64)));
    u64 y __attribute__((aligned(64)));
    u64 r[4] __attribute__((aligned(64)));
};

static struct cell cells[BATCH];
static u64 rounds;
static u32 arrived __attribute__((aligned(64)));

struct test {
    const char *name;
    void (*threads[THREADS])(struct cell *cell);
    // True for a result that must not be.
    int (*is_forbidden)(const struct cell *cell);
};

// Assembly with outputs and inputs, and with outputs alone.
#define ASM(text, ...) __asm__ volatile(".arch armv8.3-a\n" text : __VA_ARGS__ : "memory")
#define ASM_READ(text, ...) __asm__ volatile(".arch armv8.3-a\n" text : __VA_ARGS__ : : "memory")
#define X "+Q"(cell->x)
#define Y "+Q"(cell->y)

// ---- message passing: the flag y is seen, the message x is not ----
static void mp_write_dmb(struct cell *cell) { ASM("str %2, %0\ndmb ishst\nstr %2, %1", X, Y : "r"(1ull)); }
static void mp_write_release(struct cell *cell) { ASM("str %2, %0\nstlr %2, %1", X, Y : "r"(1ull)); }
static void mp_write_swap(struct cell *cell) { ASM("str %2, %0\nswpl %2, xzr, %1", X, Y : "r"(1ull)); }
static void mp_read_dmb(struct cell *cell) {
    u64 *r = cell->r;
    ASM_READ("ldr %2, %1\ndmb ishld\nldr %3, %0", X, Y, "=&r"(r[0]), "=&r"(r[1]));
}
static void mp_read_acquire(struct cell *cell) {
    u64 *r = cell->r;
    ASM_READ("ldar %2, %1\nldr %3, %0", X, Y, "=&r"(r[0]), "=&r"(r[1]));
}
static void mp_read_acquire_pc(struct cell *cell) {
    u64 *r = cell->r;
    ASM_READ("ldapr %2, %1\nldr %3, %0", X, Y, "=&r"(r[0]), "=&r"(r[1]));
}
static void mp_read_dependent(struct cell *cell) {
    u64 *r = cell->r, offset;
    ASM("ldr %2, %1\neor %4, %2, %2\nldr %3, [%5, %4]", X, Y, "=&r"(r[0]), "=&r"(r[1]), "=&r"(offset) : "r"(&cell->x));
}
static void mp_read_exclusive(struct cell *cell) {
    u64 *r = cell->r;
    ASM_READ("ldaxr %2, %1\nclrex\nldr %3, %0", X, Y, "=&r"(r[0]), "=&r"(r[1]));
}
static int flag_without_message(const struct cell *cell) { return cell->r[0] == 1 && cell->r[1] == 0; }

// ---- mixed sizes: the flag is one byte of y, read as a whole; the message is half of x ----
static void mixed_write(struct cell *cell) {
    ASM("str %w2, [%3, #4]\nstlrb %w2, [%4]", X, Y : "r"(1ull), "r"(&cell->x), "r"(&cell->y));
}
static void mixed_read(struct cell *cell) {
    u64 *r = cell->r;
    ASM_READ("ldar %2, %1\nldr %3, %0", X, Y, "=&r"(r[0]), "=&r"(r[1]));
}

// ---- store buffering: both threads miss the other's store ----
static void sb_0(struct cell *cell) { ASM("str %3, %0\ndmb ish\nldr %2, %1", X, Y, "=&r"(cell->r[0]) : "r"(1ull)); }
static void sb_1(struct cell *cell) { ASM("str %3, %1\ndmb ish\nldr %2, %0", X, Y, "=&r"(cell->r[1]) : "r"(1ull)); }
static void sb_sc_0(struct cell *cell) { ASM("stlr %3, %0\nldar %2, %1", X, Y, "=&r"(cell->r[0]) : "r"(1ull)); }
static void sb_sc_1(struct cell *cell) { ASM("stlr %3, %1\nldar %2, %0", X, Y, "=&r"(cell->r[1]) : "r"(1ull)); }
static void sb_swap_0(struct cell *cell) {
    ASM("swpal %3, xzr, %0\nldar %2, %1", X, Y, "=&r"(cell->r[0]) : "r"(1ull));
}
static void sb_swap_1(struct cell *cell) {
    ASM("swpal %3, xzr, %1\nldar %2, %0", X, Y, "=&r"(cell->r[1]) : "r"(1ull));
}
// Of mixed sizes: a byte and half of the place are stored, all of it is read.
static void sb_byte(struct cell *cell) { ASM("strb %w3, %0\ndmb ish\nldr %2, %1", X, Y, "=&r"(cell->r[0]) : "r"(1ull)); }
static void sb_half(struct cell *cell) { ASM("str %w3, %1\ndmb ish\nldr %2, %0", X, Y, "=&r"(cell->r[1]) : "r"(1ull)); }
static int both_missed(const struct cell *cell) { return cell->r[0] == 0 && cell->r[1] == 0; }

// ---- load buffering: both threads see the other's later store ----
static void lb_0(struct cell *cell) {
    u64 one;
    ASM_READ("ldr %2, %0\neor %3, %2, %2\nadd %3, %3, #1\nstr %3, %1", X, Y, "=&r"(cell->r[0]), "=&r"(one));
}
static void lb_1(struct cell *cell) {
    u64 one;
    ASM_READ("ldr %2, %1\neor %3, %2, %2\nadd %3, %3, #1\nstr %3, %0", X, Y, "=&r"(cell->r[1]), "=&r"(one));
}
static int both_foreseen(const struct cell *cell) { return cell->r[0] == 1 && cell->r[1] == 1; }

// ---- independent reads of independent writes: two readers see two writes in different orders ----
static void iriw_write_x(struct cell *cell) { ASM("stlr %1, %0", X : "r"(1ull)); }
static void iriw_write_y(struct cell *cell) { ASM("stlr %1, %0", Y : "r"(1ull)); }
static void iriw_read_xy(struct cell *cell) {
    u64 *r = cell->r;
    ASM_READ("ldar %2, %0\nldar %3, %1", X, Y, "=&r"(r[0]), "=&r"(r[1]));
}
static void iriw_read_yx(struct cell *cell) {
    u64 *r = cell->r;
    ASM_READ("ldar %2, %1\nldar %3, %0", X, Y, "=&r"(r[2]), "=&r"(r[3]));
}
static int orders_differ(const struct cell *cell) {
    return cell->r[0] == 1 && cell->r[1] == 0 && cell->r[2] == 1 && cell->r[3] == 0;
}

// ---- 2+2W: each thread's first store ends up on top of the other's second one ----
static void ww_0(struct cell *cell) { ASM("str %2, %0\ndmb ishst\nstr %3, %1", X, Y : "r"(1ull), "r"(2ull)); }
static void ww_1(struct cell *cell) { ASM("str %2, %1\ndmb ishst\nstr %3, %0", X, Y : "r"(1ull), "r"(2ull)); }
static int both_first(const struct cell *cell) { return cell->x == 1 && cell->y == 1; }

// ---- coherence: two reads of one place see a new value, then the old one ----
static void co_write(struct cell *cell) { ASM("str %1, %0", X : "r"(1ull)); }
static void co_read(struct cell *cell) {
    u64 *r = cell->r;
    ASM_READ("ldr %1, %0\nldr %2, %0", X, "=&r"(r[0]), "=&r"(r[1]));
}

// ---- single-copy atomicity: half of a store is seen ----
static void whole_write(struct cell *cell) { ASM("str %1, %0", X : "r"(~0ull)); }
static void whole_read(struct cell *cell) { ASM_READ("ldr %1, %0", X, "=&r"(cell->r[0])); }
static int half_seen(const struct cell *cell) { return cell->r[0] != 0 && cell->r[0] != ~0ull; }

// ---- the same for pairs by STLXP and CASP, read by LDAXP with a store, by LDXP alone and by a CASP that does not compare; x and r[0] begin 16-byte aligned pairs ----
static void pair_write(struct cell *cell) {
    u64 low, high;
    u32 failed;
    ASM("1: ldxp %1, %2, %0\nstlxp %w3, %4, %4, %0\ncbnz %w3, 1b", "+Q"(*(__int128 *)&cell->x), "=&r"(low), "=&r"(high),
        "=&r"(failed) : "r"(1ull));
}
static void pair_cas(struct cell *cell) {
    register u64 low __asm__("x4") = 0;
    register u64 high __asm__("x5") = 0;
    register u64 new_low __asm__("x6") = 1;
    register u64 new_high __asm__("x7") = 1;
    ASM("caspal %1, %2, %3, %4, %0", "+Q"(*(__int128 *)&cell->x), "+r"(low), "+r"(high) : "r"(new_low), "r"(new_high));
}
static void pair_read(struct cell *cell) {
    u64 low, high;
    u32 failed;
    // Only a pair that could be stored back was read in one piece.
    ASM_READ("1: ldaxp %1, %2, %0\nstxp %w3, %1, %2, %0\ncbnz %w3, 1b", "+Q"(*(__int128 *)&cell->x), "=&r"(low), "=&r"(high),
        "=&r"(failed));
    cell->r[0] = low;
    cell->r[1] = high;
}
// The architecture would allow halves here; docs/cpu.md does not.
static void pair_read_alone(struct cell *cell) {
    u64 *r = cell->r;
    ASM_READ("ldxp %1, %2, %0\nclrex", "+Q"(*(__int128 *)&cell->x), "=&r"(r[0]), "=&r"(r[1]));
}
static void pair_read_cas(struct cell *cell) {
    register u64 low __asm__("x4") = 5;
    register u64 high __asm__("x5") = 5;
    ASM("caspal %1, %2, %1, %2, %0", "+Q"(*(__int128 *)&cell->x), "+r"(low), "+r"(high) :);
    cell->r[0] = low;
    cell->r[1] = high;
}
static int halves_differ(const struct cell *cell) { return cell->r[0] != cell->r[1]; }

static const struct test tests[] = {
    {"MP+dmb.st+dmb.ld", {mp_write_dmb, mp_read_dmb}, flag_without_message},
    {"MP+rel+acq", {mp_write_release, mp_read_acquire}, flag_without_message},
    {"MP+rel+acq.pc", {mp_write_release, mp_read_acquire_pc}, flag_without_message},
    {"MP+dmb.st+addr", {mp_write_dmb, mp_read_dependent}, flag_without_message},
    {"MP+swp.l+ldaxr", {mp_write_swap, mp_read_exclusive}, flag_without_message},
    {"MP+mixed", {mixed_write, mixed_read}, flag_without_message},
    {"SB+dmbs", {sb_0, sb_1}, both_missed},
    {"SB+rel-acqs", {sb_sc_0, sb_sc_1}, both_missed},
    {"SB+swp.als", {sb_swap_0, sb_swap_1}, both_missed},
    {"SB+mixed", {sb_byte, sb_half}, both_missed},
    {"LB+datas", {lb_0, lb_1}, both_foreseen},
    {"IRIW+rels+acqs", {iriw_write_x, iriw_write_y, iriw_read_xy, iriw_read_yx}, orders_differ},
    {"2+2W+dmb.sts", {ww_0, ww_1}, both_first},
    {"CoRR", {co_write, co_read}, flag_without_message},
    {"64 bits", {whole_write, whole_read}, half_seen},
    {"128 bits+stlxp", {pair_write, pair_read}, halves_differ},
    {"128 bits+stlxp+ldxp", {pair_write, pair_read_alone}, halves_differ},
    {"128 bits+casp", {pair_cas, pair_read}, halves_differ},
    {"128 bits+casps", {pair_cas, pair_read_cas}, halves_differ},
};
enum { TESTS = sizeof tests / sizeof *tests };

static const struct test *running;

// Everybody of `count` threads arrives, then everybody goes on: `arrived` counts up over the whole run.
static void meet(u32 count, u32 *meetings) {
    u32 target = ++*meetings * count;
    ADD(&arrived, 1);
    for (u32 turns = 0; LOAD(&arrived) < target; turns++)
        if (turns % 64 == 63) sys0(NR_sched_yield);
}

static u32 thread_count(void) {
    u32 count = 0;
    while (count < THREADS && running->threads[count]) count++;
    return count;
}

// A thread of a test. Each prepares its share of the cells, so that none has all in its cache; thread 0 looks at the results.
static void worker(void *arg) {
    u64 who = (u64)arg;
    u32 count = thread_count(), meetings = 0;
    for (u64 round = 0; round < rounds; round++) {
        for (u64 i = who; i < BATCH; i += count) memset(&cells[i], 0, sizeof cells[i]);
        meet(count, &meetings);
        for (int i = 0; i < BATCH; i++) running->threads[who](&cells[who % 2 ? BATCH - 1 - i : i]);
        meet(count, &meetings);
        for (int i = 0; who == 0 && i < BATCH; i++)
            if (running->is_forbidden(&cells[i])) {
                rt_printf(2, "%s: forbidden: x %ld y %ld r %ld %ld %ld %ld\n", running->name, cells[i].x, cells[i].y,
                          cells[i].r[0], cells[i].r[1], cells[i].r[2], cells[i].r[3]);
                rt_exit_group(1);
            }
        meet(count, &meetings);
    }
}

static void run(const struct test *test) {
    running = test;
    arrived = 0;
    struct rt_thread *threads[THREADS];
    u32 count = thread_count();
    for (u64 i = 1; i < count; i++) threads[i] = rt_thread_start(worker, (void *)i);
    worker((void *)0);
    for (u32 i = 1; i < count; i++) rt_thread_join(threads[i]);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 3);
    rounds = (rt_parse_u64(argv[2]) + BATCH - 1) / BATCH;
    u32 found = 0;
    for (int i = 0; i < TESTS; i++)
        if (rt_streq(argv[1], "all") || rt_streq(argv[1], tests[i].name)) {
            run(&tests[i]);
            found++;
        }
    CHECK(found != 0);
    say("litmus: %u tests: ok\n", found);
    return 0;
}

// floats [print]: computations in floating point that lose their way at the first wrong rounding, each folded into a hash.
//
// The hashes are those of the same C code on x86-64 (which has no NaN among its results, since default NaNs differ) and
// under QEMU. Then what only this architecture has: cumulative flags, rounding modes, flushing, and that all of it, with
// the registers, outlives a system call and a signal handler. Neighbour: isa-int.c for integers.
// build: floating point

#include "rt.h"

// ---- hashing ----

static u64 fold(u64 hash, u64 bits) { return (hash ^ bits) * 0x100000001b3 + (hash >> 31); }

static u64 fold_double(u64 hash, double value) {
    u64 bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return fold(hash, bits);
}

static u64 fold_float(u64 hash, float value) {
    u32 bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return fold(hash, bits);
}

static u64 next_random(u64 *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// Between 0 and 1.
static double random_double(u64 *state) { return (double)(next_random(state) >> 11) * 0x1p-53; }

// ---- computations ----

static u64 sums(void) {
    double plain = 0, kahan = 0, lost = 0;
    float single = 0;
    for (int i = 1; i <= 20000; i++) {
        double term = 1.0 / i, y = term - lost, t = kahan + y;
        plain += term;
        lost = (t - kahan) - y;
        kahan = t;
        single += 1.0f / (float)i;
    }
    return fold_float(fold_double(fold_double(1, plain), kahan), single);
}

static u64 chaos(void) {
    double x = 0.3;
    float y = 0.3f;
    u64 hash = 2;
    for (int i = 0; i < 20000; i++) {
        x = 3.9 * x * (1 - x);
        y = 3.9f * y * (1 - y);
        if (i % 100 == 0) hash = fold_float(fold_double(hash, x), y);
    }
    return hash;
}

enum { SIZE = 12 };

// LU decomposition with pivoting, and the solution of a system.
static u64 matrix(void) {
    static double a[SIZE][SIZE + 1];
    u64 seed = 42, hash = 3;
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j <= SIZE; j++) a[i][j] = random_double(&seed) - 0.5;
    for (int k = 0; k < SIZE; k++) {
        int pivot = k;
        for (int i = k + 1; i < SIZE; i++)
            if (__builtin_fabs(a[i][k]) > __builtin_fabs(a[pivot][k])) pivot = i;
        for (int j = 0; j <= SIZE; j++) {
            double swapped = a[k][j];
            a[k][j] = a[pivot][j];
            a[pivot][j] = swapped;
        }
        for (int i = k + 1; i < SIZE; i++) {
            double factor = a[i][k] / a[k][k];
            for (int j = k; j <= SIZE; j++) a[i][j] -= factor * a[k][j];
        }
    }
    for (int i = SIZE - 1; i >= 0; i--) {
        for (int j = i + 1; j < SIZE; j++) a[i][SIZE] -= a[i][j] * a[j][SIZE];
        a[i][SIZE] /= a[i][i];
        hash = fold_double(hash, a[i][SIZE]);
    }
    return hash;
}

static u64 mandelbrot(void) {
    u64 hash = 4;
    for (int row = 0; row < 40; row++)
        for (int column = 0; column < 60; column++) {
            double cr = column * (3.0 / 60) - 2.2, ci = row * (2.4 / 40) - 1.2, r = 0, i = 0;
            int turns = 0;
            while (turns < 200 && r * r + i * i <= 4) {
                double next = r * r - i * i + cr;
                i = 2 * r * i + ci;
                r = next;
                turns++;
            }
            hash = fold(fold_double(hash, r), (u64)turns);
        }
    return hash;
}

static u64 series(void) {
    u64 hash = 5;
    for (int i = -20; i <= 20; i++) {
        double x = i * 0.37, term = 1, exponential = 1, sine = x, power = x;
        for (int n = 1; n < 60; n++) {
            term *= x / n;
            exponential += term;
            power *= -x * x / ((2 * n) * (2 * n + 1));
            sine += power;
        }
        hash = fold_double(fold_double(hash, exponential), sine);
    }
    return hash;
}

static u64 roots(void) {
    u64 seed = 7, hash = 6;
    for (int i = 0; i < 2000; i++) {
        double value = random_double(&seed) * 1000, root = __builtin_sqrt(value), guess = value;
        for (int n = 0; n < 20; n++) guess = 0.5 * (guess + value / guess);
        hash = fold_double(fold_double(hash, root), guess - root);
        hash = fold_float(hash, __builtin_sqrtf((float)value));
    }
    return hash;
}

static u64 integers(void) {
    u64 seed = 9, hash = 7;
    for (int i = 0; i < 5000; i++) {
        u64 bits = next_random(&seed) >> (i % 60);
        double of_unsigned = (double)bits, of_signed = (double)(s64)(bits << (i % 60));
        float single = (float)bits, of_int = (float)(s32)bits;
        hash = fold_double(fold_double(hash, of_unsigned), of_signed);
        hash = fold_float(fold_float(hash, single), of_int);
        // Within range on both sides: what is out of it differs between architectures.
        if (of_unsigned < 9e18) hash = fold(hash, (u64)(s64)(of_unsigned * 0.77));
        hash = fold(hash, (u64)(s32)(of_int * 0.4f));
        hash = fold_double(hash, (double)(float)of_signed);
    }
    return hash;
}

static u64 denormals(void) {
    double value = 0x1.23456789abcdep-1000, sum = 0;
    float single = 0x1.fedcbap-100f;
    u64 hash = 8;
    for (int i = 0; i < 200; i++) {
        sum += value;
        value *= 0.6875;
        hash = fold_double(hash, value);
    }
    for (int i = 0; i < 60; i++) hash = fold_float(hash, single *= 0.7f);
    return fold_double(hash, sum);
}

struct body { double position[3], velocity[3], mass; };

static u64 planets(void) {
    static struct body bodies[5];
    u64 seed = 11, hash = 9;
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 3; k++) {
            bodies[i].position[k] = random_double(&seed) * 10 - 5;
            bodies[i].velocity[k] = random_double(&seed) - 0.5;
        }
        bodies[i].mass = random_double(&seed) + 0.1;
    }
    for (int step = 0; step < 500; step++) {
        for (int i = 0; i < 5; i++)
            for (int j = i + 1; j < 5; j++) {
                double d[3], square = 1e-3;
                for (int k = 0; k < 3; k++) {
                    d[k] = bodies[i].position[k] - bodies[j].position[k];
                    square += d[k] * d[k];
                }
                double pull = 0.01 / (square * __builtin_sqrt(square));
                for (int k = 0; k < 3; k++) {
                    bodies[i].velocity[k] -= d[k] * bodies[j].mass * pull;
                    bodies[j].velocity[k] += d[k] * bodies[i].mass * pull;
                }
            }
        for (int i = 0; i < 5; i++)
            for (int k = 0; k < 3; k++) bodies[i].position[k] += 0.01 * bodies[i].velocity[k];
    }
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 3; k++) hash = fold_double(hash, bodies[i].position[k]);
    return hash;
}

// Loops over arrays of single precision, which the compiler makes vectors of.
static u64 arrays(void) {
    static float a[256], b[256], c[256];
    u64 seed = 13, hash = 10;
    for (int i = 0; i < 256; i++) {
        a[i] = (float)random_double(&seed);
        b[i] = (float)random_double(&seed) - 0.5f;
    }
    for (int turn = 0; turn < 50; turn++) {
        for (int i = 0; i < 256; i++) c[i] = a[i] * b[i] + (a[i] - b[i]) / 3;
        for (int i = 0; i < 256; i++) a[i] = c[i] < 0 ? -c[i] : c[i] * 0.5f;
        for (int i = 0; i < 256; i++) b[i] = __builtin_sqrtf(a[i]) - (float)(s32)(a[i] * 8) * 0.25f;
    }
    for (int i = 0; i < 256; i++) hash = fold_float(fold_float(hash, a[i]), b[i]);
    return hash;
}

static const struct { const char *name; u64 (*run)(void); u64 hash; } ROWS[] = {
    {"sums", sums, 0x57dbfdaa23ddc02c},
    {"chaos", chaos, 0x66adc29940dccb1f},
    {"matrix", matrix, 0x52be7ad2799bf537},
    {"mandelbrot", mandelbrot, 0xa64ccf62a3d37fc3},
    {"series", series, 0x9fe332a9d49629c1},
    {"roots", roots, 0x77cd1f38ee3bd004},
    {"integers", integers, 0xeda0b3cf4093d0a5},
    {"denormals", denormals, 0x3a83c62004242bf8},
    {"planets", planets, 0xc925b4cdf9a36fc1},
    {"arrays", arrays, 0xf7166ade2b22cf58},
};

// ---- flags, modes, and what they outlive ----

#ifdef __aarch64__
enum { IOC = 1, DZC = 2, OFC = 4, UFC = 8, IXC = 16, IDC = 128 };
enum { TO_NEAREST = 0, TO_PLUS = 1 << 22, TO_MINUS = 2 << 22, TO_ZERO = 3 << 22, FLUSH = 1 << 24, DEFAULT_NAN = 1 << 25 };

static u64 fpcr(void) {
    u64 value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return value;
}

static void set_fpcr(u64 value) { __asm__ volatile("msr fpcr, %0" ::"r"(value)); }

static u64 fpsr(void) {
    u64 value;
    __asm__ volatile("mrs %0, fpsr" : "=r"(value));
    return value;
}

static void set_fpsr(u64 value) { __asm__ volatile("msr fpsr, %0" ::"r"(value)); }

// The flags that an operation raises in a mode, above the bits of its result.
#define OPERATION(name, text)                                                                                        \
    static u64 name(u64 mode, double a, double b, u64 *bits) {                                                       \
        double result;                                                                                               \
        set_fpcr(mode);                                                                                              \
        set_fpsr(0);                                                                                                 \
        __asm__ volatile(text : "=w"(result) : "w"(a), "w"(b));                                                      \
        u64 flags = fpsr();                                                                                          \
        set_fpcr(0);                                                                                                 \
        __builtin_memcpy(bits, &result, sizeof *bits);                                                               \
        return flags;                                                                                                \
    }

OPERATION(divide, "fdiv %d0, %d1, %d2")
OPERATION(multiply, "fmul %d0, %d1, %d2")

static void check_modes(void) {
    u64 bits;
    CHECK_EQ(divide(TO_NEAREST, 1, 3, &bits), IXC);
    CHECK_EQ(bits, 0x3fd5555555555555);
    CHECK_EQ(divide(TO_PLUS, 1, 3, &bits), IXC);
    CHECK_EQ(bits, 0x3fd5555555555556);
    divide(TO_MINUS, -1, 3, &bits);
    CHECK_EQ(bits, 0xbfd5555555555556);
    divide(TO_ZERO, -1, 3, &bits);
    CHECK_EQ(bits, 0xbfd5555555555555);
    CHECK_EQ(divide(0, 1, 0, &bits), DZC);
    CHECK_EQ(bits, 0x7ff0000000000000);
    CHECK_EQ(divide(0, 0, 0, &bits), IOC);
    CHECK_EQ(bits, 0x7ff8000000000000);
    CHECK_EQ(multiply(0, 0x1p1000, 0x1p1000, &bits), OFC | IXC);
    CHECK_EQ(multiply(TO_ZERO, 0x1p1000, 0x1p1000, &bits), OFC | IXC);
    CHECK_EQ(bits, 0x7fefffffffffffff);
    CHECK_EQ(multiply(0, 0x1p-1022, 0x1.8p-52, &bits), UFC | IXC);
    CHECK_EQ(bits, 2);
    CHECK_EQ(multiply(FLUSH, 0x1p-1022, 0.5, &bits), UFC);
    CHECK_EQ(bits, 0);
    CHECK_EQ(multiply(FLUSH, 0x1p-1030, 4, &bits), IDC);
    CHECK_EQ(multiply(0, __builtin_nan("0x123"), 1, &bits), 0);
    CHECK_EQ(bits, 0x7ff8000000000123);
    CHECK_EQ(multiply(DEFAULT_NAN, __builtin_nan("0x123"), 1, &bits), 0);
    CHECK_EQ(bits, 0x7ff8000000000000);
}

static void on_signal(int signal, siginfo_t *info, ucontext_t *context) {
    (void)signal, (void)info, (void)context;
    set_fpcr(TO_ZERO | FLUSH);
    set_fpsr(0);
    __asm__ volatile("movi v0.16b, #1\nmovi v8.16b, #2\nmovi v15.16b, #3\nmovi v31.16b, #4" ::: "v0", "v8", "v15", "v31");
}

// Four registers, FPCR and FPSR are as before after a system call, here one that runs a signal handler.
static void check_preserved(void) {
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO, 0);
    register u64 pid __asm__("x0") = (u64)getpid();
    register u64 signal __asm__("x1") = SIGUSR1;
    register u64 number __asm__("x8") = NR_kill;
    u64 seen[4], control = TO_PLUS | DEFAULT_NAN, status = IXC | DZC;
    set_fpcr(control);
    set_fpsr(status);
    __asm__ volatile(
        "movi v0.16b, #0x51\nmovi v8.16b, #0x52\nmovi v15.16b, #0x53\nmovi v31.16b, #0x54\nsvc #0\n"
        "umov %[a], v0.d[1]\numov %[b], v8.d[1]\numov %[c], v15.d[1]\numov %[d], v31.d[1]"
        : "+r"(pid), [a] "=&r"(seen[0]), [b] "=&r"(seen[1]), [c] "=&r"(seen[2]), [d] "=&r"(seen[3])
        : "r"(signal), "r"(number)
        : "memory", "v0", "v8", "v15", "v31");
    CHECK_EQ(pid, 0);
    for (u64 i = 0; i < 4; i++) CHECK_EQ(seen[i], (0x51 + i) * 0x0101010101010101);
    CHECK_EQ(fpcr(), control);
    CHECK_EQ(fpsr(), status);
    set_fpcr(0);
}
#endif

int main(int argc, char **argv, char **envp) {
    (void)argv, (void)envp;
    int failed = 0;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        u64 hash = ROWS[i].run();
        if (argc > 1) say("%s 0x%lx\n", ROWS[i].name, hash);
        else if (hash != ROWS[i].hash) rt_printf(2, "%s is 0x%lx\n", ROWS[i].name, hash), failed = 1;
    }
    CHECK(argc > 1 || !failed);
#ifdef __aarch64__
    check_modes();
    check_preserved();
#endif
    say("floats: ok\n");
    return 0;
}

/* Executes lines of `word nzcv x0..x7 sp`, or `word nzcv x0..x7 sp fpcr fpsr v0..v7`, and writes them with their results:
 * see interp/tests/vectors.rs.
 * Runs under qemu-aarch64, or on an AArch64 Linux host. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct registers {
    uint64_t x[8], sp, nzcv, fpcr, fpsr, v[16];
};

enum { DATA_BYTES = 4096 };

/* Loads the registers, calls the code, stores the registers. x26 to x28 survive: the code uses x0 to x7 and v0 to v7 only. */
void execute(struct registers *registers, const void *code);
__asm__(".text\n.global execute\nexecute:\n"
        "stp x19, x20, [sp, #-96]!\nstp x21, x22, [sp, #16]\nstp x23, x24, [sp, #32]\n"
        "stp x25, x26, [sp, #48]\nstp x27, x28, [sp, #64]\nstp x29, x30, [sp, #80]\n"
        "mov x28, x0\nmov x27, x1\nmov x26, sp\n"
        "add x9, x28, #96\nld1 {v0.2d-v3.2d}, [x9], #64\nld1 {v4.2d-v7.2d}, [x9]\n"
        "ldp x9, x10, [x28, #80]\nmsr fpcr, x9\nmsr fpsr, x10\n"
        "ldr x9, [x28, #72]\nmsr nzcv, x9\nldr x9, [x28, #64]\nmov sp, x9\n"
        "ldp x0, x1, [x28]\nldp x2, x3, [x28, #16]\nldp x4, x5, [x28, #32]\nldp x6, x7, [x28, #48]\n"
        "blr x27\n"
        "mov x9, sp\nmov sp, x26\nstr x9, [x28, #64]\nmrs x9, nzcv\nstr x9, [x28, #72]\n"
        "mrs x9, fpsr\nstr x9, [x28, #88]\nmsr fpcr, xzr\n"
        "add x9, x28, #96\nst1 {v0.2d-v3.2d}, [x9], #64\nst1 {v4.2d-v7.2d}, [x9]\n"
        "stp x0, x1, [x28]\nstp x2, x3, [x28, #16]\nstp x4, x5, [x28, #32]\nstp x6, x7, [x28, #48]\n"
        "ldp x29, x30, [sp, #80]\nldp x27, x28, [sp, #64]\nldp x25, x26, [sp, #48]\n"
        "ldp x23, x24, [sp, #32]\nldp x21, x22, [sp, #16]\nldp x19, x20, [sp], #96\nret\n");

static sigjmp_buf resume;

static void on_fault(int signal) { siglongjmp(resume, signal); }

static uint8_t initial_byte(int index) { return (index * 7 + 3) ^ (index >> 5); }

static void print_results(const struct registers *after, const uint8_t *data, int has_vectors) {
    printf("%lx", after->nzcv >> 28);
    for (int i = 0; i < 8; i++) printf(" %lx", after->x[i]);
    printf(" %lx", after->sp);
    if (has_vectors) {
        printf(" %lx", after->fpsr);
        for (int i = 0; i < 16; i += 2) printf(" %lx:%lx", after->v[i + 1], after->v[i]);
    }
    for (int i = 0; i < DATA_BYTES; i++)
        if (data[i] != initial_byte(i)) printf(" %x=%x", i, data[i]);
    puts("");
}

/* Reads a line; a vector register is `high:low`. */
static int parse(const char *line, uint32_t *word, struct registers *registers, int *has_vectors) {
    memset(registers, 0, sizeof *registers);
    uint64_t *x = registers->x, *v = registers->v;
    int length = 0;
    if (sscanf(line, "%x %lx %lx %lx %lx %lx %lx %lx %lx %lx %lx%n", word, &registers->nzcv, x, x + 1, x + 2, x + 3, x + 4,
               x + 5, x + 6, x + 7, &registers->sp, &length) != 11)
        return 0;
    registers->nzcv <<= 28;
    line += length;
    *has_vectors = *line != 0;
    if (!*has_vectors) return 1;
    return sscanf(line, " %lx %lx %lx:%lx %lx:%lx %lx:%lx %lx:%lx %lx:%lx %lx:%lx %lx:%lx %lx:%lx", &registers->fpcr,
                  &registers->fpsr, v + 1, v, v + 3, v + 2, v + 5, v + 4, v + 7, v + 6, v + 9, v + 8, v + 11, v + 10, v + 13,
                  v + 12, v + 15, v + 14) == 18;
}

int main(void) {
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK | SA_NODEFER};
    const int faults[] = {SIGILL, SIGSEGV, SIGBUS, SIGTRAP};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigaction(faults[i], &action, NULL);

    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    uint32_t *code = mmap((void *)0x100000, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0);
    uint8_t *data = mmap((void *)0x200000, DATA_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (code == MAP_FAILED || data == MAP_FAILED) return 1;

    static char line[1024];
    while (fgets(line, sizeof line, stdin)) {
        static struct registers before, after;
        line[strcspn(line, "\n")] = 0;
        int has_vectors = 0;
        uint32_t word;
        if (!parse(line, &word, &before, &has_vectors)) return 1;
        after = before;
        for (int i = 0; i < DATA_BYTES; i++) data[i] = initial_byte(i);
        code[0] = word;
        code[1] = 0xd65f03c0; /* ret */
        __builtin___clear_cache((char *)code, (char *)(code + 2));
        printf("%s -> ", line);
        int fault = sigsetjmp(resume, 1);
        if (fault) {
            printf("sig%d\n", fault);
            continue;
        }
        execute(&after, code);
        print_results(&after, data, has_vectors);
    }
    return 0;
}

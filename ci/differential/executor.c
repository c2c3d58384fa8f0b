/* Executes lines of `word nzcv x0..x7 sp` and writes them with their results: see interp/tests/vectors.rs.
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
    uint64_t x[8], sp, nzcv;
};

enum { DATA_BYTES = 4096 };

/* Loads the registers, calls the code, stores the registers. x26 to x28 survive: the code uses x0 to x7 only. */
void execute(struct registers *registers, const void *code);
__asm__(".text\n.global execute\nexecute:\n"
        "stp x19, x20, [sp, #-96]!\nstp x21, x22, [sp, #16]\nstp x23, x24, [sp, #32]\n"
        "stp x25, x26, [sp, #48]\nstp x27, x28, [sp, #64]\nstp x29, x30, [sp, #80]\n"
        "mov x28, x0\nmov x27, x1\nmov x26, sp\n"
        "ldr x9, [x28, #72]\nmsr nzcv, x9\nldr x9, [x28, #64]\nmov sp, x9\n"
        "ldp x0, x1, [x28]\nldp x2, x3, [x28, #16]\nldp x4, x5, [x28, #32]\nldp x6, x7, [x28, #48]\n"
        "blr x27\n"
        "mov x9, sp\nmov sp, x26\nstr x9, [x28, #64]\nmrs x9, nzcv\nstr x9, [x28, #72]\n"
        "stp x0, x1, [x28]\nstp x2, x3, [x28, #16]\nstp x4, x5, [x28, #32]\nstp x6, x7, [x28, #48]\n"
        "ldp x29, x30, [sp, #80]\nldp x27, x28, [sp, #64]\nldp x25, x26, [sp, #48]\n"
        "ldp x23, x24, [sp, #32]\nldp x21, x22, [sp, #16]\nldp x19, x20, [sp], #96\nret\n");

static sigjmp_buf resume;

static void on_fault(int signal) { siglongjmp(resume, signal); }

static uint8_t initial_byte(int index) { return (index * 7 + 3) ^ (index >> 5); }

static void print_results(const struct registers *after, const uint8_t *data) {
    printf("%lx", after->nzcv >> 28);
    for (int i = 0; i < 8; i++) printf(" %lx", after->x[i]);
    printf(" %lx", after->sp);
    for (int i = 0; i < DATA_BYTES; i++)
        if (data[i] != initial_byte(i)) printf(" %x=%x", i, data[i]);
    puts("");
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
        uint32_t word;
        uint64_t *x = before.x;
        if (sscanf(line, "%x %lx %lx %lx %lx %lx %lx %lx %lx %lx %lx", &word, &before.nzcv, x, x + 1, x + 2, x + 3, x + 4,
                   x + 5, x + 6, x + 7, &before.sp) != 11)
            return 1;
        before.nzcv <<= 28;
        after = before;
        for (int i = 0; i < DATA_BYTES; i++) data[i] = initial_byte(i);
        code[0] = word;
        code[1] = 0xd65f03c0; /* ret */
        __builtin___clear_cache((char *)code, (char *)(code + 2));
        line[strcspn(line, "\n")] = 0;
        printf("%s -> ", line);
        int fault = sigsetjmp(resume, 1);
        if (fault) {
            printf("sig%d\n", fault);
            continue;
        }
        execute(&after, code);
        print_results(&after, data);
    }
    return 0;
}

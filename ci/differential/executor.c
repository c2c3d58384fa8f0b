/* Executes the lines of standard input and writes each with what it changed: see core/tests/vectors/lines.rs.
 * Runs under qemu-aarch64, or on an AArch64 Linux host. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

struct registers {
    unsigned __int128 v[32];
    uint64_t x[8], sp, nzcv, fpcr, fpsr;
};

enum { DATA_BYTES = 4096 };

/* Loads the registers, calls the code, stores the registers. x9 and x26 to x28 survive: the code uses x0 to x7 only. */
void execute(struct registers *registers, const void *code);
__asm__(".text\n.global execute\nexecute:\n"
        "stp x19, x20, [sp, #-160]!\nstp x21, x22, [sp, #16]\nstp x23, x24, [sp, #32]\n"
        "stp x25, x26, [sp, #48]\nstp x27, x28, [sp, #64]\nstp x29, x30, [sp, #80]\n"
        "stp d8, d9, [sp, #96]\nstp d10, d11, [sp, #112]\nstp d12, d13, [sp, #128]\nstp d14, d15, [sp, #144]\n"
        "mov x28, x0\nmov x27, x1\nmov x26, sp\n"
        "ldp q0, q1, [x28]\nldp q2, q3, [x28, #32]\nldp q4, q5, [x28, #64]\nldp q6, q7, [x28, #96]\n"
        "ldp q8, q9, [x28, #128]\nldp q10, q11, [x28, #160]\nldp q12, q13, [x28, #192]\nldp q14, q15, [x28, #224]\n"
        "ldp q16, q17, [x28, #256]\nldp q18, q19, [x28, #288]\nldp q20, q21, [x28, #320]\nldp q22, q23, [x28, #352]\n"
        "ldp q24, q25, [x28, #384]\nldp q26, q27, [x28, #416]\nldp q28, q29, [x28, #448]\nldp q30, q31, [x28, #480]\n"
        "add x28, x28, #512\n"
        "ldp x9, x10, [x28, #72]\nmsr nzcv, x9\nmsr fpcr, x10\nldr x9, [x28, #88]\nmsr fpsr, x9\n"
        "ldr x9, [x28, #64]\nmov sp, x9\n"
        "ldp x0, x1, [x28]\nldp x2, x3, [x28, #16]\nldp x4, x5, [x28, #32]\nldp x6, x7, [x28, #48]\n"
        "blr x27\n"
        "mov x9, sp\nmov sp, x26\nstr x9, [x28, #64]\nmrs x9, nzcv\nmrs x10, fpcr\nstp x9, x10, [x28, #72]\n"
        "mrs x9, fpsr\nstr x9, [x28, #88]\nmsr fpcr, xzr\n"
        "stp x0, x1, [x28]\nstp x2, x3, [x28, #16]\nstp x4, x5, [x28, #32]\nstp x6, x7, [x28, #48]\n"
        "sub x28, x28, #512\n"
        "stp q0, q1, [x28]\nstp q2, q3, [x28, #32]\nstp q4, q5, [x28, #64]\nstp q6, q7, [x28, #96]\n"
        "stp q8, q9, [x28, #128]\nstp q10, q11, [x28, #160]\nstp q12, q13, [x28, #192]\nstp q14, q15, [x28, #224]\n"
        "stp q16, q17, [x28, #256]\nstp q18, q19, [x28, #288]\nstp q20, q21, [x28, #320]\nstp q22, q23, [x28, #352]\n"
        "stp q24, q25, [x28, #384]\nstp q26, q27, [x28, #416]\nstp q28, q29, [x28, #448]\nstp q30, q31, [x28, #480]\n"
        "ldp d8, d9, [sp, #96]\nldp d10, d11, [sp, #112]\nldp d12, d13, [sp, #128]\nldp d14, d15, [sp, #144]\n"
        "ldp x29, x30, [sp, #80]\nldp x27, x28, [sp, #64]\nldp x25, x26, [sp, #48]\n"
        "ldp x23, x24, [sp, #32]\nldp x21, x22, [sp, #16]\nldp x19, x20, [sp], #160\nret\n");

static sigjmp_buf resume;
static struct registers before, after;

/* General registers and SP are compared after a fault too; what a fault leaves of the others is not defined. */
static void on_fault(int signal, siginfo_t *info, void *context) {
    const mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
    (void)info;
    memcpy(after.x, machine->regs, sizeof after.x);
    after.sp = machine->sp;
    siglongjmp(resume, signal);
}

static uint8_t initial_byte(int index) { return (index * 7 + 3) ^ (index >> 5); }

static void set_initial_registers(void) {
    memset(&before, 0, sizeof before);
    for (uint64_t i = 0; i < 8; i++) before.x[i] = 0x1111111111111111 * i;
    for (uint64_t i = 0; i < 32; i++) {
        uint64_t low = 0x0101010101010101 * (i + 1);
        before.v[i] = (unsigned __int128)~low << 64 | low;
    }
    before.sp = 0x200800;
}

static unsigned __int128 hex(const char *text) {
    unsigned __int128 value = 0;
    for (; *text; text++) value = value << 4 | (*text <= '9' ? *text - '0' : *text - 'a' + 10);
    return value;
}

/* Sets the register that `KEY=VALUE` names. */
static void set_register(char *setting) {
    char *value_text = strchr(setting, '=');
    if (!value_text) abort();
    *value_text++ = 0;
    unsigned __int128 value = hex(value_text);
    switch (setting[0]) {
    case 'n': before.nzcv = (uint64_t)value << 28; break;
    case 'c': before.fpcr = value; break;
    case 's': *(setting[1] ? &before.sp : &before.fpsr) = value; break;
    case 'x': before.x[atoi(setting + 1) & 7] = value; break;
    case 'v': before.v[atoi(setting + 1) & 31] = value; break;
    default: abort();
    }
}

static void print_change(const char *key, int number, unsigned __int128 old, unsigned __int128 new) {
    if (old == new) return;
    printf(" %s", key);
    if (number >= 0) printf("%d", number);
    if (new >> 64)
        printf("=%lx%016lx", (uint64_t)(new >> 64), (uint64_t)new);
    else
        printf("=%lx", (uint64_t)new);
}

static void print_general_registers(void) {
    for (int i = 0; i < 8; i++) print_change("x", i, before.x[i], after.x[i]);
    print_change("sp", -1, before.sp, after.sp);
}

static void print_changes(const uint8_t *data) {
    print_change("n", -1, before.nzcv >> 28, after.nzcv >> 28);
    print_change("c", -1, before.fpcr, after.fpcr);
    print_change("s", -1, before.fpsr, after.fpsr);
    print_general_registers();
    for (int i = 0; i < 32; i++) print_change("v", i, before.v[i], after.v[i]);
    for (int i = 0; i < DATA_BYTES; i++) {
        if (data[i] == initial_byte(i)) continue;
        if (i == 0 || data[i - 1] == initial_byte(i - 1)) printf(" @%x=", i);
        printf("%02x", data[i]);
    }
}

static void put_word(uint32_t *code, uint32_t word) {
    if (code[0] == word) return;
    code[0] = word;
    code[1] = 0xd65f03c0; /* ret */
    __builtin___clear_cache((char *)code, (char *)(code + 2));
}

int main(void) {
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO};
    const int faults[] = {SIGILL, SIGSEGV, SIGBUS, SIGTRAP};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigaction(faults[i], &action, NULL);

    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    uint32_t *code = mmap((void *)0x100000, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0);
    uint8_t *data = mmap((void *)0x200000, DATA_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (code == MAP_FAILED || data == MAP_FAILED) return 1;

    static char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (line[0] == '#') {
            puts(line);
            continue;
        }
        printf("%s ->", line);
        char *word = strtok(line, " ");
        set_initial_registers();
        for (char *part; (part = strtok(NULL, " "));) set_register(part);
        after = before;
        for (int i = 0; i < DATA_BYTES; i++) data[i] = initial_byte(i);
        put_word(code, hex(word));
        int fault = sigsetjmp(resume, 1);
        if (fault) {
            __asm__ volatile("msr fpcr, xzr");
            printf(" sig%d", fault);
            print_general_registers();
        } else {
            execute(&after, code);
            print_changes(data);
        }
        puts("");
    }
    return 0;
}

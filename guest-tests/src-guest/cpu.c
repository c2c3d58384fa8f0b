// cpu full|base: what the kernel and the CPU say about the CPU agrees, and is true.
//
// AT_HWCAP, the ID registers, /proc/cpuinfo and what instructions do are compared; `full` expects pointer authentication
// and branch targets, `base` an Armv8.0 CPU without them. Sources: Linux Documentation/arch/arm64/cpu-feature-registers.rst,
// elf_hwcaps.rst, pointer-authentication.rst; prctl(2); mprotect(2) (PROT_BTI).

#include "rt.h"

enum { AT_HWCAP2 = 26, NR_prctl = 167, PROT_BTI = 16 };
enum { PR_PAC_RESET_KEYS = 54, PR_PAC_SET_ENABLED_KEYS = 60, PR_PAC_GET_ENABLED_KEYS = 61 };
enum { HWCAP_CRC32 = 1 << 7, HWCAP_ATOMICS = 1 << 8, HWCAP_CPUID = 1 << 11 };
#define HWCAP_PACA (1ul << 30)
#define HWCAP2_BTI (1ul << 17)

#define READ_ID(name) ({ u64 value_; __asm__("mrs %0, " name : "=r"(value_)); value_; })

static char text[65536];

// Reads /proc/cpuinfo into `text`.
static void read_cpuinfo(void) {
    s32 fd = (s32)sys4(NR_openat, AT_FDCWD, "/proc/cpuinfo", O_RDONLY, 0);
    CHECK(fd >= 0);
    size_t length = 0;
    for (;;) {
        long got = sys3(NR_read, fd, text + length, sizeof text - 1 - length);
        CHECK(got >= 0);
        if (got == 0) break;
        length += (size_t)got;
    }
    CHECK(length > 0);
    sys1(NR_close, fd);
}

// True when the first `Features` line has the word.
static int cpuinfo_has(const char *word) {
    const char *line = text;
    while (*line && !(line[0] == 'F' && line[1] == 'e' && line[2] == 'a')) {
        while (*line && *line != '\n') line++;
        if (*line) line++;
    }
    CHECK(*line != 0);
    for (; *line && *line != '\n'; line++) {
        if (line[0] != ' ') continue;
        const char *a = line + 1, *b = word;
        while (*b && *a == *b) a++, b++;
        if (*b == 0 && (*a == ' ' || *a == '\n')) return 1;
    }
    return 0;
}

static u64 signed_by_x1(u64 pointer, u64 modifier) {
    register u64 x17 __asm__("x17") = pointer;
    register u64 x16 __asm__("x16") = modifier;
    __asm__ volatile("hint #8" : "+r"(x17) : "r"(x16));  // pacia1716
    return x17;
}

static u64 authenticated_by_x1(u64 pointer, u64 modifier) {
    register u64 x17 __asm__("x17") = pointer;
    register u64 x16 __asm__("x16") = modifier;
    __asm__ volatile("hint #12" : "+r"(x17) : "r"(x16));  // autia1716
    return x17;
}

static void check_pointers(int has_pauth) {
    enum { POINTERS = 16 };
    u64 codes[POINTERS];
    int has_code = 0, has_changed = 0;
    for (u64 i = 0; i < POINTERS; i++) {
        u64 pointer = (u64)text + i;
        codes[i] = signed_by_x1(pointer, i);
        has_code |= codes[i] != pointer;
        CHECK_EQ(authenticated_by_x1(codes[i], i), pointer);
    }
    CHECK_EQ(has_code, has_pauth);
    long reset = sys5(NR_prctl, PR_PAC_RESET_KEYS, 0, 0, 0, 0);
    CHECK_EQ(reset, has_pauth ? 0 : -EINVAL);
    for (u64 i = 0; i < POINTERS; i++) has_changed |= signed_by_x1((u64)text + i, i) != codes[i];
    CHECK_EQ(has_changed, has_pauth);
    if (!has_pauth) return;
    CHECK_EQ(sys5(NR_prctl, PR_PAC_RESET_KEYS, 32, 0, 0, 0), -EINVAL);
    CHECK_EQ(sys5(NR_prctl, PR_PAC_RESET_KEYS, 1, 1, 0, 0), -EINVAL);
    CHECK_EQ(sys5(NR_prctl, PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0), 15);
    CHECK_EQ(sys5(NR_prctl, PR_PAC_SET_ENABLED_KEYS, 1, 2, 0, 0), -EINVAL);
    CHECK_EQ(sys5(NR_prctl, PR_PAC_SET_ENABLED_KEYS, 1, 0, 0, 0), 0);
    CHECK_EQ(sys5(NR_prctl, PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0), 14);
    for (u64 i = 0; i < POINTERS; i++) CHECK_EQ(signed_by_x1((u64)text + i, i), (u64)text + i);
    CHECK_EQ(sys5(NR_prctl, PR_PAC_SET_ENABLED_KEYS, 1, 1, 0, 0), 0);
}

static u64 fault_pc, fault_btype;

static void on_ill(int sig, siginfo_t *info, ucontext_t *context) {
    CHECK_EQ(sig, SIGILL);
    CHECK_EQ(info->si_code, ILL_ILLOPC);
    CHECK_EQ(info->si_addr, context->uc_mcontext.pc);
    fault_pc = context->uc_mcontext.pc;
    fault_btype = context->uc_mcontext.pstate >> 10 & 3;
    context->uc_mcontext.pc = context->uc_mcontext.regs[30];
    context->uc_mcontext.pstate &= ~(3ull << 10);
}

// Calls the code and says whether it was refused.
static int is_refused(u32 *code) {
    fault_pc = 0;
    __asm__ volatile("blr %0" : : "r"(code) : "x30", "memory");
    CHECK(fault_pc == 0 || fault_pc == (u64)code);
    CHECK(fault_pc == 0 || fault_btype == 2);
    return fault_pc != 0;
}

static void check_branches(int has_bti) {
    u32 *code = rt_mmap(4096, PROT_READ | PROT_WRITE);
    code[0] = 0xd503201f;  // nop
    code[1] = 0xd65f03c0;  // ret
    code[2] = 0xd503245f;  // bti c
    code[3] = 0xd65f03c0;
    code[4] = 0xd503249f;  // bti j
    code[5] = 0xd65f03c0;
    rt_sigaction(SIGILL, on_ill, SA_SIGINFO, 0);
    CHECK_EQ(sys3(NR_mprotect, code, 4096, PROT_READ | PROT_EXEC), 0);
    CHECK(!is_refused(&code[0]) && !is_refused(&code[2]) && !is_refused(&code[4]));
    long guarded = sys3(NR_mprotect, code, 4096, PROT_READ | PROT_EXEC | PROT_BTI);
    CHECK_EQ(guarded, has_bti ? 0 : -EINVAL);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(is_refused(&code[0]), has_bti);
        CHECK(!is_refused(&code[2]));
        CHECK_EQ(is_refused(&code[4]), has_bti);
    }
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    int is_full = rt_streq(argv[1], "full");
    CHECK(is_full || rt_streq(argv[1], "base"));
    u64 one = rt_auxval(AT_HWCAP, 0), two = rt_auxval(AT_HWCAP2, 0);
    CHECK(one & HWCAP_CPUID);
    u64 isar0 = READ_ID("id_aa64isar0_el1"), isar1 = READ_ID("id_aa64isar1_el1"), pfr1 = READ_ID("id_aa64pfr1_el1");
    CHECK_EQ((isar0 >> 16 & 15) != 0, (one & HWCAP_CRC32) != 0);
    CHECK_EQ((isar0 >> 20 & 15) != 0, (one & HWCAP_ATOMICS) != 0);
    CHECK_EQ(((isar1 >> 4 | isar1 >> 8) & 15) != 0, (one & HWCAP_PACA) != 0);
    CHECK_EQ((pfr1 & 15) != 0, (two & HWCAP2_BTI) != 0);
    CHECK_EQ((one & HWCAP_PACA) != 0, is_full);
    CHECK_EQ((two & HWCAP2_BTI) != 0, is_full);
    read_cpuinfo();
    CHECK(cpuinfo_has("crc32") && cpuinfo_has("cpuid") && !cpuinfo_has("nonsense"));
    CHECK_EQ(cpuinfo_has("atomics"), (one & HWCAP_ATOMICS) != 0);
    CHECK_EQ(cpuinfo_has("paca"), is_full);
    CHECK_EQ(cpuinfo_has("bti"), is_full);
    check_pointers(is_full);
    check_branches(is_full);
    say("cpu %s: ok\n", argv[1]);
    return 0;
}

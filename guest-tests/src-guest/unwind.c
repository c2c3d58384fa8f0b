// unwind: stacks as libgcc's unwinder sees them from a signal handler: out of code that a signal interrupted, out of
// handlers nested in one another, and out of a function of the vDSO that faulted.
//
// The unwinder is the tool chain's; what it would ask the C library for stands here.
//
// build: unwinding
// build: floating point
//
// Sources: Linux Standard Base, "Exception Frames"; _dl_find_object of dlfcn.h (glibc); vdso(7).

#include "rt.h"

#include <unwind.h>

// ---- what the unwinder needs of a C library ----

struct ehdr { u8 ident[16]; u16 type, machine; u32 version; u64 entry, phoff, shoff; u32 flags; u16 ehsize, phentsize, phnum; };
struct phdr { u32 p_type, p_flags; u64 p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align; };
struct dyn { u64 tag, value; };
struct sym { u32 name; u8 info, other; u16 shndx; u64 value, size; };
enum { PT_LOAD = 1, PT_DYNAMIC = 2, PT_GNU_EH_FRAME = 0x6474e550, DT_HASH = 4, DT_STRTAB = 5, DT_SYMTAB = 6 };

struct dl_find_object { u64 flags; void *map_start, *map_end, *link_map, *eh_frame; u64 reserved[7]; };

static const u8 *vdso;
extern const u8 __ehdr_start[];

/// True for an object at `base` that holds `pc`.
static int describe(const u8 *base, u64 slide, u64 pc, struct dl_find_object *result) {
    const struct ehdr *ehdr = (const struct ehdr *)base;
    const struct phdr *phdr = (const struct phdr *)(base + ehdr->phoff);
    int holds = 0;
    memset(result, 0, sizeof *result);
    for (int i = 0; i < ehdr->phnum; i++) {
        u64 start = phdr[i].p_vaddr + slide;
        if (phdr[i].p_type == PT_LOAD && pc >= start && pc < start + phdr[i].p_memsz) holds = 1;
        if (phdr[i].p_type == PT_GNU_EH_FRAME) result->eh_frame = (void *)start;
    }
    return holds && result->eh_frame;
}

int _dl_find_object(void *pc, struct dl_find_object *result);
int _dl_find_object(void *pc, struct dl_find_object *result) {
    if (describe(__ehdr_start, 0, (u64)pc, result)) return 0;
    return describe(vdso, (u64)vdso, (u64)pc, result) ? 0 : -1;
}

void abort(void);
void abort(void) {
    CHECK(!"the unwinder gives up");
    for (;;) {}
}

size_t strlen(const char *text);
size_t strlen(const char *text) {
    size_t len = 0;
    while (text[len]) len++;
    return len;
}

char *strchr(const char *text, int byte);
char *strchr(const char *text, int byte) {
    for (; *text != (char)byte; text++)
        if (!*text) return 0;
    return (char *)text;
}

// Only who registers frames by hand needs memory.
void *malloc(size_t len);
void *malloc(size_t len) { return (void)len, (void *)0; }
void *calloc(size_t count, size_t len);
void *calloc(size_t count, size_t len) { return (void)count, (void)len, (void *)0; }
void *realloc(void *at, size_t len);
void *realloc(void *at, size_t len) { return (void)at, (void)len, (void *)0; }
void free(void *at);
void free(void *at) { (void)at; }

// ---- stacks ----

#define DEPTH 64
static u64 stack[DEPTH];
static int depth;

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *arg) {
    (void)arg;
    if (depth == DEPTH) return _URC_END_OF_STACK;
    stack[depth++] = _Unwind_GetIP(context);
    return _URC_NO_REASON;
}

static void take_stack(void) {
    depth = 0;
    _Unwind_Backtrace(note, 0);
}

/// Where in the stack, from `from` on, a function stands whose code begins at `start`; -1 for nowhere.
static int find(int from, const void *start, u64 len) {
    for (int i = from; i < depth; i++)
        if (stack[i] >= (u64)start && stack[i] < (u64)start + len) return i;
    return -1;
}

/// Functions of this guest are shorter than this, and `_Unwind_FindEnclosingFunction` tells where each begins.
static int find_function(int from, const void *start) {
    for (int i = from; i < depth; i++)
        if (_Unwind_FindEnclosingFunction((void *)stack[i]) == start) return i;
    return -1;
}

#define KEPT __attribute__((noinline, noclone, noipa))

static volatile int turns;
int main(int argc, char **argv, char **envp);

static KEPT void on_inner(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)info, (void)context;
    take_stack();
    turns++;  // so that the call before is no jump
}

static KEPT void on_outer(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)info, (void)context;
    CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR2), 0);
    turns++;
}

static KEPT void inner_function(void) {
    CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR1), 0);
    turns++;
}

static KEPT void outer_function(void) {
    inner_function();
    turns++;
}

/// From a handler in a handler to the code that the first one interrupted, and to its callers.
static KEPT void nested(u64 flags) {
    rt_sigaction(SIGUSR1, on_outer, SA_SIGINFO | flags, 0);
    rt_sigaction(SIGUSR2, on_inner, SA_SIGINFO | flags, 0);
    depth = turns = 0;
    outer_function();
    CHECK_EQ(turns, 4);
    int at = find_function(0, on_inner);
    CHECK(at >= 0);
    at = find_function(at, on_outer);
    CHECK(at >= 0);
    at = find_function(at, inner_function);
    CHECK(at >= 0);
    at = find_function(at, outer_function);
    CHECK(at >= 0);
    at = find_function(at, nested);
    CHECK(at >= 0);
    CHECK(find_function(at, main) >= 0);
}

static const struct sym *vdso_symbol(const char *name) {
    const struct ehdr *ehdr = (const struct ehdr *)vdso;
    const struct phdr *phdr = (const struct phdr *)(vdso + ehdr->phoff);
    const struct dyn *dyn = 0;
    for (int i = 0; i < ehdr->phnum; i++)
        if (phdr[i].p_type == PT_DYNAMIC) dyn = (const struct dyn *)(vdso + phdr[i].p_offset);
    CHECK(dyn);
    const u32 *hash = 0;
    const char *strings = 0;
    const struct sym *symbols = 0;
    for (; dyn->tag; dyn++) {
        if (dyn->tag == DT_HASH) hash = (const u32 *)(vdso + dyn->value);
        if (dyn->tag == DT_STRTAB) strings = (const char *)(vdso + dyn->value);
        if (dyn->tag == DT_SYMTAB) symbols = (const struct sym *)(vdso + dyn->value);
    }
    for (u32 i = 1; i < hash[1]; i++)
        if (rt_streq(strings + symbols[i].name, name)) return &symbols[i];
    CHECK(!"the function is there");
    return 0;
}

static u64 faulted_at;

static KEPT void on_fault(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)info;
    faulted_at = context->uc_mcontext.pc;
    take_stack();
    // The function returns at once: it has not touched the stack.
    context->uc_mcontext.pc = context->uc_mcontext.regs[30];
    context->uc_mcontext.regs[0] = 77;
}

typedef int (*clock_fn)(int, struct timespec *);

static KEPT int read_clock(clock_fn fn, int clock) {
    int result = fn(clock, (struct timespec *)64);
    turns++;
    return result;
}

/// A function of the vDSO that writes to where nothing is.
static KEPT void in_vdso(void) {
    static const char *const names[] = { "__kernel_clock_gettime", "__kernel_clock_getres" };
    rt_sigaction(SIGSEGV, on_fault, SA_SIGINFO, 0);
    for (int i = 0; i < 2; i++) {
        const struct sym *symbol = vdso_symbol(names[i]);
        const u8 *code = vdso + symbol->value;
        depth = 0;
        CHECK_EQ(read_clock((clock_fn)code, CLOCK_MONOTONIC), 77);
        CHECK(faulted_at >= (u64)code && faulted_at < (u64)code + symbol->size);
        int at = find(0, code, symbol->size);
        CHECK(at > 0);
        CHECK_EQ(stack[at], faulted_at);
        CHECK_EQ(find_function(at, read_clock), at + 1);
        CHECK_EQ(find_function(at, in_vdso), at + 2);
        CHECK_EQ(find_function(at, main), at + 3);
    }
    rt_sigaction(SIGSEGV, SIG_DFL, 0, 0);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    int found;
    rt_guard(30);
    vdso = (const u8 *)rt_auxval(AT_SYSINFO_EHDR, &found);
    CHECK(found);
    nested(0);
    nested(RT_NO_RESTORER);
    in_vdso();
    say("unwind: ok\n");
    return 0;
}

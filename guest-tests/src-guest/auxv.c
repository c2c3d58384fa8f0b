// auxv A "two words" "": the process entry state: stack alignment, argc, argv, envp and the auxiliary vector.
//
// Run with GUEST_VAR=value in the environment. Sources: getauxval(3), Linux fs/binfmt_elf.c (create_elf_tables).

#include "rt.h"

#define PF_X 1
struct phdr { u32 p_type, p_flags; u64 p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align; };

extern const char _start[];
extern const u8 __ehdr_start[];

static u64 needed(u64 type) {
    int found;
    u64 value = rt_auxval(type, &found);
    if (!found) rt_check_failed(RT_WHERE, "auxiliary vector entry is there", (s64)type, 0);
    return value;
}

static void program_headers(void) {
    const struct phdr *phdr = (const struct phdr *)needed(AT_PHDR);
    CHECK_EQ(needed(AT_PHENT), sizeof *phdr);
    CHECK_EQ((const u8 *)phdr, __ehdr_start + 64);
    u64 count = needed(AT_PHNUM);
    CHECK(count >= 1 && count < 16);
    int entry_inside = 0;
    for (u64 i = 0; i < count; i++) {
        u64 at = phdr[i].p_vaddr, entry = needed(AT_ENTRY);
        if (phdr[i].p_type == 1 && (phdr[i].p_flags & PF_X) && entry >= at && entry < at + phdr[i].p_memsz) entry_inside = 1;
    }
    CHECK(entry_inside);
    CHECK_EQ(needed(AT_ENTRY), _start);
}

int main(int argc, char **argv, char **envp) {
    static u8 zeroed[5000];
    CHECK_EQ((u64)rt_initial_sp % 16, 0);
    CHECK_EQ(argc, 4);
    CHECK_EQ(rt_initial_sp[0], 4);
    CHECK(argv[0][0] != 0);
    CHECK(rt_streq(argv[1], "A"));
    CHECK(rt_streq(argv[2], "two words"));
    CHECK(rt_streq(argv[3], ""));
    CHECK_EQ(argv[4], 0);
    int seen = 0;
    for (char **entry = envp; *entry; entry++) seen += rt_streq(*entry, "GUEST_VAR=value");
    CHECK_EQ(seen, 1);

    CHECK_EQ(needed(AT_PAGESZ), 4096);
    CHECK_EQ(needed(AT_CLKTCK), 100);
    CHECK_EQ(needed(AT_SECURE), 0);
    CHECK_EQ(needed(AT_UID), sys0(NR_getuid));
    const u64 *random = (const u64 *)needed(AT_RANDOM);
    CHECK(random[0] != 0 || random[1] != 0);
    (void)needed(AT_HWCAP);
    CHECK(((const char *)needed(AT_EXECFN))[0] != 0);
    program_headers();
    for (u64 i = 0; i < sizeof zeroed; i++) CHECK_EQ(((volatile u8 *)zeroed)[i], 0);
    int has_vdso;
    u64 vdso = rt_auxval(AT_SYSINFO_EHDR, &has_vdso);
    if (has_vdso) CHECK_EQ(*(const u32 *)vdso, 0x464c457f);
    say("auxv: ok\n");
    return 0;
}

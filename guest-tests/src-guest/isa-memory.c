// isa-memory [print]: every integer load and store form, exclusives, acquire/release and LSE atomics of one thread.
//
// One row per instruction form, executed over a patterned buffer at several (also unaligned) addresses and offsets. Loaded
// registers, written-back base and the whole buffer are folded into a hash that the row records (made once by `print` under
// QEMU, and equal on hardware). All rows that differ are named. Arm ARM DDI 0487, C3.2 and C6.2. Neighbour: isa-int.c.

#include "rt.h"

// The registers that a row may use: d and e are data in and out, b the base (may be written back), m an offset, s a status.
struct operands { u64 d, e, b, m, s; };

#define INSTRUCTION(name, text)                                                                                      \
    static void run_##name(struct operands *o) {                                                                     \
        register u64 d __asm__("x4") = o->d;                                                                         \
        register u64 e __asm__("x5") = o->e;                                                                         \
        register u64 s __asm__("x6") = o->s;                                                                         \
        register u64 t __asm__("x7") = ~o->s;                                                                        \
        u64 b = o->b;                                                                                                \
        __asm__ volatile(".arch armv8-a+lse\n" text                                                                  \
                         : [d] "+&r"(d), [e] "+&r"(e), [s] "+&r"(s), "+&r"(t), [b] "+&r"(b)                          \
                         : [m] "r"(o->m)                                                                             \
                         : "cc", "memory", "x8");                                                                    \
        o->d = d;                                                                                                    \
        o->e = e ^ t;                                                                                                \
        o->s = s;                                                                                                    \
        o->b = b;                                                                                                    \
    }

#define ROWS                                                                                                         \
    R(ldrb_w, "ldrb %w[d], [%[b]]", 0, 0xd0fa04b502806984) \
    R(ldrb_w_imm, "ldrb %w[d], [%[b], #5]", 0, 0xbdb4b38e0b0bbd74) \
    R(ldrb_w_pre, "ldrb %w[d], [%[b], #-33]!", 0, 0x615af27c65619c40) \
    R(ldrb_w_post, "ldrb %w[d], [%[b]], #29", 0, 0x35308398e90d54cc) \
    R(ldurb_w, "ldurb %w[d], [%[b], #-13]", 0, 0xbbb4804b004c5151) \
    R(ldtrb_w, "ldtrb %w[d], [%[b], #21]", 0, 0x29251e285f24c5eb) \
    R(ldrb_w_reg, "ldrb %w[d], [%[b], %[m]]", 0, 0xb5c684175730dfbb) \
    R(ldrb_w_uxtw, "and x8, %[m], #63\nldrb %w[d], [%[b], w8, uxtw]", 0, 0xffafcad6bbf68a11) \
    R(ldrb_w_sxtw, "ldrb %w[d], [%[b], %w[m], sxtw]", 0, 0xb5c684175730dfbb) \
    R(ldrb_w_sxtx, "ldrb %w[d], [%[b], %[m], sxtx]", 0, 0xb5c684175730dfbb) \
    R(ldrh_w, "ldrh %w[d], [%[b]]", 0, 0x832200edcf14c442) \
    R(ldrh_w_imm, "ldrh %w[d], [%[b], #10]", 0, 0x8edb017f428bc4a5) \
    R(ldrh_w_pre, "ldrh %w[d], [%[b], #-33]!", 0, 0x4b469d1439515b42) \
    R(ldrh_w_post, "ldrh %w[d], [%[b]], #29", 0, 0x2273a47b926ca675) \
    R(ldurh_w, "ldurh %w[d], [%[b], #-13]", 0, 0x8caef55cca6deb78) \
    R(ldtrh_w, "ldtrh %w[d], [%[b], #21]", 0, 0xa6af5eec0425303e) \
    R(ldrh_w_reg, "ldrh %w[d], [%[b], %[m]]", 0, 0xd83b12234e258e58) \
    R(ldrh_w_uxtw, "and x8, %[m], #63\nldrh %w[d], [%[b], w8, uxtw]", 0, 0x364cb1f2e891dca0) \
    R(ldrh_w_sxtw, "ldrh %w[d], [%[b], %w[m], sxtw]", 0, 0xd83b12234e258e58) \
    R(ldrh_w_sxtx, "ldrh %w[d], [%[b], %[m], sxtx]", 0, 0xd83b12234e258e58) \
    R(ldrh_w_reg_scaled, "ldrh %w[d], [%[b], %[m], lsl #1]", 0, 0x90960350e780f5a6) \
    R(ldrh_w_sxtw_scaled, "ldrh %w[d], [%[b], %w[m], sxtw #1]", 0, 0x90960350e780f5a6) \
    R(ldr_w, "ldr %w[d], [%[b]]", 0, 0xf70a24f9d2a9d97a) \
    R(ldr_w_imm, "ldr %w[d], [%[b], #20]", 0, 0x979ab578923a8b70) \
    R(ldr_w_pre, "ldr %w[d], [%[b], #-33]!", 0, 0x52c044cace38d23d) \
    R(ldr_w_post, "ldr %w[d], [%[b]], #29", 0, 0xb039f279d1a03f6b) \
    R(ldur_w, "ldur %w[d], [%[b], #-13]", 0, 0x2a0f8c0de7bb9232) \
    R(ldtr_w, "ldtr %w[d], [%[b], #21]", 0, 0xb7b6ffe1f71bb956) \
    R(ldr_w_reg, "ldr %w[d], [%[b], %[m]]", 0, 0xf926184164afa8bf) \
    R(ldr_w_uxtw, "and x8, %[m], #63\nldr %w[d], [%[b], w8, uxtw]", 0, 0xe0a37d598c63e7bf) \
    R(ldr_w_sxtw, "ldr %w[d], [%[b], %w[m], sxtw]", 0, 0xf926184164afa8bf) \
    R(ldr_w_sxtx, "ldr %w[d], [%[b], %[m], sxtx]", 0, 0xf926184164afa8bf) \
    R(ldr_w_reg_scaled, "ldr %w[d], [%[b], %[m], lsl #2]", 0, 0x181b9fa30ac523e0) \
    R(ldr_w_sxtw_scaled, "ldr %w[d], [%[b], %w[m], sxtw #2]", 0, 0x181b9fa30ac523e0) \
    R(ldr_x, "ldr %[d], [%[b]]", 0, 0x4bb55c09c341af12) \
    R(ldr_x_imm, "ldr %[d], [%[b], #40]", 0, 0x156be61b779ceaf5) \
    R(ldr_x_pre, "ldr %[d], [%[b], #-33]!", 0, 0x93f289ee15f71b41) \
    R(ldr_x_post, "ldr %[d], [%[b]], #29", 0, 0xa88040c61b46cf4d) \
    R(ldur_x, "ldur %[d], [%[b], #-13]", 0, 0xda0909cb8a95e442) \
    R(ldtr_x, "ldtr %[d], [%[b], #21]", 0, 0x919b73e06d286962) \
    R(ldr_x_reg, "ldr %[d], [%[b], %[m]]", 0, 0xff3f0ed9249c562d) \
    R(ldr_x_uxtw, "and x8, %[m], #63\nldr %[d], [%[b], w8, uxtw]", 0, 0xc42a7fb2927e5018) \
    R(ldr_x_sxtw, "ldr %[d], [%[b], %w[m], sxtw]", 0, 0xff3f0ed9249c562d) \
    R(ldr_x_sxtx, "ldr %[d], [%[b], %[m], sxtx]", 0, 0xff3f0ed9249c562d) \
    R(ldr_x_reg_scaled, "ldr %[d], [%[b], %[m], lsl #3]", 0, 0xb19b19b1bfa0c687) \
    R(ldr_x_sxtw_scaled, "ldr %[d], [%[b], %w[m], sxtw #3]", 0, 0xb19b19b1bfa0c687) \
    R(ldrsb_w, "ldrsb %w[d], [%[b]]", 0, 0x7fc1e3a57b493e5a) \
    R(ldrsb_w_imm, "ldrsb %w[d], [%[b], #5]", 0, 0xadb92e1f6625d9aa) \
    R(ldrsb_w_pre, "ldrsb %w[d], [%[b], #-33]!", 0, 0x0461351ba6f11188) \
    R(ldrsb_w_post, "ldrsb %w[d], [%[b]], #29", 0, 0x513db3244b017b7d) \
    R(ldursb_w, "ldursb %w[d], [%[b], #-13]", 0, 0x560b2391b93b69b7) \
    R(ldtrsb_w, "ldtrsb %w[d], [%[b], #21]", 0, 0x494873bda8733269) \
    R(ldrsb_w_reg, "ldrsb %w[d], [%[b], %[m]]", 0, 0xdbbcd63a8686de84) \
    R(ldrsb_w_uxtw, "and x8, %[m], #63\nldrsb %w[d], [%[b], w8, uxtw]", 0, 0x88917bc94f19f936) \
    R(ldrsb_w_sxtw, "ldrsb %w[d], [%[b], %w[m], sxtw]", 0, 0xdbbcd63a8686de84) \
    R(ldrsb_w_sxtx, "ldrsb %w[d], [%[b], %[m], sxtx]", 0, 0xdbbcd63a8686de84) \
    R(ldrsb_x, "ldrsb %[d], [%[b]]", 0, 0x12942a287e7f403a) \
    R(ldrsb_x_imm, "ldrsb %[d], [%[b], #5]", 0, 0x84004f379b6cd479) \
    R(ldrsb_x_pre, "ldrsb %[d], [%[b], #-33]!", 0, 0x56e40bb0e645bb80) \
    R(ldrsb_x_post, "ldrsb %[d], [%[b]], #29", 0, 0x5461f73bae6cdbf4) \
    R(ldursb_x, "ldursb %[d], [%[b], #-13]", 0, 0xd9fca3ab127119e4) \
    R(ldtrsb_x, "ldtrsb %[d], [%[b], #21]", 0, 0x2bad8451002afed8) \
    R(ldrsb_x_reg, "ldrsb %[d], [%[b], %[m]]", 0, 0xb9d2656a678bfd30) \
    R(ldrsb_x_uxtw, "and x8, %[m], #63\nldrsb %[d], [%[b], w8, uxtw]", 0, 0x581856ba144aebc5) \
    R(ldrsb_x_sxtw, "ldrsb %[d], [%[b], %w[m], sxtw]", 0, 0xb9d2656a678bfd30) \
    R(ldrsb_x_sxtx, "ldrsb %[d], [%[b], %[m], sxtx]", 0, 0xb9d2656a678bfd30) \
    R(ldrsh_w, "ldrsh %w[d], [%[b]]", 0, 0x67c6949486c8110e) \
    R(ldrsh_w_imm, "ldrsh %w[d], [%[b], #10]", 0, 0x197d18e9d62942cf) \
    R(ldrsh_w_pre, "ldrsh %w[d], [%[b], #-33]!", 0, 0x4c6e19473ad39106) \
    R(ldrsh_w_post, "ldrsh %w[d], [%[b]], #29", 0, 0x3ad4aba75ab7f018) \
    R(ldursh_w, "ldursh %w[d], [%[b], #-13]", 0, 0x15b45faf08fc099a) \
    R(ldtrsh_w, "ldtrsh %w[d], [%[b], #21]", 0, 0xca83c6c40dec6093) \
    R(ldrsh_w_reg, "ldrsh %w[d], [%[b], %[m]]", 0, 0x4fbb286f5553ecaf) \
    R(ldrsh_w_uxtw, "and x8, %[m], #63\nldrsh %w[d], [%[b], w8, uxtw]", 0, 0xdfb410944b941226) \
    R(ldrsh_w_sxtw, "ldrsh %w[d], [%[b], %w[m], sxtw]", 0, 0x4fbb286f5553ecaf) \
    R(ldrsh_w_sxtx, "ldrsh %w[d], [%[b], %[m], sxtx]", 0, 0x4fbb286f5553ecaf) \
    R(ldrsh_w_reg_scaled, "ldrsh %w[d], [%[b], %[m], lsl #1]", 0, 0xc2cc456f8444538d) \
    R(ldrsh_w_sxtw_scaled, "ldrsh %w[d], [%[b], %w[m], sxtw #1]", 0, 0xc2cc456f8444538d) \
    R(ldrsh_x, "ldrsh %[d], [%[b]]", 0, 0x59afc30292444749) \
    R(ldrsh_x_imm, "ldrsh %[d], [%[b], #10]", 0, 0xfce064d0efab2641) \
    R(ldrsh_x_pre, "ldrsh %[d], [%[b], #-33]!", 0, 0x55e0bcce25f996a2) \
    R(ldrsh_x_post, "ldrsh %[d], [%[b]], #29", 0, 0x628c8fa7efb97549) \
    R(ldursh_x, "ldursh %[d], [%[b], #-13]", 0, 0xe258eb80e825bb20) \
    R(ldtrsh_x, "ldtrsh %[d], [%[b], #21]", 0, 0x7d02a464374b4f7f) \
    R(ldrsh_x_reg, "ldrsh %[d], [%[b], %[m]]", 0, 0x2f10dfeae95d8d93) \
    R(ldrsh_x_uxtw, "and x8, %[m], #63\nldrsh %[d], [%[b], w8, uxtw]", 0, 0xc01d4ce4c5de239c) \
    R(ldrsh_x_sxtw, "ldrsh %[d], [%[b], %w[m], sxtw]", 0, 0x2f10dfeae95d8d93) \
    R(ldrsh_x_sxtx, "ldrsh %[d], [%[b], %[m], sxtx]", 0, 0x2f10dfeae95d8d93) \
    R(ldrsh_x_reg_scaled, "ldrsh %[d], [%[b], %[m], lsl #1]", 0, 0x5a49e12b6313afbc) \
    R(ldrsh_x_sxtw_scaled, "ldrsh %[d], [%[b], %w[m], sxtw #1]", 0, 0x5a49e12b6313afbc) \
    R(ldrsw_x, "ldrsw %[d], [%[b]]", 0, 0xcc1d996416227e15) \
    R(ldrsw_x_imm, "ldrsw %[d], [%[b], #20]", 0, 0x7e16d89a9a4bc434) \
    R(ldrsw_x_pre, "ldrsw %[d], [%[b], #-33]!", 0, 0x89155c59ae5de41f) \
    R(ldrsw_x_post, "ldrsw %[d], [%[b]], #29", 0, 0x3fe82523e9d68b78) \
    R(ldursw_x, "ldursw %[d], [%[b], #-13]", 0, 0x45688ec17399d39c) \
    R(ldtrsw_x, "ldtrsw %[d], [%[b], #21]", 0, 0x20b9337d2e3f43cb) \
    R(ldrsw_x_reg, "ldrsw %[d], [%[b], %[m]]", 0, 0x2d7155f5a9cae4f9) \
    R(ldrsw_x_uxtw, "and x8, %[m], #63\nldrsw %[d], [%[b], w8, uxtw]", 0, 0x377b6417cbcbfa3a) \
    R(ldrsw_x_sxtw, "ldrsw %[d], [%[b], %w[m], sxtw]", 0, 0x2d7155f5a9cae4f9) \
    R(ldrsw_x_sxtx, "ldrsw %[d], [%[b], %[m], sxtx]", 0, 0x2d7155f5a9cae4f9) \
    R(ldrsw_x_reg_scaled, "ldrsw %[d], [%[b], %[m], lsl #2]", 0, 0xa3ef7042e950575a) \
    R(ldrsw_x_sxtw_scaled, "ldrsw %[d], [%[b], %w[m], sxtw #2]", 0, 0xa3ef7042e950575a) \
    R(strb_w, "strb %w[d], [%[b]]", 0, 0xbd25aa3b4fde3a7e) \
    R(strb_w_imm, "strb %w[d], [%[b], #5]", 0, 0xd3d5d250b84d094a) \
    R(strb_w_pre, "strb %w[d], [%[b], #-33]!", 0, 0x44461d4a0e4e87ff) \
    R(strb_w_post, "strb %w[d], [%[b]], #29", 0, 0x5de11b56b0df2b10) \
    R(sturb_w, "sturb %w[d], [%[b], #-13]", 0, 0xe6c892a92b900aef) \
    R(sttrb_w, "sttrb %w[d], [%[b], #21]", 0, 0x57c19dd7864d5b8a) \
    R(strb_w_reg, "strb %w[d], [%[b], %[m]]", 0, 0x38e4026dcf1814f9) \
    R(strb_w_uxtw, "and x8, %[m], #63\nstrb %w[d], [%[b], w8, uxtw]", 0, 0x40fe15f70acb37bf) \
    R(strb_w_sxtw, "strb %w[d], [%[b], %w[m], sxtw]", 0, 0x38e4026dcf1814f9) \
    R(strb_w_sxtx, "strb %w[d], [%[b], %[m], sxtx]", 0, 0x38e4026dcf1814f9) \
    R(strh_w, "strh %w[d], [%[b]]", 0, 0xcc9db1634f9fa457) \
    R(strh_w_imm, "strh %w[d], [%[b], #10]", 0, 0x6a0a40a9292ff06b) \
    R(strh_w_pre, "strh %w[d], [%[b], #-33]!", 0, 0x9540e11c2f6fcc20) \
    R(strh_w_post, "strh %w[d], [%[b]], #29", 0, 0x19832a6a04acd30d) \
    R(sturh_w, "sturh %w[d], [%[b], #-13]", 0, 0x587c41856efa5b91) \
    R(sttrh_w, "sttrh %w[d], [%[b], #21]", 0, 0x865507f0237dff26) \
    R(strh_w_reg, "strh %w[d], [%[b], %[m]]", 0, 0xf981e151ebc9db10) \
    R(strh_w_uxtw, "and x8, %[m], #63\nstrh %w[d], [%[b], w8, uxtw]", 0, 0x3483c3f3b3328a00) \
    R(strh_w_sxtw, "strh %w[d], [%[b], %w[m], sxtw]", 0, 0xf981e151ebc9db10) \
    R(strh_w_sxtx, "strh %w[d], [%[b], %[m], sxtx]", 0, 0xf981e151ebc9db10) \
    R(strh_w_reg_scaled, "strh %w[d], [%[b], %[m], lsl #1]", 0, 0xf73805f8cc90bdfb) \
    R(strh_w_sxtw_scaled, "strh %w[d], [%[b], %w[m], sxtw #1]", 0, 0xf73805f8cc90bdfb) \
    R(str_w, "str %w[d], [%[b]]", 0, 0x8c79eee4f0c316d3) \
    R(str_w_imm, "str %w[d], [%[b], #20]", 0, 0x989a4683c72bef5d) \
    R(str_w_pre, "str %w[d], [%[b], #-33]!", 0, 0xea8c474d306b0ae1) \
    R(str_w_post, "str %w[d], [%[b]], #29", 0, 0x54ad0a933bbac08d) \
    R(stur_w, "stur %w[d], [%[b], #-13]", 0, 0x2562cf4b2d6ffb07) \
    R(sttr_w, "sttr %w[d], [%[b], #21]", 0, 0x0780a5522833705d) \
    R(str_w_reg, "str %w[d], [%[b], %[m]]", 0, 0x0618c6b7d5bd404c) \
    R(str_w_uxtw, "and x8, %[m], #63\nstr %w[d], [%[b], w8, uxtw]", 0, 0x82ab9bcf3a43d106) \
    R(str_w_sxtw, "str %w[d], [%[b], %w[m], sxtw]", 0, 0x0618c6b7d5bd404c) \
    R(str_w_sxtx, "str %w[d], [%[b], %[m], sxtx]", 0, 0x0618c6b7d5bd404c) \
    R(str_w_reg_scaled, "str %w[d], [%[b], %[m], lsl #2]", 0, 0x8d814d93793ceac2) \
    R(str_w_sxtw_scaled, "str %w[d], [%[b], %w[m], sxtw #2]", 0, 0x8d814d93793ceac2) \
    R(str_x, "str %[d], [%[b]]", 0, 0x6a5d35820dbc2feb) \
    R(str_x_imm, "str %[d], [%[b], #40]", 0, 0x5f17b514176ffe1c) \
    R(str_x_pre, "str %[d], [%[b], #-33]!", 0, 0x7cfb2dacd6f03af2) \
    R(str_x_post, "str %[d], [%[b]], #29", 0, 0xc380991f73eeea00) \
    R(stur_x, "stur %[d], [%[b], #-13]", 0, 0xd31e1a947729fd99) \
    R(sttr_x, "sttr %[d], [%[b], #21]", 0, 0x30958f773e84e0f5) \
    R(str_x_reg, "str %[d], [%[b], %[m]]", 0, 0xdc129467984db4d7) \
    R(str_x_uxtw, "and x8, %[m], #63\nstr %[d], [%[b], w8, uxtw]", 0, 0x4c64342db0399aa0) \
    R(str_x_sxtw, "str %[d], [%[b], %w[m], sxtw]", 0, 0xdc129467984db4d7) \
    R(str_x_sxtx, "str %[d], [%[b], %[m], sxtx]", 0, 0xdc129467984db4d7) \
    R(str_x_reg_scaled, "str %[d], [%[b], %[m], lsl #3]", 0, 0xc2572c8fb53d7400) \
    R(str_x_sxtw_scaled, "str %[d], [%[b], %w[m], sxtw #3]", 0, 0xc2572c8fb53d7400) \
    R(str_zero_x, "str xzr, [%[b], #8]", 0, 0x8187f1dc8920ae62) \
    R(ldr_zero, "ldr xzr, [%[b], #8]", 0, 0xfb179992d44aa016) \
    R(ldr_max, "add %[b], %[b], #256\nldur %[d], [%[b], #-256]", 0, 0x97f89e18fda18057) \
    R(prfm, "prfm pldl1keep, [%[b], #8]", 0, 0xfb179992d44aa016) \
    R(prfum, "prfum pstl1strm, [%[b], #-7]", 0, 0xfb179992d44aa016) \
    R(ldp_x, "ldp %[d], %[e], [%[b]]", 0, 0x7cd621bf599c829f) \
    R(ldp_x_imm, "ldp %[d], %[e], [%[b], #-56]", 0, 0xd96fa121698b8837) \
    R(ldp_x_pre, "ldp %[d], %[e], [%[b], #40]!", 0, 0xd6a1f00cee5a67f4) \
    R(ldp_x_post, "ldp %[d], %[e], [%[b]], #-24", 0, 0x45a01c4f9380d11f) \
    R(ldnp_x, "ldnp %[d], %[e], [%[b], #32]", 0, 0xc4f927b58d1f11ed) \
    R(ldp_w, "ldp %w[d], %w[e], [%[b]]", 0, 0x7e04a69803d2012d) \
    R(ldp_w_imm, "ldp %w[d], %w[e], [%[b], #-28]", 0, 0x4b8c3dd48da90a45) \
    R(ldp_w_pre, "ldp %w[d], %w[e], [%[b], #20]!", 0, 0xb805dd8111bc952f) \
    R(ldp_w_post, "ldp %w[d], %w[e], [%[b]], #-12", 0, 0x87abf929a5965dcc) \
    R(ldnp_w, "ldnp %w[d], %w[e], [%[b], #16]", 0, 0xa1b244398a50095f) \
    R(stp_x, "stp %[d], %[e], [%[b]]", 0, 0x1857915be9d2188c) \
    R(stp_x_imm, "stp %[d], %[e], [%[b], #-56]", 0, 0xe679f3d06f4f41b5) \
    R(stp_x_pre, "stp %[d], %[e], [%[b], #40]!", 0, 0xc2af2972b95ca9fc) \
    R(stp_x_post, "stp %[d], %[e], [%[b]], #-24", 0, 0x1364ca0cb9cc4cc5) \
    R(stnp_x, "stnp %[d], %[e], [%[b], #32]", 0, 0x2489d9337742d21d) \
    R(stp_w, "stp %w[d], %w[e], [%[b]]", 0, 0x4d57060f4b78efd8) \
    R(stp_w_imm, "stp %w[d], %w[e], [%[b], #-28]", 0, 0x3989267a70e288a1) \
    R(stp_w_pre, "stp %w[d], %w[e], [%[b], #20]!", 0, 0xe32adf0cb2b91e7e) \
    R(stp_w_post, "stp %w[d], %w[e], [%[b]], #-12", 0, 0x065c779de1961527) \
    R(stnp_w, "stnp %w[d], %w[e], [%[b], #16]", 0, 0xe206fb9470882b5b) \
    R(ldpsw, "ldpsw %[d], %[e], [%[b]]", 0, 0x16cd3aed7aade616) \
    R(ldpsw_imm, "ldpsw %[d], %[e], [%[b], #-28]", 0, 0x4a7aee7a3e81bd2c) \
    R(ldpsw_pre, "ldpsw %[d], %[e], [%[b], #20]!", 0, 0x5ea9e9fc59a31a84) \
    R(ldpsw_post, "ldpsw %[d], %[e], [%[b]], #-12", 0, 0xfc99452fcc424529) \
    R(ldar_b, "ldarb %w[d], [%[b]]", 1, 0x5b38f51f15897d66) \
    R(stlr_b, "stlrb %w[d], [%[b]]", 1, 0xfb764f61a935b923) \
    R(ldxr_b, "1: ldxrb %w[d], [%[b]]\nadd %[e], %[e], %[d]\nstxrb %w[s], %w[e], [%[b]]\ncbnz %w[s], 1b", 1, 0x8eb37935f13814bc) \
    R(ldaxr_b, "1: ldaxrb %w[d], [%[b]]\nadd x8, %[e], %[d]\nstlxrb %w[s], w8, [%[b]]\ncbnz %w[s], 1b", 1, 0x5f659da815fd9146) \
    R(ldar_h, "ldarh %w[d], [%[b]]", 1, 0xe191d33b54641cd1) \
    R(stlr_h, "stlrh %w[d], [%[b]]", 1, 0x999dea9050855186) \
    R(ldxr_h, "1: ldxrh %w[d], [%[b]]\nadd %[e], %[e], %[d]\nstxrh %w[s], %w[e], [%[b]]\ncbnz %w[s], 1b", 1, 0xc7fa09adc4ade674) \
    R(ldaxr_h, "1: ldaxrh %w[d], [%[b]]\nadd x8, %[e], %[d]\nstlxrh %w[s], w8, [%[b]]\ncbnz %w[s], 1b", 1, 0x6c16adcae76fd148) \
    R(ldar_w, "ldar %w[d], [%[b]]", 1, 0x148b6d9c6c3ae784) \
    R(stlr_w, "stlr %w[d], [%[b]]", 1, 0x6dc2c63b3bce204a) \
    R(ldxr_w, "1: ldxr %w[d], [%[b]]\nadd %[e], %[e], %[d]\nstxr %w[s], %w[e], [%[b]]\ncbnz %w[s], 1b", 1, 0x566a89dfdfc2e651) \
    R(ldaxr_w, "1: ldaxr %w[d], [%[b]]\nadd x8, %[e], %[d]\nstlxr %w[s], w8, [%[b]]\ncbnz %w[s], 1b", 1, 0xf3110fe5404c672c) \
    R(ldar_x, "ldar %[d], [%[b]]", 1, 0xede99859c67efa9f) \
    R(stlr_x, "stlr %[d], [%[b]]", 1, 0xa6e9d26807fe09f3) \
    R(ldxr_x, "1: ldxr %[d], [%[b]]\nadd %[e], %[e], %[d]\nstxr %w[s], %[e], [%[b]]\ncbnz %w[s], 1b", 1, 0x23aca1307c283ef9) \
    R(ldaxr_x, "1: ldaxr %[d], [%[b]]\nadd x8, %[e], %[d]\nstlxr %w[s], x8, [%[b]]\ncbnz %w[s], 1b", 1, 0x303a56e833585c5d) \
    R(ldxp_x, "1: ldxp %[d], %[e], [%[b]]\neor %[d], %[d], %[e]\nstxp %w[s], %[d], %[e], [%[b]]\ncbnz %w[s], 1b", 1, 0xff239d3612d78bd5) \
    R(ldaxp_x, "1: ldaxp %[d], %[e], [%[b]]\neor %[e], %[d], %[e]\nstlxp %w[s], %[d], %[e], [%[b]]\ncbnz %w[s], 1b", 1, 0xc4829973e69a5256) \
    R(ldxp_w, "1: ldxp %w[d], %w[e], [%[b]]\neor %[d], %[d], %[e]\nstxp %w[s], %w[d], %w[e], [%[b]]\ncbnz %w[s], 1b", 1, 0x7955823bbab97058) \
    R(ldaxp_w, "1: ldaxp %w[d], %w[e], [%[b]]\neor %[e], %[d], %[e]\nstlxp %w[s], %w[d], %w[e], [%[b]]\ncbnz %w[s], 1b", 1, 0x94f14603232a9fc5) \
    R(ldadd_b, "ldaddb %w[d], %w[e], [%[b]]", 1, 0x3065a09c3178e137) \
    R(stadd_b, "staddb %w[d], [%[b]]", 1, 0x5b2a4199490946a8) \
    R(ldadda_h, "ldaddah %w[d], %w[e], [%[b]]", 1, 0x286ba7202e2e55de) \
    R(stadd_h, "staddh %w[d], [%[b]]", 1, 0x86ad10e1791e2f07) \
    R(ldaddl_w, "ldaddl %w[d], %w[e], [%[b]]", 1, 0xcb739bc0e57c72ce) \
    R(stadd_w, "stadd %w[d], [%[b]]", 1, 0x089d4bc2310d72c7) \
    R(ldaddal_x, "ldaddal %[d], %[e], [%[b]]", 1, 0x1079621a57a6bfc0) \
    R(stadd_x, "stadd %[d], [%[b]]", 1, 0xdec517984a439572) \
    R(ldclr_b, "ldclrb %w[d], %w[e], [%[b]]", 1, 0x914c0b982ff16dda) \
    R(stclr_b, "stclrb %w[d], [%[b]]", 1, 0x2e11563b38f5c2f8) \
    R(ldclrl_h, "ldclrlh %w[d], %w[e], [%[b]]", 1, 0x7f0064845d23f574) \
    R(stclr_h, "stclrh %w[d], [%[b]]", 1, 0xcbed4f25fc867b83) \
    R(ldclral_w, "ldclral %w[d], %w[e], [%[b]]", 1, 0x6313d6213c9e2b51) \
    R(stclr_w, "stclr %w[d], [%[b]]", 1, 0x82ac96b992f4af42) \
    R(ldclr_x, "ldclr %[d], %[e], [%[b]]", 1, 0x0a89d758bace8a1c) \
    R(stclr_x, "stclr %[d], [%[b]]", 1, 0xa2b123c682243c89) \
    R(ldeora_b, "ldeorab %w[d], %w[e], [%[b]]", 1, 0xaffcdf830e7fd07c) \
    R(steor_b, "steorb %w[d], [%[b]]", 1, 0xb9cbe223ee0f60c5) \
    R(ldeoral_h, "ldeoralh %w[d], %w[e], [%[b]]", 1, 0xda49c47ceb564771) \
    R(steor_h, "steorh %w[d], [%[b]]", 1, 0xceb683e6d8525068) \
    R(ldeor_w, "ldeor %w[d], %w[e], [%[b]]", 1, 0x94d8fb6103539a1b) \
    R(steor_w, "steor %w[d], [%[b]]", 1, 0x431f1b6deff0014c) \
    R(ldeora_x, "ldeora %[d], %[e], [%[b]]", 1, 0x1a08bd9335fc5997) \
    R(steor_x, "steor %[d], [%[b]]", 1, 0xc1d708e53d65e5c1) \
    R(ldsetl_b, "ldsetlb %w[d], %w[e], [%[b]]", 1, 0x6e2aebb9386f8cfc) \
    R(stset_b, "stsetb %w[d], [%[b]]", 1, 0xc270c567db3b697d) \
    R(ldset_h, "ldseth %w[d], %w[e], [%[b]]", 1, 0xaba1669f97e97467) \
    R(stset_h, "stseth %w[d], [%[b]]", 1, 0x3833505b6c6bc91b) \
    R(ldseta_w, "ldseta %w[d], %w[e], [%[b]]", 1, 0x7ae8f64c91fd25fb) \
    R(stset_w, "stset %w[d], [%[b]]", 1, 0xe4bc0d0f55bd288c) \
    R(ldsetl_x, "ldsetl %[d], %[e], [%[b]]", 1, 0x1cdec870a09231f8) \
    R(stset_x, "stset %[d], [%[b]]", 1, 0x289aee228c0e0035) \
    R(ldsmaxal_b, "ldsmaxalb %w[d], %w[e], [%[b]]", 1, 0xa499cfee8e8c4d6c) \
    R(stsmax_b, "stsmaxb %w[d], [%[b]]", 1, 0x7e8e6632cac50f05) \
    R(ldsmaxa_h, "ldsmaxah %w[d], %w[e], [%[b]]", 1, 0x0cab4d46d0fd57c5) \
    R(stsmax_h, "stsmaxh %w[d], [%[b]]", 1, 0x3ebec8d6b31f93eb) \
    R(ldsmaxl_w, "ldsmaxl %w[d], %w[e], [%[b]]", 1, 0x1c43076f4a762e29) \
    R(stsmax_w, "stsmax %w[d], [%[b]]", 1, 0x240867a1e276a90c) \
    R(ldsmaxal_x, "ldsmaxal %[d], %[e], [%[b]]", 1, 0x3888e18c4786e8af) \
    R(stsmax_x, "stsmax %[d], [%[b]]", 1, 0x267d87963f514aa0) \
    R(ldsmin_b, "ldsminb %w[d], %w[e], [%[b]]", 1, 0xef29deffc1ddc8ea) \
    R(stsmin_b, "stsminb %w[d], [%[b]]", 1, 0xd399471176ae6889) \
    R(ldsminl_h, "ldsminlh %w[d], %w[e], [%[b]]", 1, 0x955592389d487e99) \
    R(stsmin_h, "stsminh %w[d], [%[b]]", 1, 0x2b7a17bd2f0444e8) \
    R(ldsminal_w, "ldsminal %w[d], %w[e], [%[b]]", 1, 0xcba7510a3cbfcdca) \
    R(stsmin_w, "stsmin %w[d], [%[b]]", 1, 0x793b1269411656c6) \
    R(ldsmin_x, "ldsmin %[d], %[e], [%[b]]", 1, 0x7de061fa9ea50eae) \
    R(stsmin_x, "stsmin %[d], [%[b]]", 1, 0x63821007a9f935e8) \
    R(ldumaxa_b, "ldumaxab %w[d], %w[e], [%[b]]", 1, 0xec12c2d7cfb4749a) \
    R(stumax_b, "stumaxb %w[d], [%[b]]", 1, 0xfb179992d44aa016) \
    R(ldumaxal_h, "ldumaxalh %w[d], %w[e], [%[b]]", 1, 0x86c68ea1361b0a73) \
    R(stumax_h, "stumaxh %w[d], [%[b]]", 1, 0x30af4fef2321d587) \
    R(ldumax_w, "ldumax %w[d], %w[e], [%[b]]", 1, 0xd0ee0d0c69649cf1) \
    R(stumax_w, "stumax %w[d], [%[b]]", 1, 0xc86eed30304afa60) \
    R(ldumaxa_x, "ldumaxa %[d], %[e], [%[b]]", 1, 0x7de061fa9ea50eae) \
    R(stumax_x, "stumax %[d], [%[b]]", 1, 0x63821007a9f935e8) \
    R(lduminl_b, "lduminlb %w[d], %w[e], [%[b]]", 1, 0x637bf30699dbac5f) \
    R(stumin_b, "stuminb %w[d], [%[b]]", 1, 0xfb764f61a935b923) \
    R(ldumin_h, "lduminh %w[d], %w[e], [%[b]]", 1, 0x8f9a0ef8161c3d4c) \
    R(stumin_h, "stuminh %w[d], [%[b]]", 1, 0x5ba2ce20170670a4) \
    R(ldumina_w, "ldumina %w[d], %w[e], [%[b]]", 1, 0xf8bb441aa885a78e) \
    R(stumin_w, "stumin %w[d], [%[b]]", 1, 0xeffbb9f9a3d359d0) \
    R(lduminl_x, "lduminl %[d], %[e], [%[b]]", 1, 0x3888e18c4786e8af) \
    R(stumin_x, "stumin %[d], [%[b]]", 1, 0x267d87963f514aa0) \
    R(swpal_b, "swpalb %w[d], %w[e], [%[b]]", 1, 0x637bf30699dbac5f) \
    R(swpa_h, "swpah %w[d], %w[e], [%[b]]", 1, 0x8265535e7ed9a203) \
    R(swpl_w, "swpl %w[d], %w[e], [%[b]]", 1, 0x9d99761c698b51f6) \
    R(swpal_x, "swpal %[d], %[e], [%[b]]", 1, 0x96a0830b7e6b3301) \
    R(cas_miss_b, "casb %w[d], %w[e], [%[b]]", 1, 0x5b38f51f15897d66) \
    R(cas_hit_b, "ldrb %w[d], [%[b]]\ncasb %w[d], %w[e], [%[b]]", 1, 0xedfb1add26acba6b) \
    R(cas_miss_h, "cash %w[d], %w[e], [%[b]]", 1, 0xe191d33b54641cd1) \
    R(cas_hit_h, "ldrh %w[d], [%[b]]\ncash %w[d], %w[e], [%[b]]", 1, 0xa2e941a328aa59b0) \
    R(cas_miss_w, "cas %w[d], %w[e], [%[b]]", 1, 0x148b6d9c6c3ae784) \
    R(cas_hit_w, "ldr %w[d], [%[b]]\ncas %w[d], %w[e], [%[b]]", 1, 0x1f5eeda86e3e814e) \
    R(cas_miss_x, "cas %[d], %[e], [%[b]]", 1, 0xede99859c67efa9f) \
    R(cas_hit_x, "ldr %[d], [%[b]]\ncas %[d], %[e], [%[b]]", 1, 0x37452903a1330504) \
    R(casp_miss_x, "casp x4, x5, x6, x7, [%[b]]", 1, 0xa9f133725bde6d37) \
    R(casp_hit_x, "ldp x4, x5, [%[b]]\ncasp x4, x5, x6, x7, [%[b]]", 1, 0x735be1d45db592de) \
    R(casp_miss_w, "casp w4, w5, w6, w7, [%[b]]", 1, 0xc79f059827da2b3b) \
    R(casp_hit_w, "ldp w4, w5, [%[b]]\ncasp w4, w5, w6, w7, [%[b]]", 1, 0x1576e27d4eeaab25) \
    R(casa_miss_b, "casab %w[d], %w[e], [%[b]]", 1, 0x5b38f51f15897d66) \
    R(casa_hit_b, "ldrb %w[d], [%[b]]\ncasab %w[d], %w[e], [%[b]]", 1, 0xedfb1add26acba6b) \
    R(casa_miss_h, "casah %w[d], %w[e], [%[b]]", 1, 0xe191d33b54641cd1) \
    R(casa_hit_h, "ldrh %w[d], [%[b]]\ncasah %w[d], %w[e], [%[b]]", 1, 0xa2e941a328aa59b0) \
    R(casa_miss_w, "casa %w[d], %w[e], [%[b]]", 1, 0x148b6d9c6c3ae784) \
    R(casa_hit_w, "ldr %w[d], [%[b]]\ncasa %w[d], %w[e], [%[b]]", 1, 0x1f5eeda86e3e814e) \
    R(casa_miss_x, "casa %[d], %[e], [%[b]]", 1, 0xede99859c67efa9f) \
    R(casa_hit_x, "ldr %[d], [%[b]]\ncasa %[d], %[e], [%[b]]", 1, 0x37452903a1330504) \
    R(caspa_miss_x, "caspa x4, x5, x6, x7, [%[b]]", 1, 0xa9f133725bde6d37) \
    R(caspa_hit_x, "ldp x4, x5, [%[b]]\ncaspa x4, x5, x6, x7, [%[b]]", 1, 0x735be1d45db592de) \
    R(caspa_miss_w, "caspa w4, w5, w6, w7, [%[b]]", 1, 0xc79f059827da2b3b) \
    R(caspa_hit_w, "ldp w4, w5, [%[b]]\ncaspa w4, w5, w6, w7, [%[b]]", 1, 0x1576e27d4eeaab25) \
    R(casl_miss_b, "caslb %w[d], %w[e], [%[b]]", 1, 0x5b38f51f15897d66) \
    R(casl_hit_b, "ldrb %w[d], [%[b]]\ncaslb %w[d], %w[e], [%[b]]", 1, 0xedfb1add26acba6b) \
    R(casl_miss_h, "caslh %w[d], %w[e], [%[b]]", 1, 0xe191d33b54641cd1) \
    R(casl_hit_h, "ldrh %w[d], [%[b]]\ncaslh %w[d], %w[e], [%[b]]", 1, 0xa2e941a328aa59b0) \
    R(casl_miss_w, "casl %w[d], %w[e], [%[b]]", 1, 0x148b6d9c6c3ae784) \
    R(casl_hit_w, "ldr %w[d], [%[b]]\ncasl %w[d], %w[e], [%[b]]", 1, 0x1f5eeda86e3e814e) \
    R(casl_miss_x, "casl %[d], %[e], [%[b]]", 1, 0xede99859c67efa9f) \
    R(casl_hit_x, "ldr %[d], [%[b]]\ncasl %[d], %[e], [%[b]]", 1, 0x37452903a1330504) \
    R(caspl_miss_x, "caspl x4, x5, x6, x7, [%[b]]", 1, 0xa9f133725bde6d37) \
    R(caspl_hit_x, "ldp x4, x5, [%[b]]\ncaspl x4, x5, x6, x7, [%[b]]", 1, 0x735be1d45db592de) \
    R(caspl_miss_w, "caspl w4, w5, w6, w7, [%[b]]", 1, 0xc79f059827da2b3b) \
    R(caspl_hit_w, "ldp w4, w5, [%[b]]\ncaspl w4, w5, w6, w7, [%[b]]", 1, 0x1576e27d4eeaab25) \
    R(casal_miss_b, "casalb %w[d], %w[e], [%[b]]", 1, 0x5b38f51f15897d66) \
    R(casal_hit_b, "ldrb %w[d], [%[b]]\ncasalb %w[d], %w[e], [%[b]]", 1, 0xedfb1add26acba6b) \
    R(casal_miss_h, "casalh %w[d], %w[e], [%[b]]", 1, 0xe191d33b54641cd1) \
    R(casal_hit_h, "ldrh %w[d], [%[b]]\ncasalh %w[d], %w[e], [%[b]]", 1, 0xa2e941a328aa59b0) \
    R(casal_miss_w, "casal %w[d], %w[e], [%[b]]", 1, 0x148b6d9c6c3ae784) \
    R(casal_hit_w, "ldr %w[d], [%[b]]\ncasal %w[d], %w[e], [%[b]]", 1, 0x1f5eeda86e3e814e) \
    R(casal_miss_x, "casal %[d], %[e], [%[b]]", 1, 0xede99859c67efa9f) \
    R(casal_hit_x, "ldr %[d], [%[b]]\ncasal %[d], %[e], [%[b]]", 1, 0x37452903a1330504) \
    R(caspal_miss_x, "caspal x4, x5, x6, x7, [%[b]]", 1, 0xa9f133725bde6d37) \
    R(caspal_hit_x, "ldp x4, x5, [%[b]]\ncaspal x4, x5, x6, x7, [%[b]]", 1, 0x735be1d45db592de) \
    R(caspal_miss_w, "caspal w4, w5, w6, w7, [%[b]]", 1, 0xc79f059827da2b3b) \
    R(caspal_hit_w, "ldp w4, w5, [%[b]]\ncaspal w4, w5, w6, w7, [%[b]]", 1, 0x1576e27d4eeaab25) \
    R(barriers, "dmb ish\nldr %[d], [%[b]]\ndmb ishld\ndsb ish\nisb\nstr %[d], [%[b], #8]\ndmb ishst\ndmb sy", 0, 0x9d0d334c36005a48) \
    R(hints, "nop\nyield\nsev\nsevl\nwfe\nhint #20\nhint #34\nldr %[d], [%[b], #16]", 0, 0xd5aae9fe8e7c1568)

#define R(name, text, aligned, hash) INSTRUCTION(name, text)
ROWS
#undef R

// `aligned`: the form faults on an address that is not a multiple of its size, so it runs on multiples of 16 only.
static const struct row { const char *name; void (*run)(struct operands *); int aligned; u64 hash; } rows[] = {
#define R(name, text, aligned, hash) { #name, run_##name, aligned, hash },
    ROWS
#undef R
};

static u64 buffer[96] __attribute__((aligned(64)));
#define BUFFER_LEN (sizeof buffer / sizeof buffer[0])

static u64 fold(u64 hash, u64 value) {
    return ((hash << 7 | hash >> 57) ^ value) * 0x9e3779b97f4a7c15;
}

static u64 hash_row(const struct row *row) {
    static const u64 shifts[] = { 0, 1, 3, 7, 12 };
    // Offsets for register-offset forms: their low 32 bits are small as signed and as scaled numbers.
    static const u64 offsets[] = { 0, 5, (u64)-6 };
    u64 hash = 0;
    for (u64 i = 0; i < 5; i++) {
        for (u64 j = 0; j < 3; j++) {
            for (u64 k = 0; k < BUFFER_LEN; k++) buffer[k] = (k + 1) * 0xc2b2ae3d27d4eb4f + i;
            u64 base = (u64)(buffer + BUFFER_LEN / 2) + (row->aligned ? 16 * i : shifts[i]);
            struct operands o = { 0x8877665544332211 * (i + 1), 0x123456789abcdef0 + j, base, offsets[j], 0x5555 };
            row->run(&o);
            hash = fold(fold(fold(fold(hash, o.d), o.e), o.s), o.b - base);
            for (u64 k = 0; k < BUFFER_LEN; k++) hash = fold(hash, buffer[k]);
        }
    }
    return hash;
}

static void literals(void) {
    u64 x, sw;
    u32 w;
    __asm__ volatile("ldr %0, 1f\nldr %w1, 1f\nldrsw %2, 1f\nprfm pldl1keep, 1f\nb 2f\n"
                     ".balign 8\n1: .quad 0xfedcba9889abcdef\n2:"
                     : "=&r"(x), "=&r"(w), "=&r"(sw));
    CHECK_EQ(x, 0xfedcba9889abcdef);
    CHECK_EQ(w, 0x89abcdef);
    CHECK_EQ(sw, 0xffffffff89abcdef);
}

// A store exclusive without a load exclusive before it, or after clrex, fails and stores nothing.
static void exclusive_monitor(void) {
    u64 word = 7;
    u32 status;
    __asm__ volatile("clrex\nstxr %w0, %2, [%1]" : "=&r"(status) : "r"(&word), "r"(9ull) : "memory");
    CHECK_EQ(status, 1);
    CHECK_EQ(word, 7);
    __asm__ volatile("ldxr x8, [%1]\nclrex\nstxr %w0, %2, [%1]" : "=&r"(status) : "r"(&word), "r"(9ull) : "memory", "x8");
    CHECK_EQ(status, 1);
    CHECK_EQ(word, 7);
}

static void zero_block(void) {
    static u8 area[4096] __attribute__((aligned(2048)));
    u64 dczid;
    __asm__ volatile("mrs %0, dczid_el0" : "=r"(dczid));
    if (dczid & 16) return;  // DZP: DC ZVA is prohibited
    u64 len = 4ull << (dczid & 15);
    CHECK(len <= 2048);
    for (u64 i = 0; i < sizeof area; i++) ((volatile u8 *)area)[i] = 0xa5;
    __asm__ volatile("dc zva, %0" : : "r"(area + len + len / 2) : "memory");
    for (u64 i = 0; i < sizeof area; i++) {
        int inside = i >= len && i < 2 * len;
        CHECK_EQ(((volatile u8 *)area)[i], inside ? 0 : 0xa5);
    }
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    int printing = argc == 2 && rt_streq(argv[1], "print");
    u32 wrong = 0;
    for (u64 i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        u64 hash = hash_row(&rows[i]);
        if (printing) say("%s 0x%lx\n", rows[i].name, hash);
        if (hash == rows[i].hash || printing) continue;
        rt_printf(2, "isa-memory.c: %s: hash 0x%lx, expected 0x%lx\n", rows[i].name, hash, rows[i].hash);
        wrong++;
    }
    CHECK_EQ(wrong, 0);
    literals();
    exclusive_monitor();
    zero_block();
    say("isa-memory: ok\n");
    return 0;
}

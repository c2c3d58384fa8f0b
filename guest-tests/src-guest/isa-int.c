// isa-int [print]: every integer data-processing instruction of the base set, over a corpus of operands.
//
// One row per instruction form. Each is executed for every pair of the corpus with the flags in all sixteen states, and its
// result and flags are folded into a hash that the row records (made once by `print` under QEMU, and equal on hardware). All
// rows that differ are named, not only the first. Conditions are checked against their definition (Arm ARM DDI 0487,
// C1.2.4). Neighbour: isa-memory.c for loads and stores.

#include "rt.h"

struct operands { u64 d, n, m, a, flags; };

// d and the flags are read and written; n, m and a are read.
#define INSTRUCTION(name, text)                                                                                      \
    static void run_##name(struct operands *o) {                                                                     \
        u64 d = o->d, f = o->flags;                                                                                  \
        __asm__ volatile("msr nzcv, %[f]\n" text "\nmrs %[f], nzcv"                                                  \
                         : [d] "+&r"(d), [f] "+&r"(f)                                                                \
                         : [n] "r"(o->n), [m] "r"(o->m), [a] "r"(o->a)                                               \
                         : "cc");                                                                                    \
        o->d = d;                                                                                                    \
        o->flags = f;                                                                                                \
    }

#define ROWS                                                                                                         \
    R(add_x, "add %[d], %[n], %[m]", 0x3f081586cb653354) \
    R(add_w, "add %w[d], %w[n], %w[m]", 0xe40d31ceb1d93e1f) \
    R(add_lsl_x, "add %[d], %[n], %[m], lsl #3", 0x7113ab777df768a4) \
    R(add_lsl_w, "add %w[d], %w[n], %w[m], lsl #3", 0x0f106aa3c0b4bc4d) \
    R(add_lsr_x, "add %[d], %[n], %[m], lsr #7", 0x8c7dee90b5a6e570) \
    R(add_lsr_w, "add %w[d], %w[n], %w[m], lsr #7", 0xf06d74f2616ba1d1) \
    R(add_asr_x, "add %[d], %[n], %[m], asr #31", 0xf10feef14a45a9ff) \
    R(add_asr_w, "add %w[d], %w[n], %w[m], asr #31", 0x917ee1f9d083cb1f) \
    R(add_imm_x, "add %[d], %[n], #0xabc", 0xc8b492fd748501bd) \
    R(add_imm_w, "add %w[d], %w[n], #0xabc", 0x641f6ba77604e8d5) \
    R(add_imm12_x, "add %[d], %[n], #0x123, lsl #12", 0xd86133e8583b0a45) \
    R(add_imm12_w, "add %w[d], %w[n], #0x123, lsl #12", 0x65508ada111aa1c3) \
    R(add_uxtb_x, "add %[d], %[n], %w[m], uxtb #2", 0xc5096c9caed62d33) \
    R(add_uxth_x, "add %[d], %[n], %w[m], uxth #2", 0xfc6a5351bba207b4) \
    R(add_uxtw_x, "add %[d], %[n], %w[m], uxtw #2", 0x639f1bd26fee4233) \
    R(add_sxtb_x, "add %[d], %[n], %w[m], sxtb #2", 0xe5a06f71346bcb64) \
    R(add_sxth_x, "add %[d], %[n], %w[m], sxth #2", 0xd1dea916a6052002) \
    R(add_sxtw_x, "add %[d], %[n], %w[m], sxtw #2", 0x31bea606c407f10e) \
    R(add_uxtx_x, "add %[d], %[n], %[m], uxtx #4", 0x00f20bf5634dace5) \
    R(add_sxtx_x, "add %[d], %[n], %[m], sxtx #1", 0xcb8f9364c6727419) \
    R(add_uxtb_w, "add %w[d], %w[n], %w[m], uxtb #3", 0x078985e04463c72e) \
    R(add_sxth_w, "add %w[d], %w[n], %w[m], sxth #3", 0x7ca50858bba1c04e) \
    R(adds_x, "adds %[d], %[n], %[m]", 0x1dea79cb3c56a3f7) \
    R(adds_w, "adds %w[d], %w[n], %w[m]", 0x89954a7600dad729) \
    R(adds_lsl_x, "adds %[d], %[n], %[m], lsl #3", 0xf2f7b6d8c6845278) \
    R(adds_lsl_w, "adds %w[d], %w[n], %w[m], lsl #3", 0x1c739beda79df685) \
    R(adds_lsr_x, "adds %[d], %[n], %[m], lsr #7", 0x508ae2b650363745) \
    R(adds_lsr_w, "adds %w[d], %w[n], %w[m], lsr #7", 0x702dcbc8de95d562) \
    R(adds_asr_x, "adds %[d], %[n], %[m], asr #31", 0xd42fd96778b31e1f) \
    R(adds_asr_w, "adds %w[d], %w[n], %w[m], asr #31", 0x4cf30bca82d001b8) \
    R(adds_imm_x, "adds %[d], %[n], #0xabc", 0xdf552f243a5d69a7) \
    R(adds_imm_w, "adds %w[d], %w[n], #0xabc", 0xfd1450d9ba6d1ca1) \
    R(adds_imm12_x, "adds %[d], %[n], #0x123, lsl #12", 0x78d499a5091100cd) \
    R(adds_imm12_w, "adds %w[d], %w[n], #0x123, lsl #12", 0x4c5983ddb3d5bad2) \
    R(adds_uxtb_x, "adds %[d], %[n], %w[m], uxtb #2", 0xa8e37ccf4750732f) \
    R(adds_uxth_x, "adds %[d], %[n], %w[m], uxth #2", 0xfae3cb94a33d5855) \
    R(adds_uxtw_x, "adds %[d], %[n], %w[m], uxtw #2", 0x7edb1e34383b4e9d) \
    R(adds_sxtb_x, "adds %[d], %[n], %w[m], sxtb #2", 0x613b34866f51ad0b) \
    R(adds_sxth_x, "adds %[d], %[n], %w[m], sxth #2", 0x33832ccf22d2c78d) \
    R(adds_sxtw_x, "adds %[d], %[n], %w[m], sxtw #2", 0xce3119eb9390ca1d) \
    R(adds_uxtx_x, "adds %[d], %[n], %[m], uxtx #4", 0x8e7065542028bdda) \
    R(adds_sxtx_x, "adds %[d], %[n], %[m], sxtx #1", 0x1dfa1377bc1e32cf) \
    R(adds_uxtb_w, "adds %w[d], %w[n], %w[m], uxtb #3", 0x919e6b842091b274) \
    R(adds_sxth_w, "adds %w[d], %w[n], %w[m], sxth #3", 0xe2cf67fbd97e8451) \
    R(sub_x, "sub %[d], %[n], %[m]", 0xb1d8f32fcda2a330) \
    R(sub_w, "sub %w[d], %w[n], %w[m]", 0xa51f9b6b01b74787) \
    R(sub_lsl_x, "sub %[d], %[n], %[m], lsl #3", 0xaf15adcf4787d144) \
    R(sub_lsl_w, "sub %w[d], %w[n], %w[m], lsl #3", 0x5a86145c6c80337f) \
    R(sub_lsr_x, "sub %[d], %[n], %[m], lsr #7", 0x61a6693c3d9c7154) \
    R(sub_lsr_w, "sub %w[d], %w[n], %w[m], lsr #7", 0xe42a41638adcb2cc) \
    R(sub_asr_x, "sub %[d], %[n], %[m], asr #31", 0xea51b6242ee2f2fc) \
    R(sub_asr_w, "sub %w[d], %w[n], %w[m], asr #31", 0x10f72e7862cf4a03) \
    R(sub_imm_x, "sub %[d], %[n], #0xabc", 0x7b1aef8911897e49) \
    R(sub_imm_w, "sub %w[d], %w[n], #0xabc", 0x6605dc51ae46f853) \
    R(sub_imm12_x, "sub %[d], %[n], #0x123, lsl #12", 0x787e009bbac27765) \
    R(sub_imm12_w, "sub %w[d], %w[n], #0x123, lsl #12", 0x74fa7aa31df3ff82) \
    R(sub_uxtb_x, "sub %[d], %[n], %w[m], uxtb #2", 0x3c02a5a7e92afb29) \
    R(sub_uxth_x, "sub %[d], %[n], %w[m], uxth #2", 0x03e86b6dddf863a3) \
    R(sub_uxtw_x, "sub %[d], %[n], %w[m], uxtw #2", 0xf74cfa0c81a497e8) \
    R(sub_sxtb_x, "sub %[d], %[n], %w[m], sxtb #2", 0x79a511427629b827) \
    R(sub_sxth_x, "sub %[d], %[n], %w[m], sxth #2", 0x8e307f32d4d58f87) \
    R(sub_sxtw_x, "sub %[d], %[n], %w[m], sxtw #2", 0xc610c238ffa75e12) \
    R(sub_uxtx_x, "sub %[d], %[n], %[m], uxtx #4", 0x1a146ab6dd4eb0f1) \
    R(sub_sxtx_x, "sub %[d], %[n], %[m], sxtx #1", 0x2008d29089449e5b) \
    R(sub_uxtb_w, "sub %w[d], %w[n], %w[m], uxtb #3", 0x119b23a8d95641c2) \
    R(sub_sxth_w, "sub %w[d], %w[n], %w[m], sxth #3", 0x3aff779c084ba6d5) \
    R(subs_x, "subs %[d], %[n], %[m]", 0x4da5047fe405e8e6) \
    R(subs_w, "subs %w[d], %w[n], %w[m]", 0x4822b1419ca43ca6) \
    R(subs_lsl_x, "subs %[d], %[n], %[m], lsl #3", 0x9eed1b9ff4aaded0) \
    R(subs_lsl_w, "subs %w[d], %w[n], %w[m], lsl #3", 0x098116b959a776d2) \
    R(subs_lsr_x, "subs %[d], %[n], %[m], lsr #7", 0x248e613db073acaf) \
    R(subs_lsr_w, "subs %w[d], %w[n], %w[m], lsr #7", 0x2f7bbd8baa857f74) \
    R(subs_asr_x, "subs %[d], %[n], %[m], asr #31", 0xd179d9f076b316e0) \
    R(subs_asr_w, "subs %w[d], %w[n], %w[m], asr #31", 0xf071b89024086a1c) \
    R(subs_imm_x, "subs %[d], %[n], #0xabc", 0x1a903dc13b799c12) \
    R(subs_imm_w, "subs %w[d], %w[n], #0xabc", 0x973b948b71d0ccb0) \
    R(subs_imm12_x, "subs %[d], %[n], #0x123, lsl #12", 0x545116205d799b92) \
    R(subs_imm12_w, "subs %w[d], %w[n], #0x123, lsl #12", 0x7874b4b830080529) \
    R(subs_uxtb_x, "subs %[d], %[n], %w[m], uxtb #2", 0x5f7d09c0a8c80983) \
    R(subs_uxth_x, "subs %[d], %[n], %w[m], uxth #2", 0x6bb0b8fe4713bbbb) \
    R(subs_uxtw_x, "subs %[d], %[n], %w[m], uxtw #2", 0x3a0c0605bc741eb5) \
    R(subs_sxtb_x, "subs %[d], %[n], %w[m], sxtb #2", 0xd608d8662c7dced4) \
    R(subs_sxth_x, "subs %[d], %[n], %w[m], sxth #2", 0xbc610b29fb70862a) \
    R(subs_sxtw_x, "subs %[d], %[n], %w[m], sxtw #2", 0xbdf933ae182e0c82) \
    R(subs_uxtx_x, "subs %[d], %[n], %[m], uxtx #4", 0x27c00c506812680f) \
    R(subs_sxtx_x, "subs %[d], %[n], %[m], sxtx #1", 0x1561cb6be6b41cb3) \
    R(subs_uxtb_w, "subs %w[d], %w[n], %w[m], uxtb #3", 0x0d544378c1daafee) \
    R(subs_sxth_w, "subs %w[d], %w[n], %w[m], sxth #3", 0xa4f1cbf095c9b727) \
    R(cmp_x, "cmp %[n], %[m]", 0x7942bc1872216acb) \
    R(cmp_w, "cmp %w[n], %w[m]", 0x4178b9d9cb81a183) \
    R(cmn_x, "cmn %[n], %[m]", 0xa9a2a596a6864e8a) \
    R(cmn_w, "cmn %w[n], %w[m]", 0xabca21e81b188d3a) \
    R(cmp_imm_x, "cmp %[n], #1", 0xe52f33d726c88aed) \
    R(cmp_imm_w, "cmp %w[n], #1", 0x61c163e51892797d) \
    R(neg_x, "neg %[d], %[n]", 0xc0bcc05b67d0ac94) \
    R(neg_w, "neg %w[d], %w[n]", 0xecc27372b408fdea) \
    R(negs_x, "negs %[d], %[n], lsl #5", 0x723724bb83297641) \
    R(negs_w, "negs %w[d], %w[n], lsl #5", 0xef2d5e8a41fd0c83) \
    R(adc_x, "adc %[d], %[n], %[m]", 0x9c3824f1bae6aecd) \
    R(adc_w, "adc %w[d], %w[n], %w[m]", 0x1270376374951f93) \
    R(adcs_x, "adcs %[d], %[n], %[m]", 0xd18a0f420fcbaef1) \
    R(adcs_w, "adcs %w[d], %w[n], %w[m]", 0xb9ded397be45dce5) \
    R(sbc_x, "sbc %[d], %[n], %[m]", 0x4c8f57b4b942900b) \
    R(sbc_w, "sbc %w[d], %w[n], %w[m]", 0x7cb807c4f36c8f5d) \
    R(sbcs_x, "sbcs %[d], %[n], %[m]", 0x9cfce116f786dea8) \
    R(sbcs_w, "sbcs %w[d], %w[n], %w[m]", 0x3b5483b238ae87a0) \
    R(ngc_x, "ngc %[d], %[n]", 0x75dcfa225b9188a5) \
    R(ngc_w, "ngc %w[d], %w[n]", 0x9eba92a585b48678) \
    R(ngcs_x, "ngcs %[d], %[n]", 0x4151a4e7e0d5b3c3) \
    R(ngcs_w, "ngcs %w[d], %w[n]", 0xce6239e72526679a) \
    R(and_x, "and %[d], %[n], %[m]", 0xf6ab3eedfd3501f1) \
    R(and_w, "and %w[d], %w[n], %w[m]", 0x27412b83feaa5cb6) \
    R(and_lsl_x, "and %[d], %[n], %[m], lsl #9", 0x61a0a4dd0148f57a) \
    R(and_lsl_w, "and %w[d], %w[n], %w[m], lsl #9", 0x8f697976a04d0d2e) \
    R(and_lsr_x, "and %[d], %[n], %[m], lsr #1", 0x35d96488a0b9a683) \
    R(and_lsr_w, "and %w[d], %w[n], %w[m], lsr #1", 0x3ae7b488e3723221) \
    R(and_asr_x, "and %[d], %[n], %[m], asr #5", 0xb64c14c30d9adf5f) \
    R(and_asr_w, "and %w[d], %w[n], %w[m], asr #5", 0x921bfb57aaf54e66) \
    R(and_ror_x, "and %[d], %[n], %[m], ror #13", 0xbec0fa2c62022621) \
    R(and_ror_w, "and %w[d], %w[n], %w[m], ror #13", 0x54d0c25ee2e05d41) \
    R(ands_x, "ands %[d], %[n], %[m]", 0xe014512104cdee2c) \
    R(ands_w, "ands %w[d], %w[n], %w[m]", 0x9011001535531c44) \
    R(ands_lsl_x, "ands %[d], %[n], %[m], lsl #9", 0xcfd1e0510288169f) \
    R(ands_lsl_w, "ands %w[d], %w[n], %w[m], lsl #9", 0xcc521e191b9d58bf) \
    R(ands_lsr_x, "ands %[d], %[n], %[m], lsr #1", 0x21e246a91a918fe2) \
    R(ands_lsr_w, "ands %w[d], %w[n], %w[m], lsr #1", 0x33279f421f3c2110) \
    R(ands_asr_x, "ands %[d], %[n], %[m], asr #5", 0xe567b7b228ed913c) \
    R(ands_asr_w, "ands %w[d], %w[n], %w[m], asr #5", 0xb047cb24ae312d0e) \
    R(ands_ror_x, "ands %[d], %[n], %[m], ror #13", 0x30eaef157cccdf04) \
    R(ands_ror_w, "ands %w[d], %w[n], %w[m], ror #13", 0x770e5a887706eb97) \
    R(bic_x, "bic %[d], %[n], %[m]", 0xc97e2ab0f2a4ecf8) \
    R(bic_w, "bic %w[d], %w[n], %w[m]", 0x74ea203c6eb23422) \
    R(bic_lsl_x, "bic %[d], %[n], %[m], lsl #9", 0x7441b16c6184c6d9) \
    R(bic_lsl_w, "bic %w[d], %w[n], %w[m], lsl #9", 0x6e23721588f53e8a) \
    R(bic_lsr_x, "bic %[d], %[n], %[m], lsr #1", 0x5e0e2fd42c9971df) \
    R(bic_lsr_w, "bic %w[d], %w[n], %w[m], lsr #1", 0xfbd3b0d435e754fa) \
    R(bic_asr_x, "bic %[d], %[n], %[m], asr #5", 0x65db664c7e93fc51) \
    R(bic_asr_w, "bic %w[d], %w[n], %w[m], asr #5", 0xb9f1af9b50168970) \
    R(bic_ror_x, "bic %[d], %[n], %[m], ror #13", 0x930c40db469378b5) \
    R(bic_ror_w, "bic %w[d], %w[n], %w[m], ror #13", 0x4099ed479a2e7671) \
    R(bics_x, "bics %[d], %[n], %[m]", 0xab3d3e737c140299) \
    R(bics_w, "bics %w[d], %w[n], %w[m]", 0x074ec065263cd17a) \
    R(bics_lsl_x, "bics %[d], %[n], %[m], lsl #9", 0xd12fc3e6a272e5fc) \
    R(bics_lsl_w, "bics %w[d], %w[n], %w[m], lsl #9", 0xeb2873d7d832c3cd) \
    R(bics_lsr_x, "bics %[d], %[n], %[m], lsr #1", 0xdbfb6dd2d2b00246) \
    R(bics_lsr_w, "bics %w[d], %w[n], %w[m], lsr #1", 0xb673386c70fc2d83) \
    R(bics_asr_x, "bics %[d], %[n], %[m], asr #5", 0x034dc40a39dd5053) \
    R(bics_asr_w, "bics %w[d], %w[n], %w[m], asr #5", 0x49cb0aa92c589c93) \
    R(bics_ror_x, "bics %[d], %[n], %[m], ror #13", 0x9075dcd1ef51c094) \
    R(bics_ror_w, "bics %w[d], %w[n], %w[m], ror #13", 0x4c0df58cc1c5327e) \
    R(orr_x, "orr %[d], %[n], %[m]", 0x006d8b415906493b) \
    R(orr_w, "orr %w[d], %w[n], %w[m]", 0x5c1381acd6f9230e) \
    R(orr_lsl_x, "orr %[d], %[n], %[m], lsl #9", 0x2c7b9c429e928c59) \
    R(orr_lsl_w, "orr %w[d], %w[n], %w[m], lsl #9", 0xf34273de3bfa445b) \
    R(orr_lsr_x, "orr %[d], %[n], %[m], lsr #1", 0xfad712f5f8e35ea7) \
    R(orr_lsr_w, "orr %w[d], %w[n], %w[m], lsr #1", 0x6c89bf652624864b) \
    R(orr_asr_x, "orr %[d], %[n], %[m], asr #5", 0x78340181c5c85aa4) \
    R(orr_asr_w, "orr %w[d], %w[n], %w[m], asr #5", 0x79e61cba560e9548) \
    R(orr_ror_x, "orr %[d], %[n], %[m], ror #13", 0x0a6c606aef00fc3d) \
    R(orr_ror_w, "orr %w[d], %w[n], %w[m], ror #13", 0x81d236d2324b9fc7) \
    R(orn_x, "orn %[d], %[n], %[m]", 0xc73831a9f3927360) \
    R(orn_w, "orn %w[d], %w[n], %w[m]", 0x5d36f8b3deaa3b8f) \
    R(orn_lsl_x, "orn %[d], %[n], %[m], lsl #9", 0x5dce346a19aa7cf2) \
    R(orn_lsl_w, "orn %w[d], %w[n], %w[m], lsl #9", 0xd23a624022ed99b8) \
    R(orn_lsr_x, "orn %[d], %[n], %[m], lsr #1", 0xcb0582a3bb5fa36c) \
    R(orn_lsr_w, "orn %w[d], %w[n], %w[m], lsr #1", 0xd33a4b6f020c3bdb) \
    R(orn_asr_x, "orn %[d], %[n], %[m], asr #5", 0x087640ef1ccd2a74) \
    R(orn_asr_w, "orn %w[d], %w[n], %w[m], asr #5", 0xab0a8ecd2919b0c2) \
    R(orn_ror_x, "orn %[d], %[n], %[m], ror #13", 0xf980c48370f0fc29) \
    R(orn_ror_w, "orn %w[d], %w[n], %w[m], ror #13", 0xab4e0d0519f0c8de) \
    R(eor_x, "eor %[d], %[n], %[m]", 0x112c863de066ee16) \
    R(eor_w, "eor %w[d], %w[n], %w[m]", 0x3ff497de7bce1fb8) \
    R(eor_lsl_x, "eor %[d], %[n], %[m], lsl #9", 0xcda59caddb681ac9) \
    R(eor_lsl_w, "eor %w[d], %w[n], %w[m], lsl #9", 0xe4cd1cfd92f290a6) \
    R(eor_lsr_x, "eor %[d], %[n], %[m], lsr #1", 0xc031aa7ea4dda0d4) \
    R(eor_lsr_w, "eor %w[d], %w[n], %w[m], lsr #1", 0x09c4bf01f701fe8b) \
    R(eor_asr_x, "eor %[d], %[n], %[m], asr #5", 0x442f0cab08bf6643) \
    R(eor_asr_w, "eor %w[d], %w[n], %w[m], asr #5", 0x67bcc8571b7e319f) \
    R(eor_ror_x, "eor %[d], %[n], %[m], ror #13", 0x0e2f658a5f076891) \
    R(eor_ror_w, "eor %w[d], %w[n], %w[m], ror #13", 0x896cd637c67fcfce) \
    R(eon_x, "eon %[d], %[n], %[m]", 0x1d8979875b8e547c) \
    R(eon_w, "eon %w[d], %w[n], %w[m]", 0xf0bd23366772853b) \
    R(eon_lsl_x, "eon %[d], %[n], %[m], lsl #9", 0xcad1f12660c38abd) \
    R(eon_lsl_w, "eon %w[d], %w[n], %w[m], lsl #9", 0xa3523ae90ddabc9d) \
    R(eon_lsr_x, "eon %[d], %[n], %[m], lsr #1", 0xf177f9c36ca52d72) \
    R(eon_lsr_w, "eon %w[d], %w[n], %w[m], lsr #1", 0xdf2ee4124f9fda03) \
    R(eon_asr_x, "eon %[d], %[n], %[m], asr #5", 0xa96d79e5c164148d) \
    R(eon_asr_w, "eon %w[d], %w[n], %w[m], asr #5", 0x7eb31affcc75a115) \
    R(eon_ror_x, "eon %[d], %[n], %[m], ror #13", 0xbe19206379db2644) \
    R(eon_ror_w, "eon %w[d], %w[n], %w[m], ror #13", 0x19fee01bb9c64fd8) \
    R(and_imm_ones_x, "and %[d], %[n], #0xff00", 0xfe181854dfaf539b) \
    R(and_imm_ones_w, "and %w[d], %w[n], #0xff00", 0xfe181854dfaf539b) \
    R(and_imm_x, "and %[d], %[n], #0x00ff00ff00ff00ff", 0xb716144b22c91c77) \
    R(and_imm_wrap_x, "and %[d], %[n], #0xf00000000000000f", 0x8eca59cbc71cf2bf) \
    R(and_imm_w, "and %w[d], %w[n], #0x33333333", 0x7fdede3039cd6347) \
    R(and_imm_wrap_w, "and %w[d], %w[n], #0x80000001", 0xaedf7dd8aeb423a5) \
    R(and_imm_two_x, "and %[d], %[n], #0xaaaaaaaaaaaaaaaa", 0x761ce2fcc08f5710) \
    R(ands_imm_ones_x, "ands %[d], %[n], #0xff00", 0xf421cb9c54b0c7d7) \
    R(ands_imm_ones_w, "ands %w[d], %w[n], #0xff00", 0xf421cb9c54b0c7d7) \
    R(ands_imm_x, "ands %[d], %[n], #0x00ff00ff00ff00ff", 0x2d325d1780311bf0) \
    R(ands_imm_wrap_x, "ands %[d], %[n], #0xf00000000000000f", 0xff0b4ea43c80ec5a) \
    R(ands_imm_w, "ands %w[d], %w[n], #0x33333333", 0x92bf8f3509f0157e) \
    R(ands_imm_wrap_w, "ands %w[d], %w[n], #0x80000001", 0xbe27c6ff725284d1) \
    R(ands_imm_two_x, "ands %[d], %[n], #0xaaaaaaaaaaaaaaaa", 0x451e5dfc50e2d436) \
    R(orr_imm_ones_x, "orr %[d], %[n], #0xff00", 0x83a728bef25abd59) \
    R(orr_imm_ones_w, "orr %w[d], %w[n], #0xff00", 0xb8ccbfb451990ab5) \
    R(orr_imm_x, "orr %[d], %[n], #0x00ff00ff00ff00ff", 0xde07d917cc7967bc) \
    R(orr_imm_wrap_x, "orr %[d], %[n], #0xf00000000000000f", 0x6918dc2115970148) \
    R(orr_imm_w, "orr %w[d], %w[n], #0x33333333", 0x75bb247493592b3b) \
    R(orr_imm_wrap_w, "orr %w[d], %w[n], #0x80000001", 0x1a2fbd1d3e9dc079) \
    R(orr_imm_two_x, "orr %[d], %[n], #0xaaaaaaaaaaaaaaaa", 0x4ce273bec2817ace) \
    R(eor_imm_ones_x, "eor %[d], %[n], #0xff00", 0x462e78eae7197285) \
    R(eor_imm_ones_w, "eor %w[d], %w[n], #0xff00", 0xc7e863bc803de73c) \
    R(eor_imm_x, "eor %[d], %[n], #0x00ff00ff00ff00ff", 0x801ce4855e7f8bba) \
    R(eor_imm_wrap_x, "eor %[d], %[n], #0xf00000000000000f", 0x8dbfbdfa150b1575) \
    R(eor_imm_w, "eor %w[d], %w[n], #0x33333333", 0x84b6c10f7c278e59) \
    R(eor_imm_wrap_w, "eor %w[d], %w[n], #0x80000001", 0x0c9aa48ed054893b) \
    R(eor_imm_two_x, "eor %[d], %[n], #0xaaaaaaaaaaaaaaaa", 0x00f6cee7fe48c845) \
    R(tst_x, "tst %[n], %[m]", 0x7ac20884df840087) \
    R(tst_w, "tst %w[n], %w[m]", 0x329d6be55771f423) \
    R(mvn_x, "mvn %[d], %[n], asr #3", 0x25ff54803843454a) \
    R(mvn_w, "mvn %w[d], %w[n], asr #3", 0xe71cce6e09ffcc4e) \
    R(movz_x, "movz %[d], #0x1234, lsl #48", 0x5c0dac77e4df1fdd) \
    R(movz_w, "movz %w[d], #0x8765, lsl #16", 0x8e2e39b3356d61b8) \
    R(movn_x, "movn %[d], #0x4321, lsl #32", 0xd3dffe64a5b8baee) \
    R(movn_w, "movn %w[d], #0xffff", 0xf0600097c77129f2) \
    R(movk0_x, "movk %[d], #0xbeef, lsl #0", 0x792dda372f62eef0) \
    R(movk16_x, "movk %[d], #0xbeef, lsl #16", 0xbf636146cb6de4b9) \
    R(movk32_x, "movk %[d], #0xbeef, lsl #32", 0x4a362111adbdec5d) \
    R(movk48_x, "movk %[d], #0xbeef, lsl #48", 0x12a90e0a80cced6b) \
    R(movk0_w, "movk %w[d], #0xcafe, lsl #0", 0x34c5898667946ecd) \
    R(movk16_w, "movk %w[d], #0xcafe, lsl #16", 0x3349d2d928ffe159) \
    R(madd_x, "madd %[d], %[n], %[m], %[a]", 0xf4f9b669ec96d199) \
    R(madd_w, "madd %w[d], %w[n], %w[m], %w[a]", 0x4c82ac7cedfb53a7) \
    R(msub_x, "msub %[d], %[n], %[m], %[a]", 0x708108c3a82be5bd) \
    R(msub_w, "msub %w[d], %w[n], %w[m], %w[a]", 0x9922ee70c4dd228c) \
    R(mul_x, "mul %[d], %[n], %[m]", 0x15feb301b30cbd95) \
    R(mul_w, "mul %w[d], %w[n], %w[m]", 0x550bb6a0d87835a9) \
    R(mneg_x, "mneg %[d], %[n], %[m]", 0x121e5a96382f43ed) \
    R(mneg_w, "mneg %w[d], %w[n], %w[m]", 0x6232c014f2f192da) \
    R(smaddl, "smaddl %[d], %w[n], %w[m], %[a]", 0x23c7a5dd15f34457) \
    R(smsubl, "smsubl %[d], %w[n], %w[m], %[a]", 0xd99112bd32d0b983) \
    R(umaddl, "umaddl %[d], %w[n], %w[m], %[a]", 0xd9f7ce99eeca28d2) \
    R(umsubl, "umsubl %[d], %w[n], %w[m], %[a]", 0x6471cfe0a4ecb98d) \
    R(smulh, "smulh %[d], %[n], %[m]", 0x5371bf98419a307c) \
    R(umulh, "umulh %[d], %[n], %[m]", 0x950b0b45fd7c0b57) \
    R(sdiv_x, "sdiv %[d], %[n], %[m]", 0xbe88d45aea925207) \
    R(sdiv_w, "sdiv %w[d], %w[n], %w[m]", 0x3528a44a64b7c1ea) \
    R(udiv_x, "udiv %[d], %[n], %[m]", 0x10098ea073f89d2c) \
    R(udiv_w, "udiv %w[d], %w[n], %w[m]", 0x2af0f64e8ed8216a) \
    R(lslv_x, "lsl %[d], %[n], %[m]", 0x6cec43dbdd765f69) \
    R(lslv_w, "lsl %w[d], %w[n], %w[m]", 0x15cff5ea2504562f) \
    R(lsrv_x, "lsr %[d], %[n], %[m]", 0x8d7fbb47b1f1801b) \
    R(lsrv_w, "lsr %w[d], %w[n], %w[m]", 0xcc57bcb1bd22ad76) \
    R(asrv_x, "asr %[d], %[n], %[m]", 0x1d8e4c12aeeafa1c) \
    R(asrv_w, "asr %w[d], %w[n], %w[m]", 0x1d1bb8c37640d85d) \
    R(rorv_x, "ror %[d], %[n], %[m]", 0xfe52855f17a32576) \
    R(rorv_w, "ror %w[d], %w[n], %w[m]", 0x7cf7adbd41a921aa) \
    R(lsl_imm_x, "lsl %[d], %[n], #13", 0xfb904e623d8b6804) \
    R(lsl_imm_w, "lsl %w[d], %w[n], #13", 0xa8f6571884e6966e) \
    R(lsr_imm_x, "lsr %[d], %[n], #13", 0x90a11dd67d94b7f8) \
    R(lsr_imm_w, "lsr %w[d], %w[n], #13", 0x60c3f60986bd127a) \
    R(asr_imm_x, "asr %[d], %[n], #13", 0xac60c09cd3983af2) \
    R(asr_imm_w, "asr %w[d], %w[n], #13", 0x40cd7fe2f0d13d72) \
    R(ror_imm_x, "ror %[d], %[n], #13", 0xfc849d2d61fa6fbc) \
    R(ror_imm_w, "ror %w[d], %w[n], #13", 0xdbc058d10347629a) \
    R(lsl63, "lsl %[d], %[n], #63", 0x04b061ff3d7374ad) \
    R(asr63, "asr %[d], %[n], #63", 0x94915961723e1507) \
    R(lsr31_w, "lsr %w[d], %w[n], #31", 0xa6b38fc2cded1ed8) \
    R(asr31_w, "asr %w[d], %w[n], #31", 0xfbd08118faf18122) \
    R(ubfx_x, "ubfx %[d], %[n], #4, #9", 0xd07a28a52d6619b8) \
    R(ubfx_w, "ubfx %w[d], %w[n], #4, #9", 0xd07a28a52d6619b8) \
    R(sbfx_x, "sbfx %[d], %[n], #4, #9", 0x4a1d828637da750c) \
    R(sbfx_w, "sbfx %w[d], %w[n], #4, #9", 0x9825c02ea9b5710c) \
    R(bfi_x, "bfi %[d], %[n], #20, #7", 0x1f7e8089aca1f309) \
    R(bfi_w, "bfi %w[d], %w[n], #20, #7", 0xc3db08770cffe08d) \
    R(bfxil_x, "bfxil %[d], %[n], #3, #11", 0x8ebed740e030dc43) \
    R(bfxil_w, "bfxil %w[d], %w[n], #3, #11", 0xd6e56baf746c7e83) \
    R(ubfiz_x, "ubfiz %[d], %[n], #6, #10", 0x8dbc214bb8d85bfe) \
    R(ubfiz_w, "ubfiz %w[d], %w[n], #6, #10", 0x8dbc214bb8d85bfe) \
    R(sbfiz_x, "sbfiz %[d], %[n], #6, #10", 0x5af088900dcb55a8) \
    R(sbfiz_w, "sbfiz %w[d], %w[n], #6, #10", 0x4ca0b379bc158d7b) \
    R(ubfm_wrap_x, "ubfm %[d], %[n], #40, #20", 0xfa45c6f242e301df) \
    R(ubfm_full_x, "ubfm %[d], %[n], #0, #63", 0x317c8bc7e9366661) \
    R(ubfm_wrap_w, "ubfm %w[d], %w[n], #20, #11", 0x93e22ed33d14058e) \
    R(sbfm_wrap_x, "sbfm %[d], %[n], #40, #20", 0x6ed40d4a8b640ca2) \
    R(sbfm_full_x, "sbfm %[d], %[n], #0, #63", 0x317c8bc7e9366661) \
    R(sbfm_wrap_w, "sbfm %w[d], %w[n], #20, #11", 0x0d068270a521d7cf) \
    R(bfm_wrap_x, "bfm %[d], %[n], #40, #20", 0x5cf68b06b2462775) \
    R(bfm_full_x, "bfm %[d], %[n], #0, #63", 0x317c8bc7e9366661) \
    R(bfm_wrap_w, "bfm %w[d], %w[n], #20, #11", 0xa84897996c37f930) \
    R(sxtb_w, "sxtb %w[d], %w[n]", 0x633af827c9caeba6) \
    R(sxth_w, "sxth %w[d], %w[n]", 0x6df918e9ba846999) \
    R(uxtb_w, "uxtb %w[d], %w[n]", 0xe66f468a3f57ab5c) \
    R(uxth_w, "uxth %w[d], %w[n]", 0xd978e4a668a24205) \
    R(sxtb_x, "sxtb %[d], %w[n]", 0x33fa3cfde721ce97) \
    R(sxth_x, "sxth %[d], %w[n]", 0x21648f4fd2dd1d86) \
    R(sxtw_x, "sxtw %[d], %w[n]", 0xab3aad69bfa25d70) \
    R(extr_x, "extr %[d], %[n], %[m], #17", 0x82c91ed559743795) \
    R(extr_w, "extr %w[d], %w[n], %w[m], #17", 0x1c1a8c4b3a20f66f) \
    R(extr0_x, "extr %[d], %[n], %[m], #0", 0xcae08d6e9b799070) \
    R(extr0_w, "extr %w[d], %w[n], %w[m], #0", 0x2c795ade86784732) \
    R(clz_x, "clz %[d], %[n]", 0xe900f5cc4213a92d) \
    R(clz_w, "clz %w[d], %w[n]", 0x939ed75b97dd607e) \
    R(cls_x, "cls %[d], %[n]", 0x11a7b1c9d9f1ab58) \
    R(cls_w, "cls %w[d], %w[n]", 0xf9ab862dd53d1bd3) \
    R(rbit_x, "rbit %[d], %[n]", 0x79b82548869df4b5) \
    R(rbit_w, "rbit %w[d], %w[n]", 0x16ce37370f8604b1) \
    R(rev_x, "rev %[d], %[n]", 0xefd4c6c9505ad158) \
    R(rev_w, "rev %w[d], %w[n]", 0xe76682493e693755) \
    R(rev16_x, "rev16 %[d], %[n]", 0x1bc83e2a88a1291f) \
    R(rev16_w, "rev16 %w[d], %w[n]", 0x4b798c2a696ce3af) \
    R(rev32, "rev32 %[d], %[n]", 0x72073c53cc8d7417) \
    R(csel_eq_x, "csel %[d], %[n], %[m], eq", 0x9316ca736ccc25da) \
    R(csel_eq_w, "csel %w[d], %w[n], %w[m], eq", 0x57761c5b40bea9ee) \
    R(csel_mi_x, "csel %[d], %[n], %[m], mi", 0xa273aecaa510e4ca) \
    R(csel_mi_w, "csel %w[d], %w[n], %w[m], mi", 0x748fa83c1412ee7a) \
    R(csel_hi_x, "csel %[d], %[n], %[m], hi", 0x1ee5bc30327d2749) \
    R(csel_hi_w, "csel %w[d], %w[n], %w[m], hi", 0x00f13ca26f22ede4) \
    R(csel_gt_x, "csel %[d], %[n], %[m], gt", 0x5afe3d1835e95cb3) \
    R(csel_gt_w, "csel %w[d], %w[n], %w[m], gt", 0xe72bccee7460cdd8) \
    R(csel_al_x, "csel %[d], %[n], %[m], al", 0x317c8bc7e9366661) \
    R(csel_al_w, "csel %w[d], %w[n], %w[m], al", 0x7636ddb17480ba96) \
    R(csinc_ne_x, "csinc %[d], %[n], %[m], ne", 0x150304eb281875c6) \
    R(csinc_ne_w, "csinc %w[d], %w[n], %w[m], ne", 0x8eeee03340e49928) \
    R(csinc_pl_x, "csinc %[d], %[n], %[m], pl", 0x0c2f316c2e16d08e) \
    R(csinc_pl_w, "csinc %w[d], %w[n], %w[m], pl", 0x124c19600fd65dcc) \
    R(csinc_ls_x, "csinc %[d], %[n], %[m], ls", 0xdccbe5512ad8c92d) \
    R(csinc_ls_w, "csinc %w[d], %w[n], %w[m], ls", 0xd53f8d09e4532d29) \
    R(csinc_le_x, "csinc %[d], %[n], %[m], le", 0xee674e78754a57d2) \
    R(csinc_le_w, "csinc %w[d], %w[n], %w[m], le", 0x89365ef21c472747) \
    R(csinc_al_x, "csinc %[d], %[n], %[m], al", 0x317c8bc7e9366661) \
    R(csinc_al_w, "csinc %w[d], %w[n], %w[m], al", 0x7636ddb17480ba96) \
    R(csinv_hs_x, "csinv %[d], %[n], %[m], hs", 0xc2c669b05383c3a3) \
    R(csinv_hs_w, "csinv %w[d], %w[n], %w[m], hs", 0x5c7ddae33ebed581) \
    R(csinv_vs_x, "csinv %[d], %[n], %[m], vs", 0xa13b4f20a970da07) \
    R(csinv_vs_w, "csinv %w[d], %w[n], %w[m], vs", 0xe0bf3246593e7295) \
    R(csinv_ge_x, "csinv %[d], %[n], %[m], ge", 0xb10751a21c15a32c) \
    R(csinv_ge_w, "csinv %w[d], %w[n], %w[m], ge", 0xaf71b05022444bc5) \
    R(csinv_al_x, "csinv %[d], %[n], %[m], al", 0x317c8bc7e9366661) \
    R(csinv_al_w, "csinv %w[d], %w[n], %w[m], al", 0x7636ddb17480ba96) \
    R(csneg_lo_x, "csneg %[d], %[n], %[m], lo", 0x1839a1b22df2474b) \
    R(csneg_lo_w, "csneg %w[d], %w[n], %w[m], lo", 0x72f7bd385078e26f) \
    R(csneg_vc_x, "csneg %[d], %[n], %[m], vc", 0x05db789d0c20ecd5) \
    R(csneg_vc_w, "csneg %w[d], %w[n], %w[m], vc", 0x6ad3ed1a6f95d7ed) \
    R(csneg_lt_x, "csneg %[d], %[n], %[m], lt", 0xeb8923b7f5242cab) \
    R(csneg_lt_w, "csneg %w[d], %w[n], %w[m], lt", 0xe6a6fcd13ab497e2) \
    R(csneg_al_x, "csneg %[d], %[n], %[m], al", 0x317c8bc7e9366661) \
    R(csneg_al_w, "csneg %w[d], %w[n], %w[m], al", 0x7636ddb17480ba96) \
    R(ccmp_eq_x, "ccmp %[n], %[m], #0, eq", 0xbb963a5ebef755b3) \
    R(ccmp_eq_w, "ccmp %w[n], %w[m], #0, eq", 0x624f86b5a0facf24) \
    R(ccmn_imm_eq_x, "ccmn %[n], #0, #5, eq", 0xe784dd57a8d9d92e) \
    R(ccmn_imm_eq_w, "ccmn %w[n], #0, #5, eq", 0x9867c6d76870b4c4) \
    R(ccmp_ne_x, "ccmp %[n], %[m], #1, ne", 0x6af26f9f018db12f) \
    R(ccmp_ne_w, "ccmp %w[n], %w[m], #1, ne", 0xe382aff89160d229) \
    R(ccmn_imm_ne_x, "ccmn %[n], #2, #6, ne", 0x22ff1df0228e9683) \
    R(ccmn_imm_ne_w, "ccmn %w[n], #2, #6, ne", 0xf16a153e491c7d90) \
    R(ccmp_hs_x, "ccmp %[n], %[m], #2, hs", 0x9db0bd91187985bf) \
    R(ccmp_hs_w, "ccmp %w[n], %w[m], #2, hs", 0x1e727782797755a5) \
    R(ccmn_imm_hs_x, "ccmn %[n], #4, #7, hs", 0x6ccfc46bf6d1cef4) \
    R(ccmn_imm_hs_w, "ccmn %w[n], #4, #7, hs", 0x6434dfda7c737412) \
    R(ccmp_lo_x, "ccmp %[n], %[m], #3, lo", 0xa438b6082ad938a5) \
    R(ccmp_lo_w, "ccmp %w[n], %w[m], #3, lo", 0x2a307a5a6dc140f1) \
    R(ccmn_imm_lo_x, "ccmn %[n], #6, #8, lo", 0x753a1f874cdf7d27) \
    R(ccmn_imm_lo_w, "ccmn %w[n], #6, #8, lo", 0x1ad626d49f0bf71a) \
    R(ccmp_mi_x, "ccmp %[n], %[m], #4, mi", 0x573343c4df2155fc) \
    R(ccmp_mi_w, "ccmp %w[n], %w[m], #4, mi", 0xa43ca87a52464015) \
    R(ccmn_imm_mi_x, "ccmn %[n], #8, #9, mi", 0xa614ced57a34cbcc) \
    R(ccmn_imm_mi_w, "ccmn %w[n], #8, #9, mi", 0xbf0234e95a6ec075) \
    R(ccmp_pl_x, "ccmp %[n], %[m], #5, pl", 0x293722e6edf645b2) \
    R(ccmp_pl_w, "ccmp %w[n], %w[m], #5, pl", 0xf184318f54932668) \
    R(ccmn_imm_pl_x, "ccmn %[n], #10, #10, pl", 0x692c82c8317c99ab) \
    R(ccmn_imm_pl_w, "ccmn %w[n], #10, #10, pl", 0xba955c4818b0422b) \
    R(ccmp_vs_x, "ccmp %[n], %[m], #6, vs", 0xcfcdef9eed89c0f8) \
    R(ccmp_vs_w, "ccmp %w[n], %w[m], #6, vs", 0xbe7232c830d65a30) \
    R(ccmn_imm_vs_x, "ccmn %[n], #12, #11, vs", 0x7b4251ee13f12ef5) \
    R(ccmn_imm_vs_w, "ccmn %w[n], #12, #11, vs", 0x48e34844b5c4b950) \
    R(ccmp_vc_x, "ccmp %[n], %[m], #7, vc", 0x001da28c370dcf2d) \
    R(ccmp_vc_w, "ccmp %w[n], %w[m], #7, vc", 0xf0e39a9807576c60) \
    R(ccmn_imm_vc_x, "ccmn %[n], #14, #12, vc", 0x333cc4fc2501bf0b) \
    R(ccmn_imm_vc_w, "ccmn %w[n], #14, #12, vc", 0x70db7a6fcf685420) \
    R(ccmp_hi_x, "ccmp %[n], %[m], #8, hi", 0x5adbfeded83ab956) \
    R(ccmp_hi_w, "ccmp %w[n], %w[m], #8, hi", 0xe9ee433de62da1fb) \
    R(ccmn_imm_hi_x, "ccmn %[n], #16, #13, hi", 0x5dc7c1af68388ad8) \
    R(ccmn_imm_hi_w, "ccmn %w[n], #16, #13, hi", 0x80e5187cb28c55cc) \
    R(ccmp_ls_x, "ccmp %[n], %[m], #9, ls", 0x4478fb802f2ee350) \
    R(ccmp_ls_w, "ccmp %w[n], %w[m], #9, ls", 0x5ceb5f0bf174c052) \
    R(ccmn_imm_ls_x, "ccmn %[n], #18, #14, ls", 0x6652529556ff4ea3) \
    R(ccmn_imm_ls_w, "ccmn %w[n], #18, #14, ls", 0xabcbd52648c3953d) \
    R(ccmp_ge_x, "ccmp %[n], %[m], #10, ge", 0x45c7194aa93bf8ca) \
    R(ccmp_ge_w, "ccmp %w[n], %w[m], #10, ge", 0xab2447fd4be88921) \
    R(ccmn_imm_ge_x, "ccmn %[n], #20, #15, ge", 0x6e0d3a1f2a2d7014) \
    R(ccmn_imm_ge_w, "ccmn %w[n], #20, #15, ge", 0xff411d6fbdb1381e) \
    R(ccmp_lt_x, "ccmp %[n], %[m], #11, lt", 0x2cc523c1c5a3bd8e) \
    R(ccmp_lt_w, "ccmp %w[n], %w[m], #11, lt", 0xb7cc75ea05b03ed3) \
    R(ccmn_imm_lt_x, "ccmn %[n], #22, #0, lt", 0xbc0cf35151bebfe8) \
    R(ccmn_imm_lt_w, "ccmn %w[n], #22, #0, lt", 0xd652758bb4fa1c38) \
    R(ccmp_gt_x, "ccmp %[n], %[m], #12, gt", 0x9c0172f9e44cde2b) \
    R(ccmp_gt_w, "ccmp %w[n], %w[m], #12, gt", 0xe3b5bf11b3e696eb) \
    R(ccmn_imm_gt_x, "ccmn %[n], #24, #1, gt", 0x3b1fdb2c08515ff4) \
    R(ccmn_imm_gt_w, "ccmn %w[n], #24, #1, gt", 0xae7ee753dc31e3df) \
    R(ccmp_le_x, "ccmp %[n], %[m], #13, le", 0x008e23acee397715) \
    R(ccmp_le_w, "ccmp %w[n], %w[m], #13, le", 0x8597cda0b6e055b3) \
    R(ccmn_imm_le_x, "ccmn %[n], #26, #2, le", 0x7f4b83e7eb040c01) \
    R(ccmn_imm_le_w, "ccmn %w[n], #26, #2, le", 0x1a9d67a7c9e7d5b3) \
    R(ccmn_eq_x, "ccmn %[n], %[m], #6, ne", 0x1b69a4fff31b565b) \
    R(ccmn_eq_w, "ccmn %w[n], %w[m], #6, ne", 0x27844ef6bdfd380c) \
    R(ccmp_imm_x, "ccmp %[n], #31, #9, lt", 0x0c6ed763aaffc7a0) \
    R(ccmp_imm_w, "ccmp %w[n], #31, #9, lt", 0xfa72f2fb99019888) \
    R(mov_wzx, "mov %w[d], %w[n]", 0x7636ddb17480ba96) \
    R(xzr, "add %[d], %[n], xzr", 0x317c8bc7e9366661) \
    R(wzr, "subs wzr, %w[n], %w[m]", 0x4178b9d9cb81a183)

#define R(name, text, hash) INSTRUCTION(name, text)
ROWS
#undef R

static const struct row { const char *name; void (*run)(struct operands *); u64 hash; } rows[] = {
#define R(name, text, hash) { #name, run_##name, hash },
    ROWS
#undef R
};

static const u64 corpus[] = {
    0, 1, 0xffffffffffffffff, 0x7fffffffffffffff, 0x8000000000000000, 0x80000000, 0x7fffffff, 0xffffffff80000001,
    0x0123456789abcdef, 0x00000000ffffff9c, 63, 0xaaaaaaaa55555555,
};
#define CORPUS_LEN (sizeof corpus / sizeof corpus[0])

static u64 fold(u64 hash, u64 value) {
    return ((hash << 7 | hash >> 57) ^ value) * 0x9e3779b97f4a7c15;
}

static u64 hash_row(const struct row *row) {
    u64 hash = 0;
    u64 turn = 0;
    for (u64 i = 0; i < CORPUS_LEN; i++) {
        for (u64 j = 0; j < CORPUS_LEN; j++, turn++) {
            struct operands o = { corpus[(turn * 5 + 3) % CORPUS_LEN], corpus[i], corpus[j],
                                  corpus[(turn * 7 + 1) % CORPUS_LEN], (turn * 5 % 16) << 28 };
            row->run(&o);
            hash = fold(fold(hash, o.d), o.flags);
        }
    }
    return hash;
}

// ---- conditions ----

#define CONDITION(number, name)                                                                                      \
    {                                                                                                                \
        u64 out;                                                                                                     \
        __asm__ volatile("msr nzcv, %1\ncset %0, " name : "=r"(out) : "r"(flags) : "cc");                            \
        CHECK_EQ(out, holds(number, flags));                                                                         \
        __asm__ volatile("msr nzcv, %1\nmov %0, #1\nb." name " 1f\nmov %0, #0\n1:" : "=&r"(out) : "r"(flags) : "cc"); \
        CHECK_EQ(out, holds(number, flags));                                                                         \
    }

// ConditionHolds() of the Arm ARM.
static u64 holds(u32 condition, u64 flags) {
    u64 n = flags >> 31 & 1, z = flags >> 30 & 1, c = flags >> 29 & 1, v = flags >> 28 & 1;
    u64 base[8] = { z, c, n, v, c & !z, n == v, (n == v) & !z, 1 };
    u64 result = base[condition >> 1];
    return (condition & 1) && condition != 15 ? !result : result;
}

static void conditions(void) {
    for (u64 state = 0; state < 16; state++) {
        u64 flags = state << 28;
        CONDITION(0, "eq") CONDITION(1, "ne") CONDITION(2, "hs") CONDITION(3, "lo") CONDITION(4, "mi")
        CONDITION(5, "pl") CONDITION(6, "vs") CONDITION(7, "vc") CONDITION(8, "hi") CONDITION(9, "ls")
        CONDITION(10, "ge") CONDITION(11, "lt") CONDITION(12, "gt") CONDITION(13, "le")
        u64 out;
        __asm__ volatile("msr nzcv, %1\nmov %0, #1\nb.al 1f\nmov %0, #0\n1:" : "=&r"(out) : "r"(flags) : "cc");
        CHECK_EQ(out, 1);
    }
}

// ---- branches ----

static u64 branch_bits(u64 value) {
    u64 taken;
    __asm__ volatile("mov %0, #0\n"
                     "cbz %1, 1f\norr %0, %0, #1\n1:\ncbnz %1, 1f\norr %0, %0, #2\n1:\n"
                     "cbz %w1, 1f\norr %0, %0, #4\n1:\ncbnz %w1, 1f\norr %0, %0, #8\n1:\n"
                     "tbz %1, #63, 1f\norr %0, %0, #16\n1:\ntbnz %1, #63, 1f\norr %0, %0, #32\n1:\n"
                     "tbz %w1, #5, 1f\norr %0, %0, #64\n1:\ntbnz %w1, #31, 1f\norr %0, %0, #128\n1:\n"
                     : "=&r"(taken) : "r"(value));
    return taken;
}

static void branches(void) {
    for (u64 i = 0; i < CORPUS_LEN; i++) {
        u64 v = corpus[i];
        u64 expected = (v ? 1 : 2) | ((u32)v ? 4 : 8) | (v >> 63 ? 16 : 32) | (v >> 5 & 1 ? 64 : 0) |
                       (v >> 31 & 1 ? 0 : 128);
        CHECK_EQ(branch_bits(v), expected);
    }
    u64 link, target, page, trail;
    // br, blr and ret by register; adr and adrp against each other; bl's link is the next instruction.
    __asm__ volatile("mov %3, #0\nadr %1, 1f\nbr %1\nmov %3, #9\n"
                     "1: adr %1, 2f\nblr %1\n3: adr %0, 3b\nsub %0, %0, x30\nb 4f\nmov %3, #9\n"
                     "2: add %3, %3, #1\nret\n"
                     "4: bl 5f\n6: b 7f\n5: adr %1, 6b\ncmp %1, x30\ncinc %3, %3, eq\nret x30\n"
                     "7: adrp %2, 7b\nadr %1, 7b\nand %1, %1, #~0xfff\nsub %1, %1, %2\n"
                     : "=&r"(link), "=&r"(target), "=&r"(page), "=&r"(trail) : : "x30", "cc");
    CHECK_EQ(link, 0);
    CHECK_EQ(target, 0);
    CHECK_EQ(trail, 2);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    int printing = argc == 2 && rt_streq(argv[1], "print");
    u32 wrong = 0;
    for (u64 i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        u64 hash = hash_row(&rows[i]);
        if (printing) say("%s 0x%lx\n", rows[i].name, hash);
        if (hash == rows[i].hash || printing) continue;
        rt_printf(2, "isa-int.c: %s: hash 0x%lx, expected 0x%lx\n", rows[i].name, hash, rows[i].hash);
        wrong++;
    }
    CHECK_EQ(wrong, 0);
    conditions();
    branches();
    say("isa-int: ok\n");
    return 0;
}

// Advanced SIMD intrinsics against plain loops over the same lanes.

#include "cases.h"
#include <arm_neon.h>

enum { TURNS = 200 };

// Defines a case for an operation of two 128-bit vectors: lanes of TYPE, the intrinsic, and the lane's value from a and b.
#define LANES(NAME, TYPE, VECTOR, LOAD, STORE, INTRINSIC, EXPRESSION)                          \
    CASE(NAME) {                                                                               \
        enum { COUNT = 16 / sizeof(TYPE) };                                                    \
        TYPE x[COUNT], y[COUNT], z[COUNT];                                                     \
        uint64_t hash = HASH_START;                                                            \
        for (int turn = 0; turn < TURNS; turn++) {                                             \
            for (int i = 0; i < COUNT; i++) x[i] = (TYPE)next_random(), y[i] = (TYPE)(turn & 1 ? next_random() : (uint64_t)x[i]); \
            VECTOR va = LOAD(x), vb = LOAD(y);                                                 \
            STORE(z, INTRINSIC(va, vb));                                                       \
            for (int i = 0; i < COUNT; i++) {                                                  \
                TYPE a = x[i], b = y[i];                                                       \
                (void)b;                                                                       \
                CHECK(z[i] == (TYPE)(EXPRESSION));                                             \
                hash = mixed(hash, (uint64_t)z[i]);                                            \
            }                                                                                  \
        }                                                                                      \
        return hash;                                                                           \
    }

static inline int64_t clamp(int64_t value, int64_t least, int64_t most) { return value < least ? least : value > most ? most : value; }

#define INTEGERS(S, TYPE, VECTOR, WIDE, LEAST, MOST)                                           \
    LANES(add_##S, TYPE, VECTOR, vld1q_##S, vst1q_##S, vaddq_##S, a + b)                       \
    LANES(sub_##S, TYPE, VECTOR, vld1q_##S, vst1q_##S, vsubq_##S, a - b)                       \
    LANES(mul_##S, TYPE, VECTOR, vld1q_##S, vst1q_##S, vmulq_##S, (uint64_t)a *(uint64_t)b)    \
    LANES(max_##S, TYPE, VECTOR, vld1q_##S, vst1q_##S, vmaxq_##S, a > b ? a : b)               \
    LANES(min_##S, TYPE, VECTOR, vld1q_##S, vst1q_##S, vminq_##S, a < b ? a : b)               \
    LANES(absolute_difference_##S, TYPE, VECTOR, vld1q_##S, vst1q_##S, vabdq_##S, a > b ? (WIDE)a - b : (WIDE)b - a) \
    LANES(halving_add_##S, TYPE, VECTOR, vld1q_##S, vst1q_##S, vhaddq_##S, ((WIDE)a + b) >> 1) \
    LANES(rounding_halving_add_##S, TYPE, VECTOR, vld1q_##S, vst1q_##S, vrhaddq_##S, ((WIDE)a + b + 1) >> 1) \
    LANES(saturating_add_##S, TYPE, VECTOR, vld1q_##S, vst1q_##S, vqaddq_##S, clamp((WIDE)a + b, LEAST, MOST)) \
    LANES(saturating_sub_##S, TYPE, VECTOR, vld1q_##S, vst1q_##S, vqsubq_##S, clamp((WIDE)a - b, LEAST, MOST))

INTEGERS(s8, int8_t, int8x16_t, int64_t, INT8_MIN, INT8_MAX)
INTEGERS(u8, uint8_t, uint8x16_t, int64_t, 0, UINT8_MAX)
INTEGERS(s16, int16_t, int16x8_t, int64_t, INT16_MIN, INT16_MAX)
INTEGERS(u16, uint16_t, uint16x8_t, int64_t, 0, UINT16_MAX)
INTEGERS(s32, int32_t, int32x4_t, int64_t, INT32_MIN, INT32_MAX)
INTEGERS(u32, uint32_t, uint32x4_t, int64_t, 0, UINT32_MAX)

LANES(add_u64, uint64_t, uint64x2_t, vld1q_u64, vst1q_u64, vaddq_u64, a + b)
LANES(equal_u8, uint8_t, uint8x16_t, vld1q_u8, vst1q_u8, vceqq_u8, a == b ? -1 : 0)
LANES(greater_u16, uint16_t, uint16x8_t, vld1q_u16, vst1q_u16, vcgtq_u16, a > b ? -1 : 0)
LANES(equal_u64, uint64_t, uint64x2_t, vld1q_u64, vst1q_u64, vceqq_u64, a == b ? -1 : 0)
LANES(and_u32, uint32_t, uint32x4_t, vld1q_u32, vst1q_u32, vandq_u32, a & b)
LANES(bic_u32, uint32_t, uint32x4_t, vld1q_u32, vst1q_u32, vbicq_u32, a & ~b)
LANES(orn_u32, uint32_t, uint32x4_t, vld1q_u32, vst1q_u32, vornq_u32, a | ~b)
LANES(eor_u64, uint64_t, uint64x2_t, vld1q_u64, vst1q_u64, veorq_u64, a ^ b)
#define ONE(F) F##_one
#define UNARY(NAME, TYPE, VECTOR, S, CALL, EXPRESSION)                                         \
    static inline VECTOR NAME##_of(VECTOR a, VECTOR b) { (void)b; return CALL; }               \
    LANES(NAME, TYPE, VECTOR, vld1q_##S, vst1q_##S, NAME##_of, EXPRESSION)
UNARY(negate_s16, int16_t, int16x8_t, s16, vnegq_s16(a), -a)
UNARY(absolute_s32, int32_t, int32x4_t, s32, vabsq_s32(a), a < 0 ? -(uint32_t)a : (uint32_t)a)
UNARY(count_u8, uint8_t, uint8x16_t, u8, vcntq_u8(a), __builtin_popcount(a))
UNARY(leading_zeros_u32, uint32_t, uint32x4_t, u32, vclzq_u32(a), a ? __builtin_clz(a) : 32)
UNARY(not_u8, uint8_t, uint8x16_t, u8, vmvnq_u8(a), ~a)
UNARY(shift_left_u16, uint16_t, uint16x8_t, u16, vshlq_n_u16(a, 5), a << 5)
UNARY(shift_right_s16, int16_t, int16x8_t, s16, vshrq_n_s16(a, 3), a >> 3)
UNARY(rounding_shift_u32, uint32_t, uint32x4_t, u32, vrshrq_n_u32(a, 7), ((uint64_t)a + 64) >> 7)
UNARY(saturating_shift_s8, int8_t, int8x16_t, s8, vqshlq_n_s8(a, 2), clamp((int64_t)a * 4, INT8_MIN, INT8_MAX))
UNARY(shift_insert_u8, uint8_t, uint8x16_t, u8, vsliq_n_u8(b, a, 3), (uint8_t)(a << 3) | (b & 7))
UNARY(shift_accumulate_u32, uint32_t, uint32x4_t, u32, vsraq_n_u32(b, a, 9), b + (a >> 9))
UNARY(multiply_add_u32, uint32_t, uint32x4_t, u32, vmlaq_u32(a, a, b), a + a * b)
UNARY(multiply_sub_u16, uint16_t, uint16x8_t, u16, vmlsq_u16(b, a, b), b - a * b)
UNARY(reverse_bits_u8, uint8_t, uint8x16_t, u8, vrbitq_u8(a), ((a * 0x80200802ull) & 0x0884422110ull) * 0x0101010101ull >> 32)
UNARY(doubling_high_s16, int16_t, int16x8_t, s16, vqdmulhq_s16(a, b), clamp((int64_t)a * b >> 15, INT16_MIN, INT16_MAX))

CASE(select_bits) {
    for (int turn = 0; turn < TURNS; turn++) {
        uint64_t m[2] = {next_random(), next_random()}, x[2] = {next_random(), next_random()}, y[2] = {next_random(), next_random()}, z[2];
        vst1q_u64(z, vbslq_u64(vld1q_u64(m), vld1q_u64(x), vld1q_u64(y)));
        for (int i = 0; i < 2; i++) CHECK(z[i] == ((m[i] & x[i]) | (~m[i] & y[i])));
    }
    return 0;
}
CASE(widening) {
    for (int turn = 0; turn < TURNS; turn++) {
        int16_t x[8], y[8];
        int32_t z[4];
        for (int i = 0; i < 8; i++) x[i] = (int16_t)next_random(), y[i] = (int16_t)next_random();
        int16x8_t a = vld1q_s16(x), b = vld1q_s16(y);
        vst1q_s32(z, vmull_s16(vget_low_s16(a), vget_low_s16(b)));
        for (int i = 0; i < 4; i++) CHECK(z[i] == x[i] * y[i]);
        vst1q_s32(z, vmlal_high_s16(vmovl_s16(vget_low_s16(a)), a, b));
        for (int i = 0; i < 4; i++) CHECK(z[i] == x[i] + x[4 + i] * y[4 + i]);
        vst1q_s32(z, vaddl_s16(vget_low_s16(a), vget_high_s16(b)));
        for (int i = 0; i < 4; i++) CHECK(z[i] == x[i] + y[4 + i]);
        vst1q_s32(z, vpaddlq_s16(a));
        for (int i = 0; i < 4; i++) CHECK(z[i] == x[2 * i] + x[2 * i + 1]);
    }
    return 0;
}
CASE(narrowing) {
    for (int turn = 0; turn < TURNS; turn++) {
        int32_t x[4];
        int16_t z[4];
        uint16_t u[4];
        for (int i = 0; i < 4; i++) x[i] = (int32_t)next_random() >> (turn & 15);
        int32x4_t a = vld1q_s32(x);
        vst1_s16(z, vmovn_s32(a));
        for (int i = 0; i < 4; i++) CHECK(z[i] == (int16_t)x[i]);
        vst1_s16(z, vqmovn_s32(a));
        for (int i = 0; i < 4; i++) CHECK(z[i] == clamp(x[i], INT16_MIN, INT16_MAX));
        vst1_u16(u, vqmovun_s32(a));
        for (int i = 0; i < 4; i++) CHECK(u[i] == clamp(x[i], 0, UINT16_MAX));
        vst1_s16(z, vqrshrn_n_s32(a, 6));
        for (int i = 0; i < 4; i++) CHECK(z[i] == clamp(((int64_t)x[i] + 32) >> 6, INT16_MIN, INT16_MAX));
    }
    return 0;
}
CASE(permutations) {
    for (int turn = 0; turn < TURNS; turn++) {
        uint8_t x[16], y[16], z[16];
        for (int i = 0; i < 16; i++) x[i] = (uint8_t)next_random(), y[i] = (uint8_t)next_random();
        uint8x16_t a = vld1q_u8(x), b = vld1q_u8(y);
        vst1q_u8(z, vzip1q_u8(a, b));
        for (int i = 0; i < 16; i++) CHECK(z[i] == (i & 1 ? y : x)[i / 2]);
        vst1q_u8(z, vuzp2q_u8(a, b));
        for (int i = 0; i < 16; i++) CHECK(z[i] == (i < 8 ? x : y)[2 * (i % 8) + 1]);
        vst1q_u8(z, vtrn1q_u8(a, b));
        for (int i = 0; i < 16; i++) CHECK(z[i] == (i & 1 ? y : x)[i & ~1]);
        vst1q_u8(z, vextq_u8(a, b, 5));
        for (int i = 0; i < 16; i++) CHECK(z[i] == (i < 11 ? x[i + 5] : y[i - 11]));
        vst1q_u8(z, vrev64q_u8(a));
        for (int i = 0; i < 16; i++) CHECK(z[i] == x[i ^ 7]);
        vst1q_u8(z, vqtbl1q_u8(a, b));
        for (int i = 0; i < 16; i++) CHECK(z[i] == (y[i] < 16 ? x[y[i]] : 0));
        uint8x16x2_t table = {{a, b}};
        uint8x16_t index = vandq_u8(b, vdupq_n_u8(63));
        vst1q_u8(z, vqtbx2q_u8(a, table, index));
        for (int i = 0; i < 16; i++) CHECK(z[i] == ((y[i] & 63) < 16 ? x[y[i] & 63] : (y[i] & 63) < 32 ? y[(y[i] & 63) - 16] : x[i]));
    }
    return 0;
}
CASE(reductions) {
    for (int turn = 0; turn < TURNS; turn++) {
        uint8_t x[16], most = 0, least = 255, sum = 0;
        unsigned wide = 0;
        for (int i = 0; i < 16; i++) {
            x[i] = (uint8_t)next_random();
            most = x[i] > most ? x[i] : most;
            least = x[i] < least ? x[i] : least;
            sum = (uint8_t)(sum + x[i]);
            wide += x[i];
        }
        uint8x16_t a = vld1q_u8(x);
        CHECK(vmaxvq_u8(a) == most && vminvq_u8(a) == least && vaddvq_u8(a) == sum && vaddlvq_u8(a) == wide);
    }
    return 0;
}
CASE(structures) {
    uint16_t memory[32], planes[4][8], back[32];
    for (int i = 0; i < 32; i++) memory[i] = (uint16_t)next_random();
    uint16x8x4_t four = vld4q_u16(memory);
    for (int p = 0; p < 4; p++) vst1q_u16(planes[p], four.val[p]);
    for (int i = 0; i < 32; i++) CHECK(planes[i % 4][i / 4] == memory[i]);
    vst4q_u16(back, four);
    CHECK(memcmp(back, memory, sizeof memory) == 0);
    uint16x8x3_t three = vld3q_u16(memory);
    vst3q_u16(back, three);
    CHECK(memcmp(back, memory, 48) == 0);
    four = vld4q_lane_u16(memory + 8, four, 3);
    for (int p = 0; p < 4; p++) {
        vst1q_u16(planes[p], four.val[p]);
        CHECK(planes[p][3] == memory[8 + p]);
    }
    uint16x8x2_t two = vld2q_dup_u16(memory);
    vst1q_u16(planes[0], two.val[1]);
    for (int i = 0; i < 8; i++) CHECK(planes[0][i] == memory[1]);
    return 0;
}
#define FLOATS(S, TYPE, VECTOR)                                                                \
    CASE(arithmetic_##S) {                                                                     \
        enum { COUNT = 16 / sizeof(TYPE) };                                                    \
        TYPE x[COUNT], y[COUNT], z[COUNT];                                                     \
        for (int turn = 0; turn < TURNS; turn++) {                                             \
            for (int i = 0; i < COUNT; i++) x[i] = (TYPE)(int64_t)next_random() / 65536, y[i] = (TYPE)(int32_t)next_random() / 3; \
            VECTOR a = vld1q_##S(x), b = vld1q_##S(y);                                         \
            vst1q_##S(z, vaddq_##S(a, b)); for (int i = 0; i < COUNT; i++) CHECK(z[i] == x[i] + y[i]); \
            vst1q_##S(z, vmulq_##S(a, b)); for (int i = 0; i < COUNT; i++) CHECK(z[i] == x[i] * y[i]); \
            vst1q_##S(z, vdivq_##S(a, b)); for (int i = 0; i < COUNT; i++) CHECK(z[i] == x[i] / y[i]); \
            vst1q_##S(z, vfmaq_##S(a, a, b)); for (int i = 0; i < COUNT; i++) CHECK(z[i] == (TYPE)__builtin_fma##S(x[i], y[i], x[i])); \
            vst1q_##S(z, vmaxq_##S(a, b)); for (int i = 0; i < COUNT; i++) CHECK(z[i] == (x[i] > y[i] ? x[i] : y[i])); \
            vst1q_##S(z, vrndq_##S(a)); for (int i = 0; i < COUNT; i++) CHECK(z[i] == (TYPE)(int64_t)x[i]); \
            vst1q_##S(z, vpaddq_##S(a, b)); CHECK(z[0] == x[0] + x[1] && z[COUNT / 2] == y[0] + y[1]); \
        }                                                                                      \
        return 0;                                                                              \
    }
#define __builtin_fmaf32 __builtin_fmaf
#define __builtin_fmaf64 __builtin_fma
FLOATS(f32, float, float32x4_t)
FLOATS(f64, double, float64x2_t)
CASE(conversions) {
    for (int turn = 0; turn < TURNS; turn++) {
        float x[4];
        int32_t z[4];
        for (int i = 0; i < 4; i++) x[i] = (float)(int32_t)next_random() / (float)(1 << (turn % 20));
        vst1q_s32(z, vcvtq_s32_f32(vld1q_f32(x)));
        for (int i = 0; i < 4; i++) CHECK(z[i] == (int32_t)clamp((int64_t)x[i], INT32_MIN, INT32_MAX));
        vst1q_s32(z, vcvtnq_s32_f32(vld1q_f32(x)));
        for (int i = 0; i < 4; i++) CHECK(z[i] == (int32_t)clamp((int64_t)__builtin_rintf(x[i]), INT32_MIN, INT32_MAX));
        float back[4];
        vst1q_f32(back, vcvtq_n_f32_s32(vld1q_s32(z), 4));
        for (int i = 0; i < 4; i++) CHECK(back[i] == (float)z[i] / 16);
        double wide[2];
        vst1q_f64(wide, vcvt_f64_f32(vget_low_f32(vld1q_f32(x))));
        for (int i = 0; i < 2; i++) CHECK(wide[i] == (double)x[i]);
    }
    return 0;
}

#ifdef __ARM_FEATURE_DOTPROD
CASE(dot_products) {
    for (int turn = 0; turn < TURNS; turn++) {
        int8_t x[16], y[16];
        int32_t z[4];
        for (int i = 0; i < 16; i++) x[i] = (int8_t)next_random(), y[i] = (int8_t)next_random();
        vst1q_s32(z, vdotq_s32(vdupq_n_s32(turn), vld1q_s8(x), vld1q_s8(y)));
        for (int i = 0; i < 4; i++) {
            int32_t sum = turn;
            for (int k = 0; k < 4; k++) sum += x[4 * i + k] * y[4 * i + k];
            CHECK(z[i] == sum);
        }
    }
    return 0;
}
#endif
#ifdef __ARM_FEATURE_FP16_VECTOR_ARITHMETIC
CASE(half_precision) {
    for (int turn = 0; turn < TURNS; turn++) {
        float16_t x[8], y[8], z[8];
        for (int i = 0; i < 8; i++) x[i] = (float16_t)((float)(int16_t)next_random() / 64), y[i] = (float16_t)((float)(int8_t)next_random() / 8);
        float16x8_t a = vld1q_f16(x), b = vld1q_f16(y);
        vst1q_f16(z, vaddq_f16(a, b));
        for (int i = 0; i < 8; i++) CHECK(z[i] == (float16_t)((float)x[i] + (float)y[i]));
        vst1q_f16(z, vmulq_f16(a, b));
        for (int i = 0; i < 8; i++) CHECK(z[i] == (float16_t)((float)x[i] * (float)y[i]) || z[i] != z[i]);
        vst1q_f16(z, vabsq_f16(a));
        for (int i = 0; i < 8; i++) CHECK(z[i] == (x[i] < 0 ? -x[i] : x[i]));
    }
    return 0;
}
#endif

// Cryptographic and CRC instructions against the algorithms' definitions. Sources: FIPS 180-4, FIPS 197.

#include "cases.h"

#if defined(__aarch64__)
#include <arm_acle.h>
#include <arm_neon.h>
#endif

#ifdef __ARM_FEATURE_CRC32
static uint32_t crc(uint32_t polynomial, uint32_t value, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        value ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? polynomial : 0);
    }
    return value;
}
CASE(crc32) {
    uint64_t hash = HASH_START;
    for (int turn = 0; turn < 500; turn++) {
        uint64_t data = next_random();
        uint32_t start = (uint32_t)next_random();
        uint8_t bytes[8];
        memcpy(bytes, &data, 8);
        CHECK(__crc32b(start, bytes[0]) == crc(0xedb88320, start, bytes, 1));
        CHECK(__crc32h(start, (uint16_t)data) == crc(0xedb88320, start, bytes, 2));
        CHECK(__crc32w(start, (uint32_t)data) == crc(0xedb88320, start, bytes, 4));
        CHECK(__crc32d(start, data) == crc(0xedb88320, start, bytes, 8));
        CHECK(__crc32cb(start, bytes[0]) == crc(0x82f63b78, start, bytes, 1));
        CHECK(__crc32cd(start, data) == crc(0x82f63b78, start, bytes, 8));
        hash = mixed(hash, __crc32cw(start, (uint32_t)data));
    }
    return hash;
}
#endif

#ifdef __ARM_FEATURE_CRYPTO
static uint8_t times(uint8_t a, uint8_t b) {
    uint8_t product = 0;
    for (; b; b >>= 1, a = (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0)))
        if (b & 1) product ^= a;
    return product;
}
static uint8_t substitute(uint8_t value) {
    uint8_t inverse = 0;
    for (int i = 1; i < 256 && value; i++)
        if (times(value, (uint8_t)i) == 1) inverse = (uint8_t)i;
    uint8_t result = 0x63;
    for (int i = 0; i < 5; i++) result ^= (uint8_t)(inverse << i | inverse >> (8 - i));
    return result;
}
CASE(aes_round) {
    static uint8_t box[256], inverse_box[256];
    for (int i = 0; i < 256; i++) box[i] = substitute((uint8_t)i), inverse_box[box[i]] = (uint8_t)i;
    uint64_t hash = HASH_START;
    for (int turn = 0; turn < 200; turn++) {
        uint8_t state[16], key[16], expected[16], mixed_columns[16], back[16], z[16];
        for (int i = 0; i < 16; i++) state[i] = (uint8_t)next_random(), key[i] = (uint8_t)next_random();
        for (int i = 0; i < 16; i++) expected[i] = box[(state[(i * 5) % 16] ^ key[(i * 5) % 16])];
        vst1q_u8(z, vaeseq_u8(vld1q_u8(state), vld1q_u8(key)));
        CHECK(memcmp(z, expected, 16) == 0);
        for (int i = 0; i < 16; i++) back[i] = inverse_box[state[(i * 13) % 16] ^ key[(i * 13) % 16]];
        vst1q_u8(z, vaesdq_u8(vld1q_u8(state), vld1q_u8(key)));
        CHECK(memcmp(z, back, 16) == 0);
        for (int i = 0; i < 16; i++) {
            const uint8_t *c = state + (i & ~3);
            mixed_columns[i] = times(c[i % 4], 2) ^ times(c[(i + 1) % 4], 3) ^ c[(i + 2) % 4] ^ c[(i + 3) % 4];
        }
        vst1q_u8(z, vaesmcq_u8(vld1q_u8(state)));
        CHECK(memcmp(z, mixed_columns, 16) == 0);
        vst1q_u8(z, vaesimcq_u8(vld1q_u8(mixed_columns)));
        CHECK(memcmp(z, state, 16) == 0);
        for (int i = 0; i < 16; i++) hash = mixed(hash, z[i]);
    }
    return hash;
}
CASE(polynomials) {
    for (int turn = 0; turn < 300; turn++) {
        uint64_t a = next_random(), b = next_random(), low = 0, high = 0;
        for (int i = 0; i < 64; i++)
            if (b >> i & 1) low ^= a << i, high ^= i ? a >> (64 - i) : 0;
        poly128_t product = vmull_p64(a, b);
        CHECK((uint64_t)product == low && (uint64_t)(product >> 64) == high);
        poly16x8_t bytes = vmull_p8(vcreate_p8(a), vcreate_p8(b));
        uint16_t z[8];
        vst1q_u16(z, vreinterpretq_u16_p16(bytes));
        for (int i = 0; i < 8; i++) {
            unsigned expected = 0;
            for (int k = 0; k < 8; k++) if (b >> (8 * i + k) & 1) expected ^= (unsigned)(a >> 8 * i & 0xff) << k;
            CHECK(z[i] == expected);
        }
    }
    return 0;
}
static uint32_t ror(uint32_t value, int by) { return value >> by | value << (32 - by); }
// The compression function of SHA-256, and four of its rounds by instructions.
CASE(sha256) {
    uint64_t hash = HASH_START;
    for (int turn = 0; turn < 200; turn++) {
        uint32_t s[8], k[4], before[8], w[16], z[4];
        for (int i = 0; i < 8; i++) before[i] = s[i] = (uint32_t)next_random();
        for (int i = 0; i < 4; i++) k[i] = (uint32_t)next_random();
        for (int i = 0; i < 16; i++) w[i] = (uint32_t)next_random();
        for (int i = 0; i < 4; i++) {
            uint32_t t1 = s[7] + (ror(s[4], 6) ^ ror(s[4], 11) ^ ror(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i];
            uint32_t t2 = (ror(s[0], 2) ^ ror(s[0], 13) ^ ror(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
            memmove(s + 1, s, 28);
            s[4] += t1;
            s[0] = t1 + t2;
        }
        uint32x4_t abcd = vld1q_u32(before), efgh = vld1q_u32(before + 4), words = vld1q_u32(k);
        vst1q_u32(z, vsha256hq_u32(abcd, efgh, words));
        CHECK(memcmp(z, s, 16) == 0);
        vst1q_u32(z, vsha256h2q_u32(efgh, abcd, words));
        CHECK(memcmp(z, s + 4, 16) == 0);
        uint32_t next[4];
        for (int i = 0; i < 4; i++) {
            uint32_t a = w[i + 1], b = i < 2 ? w[14 + i] : next[i - 2];
            next[i] = w[i] + (ror(a, 7) ^ ror(a, 18) ^ a >> 3) + w[i + 9] + (ror(b, 17) ^ ror(b, 19) ^ b >> 10);
        }
        uint32x4_t w0 = vld1q_u32(w), w4 = vld1q_u32(w + 4), w8 = vld1q_u32(w + 8), w12 = vld1q_u32(w + 12);
        vst1q_u32(z, vsha256su1q_u32(vsha256su0q_u32(w0, w4), w8, w12));
        CHECK(memcmp(z, next, 16) == 0);
        hash = mixed(hash, z[3]);
    }
    return hash;
}
CASE(sha1) {
    for (int turn = 0; turn < 200; turn++) {
        uint32_t s[5], k[4], before[5], z[4];
        for (int kind = 0; kind < 3; kind++) {
            for (int i = 0; i < 5; i++) before[i] = s[i] = (uint32_t)next_random();
            for (int i = 0; i < 4; i++) k[i] = (uint32_t)next_random();
            for (int i = 0; i < 4; i++) {
                uint32_t f = kind == 0 ? (s[1] & s[2]) ^ (~s[1] & s[3]) : kind == 1 ? s[1] ^ s[2] ^ s[3] : (s[1] & s[2]) ^ (s[1] & s[3]) ^ (s[2] & s[3]);
                uint32_t t = ror(s[0], 27) + f + s[4] + k[i];
                s[4] = s[3], s[3] = s[2], s[2] = ror(s[1], 2), s[1] = s[0], s[0] = t;
            }
            uint32x4_t abcd = vld1q_u32(before), words = vld1q_u32(k);
            vst1q_u32(z, kind == 0 ? vsha1cq_u32(abcd, before[4], words) : kind == 1 ? vsha1pq_u32(abcd, before[4], words) : vsha1mq_u32(abcd, before[4], words));
            CHECK(memcmp(z, s, 16) == 0);
        }
        CHECK(vsha1h_u32(before[0]) == ror(before[0], 2));
    }
    return 0;
}
#endif
CASE(present) { return 0; }

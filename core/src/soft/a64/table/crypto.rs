//! Cryptographic instructions (Arm ARM C4.1.97).

use super::Row;
use crate::soft::a64::features::Feature::{Aes, Sha1, Sha3, Sha256, Sha512, Sm3, Sm4};
use crate::soft::interp::{crypto_aes as aes, crypto_sha as sha, crypto_sha3 as sha3, crypto_sm as sm};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // AES.
    Row::simd("AESE", "aese {Vd.16b}, {Vn.16b}", "0100111000101000010010nnnnnddddd", aes::aese).of(Aes),
    Row::simd("AESD", "aesd {Vd.16b}, {Vn.16b}", "0100111000101000010110nnnnnddddd", aes::aesd).of(Aes),
    Row::simd("AESMC", "aesmc {Vd.16b}, {Vn.16b}", "0100111000101000011010nnnnnddddd", aes::aesmc).of(Aes),
    Row::simd("AESIMC", "aesimc {Vd.16b}, {Vn.16b}", "0100111000101000011110nnnnnddddd", aes::aesimc).of(Aes),
    // SHA1 and SHA256.
    Row::simd("SHA1C", "sha1c {Qd}, {Sn}, {Vm.4s}", "01011110000mmmmm000000nnnnnddddd", sha::sha1c).of(Sha1),
    Row::simd("SHA1P", "sha1p {Qd}, {Sn}, {Vm.4s}", "01011110000mmmmm000100nnnnnddddd", sha::sha1p).of(Sha1),
    Row::simd("SHA1M", "sha1m {Qd}, {Sn}, {Vm.4s}", "01011110000mmmmm001000nnnnnddddd", sha::sha1m).of(Sha1),
    Row::simd("SHA1SU0", "sha1su0 {Vd.4s}, {Vn.4s}, {Vm.4s}", "01011110000mmmmm001100nnnnnddddd", sha::sha1su0).of(Sha1),
    Row::simd("SHA256H", "sha256h {Qd}, {Qn}, {Vm.4s}", "01011110000mmmmm010000nnnnnddddd", sha::sha256h).of(Sha256),
    Row::simd("SHA256H2", "sha256h2 {Qd}, {Qn}, {Vm.4s}", "01011110000mmmmm010100nnnnnddddd", sha::sha256h2).of(Sha256),
    Row::simd("SHA256SU1", "sha256su1 {Vd.4s}, {Vn.4s}, {Vm.4s}", "01011110000mmmmm011000nnnnnddddd", sha::sha256su1).of(Sha256),
    Row::simd("SHA1H", "sha1h {Sd}, {Sn}", "0101111000101000000010nnnnnddddd", sha::sha1h).of(Sha1),
    Row::simd("SHA1SU1", "sha1su1 {Vd.4s}, {Vn.4s}", "0101111000101000000110nnnnnddddd", sha::sha1su1).of(Sha1),
    Row::simd("SHA256SU0", "sha256su0 {Vd.4s}, {Vn.4s}", "0101111000101000001010nnnnnddddd", sha::sha256su0).of(Sha256),
    // SHA512 and SHA3.
    Row::simd("SHA512H", "sha512h {Qd}, {Qn}, {Vm.2d}", "11001110011mmmmm100000nnnnnddddd", sha::sha512h).of(Sha512),
    Row::simd("SHA512H2", "sha512h2 {Qd}, {Qn}, {Vm.2d}", "11001110011mmmmm100001nnnnnddddd", sha::sha512h2).of(Sha512),
    Row::simd("SHA512SU1", "sha512su1 {Vd.2d}, {Vn.2d}, {Vm.2d}", "11001110011mmmmm100010nnnnnddddd", sha::sha512su1).of(Sha512),
    Row::simd("SHA512SU0", "sha512su0 {Vd.2d}, {Vn.2d}", "1100111011000000100000nnnnnddddd", sha::sha512su0).of(Sha512),
    Row::simd("RAX1", "rax1 {Vd.2d}, {Vn.2d}, {Vm.2d}", "11001110011mmmmm100011nnnnnddddd", sha3::rax1).of(Sha3),
    Row::simd("XAR", "xar {Vd.2d}, {Vn.2d}, {Vm.2d}, #{i}", "11001110100mmmmmiiiiiinnnnnddddd", sha3::xar).of(Sha3),
    Row::simd("EOR3", "eor3 {Vd.16b}, {Vn.16b}, {Vm.16b}, {Va.16b}", "11001110000mmmmm0aaaaannnnnddddd", sha3::eor3).of(Sha3),
    Row::simd("BCAX", "bcax {Vd.16b}, {Vn.16b}, {Vm.16b}, {Va.16b}", "11001110001mmmmm0aaaaannnnnddddd", sha3::bcax).of(Sha3),
    // SM3 and SM4.
    Row::simd("SM3SS1", "sm3ss1 {Vd.4s}, {Vn.4s}, {Vm.4s}, {Va.4s}", "11001110010mmmmm0aaaaannnnnddddd", sm::sm3ss1).of(Sm3),
    Row::simd("SM3TT1A", "sm3tt1a {Vd.4s}, {Vn.4s}, {Vm.si}", "11001110010mmmmm10ii00nnnnnddddd", sm::sm3tt1a).of(Sm3),
    Row::simd("SM3TT1B", "sm3tt1b {Vd.4s}, {Vn.4s}, {Vm.si}", "11001110010mmmmm10ii01nnnnnddddd", sm::sm3tt1b).of(Sm3),
    Row::simd("SM3TT2A", "sm3tt2a {Vd.4s}, {Vn.4s}, {Vm.si}", "11001110010mmmmm10ii10nnnnnddddd", sm::sm3tt2a).of(Sm3),
    Row::simd("SM3TT2B", "sm3tt2b {Vd.4s}, {Vn.4s}, {Vm.si}", "11001110010mmmmm10ii11nnnnnddddd", sm::sm3tt2b).of(Sm3),
    Row::simd("SM3PARTW1", "sm3partw1 {Vd.4s}, {Vn.4s}, {Vm.4s}", "11001110011mmmmm110000nnnnnddddd", sm::sm3partw1).of(Sm3),
    Row::simd("SM3PARTW2", "sm3partw2 {Vd.4s}, {Vn.4s}, {Vm.4s}", "11001110011mmmmm110001nnnnnddddd", sm::sm3partw2).of(Sm3),
    Row::simd("SM4E", "sm4e {Vd.4s}, {Vn.4s}", "1100111011000000100001nnnnnddddd", sm::sm4e).of(Sm4),
    Row::simd("SM4EKEY", "sm4ekey {Vd.4s}, {Vn.4s}, {Vm.4s}", "11001110011mmmmm110010nnnnnddddd", sm::sm4ekey).of(Sm4),
];

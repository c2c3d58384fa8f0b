//! Exclusives, acquire/release, and atomic memory operations (Arm ARM C4.1.94).

use super::Row;
use crate::soft::a64::decode::Inst;
use crate::soft::a64::features::Feature::{Lor, Lrcpc, Lrcpc2, Lse};
use crate::soft::interp::{atomic as at, exclusive as ex, ordered};

/// CASP names even registers.
fn has_even_pairs(inst: Inst) -> bool {
    (inst.reg('s') | inst.reg('t')) & 1 == 0
}

/// An atomic without acquire semantics whose result goes nowhere.
fn is_store_form(inst: Inst) -> bool {
    inst.reg('t') == 31 && inst.field('A') == 0
}

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // Exclusives.
    Row::new("STXRB", "stxrb {Ws}, {Wt}, [{Xn|SP}]", "00001000000sssss0-----nnnnnttttt", ex::store_exclusive),
    Row::new("STLXRB", "stlxrb {Ws}, {Wt}, [{Xn|SP}]", "00001000000sssss1-----nnnnnttttt", ex::store_exclusive),
    Row::new("LDXRB", "ldxrb {Wt}, [{Xn|SP}]", "00001000010-----0-----nnnnnttttt", ex::load_exclusive),
    Row::new("LDAXRB", "ldaxrb {Wt}, [{Xn|SP}]", "00001000010-----1-----nnnnnttttt", ex::load_exclusive),
    Row::new("STXRH", "stxrh {Ws}, {Wt}, [{Xn|SP}]", "01001000000sssss0-----nnnnnttttt", ex::store_exclusive),
    Row::new("STLXRH", "stlxrh {Ws}, {Wt}, [{Xn|SP}]", "01001000000sssss1-----nnnnnttttt", ex::store_exclusive),
    Row::new("LDXRH", "ldxrh {Wt}, [{Xn|SP}]", "01001000010-----0-----nnnnnttttt", ex::load_exclusive),
    Row::new("LDAXRH", "ldaxrh {Wt}, [{Xn|SP}]", "01001000010-----1-----nnnnnttttt", ex::load_exclusive),
    Row::new("STXR_w", "stxr {Ws}, {Wt}, [{Xn|SP}]", "10001000000sssss0-----nnnnnttttt", ex::store_exclusive),
    Row::new("STLXR_w", "stlxr {Ws}, {Wt}, [{Xn|SP}]", "10001000000sssss1-----nnnnnttttt", ex::store_exclusive),
    Row::new("LDXR_w", "ldxr {Wt}, [{Xn|SP}]", "10001000010-----0-----nnnnnttttt", ex::load_exclusive),
    Row::new("LDAXR_w", "ldaxr {Wt}, [{Xn|SP}]", "10001000010-----1-----nnnnnttttt", ex::load_exclusive),
    Row::new("STXR_x", "stxr {Ws}, {Xt}, [{Xn|SP}]", "11001000000sssss0-----nnnnnttttt", ex::store_exclusive),
    Row::new("STLXR_x", "stlxr {Ws}, {Xt}, [{Xn|SP}]", "11001000000sssss1-----nnnnnttttt", ex::store_exclusive),
    Row::new("LDXR_x", "ldxr {Xt}, [{Xn|SP}]", "11001000010-----0-----nnnnnttttt", ex::load_exclusive),
    Row::new("LDAXR_x", "ldaxr {Xt}, [{Xn|SP}]", "11001000010-----1-----nnnnnttttt", ex::load_exclusive),
    Row::new("STXP", "stxp {Ws}, {Rt}, {Rt2}, [{Xn|SP}]", "1z001000001sssss0uuuuunnnnnttttt", ex::store_exclusive_pair),
    Row::new("STLXP", "stlxp {Ws}, {Rt}, {Rt2}, [{Xn|SP}]", "1z001000001sssss1uuuuunnnnnttttt", ex::store_exclusive_pair),
    Row::new("LDXP", "ldxp {Rt}, {Rt2}, [{Xn|SP}]", "1z001000011-----0uuuuunnnnnttttt", ex::load_exclusive_pair),
    Row::new("LDAXP", "ldaxp {Rt}, {Rt2}, [{Xn|SP}]", "1z001000011-----1uuuuunnnnnttttt", ex::load_exclusive_pair),
    // Acquire and release.
    Row::new("STLLRB", "stllrb {Wt}, [{Xn|SP}]", "00001000100-----0-----nnnnnttttt", ordered::store_release).of(Lor),
    Row::new("STLRB", "stlrb {Wt}, [{Xn|SP}]", "00001000100-----1-----nnnnnttttt", ordered::store_release),
    Row::new("LDLARB", "ldlarb {Wt}, [{Xn|SP}]", "00001000110-----0-----nnnnnttttt", ordered::load_acquire).of(Lor),
    Row::new("LDARB", "ldarb {Wt}, [{Xn|SP}]", "00001000110-----1-----nnnnnttttt", ordered::load_acquire),
    Row::new("LDAPRB", "ldaprb {Wt}, [{Xn|SP}]", "0011100010111111110000nnnnnttttt", ordered::load_acquire).of(Lrcpc),
    Row::new("STLURB", "stlurb {Wt}, [{Xn|SP}{simm}]", "00011001000iiiiiiiii00nnnnnttttt", ordered::store_release).of(Lrcpc2),
    Row::new("LDAPURB", "ldapurb {Wt}, [{Xn|SP}{simm}]", "00011001010iiiiiiiii00nnnnnttttt", ordered::load_acquire).of(Lrcpc2),
    Row::new("STLLRH", "stllrh {Wt}, [{Xn|SP}]", "01001000100-----0-----nnnnnttttt", ordered::store_release).of(Lor),
    Row::new("STLRH", "stlrh {Wt}, [{Xn|SP}]", "01001000100-----1-----nnnnnttttt", ordered::store_release),
    Row::new("LDLARH", "ldlarh {Wt}, [{Xn|SP}]", "01001000110-----0-----nnnnnttttt", ordered::load_acquire).of(Lor),
    Row::new("LDARH", "ldarh {Wt}, [{Xn|SP}]", "01001000110-----1-----nnnnnttttt", ordered::load_acquire),
    Row::new("LDAPRH", "ldaprh {Wt}, [{Xn|SP}]", "0111100010111111110000nnnnnttttt", ordered::load_acquire).of(Lrcpc),
    Row::new("STLURH", "stlurh {Wt}, [{Xn|SP}{simm}]", "01011001000iiiiiiiii00nnnnnttttt", ordered::store_release).of(Lrcpc2),
    Row::new("LDAPURH", "ldapurh {Wt}, [{Xn|SP}{simm}]", "01011001010iiiiiiiii00nnnnnttttt", ordered::load_acquire).of(Lrcpc2),
    Row::new("STLLR_w", "stllr {Wt}, [{Xn|SP}]", "10001000100-----0-----nnnnnttttt", ordered::store_release).of(Lor),
    Row::new("STLR_w", "stlr {Wt}, [{Xn|SP}]", "10001000100-----1-----nnnnnttttt", ordered::store_release),
    Row::new("LDLAR_w", "ldlar {Wt}, [{Xn|SP}]", "10001000110-----0-----nnnnnttttt", ordered::load_acquire).of(Lor),
    Row::new("LDAR_w", "ldar {Wt}, [{Xn|SP}]", "10001000110-----1-----nnnnnttttt", ordered::load_acquire),
    Row::new("LDAPR_w", "ldapr {Wt}, [{Xn|SP}]", "1011100010111111110000nnnnnttttt", ordered::load_acquire).of(Lrcpc),
    Row::new("STLUR_w", "stlur {Wt}, [{Xn|SP}{simm}]", "10011001000iiiiiiiii00nnnnnttttt", ordered::store_release).of(Lrcpc2),
    Row::new("LDAPUR_w", "ldapur {Wt}, [{Xn|SP}{simm}]", "10011001010iiiiiiiii00nnnnnttttt", ordered::load_acquire).of(Lrcpc2),
    Row::new("STLLR_x", "stllr {Xt}, [{Xn|SP}]", "11001000100-----0-----nnnnnttttt", ordered::store_release).of(Lor),
    Row::new("STLR_x", "stlr {Xt}, [{Xn|SP}]", "11001000100-----1-----nnnnnttttt", ordered::store_release),
    Row::new("LDLAR_x", "ldlar {Xt}, [{Xn|SP}]", "11001000110-----0-----nnnnnttttt", ordered::load_acquire).of(Lor),
    Row::new("LDAR_x", "ldar {Xt}, [{Xn|SP}]", "11001000110-----1-----nnnnnttttt", ordered::load_acquire),
    Row::new("LDAPR_x", "ldapr {Xt}, [{Xn|SP}]", "1111100010111111110000nnnnnttttt", ordered::load_acquire).of(Lrcpc),
    Row::new("STLUR_x", "stlur {Xt}, [{Xn|SP}{simm}]", "11011001000iiiiiiiii00nnnnnttttt", ordered::store_release).of(Lrcpc2),
    Row::new("LDAPUR_x", "ldapur {Xt}, [{Xn|SP}{simm}]", "11011001010iiiiiiiii00nnnnnttttt", ordered::load_acquire).of(Lrcpc2),
    Row::new("LDAPURSB_x", "ldapursb {Xt}, [{Xn|SP}{simm}]", "00011001100iiiiiiiii00nnnnnttttt", ordered::load_acquire_signed).of(Lrcpc2),
    Row::new("LDAPURSB_w", "ldapursb {Wt}, [{Xn|SP}{simm}]", "00011001110iiiiiiiii00nnnnnttttt", ordered::load_acquire_signed).of(Lrcpc2),
    Row::new("LDAPURSH_x", "ldapursh {Xt}, [{Xn|SP}{simm}]", "01011001100iiiiiiiii00nnnnnttttt", ordered::load_acquire_signed).of(Lrcpc2),
    Row::new("LDAPURSH_w", "ldapursh {Wt}, [{Xn|SP}{simm}]", "01011001110iiiiiiiii00nnnnnttttt", ordered::load_acquire_signed).of(Lrcpc2),
    Row::new("LDAPURSW", "ldapursw {Xt}, [{Xn|SP}{simm}]", "10011001100iiiiiiiii00nnnnnttttt", ordered::load_acquire_signed).of(Lrcpc2),
    // Atomics (FEAT_LSE).
    Row::new("CASP", "casp{AL} {Rs}, {Rs+1}, {Rt}, {Rt+1}, [{Xn|SP}]", "0z0010000A1sssssR11111nnnnnttttt", at::casp).of(Lse).when(has_even_pairs),
    Row::new("CASB", "cas{AL}b {Ws}, {Wt}, [{Xn|SP}]", "000010001A1sssssR11111nnnnnttttt", at::cas).of(Lse),
    Row::new("LDADDB", "ldadd{AL}b {Ws}, {Wt}, [{Xn|SP}]", "00111000AR1sssss000000nnnnnttttt", at::ldadd).of(Lse)
        .aliases(&[(is_store_form, "stadd{AL}b {Ws}, [{Xn|SP}]")]),
    Row::new("LDCLRB", "ldclr{AL}b {Ws}, {Wt}, [{Xn|SP}]", "00111000AR1sssss000100nnnnnttttt", at::ldclr).of(Lse)
        .aliases(&[(is_store_form, "stclr{AL}b {Ws}, [{Xn|SP}]")]),
    Row::new("LDEORB", "ldeor{AL}b {Ws}, {Wt}, [{Xn|SP}]", "00111000AR1sssss001000nnnnnttttt", at::ldeor).of(Lse)
        .aliases(&[(is_store_form, "steor{AL}b {Ws}, [{Xn|SP}]")]),
    Row::new("LDSETB", "ldset{AL}b {Ws}, {Wt}, [{Xn|SP}]", "00111000AR1sssss001100nnnnnttttt", at::ldset).of(Lse)
        .aliases(&[(is_store_form, "stset{AL}b {Ws}, [{Xn|SP}]")]),
    Row::new("LDSMAXB", "ldsmax{AL}b {Ws}, {Wt}, [{Xn|SP}]", "00111000AR1sssss010000nnnnnttttt", at::ldsmax).of(Lse)
        .aliases(&[(is_store_form, "stsmax{AL}b {Ws}, [{Xn|SP}]")]),
    Row::new("LDSMINB", "ldsmin{AL}b {Ws}, {Wt}, [{Xn|SP}]", "00111000AR1sssss010100nnnnnttttt", at::ldsmin).of(Lse)
        .aliases(&[(is_store_form, "stsmin{AL}b {Ws}, [{Xn|SP}]")]),
    Row::new("LDUMAXB", "ldumax{AL}b {Ws}, {Wt}, [{Xn|SP}]", "00111000AR1sssss011000nnnnnttttt", at::ldumax).of(Lse)
        .aliases(&[(is_store_form, "stumax{AL}b {Ws}, [{Xn|SP}]")]),
    Row::new("LDUMINB", "ldumin{AL}b {Ws}, {Wt}, [{Xn|SP}]", "00111000AR1sssss011100nnnnnttttt", at::ldumin).of(Lse)
        .aliases(&[(is_store_form, "stumin{AL}b {Ws}, [{Xn|SP}]")]),
    Row::new("SWPB", "swp{AL}b {Ws}, {Wt}, [{Xn|SP}]", "00111000AR1sssss100000nnnnnttttt", at::swp).of(Lse),
    Row::new("CASH", "cas{AL}h {Ws}, {Wt}, [{Xn|SP}]", "010010001A1sssssR11111nnnnnttttt", at::cas).of(Lse),
    Row::new("LDADDH", "ldadd{AL}h {Ws}, {Wt}, [{Xn|SP}]", "01111000AR1sssss000000nnnnnttttt", at::ldadd).of(Lse)
        .aliases(&[(is_store_form, "stadd{AL}h {Ws}, [{Xn|SP}]")]),
    Row::new("LDCLRH", "ldclr{AL}h {Ws}, {Wt}, [{Xn|SP}]", "01111000AR1sssss000100nnnnnttttt", at::ldclr).of(Lse)
        .aliases(&[(is_store_form, "stclr{AL}h {Ws}, [{Xn|SP}]")]),
    Row::new("LDEORH", "ldeor{AL}h {Ws}, {Wt}, [{Xn|SP}]", "01111000AR1sssss001000nnnnnttttt", at::ldeor).of(Lse)
        .aliases(&[(is_store_form, "steor{AL}h {Ws}, [{Xn|SP}]")]),
    Row::new("LDSETH", "ldset{AL}h {Ws}, {Wt}, [{Xn|SP}]", "01111000AR1sssss001100nnnnnttttt", at::ldset).of(Lse)
        .aliases(&[(is_store_form, "stset{AL}h {Ws}, [{Xn|SP}]")]),
    Row::new("LDSMAXH", "ldsmax{AL}h {Ws}, {Wt}, [{Xn|SP}]", "01111000AR1sssss010000nnnnnttttt", at::ldsmax).of(Lse)
        .aliases(&[(is_store_form, "stsmax{AL}h {Ws}, [{Xn|SP}]")]),
    Row::new("LDSMINH", "ldsmin{AL}h {Ws}, {Wt}, [{Xn|SP}]", "01111000AR1sssss010100nnnnnttttt", at::ldsmin).of(Lse)
        .aliases(&[(is_store_form, "stsmin{AL}h {Ws}, [{Xn|SP}]")]),
    Row::new("LDUMAXH", "ldumax{AL}h {Ws}, {Wt}, [{Xn|SP}]", "01111000AR1sssss011000nnnnnttttt", at::ldumax).of(Lse)
        .aliases(&[(is_store_form, "stumax{AL}h {Ws}, [{Xn|SP}]")]),
    Row::new("LDUMINH", "ldumin{AL}h {Ws}, {Wt}, [{Xn|SP}]", "01111000AR1sssss011100nnnnnttttt", at::ldumin).of(Lse)
        .aliases(&[(is_store_form, "stumin{AL}h {Ws}, [{Xn|SP}]")]),
    Row::new("SWPH", "swp{AL}h {Ws}, {Wt}, [{Xn|SP}]", "01111000AR1sssss100000nnnnnttttt", at::swp).of(Lse),
    Row::new("CAS_w", "cas{AL} {Ws}, {Wt}, [{Xn|SP}]", "100010001A1sssssR11111nnnnnttttt", at::cas).of(Lse),
    Row::new("LDADD_w", "ldadd{AL} {Ws}, {Wt}, [{Xn|SP}]", "10111000AR1sssss000000nnnnnttttt", at::ldadd).of(Lse)
        .aliases(&[(is_store_form, "stadd{AL} {Ws}, [{Xn|SP}]")]),
    Row::new("LDCLR_w", "ldclr{AL} {Ws}, {Wt}, [{Xn|SP}]", "10111000AR1sssss000100nnnnnttttt", at::ldclr).of(Lse)
        .aliases(&[(is_store_form, "stclr{AL} {Ws}, [{Xn|SP}]")]),
    Row::new("LDEOR_w", "ldeor{AL} {Ws}, {Wt}, [{Xn|SP}]", "10111000AR1sssss001000nnnnnttttt", at::ldeor).of(Lse)
        .aliases(&[(is_store_form, "steor{AL} {Ws}, [{Xn|SP}]")]),
    Row::new("LDSET_w", "ldset{AL} {Ws}, {Wt}, [{Xn|SP}]", "10111000AR1sssss001100nnnnnttttt", at::ldset).of(Lse)
        .aliases(&[(is_store_form, "stset{AL} {Ws}, [{Xn|SP}]")]),
    Row::new("LDSMAX_w", "ldsmax{AL} {Ws}, {Wt}, [{Xn|SP}]", "10111000AR1sssss010000nnnnnttttt", at::ldsmax).of(Lse)
        .aliases(&[(is_store_form, "stsmax{AL} {Ws}, [{Xn|SP}]")]),
    Row::new("LDSMIN_w", "ldsmin{AL} {Ws}, {Wt}, [{Xn|SP}]", "10111000AR1sssss010100nnnnnttttt", at::ldsmin).of(Lse)
        .aliases(&[(is_store_form, "stsmin{AL} {Ws}, [{Xn|SP}]")]),
    Row::new("LDUMAX_w", "ldumax{AL} {Ws}, {Wt}, [{Xn|SP}]", "10111000AR1sssss011000nnnnnttttt", at::ldumax).of(Lse)
        .aliases(&[(is_store_form, "stumax{AL} {Ws}, [{Xn|SP}]")]),
    Row::new("LDUMIN_w", "ldumin{AL} {Ws}, {Wt}, [{Xn|SP}]", "10111000AR1sssss011100nnnnnttttt", at::ldumin).of(Lse)
        .aliases(&[(is_store_form, "stumin{AL} {Ws}, [{Xn|SP}]")]),
    Row::new("SWP_w", "swp{AL} {Ws}, {Wt}, [{Xn|SP}]", "10111000AR1sssss100000nnnnnttttt", at::swp).of(Lse),
    Row::new("CAS_x", "cas{AL} {Xs}, {Xt}, [{Xn|SP}]", "110010001A1sssssR11111nnnnnttttt", at::cas).of(Lse),
    Row::new("LDADD_x", "ldadd{AL} {Xs}, {Xt}, [{Xn|SP}]", "11111000AR1sssss000000nnnnnttttt", at::ldadd).of(Lse)
        .aliases(&[(is_store_form, "stadd{AL} {Xs}, [{Xn|SP}]")]),
    Row::new("LDCLR_x", "ldclr{AL} {Xs}, {Xt}, [{Xn|SP}]", "11111000AR1sssss000100nnnnnttttt", at::ldclr).of(Lse)
        .aliases(&[(is_store_form, "stclr{AL} {Xs}, [{Xn|SP}]")]),
    Row::new("LDEOR_x", "ldeor{AL} {Xs}, {Xt}, [{Xn|SP}]", "11111000AR1sssss001000nnnnnttttt", at::ldeor).of(Lse)
        .aliases(&[(is_store_form, "steor{AL} {Xs}, [{Xn|SP}]")]),
    Row::new("LDSET_x", "ldset{AL} {Xs}, {Xt}, [{Xn|SP}]", "11111000AR1sssss001100nnnnnttttt", at::ldset).of(Lse)
        .aliases(&[(is_store_form, "stset{AL} {Xs}, [{Xn|SP}]")]),
    Row::new("LDSMAX_x", "ldsmax{AL} {Xs}, {Xt}, [{Xn|SP}]", "11111000AR1sssss010000nnnnnttttt", at::ldsmax).of(Lse)
        .aliases(&[(is_store_form, "stsmax{AL} {Xs}, [{Xn|SP}]")]),
    Row::new("LDSMIN_x", "ldsmin{AL} {Xs}, {Xt}, [{Xn|SP}]", "11111000AR1sssss010100nnnnnttttt", at::ldsmin).of(Lse)
        .aliases(&[(is_store_form, "stsmin{AL} {Xs}, [{Xn|SP}]")]),
    Row::new("LDUMAX_x", "ldumax{AL} {Xs}, {Xt}, [{Xn|SP}]", "11111000AR1sssss011000nnnnnttttt", at::ldumax).of(Lse)
        .aliases(&[(is_store_form, "stumax{AL} {Xs}, [{Xn|SP}]")]),
    Row::new("LDUMIN_x", "ldumin{AL} {Xs}, {Xt}, [{Xn|SP}]", "11111000AR1sssss011100nnnnnttttt", at::ldumin).of(Lse)
        .aliases(&[(is_store_form, "stumin{AL} {Xs}, [{Xn|SP}]")]),
    Row::new("SWP_x", "swp{AL} {Xs}, {Xt}, [{Xn|SP}]", "11111000AR1sssss100000nnnnnttttt", at::swp).of(Lse),
];

//! Pairs: frequent instructions that go straight to a frequent follower.
//!
//! The jump from one handler to the next is what an interpreter waits for: a processor predicts it only while the code of the
//! guest is small. The handlers named here take the follower as a generic argument `THEN` and end in [`At::then`], a call of a
//! known function. Both ops stay as they are, with their operands and positions; only the first one's handler is
//! another ([`pair_up`]), so a pair does what its two instructions do, faults included.
//!
//! Source of the choice: counts of what bash and python3 execute.

use super::alu::AND;
use super::branch::{
    RETURN, TRAMPOLINE, branch_if, call, call_register, compare_branch, goto, jump, subtract_branch, test_bit_branch,
};
use super::cpu::Cpu;
use super::dp_imm::{add_immediate, constant, copy, extract_unsigned, logic_immediate};
use super::dp_reg::add_register;
use super::ldst::{Load, Offset, PostIndex, PreIndex, Register, Store, move_one};
use super::ldst_pair::{General, load_pair, store_pair};
use super::op::{At, Exec, Flow, Op};

/// `THEN` of a handler that goes on with the next op, whatever it is.
pub(super) const ALONE: usize = 0;

/// Conditions EQ and NE.
const EQ: u8 = 0;
const NE: u8 = 1;

/// The instances of a handler for all followers: the numbers here go to their count, or it is a type error.
macro_rules! by_follower {
    ($handler:ident $types:tt $args:tt) => {
        by_follower!(@ $handler $types $args
            1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22
            23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43)
    };
    (@ $handler:ident $types:tt $args:tt $($then:tt)*) => {
        [$(by_follower!(@@ $handler $types $args $then)),*]
    };
    (@@ $handler:ident [$($type:ty),*] [$($arg:expr),*] $then:tt) => {
        $handler::<$($type,)* { $then } $(, { $arg })*>
    };
}

/// Defines the pairs: instructions that may come first or second, by their handlers without `THEN`, and handlers of those
/// that may come second only.
macro_rules! pairs {
    (
        steps { $($step:ident $(::<$($type:ty),*>)? $(, $arg:expr)*;)* }
        ends { $($end:expr;)* }
    ) => {
        /// How many instructions may come first.
        const STEPS: usize = [$(stringify!($step)),*].len();

        /// How many may come second.
        const COUNT: usize = STEPS + [$(stringify!($end)),*].len();

        /// Those that may come second. `THEN` is an index here plus one.
        const FOLLOWERS: [Exec; COUNT] = [
            $(by_follower!(@@ $step [$($($type),*)?] [$($arg),*] ALONE),)*
            $($end),*
        ];

        /// The handlers of pairs, in the order of [`FOLLOWERS`].
        static PAIRS: [[Exec; COUNT]; STEPS] = [$(by_follower!($step [$($($type),*)?] [$($arg),*])),*];
    };
}

pairs! {
    steps {
        constant;
        copy, false;
        copy, true;
        add_immediate, false, false;
        add_immediate, false, true;
        add_immediate, true, false;
        add_immediate, true, true;
        add_register, false, true;
        logic_immediate, AND, true;
        extract_unsigned;
        move_one::<Offset, Load<u8, 0>>, false;
        move_one::<Offset, Load<u32, 0>>, false;
        move_one::<Offset, Load<u64, 0>>, false;
        move_one::<Offset, Load<u64, 0>>, true;
        move_one::<Register<3>, Load<u64, 0>>, false;
        move_one::<Offset, Store<u32>>, false;
        move_one::<Offset, Store<u64>>, false;
        move_one::<Offset, Store<u64>>, true;
        load_pair::<General<u64>, Offset>, true;
        load_pair::<General<u64>, PostIndex>, true;
        store_pair::<General<u64>, Offset>, true;
        store_pair::<General<u64>, PreIndex>, true;
    }
    ends {
        jump::<RETURN>;
        jump::<TRAMPOLINE>;
        call;
        call_register;
        goto;
        compare_branch::<false, false>;
        compare_branch::<false, true>;
        compare_branch::<true, false>;
        compare_branch::<true, true>;
        test_bit_branch::<false>;
        test_bit_branch::<true>;
        branch_if::<EQ>;
        branch_if::<NE>;
        subtract_branch::<true, false, EQ>;
        subtract_branch::<true, false, NE>;
        subtract_branch::<true, true, EQ>;
        subtract_branch::<true, true, NE>;
        subtract_branch::<false, false, EQ>;
        subtract_branch::<false, false, NE>;
        subtract_branch::<false, true, EQ>;
        subtract_branch::<false, true, NE>;
    }
}

impl At<'_> {
    /// Executes the following op, of which the handler is known.
    #[inline(always)]
    pub(super) fn then<const THEN: usize>(self, cpu: &mut Cpu) -> Flow {
        match const { if THEN == ALONE { None } else { Some(FOLLOWERS[THEN - 1]) } } {
            None => self.next(cpu),
            Some(exec) => exec(cpu, self.following()),
        }
    }
}

/// The place of a handler among the followers. Handlers of one address do the same, whatever their names.
fn find(exec: Exec) -> Option<usize> {
    FOLLOWERS.iter().position(|&follower| std::ptr::fn_addr_eq(follower, exec))
}

/// Makes pairs in a block, from its first instruction on.
pub(super) fn pair_up(ops: &[Op]) {
    let mut rest = ops;
    while let [first, after @ ..] = rest {
        rest = after;
        let Some(row) = find(first.exec()).and_then(|step| PAIRS.get(step)) else { continue };
        if let [second, after @ ..] = after
            && let Some(follower) = find(second.exec())
        {
            first.set_exec(row[follower]);
            rest = after;
        }
    }
}

//! Loads and stores of one SIMD and floating-point register: handlers. Source: Arm ARM C4.1.94, C7.2.
//!
//! Lowering is that of the general registers ([`ldst`](super::ldst)), which comes here for the handler. Pairs are in
//! [`ldst_pair`](super::ldst_pair). A load clears the register's bits above what it loads. Alignment is not checked (Arm ARM B2.8.2).

use super::cpu::Cpu;
use super::ldst::{Address, Demands, access};
use super::op::{At, Exec, Flow};
use crate::mem::access::Loadable;
use crate::vcpu::Access;

/// What memory holds of a register.
pub(super) trait Part: Loadable {
    /// The register after a load.
    fn wide(self) -> u128;
    /// What is stored of a register.
    fn narrow(register: u128) -> Self;
}

macro_rules! part {
    ($($type:ty)*) => {$(
        impl Part for $type {
            #[inline(always)]
            fn wide(self) -> u128 {
                u128::from(self)
            }

            #[inline(always)]
            fn narrow(register: u128) -> Self {
                register as $type
            }
        }
    )*};
}

part!(u8 u16 u32 u64 u128);

fn load<T: Part, A: Address, const SP: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    access::<A, _>(
        cpu,
        at,
        Demands::new(Access::Read, SP),
        |cpu, addr| cpu.mem.load::<T>(addr),
        |cpu, value| {
            cpu.v[at.rd()] = value.wide();
            at.next(cpu)
        },
    )
}

fn store<T: Part, A: Address, const SP: bool>(cpu: &mut Cpu, at: At<'_>) -> Flow {
    let one = |cpu: &mut Cpu, addr| cpu.mem.store(addr, T::narrow(cpu.v[at.rd()]));
    access::<A, _>(cpu, at, Demands::new(Access::Write, SP), one, |cpu, ()| at.next(cpu))
}

/// The handler for a register of `1 << scale` bytes.
pub(super) fn handler<A: Address, const SP: bool>(scale: u32, is_load: bool) -> Exec {
    match (scale, is_load) {
        (0, false) => store::<u8, A, SP>,
        (0, true) => load::<u8, A, SP>,
        (1, false) => store::<u16, A, SP>,
        (1, true) => load::<u16, A, SP>,
        (2, false) => store::<u32, A, SP>,
        (2, true) => load::<u32, A, SP>,
        (3, false) => store::<u64, A, SP>,
        (3, true) => load::<u64, A, SP>,
        (4.., false) => store::<u128, A, SP>,
        (4.., true) => load::<u128, A, SP>,
    }
}

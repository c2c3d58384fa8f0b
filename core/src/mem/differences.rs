//! [`differences`]: where two lists of mappings are not the same.

use std::sync::Arc;

use super::vma::{Vma, VmaBacking};
use crate::abi::{GuestAddr, GuestRange};

/// A range with the mappings before and after.
type Difference<'vma> = (GuestRange, Option<&'vma Vma>, Option<&'vma Vma>);

/// The ranges whose mapping is another one.
#[must_use]
pub fn differences<'vma>(before: &'vma [Vma], after: &'vma [Vma]) -> Vec<Difference<'vma>> {
    let mut edges: Vec<u64> = before.iter().chain(after).flat_map(|vma| [vma.range.start.0, vma.range.end.0]).collect();
    edges.sort_unstable();
    edges.dedup();
    let at = |vmas: &'vma [Vma], addr: u64| {
        let index = vmas.partition_point(|vma| vma.range.end.0 <= addr);
        vmas.get(index).filter(|vma| vma.range.start.0 <= addr)
    };
    edges
        .windows(2)
        .map(|edge| {
            let range = GuestRange { start: GuestAddr(edge[0]), end: GuestAddr(edge[1]) };
            (range, at(before, edge[0]), at(after, edge[0]))
        })
        .filter(|(_, before, after)| match (before, after) {
            (None, None) => false,
            (Some(before), Some(after)) => {
                !before.shows_as(after) || before.prot != after.prot || before.flags != after.flags
            }
            (None, Some(_)) | (Some(_), None) => true,
        })
        .collect()
}

impl Vma {
    /// True where both show the same memory at the same addresses.
    #[must_use]
    pub fn shows_as(&self, other: &Self) -> bool {
        let is_in_step = |offset: &u64, other_offset: &u64| {
            offset.wrapping_sub(self.range.start.0) == other_offset.wrapping_sub(other.range.start.0)
        };
        match (&self.backing, &other.backing) {
            (VmaBacking::Anonymous, VmaBacking::Anonymous) => true,
            (VmaBacking::File { file, offset }, VmaBacking::File { file: other, offset: other_offset }) => {
                Arc::ptr_eq(file, other) && is_in_step(offset, other_offset)
            }
            (VmaBacking::Segment { segment, offset }, VmaBacking::Segment { segment: other, offset: other_offset }) => {
                segment == other && is_in_step(offset, other_offset)
            }
            (VmaBacking::Common { offset, name, .. }, VmaBacking::Common { offset: other_offset, name: other, .. }) => {
                name == other && is_in_step(offset, other_offset)
            }
            (
                VmaBacking::Anonymous
                | VmaBacking::File { .. }
                | VmaBacking::Segment { .. }
                | VmaBacking::Common { .. },
                _other,
            ) => false,
        }
    }
}

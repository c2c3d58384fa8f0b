//! Sizes of `struct rseq`. Source: `include/uapi/linux/rseq.h`, `include/uapi/linux/auxvec.h`.

/// Bytes of `struct rseq` that the kernel has always had, and its alignment; what `AT_RSEQ_ALIGN` says.
pub const RSEQ_ALIGN: u64 = 32;
/// Bytes of it that are in use, up to `mm_cid`; what `AT_RSEQ_FEATURE_SIZE` says.
pub const RSEQ_FEATURE_SIZE: u64 = 28;

// Declarations of Hypervisor.framework in the place of Apple's, for type checks on other systems (ci/check-macos): what
// the crate hv names, with the types that the framework documents. The numbers of registers and errors are not Apple's:
// nothing that includes this file may be run.
#pragma once

typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef unsigned long size_t;

typedef int hv_return_t;
enum {
    HV_SUCCESS, HV_ERROR, HV_BUSY, HV_BAD_ARGUMENT, HV_NO_RESOURCES, HV_NO_DEVICE, HV_DENIED, HV_UNSUPPORTED
};

typedef uint64_t hv_vcpu_t;
typedef uint64_t hv_ipa_t;
typedef uint64_t hv_memory_flags_t;
typedef uint64_t hv_exception_address_t;
typedef uint64_t hv_exception_syndrome_t;
typedef unsigned __int128 hv_simd_fp_uchar16_t;
typedef struct hv_vm_config_s *hv_vm_config_t;
typedef struct hv_vcpu_config_s *hv_vcpu_config_t;

#define HV_MEMORY_READ (1ull << 0)
#define HV_MEMORY_WRITE (1ull << 1)
#define HV_MEMORY_EXEC (1ull << 2)

typedef enum hv_exit_reason_t : uint32_t {
    HV_EXIT_REASON_CANCELED, HV_EXIT_REASON_EXCEPTION, HV_EXIT_REASON_VTIMER_ACTIVATED, HV_EXIT_REASON_UNKNOWN
} hv_exit_reason_t;

typedef enum hv_interrupt_type_t : uint32_t {
    HV_INTERRUPT_TYPE_FIQ, HV_INTERRUPT_TYPE_IRQ
} hv_interrupt_type_t;

typedef enum hv_reg_t : uint32_t {
    HV_REG_X0, HV_REG_X1, HV_REG_X2, HV_REG_X3, HV_REG_X4, HV_REG_X5, HV_REG_X6, HV_REG_X7, HV_REG_X8, HV_REG_X9,
    HV_REG_X10, HV_REG_X11, HV_REG_X12, HV_REG_X13, HV_REG_X14, HV_REG_X15, HV_REG_X16, HV_REG_X17, HV_REG_X18,
    HV_REG_X19, HV_REG_X20, HV_REG_X21, HV_REG_X22, HV_REG_X23, HV_REG_X24, HV_REG_X25, HV_REG_X26, HV_REG_X27,
    HV_REG_X28, HV_REG_X29, HV_REG_X30, HV_REG_PC, HV_REG_FPCR, HV_REG_FPSR, HV_REG_CPSR
} hv_reg_t;

typedef enum hv_simd_fp_reg_t : uint32_t {
    HV_SIMD_FP_REG_Q0, HV_SIMD_FP_REG_Q1, HV_SIMD_FP_REG_Q2, HV_SIMD_FP_REG_Q3, HV_SIMD_FP_REG_Q4,
    HV_SIMD_FP_REG_Q5, HV_SIMD_FP_REG_Q6, HV_SIMD_FP_REG_Q7, HV_SIMD_FP_REG_Q8, HV_SIMD_FP_REG_Q9,
    HV_SIMD_FP_REG_Q10, HV_SIMD_FP_REG_Q11, HV_SIMD_FP_REG_Q12, HV_SIMD_FP_REG_Q13, HV_SIMD_FP_REG_Q14,
    HV_SIMD_FP_REG_Q15, HV_SIMD_FP_REG_Q16, HV_SIMD_FP_REG_Q17, HV_SIMD_FP_REG_Q18, HV_SIMD_FP_REG_Q19,
    HV_SIMD_FP_REG_Q20, HV_SIMD_FP_REG_Q21, HV_SIMD_FP_REG_Q22, HV_SIMD_FP_REG_Q23, HV_SIMD_FP_REG_Q24,
    HV_SIMD_FP_REG_Q25, HV_SIMD_FP_REG_Q26, HV_SIMD_FP_REG_Q27, HV_SIMD_FP_REG_Q28, HV_SIMD_FP_REG_Q29,
    HV_SIMD_FP_REG_Q30, HV_SIMD_FP_REG_Q31
} hv_simd_fp_reg_t;

typedef enum hv_sys_reg_t : uint16_t {
    HV_SYS_REG_AFSR0_EL1, HV_SYS_REG_AFSR1_EL1, HV_SYS_REG_AMAIR_EL1, HV_SYS_REG_APDAKEYHI_EL1,
    HV_SYS_REG_APDAKEYLO_EL1, HV_SYS_REG_APDBKEYHI_EL1, HV_SYS_REG_APDBKEYLO_EL1, HV_SYS_REG_APGAKEYHI_EL1,
    HV_SYS_REG_APGAKEYLO_EL1, HV_SYS_REG_APIAKEYHI_EL1, HV_SYS_REG_APIAKEYLO_EL1, HV_SYS_REG_APIBKEYHI_EL1,
    HV_SYS_REG_APIBKEYLO_EL1, HV_SYS_REG_CNTKCTL_EL1, HV_SYS_REG_CNTV_CTL_EL0, HV_SYS_REG_CNTV_CVAL_EL0,
    HV_SYS_REG_CONTEXTIDR_EL1, HV_SYS_REG_CPACR_EL1, HV_SYS_REG_CSSELR_EL1, HV_SYS_REG_DBGBCR0_EL1,
    HV_SYS_REG_DBGBCR1_EL1, HV_SYS_REG_DBGBCR2_EL1, HV_SYS_REG_DBGBCR3_EL1, HV_SYS_REG_DBGBCR4_EL1,
    HV_SYS_REG_DBGBCR5_EL1, HV_SYS_REG_DBGBCR6_EL1, HV_SYS_REG_DBGBCR7_EL1, HV_SYS_REG_DBGBCR8_EL1,
    HV_SYS_REG_DBGBCR9_EL1, HV_SYS_REG_DBGBCR10_EL1, HV_SYS_REG_DBGBCR11_EL1, HV_SYS_REG_DBGBCR12_EL1,
    HV_SYS_REG_DBGBCR13_EL1, HV_SYS_REG_DBGBCR14_EL1, HV_SYS_REG_DBGBCR15_EL1, HV_SYS_REG_DBGBVR0_EL1,
    HV_SYS_REG_DBGBVR1_EL1, HV_SYS_REG_DBGBVR2_EL1, HV_SYS_REG_DBGBVR3_EL1, HV_SYS_REG_DBGBVR4_EL1,
    HV_SYS_REG_DBGBVR5_EL1, HV_SYS_REG_DBGBVR6_EL1, HV_SYS_REG_DBGBVR7_EL1, HV_SYS_REG_DBGBVR8_EL1,
    HV_SYS_REG_DBGBVR9_EL1, HV_SYS_REG_DBGBVR10_EL1, HV_SYS_REG_DBGBVR11_EL1, HV_SYS_REG_DBGBVR12_EL1,
    HV_SYS_REG_DBGBVR13_EL1, HV_SYS_REG_DBGBVR14_EL1, HV_SYS_REG_DBGBVR15_EL1, HV_SYS_REG_DBGWCR0_EL1,
    HV_SYS_REG_DBGWCR1_EL1, HV_SYS_REG_DBGWCR2_EL1, HV_SYS_REG_DBGWCR3_EL1, HV_SYS_REG_DBGWCR4_EL1,
    HV_SYS_REG_DBGWCR5_EL1, HV_SYS_REG_DBGWCR6_EL1, HV_SYS_REG_DBGWCR7_EL1, HV_SYS_REG_DBGWCR8_EL1,
    HV_SYS_REG_DBGWCR9_EL1, HV_SYS_REG_DBGWCR10_EL1, HV_SYS_REG_DBGWCR11_EL1, HV_SYS_REG_DBGWCR12_EL1,
    HV_SYS_REG_DBGWCR13_EL1, HV_SYS_REG_DBGWCR14_EL1, HV_SYS_REG_DBGWCR15_EL1, HV_SYS_REG_DBGWVR0_EL1,
    HV_SYS_REG_DBGWVR1_EL1, HV_SYS_REG_DBGWVR2_EL1, HV_SYS_REG_DBGWVR3_EL1, HV_SYS_REG_DBGWVR4_EL1,
    HV_SYS_REG_DBGWVR5_EL1, HV_SYS_REG_DBGWVR6_EL1, HV_SYS_REG_DBGWVR7_EL1, HV_SYS_REG_DBGWVR8_EL1,
    HV_SYS_REG_DBGWVR9_EL1, HV_SYS_REG_DBGWVR10_EL1, HV_SYS_REG_DBGWVR11_EL1, HV_SYS_REG_DBGWVR12_EL1,
    HV_SYS_REG_DBGWVR13_EL1, HV_SYS_REG_DBGWVR14_EL1, HV_SYS_REG_DBGWVR15_EL1, HV_SYS_REG_ELR_EL1,
    HV_SYS_REG_ESR_EL1, HV_SYS_REG_FAR_EL1, HV_SYS_REG_ID_AA64DFR0_EL1, HV_SYS_REG_ID_AA64DFR1_EL1,
    HV_SYS_REG_ID_AA64ISAR0_EL1, HV_SYS_REG_ID_AA64ISAR1_EL1, HV_SYS_REG_ID_AA64MMFR0_EL1,
    HV_SYS_REG_ID_AA64MMFR1_EL1, HV_SYS_REG_ID_AA64MMFR2_EL1, HV_SYS_REG_ID_AA64PFR0_EL1,
    HV_SYS_REG_ID_AA64PFR1_EL1, HV_SYS_REG_MAIR_EL1, HV_SYS_REG_MDCCINT_EL1, HV_SYS_REG_MDSCR_EL1,
    HV_SYS_REG_MIDR_EL1, HV_SYS_REG_MPIDR_EL1, HV_SYS_REG_PAR_EL1, HV_SYS_REG_SCTLR_EL1, HV_SYS_REG_SPSR_EL1,
    HV_SYS_REG_SP_EL0, HV_SYS_REG_SP_EL1, HV_SYS_REG_TCR_EL1, HV_SYS_REG_TPIDRRO_EL0, HV_SYS_REG_TPIDR_EL0,
    HV_SYS_REG_TPIDR_EL1, HV_SYS_REG_TTBR0_EL1, HV_SYS_REG_TTBR1_EL1, HV_SYS_REG_VBAR_EL1
} hv_sys_reg_t;

typedef struct {
    hv_exception_syndrome_t syndrome;
    hv_exception_address_t virtual_address;
    hv_ipa_t physical_address;
} hv_vcpu_exit_exception_t;

typedef struct {
    hv_exit_reason_t reason;
    hv_vcpu_exit_exception_t exception;
} hv_vcpu_exit_t;

hv_return_t hv_vm_create(hv_vm_config_t config);
hv_return_t hv_vm_destroy(void);
hv_return_t hv_vm_map(void *address, hv_ipa_t ipa, size_t size, hv_memory_flags_t flags);
hv_return_t hv_vm_unmap(hv_ipa_t ipa, size_t size);
hv_return_t hv_vm_protect(hv_ipa_t ipa, size_t size, hv_memory_flags_t flags);
hv_return_t hv_vcpu_create(hv_vcpu_t *vcpu, hv_vcpu_exit_t **exit, hv_vcpu_config_t config);
hv_return_t hv_vcpu_destroy(hv_vcpu_t vcpu);
hv_return_t hv_vcpu_run(hv_vcpu_t vcpu);
hv_return_t hv_vcpus_exit(hv_vcpu_t *vcpus, uint32_t count);
hv_return_t hv_vcpu_get_reg(hv_vcpu_t vcpu, hv_reg_t reg, uint64_t *value);
hv_return_t hv_vcpu_set_reg(hv_vcpu_t vcpu, hv_reg_t reg, uint64_t value);
hv_return_t hv_vcpu_get_simd_fp_reg(hv_vcpu_t vcpu, hv_simd_fp_reg_t reg, hv_simd_fp_uchar16_t *value);
hv_return_t hv_vcpu_set_simd_fp_reg(hv_vcpu_t vcpu, hv_simd_fp_reg_t reg, hv_simd_fp_uchar16_t value);
hv_return_t hv_vcpu_get_sys_reg(hv_vcpu_t vcpu, hv_sys_reg_t reg, uint64_t *value);
hv_return_t hv_vcpu_set_sys_reg(hv_vcpu_t vcpu, hv_sys_reg_t reg, uint64_t value);
hv_return_t hv_vcpu_get_pending_interrupt(hv_vcpu_t vcpu, hv_interrupt_type_t type, _Bool *value);
hv_return_t hv_vcpu_set_pending_interrupt(hv_vcpu_t vcpu, hv_interrupt_type_t type, _Bool value);
hv_return_t hv_vcpu_get_trap_debug_exceptions(hv_vcpu_t vcpu, _Bool *value);
hv_return_t hv_vcpu_set_trap_debug_exceptions(hv_vcpu_t vcpu, _Bool value);
hv_return_t hv_vcpu_get_trap_debug_reg_accesses(hv_vcpu_t vcpu, _Bool *value);
hv_return_t hv_vcpu_set_trap_debug_reg_accesses(hv_vcpu_t vcpu, _Bool value);
hv_return_t hv_vcpu_get_exec_time(hv_vcpu_t vcpu, uint64_t *time);
hv_return_t hv_vcpu_get_vtimer_mask(hv_vcpu_t vcpu, _Bool *masked);
hv_return_t hv_vcpu_set_vtimer_mask(hv_vcpu_t vcpu, _Bool masked);
hv_return_t hv_vcpu_get_vtimer_offset(hv_vcpu_t vcpu, uint64_t *value);
hv_return_t hv_vcpu_set_vtimer_offset(hv_vcpu_t vcpu, uint64_t value);

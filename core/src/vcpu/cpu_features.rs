//! [`CpuFeatures`]: what the kernel tells programs about the CPU.
//!
//! Sources: getauxval(3), Linux `arch/arm64/kernel/cpuinfo.c` (`c_show`).

use std::fmt::Write;

/// What a program can learn about the CPU without executing anything.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CpuFeatures {
    /// AT_HWCAP, AT_HWCAP2 and AT_HWCAP3.
    pub hwcaps: [u64; 3],
    /// The names of their bits, in order.
    pub names: Vec<&'static str>,
    /// MIDR_EL1.
    pub midr: u64,
    /// CNTFRQ_EL0.
    pub counter_hz: u64,
}

impl CpuFeatures {
    /// The content of `/proc/cpuinfo` for these CPUs.
    #[must_use]
    pub fn cpuinfo(&self, cpus: impl IntoIterator<Item = usize>) -> String {
        let field = |shift: u32, width: u32| self.midr >> shift & ((1 << width) - 1);
        // Loops of the delay loop, which counts the timer: twice the counter's frequency in millions.
        let (whole, hundredths) = (self.counter_hz / 500_000, self.counter_hz / 5_000 % 100);
        let mut text = String::new();
        for cpu in cpus {
            let _ = writeln!(text, "processor\t: {cpu}");
            let _ = writeln!(text, "BogoMIPS\t: {whole}.{hundredths:02}");
            let _ = writeln!(text, "Features\t: {}", self.names.join(" "));
            let _ = writeln!(text, "CPU implementer\t: 0x{:02x}", field(24, 8));
            let _ = writeln!(text, "CPU architecture: 8");
            let _ = writeln!(text, "CPU variant\t: 0x{:x}", field(20, 4));
            let _ = writeln!(text, "CPU part\t: 0x{:03x}", field(4, 12));
            let _ = writeln!(text, "CPU revision\t: {}\n", field(0, 4));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_that_of_linux() {
        let names = vec!["fp", "asimd", "cpuid"];
        let cpu = CpuFeatures { hwcaps: [0; 3], names, midr: 0x413f_d0c1, counter_hz: 121_875_000 };
        let one = "BogoMIPS\t: 243.75\nFeatures\t: fp asimd cpuid\nCPU implementer\t: 0x41\nCPU architecture: 8\n\
                   CPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n";
        assert_eq!(cpu.cpuinfo([0, 2]), format!("processor\t: 0\n{one}processor\t: 2\n{one}"));
    }
}
